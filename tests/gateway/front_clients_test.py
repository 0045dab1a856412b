#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The front by clients that others wrote, and by crowds of bad ones beside good ones.

    front_clients_test.py FRONT_SERVER [--long] [PART ...]

Prints TAP. A client that is not installed is skipped, with a count.
"""
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "clients"))
import packages  # noqa: E402  pylint: disable=wrong-import-position

SERVER = os.path.abspath(sys.argv[1])
LONG = "--long" in sys.argv
PARTS = [a for a in sys.argv[2:] if not a.startswith("--")]
COUNT = 0
FAILED = 0


def check(good, name, said=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good:
        print("# " + str(said)[-2000:].replace("\n", "\n# "))
    return good


def skip(name, why):
    global COUNT
    COUNT += 1
    print(f"ok {COUNT} {name} # SKIP {why}", flush=True)


def have(name, program):
    if shutil.which(program) is None:
        skip(name, f"{program} is not installed")
        return False
    return True


def run(command, timeout=60, **more):
    return subprocess.run(command, capture_output=True, timeout=timeout, check=False, **more)


class Server:
    """front_server with limits; its folder has a certificate."""

    def __init__(self, folder, **limits):
        self.folder = folder
        self.process = subprocess.Popen(
            [SERVER, "--certificate", f"{folder}/c.pem", "--key", f"{folder}/k.pem"] +
            [f"{name}={value}" for name, value in limits.items()],
            stdout=subprocess.PIPE, text=True)
        ports = {}
        while True:
            line = self.process.stdout.readline()
            if line in ("ready\n", ""):
                break
            name, port = line.split()
            ports[name] = int(port)
        self.cleartext, self.tls = ports["cleartext"], ports["tls"]
        self.clear_url = f"http://127.0.0.1:{self.cleartext}"
        self.tls_url = f"https://localhost:{self.tls}"

    def counters(self):
        with connect(self.cleartext) as sock:
            text = exchange(sock, b"GET /counters HTTP/1.1\r\nHost: h\r\n\r\n").decode()
        return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.M)}

    def memory(self):
        """Private bytes of the process."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as stream:
            return 1024 * sum(int(n) for n in re.findall(r"Private_\w+: +(\d+)", stream.read()))

    def stop(self, name):
        """It drains, and each request that began has one end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            out, _ = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
        good = self.process.returncode == 0 and " open 0 streams 0" in out
        check(good, f"{name}: drained, each request has one end",
              f"{self.process.returncode} {out}")


def connect(port, timeout=20):
    sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def exchange(sock, request):
    """Sends a request; the body of its answer, which has a length."""
    sock.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            raise ConnectionError(data)
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    size = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    while len(body) < size:
        part = sock.recv(65536)
        if not part:
            raise ConnectionError(data)
        body += part
    return body


def is_served(server):
    """A client that comes now gets its answer."""
    with connect(server.cleartext) as sock:
        return exchange(sock, b"GET /bytes?5 HTTP/1.1\r\nHost: h\r\n\r\n") == b"abcde"


def make_certificate(folder, name="localhost"):
    done = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/k.pem", "-out",
                f"{folder}/c.pem", "-days", "2", "-subj", f"/CN={name}", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1"])
    return done.returncode == 0


# ---- clients ----

def part_curl(folder):
    if not have("curl", "curl"):
        return
    server = Server(folder)
    bodies = {}
    for size in (0, 1024, 3000000):
        bodies[size] = f"{folder}/{size}"
        with open(bodies[size], "wb") as stream:
            stream.write(os.urandom(size))
    ways = {"HTTP/1.1": ["--http1.1", server.clear_url],
            "HTTP/2": ["--http2-prior-knowledge", server.clear_url],
            "HTTP/1.1 over TLS": ["--http1.1", server.tls_url],
            "HTTP/2 over TLS": ["--http2", server.tls_url]}

    def curl(way, path, *arguments):
        return run(["curl", "-sS", "--cacert", f"{folder}/c.pem", *arguments, ways[way][0],
                    ways[way][1] + path])

    for way in ways:
        said = curl(way, "/fields?a=b").stdout.decode()
        wanted = f"http {2 if '/2' in way else 1} tls {1 if 'TLS' in way else 0}"
        check("GET /fields ? a=b host" in said and wanted in said, f"{way}: fields", said)
        for size, path in bodies.items():
            for more in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]):
                done = curl(way, "/echo", *more, "--data-binary", f"@{path}")
                with open(path, "rb") as stream:
                    good = done.returncode == 0 and done.stdout == stream.read()
                check(good, f"{way}: echo of {size} {more[-1:]}", done.stderr)
        pattern = bytes(ord("a") + i % 26 for i in range(1700000))
        check(curl(way, "/bytes?1700000").stdout == pattern, f"{way}: a large answer")
        check(curl(way, "/stream?5500").stdout == pattern[:5500], f"{way}: an answer in pieces")
        check(len(curl(way, "/flood?9000000").stdout) == 9000000, f"{way}: many pieces at once")
        check(curl(way, "/later?30").stdout == b"later", f"{way}: an answer that comes later")
        done = curl(way, "/broken?3000")
        check(done.returncode in (18, 92) and done.stdout == pattern[:3000],
              f"{way}: an answer that breaks off is known to", done)
        code = ["-o", "/dev/null", "-w", "%{http_code} %{content_type}"]
        for path, wanted, more in (("/none", "404", []), ("/illegal", "500", []),
                                   ("/refused", "403", ["-d", "x"]),
                                   ("/tight", "413", ["--data-binary", f"@{bodies[3000000]}"])):
            said = curl(way, path, *code, *more).stdout.decode()
            check(said.startswith(wanted), f"{way}: {path} is {wanted}", said)
    server.stop("curl")


def part_nghttp(folder):
    server = Server(folder)
    if have("nghttp", "nghttp"):
        done = run(["nghttp", f"{server.clear_url}/bytes?100", f"{server.clear_url}/bytes?26"])
        check(sorted(done.stdout) == sorted((b"abcdefghijklmnopqrstuvwxyz" * 5)[:100] +
                                            b"abcdefghijklmnopqrstuvwxyz"),
              "nghttp: two requests on a connection", done)
        with open(f"{folder}/body", "wb") as stream:
            stream.write(os.urandom(200000))
        for url in (server.clear_url, server.tls_url):
            for more in ([], ["--trailer", "a: b"], ["--expect-continue"], ["-p", "100"]):
                done = run(["nghttp", "-y", *more, "-d", f"{folder}/body", f"{url}/echo"])
                with open(f"{folder}/body", "rb") as stream:
                    check(done.stdout == stream.read(), f"nghttp: echo {url[:5]} {more}",
                          done.stderr)
    if have("h2load", "h2load"):
        count = 200000 if LONG else 20000
        with open(f"{folder}/body", "wb") as stream:
            stream.write(os.urandom(1024))
        for name, arguments, url in (("HTTP/2", ["-m", "32"], server.clear_url),
                                     ("HTTP/2 over TLS", ["-m", "32"], server.tls_url),
                                     ("HTTP/1.1", ["--h1"], server.clear_url)):
            said = run(["h2load", "-n", str(count), "-c", "10", *arguments, "-d",
                        f"{folder}/body", f"{url}/echo"], 300).stdout.decode()
            good = f"{count} succeeded, 0 failed, 0 errored" in said and f"{count} 2xx" in said \
                and f"({count * 1024}) data" in said
            check(good, f"h2load: {count} echoes by {name}", said)
    server.stop("nghttp, h2load")


WRK = """
local wrong = 0
request = function() return wrk.format("GET", "/bytes?1040") end
local wanted = string.rep("abcdefghijklmnopqrstuvwxyz", 40)
response = function(status, headers, body)
  if status ~= 200 or body ~= wanted then wrong = wrong + 1; print("wrong answer") end
