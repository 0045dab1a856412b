#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command from key to opened record, on both backends by name. Prints TAP."""
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

CAISSON, ECHO = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
COUNT = 0
FAILED = 0


def check(good, name, skip=None):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}" + (f" # SKIP {skip}" if skip else ""),
          flush=True)


def call(*arguments):
    return subprocess.run([CAISSON, *arguments], capture_output=True, timeout=30, check=False)


def expect(code, name, *arguments):
    done = call(*arguments)
    if done.returncode != code:
        print(f"# exit {done.returncode}, not {code}: {done.stderr.decode(errors='replace')}")
    check(done.returncode == code, name)
    return done


def flip(source, target, at):
    with open(source, "rb") as stream:
        data = bytearray(stream.read())
    data[at] ^= 1
    with open(target, "wb") as stream:
        stream.write(data)


def write(path, data):
    with open(path, "wb") as stream:
        stream.write(data)


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def keys():
    """Key files of two tenants; what is public about them."""
    public = {}
    for kind in ("signer", "root", "tenant"):
        public[kind] = call("keygen", kind, kind + ".key").stdout.decode().strip()
    public["other"] = call("keygen", "tenant", "other.key").stdout.decode().strip()
    expect(1, "keygen does not overwrite", "keygen", "tenant", "tenant.key")
    check(os.stat("tenant.key").st_mode & 0o777 == 0o600, "a secret file is 0600")
    expect(0, "keygen consumer", "keygen", "consumer", "--tenant", "tenant.key", "--name", "a",
           "consumer.key")
    done = expect(0, "keygen producer", "keygen", "producer", "--tenant", "tenant.key",
                  "--consumer", "a", "producer.key", "--json")
    check("credential" in json.loads(done.stdout), "keygen --json parses")
    expect(1, "keygen producer: no such consumer", "keygen", "producer", "--tenant",
           "tenant.key", "--consumer", "nobody", "none.key")
    expect(2, "keygen: no such kind", "keygen", "thing", "x.key")
    expect(0, "sign", "sign", ECHO, "--key", "signer.key", "-o", "echo.sig")
    flip("echo.sig", "bad.sig", 60)
    expect(3, "run refuses a flipped signature", "run", ECHO, "--signature", "bad.sig", "--root",
           "root.key", "--control", "none.sock")
    return public


def usage():
    for verb in ("keygen", "run", "evidence", "verify", "cmw", "grant", "seal", "open"):
        done = expect(0, f"{verb} --help", verb, "--help")
        check(b"Example" in done.stdout, f"{verb} --help has an example")
        expect(2, f"{verb}: unknown option", verb, "--nonsense")
    for verb in ("run", "evidence", "verify", "cmw", "grant", "seal", "open"):
        expect(2, f"{verb}: nothing given", verb)
    write("bad.json", b'{"version": 1,\n "bogus": 3}\n')
    done = expect(1, "grant --check refuses", "grant", "--check", "bad.json")
    check(done.stderr.startswith(b"bad.json:2:2:"), "with file, line and column")
    for verb in (("run", ECHO, "--signature", "x", "--root", "x", "--control", "x"), ("demo",),
                 ("bench", "start")):
        expect(2, f"{verb[0]}: no such backend", *verb, "--backend", "none")
    expect(4, "grant: nobody serves the socket", "grant", "--control", "none.sock", "--tenant",
           "tenant.key", "--no-policy", "--version", "1", "--image", ECHO, "--statement", "x")


def wrappers():
    """Evidence into an envelope and out again; what is no envelope is refused."""
    write("evidence", bytes(range(256)))
    for form in ("json", "cbor"):
        expect(0, f"cmw wrap --form {form}", "cmw", "wrap", "--type", "nitro", "--form", form,
               "evidence", "-o", "wrapped")
        expect(0, "cmw open", "cmw", "open", "wrapped", "-o", "opened")
        check(read("opened") == read("evidence"), "the same bytes")
        done = expect(0, "cmw open --json", "cmw", "open", "wrapped", "--json")
        check(json.loads(done.stdout) == {"format": "nitro", "size": 256,
                                          "evidence": bytes(range(256)).hex()}, "and its type")
    expect(0, "cmw wrap --form tag", "cmw", "wrap", "--type", "gcs-jwt", "--form", "tag",
           "evidence", "-o", "wrapped")
    expect(2, "cmw wrap: no such tag", "cmw", "wrap", "--type", "snp", "--form", "tag", "evidence")
    expect(2, "cmw wrap: no such form", "cmw", "wrap", "--type", "snp", "--form", "x", "evidence")
    expect(2, "cmw wrap: no type", "cmw", "wrap", "evidence")
    expect(2, "cmw: neither", "cmw", "evidence")
    expect(3, "cmw open: not a wrapper", "cmw", "open", "evidence")
    expect(1, "cmw open: no such file", "cmw", "open", "nothing.cmw")


