# SPDX-License-Identifier: Apache-2.0
"""caisson serve with the images echo and tokenize behind it, granted by a tenant of the test's own;
and a plain HTTP client to look at it with (Python's)."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from urllib.parse import urlsplit

import common
from common import KEY_PROBLEM, Missing, Scratch, check, end

PATIENCE_S = 20


def fetch(url, method="GET", body=None, headers=None):
    """(status, type, body)."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body,
                           headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type", ""), answer.read()


class Served:
    """One gateway; key files, sockets and logs are in a folder of its own. The default service is
    echo."""

    sizes = (0, 1, 26, 1000, 40000)
    echo = "/v1/echo"
    typed = ("/tokenize", "/v1/tokenize")
    overlap_s = 3  # long enough for a request on a busy machine

    def __init__(self, caisson, echo, tokenize, policy):
        self.caisson = os.path.abspath(caisson)
        self.images = {"echo": os.path.abspath(echo), "tokenize": os.path.abspath(tokenize)}
        self.policies = {"echo": ["--no-policy"],
                         "tokenize": ["--policy", os.path.abspath(policy)]}
        self.running = []
        self.scratch = Scratch()
        self.folder = self.scratch.folder
        try:
            self.make_keys()
            self.write_config()
            self.start()
        except BaseException:
            self.close()
            raise

    def call(self, *arguments):
        done = subprocess.run([self.caisson, *arguments], cwd=self.folder, text=True, timeout=60,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"caisson {arguments[0]}: {done.stderr}")
        return done.stdout.strip()

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_keys(self):
        """web may show itself by a token, plain in no way; records of both get replies."""
        self.public = {kind: self.call("keygen", kind, kind)
                       for kind in ("signer", "root", "tenant")}
        self.call("keygen", "producer", "--tenant", "tenant", "--requests", "--bearer", "web")
        self.call("keygen", "producer", "--tenant", "tenant", "plain")
        self.token = "Bearer " + self.call("keygen", "bearer", "web")
        self.token_without_right = "Bearer " + self.call("keygen", "bearer", "plain")
        for name, image in self.images.items():
            self.call("sign", image, "--key", "signer", "-o", name + ".sig")
        if shutil.which("openssl") is None:
            raise Missing("openssl (the command) is not installed")
        self.certify("ca", "-addext", "keyUsage=keyCertSign")
        self.certify("tls", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                     "basicConstraints=critical,CA:FALSE", "-CA", "ca.crt", "-CAkey", "ca.key")

    def certify(self, name, *how):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        f"/CN=caisson test {name}", "-keyout", name + ".key", "-out",
                        name + ".crt", *how],
                       cwd=self.folder, capture_output=True, timeout=60, check=True)

    def write_config(self):
        config = {
            "listeners": [{"port": 0}, {"port": 0, "certificate": "tls.crt", "key": "tls.key"}],
            "admin": {"port": 0},
            "services": [{"name": name, "image": image, "signature": name + ".sig",
                          "control": name + ".sock", "backend": "process", "grants": 1,
                          "overlap_s": self.overlap_s,
                          "evidence": {"name": "software", "root": "root"}}
                         for name, image in self.images.items()],
            "access_log": {"path": "access.log"},
        }
        with open(self.path("serve.json"), "w", encoding="utf-8") as stream:
            json.dump(config, stream)

    def run(self, log, *arguments):
        """A program of ours that stays until close(); what it says on stdout can be read."""
        with open(self.path(log), "wb") as stream:
            process = subprocess.Popen([self.caisson, *arguments], cwd=self.folder, stderr=stream,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.running.append(process)
        return process

    def start(self):
        self.gateway = self.run("serve.log", "serve", "serve.json", "--json")
        said = json.loads(self.gateway.stdout.readline() or "{}")
        if not said:
            raise RuntimeError(f"caisson serve does not start: {self.tail()}")
        plain, secure = (listener["port"] for listener in said["listeners"])
        self.origin = f"http://127.0.0.1:{plain}"
        self.secure = f"https://127.0.0.1:{secure}"
        self.admin = f"http://127.0.0.1:{said['admin']}"
        self.url = self.origin + "/gateway"
        for name, image in self.images.items():
            self.run(name + ".grant", "grant", "--control", name + ".sock", "--tenant", "tenant",
                     *self.policies[name], "--version", "1", "--image", image, "--insecure-dev",
                     "--root", self.public["root"], "--statement", name + ".statement", "--serve")
        self.wait("both services", lambda: self.keys() and self.keys("/tokenize"))

    def keys(self, service=""):
        """The list as it is published; None as long as there is none."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, kind, body = fetch(self.url + service)
            if status == 200 and kind == "application/ohttp-keys":
                return body
        return None

    def answer(self, path, body):
        return fetch(self.origin + path, "POST", body, {"content-type": "message/ohttp-req"})

    def wait(self, what, holds):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline or self.gateway.poll() is not None:
                raise RuntimeError(f"no {what}: {self.tail()}")
            time.sleep(0.05)

    def tail(self):
        with open(self.path("serve.log"), encoding="utf-8", errors="replace") as stream:
            return stream.read()[-800:]

    def rotate(self):
        """Other instances, whose keys are published now. Gives the keys of before."""
        before = self.keys()
        self.gateway.send_signal(signal.SIGUSR1)
        self.wait("new keys", lambda: self.keys() not in (None, before))
        return before

    def forget(self, keys):
        """Until these keys, which rotate() gave, are no good any more."""
        probe = keys[2:3] + bytes(63)  # no request, whoever has the key
        self.wait("end of the overlap", lambda: KEY_PROBLEM.encode() in
                  self.answer("/gateway", probe)[2])

    def close(self):
        for process in reversed(self.running):
            code = end(process)
            process.stdout.close()
            if process.args[1] in ("serve", "proxy"):
                check(code == 0, f"caisson {process.args[1]} ends well", code)
        if common.FAILED:
            print("# " + self.tail().replace("\n", "\n# "))
        self.scratch.close()
