#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libcaisson-pkcs11.so under programs that we did not write, with keys in a transit enclave.

tools_test.py CAISSON TRANSIT MODULE DRIVER [PART ...]. Prints TAP. DRIVER is module_driver, which
uses the module as a program would, for what no tool does.
"""
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "gateway"))
from serving import Serving  # noqa: E402

CAISSON, TRANSIT, MODULE, DRIVER = (os.path.abspath(path) for path in sys.argv[1:5])
PARTS = sys.argv[5:] or ["tool", "ssh", "engine", "tls", "nginx", "kit", "rings", "crash",
                         "keeps", "refuses", "settings"]
ENGINE = glob.glob("/usr/lib/*/engines-3/pkcs11.so")
COUNT = 0
FAILED = 0


def check(good, name, said=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good:
        print("# " + str(said).replace("\n", "\n# "), flush=True)
    return good


def skip(name, reason):
    global COUNT
    COUNT += 1
    print(f"ok {COUNT} {name} # SKIP {reason}", flush=True)


def has(name, *needed):
    """False, and said, where what a part needs is not there."""
    missing = [one for one in needed if not one or (shutil.which(one) is None and
                                                    not os.path.exists(one))]
    if missing:
        skip(name, "not here: " + ", ".join(str(one) for one in missing))
    return not missing


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


class Token:
    """A gateway with a transit enclave, and settings for the module."""

    def __init__(self, **more):
        service = {"name": "transit", "image": TRANSIT, "signature": "image.sig",
                   "backend": "process", "control": "echo.sock", "rings": "rings.sock",
                   "evidence": {"root": "root.key"}, **more}
        self.serving = Serving(CAISSON, TRANSIT, more={"services": [service]})
        self.folder = self.serving.folder
        self.serving.run("keygen", "producer", "--tenant", "tenant.key", "--keys", "app.key")
        self.serving.start()
        self.serving.grant()
        measured = self.serving.run("measure", TRANSIT)
        self.write("policy.toml", f"""formats = ["caisson"]
[caisson]
measurements = ["{[w for w in measured.split() if len(w) == 96][0]}"]
platforms = ["software"]
insecure_dev = true
software_roots = ["{self.serving.root}"]
""")
        self.env = dict(os.environ, HOME=self.folder)
        self.env.pop("OPENSSL_CONF", None)
        self.settings("")
        self.write("engine.cnf", f"""openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = engine
