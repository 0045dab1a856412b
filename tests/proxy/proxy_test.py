#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`caisson call` and `caisson proxy` with curl, against `caisson serve`, and what is between them.

proxy_test.py CAISSON ECHO OTHER [PART ...]. Prints TAP.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "gateway"))
from relay import Relay  # noqa: E402
from serving import Serving  # noqa: E402

CAISSON, ECHO, OTHER = (os.path.abspath(path) for path in sys.argv[1:4])
CANARY = "canary-4711-in-clear"
PARTS = sys.argv[4:] or ["calls", "calls_refused", "serves", "who_may_ask", "refuses",
                         "several_at_once", "policy_file", "rotates", "comes_back", "tls",
                         "certificates", "page"]
STATUS = "/.well-known/caisson/proxy"
COUNT = 0
FAILED = 0


def check(good, name, said=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good:
        print("# " + str(said).replace("\n", "\n# "), flush=True)


class Client:
    """Options of a client of one gateway, and what they run."""

    def __init__(self, serving, url, image=ECHO):
        self.serving = serving
        self.options = ["--gateway", url, "--credential", "app.key", "--image", image,
                        "--insecure-dev", "--root", serving.root]

    def call(self, *arguments):
        return subprocess.run([CAISSON, "call", *self.options, *arguments], timeout=60, text=True,
                              cwd=self.serving.folder, capture_output=True, check=False)

    def proxy(self, *arguments):
        return Proxy(self, arguments)


class Proxy:
    running = []

    def __init__(self, client, arguments):
        command = [CAISSON, "proxy", *client.options, "--listen", "127.0.0.1:0", "--json"]
        self.process = subprocess.Popen([*command, *arguments], cwd=client.serving.folder,
                                        text=True, stdout=subprocess.PIPE)
        self.running.append(self.process)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.told = []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def curl(self, path, *arguments):
        """(status, content)"""
        done = subprocess.run(["curl", "-sS", "--max-time", "60", "-w", "\n%{http_code}",
                               self.url + path, *arguments], timeout=90, capture_output=True,
                              check=False)
        content, _, status = done.stdout.rpartition(b"\n")
        return int(status or 0), content.decode(errors="replace")

    def status(self):
        return json.loads(self.curl(STATUS)[1])

    def wait_for(self, event):
        until = time.monotonic() + 30
        while time.monotonic() < until and not any(one["event"] == event for one in self.told):
            time.sleep(0.02)
        return [one for one in self.told if one["event"] == event]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def echo_of(proxy, text=CANARY):
    status, content = proxy.curl("/v1/echo", "-d", text, "-H", f"X-Canary: {CANARY}")
    return status == 200 and content == text, (status, content)


def configure(serving, change):
    with open(serving.path("serve.json"), encoding="utf-8") as stream:
        config = json.load(stream)
    change(config)
    with open(serving.path("serve.json"), "w", encoding="utf-8") as stream:
        json.dump(config, stream)


# ---- caisson call ----

def calls(serving, relay, client, other):
    for way in ([], ["--oblivious"], ["--once"], ["--oblivious", "--once"], ["--pad", "4096"]):
        relay.seen.clear()
        done = client.call(*way, "-d", CANARY, "-H", f"X-Canary: {CANARY}", "/v1/echo")
        check(done.returncode == 0 and done.stdout == CANARY, f"call {' '.join(way)}",
              done.stderr)
        check(relay.posts() and not relay.saw(CANARY.encode()), "nothing of it goes in clear")
    done = client.call("--json", "-d", "hello", "/v1/echo")
    told = json.loads(done.stdout)
    check(told["status"] == 200 and told["content"] == "hello" and
          told["verified"]["image"] == "echo", "call --json", done.stdout)
    done = client.call("-d", "hello", "/v1/nowhere")
    check(done.returncode == 5 and "urn:caisson:problem:path" in done.stdout,
          "call: an error status is exit 5, and its content is there", done.stderr)
    done = client.call("-X", "DELETE", "/v1/echo")
    check(done.returncode == 5 and "method" in done.stdout, "call -X DELETE", done.stderr)
    done = client.call("-X", "POST", "/v1/echo")
    check(done.returncode == 0 and done.stdout == "", "call -X POST", done.stderr)
    for bad in (["-d", "x"], ["-H", "no-colon", "/"], ["-d", "x", "no-slash"],
                ["--service", "a b", "/"], ["--purpose", "64", "/"]):
        check(client.call(*bad).returncode == 2, f"call: usage: {bad}")


def calls_refused(serving, relay, client, other):
    relay.seen.clear()
    done = other.call("-d", CANARY, "/v1/echo")
    check(done.returncode == 3 and "image.measurement" in done.stderr,
          "call: another image is exit 3, and says why", done.stderr)
    check(not relay.posts(), "and nothing was sent")
    relay.down = True
    done = client.call("-d", CANARY, "/v1/echo")
    check(done.returncode == 4, "call: no evidence is exit 4", done.stderr)
    relay.down = False

    def spoil(path, status, headers, body):
        changed = bytes([body[0] ^ 1]) + body[1:] if path == "/gateway" and body else body
        return status, headers, changed
    relay.seen.clear()
    relay.spoil = spoil
    done = client.call("--oblivious", "-d", CANARY, "/v1/echo")
    check(done.returncode == 3 and "not those of the evidence" in done.stderr,
          "call --oblivious: swapped keys are exit 3", done.stderr)
    check(not relay.posts(), "and nothing was sent")
    def elsewhere(path, status, headers, body):
        return 302, {"Location": serving.front + path}, b""
    relay.spoil = elsewhere
    done = client.call("-d", CANARY, "/v1/echo")
    check(done.returncode == 4 and "302" in done.stderr, "redirects are not followed", done.stderr)
    relay.spoil = None
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/", "http://a@127.0.0.1/",
                "http://127.0.0.1/?a=b", "nonsense://"):
        done = subprocess.run([CAISSON, "call", *client.options, "--gateway", url, "/v1/echo"],
                              cwd=serving.folder, capture_output=True, timeout=30, check=False)
        check(done.returncode == 2, f"--gateway {url} is refused", done.stderr)


