#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""curl, npm's undici and Node's fetch before caisson proxy, in both of its ways; and a gateway
between it and caisson serve that keeps what it sees, or lies. Prints TAP.

    test_proxy.py CAISSON ECHO TOKENIZE POLICY
"""
import contextlib
import http.client
import json
import shutil
import sys
from urllib.parse import urlsplit

sys.dont_write_bytecode = True
import common  # noqa: E402
from common import Missing, check, flipped  # noqa: E402
from packages import Node  # noqa: E402
from served import Served, fetch  # noqa: E402
from test_plain import PROBLEM, Curl  # noqa: E402

PAN = b"4111111111111111"
CARD = b'{"id":"a1","card":{"pan":"' + PAN + b'"},"amount":12}'
PASSED_ON = ("accept", "caisson-worker", "content-type")


class Between:
    """Hands everything on to the gateway; `saw` is all of it. Flips a bit of each answer to a POST
    if `lies`."""

    def __init__(self, gateway):
        self.gateway = urlsplit(gateway.origin)
        self.saw = b""
        self.posts = 0
        self.lies = False
        self.server = common.Posts(self.pass_on, self.pass_on, with_fields=True)
        self.url = self.server.url.removesuffix("/gateway")

    def pass_on(self, path, body=None, fields=None):
        sent = {name: fields[name] for name in PASSED_ON if name in fields}
        connection = http.client.HTTPConnection(self.gateway.netloc, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET" if body is None else "POST", path, body, sent)
            answer = connection.getresponse()
            made = answer.read()
        self.posts += 0 if body is None else 1
        self.saw += path.encode() + str(fields).encode() + (body or b"") + made
        if self.lies and body is not None:
            made = flipped(made, len(made) - 20)
        worker = answer.getheader("caisson-worker")
        return (answer.status, answer.getheader("content-type", ""), made,
                {} if worker is None else {"caisson-worker": worker})

    def close(self):
        self.server.close()


class Proxy:
    """A running caisson proxy, until the gateway is closed; `told` is what it said first of what it
    verified."""

    def __init__(self, gateway, url, *options, credential="web", image="echo"):
        accept = ("--image", gateway.images[image], "--insecure-dev", "--root",
                  gateway.public["root"])
        self.process = gateway.run("proxy.log", "proxy", "--gateway", url, "--credential",
                                   credential, *accept, "--listen", "127.0.0.1:0", "--json",
                                   *options)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.told = json.loads(self.process.stdout.readline())


def with_curl(proxy, name):
    curl = Curl(name, proxy.url)
    done = curl.get("/v1/echo", "--data", "hello")
    check((done["status"], done["body"]) == (200, b"hello"), f"{curl.name}: hello", done)
    done = curl.post("/v1/nothing", "text/plain", "hello")
    check((done["status"], done["type"]) == (404, PROBLEM), f"{curl.name}: no such route", done)
    done = curl.get("/v1/echo")
    check(done["status"] == 405, f"{curl.name}: another method", done)
    done = curl.get("/v1/echo", "--data", "hello", "--header", "host: vault.example")
    check(done["status"] == 403, f"{curl.name}: a name that is not loopback's", done)


def with_node(proxy, node, name):
    for transport in ("undici", "fetch"):
        done = node.job("echoes", transport=transport, url=proxy.url + "/v1/echo", count=40)
        check(done.get("right") == 40, f"{transport}, {name}: 40 at once, each its own answer",
              done)


def ways(gateway, between, node):
    """Everybody's client, over each way; content is nowhere on the path but at its ends."""
    for name, options in (("records", ()), ("oblivious", ("--oblivious",))):
        proxy = Proxy(gateway, between.url, *options)
        check(proxy.told["event"] == "verified", f"{name}: verified first", proxy.told)
        if shutil.which("curl") is None:
            common.skip(f"curl, {name}", "is not installed", 4)
        else:
            with_curl(proxy, name)
        if node is None:
            common.skip(f"undici and fetch, {name}", "are not here", 2)
        else:
            with_node(proxy, node, name)
        secret = proxy.url + "/v1/echo"
        status, _, body = fetch(secret, "POST", CARD, {"content-type": "application/json"})
        check((status, body) == (200, CARD) and len(between.saw) > 2000
              and PAN not in between.saw, f"{name}: no content on the way", (status, body))
        between.lies = True
        status, kind, body = fetch(secret, "POST", CARD)
        between.lies = False
        check(status == 502 and kind == PROBLEM and b"answer-not-authentic" in body,
              f"{name}: would a gateway flip a bit?",
              (status, body))
        gateway.forget(gateway.rotate())
        status, _, body = fetch(secret, "POST", CARD)
        check((status, body) == (200, CARD), f"{name}: after other keys", (status, body))


def refusals(gateway, between):
    """What does not verify gets nothing."""
    before = between.posts
    proxy = Proxy(gateway, between.url, image="tokenize")
    check(proxy.told["event"] == "invalid", "another image than the policy's", proxy.told)
    status, kind, body = fetch(proxy.url + "/v1/echo", "POST", CARD)
    check(status == 502 and kind == PROBLEM and b"measurement" in body,
          "is refused, and the answer says why", (status, body))
    check(between.posts == before, "and nothing was sent")
    proxy = Proxy(gateway, between.url, "--oblivious", credential="plain")
    status, _, body = fetch(proxy.url + "/v1/echo", "POST", CARD)
    check(status == 403, "a credential without the right", (status, body))
    proxy = Proxy(gateway, gateway.secure, "--ca", gateway.path("ca.crt"))
    status, _, body = fetch(proxy.url + "/v1/echo", "POST", CARD)
    check((status, body) == (200, CARD), "over TLS to the gateway itself", (status, body))


def run(closing):
    gateway = closing(Served(*sys.argv[1:5]))
    between = closing(Between(gateway))
    try:
        node = closing(Node())
    except Missing as reason:
        print(f"# {reason}")
        node = None
    ways(gateway, between, node)
    refusals(gateway, between)


if __name__ == "__main__":
    common.main(run)