[engine]
engine_id = pkcs11
dynamic_path = {ENGINE[0] if ENGINE else "none"}
MODULE_PATH = {MODULE}
init = 0
[req]
distinguished_name = name
[name]
""")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def settings(self, more, gateway=None, credential="app.key", hide="ed25519"):
        self.write("pkcs11.conf", f"gateway = {gateway or self.serving.front}\n"
                   f"policy = policy.toml\ncredential = {credential}\nhide = {hide}\n{more}")
        self.env["CAISSON_PKCS11_CONF"] = self.path("pkcs11.conf")

    def with_engine(self):
        """For what uses the engine, and for nothing else: openssl has no providers then."""
        return dict(self.env, OPENSSL_CONF=self.path("engine.cnf"))

    def run(self, *command, **more):
        return subprocess.run(command, cwd=self.folder, timeout=60, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **{"env": self.env, **more})

    def tool(self, *arguments):
        return self.run("pkcs11-tool", "--module", MODULE, *arguments)

    def openssl(self, *arguments, **more):
        return self.run("openssl", *arguments, **more)

    def key(self, label, kind="EC:prime256v1", number=None):
        done = self.tool("--keypairgen", "--key-type", kind, "--label", label, *(
            ["--id", number] if number else []))
        assert done.returncode == 0, done.stdout


def uri(label):
    return f"pkcs11:token=caisson;object={label};type=private"


# ---- OpenSC ----

def tool(token):
    if not has("pkcs11-tool", "pkcs11-tool"):
        return
    token.settings("", hide="x25519")
    done = token.tool("--login", "--pin", "1234", "--test")
    check(done.returncode == 0 and "No errors" in done.stdout, "pkcs11-tool --test", done.stdout)
    done = token.tool("--list-interfaces")
    check("3.0" in done.stdout and "2.40" in done.stdout, "both interfaces", done.stdout)
    token.write("data", "what is signed\n")
    for kind, number, digests in (("EC:prime256v1", "01", ["sha256", "sha384", "sha512"]),
                                  ("EC:secp384r1", "02", ["sha256", "sha384", "sha512"])):
        token.key("sign" + number, kind, number)
        public_half(token, number)
        for digest in digests:
            done = token.tool("--sign", "-m", "ECDSA-" + digest.upper(), "--id", number, "-i",
                              "data", "-o", "signature", "--signature-format", "openssl")
            done = token.openssl("dgst", "-" + digest, "-keyform", "der", "-verify", "public.der",
                                 "-signature", "signature", "data")
            check("Verified OK" in done.stdout, f"{kind}, {digest}: openssl verifies it",
                  done.stdout)
        done = token.openssl("dgst", "-sha1", "-keyform", "der", "-verify", "public.der",
                             "-signature", "signature", "data")
        check("Verified OK" not in done.stdout, "and not under another digest", done.stdout)
        done = token.tool("--verify", "-m", "ECDSA-SHA512", "--id", number, "-i", "data",
                          "--signature-file", "signature", "--signature-format", "openssl")
        check("Signature is valid" in done.stdout, "pkcs11-tool --verify", done.stdout)
    token.key("ed", "EC:edwards25519", "03")
    done = token.tool("--sign", "-m", "EDDSA", "--id", "03", "-i", "data", "-o", "signature")
    done = token.tool("--verify", "-m", "EDDSA", "--id", "03", "-i", "data", "--signature-file",
                      "signature")
    check("Signature is valid" in done.stdout, "Ed25519", done.stdout)
    secrets(token)
    agrees(token)
    done = token.tool("--test-fork")
    check(done.returncode == 0, "pkcs11-tool --test-fork", done.stdout)
    done = token.tool("-O")
    before = done.stdout.count("sign01")
    done = token.tool("--session-rw", "-b", "--type", "privkey", "--id", "01")
    after = token.tool("-O").stdout
    check(before > 0 and "sign01" not in after and "sign02" in after, "a key is deleted",
          (done.stdout, after))


def public_half(token, number):
    """As SubjectPublicKeyInfo: pkcs11-tool 0.23 writes no file for P-384, whatever the token."""
    listed = token.tool("-O", "--type", "pubkey").stdout.split("Public Key Object")
    mine = [one for one in listed if f"sign{number}" in one][0]
    point = bytes.fromhex(mine.split("EC_POINT:")[1].split()[0])[2:]
    head = {65: "3059301306072a8648ce3d020106082a8648ce3d030107034200",
            97: "3076301006072a8648ce3d020106052b81040022036200"}[len(point)]
    with open(token.path("public.der"), "wb") as file:
        file.write(bytes.fromhex(head) + point)


def secrets(token):
    token.tool("--keygen", "--key-type", "AES:32", "--label", "aes", "--id", "07")
    token.tool("--keygen", "--key-type", "GENERIC:32", "--label", "mac", "--id", "08",
               "--usage-sign")
    for tries in range(2):
        done = token.tool("--sign", "-m", "SHA256-HMAC", "--id", "08", "-i", "data", "-o",
                          f"mac{tries}")
    with open(token.path("mac0"), "rb") as one, open(token.path("mac1"), "rb") as other:
        first, second = one.read(), other.read()
    check(len(first) == 32 and first == second, "HMAC", done.stdout)
    done = token.tool("--generate-random", "32", "-o", "random")
    check(os.path.getsize(token.path("random")) == 32, "random bytes", done.stdout)


def agrees(token):
    """ECDH with openssl's key on the other side."""
    done = token.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "agree", "--id",
                      "0a", "--usage-derive")
    token.tool("--read-object", "--type", "pubkey", "--id", "0a", "-o", "agree.der")
    token.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "peer.pem")
    token.openssl("ec", "-in", "peer.pem", "-pubout", "-outform", "der", "-out", "peer.der")
    done = token.tool("--derive", "-m", "ECDH1-DERIVE", "--id", "0a", "-i", "peer.der", "-o",
                      "shared")
    token.openssl("pkey", "-pubin", "-inform", "der", "-in", "agree.der", "-out", "agree.pem")
    other = token.openssl("pkeyutl", "-derive", "-inkey", "peer.pem", "-peerkey", "agree.pem",
                          "-out", "shared.openssl")
    same = all(os.path.exists(token.path(name)) for name in ("shared", "shared.openssl"))
    if same:
        with open(token.path("shared"), "rb") as one, open(token.path("shared.openssl"),
                                                           "rb") as two:
            same = one.read() == two.read()
    check(same, "ECDH gives what openssl gives", (done.stdout, other.stdout))


