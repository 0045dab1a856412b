#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Oblivious HTTP with clients that others wrote: Firefox's own, and two HPKE libraries with a
Binary HTTP library from npm. What a relay in between may not do, the client must find. Prints TAP.

    test_oblivious.py PEER|INSIDE npm|firefox|pages      peer.c (npm: both ways) or inside.c
    test_oblivious.py CAISSON npm|firefox|pages ECHO TOKENIZE POLICY    caisson serve, two services
"""
import http.client
import os
import sys
from urllib.parse import urlsplit

sys.dont_write_bytecode = True
import common  # noqa: E402
from common import AEADS, Bare, Missing, Peer, Relay, check, flipped, only  # noqa: E402
from firefox import Firefox, installed  # noqa: E402
from packages import Library, Node, install  # noqa: E402
from pages import Chromium, Page, PageRelay, chromium  # noqa: E402
from served import Served  # noqa: E402

TYPE = "application/octet-stream"
MISUSES = ("flip a bit of the answer", "cut the answer short",
           "give the answer of another request")


def message(token, path, body=b'{"pan":"4111111111111111"}', **more):
    return {"method": "POST", "url": "https://vault.example" + path, "body": body.hex(),
            "headers": {"content-type": TYPE, "authorization": token, **more}}


def ask(client, relay, aead=1, config=None, service="", **what):
    gateway = relay.gateway
    what = {"token": gateway.token, "path": gateway.echo, **what}
    return client.request(relay.url + service, aead, config or only(gateway.keys(service), aead),
                          message(**what))


def inner(done):
    """The status inside the seal, if there was one."""
    return done.get("inner", {}).get("status")


def completes(client, relay):
    """Requests in sequence, with every AEAD, of several sizes."""
    for aead, name in AEADS.items():
        for size in relay.gateway.sizes:
            body = bytes(i * 7 % 251 for i in range(size))
            done = ask(client, relay, aead, body=body)
            check(inner(done) == 200 and done["inner"]["body"] == body.hex()
                  and done["inner"]["headers"]["content-type"] == TYPE,
                  f"{client.name} with {name}: {size} bytes come back", done)
        done = ask(client, relay, aead, relay.gateway.keys()[2:])
        check(inner(done) == 200, f"{client.name} with {name}: a configuration of three suites",
              done)


def refusals(client, relay):
    """What is refused inside the seal, and what before it."""
    def inside(name, status, **what):
        relay.seen.clear()
        done = ask(client, relay, **what)
        check(inner(done) == status, f"{client.name}: {name}", done)
        check(relay.seen == [(200, "message/ohttp-res")], "of which a relay sees nothing",
              relay.seen)

    token = relay.gateway.token
    service, path = relay.gateway.typed
    inside("a wrong token", 401, token=token[:-1] + ("A" if token[-1] != "A" else "B"))
    inside("no such route", 404, path="/v1/nothing")
    inside("another media type", 415, service=service, path=path, **{"content-type": "text/html"})
    config = only(relay.gateway.keys(), 1)
    done = ask(client, relay, config=flipped(config, 0))
    is_key_problem(client, "another key id", done)
    done = ask(client, relay, config=flipped(config, 10))
    outer = done.get("outer", {})
    check(outer.get("status") == 400 and outer["type"] == "application/problem+json"
          and common.KEY_PROBLEM not in outer["body"], f"{client.name}: a bit of the public key",
          done)


def is_key_problem(client, name, done):
    outer = done.get("outer", {})
    check(outer.get("status") == 400 and outer["type"] == "application/problem+json"
          and common.KEY_PROBLEM in outer["body"],
          f"{client.name}: {name}: the problem that says so", done)


def bad_relay(client, relay):
    for aead, name in AEADS.items():
        for does in MISUSES:
            good = ask(client, relay, aead)
            relay.does = does
            bad = ask(client, relay, aead)
            relay.does = None
            check("error" in bad and inner(bad) is None and inner(good) == 200,
                  f"{client.name} with {name}: would a relay {does}?", [good, bad])
    relay.does = "flip a bit of the request"
    bad = ask(client, relay)
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


CARD = (b'{"id":"a1","card":{"pan":"4111111111111111","expiry":"12/30","holder":"Ada Lovelace"},'
        b'"amount":12}')


def other_token(client, relay):
    done = ask(client, relay, token=relay.gateway.token_without_right)
    check(inner(done) == 403, f"{client.name}: a token whose credential has no such right", done)


def without_a_relay(firefox, gateway):
    """Its channel to the gateway itself, over TLS: it takes HTTP/2."""
    def straight():
        return firefox.request(gateway.secure + "/gateway", 1, only(gateway.keys(), 1),
                               message(gateway.token, gateway.echo))
    done = straight()
    check("error" in done and not done["outer"], "Firefox: not to a server that nobody certified",
          done)
    firefox.trust(gateway.path("ca.crt"))
    done = straight()
    check(inner(done) == 200 and done["outer"]["protocol"] == "h2",
          "Firefox: over HTTP/2 and TLS, without a relay", done)


def behind_a_gateway(client, relay):
    """What only a gateway with enclaves has."""
    done = ask(client, relay, service="/tokenize", path="/v1/tokenize", body=CARD,
               **{"content-type": "application/json"})
    text_of = bytes.fromhex(done.get("inner", {}).get("body", ""))
    check(inner(done) == 200 and b'"a1"' in text_of and b"4111111111111111" not in text_of
          and b"Lovelace" not in text_of, f"{client.name}: a card is tokenized", done)
    other_token(client, relay)
    config = only(relay.gateway.keys("/tokenize"), 1)
    if config[0] != relay.gateway.keys()[2]:  # ids are one byte
        done = ask(client, relay, config=config)
        is_key_problem(client, "the key of another service", done)


def retired(client, relay):
    """Keys change: those of before are good for a while, and then the client is told to look."""
    before = relay.gateway.rotate()
    done = ask(client, relay, config=only(before, 1))
    check(inner(done) == 200, f"{client.name}: a key that was just replaced", done)
    check(inner(ask(client, relay)) == 200, f"{client.name}: its successor")
    relay.gateway.forget(before)
    done = ask(client, relay, config=only(before, 1))
    is_key_problem(client, "a retired key", done)
    check(inner(ask(client, relay)) == 200, f"{client.name}: the key that is published instead")


def elsewhere(page, relay):
    """A browser lets a page post to its own origin; the gateway allows no other."""
    gateway = relay.gateway
    done = page.request(gateway.url, 1, only(gateway.keys(), 1),
                        message(gateway.token, gateway.echo))
    check(done.get("error", "").startswith("TypeError"), f"{page.name}: not from elsewhere", done)


def pages(gateway, closing):
    """A page in each browser that is here, with a relay of its own; (client, relay) of each."""
    made = []
    if installed() is None and chromium() is None:
        raise Missing("neither firefox-esr nor chromium is installed")
    modules = install()
    for browser, library in (("Chromium", "@hpke/core"), ("Firefox", "hpke")):
        if (installed if browser == "Firefox" else chromium)() is None:
            common.skip(f"a page in {browser}", "is not installed")
            continue
        folder = closing(common.Scratch()).folder
        relay = closing(PageRelay(gateway, modules))
        origin = relay.url.removesuffix("gateway")
        if browser == "Firefox":
            program = closing(Firefox(folder))
            program.show(origin)
        else:
            program = closing(Chromium(folder, origin))
        print(f"# {browser} {program.version}")
        made.append((Page(relay, browser, library), relay))
    return made


def clients(who, gateway, closing):
    """(client, relay between it and the gateway) of each."""
    if who == "pages":
        return pages(gateway, closing)
    if who == "firefox":
        if installed() is None:
            raise Missing("firefox-esr is not installed")
        firefox = closing(Firefox(closing(common.Scratch()).folder))
        print(f"# Firefox {firefox.version}")
        return [(firefox, closing(Relay(gateway)))]
    node = closing(Node())
    print("# " + " ".join(f"{name} {version}" for name, version in node.job("versions").items()))
    relay = closing(Relay(gateway))
    return [(Library(node, name), relay) for name in ("hpke", "@hpke/core")]


def run(closing):
    program, who, *images = sys.argv[1], sys.argv[2], *sys.argv[3:]
    gateway = closing(Served(program, *images) if images else Bare(os.path.abspath(program)))
    made = clients(who, gateway, closing)
    for client, relay in made:
        completes(client, relay)
        refusals(client, relay)
        bad_relay(client, relay)
        if who == "pages":
            elsewhere(client, relay)
        if images and who == "firefox":
            without_a_relay(client, gateway)
        if images:
            behind_a_gateway(client, relay)
        elif gateway.token_without_right:
            other_token(client, relay)
        elif who == "npm":
            ours_to_theirs(client, closing(Peer(os.path.abspath(program))))
    for client, relay in made if images else []:
        retired(client, relay)


if __name__ == "__main__":
    common.main(run)
