#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""curl, npm's undici, Node's fetch and http2 before caisson serve: key configuration, evidence,
sealed requests and refusals, over HTTP/1.1 and HTTP/2, with and without TLS. Prints TAP.

    test_plain.py CAISSON ECHO TOKENIZE POLICY
"""
import hashlib
import json
import secrets
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import common  # noqa: E402
from common import AEADS, Missing, check, only  # noqa: E402
from packages import Library, Node  # noqa: E402
from served import Served  # noqa: E402
from test_oblivious import inner, message  # noqa: E402

PROBLEM = "application/problem+json"


class Curl:
    """One way in which curl comes: {status, type, version, body}."""

    def __init__(self, name, origin, *how):
        self.name = f"curl, {name}"
        self.origin = origin
        self.how = how

    def get(self, path, *more):
        told = "%{stderr}%{http_code} %{http_version} %{content_type}"
        done = subprocess.run(
            ["curl", "--silent", "--max-time", "20", "--write-out", told, *self.how, *more,
             self.origin + path], capture_output=True, timeout=30, check=False,
            stdin=subprocess.DEVNULL)
        status, version, kind = (done.stderr.decode() + "  ").split(" ", 2)
        return {"status": int(status or 0), "version": version, "type": kind.strip(),
                "body": done.stdout, "exit": done.returncode}

    def post(self, path, kind, body, *more):
        return self.get(path, "--header", f"content-type: {kind}", "--data-binary", body, *more)


def curls(gateway):
    yield "1.1", Curl("HTTP/1.1", gateway.origin, "--http1.1")
    yield "2", Curl("HTTP/2 by prior knowledge", gateway.origin, "--http2-prior-knowledge")
    secure = ("--cacert", gateway.path("ca.crt"))
    yield "1.1", Curl("HTTP/1.1 over TLS", gateway.secure, "--http1.1", *secure)
    yield "2", Curl("HTTP/2 over TLS", gateway.secure, "--http2", *secure)


def with_curl(gateway):
    for version, curl in curls(gateway):
        done = curl.get("/.well-known/ohttp-gateway")
        check((done["status"], done["type"], done["version"], done["body"]) ==
              (200, "application/ohttp-keys", version, gateway.keys()),
              f"{curl.name}: the key configuration", done)
        evidence(gateway, curl)
        done = curl.post("/gateway", "message/ohttp-req", "no such thing")
        check((done["status"], done["type"]) == (400, PROBLEM), f"{curl.name}: no request", done)
        done = curl.post("/gateway", "text/plain", "no such thing")
        check((done["status"], done["type"]) == (415, PROBLEM), f"{curl.name}: another type", done)
        done = curl.get("/gateway/nobody")
        check((done["status"], done["type"]) == (404, PROBLEM), f"{curl.name}: no such service",
              done)
    stranger = Curl("HTTP/2 over TLS", gateway.secure, "--http2")
    done = stranger.get("/gateway")
    check(done["exit"] == 60 and done["status"] == 0, "curl, without the authority: not at all",
          done)


def evidence(gateway, curl):
    """What curl fetched is what caisson verify takes; it names the keys that are published."""
    nonce = secrets.token_hex(32)
    done = curl.get(f"/.well-known/caisson/evidence?nonce={nonce}")
    path = gateway.path("bundle")
    with open(path, "wb") as stream:
        stream.write(done["body"])

    def verify(with_nonce):
        return subprocess.run(
            [gateway.caisson, "verify", path, "--nonce", with_nonce, "--image",
             gateway.images["echo"], "--insecure-dev", "--root", gateway.public["root"],
             "--json"], capture_output=True, timeout=30, stdin=subprocess.DEVNULL, check=False)

    verified = verify(nonce)
    check(done["type"] == "application/vnd.caisson.evidence" and verified.returncode == 0,
          f"{curl.name}: evidence that verifies", done)
    named = json.loads(verified.stdout)["claims"]["ohttp_keys"]
    check([named == hashlib.sha256(gateway.keys(service)).hexdigest()
           for service in ("", "/tokenize")] == [True, False],
          "and names the keys of its service, and no other's", named)
    check(verify(secrets.token_hex(32)).returncode == 3, "and not for another nonce")


def with_node(gateway, node):
    """Sealed requests over each way that Node has; many at once over one connection."""
    config = only(gateway.keys(), 1)
    ca = gateway.path("ca.crt")
    for transport, url, more in (("undici", gateway.url, {}), ("fetch", gateway.url, {}),
                                 ("http2", gateway.url, {}),
                                 ("http2", gateway.secure + "/gateway", {"ca": ca})):
        name = f"{transport}, {url.split(':')[0]}"
        client = Library(node, "hpke")
        for aead in AEADS:
            done = client.request(url, aead, only(gateway.keys(), aead),
                                  message(gateway.token, gateway.echo), transport=transport,
                                  **more)
            check(inner(done) == 200, f"{name}: a sealed request with {AEADS[aead]}", done)
        done = client.request(url, 1, config, message("Bearer none", gateway.echo),
                              transport=transport, **more)
        check(inner(done) == 401, f"{name}: no token", done)
        done = node.job("plain", transport=transport, url=url, method="GET", headers={}, **more)
        check(done.get("body") == gateway.keys().hex(), f"{name}: the key configuration", done)
        done = node.job("flood", library="hpke", config=config.hex(), aead=1, count=40, url=url,
                        message=message(gateway.token, gateway.echo), transport=transport, **more)
        check(done.get("right") == 40, f"{name}: 40 at once, each its own answer", done)


def run(closing):
    gateway = closing(Served(*sys.argv[1:5]))
    if shutil.which("curl") is None:
        common.skip("curl", "is not installed")
    else:
        print("# " + subprocess.run(["curl", "--version"], capture_output=True, text=True,
                                    check=True).stdout.split(" (")[0])
        with_curl(gateway)
    try:
        with_node(gateway, closing(Node()))
    except Missing as reason:
        common.skip("undici, fetch and http2", str(reason))


if __name__ == "__main__":
    common.main(run)
