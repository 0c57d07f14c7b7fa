"""The client of an agent."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from ._errors import CaracalError, refusal_of
from ._http import checked_url, opener_for, url_under
from ._mandates import Mandates, Mint, token_endpoint
from ._profile import Profile, read_profile

_CARRIED = ("traceparent", "tracestate", "x-request-id")
_MAX_WAIT_SECONDS = 10


class GatewayRequest(NamedTuple):
    """What a call needs, for an HTTP client of your own. The headers are for one call: ask again for the next."""

    url: str
    headers: Dict[str, str]


class Client:
    """The way of an agent to its gateway. Safe for threads.

    profile: default read_profile(). subject_token: a token of whoever the agent acts for, or a function that gets it.
    mint: another way to mandates than the token endpoint, (resource, scopes, headers) -> (token, seconds).
    propagate: adds traceparent, tracestate and x-request-id to a dict; they go with the call and with the mint made for it.
    allow_plaintext: send mandates over http beyond loopback. Raises ValueError for what is missing or wrong.
    """

    def __init__(
        self,
        profile: Optional[Profile] = None,
        *,
        subject_token: Any = None,
        mint: Optional[Mint] = None,
        propagate: Optional[Callable[[Dict[str, str]], None]] = None,
        allow_plaintext: bool = False,
    ) -> None:
        self._profile = profile = profile or read_profile()
        self._gateway_url = checked_url("gateway_url", profile.gateway_url, allow_plaintext)
        self._urls = {name: checked_url("resources", url, allow_plaintext) for name, url in profile.resources.items()}
        if mint is None:
            checked_url("token_url", profile.token_url, allow_plaintext)
            if not profile.application_id or not profile.application_secret:
                raise ValueError("application_id and application_secret are needed to mint; or give mint")
        self._mint = mint or token_endpoint(profile, subject_token)
        self._propagate = propagate
        self._lock = threading.Lock()
        self._mandates: Dict[Tuple[str, Optional[Tuple[str, ...]]], Mandates] = {}

    def url(self, resource: Optional[str] = None) -> str:
        """Base URL of the calls to a resource; default the only one of the profile."""
        return self._urls.get(self._resource(resource), self._gateway_url)

    def gateway_request(
        self, resource: Optional[str] = None, *, path: str = "", scopes: Optional[Sequence[str]] = None
    ) -> GatewayRequest:
        """URL and headers of one call, with a mandate that has at least half of its life before it.

        Raises MintError and SessionRevokedError.
        """
        resource = self._resource(resource)
        carried = self._carried({})
        held = self._mandates_of(resource, scopes).take(carried)
        url = url_under(self.url(resource), path) if path else self.url(resource)
        return GatewayRequest(url, {**carried, **_call_headers(held.token, resource)})

    def transport(
        self, resource: Optional[str] = None, *, scopes: Optional[Sequence[str]] = None, retries: int = 2
    ) -> Callable[..., Any]:
        """A function like urllib.request.urlopen for one resource: (url or path, data, headers, method, timeout).

        An answer of the upstream is returned or, from status 300 on, raised as urllib.error.HTTPError, as urllib does; a redirect
        that leads elsewhere is one of those. A refusal of the gateway raises a CaracalError. Sent again, at most retries times, is
        only what the gateway refused before the upstream could see it, if data is bytes or None.
        """
        named = self._resource(resource)
        base = self.url(named)

        def urlopen(
            url: str,
            data: Any = None,
            headers: Optional[Mapping[str, str]] = None,
            method: Optional[str] = None,
            timeout: float = 300,
        ) -> Any:
            method = method or ("GET" if data is None else "POST")
            target = url_under(base, url)
            given = dict(headers or {})
            carried = self._carried(given)
            others = {name: value for name, value in given.items() if name.lower() not in carried}
            repeatable = data is None or isinstance(data, (bytes, bytearray))
            renewals, again = 1, retries
            while True:
                mandates = self._mandates_of(named, scopes)
                held = mandates.take(carried)
                sent = {**others, **carried, **_call_headers(held.token, named)}
                request = urllib.request.Request(target, data=data, headers=sent, method=method)
                try:
                    response = opener_for(base).open(request, timeout=timeout)
                    mandates.accepted(held, response.headers.get("X-Caracal-Token-Expires-In"))
                    return response
                except urllib.error.HTTPError as answer:
                    if answer.headers.get("X-Caracal-Error") is None:
                        mandates.accepted(held, answer.headers.get("X-Caracal-Token-Expires-In"))
                        raise
                    with answer:
                        error = refusal_of(answer.code, answer.headers, _json(answer.read()))
                assert error is not None
                if error.status == 401:
                    # Refused for its mandate, the call has not come to the upstream.
                    if mandates.refused(held, error) and repeatable and renewals > 0:
                        renewals -= 1
                        continue
                elif error.status in (429, 503) and repeatable and again > 0 and _is_before_upstream(error, method):
                    wait = 1 if error.retry_after_seconds is None else error.retry_after_seconds
                    if wait <= _MAX_WAIT_SECONDS:
                        again -= 1
                        time.sleep(wait)
                        continue
                raise error

        return urlopen

    def forget(self) -> None:
        """Forgets every mandate, and that sessions were revoked: the next call begins anew."""
        with self._lock:
            self._mandates = {}

    def _resource(self, named: Optional[str]) -> str:
        if named is not None:
            return named
        if len(self._urls) != 1:
            raise ValueError("name a resource: the profile has not exactly one")
        return next(iter(self._urls))

    def _mandates_of(self, resource: str, scopes: Optional[Sequence[str]]) -> Mandates:
        key = (resource, None if scopes is None else tuple(sorted(scopes)))
        with self._lock:
            if key not in self._mandates:
                self._mandates[key] = Mandates(self._mint, resource, scopes)
            return self._mandates[key]

    def _carried(self, given: Mapping[str, str]) -> Dict[str, str]:
        added: Dict[str, str] = {}
        if self._propagate is not None:
            self._propagate(added)
        found = {name.lower(): value for name, value in {**added, **given}.items()}
        return {name: found[name] for name in _CARRIED if name in found}


def _call_headers(token: str, resource: str) -> Dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Caracal-Resource": resource}


def _is_before_upstream(error: CaracalError, method: str) -> bool:
    # The one refusal of these that may come when the upstream has the call already.
    return error.code != "shutting_down" or method in ("GET", "HEAD", "OPTIONS")


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None  # HEAD has none