end
"""


def part_wrk(folder):
    if not have("wrk", "wrk"):
        return
    server = Server(folder)
    with open(f"{folder}/check.lua", "w", encoding="ascii") as stream:
        stream.write(WRK)
    for url in (server.clear_url, server.tls_url):
        said = run(["wrk", "-t", "1", "-c", "20", "-d", "10" if LONG else "1", "-s",
                    f"{folder}/check.lua", url]).stdout.decode()
        found = re.search(r"(\d+) requests in", said)
        check(found and int(found.group(1)) > 100 and "wrong" not in said
              and "Non-2xx" not in said and "Socket errors" not in said,
              f"wrk {url[:5]}: each body is right", said)
    server.stop("wrk")


def part_node(folder):
    if not have("node", "node"):
        return
    try:
        modules, why = os.path.join(packages.install(), "node_modules"), None
    except packages.Missing as reason:
        modules, why = None, str(reason)
    server = Server(folder)
    done = run(["node", f"{HERE}/front_clients.mjs", str(server.cleartext), str(server.tls),
                f"{folder}/c.pem"] + ([modules] if modules else []), 120)
    lines = done.stdout.decode().splitlines()
    for line in lines:
        if line.startswith(("ok ", "not ok ")):
            check(line.startswith("ok "), line.split("ok ", 1)[1])
    check(done.returncode == 0 and lines and lines[-1].endswith(" checks"), "node came to its end",
          done.stderr.decode())
    if not modules:
        skip("undici", why)
    server.stop("node")


# ---- TLS ----

def tls_context(folder):
    context = ssl.create_default_context(cafile=f"{folder}/c.pem")
    return context


def part_tls(folder):
    server = Server(folder)

    def shake(change, alpn=None):
        """(version, cipher, protocol, session reused, serial), or the error's text."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        try:
            change(context)
            with connect(server.tls) as raw, context.wrap_socket(raw) as sock:
                body = None
                if sock.selected_alpn_protocol() != "h2":
                    body = exchange(sock, b"GET /bytes?3 HTTP/1.1\r\nHost: h\r\n\r\n")
                return (sock.version(), sock.cipher()[0], sock.selected_alpn_protocol(),
                        sock.session.has_ticket if sock.session else False, body,
                        sock.getpeercert(True))
        except (ssl.SSLError, ConnectionError, OSError) as error:
            return str(error)

    def only(version):
        def change(context):
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        return change

    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        said = shake(only(version))
        check(isinstance(said, str), f"{version.name} is refused", said)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        said = shake(only(version))
        check(said[4] == b"abc" and not said[3], f"{version.name} without a ticket", said)
    for name in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
                 "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"):
        def change(context, name=name):
            context.set_ciphers(name + ":@SECLEVEL=0")
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        said = shake(change)
        wanted = name.startswith("ECDHE") and ("GCM" in name or "CHACHA" in name)
        check((said[1] == name) if wanted else isinstance(said, str),
              f"{name} is {'taken' if wanted else 'refused'}", said)
    for offered, wanted in ((["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"),
                            (["http/1.1"], "http/1.1"), (None, None)):
        said = shake(lambda context: None, offered)
        check(not isinstance(said, str) and said[2] == wanted, f"ALPN {offered}: {wanted}", said)
    check(isinstance(shake(lambda context: None, ["spdy/1"]), str), "ALPN of strangers is refused")
    with connect(server.tls) as sock: # cleartext to the TLS port
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        said = sock.recv(100)
        check(not said.startswith(b"HTTP"), "cleartext to the TLS port gets no answer", said)
    check(server.counters()["tls_failed"] >= 6, "failed handshakes are counted")
    reload_certificate(server, shake)
    server.stop("TLS")


def reload_certificate(server, shake):
    """New connections get the new certificate, old ones go on, and a bad one changes nothing."""
    folder = server.folder
    context = tls_context(folder)
    with context.wrap_socket(connect(server.tls), server_hostname="localhost") as old:
        before = shake(lambda context: None)[5]
        os.rename(f"{folder}/c.pem", f"{folder}/old.pem")
        make_certificate(folder)
        server.process.send_signal(signal.SIGHUP)
        said = server.process.stdout.readline()
        check(said == "reload ok\n", "the certificate is read again", said)
        after = shake(lambda context: None)[5]
        check(before != after, "a new connection gets the new one")
        body = exchange(old, b"GET /bytes?3 HTTP/1.1\r\nHost: h\r\n\r\n")
        check(body == b"abc", "an old connection goes on", body)
    with open(f"{folder}/c.pem", "w", encoding="ascii") as stream:
        stream.write("no certificate\n")
    server.process.send_signal(signal.SIGHUP)
    said = server.process.stdout.readline()
    check(said.startswith("reload format: certificate "), "a bad certificate is refused", said)
    check(shake(lambda context: None)[5] == after, "and the one before is still in use")
    make_certificate(folder)


# ---- crowds ----

def crowd(port, count, first):
    """So many connections, each of which has sent its first bytes."""
    socks = []
    for _ in range(count):
        sock = connect(port)
        sock.sendall(first)
        socks.append(sock)
    return socks


def closed_of(socks):
    """How many of them the server has closed."""
    closed = 0
    for sock in socks:
        sock.setblocking(False)
        try:
            while True:
                if not sock.recv(4096):
                    closed += 1
                    break
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
    return closed


def wait_until(ready, seconds=20):
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        time.sleep(0.05)
    return ready()


def drip(socks, stop):
    while not stop.wait(0.1):
        for sock in socks:
            try:
                sock.send(b"X")
            except OSError:
                pass


def part_slow(folder):
    """Slowloris, with heads and with bodies: others are served, and then they are closed."""
    count = 1000 if LONG else 300
    for name, first, limits in (
            ("heads", b"POST /echo HTTP/1.1\r\nHost: h\r\nX-", {"head_ns": 1000000000}),
            ("bodies", b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n",
             {"body_ns": 1000000000})):
        server = Server(folder, **limits)
        socks = crowd(server.cleartext, count, first)
        stop = threading.Event()
        dripping = threading.Thread(target=drip, args=(socks, stop))
        dripping.start()
        served = all(is_served(server) for _ in range(20))
        check(served, f"slow {name}: others are served beside {count} of them")
        wait_until(lambda: server.counters()["slow_closed"] >= count)
        stop.set()
        dripping.join()
        counters = server.counters()
        check(counters["slow_closed"] == count, f"slow {name}: all are closed", counters)
        for sock in socks:
            sock.close()
        server.stop(f"slow {name}")


def part_flood(folder):
    """More connections than the table holds: who has a request keeps it, who comes is served."""
    server = Server(folder, connections_max=100, connections_client_max=10000)
    busy = connect(server.cleartext)
    busy.sendall(b"GET /later?2000 HTTP/1.1\r\nHost: h\r\n\r\n")
    socks = crowd(server.cleartext, 500, b"GET /bytes?1 HTTP/1.1\r\nHost: h\r\n\r\n")
    check(all(is_served(server) for _ in range(20)), "flood: others are served")
    counters = server.counters()
    check(counters["open"] <= 100 and counters["refused"] >= 400, "flood: the table is full",
          counters)
    data = busy.recv(4096)
    check(data.endswith(b"later"), "flood: who has a request keeps it", data)
    for sock in socks + [busy]:
        sock.close()
    server.stop("flood")


HTTP1 = b"GET /bytes?1 HTTP/1.1\r\nHost: h\r\n\r\n"
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0" + \
    b"\0\0\x0f\1\5\0\0\0\1\x82\x86\x41\x01h\x04\x08/bytes?1"


def idle_one(server, kind, context):
    sock = connect(server.tls if "TLS" in kind else server.cleartext)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname="localhost")
    sock.sendall(HTTP2 if "HTTP/2" in kind else HTTP1)
    data = sock.recv(4096)
    while "HTTP/2" in kind and len(data) < 110:
        data += sock.recv(4096)
    return sock


