"""Against a running gateway; test/client/python.test.ts starts it and gives the profile in the environment."""

import hashlib
import json
import os
import threading
import unittest
import urllib.error
import urllib.request

import caracal_client as caracal

WORLD = os.environ["WORLD_URL"]


def control(name, argument=None):
    data = json.dumps({"name": name, "argument": argument}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{WORLD}/control", data=data)) as answer:
        return json.load(answer)


class GatewayTest(unittest.TestCase):
    def tearDown(self):
        control("mend")

    def test_calls_with_a_mandate_of_its_own_the_body_as_it_was(self):
        body = bytes(index % 128 for index in range(1_000_000))
        with caracal.Client().transport()("/echo?q=%2F", data=body) as answer:
            seen = json.load(answer)
        self.assertEqual((seen["method"], seen["url"]), ("POST", "/echo?q=%2F"))
        self.assertEqual(seen["sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(seen["authorization"], "the credential of the upstream")

    def test_hands_url_headers_and_a_fresh_mandate_to_any_other_client(self):
        client = caracal.Client(propagate=lambda headers: headers.update({"x-request-id": "task-7", "baggage": "x"}))
        request = client.gateway_request(path="/echo")
        self.assertNotIn("baggage", request.headers)
        with urllib.request.urlopen(urllib.request.Request(request.url, headers=request.headers)) as answer:
            self.assertEqual(json.load(answer)["requestId"], "task-7")

    def test_mints_once_for_threads_that_begin_at_once(self):
        before = control("mints")
        urlopen = caracal.Client().transport(scopes=["example:read"])
        statuses = []

        def call():
            with urlopen("/echo") as answer:
                statuses.append(answer.status)

        threads = [threading.Thread(target=call) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [200] * 20)
        self.assertEqual(control("mints") - before, 1)

    def test_turns_a_refusal_into_a_typed_error(self):
        with self.assertRaises(caracal.InsufficientScopeError) as raised:
            caracal.Client().transport(scopes=["example:read"])("/echo", data=b"{}")
        self.assertEqual(raised.exception.scopes, ("example:write",))
        self.assertRegex(raised.exception.request_id, "^[0-9a-f-]{36}$")

    def test_passes_the_upstreams_own_401(self):
        with self.assertRaises(urllib.error.HTTPError) as raised:
            caracal.Client().transport()("/unauthorized")
        self.assertEqual((raised.exception.code, raised.exception.read()), (401, b"who are you?"))
        raised.exception.close()

    def test_sends_a_mandate_nowhere_else(self):
        urlopen = caracal.Client().transport()
        foreign = control("foreignUrl")["url"]
        for url in ["https://evil.example/", "//evil.example/", "/\\evil.example/", "/../x", "/%2e%2E/x", foreign, "relative", ""]:
            with self.assertRaises(caracal.CaracalError, msg=url) as raised:
                urlopen(url)
            self.assertEqual(raised.exception.code, "foreign_url")
        with self.assertRaises(urllib.error.HTTPError) as redirected:
            urlopen("/redirect-away")
        self.assertEqual((redirected.exception.code, redirected.exception.headers["Location"]), (302, foreign))
        redirected.exception.close()
        self.assertEqual(control("foreignUrl")["hits"], 0)
        with urlopen("/redirect-home") as answer:
            self.assertEqual(json.load(answer)["url"], "/echo?redirected")

    def test_surfaces_a_revoked_session_as_one_error_without_a_storm(self):
        client = caracal.Client()
        urlopen = client.transport()
        with urlopen("/echo") as answer:
            control("revokeSession", answer.headers["X-Caracal-Request-Id"])
        with self.assertRaises(caracal.SessionRevokedError):
            urlopen("/echo")
        before = control("counts")
        for _ in range(20):
            with self.assertRaises(caracal.SessionRevokedError):
                urlopen("/echo")
        self.assertEqual(control("counts"), before)
        client.forget()
        with urlopen("/echo") as answer:
            self.assertEqual(answer.status, 200)

    def test_calls_on_while_the_token_endpoint_is_down(self):
        urlopen = caracal.Client().transport()
        urlopen("/echo").close()
        control("fault", "token_endpoint_down")
        with urlopen("/echo") as answer:
            self.assertEqual(answer.status, 200)

    def test_says_why_no_mandate_can_be_had_without_the_secret_in_it(self):
        os.environ["WRONG_SECRET"] = "canary-5f1d"
        profile = caracal.read_profile()
        wrong = caracal.Profile(**{**vars(profile), "application_secret": {"env": "WRONG_SECRET"}})
        with self.assertRaises(caracal.MintError) as raised:
            caracal.Client(wrong).transport()("/echo")
        self.assertEqual(raised.exception.code, "invalid_client")
        self.assertNotIn("canary", f"{raised.exception!r} {vars(raised.exception)} {profile!r}")


if __name__ == "__main__":
    unittest.main()
