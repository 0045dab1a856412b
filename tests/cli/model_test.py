#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""model_test.py CAISSON: `caisson model` from models of each format to sealed files (TAP)."""
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(FOLDER, "../gateway"), os.path.join(FOLDER, "../../scripts")]
import make_gguf  # noqa: E402
import tap  # noqa: E402

CAISSON = os.path.abspath(sys.argv[1])
CHUNK = 65536
CANARY = "canary of the weights "
MODEL = ["--type", "q4_0", "--layers", "1", "--width", "32", "--inner", "32", "--heads", "1",
         "--vocab", "300"]
SMALL = CHUNK // 2  # files are padded to 32 bytes
TREE = {"tree_param": {"size_leaf_vector": "0"}, "left_children": [1, -1, -1],
        "right_children": [2, -1, -1], "split_indices": [1, 0, 0], "split_conditions": [0.5, 1, 2],
        "default_left": [1, 0, 0], "split_type": [0, 0, 0]}
XGBOOST = {"learner": {
    "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"},
    "objective": {"name": "reg:squarederror"},
    "gradient_booster": {"name": "gbtree", "model": {"trees": [TREE], "tree_info": [0]}}}}


def call(code, *arguments, says=""):
    done = subprocess.run([CAISSON, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == code and says in done.stdout + done.stderr, \
        (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout.strip()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def gguf(size, name="gguf"):
    """A model of that size, by a description of canaries: a chunk of it in the clear would show."""
    keys, length = make_gguf.metadata, 0
    for _ in range(2):
        text = (CANARY * (length // len(CANARY) + 1))[:length]
        make_gguf.metadata = lambda args, text=text: keys(args) + [
            make_gguf.pair("general.description", make_gguf.STRING, text)]
        make_gguf.main([name, *MODEL])
        length += size - os.path.getsize(name)
    make_gguf.metadata = keys
    assert length >= 0 and os.path.getsize(name) == size, (size, os.path.getsize(name))
    return name


def pack(model, output, *more, code=0, says=""):
    return call(code, "model", "pack", "--key", "key", model, output, *more, says=says)


def test_sealed():
    """a GGUF of several chunks: the digest is of header and tags, and nothing is in the clear"""
    for size in (SMALL, CHUNK, 3 * CHUNK + 1024):
        digest = pack(gguf(size), f"sealed.{size}")
        data = read(f"sealed.{size}")
        assert CANARY.encode() in read("gguf")
        tags, at = b"", 128
        while at < len(data):
            at = min(at + CHUNK + 16, len(data))
            tags += data[at - 16:at]
        assert hashlib.sha256(data[:128] + tags).hexdigest() == digest
        assert len(data) == 128 + size + len(tags) and CANARY.encode() not in data
        for more in ((), ("--key", "key")):
            shown = json.loads(call(0, "model", "show", f"sealed.{size}", "--json", *more))
            assert shown == {"file": f"sealed.{size}", "kind": "gguf", "size": size,
                             "digest": digest, "opened": more != ()}
    assert pack("gguf", "again") != digest, "a salt of its own each time"


def test_unsound():
    """a GGUF that an enclave would not take is refused, with the key or the place"""
    data = read(gguf(SMALL, "sound"))
    for bad, says in (
            (data[:5], "GGUF: shape: no sound GGUF file, offset 4"),
            (data[:-100], "GGUF: shape: no sound GGUF file, offset "),
            (data.replace(b"llama.block_count", b"llama.block_kount"),
             "GGUF: shape: a key that is missing, of another type or out of range: "
             "llama.block_count"),
            (data.replace(b"output_norm", b"output_Norm"),
             "GGUF: shape: a tensor that a llama does not have, or has once only, offset "),
            (data.replace(b"<0x41>", b"<0x4a>"),
             "GGUF: shape: vocabulary, token, byte or merge 65")):
        assert bad != data
        pack(write("unsound", bad), "none3", code=1, says=says)
    assert not os.path.exists("none3")
    pack("sound", "none3")


def test_trees():
    """XGBoost's JSON becomes packed trees, which pack as they are; the fault of another is said"""
    write("xgboost", json.dumps(XGBOOST).encode())
    pack("xgboost", "sealed")
    shown = json.loads(call(0, "model", "show", "sealed", "--key", "key", "--json"))
    assert (shown["kind"], shown["size"]) == ("trees", 64 + 16 + 3 * 8), shown
    XGBOOST["learner"]["gradient_booster"]["name"] = "gblinear"
    write("xgboost", json.dumps(XGBOOST).encode())
    pack("xgboost", "none", code=1, says="XGBoost JSON: unsupported: booster gblinear")
    pack(write("none", b"hello"), "none", code=1, says="no known format")
    pack(write("trees", b"CSNTREE1" + bytes(60)), "none2", code=1, says="shape: offset 0")
    pack(write("empty", b""), "none2", code=1, says="empty")
    assert not os.path.exists("none2")


def test_places():
    """into a folder under its digest; over an existing file by --force; readable by the host"""
    os.mkdir("store")
    digest = pack(gguf(SMALL), "store")
    assert os.listdir("store") == [digest]
    assert stat.S_IMODE(os.stat(f"store/{digest}").st_mode) == 0o644
    write("there", b"kept")
    pack("gguf", "there", code=1, says="--force")
    assert read("there") == b"kept"
    pack("gguf", "there", "--force")
    call(0, "model", "show", "there", "--key", "key")
    assert [name for name in os.listdir(".") if name.startswith("there.")] == []


def test_refused():
    """another key, a flipped bit, what is cut or longer: exit 3; a key that others may read: 1"""
    pack(gguf(CHUNK + 64), "whole")
    data = read("whole")
    call(0, "keygen", "weights", "other")
    call(3, "model", "show", "whole", "--key", "other", says="another key")
    flipped = bytearray(data)
    flipped[300] ^= 1
    write("flipped", flipped)
    call(0, "model", "show", "flipped")
    call(3, "model", "show", "flipped", "--key", "key", says="damaged")
    for name, bad in {"cut": data[:-1], "head": data[:100], "longer": data + b"x"}.items():
        call(3, "model", "show", write(name, bad), says="or cut")
    os.chmod("other", 0o640)
    call(1, "model", "show", "whole", "--key", "other", says="chmod 600")
    call(0, "keygen", "signer", "signer")
    call(1, "model", "pack", "--key", "signer", "gguf", "x", says="not a weights key file")
    call(2, "model", "pack", "gguf", "x", says="wants pack --key")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        assert len(call(0, "keygen", "weights", "key")) == 64
        assert stat.S_IMODE(os.stat("key").st_mode) == 0o600
        status = tap.run(tap.chosen(
            [test_sealed, test_unsound, test_trees, test_places, test_refused], 2))
        os.chdir("/")
    sys.exit(status)
