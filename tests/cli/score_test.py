#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""score_test.py CAISSON TOKENIZE BACKEND: a fraud score by the command, from a model's text to an
opened record: the host keeps the sealed file, and what it does to it refuses the grant (TAP)."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gateway"))
import tap  # noqa: E402

CAISSON, IMAGE, BACKEND = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
# amount <= 100 ? (country in {GB, FR} ? -2 : 0) : 3, and 1 more where the age is missing or <= 30
LIGHTGBM = """tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=2
objective=binary sigmoid:1

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
threshold=100 0
decision_type=8 1
left_child=1 -1
right_child=-3 -2
leaf_value=-2 0 3
cat_boundaries=0 1
cat_threshold=5
is_linear=0

Tree=1
num_leaves=2
num_cat=0
split_feature=2
threshold=30
decision_type=10
left_child=-1
right_child=-2
leaf_value=1 0
is_linear=0

end of trees
"""
RECORDS = b"""{"amount":12.5,"country":"FR","card":{"age_days":400,"pan":"4111111111111111"}}
{"amount":250,"country":"FR"}
{"amount":"99","country":"XX","card":{"age_days":3},"risk":0}
"""
SCORES = [0.119203, 0.982014, 0.731059]  # of -2, 4 and 1


def call(code, *arguments, says="", **options):
    done = subprocess.run([CAISSON, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False, **options)
    assert done.returncode == code and says in done.stdout + done.stderr, \
        (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout.strip()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def begin():
    """Keys of a tenant, a sealed model in the host's folder, a policy that names it."""
    kinds = ("signer", "root", "tenant", "weights")
    public = {kind: call(0, "keygen", kind, kind) for kind in kinds}
    call(0, "keygen", "consumer", "--tenant", "tenant", "--name", "c", "consumer")
    call(0, "keygen", "producer", "--tenant", "tenant", "--consumer", "c", "producer")
    call(0, "sign", IMAGE, "--key", "signer", "-o", "sig")
    os.mkdir("store")
    write("model.txt", LIGHTGBM.encode())
    public["digest"] = call(0, "model", "pack", "--key", "weights", "model.txt", "store")
    features = ["amount", {"path": "country", "categories": ["GB", "DE", "FR"]}, "card.age_days"]
    policy = {"version": 1, "default": "keep", "fields": [{"path": "card", "action": "drop"}],
              "score": {"model": public["digest"], "name": "risk", "features": features,
                        "check": True}}
    write("policy.json", json.dumps(policy).encode())
    return public


class Service:
    """`caisson run` that waits for a grant; its records come from a file that is filled later."""

    def __init__(self, public, *options):
        self.public = public
        self.process = subprocess.Popen(
            [CAISSON, "run", IMAGE, "--signature", "sig", "--root", "root", "--control", "sock",
             "--backend", BACKEND, "--output", "answers", *options],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE)

    def grant(self, code, version, *options, says=""):
        call(code, "grant", "--control", "sock", "--tenant", "tenant", "--policy", "policy.json",
             "--version", str(version), "--image", IMAGE, "--insecure-dev", "--root",
             self.public["root"], "--statement", "statement", *options, says=says)

    def serve(self):
        write("lines", RECORDS)
        call(0, "seal", "--statement", "statement", "--tenant-id", self.public["tenant"],
             "--credential", "producer", "lines", "sealed")
        _, said = self.process.communicate(read("sealed"), timeout=60)
        assert self.process.returncode == 0, said
        call(0, "open", "--consumer", "consumer", "answers", "opened")
        return [json.loads(line) for line in read("opened").splitlines()]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        if os.path.exists("sock"):
            os.unlink("sock")


def with_service(public, options, body):
    service = Service(public, *options)
    try:
        return body(service)
    finally:
        service.end()


def test_scores(public):
    """each record has its score, of fields that are dropped too; evidence names the model"""
    def body(service):
        service.grant(0, 1, "--weights-key", "weights")
        nonce = "5a" * 32
        call(0, "evidence", "--control", "sock", "--nonce", nonce, "-o", "evidence")
        seen.append(call(0, "verify", "evidence", "--image", IMAGE, "--insecure-dev", "--root",
                         public["root"], "--nonce", nonce, "--at", "now", "--json"))
        return service.serve()
    seen = []
    opened = with_service(public, ("--store", "store"), body)
    assert public["digest"] in seen[0], seen
    assert [record["risk"] for record in opened] == SCORES, opened
    assert all("card" not in record and list(record)[-1] == "risk" for record in opened), opened
    assert b"CSNTREE1" not in read(f"store/{public['digest']}")


def test_refused(public):
    """no key, another one, no store, no model, a changed one: no grant; then the right one"""
    call(0, "keygen", "weights", "other")
    path = f"store/{public['digest']}"
    data = read(path)

    def body(service):
        service.grant(1, 1, says="a score needs the key")
        service.grant(1, 1, "--weights-key", "other", says="refuses")
        for changed in (data[:-1], data[:200] + bytes([data[200] ^ 1]) + data[201:], b""):
            write(path, changed)
            service.grant(1, 1, "--weights-key", "weights", says="refuses")
        write(path, data)
        service.grant(0, 1, "--weights-key", "weights")
        return service.serve()
    opened = with_service(public, ("--store", "store"), body)
    assert [record["risk"] for record in opened] == SCORES, opened
    os.mkdir("empty")
    for options in ((), ("--store", "empty")):
        with_service(public, options, lambda service: service.grant(
            1, 1, "--weights-key", "weights", says="refuses"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        status = tap.run(tap.chosen([test_scores, test_refused], 4), begin())
        os.chdir("/")
    sys.exit(status)