# ---- caisson proxy ----

def serves(serving, relay, client, other):
    for way in ([], ["--oblivious"]):
        relay.seen.clear()
        proxy = client.proxy(*way)
        check(len(proxy.wait_for("verified")) == 1, f"proxy {' '.join(way)}: verified", proxy.told)
        for _ in range(5):
            check(*(lambda good, said: (good, "curl through it", said))(*echo_of(proxy)))
        good, said = echo_of(proxy, "x" * 40000)
        check(good, "a larger request", said)
        check(not relay.saw(CANARY.encode()), "nothing of it goes in clear")
        status, content = proxy.curl("/v1/nowhere", "-d", "x")
        check(status == 404 and "urn:caisson:problem:path" in content, "the service's no", content)
        said = proxy.curl("/v1/nowhere", "-d", "x", "-o", "/dev/null", "-w",
                          "%{content_type}\n%{http_code}")[1]
        check("application/problem+json" in said, "the service's type of content", said)
        told = proxy.status()
        check(told["state"] == "verified" and told["image"] == "echo" and
              told["appraisals"] == 1 and told["answered"] == 8, "its own state", told)
        check(proxy.stop() == 0, "SIGTERM ends it")
    relay.seen.clear()
    proxy = client.proxy()
    for _ in range(8):
        echo_of(proxy)
    sizes = [len(one[3]) for one in relay.posts()]
    check(len(sizes) == 8 and len(set(sizes[1:])) == 1 and sizes[0] > sizes[1] + 300,
          "one key exchange, then the short form", sizes)
    proxy.stop()


def who_may_ask(serving, relay, client, other):
    proxy = client.proxy()
    for header, status in (("Origin: http://evil.example", 403), ("Origin: null", 403),
                           ("Host: evil.example", 403), ("Host: localhost.evil.example", 403),
                           ("Host: 127.0.0.1.evil.example:80", 403), ("Host: localhost:1", 200),
                           ("Sec-Fetch-Site: cross-site", 403),
                           ("Sec-Fetch-Site: same-site", 403), ("Sec-Fetch-Site: none", 200),
                           ("Sec-Fetch-Mode: cors", 200)):
        got = proxy.curl("/v1/echo", "-d", "x", "-H", header)
        check(got[0] == status, f"{header}: {status}", got)
    check(proxy.curl("/v1/echo", "-d", "x" * 70000)[0] == 413, "too large: 413")
    check(proxy.curl("/v1/echo", "-X", "PUT", "-d", "x")[0] == 405, "other methods: 405")
    got = proxy.curl("/v1/echo", "-d", "x", "--http2-prior-knowledge")
    check(got == (200, "x"), "HTTP/2 on the listener, too", got)
    proxy.stop()
    for address in ("0.0.0.0:0", "192.0.2.1:80", "nonsense", "127.0.0.1:70000"):
        done = subprocess.run([CAISSON, "proxy", *client.options, "--listen", address], timeout=30,
                              cwd=client.serving.folder, capture_output=True, check=False)
        check(done.returncode == 2 and (b"acts with its credential" in done.stderr or
                                        address in ("nonsense", "127.0.0.1:70000")),
              f"--listen {address} is refused", done.stderr)


