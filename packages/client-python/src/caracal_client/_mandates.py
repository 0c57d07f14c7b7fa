"""Mandates: one at a time for each resource and set of scopes, minted once however many threads ask."""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Sequence, Tuple

from ._errors import CaracalError, MintError, retry_after_of
from ._http import opener_for
from ._profile import Profile, reveal_secret

_MINT_TIMEOUT_SECONDS = 20
_MAX_TRIES = 3
_MAX_WAIT_SECONDS = 5
_UNTOLD_LIFE_SECONDS = 60
#: After a mint failed none is tried for so long.
_FAILURE_PAUSE_SECONDS = 1
#: A mandate younger than this that the gateway does not trust is not replaced: the next one would fare alike.
_YOUNG_SECONDS = 5

Mint = Callable[[str, Optional[Sequence[str]], Mapping[str, str]], Tuple[str, Optional[float]]]


@dataclass
class Held:
    """A mandate in use. Times are of the monotonic clock, s."""

    token: str
    minted_at: float
    renew_at: float
    ends_at: float
    uses: int = 0
    accepted: bool = False


class Mandates:
    """The mandates of one resource and one set of scopes. Safe for threads."""

    def __init__(self, mint: Mint, resource: str, scopes: Optional[Sequence[str]]) -> None:
        self._mint, self._resource, self._scopes = mint, resource, scopes
        self._lock = threading.Lock()
        self._current: Optional[Held] = None
        self._failure: Optional[Tuple[Exception, float]] = None
        self._revoked: Optional[CaracalError] = None
        self._single_use = False

    def take(self, headers: Mapping[str, str]) -> Held:
        """A mandate with at least half of its life before it; where none can be had, the one before up to shortly before its end."""
        if self._single_use and self._revoked is None:
            return self._used(self._minted(headers))
        with self._lock:  # whoever comes while a mint is under way waits for it here
            if self._revoked is not None:
                raise self._revoked
            held = self._current
            if held is not None and time.monotonic() < held.renew_at:
                return self._used(held)
            try:
                if self._failure is not None and time.monotonic() < self._failure[1]:
                    raise self._failure[0]
                self._current = self._minted(headers)
                self._failure = None
                return self._used(self._current)
            except Exception as error:
                if self._failure is None or error is not self._failure[0]:
                    self._failure = (error, time.monotonic() + _FAILURE_PAUSE_SECONDS)
                if held is not None and time.monotonic() < held.ends_at:
                    return self._used(held)
                raise

    def accepted(self, held: Held, seconds_left: Optional[str]) -> None:
        """The gateway let a mandate through and says how many seconds it has left by its clock."""
        held.accepted = True
        left = float(seconds_left) if seconds_left and seconds_left.isdigit() else None
        now = time.monotonic()
        if left is not None and left < held.ends_at - now - 2:
            held.ends_at = now + left
            held.renew_at = min(held.renew_at, now + left / 2)

    def refused(self, held: Held, error: CaracalError) -> bool:
        """The gateway refused a mandate: whether a call with another one may fare better."""
        with self._lock:
            if error.code == "session_revoked":
                self._revoked = error
                return False
            if error.code == "token_replayed":
                self._single_use, self._current = True, None
                return held.uses > 1
            if error.code != "invalid_token":
                return False
            # The machine may have slept, which this clock need not count, or the issuer may have new keys.
            replaceable = held.accepted or time.monotonic() - held.minted_at > _YOUNG_SECONDS
            if held is self._current and replaceable:
                self._current = None
            return held is not self._current

    def _minted(self, headers: Mapping[str, str]) -> Held:
        minted_at = time.monotonic()  # before the answer is there: on the safe side
        token, life = self._mint(self._resource, self._scopes, headers)
        life = _UNTOLD_LIFE_SECONDS if life is None else life
        valid = isinstance(token, str) and re.fullmatch(r"[A-Za-z0-9_.~+/-]+=*", token)
        if not valid or not isinstance(life, (int, float)) or not life > 0:
            raise MintError("token_response_invalid")
        return Held(token, minted_at, minted_at + life / 2, minted_at + life - min(5, life / 10))

    @staticmethod
    def _used(held: Held) -> Held:
        held.uses += 1
        return held


def token_endpoint(profile: Profile, subject_token: object) -> Mint:
    """Mints at the token endpoint: client credentials, or an exchange of the subject token (RFC 8693)."""

    def mint(resource: str, scopes: Optional[Sequence[str]], headers: Mapping[str, str]) -> Tuple[str, Optional[float]]:
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                return _mint_once(profile, subject_token, resource, scopes, headers)
            except MintError as error:
                passing = error.status in (0, 429) or error.status >= 500
                wait = attempt / 4 if error.retry_after_seconds is None else error.retry_after_seconds
                if not passing or attempt == _MAX_TRIES or wait > _MAX_WAIT_SECONDS:
                    raise
                time.sleep(wait)
        raise AssertionError("unreachable")

    return mint


def _mint_once(
    profile: Profile, subject_token: object, resource: str, scopes: Optional[Sequence[str]], headers: Mapping[str, str]
) -> Tuple[str, Optional[float]]:
    form = {"grant_type": "client_credentials", "resource": resource}
    if scopes is not None:
        form["scope"] = " ".join(scopes)
    if profile.zone is not None:
        form["zone_id"] = profile.zone
    if subject_token is not None:
        form["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange"
        form["subject_token"] = str(subject_token() if callable(subject_token) else subject_token)
        form["subject_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
    # RFC 6749 section 2.3.1: both are form-encoded, so that a colon in an id cannot move the border.
    quote = urllib.parse.quote_plus
    credentials = f"{quote(profile.application_id or '')}:{quote(reveal_secret(profile.application_secret))}"
    authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    request = urllib.request.Request(
        profile.token_url or "",
        data=urllib.parse.urlencode(form).encode(),
        headers={**headers, "Content-Type": "application/x-www-form-urlencoded", "Authorization": authorization},
        method="POST",
    )
    try:
        with opener_for(None).open(request, timeout=_MINT_TIMEOUT_SECONDS) as response:
            answer = _json(response.read())
    except urllib.error.HTTPError as error:
        with error:
            body = _json(error.read())
        code = body.get("error")
        if not isinstance(code, str) or not re.fullmatch(r"[\w.-]{1,64}", code):
            code = "token_response_invalid"
        raise MintError(
            code,
            status=error.code,
            request_id=error.headers.get("X-Caracal-Request-Id"),
            retry_after_seconds=retry_after_of(error.headers),
        ) from None
    except (OSError, http.client.HTTPException):
        raise MintError("token_service_unreachable") from None
    return answer.get("access_token"), answer.get("expires_in")


def _json(text: bytes) -> dict:
    try:
        value = json.loads(text)
    except ValueError:
        return {}  # told by whoever misses a member
    return value if isinstance(value, dict) else {}