# ---- OpenSSH ----

def ssh(token):
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    if not has("ssh", "ssh", "ssh-keygen", sshd, "pkcs11-tool"):
        return
    token.key("login")
    done = token.run("ssh-keygen", "-D", MODULE)
    keys = [line for line in done.stdout.split("\n") if line.startswith("ecdsa-sha2-nistp256")]
    check(any("login" in line for line in keys), "ssh-keygen -D", done.stdout)
    token.write("authorized", "\n".join(line for line in keys if "login" in line) + "\n")
    token.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "hostkey")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    port = free_port()
    token.write("sshd.conf", f"""Port {port}
ListenAddress 127.0.0.1
HostKey {token.path("hostkey")}
AuthorizedKeysFile {token.path("authorized")}
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
""")
    with open(token.path("sshd.log"), "w", encoding="utf-8") as log:
        server = subprocess.Popen([sshd, "-D", "-e", "-f", token.path("sshd.conf")], stderr=log)
    try:
        wait_for_port(port)
        options = ["-F", "none", "-p", str(port), "-o", "BatchMode=yes", "-o",
                   "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + token.path("known"),
                   "-o", "IdentityAgent=none", "-o", "IdentityFile=none", "127.0.0.1", "echo",
                   "logged", "in"]
        done = token.run("ssh", "-I", MODULE, *options)
        with open(token.path("sshd.log"), encoding="utf-8") as log:
            told = log.read()
        check(done.returncode == 0 and "logged in" in done.stdout and
              "Accepted publickey" in told, "ssh -I logs in", done.stdout + told)
        done = token.run("ssh", *options)
        check(done.returncode != 0, "and without the module nobody does", done.stdout)
    finally:
        server.terminate()
        server.wait()


# ---- OpenSSL's engine, TLS ----

def certify(token, label):
    """A certificate for the key: a request that the key signs, and an issuer of the test's own."""
    done = token.openssl("req", "-new", "-engine", "pkcs11", "-keyform", "engine", "-key",
                         uri(label), "-subj", "/CN=enclave.test", "-out", "request.pem",
                         env=token.with_engine())
    token.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key")
    token.openssl("req", "-x509", "-key", "ca.key", "-subj", "/CN=issuer", "-days", "2", "-out",
                  "ca.pem")
    token.openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
                  "-days", "2", "-out", label + ".pem")
    return done


def engine(token):
    if not has("engine", "openssl", ENGINE and ENGINE[0], "pkcs11-tool"):
        return
    token.key("csr")
    done = certify(token, "csr")
    told = token.openssl("req", "-in", "request.pem", "-noout", "-verify")
    check("verify OK" in told.stdout, "a request that a key of the enclave signed",
          done.stdout + told.stdout)
    token.key("edwards", "EC:edwards25519")
    done = certify(token, "csr")
    check(done.returncode == 0, "with a key that is hidden from it beside", done.stdout)


def fetch(token, port):
    return token.run("curl", "-sS", "--max-time", "20", "--cacert", "ca.pem", "--resolve",
                     f"enclave.test:{port}:127.0.0.1", f"https://enclave.test:{port}/")


