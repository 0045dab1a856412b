#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The transit image behind `caisson serve`, asked through `caisson proxy`; the openssl command
checks what comes back.

transit_test.py CAISSON IMAGE BACKEND [PART]. Prints TAP.
"""
import base64
import hmac
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile

for part in ("gateway", "evidence"):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", part))
import tap  # noqa: E402
from serving import Serving  # noqa: E402
from swtpm_process import start_tpm  # noqa: E402

CAISSON, IMAGE = (os.path.abspath(path) for path in sys.argv[1:3])
BACKEND = sys.argv[3]


def b64(data):
    return base64.b64encode(data).decode()


def bare(text):
    """What stands behind caisson:vN:"""
    return base64.b64decode(text.rsplit(":", 1)[-1])


class Transit:
    """A gateway with the image, granted, and a proxy for a credential."""

    def __init__(self, tpm=None):
        self.serving = Serving(CAISSON, IMAGE, BACKEND)
        self.serving.run("keygen", "producer", "--tenant", "tenant.key", "--keys", "app.key")
        self.serving.run("keygen", "producer", "--tenant", "tenant.key", "--roles", "1",
                         "web.key")
        os.mkdir(self.serving.path("store"), 0o700)
        with open(self.serving.path("serve.json"), encoding="utf-8") as file:
            config = json.load(file)
        config["services"][0]["store"] = {"folder": "store", **({"tpm": tpm} if tpm else {})}
        with open(self.serving.path("serve.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.version = 0
        self.policy = None
        if tpm:
            counter = json.loads(self.serving.run("store", "init-tpm", "--tpm", tpm))
            self.policy = self.file("tpm.json", json.dumps(
                {"version": 1, "service": "transit", "store": "tpm",
                 "counter": counter}).encode())
        try:
            self.begin()
        except BaseException:
            self.serving.stop()
            raise

    def grant(self):
        """The exit code, and what was said."""
        self.version += 1
        policy = ["--policy", self.policy] if self.policy else ["--no-policy"]
        done = subprocess.run(
            [CAISSON, "grant", "--control", "echo.sock", "--tenant", "tenant.key", *policy,
             "--version", str(self.version), "--image", IMAGE, "--insecure-dev", "--root",
             self.serving.root, "--statement", "statement"], cwd=self.serving.folder,
            capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    def begin(self):
        self.serving.start()
        code, said = self.grant()
        assert code == 0, said
        self.serving.wait_ready()
        self.proxy = subprocess.Popen(
            [CAISSON, "proxy", "--gateway", self.serving.front, "--credential", "app.key",
             "--image", IMAGE, "--insecure-dev", "--root", self.serving.root, "--listen",
             "127.0.0.1:0", "--json"], cwd=self.serving.folder, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        url = json.loads(self.proxy.stdout.readline())["url"]
        self.port = int(url.rsplit(":", 1)[-1].rstrip("/"))

    def ask(self, path, body=None, method=None, headers=None):
        """(status, what the JSON says)"""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        method = method or ("GET" if body is None else "POST")
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        link.request(method, "/v1/transit/" + path, data,
                     {"Content-Type": "application/json", **(headers or {})})
        answer = link.getresponse()
        content = answer.read()
        link.close()
        return answer.status, json.loads(content) if content[:1] == b"{" else content

    def good(self, path, body=None):
        status, said = self.ask(path, body)
        assert status == 200, (path, body, status, said)
        return said

    def file(self, name, data):
        path = self.serving.path(name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def kill(self):
        """All of it, as a loss of power would."""
        self.proxy.kill()
        self.proxy.communicate()
        self.serving.process.kill()
        self.serving.process.communicate()

    def end_serving(self):
        """In peace: a TPM without a resource manager keeps sessions of who was killed, and it has
        room for three."""
        self.serving.process.terminate()
        self.serving.process.communicate()

    def stop(self):
        self.proxy.terminate()
        self.proxy.communicate()
        self.serving.stop()


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, timeout=60, check=False)


def check_signature(transit, kind, public, message, signature):
    """By the public half in DER."""
    public, signature = transit.file("key.der", public), transit.file("signature", signature)
    message = transit.file("message", message)
    if kind == "ed25519":
        done = openssl("pkeyutl", "-verify", "-pubin", "-inkey", public, "-keyform", "DER",
                       "-rawin", "-in", message, "-sigfile", signature)
    else:
        done = openssl("dgst", "-sha256" if kind == "p-256" else "-sha384", "-verify", public,
                       "-keyform", "DER", "-signature", signature, message)
    assert done.returncode == 0, (kind, done.stdout, done.stderr)


def appraising(transit):
    """Options that appraise fresh evidence of the instance."""
    status, _, evidence = transit.serving.get(
        transit.serving.front + "/.well-known/caisson/evidence?nonce=" + "00" * 32)
    assert status == 200, evidence
    return ["--evidence", transit.file("evidence.bin", evidence), "--nonce", "00" * 32, "--image",
            IMAGE, "--insecure-dev", "--root", transit.serving.root]


def test_signatures(transit):
    """openssl verifies signatures by keys that were made inside"""
    if shutil.which("openssl") is None:
        return "no openssl"
    for name, kind in (("sign-256", "p-256"), ("sign-384", "p-384"), ("sign-ed", "ed25519")):
        key = transit.good("keys/" + name, {"type": kind})
        said = transit.good("sign/" + name, {"input": b64(b"to be signed")})
        check_signature(transit, kind, base64.b64decode(key["spki"]), b"to be signed",
                        bare(said["signature"]))
        assert transit.good("verify/" + name, {"input": b64(b"to be signed"),
                                               "signature": said["signature"]})["valid"] is True
        assert transit.good("verify/" + name, {"input": b64(b"to be sighed"),
                                               "signature": said["signature"]})["valid"] is False


def test_sealing(transit):
    """what is encrypted comes back, for the same key, purpose and associated data alone"""
    transit.good("keys/box", {"type": "aes-256", "purposes": [0]})
    sealed = transit.good("encrypt/box", {"plaintext": b64(b"card 4111"),
                                          "associated_data": b64(b"row 7")})["ciphertext"]
    ask = {"ciphertext": sealed, "associated_data": b64(b"row 7")}
    assert transit.good("decrypt/box", ask)["plaintext"] == b64(b"card 4111")
    assert transit.ask("decrypt/box", {"ciphertext": sealed})[0] == 404
    transit.good("keys/box/rotate", {})
    again = transit.good("rewrap/box", ask)
    assert again["version"] == 2 and again["ciphertext"].startswith("caisson:v2:")
    transit.good("keys/box/config", {"min_version": 2})
    assert transit.ask("decrypt/box", ask)[0] == 404
    ask["ciphertext"] = again["ciphertext"]
    assert transit.good("decrypt/box", ask)["plaintext"] == b64(b"card 4111")
    key = transit.good("datakey/box", {"size": 32})
    assert transit.good("datakey-open/box", {"ciphertext": key["ciphertext"]})["plaintext"] == \
        key["plaintext"]


def test_batch(transit):
    """a batch has a status for each of its items, and as many answers as there were items"""
    transit.good("keys/many", {"type": "aes-256"})
    items = [{"plaintext": b64(bytes([i]) * 90)} for i in range(200)]
    items[7] = {"plaintext": "?"}
    said = transit.good("encrypt/many", {"batch_input": items})["batch_results"]
    assert [each["status"] for each in said] == ["ok"] * 7 + ["malformed"] + ["ok"] * 192
    items = [{"ciphertext": each.get("ciphertext", "")} for each in said]
    said = transit.good("decrypt/many", {"batch_input": items})["batch_results"]
    assert said[199]["plaintext"] == b64(bytes([199]) * 90) and said[7]["status"] != "ok"


def test_others(transit):
    """HMAC, agreement, ML-KEM-768, FF1, derived keys, random: asked as the document has it"""
    transit.good("keys/mac", {"type": "hmac"})
    mac = transit.good("hmac/mac", {"input": b64(b"x")})["hmac"]
    assert transit.good("verify/mac", {"input": b64(b"x"), "hmac": mac})["valid"] is True
    both = [transit.good("keys/dh-" + end, {"type": "x25519"})["public_key"] for end in "ab"]
    secrets = [transit.good("agree/dh-" + end, {"public_key": peer, "info": b64(b"app")})["secret"]
               for end, peer in zip("ab", reversed(both))]
    assert secrets[0] == secrets[1] and len(base64.b64decode(secrets[0])) == 32
    transit.good("keys/kem", {"type": "ml-kem-768"})
    sent = transit.good("encapsulate/kem", {})
    assert transit.good("decapsulate/kem", {"ciphertext": sent["ciphertext"]})["shared_secret"] \
        == sent["shared_secret"]
    transit.good("keys/pan", {"type": "ff1"})
    made = transit.good("fpe-encrypt/pan", {"value": "4111111111111111"})["value"]
    assert made.isdigit() and made != "4111111111111111"
    assert transit.good("fpe-decrypt/pan", {"value": made})["value"] == "4111111111111111"
    assert len(base64.b64decode(transit.good("random", {"size": 100})["random"])) == 100


def test_refusals(transit):
    """refusals have the statuses that the document says"""
    transit.good("keys/ed", {"type": "ed25519"})
    for status, path, body in (
            (404, "sign/nobody", {"input": ""}), (403, "encrypt/ed", {"plaintext": ""}),
            (400, "sign/ed", {"input": "?"}), (400, "sign/ed", {"input": "", "x": 1}),
            (403, "keys/ed", {"type": "ed25519"}), (403, "keys/ed/delete", {}),
            (422, "sign/ed", {"batch_input": []}), (404, "nothing/ed", {}),
            (400, "keys/new", {"type": "rsa"})):
        assert transit.ask(path, body)[0] == status, (path, transit.ask(path, body))
    assert transit.ask("keys/ed", method="PUT")[0] == 405
    assert transit.ask("sign/ed", b"{}", headers={"Content-Type": "text/plain"})[0] == 415
    assert transit.ask("sign/a%2fb", {"input": ""})[0] == 404
    names = transit.good("keys")["keys"]
    assert "ed" in names and "new" not in names


def test_birth(transit):
    """a birth certificate verifies against the evidence of the instance, and no other"""
    key = transit.good("keys/born", {"type": "p-256"})
    birth = base64.b64decode(key["birth"])
    base = [CAISSON, "verify", *appraising(transit), "--json"]
    good = subprocess.run([*base, "--birth", transit.file("birth", birth)], capture_output=True,
                          timeout=60, check=False)
    assert good.returncode == 0, (good.stdout[-2000:], good.stderr)
    assert b64(base64.b64decode(key["public_key"])) == key["public_key"]
    assert base64.b64decode(key["public_key"]).hex().encode() in good.stdout, good.stdout[-800:]
    bad = subprocess.run([*base, "--birth",
                          transit.file("bad", birth[:-70] + bytes([birth[-70] ^ 1]) + birth[-69:])],
                         capture_output=True, timeout=60, check=False)
    assert bad.returncode == 3, bad.stdout[-800:]


def wrap(transit, how, name, kind, secret, tenant=None, key="import-key"):
    """caisson keywrap with how to check the import key: (exit code, the body, what was said)"""
    done = subprocess.run(
        [CAISSON, "keywrap", "--import-key", transit.serving.path(key), "--tenant",
         tenant or transit.serving.tenant, "--name", name, "--key-type", kind, secret, *how],
        capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode()


def secret_file(transit, name, data):
    path = transit.file(name, data)
    os.chmod(path, 0o600)
    return path


def test_import(transit):
    """keys of openssl and bare bytes are sealed, imported, and used as their public halves say"""
    if shutil.which("openssl") is None:
        return "no openssl"
    transit.file("import-key", json.dumps(transit.good("import-key")).encode())
    how = appraising(transit)
    curve = ["-algorithm", "EC", "-pkeyopt"]
    for number, (kind, ways) in enumerate((
            ("p-256", ["genpkey", *curve, "ec_paramgen_curve:P-256"]),
            ("p-384", ["genpkey", *curve, "ec_paramgen_curve:P-384"]),
            ("p-256", ["ecparam", "-name", "prime256v1", "-genkey"]),
            ("ed25519", ["genpkey", "-algorithm", "ed25519"]))):
        pem = secret_file(transit, "secret.pem", openssl(*ways).stdout)
        public = openssl("pkey", "-in", pem, "-pubout", "-outform", "DER").stdout
        name = f"imported-{number}"
        code, body, said = wrap(transit, how, name, kind, pem)
        assert code == 0 and said == "", (code, said)
        key = transit.good(f"keys/{name}/import", body)
        assert key["origin"] == "imported" and base64.b64decode(key["spki"]) == public, key
        signed = transit.good("sign/" + name, {"input": b64(b"mine")})["signature"]
        check_signature(transit, kind, public, b"mine", bare(signed))
    pem = secret_file(transit, "secret.pem", openssl("genpkey", "-algorithm", "x25519").stdout)
    key = transit.good("keys/imported-x/import", wrap(transit, how, "imported-x", "x25519", pem)[1])
    assert base64.b64decode(key["spki"]) == \
        openssl("pkey", "-in", pem, "-pubout", "-outform", "DER").stdout
    secret = secret_file(transit, "secret", bytes(range(20)))
    transit.good("keys/imported-mac/import", wrap(transit, how, "imported-mac", "hmac", secret)[1])
    assert bare(transit.good("hmac/imported-mac", {"input": b64(b"x")})["hmac"]) == \
        hmac.digest(bytes(range(20)), b"x", "sha256")
    return None


def test_bound(transit):
    """what is sealed opens for its tenant, name and type alone, and is sealed to no other key"""
    answer = transit.good("import-key")
    transit.file("import-key", json.dumps(answer).encode())
    how, other = appraising(transit), "5a" * 32
    secret = secret_file(transit, "secret", b"s" * 32)
    code, body, said = wrap(transit, how, "bound", "aes-256", secret)
    assert code == 0, said
    assert transit.ask("keys/another/import", body)[0] == 404
    assert transit.ask("keys/bound/import", {**body, "type": "ff1"})[0] == 404
    assert wrap(transit, how, "bound", "aes-256", secret, tenant=other)[0] == 3
    code, foreign, said = wrap(transit, ["--unverified"], "bound", "aes-256", secret, tenant=other)
    assert code == 0 and "not checked" in said, (code, said)
    assert transit.ask("keys/bound/import", foreign)[0] == 404
    assert transit.good("keys/bound/import", body)["origin"] == "imported"
    # An import key of somebody between, with the enclave's statement on its own.
    changed = bytearray(base64.b64decode(answer["public_key"]))
    changed[0] ^= 1
    transit.file("changed", json.dumps({**answer, "public_key": b64(changed)}).encode())
    code, body, said = wrap(transit, how, "bound", "aes-256", secret, key="changed")
    assert code == 3 and body is None and "did not state" in said, (code, said)
    wrong = [*how[:how.index("--image")], "--measurement", "5a" * 48, *how[-3:]]
    assert wrap(transit, wrong, "bound", "aes-256", secret)[:2] == (3, None)
    transit.file("bare", answer["public_key"].encode())
    assert wrap(transit, how, "bound", "aes-256", secret, key="bare")[:2] == (4, None)
    assert wrap(transit, ["--unverified"], "bound", "aes-256", secret, key="bare")[0] == 0
    code, body, said = wrap(transit, [], "bound", "aes-256", secret)
    assert code == 4 and body is None and "was not checked" in said, (code, said)


def test_secrets(transit):
    """secrets of another type or size, with a passphrase or open to others are refused"""
    transit.file("bare", transit.good("import-key")["public_key"].encode())

    def code(kind, secret, name="n"):
        got, body, said = wrap(transit, ["--unverified"], name, kind, secret, key="bare")
        assert (got == 0) == (body is not None), (got, body, said)
        return got

    short = secret_file(transit, "secret", b"s" * 31)
    assert [code(kind, short) for kind in ("aes-256", "p-256", "hmac")] == [1, 1, 0]
    assert code("hmac", short, "a/b") == 2 and code("rsa", short) == 2
    os.chmod(short, 0o644)
    assert code("hmac", short) == 1
    if shutil.which("openssl") is None:
        return "no openssl"
    curve = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"]
    pem = secret_file(transit, "p.pem", openssl(*curve[:-1], curve[-1] + "P-256").stdout)
    assert [code(kind, pem) for kind in ("p-256", "p-384", "ed25519", "hmac")] == [0, 1, 1, 1]
    locked = openssl("pkey", "-in", pem, "-aes128", "-passout", "pass:word").stdout
    assert b"ENCRYPTED" in locked and code("p-256", secret_file(transit, "l.pem", locked)) == 1
    return None


def test_restart(transit):
    """keys are there after the gateway and the enclave were killed, and uses are not forgotten"""
    before = transit.good("keys/lasts", {"type": "ed25519", "max_uses": 80})
    transit.good("keys/box2", {"type": "aes-256"})
    sealed = transit.good("encrypt/box2", {"plaintext": b64(b"kept")})["ciphertext"]
    transit.good("sign/lasts", {"input": ""})
    transit.kill()
    assert "lasts" not in "".join(os.listdir(transit.serving.path("store")))
    for name in os.listdir(transit.serving.path("store")):
        with open(transit.serving.path("store/" + name), "rb") as file:
            assert b"lasts" not in file.read(), "a name in clear in the store"
    transit.begin()
    after = transit.good("keys/lasts")
    assert after["public_key"] == before["public_key"] and after["id"] == before["id"]
    assert after["uses"] == 10, after["uses"]
    assert transit.good("decrypt/box2", {"ciphertext": sealed})["plaintext"] == b64(b"kept")


def test_tpm(_):
    """a TPM's counter: keys survive restarts, and an older copy of them is refused after one"""
    if shutil.which("swtpm") is None:
        return "no swtpm"
    with tempfile.TemporaryDirectory(prefix="caisson-tpm-") as folder:
        tpm, tcti = start_tpm(folder)
        transit = None
        try:
            transit = Transit(tcti)
            store, old = transit.serving.path("store"), transit.serving.path("old")
            transit.good("keys/first", {"type": "ed25519"})
            transit.kill()
            transit.begin()
            assert transit.good("keys/first")["uses"] == 0
            shutil.copytree(store, old)
            transit.good("keys/first/rotate", {})
            transit.kill()
            shutil.copytree(store, transit.serving.path("new"))
            shutil.rmtree(store)
            shutil.copytree(old, store)
            transit.serving.start()
            code, said = transit.grant()
            assert code == 1 and "refuses" in said, (code, said)
            transit.end_serving()
            shutil.rmtree(store)
            shutil.copytree(transit.serving.path("new"), store)
            transit.begin()
            assert transit.good("keys/first")["newest"] == 2
        finally:
            if transit is not None:
                transit.stop()
            tpm.kill()
            tpm.wait()
    return None