def refuses(serving, relay, client, other):
    relay.seen.clear()
    proxy = other.proxy()
    proxy.wait_for("invalid")
    status, content = proxy.curl("/v1/echo", "-d", CANARY)
    problem = json.loads(content)
    check(status == 502 and problem["type"] == "urn:caisson:problem:evidence-invalid" and
          "image.measurement" in problem["detail"], "another image: 502, with the reason", content)
    check(not relay.posts() and proxy.status()["state"] == "refused", "and nothing was sent")
    proxy.stop()
    proxy = client.proxy()
    echo_of(proxy)

    def flip(path, status, headers, body):
        return status, headers, body[:-1] + bytes([body[-1] ^ 1]) if "/records" in path else body
    relay.spoil = flip
    status, content = proxy.curl("/v1/echo", "-d", CANARY)
    relay.spoil = None
    check(status == 502 and "answer-not-authentic" in content, "a changed answer: 502", content)
    good, said = echo_of(proxy)
    check(good, "and the next one is well", said)
    proxy.stop()
    proxy = client.proxy("--once")
    echo_of(proxy)
    relay.seen.clear()

    def lose(path, status, headers, body):
        raise ConnectionError
    relay.spoil = lose
    status, content = proxy.curl("/v1/echo", "-d", CANARY)
    relay.spoil = None
    sealed = {one[3] for one in relay.posts()}
    check(status == 502 and json.loads(content).get("maybe_served") is True and len(sealed) == 1,
          "--once, and the answer lost: 502, maybe served, sealed once", (content, len(sealed)))
    proxy.stop()


def several_at_once(serving, relay, client, other):
    proxy = client.proxy()
    wrong = []

    def work(number):
        for i in range(10):
            text = f"{number}-{i}-" + "y" * (number * 50)
            good, said = echo_of(proxy, text)
            if not good:
                wrong.append(said)
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = proxy.status()
    check(not wrong and told["answered"] == 80, "eight clients at once, each its own answers",
          (wrong[:2], told))
    proxy.stop()


def policy_file(serving, relay, client, other):
    """The policy as a file; and the example that brings a transport of its own."""
    measured = serving.run("measure", ECHO).split()[-1]
    for name, digest in (("good.toml", measured), ("bad.toml", "00" * 48)):
        with open(serving.path(name), "w", encoding="utf-8") as stream:
            stream.write(f'version = 1\nformats = ["caisson"]\n[caisson]\n'
                         f'measurements = ["{digest}"]\nplatforms = ["software"]\n'
                         f'insecure_dev = true\nsoftware_roots = ["{serving.root}"]\n')
    options = ["--gateway", serving.front, "--credential", "app.key"]
    example = os.path.join(os.path.dirname(CAISSON), "examples", "own_transport")
    port = serving.front.rsplit(":", 1)[1]
    for name, code in (("good.toml", 0), ("bad.toml", 3)):
        done = subprocess.run([CAISSON, "call", *options, "--policy", name, "-d", "x", "/v1/echo"],
                              cwd=serving.folder, capture_output=True, timeout=60, check=False)
        check(done.returncode == code, f"call --policy {name}: exit {code}", done.stderr)
        done = subprocess.run([example, port, "app.key", name, "/v1/echo", "hello"], text=True,
                              cwd=serving.folder, capture_output=True, timeout=60, check=False)
        said = done.stdout if code == 0 else done.stderr
        check(done.returncode == (code != 0) and ("hello" if code == 0 else "image.measurement")
              in said, f"own_transport with {name}", said)


def grant_next(serving):
    """The next instance takes its grant once it is there; the one before has had it."""
    until = time.monotonic() + 40
    while True:
        try:
            return serving.grant()
        except AssertionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def rotates(serving, relay, client, other):
    """New keys under way; each request gets its answer."""
    for way in ([], ["--oblivious"]):
        proxy = client.proxy(*way)
        echo_of(proxy)
        wrong = []
        stop = threading.Event()

        def work():
            while not stop.is_set():
                good, said = echo_of(proxy)
                if not good:
                    wrong.append(said)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        serving.process.send_signal(signal.SIGUSR1)
        grant_next(serving)
        until = time.monotonic() + 40
        while proxy.status().get("changes", 0) == 0 and time.monotonic() < until:
            time.sleep(0.2)
        stop.set()
        thread.join()
        told = proxy.status()
        check(not wrong and told.get("changes") == 1, f"rotation {' '.join(way)}: verified anew, "
              "and no request lost", (wrong[:3], told))
        proxy.stop()