def tls(token):
    if not has("tls", "openssl", "curl", ENGINE and ENGINE[0], "pkcs11-tool"):
        return
    token.key("server")
    certify(token, "server")
    port = free_port()
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-engine", "pkcs11", "-keyform",
         "engine", "-key", uri("server"), "-cert", "server.pem", "-www"], cwd=token.folder,
        env=token.with_engine(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        done = fetch(token, port)
        check("TLSv1.3" in done.stdout, "openssl s_server with a key of the enclave", done.stdout)
    finally:
        server.terminate()
        server.wait()


def nginx(token):
    """Workers are forks of whoever loaded the key; each gets rings of its own."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not has("nginx", program, "curl", ENGINE and ENGINE[0], "pkcs11-tool"):
        return
    token.settings(f"rings = {token.path('rings.sock')}\n")
    token.key("web")
    certify(token, "web")
    port = free_port()
    temporary = "".join(f"{kind}_temp_path {token.path(kind)};\n" for kind in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    token.write("nginx.conf", f"""daemon off; {user} worker_processes 2; ssl_engine pkcs11;
pid {token.path("nginx.pid")}; error_log {token.path("nginx.log")} notice;
env CAISSON_PKCS11_CONF; env OPENSSL_CONF;
events {{ }}
http {{ access_log off;
{temporary}
server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {token.path("web.pem")};
ssl_certificate_key "engine:pkcs11:{uri("web")}"; return 200 "served\\n"; }} }}
""")
    server = subprocess.Popen([program, "-c", token.path("nginx.conf")], cwd=token.folder,
                              env=token.with_engine(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        said = [fetch(token, port).stdout for _ in range(8)]
        check(said == ["served\n"] * 8, "nginx with a key of the enclave, from its workers", said)
    finally:
        server.terminate()
        server.wait()
    with open(token.path("nginx.log"), encoding="utf-8") as log:
        told = log.read()
    check("exited on signal" not in told, "and its workers end well", told)


def kit(token):
    if not has("p11-kit", "p11-kit", "unshare"):
        return
    os.makedirs(token.path("modules"), exist_ok=True)
    token.write("modules/caisson.module", f"module: {MODULE}\n")
    listing = "mount --bind modules /usr/share/p11-kit/modules && p11-kit list-modules"
    done = token.run("unshare", "-m", "sh", "-c", listing)
    if "mount:" in done.stdout or "unshare:" in done.stdout:
        skip("p11-kit list-modules", "no mount namespace here")
    else:
        check("token: caisson" in done.stdout, "p11-kit list-modules", done.stdout)
    if has("p11tool", "p11tool", "pkcs11-tool"):
        token.key("listed")
        done = token.run("p11tool", "--provider", MODULE, "--list-all")
        check("object=listed;type=private" in done.stdout and
              "CKA_NEVER_EXTRACTABLE" in done.stdout, "p11tool lists it", done.stdout)


# ---- rings, ends, refusals ----

def driver(token, *arguments):
    return token.run(DRIVER, MODULE, *arguments)


def rings(token):
    token.settings(f"rings = {token.path('rings.sock')}\n")
    done = driver(token, "make", "ring-key")
    check(done.returncode == 0, "through rings", done.stdout)
    done = driver(token, "traced", "ring-key")
    check(done.returncode == 0 and "rings 1" in done.stdout, "and they were used", done.stdout)
    # More processes than there are channels: the others go by HTTP, and all are served.
    many = [subprocess.Popen([DRIVER, MODULE, "sign", "ring-key", "30"], cwd=token.folder,
                             env=token.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True) for _ in range(8)]
    said = [(one.communicate(timeout=60)[0], one.returncode) for one in many]
    check(all(code == 0 for _, code in said), "eight processes at once", said)
    # Killed anywhere: the next owner of the channel goes on where it stopped.
    for wait in (0.0, 0.05, 0.1, 0.15, 0.2):
        one = subprocess.Popen([DRIVER, MODULE, "sign", "ring-key", "100000"], cwd=token.folder,
                               env=token.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        one.stdout.readline()
        time.sleep(wait)
        one.kill()
        one.communicate()
        done = driver(token, "traced", "ring-key")
        if not check(done.returncode == 0 and "rings 1" in done.stdout,
                     f"after one that was killed after {wait} s", done.stdout):
            break
    done = driver(token, "threads", "ring-key")
    check(done.returncode == 0, "threads", done.stdout)
    done = driver(token, "forks", "ring-key")
    check(done.returncode == 0, "forks", done.stdout)


def crash(token):
    """The enclave ends under a session: one error at most, and then it goes on."""
    for more in ("", f"rings = {token.path('rings.sock')}\n"):
        token.settings("debug = true\n" + more)
        one = subprocess.Popen([DRIVER, MODULE, "survive", "rings" if more else "http"],
                               cwd=token.folder, env=token.env, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        first = one.stdout.readline()
        token.serving.process.send_signal(signal.SIGUSR1)  # another instance takes its place
        time.sleep(0.5)
        token.serving.grant(2 if more == "" else 3)
        said = one.communicate("go\n", timeout=60)[0]
        check(one.returncode == 0, "rotation under a session" + (", rings" if more else ""),
              (one.returncode, first, said))


def keeps(_):
    """With a store, keys outlive the gateway that is killed and whoever made them."""
    token = Token(store={"folder": "store"})
    os.makedirs(token.path("store"), exist_ok=True)
    try:
        made = driver(token, "make", "kept")
        token.serving.process.kill()
        token.serving.process.communicate()
        token.serving.start()
        token.serving.grant(2)
        token.settings("debug = true\n")
        done = driver(token, "sign", "kept", "3")
        check(made.returncode == 0 and done.returncode == 0, "a key outlives its gateway",
              made.stdout + done.stdout)
    finally:
        token.serving.stop()


def refuses(token):
    with open(token.path("policy.toml"), encoding="utf-8") as file:
        good = file.read()
    token.settings("debug = true\n")
    token.write("policy.toml", good.replace('measurements = ["', 'measurements = ["' + "0" * 96 +
                                            '"]\n#'))
    done = driver(token, "sign", "any", "1")
    check(done.returncode != 0 and "measurement" in done.stdout,
          "an enclave that the policy does not name gets nothing", done.stdout)
    token.write("policy.toml", good)
    token.serving.run("keygen", "producer", "--tenant", "tenant.key", "late.key")
    token.settings("debug = true\n", credential="late.key")
    done = driver(token, "sign", "any", "1")
    check(done.returncode != 0, "a credential that the grant does not have", done.stdout)
    token.settings("debug = true\n", gateway=f"http://127.0.0.1:{free_port()}")
    done = driver(token, "sign", "any", "1")
    check(done.returncode != 0 and "cannot be reached" in done.stdout, "nobody there",
          done.stdout)


def settings(token):
    token.env["CAISSON_PKCS11_DEBUG"] = "1"
    for more, said in (("nonsense = 1\n", "no such setting"), ("lanes = x\n", "not a number"),
                       ("lanes = 0\n", "above 0"), ("login = maybe\n", "true or false"),
                       ("gateway = ftp://x\n", "http://HOST:PORT"), ("gateway\n", "NAME = VALUE"),
                       ("credential = policy.toml\n", "not a credential"),
                       ("policy = app.key\n", "app.key"), ("hide = rsa\n", "not a type"),
                       ("policy = nowhere\n", "No such file")):
        token.settings(more)
        done = driver(token, "sign", "any", "1")
        check(done.returncode != 0 and said in done.stdout, f"{more.strip()}: {said}", done.stdout)
    del token.env["CAISSON_PKCS11_DEBUG"]


def main():
    token = Token()
    try:
        for part in PARTS:
            token.settings("")
            globals()[part](token)
    finally:
        token.serving.stop()
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


sys.exit(main())