def test_roles(transit):
    """a policy with roles, as `caisson grant --policy` compiles it, holds credentials to them"""
    policy = {"version": 1, "service": "transit", "store": "journal", "roles": [
        {"keys": ["*"], "operations": ["create", "info"]},
        {"keys": ["web-*"], "operations": ["sign"]}]}
    serving = transit.serving
    transit.good("keys/web-1", {"type": "ed25519"})
    transit.good("keys/other", {"type": "ed25519"})
    transit.policy = transit.file("policy.json", json.dumps(policy).encode())
    assert transit.grant()[0] == 0

    def call(credential, path, body):
        done = subprocess.run(
            [CAISSON, "call", "--gateway", serving.front, "--credential", credential, "--image",
             IMAGE, "--insecure-dev", "--root", serving.root, "-H", "Content-Type:application/json",
             "-d", body, "--json", "/v1/transit/" + path], cwd=serving.folder,
            capture_output=True, timeout=60, check=False)
        return json.loads(done.stdout)["status"]

    assert call("web.key", "sign/web-1", '{"input":""}') == 200
    assert call("web.key", "sign/other", '{"input":""}') == 403
    assert call("web.key", "keys/web-2", '{"type":"ed25519"}') == 403
    assert call("app.key", "sign/web-1", '{"input":""}') == 403  # it has no role
    transit.policy = None
    assert transit.grant()[0] == 0
    assert call("app.key", "sign/web-1", '{"input":""}') == 200


def main():
    if BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return tap.skip_all("no /dev/kvm")
    tests = tap.chosen([test_signatures, test_sealing, test_batch, test_others, test_refusals,
                        test_birth, test_import, test_bound, test_secrets,
                        test_restart, test_roles, test_tpm], 4)
    transit = Transit()
    try:
        return tap.run(tests, transit)
    finally:
        transit.stop()


if __name__ == "__main__":
    sys.exit(main())
