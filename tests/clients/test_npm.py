#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two HPKE libraries and a Binary HTTP library from npm, both ways, with our ends of Oblivious HTTP
alone (peer.c). What a relay in between may not do, the client must find. Prints TAP.

    test_npm.py PEER
"""
import http.client
import sys
from urllib.parse import urlsplit

import common
from common import AEADS, Bare, Peer, Relay, check, flipped, only
from packages import Missing, Node

LIBRARIES = ("hpke", "@hpke/core")
TYPE = "application/json"


def message(token, body=b'{"pan":"4111111111111111"}', path="/v1/echo"):
    return {"method": "POST", "url": "https://vault.example" + path, "body": body.hex(),
            "headers": {"content-type": TYPE, "authorization": token}}


def theirs_to_ours(node, gateway, url):
    """Their client, our gateway."""
    for library in LIBRARIES:
        for aead, name in AEADS.items():
            for size in (0, 1, 26, 1000, 40000):
                body = bytes(i * 7 % 251 for i in range(size))
                done = node.job("request", library=library, aead=aead, url=url,
                                config=only(gateway.keys, aead).hex(),
                                message=message(gateway.token, body))
                inner = done.get("inner", {})
                check(inner.get("status") == 200 and inner["body"] == body.hex()
                      and inner["headers"]["content-type"] == TYPE,
                      f"{library} with {name}: {size} bytes come back", done)
            done = node.job("request", library=library, aead=aead, url=url,
                            config=gateway.keys[2:].hex(), message=message(gateway.token))
            check(done.get("inner", {}).get("status") == 200,
                  f"{library} with {name}: a configuration of three suites", done)


def refusals(node, gateway, relay):
    """What is refused inside the seal, and what before it."""
    for library in LIBRARIES:
        def ask(config=None, **what):
            return node.job("request", library=library, aead=1, url=relay.url,
                            config=(config or only(gateway.keys, 1)).hex(),
                            message=message(**{"token": gateway.token, **what}))
        relay.seen.clear()
        done = ask(token=gateway.token[:-1] + ("A" if gateway.token[-1] != "A" else "B"))
        check(done.get("inner", {}).get("status") == 401, f"{library}: a wrong token", done)
        done = ask(path="/v1/nothing")
        check(done.get("inner", {}).get("status") == 404, f"{library}: no such route", done)
        check(relay.seen == [(200, "message/ohttp-res")] * 2, "neither of which a relay sees",
              relay.seen)
        done = ask(flipped(only(gateway.keys, 1), 0))
        check(done.get("outer", {}).get("status") == 400 and
              common.KEY_PROBLEM in done["outer"]["body"],
              f"{library}: another key id: the problem that says so", done)
        done = ask(flipped(only(gateway.keys, 1), 10))
        check(done.get("outer", {}).get("status") == 400 and
              common.KEY_PROBLEM not in done["outer"]["body"],
              f"{library}: a bit of the public key", done)


def bad_relay(node, gateway, relay):
    def ask(library, aead):
        return node.job("request", library=library, aead=aead, url=relay.url,
                        config=only(gateway.keys, aead).hex(), message=message(gateway.token))
    for library in LIBRARIES:
        for aead, name in AEADS.items():
            for does in ("flip a bit of the answer", "cut the answer short",
                         "give the answer of another request"):
                relay.does = None
                good = ask(library, aead)
                relay.does = does
                bad = ask(library, aead)
                check("error" in bad and good.get("inner", {}).get("status") == 200,
                      f"{library} with {name}: would a relay {does}?", [good, bad])
        relay.does = "flip a bit of the request"
        bad = ask(library, 1)
        check(bad.get("outer", {}).get("status") == 400, f"{library}: would a relay {relay.does}?",
              bad)
    relay.does = None


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


def ours_to_theirs(node, peer):
    """Our client, their gateway. The message is written out, so that nothing of ours reads it."""
    fields = text(b"content-type") + text(b"text/plain") + text(b"x-status") + text(b"201")
    asked = (b"\0" + text(b"POST") + text(b"https") + text(b"vault.example") + text(b"/v1/echo")
             + text(fields) + text(b"forty-two") + b"\0")
    for library in LIBRARIES:
        served = node.job("serve", library=library)
        url = f"http://127.0.0.1:{served['port']}/gateway"
        for aead, name in AEADS.items():
            for times in (1, 2):
                sealed = peer.call("send", served["config"], str(aead), asked.hex())
                status, answer = post(url, sealed)
                opened = peer.call("open", answer.hex()) if status == 200 else b""
                check(opened.startswith(b"\x01\x40\xc9") and opened.endswith(text(b"forty-two") +
                                                                             b"\0")
                      and b"https://vault.example/v1/echo" in opened,
                      f"{library} serves our client with {name}, {times}", (status, answer))
            refused(peer, url, sealed, answer, f"{library}, {name}")


def refused(peer, url, sealed, answer, name):
    """Of the last exchange, changed: each end finds it."""
    status, _ = post(url, flipped(sealed, len(sealed) - 3))
    check(status == 400, f"{name}: their end refuses a changed request", status)
    for at in (0, len(answer) - 1):
        try:
            peer.call("open", flipped(answer, at).hex())
            check(False, f"{name}: our client refuses a changed answer")
        except ValueError as error:
            check(str(error) == "auth", f"{name}: our client refuses a changed answer",
                  error)


def main():
    try:
        node = Node()
    except Missing as reason:
        common.skip_all(str(reason))
    print("# " + " ".join(f"{name} {version}" for name, version in node.job("versions").items()))
    gateway = Bare(sys.argv[1])
    relay = Relay(gateway.answer)
    peer = Peer(sys.argv[1])
    try:
        theirs_to_ours(node, gateway, relay.url)
        refusals(node, gateway, relay)
        bad_relay(node, gateway, relay)
        ours_to_theirs(node, peer)
    finally:
        for part in (relay, gateway, peer, node):
            part.close()
    common.finish()


if __name__ == "__main__":
    main()