def comes_back(serving, relay, client, other):
    """The gateway dies, and comes again as another boot on another port."""
    proxy = client.proxy("--timeout", "5")
    echo_of(proxy)
    serving.process.kill()
    serving.process.communicate()
    status, content = proxy.curl("/v1/echo", "-d", "x")
    check(status in (502, 503), "gateway gone: 502 or 503", content)
    serving.start()
    relay.gateway = serving.front
    time.sleep(0.5)
    status, content = proxy.curl("/v1/echo", "-d", "x")
    check(status in (502, 503) and json.loads(content)["detail"], "no grant yet: it says so",
          content)
    serving.grant()
    time.sleep(1.2)
    good, said = echo_of(proxy)
    told = proxy.status()
    check(good and told["changes"] == 1, "another boot: verified anew, and well", (said, told))
    proxy.stop()


def certificates(serving, relay, client, other):
    """A gateway whose certificate the system trusts, in a mount namespace; without --ca, and with
    that of another, in whose place the system's does not count."""
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        print("# skipped: no mount namespace here", flush=True)
        return
    secure = serve_tls(serving)
    serving.certificate("other")
    named = subprocess.run(["openssl", "x509", "-noout", "-hash", "-in", "tls.crt"], text=True,
                           cwd=serving.folder, check=True, capture_output=True).stdout.strip()
    os.makedirs(serving.path("trusted"))
    for name in (named + ".0", "ca-certificates.crt"):
        shutil.copy(serving.path("tls.crt"), serving.path("trusted/" + name))
    script = 'mount --bind trusted /etc/ssl/certs && exec "$@"'
    for more, expected in (([], 0), (["--ca", "other.crt"], 4)):
        done = subprocess.run([*alone, "sh", "-c", script, "sh", CAISSON, "call", *secure.options,
                               *more, "-d", "hello", "/v1/echo"], timeout=60, text=True,
                              cwd=serving.folder, capture_output=True, check=False)
        check(done.returncode == expected and (expected == 0 or "ertificate" in done.stderr),
              f"the system trusts it: exit {expected} {' '.join(more)}", done.stderr)


def serve_tls(serving):
    """Another listener; once."""
    if not os.path.exists(serving.path("tls.crt")):
        serving.certificate("tls")
        configure(serving, lambda config: config["listeners"].append(
            {"port": 0, "certificate": "tls.crt", "key": "tls.key"}))
        serving.process.send_signal(signal.SIGTERM)
        serving.process.communicate()
        serving.start()
        serving.grant()
    return Client(serving, f"https://127.0.0.1:{serving.said['listeners'][1]['port']}")


def tls(serving, relay, client, other):
    secure = serve_tls(serving)
    done = secure.call("--ca", "tls.crt", "-d", "hello", "/v1/echo")
    check(done.returncode == 0 and done.stdout == "hello", "over TLS", done.stderr)
    done = secure.call("-d", "hello", "/v1/echo")
    check(done.returncode == 4 and "ertificate" in done.stderr, "a certificate of nobody: exit 4",
          done.stderr)
    proxy = secure.proxy("--ca", "tls.crt")
    echo_of(proxy)
    wrong = []
    threads = [threading.Thread(target=lambda: wrong.extend(
        [] if echo_of(proxy)[0] else ["no"]), daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not wrong, "sixteen at once over one HTTP/2 connection")
    proxy.stop()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def page(serving, relay, client, other):
    """What docs/PROXY.md tells a newcomer to type."""
    path = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "PROXY.md")
    with open(path, encoding="utf-8") as stream:
        text = stream.read().split("```sh\n")[1].split("```")[0]
    for port in ("8080", "9090", "8390"):
        text = text.replace(port, str(free_port()))
    os.symlink(os.path.dirname(CAISSON), serving.path("build"))
    done = subprocess.Popen(["bash", "-e", "-c", text + "\nkill %2 %1; wait"], text=True,
                            cwd=serving.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)
    try:
        said, wrong = done.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(done.pid, signal.SIGKILL)
        said, wrong = done.communicate()
    check(said.count("hello") == 2 and said.endswith("hello"), "docs/PROXY.md does as it says",
          said + wrong)


def main():
    if shutil.which("curl") is None:
        print("1..0 # SKIP no curl")
        return 0
    serving = Serving(CAISSON, ECHO)
    configure(serving, lambda config: config["services"][0].update(overlap_s=2))
    relay = None
    try:
        serving.run("keygen", "producer", "--tenant", "tenant.key", "--requests", "app.key")
        serving.start()
        serving.grant()
        relay = Relay(serving.front)
        client = Client(serving, relay.url)
        other = Client(serving, relay.url, OTHER)
        for part in PARTS:
            globals()[part](serving, relay, client, other)
    finally:
        for process in Proxy.running:
            process.kill()
            process.wait()
        if relay is not None:
            relay.stop()
        serving.stop()
    print(f"1..{COUNT}")
    return 1 if FAILED else 0 if COUNT else 77


if __name__ == "__main__":
    sys.exit(main())