def part_idle(folder):
    """Many who have asked once and stay: what each costs is printed, and others are served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = max(hard - 200, 100)
    for kind, count, bound in (("HTTP/1.1", 10000 if LONG else 1000, 2048),
                               ("HTTP/2", 2000 if LONG else 200, 65536),
                               ("HTTP/1.1 over TLS", 2000 if LONG else 200, 65536),
                               ("HTTP/2 over TLS", 2000 if LONG else 200, 131072)):
        if count > room:
            print(f"# {count} connections are more than this process may have: {room}")
            count = room
        server = Server(folder, connections_client_max=100000, idle_ns=600000000000)
        context = None
        if "TLS" in kind:
            context = tls_context(folder)
            context.set_alpn_protocols(["h2" if "HTTP/2" in kind else "http/1.1"])
        socks = [idle_one(server, kind, context) for _ in range(20)]
        before = server.memory()
        socks += [idle_one(server, kind, context) for _ in range(count)]
        each = (server.memory() - before) / count
        counters = server.counters()
        print(f"# {kind}: {count} idle connections, {each:,.0f} bytes each")
        check(counters["open"] == count + 21 and counters["connections_max"] >= count,
              f"{kind}: {count} connections are open", counters)
        check(each < bound, f"{kind}: each costs less than {bound} bytes", each)
        check(all(is_served(server) for _ in range(20)), f"{kind}: others are served")
        for sock in socks:
            sock.close()
        check(wait_until(lambda s=server: s.counters()["open"] == 1), f"{kind}: all have gone")
        server.stop(f"idle {kind}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


ALL = {"curl": part_curl, "nghttp": part_nghttp, "wrk": part_wrk, "node": part_node,
       "tls": part_tls, "slow": part_slow, "flood": part_flood, "idle": part_idle}


def main():
    if shutil.which("openssl") is None:
        print("1..0 # SKIP openssl is not installed")
        return int(os.environ.get("CAISSON_SKIP_STATUS", "0"))
    for part in PARTS or ALL:
        with tempfile.TemporaryDirectory() as folder:
            make_certificate(folder)
            ALL[part](folder)
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
