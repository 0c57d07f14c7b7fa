"""Typed errors: a refusal of the gateway, told apart from the upstream's own answers by X-Caracal-Error."""

from __future__ import annotations

import re
from typing import Mapping, Optional, Sequence, Type

_ADVICE = {
    "invalid_request": "The gateway does not accept the form of the request; see resource, path and headers.",
    "missing_token": "No mandate arrived; something between agent and gateway removes Authorization.",
    "invalid_token": "The gateway does not trust this mandate; compare issuer and zone with its configuration.",
    "token_replayed": "The resource takes each mandate once and this one was used.",
    "session_revoked": "The authority was revoked. Do not retry; ask whoever revoked it.",
    "resource_not_permitted": "The mandate does not reach this resource; have the application granted it.",
    "operation_not_permitted": "Method and path are not an operation of the resource.",
    "insufficient_scope": "A scope is missing; ask for all of scopes, and have the application granted them.",
    "access_denied": "A policy denies it; its operator finds the reason by the request id.",
    "connection_required": "An account must be connected first; send the person to connect_uri.",
    "payload_too_large": "The body is larger than the resource accepts.",
    "rate_limited": "Too many requests; wait for retry_after_seconds.",
    "shutting_down": "The gateway was shutting down; repeat the call if that is safe.",
    "upstream_unreachable": "The upstream could not be reached; nothing was sent.",
    "upstream_timeout": "The upstream did not answer in time; it may have carried out the call.",
    "upstream_invalid": "The upstream gave no valid answer; it may have carried out the call.",
    "foreign_url": "The URL is not under the gateway's; a mandate goes nowhere else.",
    "invalid_client": "The token service does not know the application or its secret.",
    "invalid_scope": "The application is not granted these scopes.",
    "invalid_target": "The application is not granted this resource, or not with these scopes.",
    "token_response_invalid": "What answered at the token URL is no token endpoint.",
    "token_service_unreachable": "The token service cannot be reached; check the token URL.",
}
_ELSE = "See the request id and docs/errors.md."


class CaracalError(Exception):
    """A call that Caracal refused, or that never left. Its text holds no token and nothing the upstream sent."""

    def __init__(
        self,
        code: str,
        *,
        status: int = 0,
        request_id: Optional[str] = None,
        retry_after_seconds: Optional[int] = None,
        scopes: Sequence[str] = (),
        connect_uri: Optional[str] = None,
    ) -> None:
        super().__init__(f"{code}: {_ADVICE.get(code, _ELSE)}")
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.scopes = tuple(scopes)
        self.connect_uri = connect_uri


class ConnectionRequiredError(CaracalError):
    """The person has to connect an account first: send them to connect_uri."""


class InsufficientScopeError(CaracalError):
    """The operation needs all of scopes."""


class SessionRevokedError(CaracalError):
    """Somebody revoked the authority. Later calls fail with it without a request, until forget()."""


class InvalidMandateError(CaracalError):
    """The gateway does not accept the mandate, nor a new one where that could help."""


class NotPermittedError(CaracalError):
    """This application may not do this."""


class RateLimitedError(CaracalError):
    """Too many requests: see retry_after_seconds."""


class UnavailableError(CaracalError):
    """The gateway cannot decide now, and so refuses."""


class UpstreamError(CaracalError):
    """The gateway got no usable answer from the upstream."""

    @property
    def may_have_happened(self) -> bool:
        """The upstream may have carried out the call."""
        return self.code in ("upstream_invalid", "upstream_timeout")


class MintError(CaracalError):
    """No mandate could be had; code is the token service's (RFC 6749), or token_service_unreachable."""


_CLASS_OF_CODE: Mapping[str, Type[CaracalError]] = {
    "connection_required": ConnectionRequiredError,
    "insufficient_scope": InsufficientScopeError,
    "session_revoked": SessionRevokedError,
    "missing_token": InvalidMandateError,
    "invalid_token": InvalidMandateError,
    "token_replayed": InvalidMandateError,
    "rate_limited": RateLimitedError,
}


def retry_after_of(headers: Mapping[str, str]) -> Optional[int]:
    """Seconds in Retry-After, where it is a number."""
    text = headers.get("Retry-After") or ""
    return int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else None


def refusal_of(status: int, headers: Mapping[str, str], body: object = None) -> Optional[CaracalError]:
    """The typed error of an answer; None where the upstream answered, which can never carry X-Caracal-Error.

    headers is whatever your HTTP client has, if it finds names in any case; body is the parsed JSON, if you have it.
    """
    code = headers.get("X-Caracal-Error")
    if code is None:
        return None
    kind = _CLASS_OF_CODE.get(code)
    if kind is None:
        by_status = {403: NotPermittedError, 503: UnavailableError}
        kind = UpstreamError if code.startswith(("upstream_", "redirect_")) else by_status.get(status, CaracalError)
    challenge = re.search(r'scope="([^"]*)"', headers.get("WWW-Authenticate") or "")
    connect_uri = body.get("connect_uri") if isinstance(body, dict) else None
    return kind(
        code,
        status=status,
        request_id=headers.get("X-Caracal-Request-Id"),
        retry_after_seconds=retry_after_of(headers),
        scopes=challenge.group(1).split(" ") if challenge else (),
        # It is shown to a person, as a link.
        connect_uri=connect_uri if isinstance(connect_uri, str) and re.match("https?://", connect_uri) else None,
    )
