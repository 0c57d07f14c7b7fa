"""What an agent imports to call APIs through a Caracal gateway: URL, headers and a fresh mandate, and a urllib transport."""

from ._client import Client
from ._errors import (
    CaracalError,
    ConnectionRequiredError,
    InsufficientScopeError,
    InvalidMandateError,
    MintError,
    NotPermittedError,
    RateLimitedError,
    SessionRevokedError,
    UnavailableError,
    UpstreamError,
    refusal_of,
)
from ._profile import Profile, read_profile

__all__ = [
    "CaracalError",
    "Client",
    "ConnectionRequiredError",
    "InsufficientScopeError",
    "InvalidMandateError",
    "MintError",
    "NotPermittedError",
    "Profile",
    "RateLimitedError",
    "SessionRevokedError",
    "UnavailableError",
    "UpstreamError",
    "read_profile",
    "refusal_of",
]