def rude_host():
    """A host's refusal reaches the terminal of whoever asked: without its control bytes."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("rude.sock")
        server.listen(1)

        def answer():
            peer, _ = server.accept()
            peer.recv(40, socket.MSG_WAITALL)
            text = b"no\x1b]0;owned\x07\n"
            peer.sendall((255).to_bytes(4, "little") + len(text).to_bytes(4, "little") + text)
            peer.close()

        thread = threading.Thread(target=answer)
        thread.start()
        done = call("evidence", "--control", "rude.sock", "--nonce", "00" * 32)
        thread.join()
    check(done.returncode != 0 and done.stderr.endswith(b"no?]0;owned??\n"),
          "a host's words are shown without control bytes")


def start(backend):
    """A running `caisson run` and the writing end of its input, or the reason why not."""
    sock = backend + ".sock"
    process = subprocess.Popen(
        [CAISSON, "run", ECHO, "--signature", "echo.sig", "--root", "root.key", "--control", sock,
         "--backend", backend, "--output", "answers", "--stats", "stats"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(200):
        if os.path.exists(sock) or process.poll() is not None:
            break
        time.sleep(0.05)
    return process, sock


def appraise(sock, accept, public):
    nonce = secrets.token_hex(32)
    expect(0, "evidence", "evidence", "--control", sock, "--nonce", nonce, "-o", "bundle")
    expect(0, "verify", "verify", "bundle", "--nonce", nonce, *accept)
    done = call("verify", "bundle", "--nonce", nonce, *accept, "--json")
    check(isinstance(json.loads(done.stdout), dict), "verify --json parses")
    expect(3, "verify: another nonce", "verify", "bundle", "--nonce", secrets.token_hex(32),
           *accept)
    expect(3, "verify: development evidence is refused by default", "verify", "bundle", "--nonce",
           nonce, "--image", ECHO)
    expect(3, "verify: another root", "verify", "bundle", "--nonce", nonce, "--image", ECHO,
           "--insecure-dev", "--root", public["signer"])
    expect(3, "verify: another signer", "verify", "bundle", "--nonce", nonce, "--signer",
           public["root"], "--insecure-dev", "--root", public["root"])
    expect(4, "verify: no such file", "verify", "missing", "--nonce", nonce, *accept)
    flip("bundle", "flipped", 100)
    expect(3, "verify: a flipped byte", "verify", "flipped", "--nonce", nonce, *accept)
    wrapped(sock, nonce, accept)


def wrapped(sock, nonce, accept):
    """Evidence in an envelope: verify takes it, cmw opens it, a changed one is refused."""
    ask = ("evidence", "--control", sock, "--nonce", nonce)
    for form, begin in (("json", b'["application/x.caisson.caisson","'), ("cbor", b"\x83\x78")):
        expect(0, f"evidence --cmw {form}", *ask, "--cmw", form, "-o", "bundle.cmw")
        check(read("bundle.cmw").startswith(begin), "is a record of its form")
        expect(0, "verify: a wrapped bundle", "verify", "bundle.cmw", "--nonce", nonce, *accept)
        done = expect(0, "cmw open", "cmw", "open", "bundle.cmw", "--json")
        inside = json.loads(done.stdout)
        check(inside["format"] == "caisson" and nonce in inside["evidence"], "with the bundle")
        flip("bundle.cmw", "flipped.cmw", 200)
        expect(3, "verify: a flipped byte in it", "verify", "flipped.cmw", "--nonce", nonce,
               *accept)
    done = expect(0, "evidence --cmw --json", *ask, "--cmw", "json", "--json")
    check(bytes.fromhex(json.loads(done.stdout)["evidence"]).startswith(b"["), "has the wrapper")
    for form in ("tag", "xml"):
        expect(2, f"evidence --cmw {form}", *ask, "--cmw", form)


def seal(public):
    lines = b"".join(b'{"n":%d}\n' % i for i in range(200))
    write("lines", lines)
    common = ("--statement", "statement", "--credential", "producer.key")
    expect(3, "seal: another tenant", "seal", *common, "--tenant-id", public["other"], "lines",
           "none")
    flip("statement", "statement.bad", 80)
    expect(3, "seal: a flipped statement", "seal", "--statement", "statement.bad", "--credential",
           "producer.key", "--tenant-id", public["tenant"], "lines", "none")
    done = expect(0, "seal", "seal", *common, "--tenant-id", public["tenant"], "--json", "lines",
                  "sealed")
    check(json.loads(done.stdout)["records"] == 200, "seal --json counts")
    write("line", b"x\n")
    expect(0, "seal: an operation that the enclave lacks", "seal", *common, "--tenant-id",
           public["tenant"], "--operation", "9", "line", "sealed.bad")
    return lines


def frames(data):
    """The frames of `caisson run`, each with its size."""
    found = []
    while data:
        size = 4 + int.from_bytes(data[:4], "little")
        found.append(data[:size])
        data = data[size:]
    return found


def opened(lines):
    done = expect(0, "open", "open", "--consumer", "consumer.key", "--json", "answers", "plain")
    check(json.loads(done.stdout)["complete"] is True, "open --json: complete")
    check(read("plain") == lines, "what came out is what went in, in order")
    data = read("answers")
    flip("answers", "forged", 4 + 8 + 176 + 5)
    expect(3, "open: a flipped byte", "open", "--consumer", "consumer.key", "forged", "none")
    write("cut", data[:-7])
    expect(1, "open: a cut off input", "open", "--consumer", "consumer.key", "cut", "none")
    first = 4 + int.from_bytes(data[:4], "little")
    write("gap", data[first:])
    expect(1, "open: a record held back", "open", "--consumer", "consumer.key", "gap", "none")
    check(b'{"n":0}' not in data and b'{"n":0}' not in read("sealed"), "the host sees no payload")


def rings(stats):
    """Each ring has its counters, and both ends of a ring tell the same."""
    names = {"messages", "batches", "parks", "wakes", "poisoned"}
    ends = [ring[side] for ring in stats["rings"] for side in ("in", "out")]
    check(ends and all(set(end) == names for end in ends), "run --stats has each ring")
    sums = {side: sum(ring[side]["messages"] for ring in stats["rings"]) for side in ("in", "out")}
    workers = stats["workers"]
    check(sums["in"] == sum(worker["inputs"] for worker in workers) > 200
          and sums["out"] == sum(worker["outputs"] for worker in workers) > 200,
          "what went in and out is what the workers took and gave")
    check(all(0 < end["batches"] <= end["messages"] for end in ends if end["messages"]),
          "in batches")
    check(sum(worker["parks"] for worker in workers) > 0
          and sum(ring["in"]["wakes"] for ring in stats["rings"]) > 0
          and sum(end["poisoned"] for end in ends) == 0, "workers slept and were woken")


def path(backend, public):
    # Asked for before it is there: the socket is waited for.
    early = subprocess.Popen([CAISSON, "evidence", "--control", backend + ".sock", "--nonce",
                              secrets.token_hex(32), "-o", "early"], stderr=subprocess.DEVNULL)
    time.sleep(0.2)
    process, sock = start(backend)
    code = early.wait(timeout=60)
    if process.poll() is not None:
        why = process.stderr.read().decode(errors="replace").strip().replace("\n", " ")
        check(backend == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK),
              f"{backend}: starts", skip=why)
        return
    check(code == 0, f"{backend}: evidence waits for a socket that is not there yet")
    accept = ("--image", ECHO, "--insecure-dev", "--root", public["root"])
    appraise(sock, accept, public)
    grant = ("grant", "--control", sock, "--tenant", "tenant.key", "--no-policy")
    expect(3, "grant: evidence of another root", *grant, "--version", "1", "--image", ECHO,
           "--insecure-dev", "--root", public["signer"], "--statement", "statement")
    done = expect(0, f"{backend}: grant", *grant, "--version", "2", *accept, "--statement",
                  "statement", "--json")
    check(json.loads(done.stdout)["tenant_id"] == public["tenant"], "grant --json parses")
    expect(1, "grant: an older version", *grant, "--version", "1", *accept, "--statement", "none")
    lines = seal(public)
    # An empty frame before the records and a truncated one after them: the others are served.
    process.stdin.write(b"\0\0\0\0" + read("sealed") + read("sealed.bad") + b"\x40\0\0\0cut")
    process.stdin.close()
    code = process.wait(timeout=60)
    said = process.stderr.read().decode(errors="replace")
    check(code == 1, f"{backend}: run ends with 1 after broken frames")
    check("record 0 at offset 0" in said and "record 204 at" in said, "each is said with its place")
    stats = json.loads(read("stats"))
    check(stats["backend"] == backend and stats["framing_errors"] == 2, "run --stats parses")
    rings(stats)
    answers = read("answers")
    check(answers[:12] == b"\x08\0\0\0\x01\0\0\0\0\0\0\0", "the broken record has its answer")
    served = frames(answers[12:-12])
    write("answers", b"".join(served[:-2]))
    opened(lines)
    write("refused", b"".join(served[-2:]))
    done = expect(1, "open: a refused record", "open", "--consumer", "consumer.key", "--json",
                  "refused", "none")
    summary = json.loads(done.stdout)
    check(summary["refused"] == 1 and summary["complete"] is True, "it is counted and complete")


def pings():
    """Megabytes of pings of all sizes, so that frames lie across every seam of the buffers."""
    bodies = [b"CSNP" + os.urandom(1 + (n * 7919) % 3000) for n in range(3000)]
    data = b"".join(struct.pack("<I", len(body)) + body for body in bodies)
    wanted = b"".join(struct.pack("<III", len(body) + 8, 32, len(body)) + body for body in bodies)
    write("pings", data)
    for source in ("pings", "-"):
        done = subprocess.run(
            [CAISSON, "run", ECHO, "--signature", "echo.sig", "--root", "root.key", "--control",
             "pings.sock", "--backend", "process", "--grants", "0", "--input", source, "--output",
             "pongs"], input=data if source == "-" else b"", capture_output=True, timeout=60,
            check=False)
        check(done.returncode == 0 and read("pongs") == wanted,
              f"run: {len(data)} bytes of pings come back, from " +
              ("a pipe" if source == "-" else "a file"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        public = keys()
        usage()
        wrappers()
        rude_host()
        for backend in ("process", "kvm"):
            path(backend, public)
        pings()
        os.chdir("/")
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
