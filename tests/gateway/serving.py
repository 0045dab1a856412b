# SPDX-License-Identifier: Apache-2.0
"""serving.py: a `caisson serve` of a test's own: keys, a configuration, one granted service."""
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


class Serving:
    """In a folder of its own; ports are those that were free."""

    def __init__(self, caisson, image, backend="process", tenants=("bank",), more=None):
        self.caisson, self.image = os.path.abspath(caisson), os.path.abspath(image)
        self.box = tempfile.TemporaryDirectory(prefix="caisson-serving-")
        self.folder = self.box.name
        self.process = None
        self.signer = self.run("keygen", "signer", "signer.key").split()[-1]
        self.root = self.run("keygen", "root", "root.key").split()[-1]
        self.tenant = self.run("keygen", "tenant", "tenant.key").split()[-1]
        self.run("sign", self.image, "--key", "signer.key", "-o", "image.sig")
        config = {"listeners": [{"port": 0}], "admin": {"port": 0},
                  "tenants": [{"label": label} for label in tenants],
                  "services": [{"name": "echo", "image": self.image, "signature": "image.sig",
                                "backend": backend, "control": "echo.sock",
                                "evidence": {"root": "root.key"}}], **(more or {})}
        with open(self.path("serve.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        result = subprocess.run([self.caisson, *arguments], cwd=self.folder, capture_output=True,
                                text=True, timeout=60, check=False)
        assert result.returncode == 0, (arguments, result.stderr)
        return result.stdout

    def certificate(self, name):
        """NAME.crt and NAME.key, for this machine's loopback."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
                        name + ".crt", "-subj", f"/CN={name}", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-days", "30"], cwd=self.folder, check=True,
                       capture_output=True)

    def start(self):
        self.process = subprocess.Popen([self.caisson, "serve", "serve.json", "--json"],
                                        cwd=self.folder, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.said = json.loads(self.process.stdout.readline())
        self.front = f"http://127.0.0.1:{self.said['listeners'][0]['port']}"
        self.admin = f"http://127.0.0.1:{self.said['admin']}"

    def grant(self, version=1):
        self.run("grant", "--control", "echo.sock", "--tenant", "tenant.key", "--no-policy",
                 "--version", str(version), "--image", self.image, "--insecure-dev", "--root",
                 self.root, "--statement", "statement")
        self.wait_ready()

    def wait_ready(self):
        until = time.monotonic() + 30
        while self.get(self.admin + "/readyz")[0] != 200:
            assert time.monotonic() < until, "it does not become ready"
            time.sleep(0.05)

    @staticmethod
    def get(url, data=None, host=None):
        """(status, headers, body)"""
        request = urllib.request.Request(url, data=data, headers={"Host": host} if host else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as got:
                return got.status, got.headers, got.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.communicate(timeout=40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.communicate()
        self.box.cleanup()
