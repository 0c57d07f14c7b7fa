"""What needs no gateway: time, profiles, the rules of sending again."""

import json
import os
import tempfile
import unittest
from unittest import mock

import caracal_client as caracal
from caracal_client import _mandates
from caracal_client._profile import reveal_secret


class Clock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class MandatesTest(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()
        self.mints = []
        self.down = False
        patched = mock.patch.object(_mandates, "time", self.clock)
        patched.start()
        self.addCleanup(patched.stop)
        self.mandates = _mandates.Mandates(self.mint, "resource://api", None)

    def mint(self, resource, scopes, headers):
        self.mints.append(resource)
        if self.down:
            raise caracal.MintError("token_service_unreachable")
        return f"m{len(self.mints)}", 900

    def take(self):
        return self.mandates.take({}).token

    def test_are_renewed_with_half_of_their_life_left(self):
        self.assertEqual(self.take(), "m1")
        self.clock.now += 449
        self.assertEqual(self.take(), "m1")
        self.clock.now += 2
        self.assertEqual(self.take(), "m2")

    def test_serve_on_up_to_shortly_before_their_end_and_then_fail_without_a_storm(self):
        self.take()
        self.down = True
        self.clock.now += 894
        self.assertEqual(self.take(), "m1")
        self.clock.now += 2
        for _ in range(50):
            with self.assertRaises(caracal.MintError):
                self.take()
        self.assertEqual(len(self.mints), 3)

    def test_end_when_the_gateway_says_so(self):
        self.mandates.accepted(self.mandates.take({}), "100")
        self.clock.now += 51
        self.assertEqual(self.take(), "m2")

    def test_are_replaced_where_the_gateway_trusted_one_before_and_not_where_it_never_did(self):
        held = self.mandates.take({})
        error = caracal.InvalidMandateError("invalid_token", status=401)
        self.assertFalse(self.mandates.refused(held, error))
        held.accepted = True
        self.assertTrue(self.mandates.refused(held, error))
        self.assertEqual(self.take(), "m2")

    def test_are_minted_for_each_call_where_the_resource_takes_them_once(self):
        held = self.mandates.take({})
        self.take()
        self.assertTrue(self.mandates.refused(held, caracal.InvalidMandateError("token_replayed", status=401)))
        self.assertEqual([self.take(), self.take()], ["m2", "m3"])
        fresh = self.mandates.take({})
        self.assertFalse(self.mandates.refused(fresh, caracal.InvalidMandateError("token_replayed", status=401)))


class ProfileTest(unittest.TestCase):
    def setUp(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CARACAL_")}
        patched = mock.patch.dict(os.environ, kept, clear=True)
        patched.start()
        self.addCleanup(patched.stop)

    def file(self, content):
        handle, path = tempfile.mkstemp()
        self.addCleanup(os.remove, path)
        with os.fdopen(handle, "w") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def test_comes_from_a_file_and_variables_override_its_members(self):
        os.environ["CARACAL_PROFILE"] = self.file(
            {
                "caracalProfile": 1,
                "gatewayUrl": "http://127.0.0.1:8081",
                "tokenUrl": "http://127.0.0.1:8080/oauth/2/token",
                "zone": "default",
                "applicationId": "billing-agent",
                "applicationSecret": {"env": "BILLING_AGENT_SECRET"},
                "resources": [{"identifier": "resource://billing-api", "url": "http://127.0.0.1:8081/billing"}],
            }
        )
        client = caracal.Client()
        self.assertEqual(client.url(), "http://127.0.0.1:8081/billing")
        os.environ["CARACAL_APPLICATION_ID"] = "other"
        self.assertEqual(caracal.read_profile().application_id, "other")

    def test_that_cannot_be_read_is_refused_and_its_text_is_not_shown(self):
        for content in ['{"applicationSecret": "canary"', {"caracalProfile": 2, "applicationSecret": "canary"}, "[]"]:
            with self.assertRaises(ValueError) as raised:
                caracal.read_profile(self.file(content))
            self.assertNotIn("canary", str(raised.exception))

    def test_names_what_is_missing(self):
        with self.assertRaisesRegex(ValueError, "CARACAL_GATEWAY_URL or CARACAL_PROFILE"):
            caracal.Client()
        with self.assertRaisesRegex(ValueError, "token_url"):
            caracal.Client(caracal.Profile("https://gateway.example"))

    def test_sends_nothing_over_plain_http_beyond_loopback_unless_told_to(self):
        mint = lambda *_: ("m", 900)  # noqa: E731
        for url in ["http://gateway.example", "http://127.0.0.1.example", "ftp://x", "https://a@b", "x"]:
            with self.assertRaises(ValueError, msg=url):
                caracal.Client(caracal.Profile(url), mint=mint)
        for url in ["http://localhost:1", "http://[::1]:1", "http://127.8.0.1", "https://x"]:
            self.assertEqual(caracal.Client(caracal.Profile(url), mint=mint).url("r:x"), url)
        caracal.Client(caracal.Profile("http://gateway"), mint=mint, allow_plaintext=True)

    def test_has_no_address_for_a_person_that_is_not_one_of_the_web(self):
        headers = {"X-Caracal-Error": "connection_required"}
        for uri, kept in [("https://t.example/connect", True), ("javascript:alert(1)", False), ("//evil.example", False), (7, False)]:
            error = caracal.refusal_of(403, headers, {"connect_uri": uri})
            self.assertEqual(error.connect_uri, uri if kept else None)

    def test_has_its_secret_read_from_where_it_is(self):
        os.environ["A_SECRET"] = "from the environment"
        self.assertEqual(reveal_secret({"env": "A_SECRET"}), "from the environment")
        self.assertEqual(reveal_secret({"file": self.file("from a file\n")}), "from a file")
        with self.assertRaisesRegex(ValueError, "variable ABSENT"):
            reveal_secret({"env": "ABSENT"})


if __name__ == "__main__":
    unittest.main()
