"""urllib, kept to one place: what carries a mandate or a secret is sent nowhere else."""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from typing import Callable, Optional

from ._errors import CaracalError

_LOOPBACK = re.compile(r"localhost|::1|127\.\d+\.\d+\.\d+")


def checked_url(name: str, text: Optional[str], allow_plaintext: bool) -> str:
    """Checks a URL that mandates or secrets go to. Raises ValueError that names the remedy."""
    url = urllib.parse.urlsplit(text or "")
    if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or url.query or url.fragment:
        raise ValueError(f"{name} is a URL such as https://gateway.example, without query and userinfo")
    if url.scheme == "http" and not allow_plaintext and not _LOOPBACK.fullmatch(url.hostname):
        raise ValueError(f"{name} is http, so that everybody on the way reads the mandate; use https, or allow_plaintext=True")
    return text.rstrip("/")  # type: ignore[union-attr]


def url_under(base: str, url: str) -> str:
    """Where a call goes: a path is appended to the base, a URL has to be under it, else CaracalError foreign_url."""
    text = base + url if url.startswith("/") and not url.startswith(("//", "/\\")) else url
    root, parts = urllib.parse.urlsplit(base), urllib.parse.urlsplit(text)
    path = root.path.rstrip("/")
    # Nothing here folds dot segments, so that a server or proxy may: none is sent.
    dotted = any(urllib.parse.unquote(part) in (".", "..") for part in parts.path.replace("\\", "/").split("/"))
    same = (parts.scheme, parts.netloc) == (root.scheme, root.netloc)
    if not same or dotted or not (parts.path == path or parts.path.startswith(path + "/")):
        raise CaracalError("foreign_url")
    return text


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, follows: Callable[[str], bool]) -> None:
        self._follows = follows

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        # None: the answer is raised as it is, an HTTPError with its Location.
        return super().redirect_request(req, fp, code, msg, headers, newurl) if self._follows(newurl) else None


def opener_for(base: Optional[str]) -> urllib.request.OpenerDirector:
    """An opener that follows redirects under base, or none; over http no proxy of the environment sees the mandate."""

    def follows(url: str) -> bool:
        try:
            return base is not None and bool(url_under(base, url))
        except CaracalError:
            return False

    proxies = {scheme: url for scheme, url in urllib.request.getproxies().items() if scheme == "https"}
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _Redirects(follows))
