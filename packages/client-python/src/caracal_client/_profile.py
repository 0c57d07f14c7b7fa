"""Where the gateway is and who the agent is: CARACAL_* variables, or the file that `caracal profile` writes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional

PROFILE_FORMAT = 1


@dataclass(frozen=True)
class Profile:
    """What a client has to know."""

    gateway_url: str
    token_url: Optional[str] = None
    zone: Optional[str] = None
    application_id: Optional[str] = None
    #: The secret; or {"env": NAME} or {"file": PATH}, read for each mandate.
    application_secret: Any = field(default=None, repr=False)
    #: Base URL by resource identifier.
    resources: Mapping[str, str] = field(default_factory=dict)


def read_profile(path: Optional[str] = None) -> Profile:
    """Reads the file at path (or CARACAL_PROFILE); single variables override its members.

    Raises ValueError that names what is missing, and the remedy.
    """
    env = os.environ
    path = path or env.get("CARACAL_PROFILE")
    file = _profile_file(path) if path else {}
    gateway_url = env.get("CARACAL_GATEWAY_URL") or file.get("gatewayUrl")
    if not gateway_url:
        raise ValueError("no gateway is known; set CARACAL_GATEWAY_URL or CARACAL_PROFILE, or give a profile")
    urls = {known["identifier"]: known.get("url") or gateway_url for known in file.get("resources", [])}
    if env.get("CARACAL_RESOURCES"):
        urls = {name: urls.get(name, gateway_url) for name in env["CARACAL_RESOURCES"].split(",")}
    return Profile(
        gateway_url=gateway_url,
        token_url=env.get("CARACAL_TOKEN_URL") or file.get("tokenUrl"),
        zone=env.get("CARACAL_ZONE") or file.get("zone"),
        application_id=env.get("CARACAL_APPLICATION_ID") or file.get("applicationId"),
        application_secret=_secret_from(env) or file.get("applicationSecret"),
        resources=urls,
    )


def reveal_secret(place: Any) -> str:
    """Reads a secret from its place. One newline at the end of a file is not part of it."""
    if isinstance(place, str):
        return place
    if "file" in place:
        with open(place["file"], encoding="utf-8", newline="") as file:
            text = file.read()
        return text[: -2 if text.endswith("\r\n") else -1] if text.endswith("\n") else text
    secret = os.environ.get(place["env"])
    if not secret:
        raise ValueError(f"the application's secret is not set: variable {place['env']}")
    return secret


def _secret_from(env: Mapping[str, str]) -> Any:
    if env.get("CARACAL_APPLICATION_SECRET"):
        return env["CARACAL_APPLICATION_SECRET"]
    if env.get("CARACAL_APPLICATION_SECRET_ENV"):
        return {"env": env["CARACAL_APPLICATION_SECRET_ENV"]}
    if env.get("CARACAL_APPLICATION_SECRET_FILE"):
        return {"file": env["CARACAL_APPLICATION_SECRET_FILE"]}
    return None


def _profile_file(path: str) -> Dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            profile = json.load(file)
    except (OSError, ValueError):
        # Neither the cause nor the text is passed on: the file may hold a secret.
        raise ValueError(f"the profile {path} cannot be read as JSON") from None
    if not isinstance(profile, dict) or profile.get("caracalProfile") != PROFILE_FORMAT:
        raise ValueError(f"the profile {path} is not of format {PROFILE_FORMAT}; write it anew with caracal profile")
    return profile
