#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`caisson run --store`: what is kept over a kill, one enclave a folder, folders that will not do,
an image that goes without, one that is given none.
store_test.py CAISSON KEEPER ECHO BACKEND [PART]. Prints TAP."""
import os
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gateway"))
import tap  # noqa: E402

CAISSON, KEEPER, ECHO = (os.path.abspath(path) for path in sys.argv[1:4])
BACKEND = sys.argv[4]
PUT, STATE = "1", "2"  # operations of tests/images/keeper.h
WAIT = 60


def call(code, *arguments, says="", prefix=()):
    done = subprocess.run([*prefix, CAISSON, *arguments], capture_output=True, text=True,
                          timeout=WAIT, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == code and says in done.stdout + done.stderr, \
        (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout.strip()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def command(image, *options):
    return ("run", image, "--signature", os.path.basename(image) + ".sig", "--root", "root",
            "--control", "sock", "--backend", BACKEND, *options)


def begin():
    public = {kind: call(0, "keygen", kind, kind) for kind in ("signer", "root", "tenant")}
    call(0, "keygen", "consumer", "--tenant", "tenant", "--name", "c", "consumer")
    call(0, "keygen", "producer", "--tenant", "tenant", "--consumer", "c", "producer")
    for image in (KEEPER, ECHO):
        call(0, "sign", image, "--key", "signer", "-o", os.path.basename(image) + ".sig")
    return public


def refuse(says, *options, image=KEEPER, prefix=()):
    """A run that, if it were let in, would have nothing to do."""
    call(1, *command(image, "--grants", "0", "--output", "output", *options), says=says,
         prefix=prefix)


class Service:
    """A run that is fed piece by piece; what it says goes into a file."""
    version = 0

    def __init__(self, public, *options, prefix=()):
        self.public, self.fed = public, 0
        with open("said", "wb") as said:
            self.process = subprocess.Popen(
                [*prefix, CAISSON, *command(KEEPER, "--output", "answers", *options)],
                stdin=subprocess.PIPE, stderr=said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        if os.path.exists("sock"):
            os.unlink("sock")

    def grant(self, code, says=""):
        Service.version += 1
        call(code, "grant", "--control", "sock", "--tenant", "tenant", "--no-policy", "--version",
             str(Service.version), "--image", KEEPER, "--insecure-dev", "--root",
             self.public["root"], "--statement", "statement", says=says)

    def frames(self):
        data, count = read("answers"), 0
        while len(data) >= 4 and len(data) >= 4 + struct.unpack_from("<I", data)[0]:
            data = data[4 + struct.unpack_from("<I", data)[0]:]
            count += 1
        return count

    def feed(self, operation, *payloads):
        """All of it, and the end of their stream: answered when this returns."""
        for payload in payloads:
            with open("payload", "wb") as file:
                file.write(payload)
            call(0, "seal", "--statement", "statement", "--tenant-id", self.public["tenant"],
                 "--credential", "producer", "--operation", operation, "--whole", "payload",
                 "sealed")
            self.process.stdin.write(read("sealed"))
            self.process.stdin.flush()
            self.fed += 2
        until = time.monotonic() + WAIT
        while self.frames() < self.fed:
            assert self.process.poll() is None and time.monotonic() < until, read("said")
            time.sleep(0.02)

    def end(self):
        """In peace; what the last record was answered with."""
        self.process.stdin.close()
        assert self.process.wait(WAIT) == 0, read("said")
        call(0, "open", "--consumer", "consumer", "answers", "opened")
        return read("opened")

    def says(self, words):
        assert words.encode() in read("said"), read("said")


def digest(payloads):
    value = 0
    for payload in payloads:
        for byte in payload:
            value = (value ^ byte) * 0x100000001b3 % 2**64
        value = (value ^ len(payload)) * 0x100000001b3 % 2**64
    return value


def test_kept(public):
    """what was answered is there after kill -9 and another run, twice"""
    kept = []
    for turn in range(3):
        with Service(public, "--store", "kept") as service:
            service.grant(0)
            more = [b"%d of turn %d" % (i, turn) for i in range(3)]
            service.feed(PUT, *more)
            kept += more
            if turn != 2:
                service.process.kill()
                service.process.wait(WAIT)
                os.unlink("sock")
                assert b"of turn" not in b"".join(read("kept/" + name)
                                                  for name in os.listdir("kept"))
                continue
            service.feed(STATE, b"")
            state = service.end()
            assert struct.pack("<QQ", len(kept), digest(kept)) in state, (kept, state)


def test_second(public):
    """a second run on the folder is refused in words, and the first one goes on"""
    with Service(public, "--store", "shared") as service:
        service.grant(0)
        for folder in ("shared", "./shared/", os.path.abspath("shared")):
            refuse(f"{folder}: in use by another enclave: end that one", "--control", "other",
                   "--store", folder)
        assert not os.path.exists("other")
        service.feed(PUT, b"after the second one")
    call(0, *command(KEEPER, "--control", "other", "--store", "shared", "--grants", "0",
                     "--output", "output"))


def test_folders(public):
    """folders that will not do are refused with the remedy; a read-only one is told of"""
    refuse("make the folder that it is to lie in", "--store", "none/inner")
    refuse("name a folder", "--store", "signer")
    assert not os.path.exists("none")
    prefix = tap.held_by_modes()
    if prefix is None:
        return "no setpriv"
    os.mkdir("closed")
    for mode in (0, 0o444):
        os.chmod("closed", mode)
        refuse("chmod 700", "--store", "closed", prefix=prefix)
    os.chmod("closed", 0o555)
    with Service(public, "--store", "closed", prefix=prefix) as service:
        service.grant(1, says="the enclave refuses the grant")
        service.says("note: --store: closed cannot be written")
        assert service.process.poll() is None
    assert os.listdir("closed") == []
    os.chmod("closed", 0o700)
    with Service(public, "--store", "closed", prefix=prefix) as service:
        service.grant(0)
        assert b"note" not in read("said")
    return None


def test_neither(public):
    """--store that the image does not take, and none where it does, are told at the start"""
    refuse("the image keeps nothing outside", "--store", "unused", image=ECHO)
    assert not os.path.exists("unused")
    with Service(public) as service:
        service.grant(1, says="the enclave refuses the grant")
        service.says("note: the image keeps things outside, and there is no --store")
        assert service.process.poll() is None


def main():
    if BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return tap.skip_all("no /dev/kvm")
    with tempfile.TemporaryDirectory(prefix="caisson-store-") as folder:
        os.chdir(folder)
        status = tap.run(tap.chosen([test_kept, test_second, test_folders, test_neither], 5),
                         begin())
        os.chdir("/")
    return status


if __name__ == "__main__":
    sys.exit(main())
