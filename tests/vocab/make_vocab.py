#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small vocabularies of both kinds as GGUF files, and texts to cut with them. The same each time.

    make_vocab.py FOLDER    writes spm.gguf, gpt2.gguf, llama3.gguf, qwen2.gguf, smollm.gguf and
                            texts.json (a list of strings)
"""
import json
import os
import random
import struct
import sys

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind: it's used to it.",
    "I'll say they've won; we're sure he'd agree. I'M SURE THEY'LL SAY WE'VE LOST, HE'D SAY.",
    "In 2024 there were 1234567 cards, 42.50 EUR each (12 %), numbers 007 and 3.14159265.",
    "def add(left, right):\n    return left + right\n\n\nprint(add(1, 2))\n\tif x:\r\n"
    "\t\ty = 3\r\n",
    "Straße, Ärger und Übermut; ça va très bien, garçon? ¿Qué tal, señor? Привет, как дела?",
    "日本語の文章です。東京は大きい。你好，世界！ 안녕하세요 세계. नमस्ते दुनिया. مرحبا بالعالم",
    "   leading and   double  spaces   \n\n\n  and lines  \n \n  \t tabs\t\tthere   ",
    "https://example.org/a?b=c&d=e#f <tag attr=\"v\">text</tag> {\"key\": [1, 2, 3]} // -> => !=",
    "😀😃 emoji 👩‍👩‍👧 and ½ ¾ Ⅻ ² ٣ signs ™ © € …  \u00a0 nbsp\u2003em\u3000wide",
]
EXTRA = ["", " ", "  ", "a", " a", "a ", "\n", "\n\n", " \n", "\n ", " \n a", "'s", "'S", "a's",
         "''s", "'", "x'", "'ll'", "1", "12", "123", "1234", " 1", "  1", "a1b2", "1 2  3   4",
         "...", " ...", "  ...", "...\n", "!\n\n\nx", " !x", "\t", "\tx", "\t\tx", "\r\n\r\n", "é",
         "e\u0301", "\u0301", "ſ's", "'ſ", "İ", "ǅ", "\u200b", "\ufeff", "\u2028x", "\x00", "\x7f",
         "\U0001f600", "\U0010ffff", "a\u00a0\u00a0b", "\u3000\u3000x", "<s>", "</s>", "<unk>",
         "<|im_start|>user\nhi<|im_end|>\n", "<<tool>>", "a<<tool>>b", "<<tool>> <<tool>>",
         "<|im_start|", "<0x41>", "<<<tool>>", "<<<<tool>>>>", "▁", "▁▁a", "a▁b", "Ġ", "Ċx", "Ã©"]
BYTES_PLAIN = list(range(0x21, 0x7f)) + list(range(0xa1, 0xad)) + list(range(0xae, 0x100))
LETTERS = {}
for number in range(256):
    LETTERS[number] = chr(number) if number in BYTES_PLAIN else None
SHIFTED = [n for n in range(256) if LETTERS[n] is None]
for place, number in enumerate(SHIFTED):
    LETTERS[number] = chr(256 + place)
NORMAL, UNKNOWN, CONTROL, USER, BYTE = 1, 2, 3, 4, 6


def learn(sequences, count):
    """The most frequent neighbours, over and over: [(left, right)]."""
    merges = []
    for _ in range(count):
        pairs = {}
        for sequence in sequences:
            for pair in zip(sequence, sequence[1:]):
                pairs[pair] = pairs.get(pair, 0) + 1
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for at, sequence in enumerate(sequences):
            joined = []
            i = 0
            while i < len(sequence):
                if i + 1 < len(sequence) and (sequence[i], sequence[i + 1]) == best:
                    joined.append(sequence[i] + sequence[i + 1])
                    i += 2
                else:
                    joined.append(sequence[i])
                    i += 1
            sequences[at] = joined
    return merges


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def strings(texts):
    return struct.pack("<IQ", 8, len(texts)) + b"".join(string(text) for text in texts)


def write(path, pairs):
    """A GGUF file without tensors. pairs: (key, type, packed value)."""
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)))
        for key, kind, value in pairs:
            file.write(string(key) + struct.pack("<I", kind) + value)


def u32(key, value):
    return key, 4, struct.pack("<I", value)


def model(kind, pieces):
    """What every file says; pieces: (text, score, type)."""
    texts = [piece[0] for piece in pieces]
    return [
        ("general.architecture", 8, string("llama")),
        u32("llama.context_length", 256), u32("llama.embedding_length", 64),
        u32("llama.block_count", 1), u32("llama.feed_forward_length", 64),
        u32("llama.attention.head_count", 2), u32("llama.vocab_size", len(pieces)),
        u32("llama.rope.dimension_count", 32),
        ("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
        ("tokenizer.ggml.model", 8, string(kind)),
        ("tokenizer.ggml.tokens", 9, strings(texts)),
        ("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, len(pieces)) +
         b"".join(struct.pack("<f", piece[1]) for piece in pieces)),
        ("tokenizer.ggml.token_type", 9, struct.pack("<IQ", 5, len(pieces)) +
         b"".join(struct.pack("<i", piece[2]) for piece in pieces)),
    ]


def make_spm(path):
    sequences = [list(text.replace(" ", "▁")) for text in CORPUS]
    merges = learn([list(s) for s in sequences], 400)
    pieces = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    pieces += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    pieces += [("<|im_start|>", 0.0, CONTROL), ("<|im_end|>", 0.0, CONTROL),
               ("<<tool>>", 0.0, USER)]
    known = {piece[0] for piece in pieces}
    for rank, (left, right) in enumerate(merges):
        if left + right not in known:
            known.add(left + right)
            pieces.append((left + right, -float(rank // 3), NORMAL))  # some have the same score
    for letter in sorted(set("".join(map("".join, sequences)))):
        if letter not in known and letter not in "東ç½":  # some are to be cut into bytes
            pieces.append((letter, -1e4 - ord(letter) % 7, NORMAL))
    write(path, model("llama", pieces) + [
        u32("tokenizer.ggml.bos_token_id", 1), u32("tokenizer.ggml.eos_token_id", 2),
        u32("tokenizer.ggml.unknown_token_id", 0)])


def probe_merges():
    """What tells to which class a character belongs: does it stand in one word with a 1 !"""
    ends = [LETTERS[byte] for byte in range(0x80, 0xc0)]
    return [(end, sign) for sign in "a1!" for end in ends]


def make_bpe(path, split):
    sequences = [[LETTERS[byte] for byte in text.encode()] for text in CORPUS]
    merges = learn(sequences, 500)
    known = {left + right for left, right in merges}
    merges += [pair for pair in probe_merges() if "".join(pair) not in known]
    pieces = [(LETTERS[byte], 0.0, NORMAL) for byte in range(256)]
    seen = {piece[0] for piece in pieces}
    for left, right in merges:
        if left + right not in seen:
            seen.add(left + right)
            pieces.append((left + right, 0.0, NORMAL))
    pieces += [(text, 0.0, NORMAL) for text in ("Ġquick", "xyzzy", "ĠÐ¿ÑĢ")]  # no merge makes them
    pieces += [("<|im_start|>", 0.0, CONTROL), ("<|im_end|>", 0.0, CONTROL),
               ("<<tool>>", 0.0, USER), ("<|endoftext|>", 0.0, CONTROL)]
    write(path, model("gpt2", pieces) + [
        ("tokenizer.ggml.pre", 8, string(split)),
        ("tokenizer.ggml.merges", 9, strings([f"{left} {right}" for left, right in merges])),
        u32("tokenizer.ggml.bos_token_id", len(pieces) - 1),
        u32("tokenizer.ggml.eos_token_id", len(pieces) - 1)])


def make_texts(count):
    draw = random.Random(20261128)
    parts = EXTRA + [c for text in CORPUS for c in text] + CORPUS
    for text in CORPUS:
        parts += text.split(" ")
    texts = EXTRA + CORPUS
    for _ in range(count):
        texts.append("".join(draw.choice(parts) for _ in range(draw.randrange(1, 9))))
    return texts


def make_all(folder, count):
    os.makedirs(folder, exist_ok=True)
    make_spm(os.path.join(folder, "spm.gguf"))
    for name, split in (("gpt2", "gpt-2"), ("llama3", "llama-bpe"), ("qwen2", "qwen2"),
                        ("smollm", "smollm")):
        make_bpe(os.path.join(folder, name + ".gguf"), split)
    with open(os.path.join(folder, "texts.json"), "w", encoding="utf-8") as file:
        json.dump(make_texts(count), file)


if __name__ == "__main__":
    make_all(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 400)
