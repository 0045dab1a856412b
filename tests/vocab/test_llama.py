#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens of many texts, as llama.cpp gives them (TAP).

    test_llama.py ENCODE_TEXTS             compares with expected.json
    test_llama.py ENCODE_TEXTS MODULES     asks llama.cpp itself: the npm package node-llama-cpp
                                           (3.22.1) in that node_modules; writes expected.json

expected.json has a hash for each block of 512 texts: every text's tokens, control tokens taken as
text and as tokens. The texts are make_vocab.py's, and for one model all code points of Unicode.
"""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

import make_vocab

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "expected.json")
MODELS = ["spm", "gpt2", "llama3", "qwen2", "smollm"]
CLASSES = "qwen2"  # which also cuts a text with each code point: the others have its classes
BLOCK = 512


def code_points():
    """Each between letters, digits and signs, so that its class shows."""
    points = [chr(code) for code in range(0x20, 0x110000) if not 0xd800 <= code < 0xe000]
    return ["\n".join(f"{p}a{p}1{p}!" for p in points[at:at + 64])
            for at in range(0, len(points), 64)]


def ours(program, model, texts):
    """(two lines of tokens for each text, what its tokens say)"""
    data = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in texts)
    out = subprocess.run([program, model], input=data, capture_output=True, check=True).stdout
    lines = out.decode().split("\n")
    return ([lines[3 * i] + "\n" + lines[3 * i + 1] for i in range(len(texts))],
            [bytes.fromhex(lines[3 * i + 2]) for i in range(len(texts))])


def theirs(modules, model, texts, folder):
    path = os.path.join(folder, "asked.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(texts, file)
    out = os.path.join(folder, "answered.json")
    subprocess.run(["node", os.path.join(HERE, "llama.mjs"), modules, model, path, out],
                   stderr=subprocess.DEVNULL, check=True)
    with open(out, encoding="utf-8") as file:
        return ["\n".join(" ".join(map(str, tokens)) for tokens in pair)
                for pair in json.load(file)]


def hashes(tokens):
    return [hashlib.sha256("\n".join(tokens[at:at + BLOCK]).encode()).hexdigest()[:16]
            for at in range(0, len(tokens), BLOCK)]


def first_apart(texts, left, right):
    return next((f"{texts[i]!r}: {left[i]} and {right[i]}"
                 for i in range(len(texts)) if left[i] != right[i]), None)


def gives_back(model, text, found):
    """The bytes of tokens are the text; control tokens have none, SPM begins with a space."""
    if any(sign in text for sign in ("<s>", "</s>", "<unk>", "<|")):
        return True
    if model == "spm":
        # after a token of the user's a space is put as well, and its own mark reads as a space
        return found.replace(b" ", b"") == text.replace(" ", "").replace("▁", "").encode()
    return found == text.encode()


def main():
    program = sys.argv[1]
    modules = sys.argv[2] if len(sys.argv) > 2 else None
    expected = {} if modules else json.load(open(EXPECTED, encoding="utf-8"))
    number = 0
    failed = 0
    print(f"1..{2 * len(MODELS)}")
    with tempfile.TemporaryDirectory() as folder:
        make_vocab.make_all(folder, 8000)
        texts = json.load(open(os.path.join(folder, "texts.json"), encoding="utf-8"))
        written = texts
        for model in MODELS:
            texts = written + (code_points() if model == CLASSES else [])
            path = os.path.join(folder, model + ".gguf")
            tokens, found = ours(program, path, texts)
            if modules:
                asked = theirs(modules, path, texts, folder)
                apart = first_apart(texts, tokens, asked)
                expected[model] = hashes(asked)
            else:
                wrong = [i for i, (a, b) in enumerate(zip(hashes(tokens), expected[model]))
                         if a != b]
                apart = f"blocks {wrong}" if wrong else None
            number += 1
            print(f"{'not ok' if apart else 'ok'} {number} - {model}: {len(texts)} texts")
            if apart:
                failed = 1
                print("#", apart)
            lost = next((t for t, f in zip(written, found) if not gives_back(model, t, f)),
                        None)
            number += 1
            print(f"{'ok' if lost is None else 'not ok'} {number} - {model} gives them back")
            if lost is not None:
                failed = 1
                print("#", repr(lost))
    if modules:
        with open(EXPECTED, "w", encoding="utf-8") as file:
            json.dump(expected, file, indent=0)
            file.write("\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
