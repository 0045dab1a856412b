#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Oblivious HTTP with clients that others wrote: Firefox's own, and two HPKE libraries with a
Binary HTTP library from npm. What a relay in between may not do, the client must find. Prints TAP.

    test_oblivious.py PEER npm|firefox             our ends alone (peer.c), npm both ways
    test_oblivious.py CAISSON npm|firefox IMAGE    caisson serve, with the enclave behind it
"""
import contextlib
import http.client
import sys
from urllib.parse import urlsplit

import common
from common import AEADS, Bare, Peer, Relay, check, flipped, only
from firefox import Firefox, installed
from packages import Library, Missing, Node

TYPE = "application/octet-stream"
MISUSES = ("flip a bit of the answer", "cut the answer short",
           "give the answer of another request")


def message(token, body=b'{"pan":"4111111111111111"}', path="/v1/echo", **more):
    return {"method": "POST", "url": "https://vault.example" + path, "body": body.hex(),
            "headers": {"content-type": TYPE, "authorization": token, **more}}


def completes(client, gateway, relay):
    """Requests in sequence, with every AEAD, of several sizes."""
    for aead, name in AEADS.items():
        for size in gateway.sizes:
            body = bytes(i * 7 % 251 for i in range(size))
            done = client.request(relay.url, aead, only(gateway.keys, aead),
                                  message(gateway.token, body))
            inner = done.get("inner", {})
            check(inner.get("status") == 200 and inner["body"] == body.hex()
                  and inner["headers"]["content-type"] == TYPE,
                  f"{client.name} with {name}: {size} bytes come back", done)
        done = client.request(relay.url, aead, gateway.keys[2:], message(gateway.token))
        check(done.get("inner", {}).get("status") == 200,
              f"{client.name} with {name}: a configuration of three suites", done)


def refusals(client, gateway, relay):
    """What is refused inside the seal, and what before it."""
    def inside(name, status, **what):
        relay.seen.clear()
        done = client.request(relay.url, 1, only(gateway.keys, 1),
                              message(**{"token": gateway.token, **what}))
        check(done.get("inner", {}).get("status") == status, f"{client.name}: {name}", done)
        check(relay.seen == [(200, "message/ohttp-res")], "of which a relay sees nothing",
              relay.seen)
        return done

    last = gateway.token[-1]
    inside("a wrong token", 401, token=gateway.token[:-1] + ("A" if last != "A" else "B"))
    inside("no such route", 404, path="/v1/nothing")
    inside("another media type", 415, **{"content-type": "text/html"})
    done = client.request(relay.url, 1, flipped(only(gateway.keys, 1), 0), message(gateway.token))
    is_key_problem(client, "another key id", done)
    done = client.request(relay.url, 1, flipped(only(gateway.keys, 1), 10), message(gateway.token))
    check(done.get("outer", {}).get("status") == 400 and done["outer"]["type"] ==
          "application/problem+json" and common.KEY_PROBLEM not in done["outer"]["body"],
          f"{client.name}: a bit of the public key", done)


def is_key_problem(client, name, done):
    outer = done.get("outer", {})
    check(outer.get("status") == 400 and outer["type"] == "application/problem+json"
          and common.KEY_PROBLEM in outer["body"],
          f"{client.name}: {name}: the problem that says so", done)


def bad_relay(client, gateway, relay):
    for aead, name in AEADS.items():
        for does in MISUSES:
            def ask():
                return client.request(relay.url, aead, only(gateway.keys, aead),
                                      message(gateway.token))
            relay.does = None
            good = ask()
            relay.does = does
            bad = ask()
            relay.does = None
            check("error" in bad and "status" not in bad.get("inner", {})
                  and good.get("inner", {}).get("status") == 200,
                  f"{client.name} with {name}: would a relay {does}?", [good, bad])
    relay.does = "flip a bit of the request"
    bad = ask()
    relay.does = None
    check(bad.get("outer", {}).get("status") == 400,
          f"{client.name}: would a relay flip a bit of the request?", bad)


def post(url, body):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("POST", parts.path, body, {"content-type": "message/ohttp-req"})
    answer = connection.getresponse()
    made = answer.read()
    connection.close()
    return answer.status, made


def text(value):
    """A length and a string of Binary HTTP, below 64 bytes."""
    return bytes([len(value)]) + value


def ours_to_theirs(library, peer):
    """Our client, their gateway. The message is written out, so that nothing of ours reads it."""
    fields = text(b"content-type") + text(b"text/plain") + text(b"x-status") + text(b"201")
    asked = (b"\0" + text(b"POST") + text(b"https") + text(b"vault.example") + text(b"/v1/echo")
             + text(fields) + text(b"forty-two") + b"\0")
    served = library.node.job("serve", library=library.name)
    url = f"http://127.0.0.1:{served['port']}/gateway"
    for aead, name in AEADS.items():
        for times in (1, 2):
            sealed = peer.call("send", served["config"], str(aead), asked.hex())
            status, answer = post(url, sealed)
            opened = peer.call("open", answer.hex()) if status == 200 else b""
            check(opened.startswith(b"\x01\x40\xc9")
                  and opened.endswith(text(b"forty-two") + b"\0")
                  and b"https://vault.example/v1/echo" in opened,
                  f"{library.name} serves our client with {name}, {times}", (status, answer))
        status, _ = post(url, flipped(sealed, len(sealed) - 3))
        check(status == 400, f"{library.name}: their end refuses a changed request", status)
        for at in (0, len(answer) - 1):
            try:
                peer.call("open", flipped(answer, at).hex())
                error = None
            except ValueError as raised:
                error = str(raised)
            check(error == "auth", f"our client refuses a changed answer of {library.name}", error)


def clients(who, stack):
    if who == "firefox":
        if installed() is None:
            raise Missing("firefox-esr is not installed")
        firefox = stack.enter_context(contextlib.closing(
            Firefox(stack.enter_context(common.scratch()))))
        print("# Firefox " + firefox.version)
        return [firefox]
    node = stack.enter_context(contextlib.closing(Node()))
    print("# " + " ".join(f"{name} {version}" for name, version in node.job("versions").items()))
    return [Library(node, name) for name in ("hpke", "@hpke/core")]


def run(program, who, stack):
    closing = lambda part: stack.enter_context(contextlib.closing(part))
    made = clients(who, stack)
    gateway = closing(Bare(program))
    relay = closing(Relay(gateway.answer))
    for client in made:
        completes(client, gateway, relay)
        refusals(client, gateway, relay)
        bad_relay(client, gateway, relay)
        if who == "npm":
            ours_to_theirs(client, closing(Peer(program)))


def main():
    with contextlib.ExitStack() as stack:
        try:
            run(sys.argv[1], sys.argv[2], stack)
        except Missing as reason:
            common.skip_all(str(reason))
    common.finish()


if __name__ == "__main__":
    main()
