#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A GGUF file of the llama architecture with random weights, of any shape and type.

    scripts/make_gguf.py OUT --type q4_k --layers 4 --width 256 --inner 768 --heads 8 --kv-heads 2

The same arguments give the same file. Weights have the spread that trained ones have, so that
activations stay in range; what such a model says has no meaning. Standard library only.
"""
import argparse
import math
import random
import struct
import sys

# name: (number in the file, weights of a block, its bytes, key "general.file_type")
TYPES = {"f32": (0, 1, 4, 0), "f16": (1, 1, 2, 1), "q4_0": (2, 32, 18, 2), "q8_0": (8, 32, 34, 7),
         "q4_k": (12, 256, 144, 14), "q6_k": (14, 256, 210, 18)}
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
ALIGNMENT = 32
CHUNK = 1 << 20


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    if kind == STRING:
        return text(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<B"}[kind], value)


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + scalar(kind, value)


def array(key, kind, values):
    return text(key) + struct.pack("<IIQ", ARRAY, kind, len(values)) + \
        b"".join(scalar(kind, value) for value in values)


# ---- weights -------------------------------------------------------------------------------------
def spread_halves(rng, count, value):
    """count halves with the exponent of value, random fractions and no sign: low and high bytes."""
    exponent = max(1, min(30, math.floor(math.log2(value)) + 15))
    high = bytes(exponent << 2 | i & 3 for i in range(256))
    return rng.randbytes(count), rng.randbytes(count).translate(high)


def put(target, start, step, data):
    target[start::step] = data


def floats(rng, count, spread, size):
    """Plus or minus spread to twice spread, or half of it."""
    raw = bytearray(rng.randbytes(count * size))
    exponent = math.floor(math.log2(spread))
    if size == 2:
        tops = [max(1, exponent + 15), max(1, exponent + 14)]
        table = bytes((b & 0x83) | tops[b >> 2 & 1] << 2 for b in range(256))
        put(raw, 1, 2, bytes(raw[1::2]).translate(table))
    else:
        biased = exponent + 127
        put(raw, 3, 4, bytes(raw[3::4]).translate(
            bytes((b & 0x80) | biased >> 1 for b in range(256))))
        put(raw, 2, 4, bytes(raw[2::4]).translate(
            bytes((b & 0x7f) | (biased & 1) << 7 for b in range(256))))
    return raw


# Where the halves of a block stand, and by how much the whole numbers spread on their own.
SCALES = {"q8_0": [(0, 74)], "q4_0": [(0, 4.6)], "q4_k": [(0, 36.6 * 4.6), (2, 36.6 * 4.6 / 8)],
          "q6_k": [(208, 18.5 * 74)]}


def blocks(rng, name, count, spread):
    size = TYPES[name][2]
    raw = bytearray(rng.randbytes(count * size))
    for place, own in SCALES[name]:
        low, high = spread_halves(rng, count, spread / own)
        put(raw, place, size, low)
        put(raw, place + 1, size, high)
    if name == "q4_k":  # what is taken off goes with the scale: weights on both sides of zero
        both = bytes(i & 15 | (i & 15) << 4 for i in range(256))
        for i in range(4):
            put(raw, 8 + i, size, bytes(raw[4 + i::size]))
            put(raw, 12 + i, size, bytes(raw[12 + i::size]).translate(both))
    return raw


def weights(rng, name, columns, rows, scale):
    """All bytes of a matrix, in pieces."""
    spread = scale / math.sqrt(columns)
    _, per_block, size, _ = TYPES[name]
    left = columns * rows // per_block
    while left > 0:
        count = min(left, CHUNK // size)
        yield floats(rng, count, spread, size) if per_block == 1 else \
            blocks(rng, name, count, spread)
        left -= count


def vector(rng, count, low, high):
    yield struct.pack(f"<{count}f", *(rng.uniform(low, high) for _ in range(count)))


# ---- the file ------------------------------------------------------------------------------------
def tokens(count):
    """Names, scores and kinds in the manner of SentencePiece with a fallback to bytes."""
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["\u2581"] + list(letters)
    words += ["\u2581" + a for a in letters] + [a + b for a in letters for b in letters]
    words += [a + b + c for a in letters for b in letters for c in letters]
    words += [f"\u2581w{i}" for i in range(max(0, count - len(names) - len(words)))]
    names = (names + words)[:count]
    kinds = (kinds + [1] * count)[:count]
    scores = [0.0 if kind != 1 else -float(i) for i, kind in enumerate(kinds)]
    return names, scores, kinds


def metadata(args):
    head_size = args.head_size or args.width // args.heads
    names, scores, kinds = tokens(args.vocab)
    keys = [
        pair("general.architecture", STRING, "llama"),
        pair("general.name", STRING, f"random weights, seed {args.seed}"),
        pair("general.file_type", U32, TYPES[args.type][3]),
        pair("llama.block_count", U32, args.layers),
        pair("llama.context_length", U32, args.context),
        pair("llama.embedding_length", U32, args.width),
        pair("llama.feed_forward_length", U32, args.inner),
        pair("llama.attention.head_count", U32, args.heads),
        pair("llama.attention.head_count_kv", U32, args.kv_heads or args.heads),
        pair("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        pair("llama.rope.freq_base", F32, args.rope_base),
        pair("llama.rope.dimension_count", U32, head_size),
        pair("llama.vocab_size", U32, args.vocab),
        pair("tokenizer.ggml.model", STRING, "llama"),
        array("tokenizer.ggml.tokens", STRING, names),
        array("tokenizer.ggml.scores", F32, scores),
        array("tokenizer.ggml.token_type", I32, kinds),
        pair("tokenizer.ggml.bos_token_id", U32, 1),
        pair("tokenizer.ggml.eos_token_id", U32, 2),
        pair("tokenizer.ggml.unknown_token_id", U32, 0),
    ]
    if args.head_size:
        keys += [pair("llama.attention.key_length", U32, head_size),
                 pair("llama.attention.value_length", U32, head_size)]
    if args.rope_linear:
        keys += [pair("llama.rope.scaling.type", STRING, "linear"),
                 pair("llama.rope.scaling.factor", F32, args.rope_linear)]
    return keys


def shapes(args):
    """(name, columns, rows, type): rows 0 for a vector."""
    head_size = args.head_size or args.width // args.heads
    queries = args.heads * head_size
    keys = (args.kv_heads or args.heads) * head_size
    outer = args.output_type or args.type
    found = [("token_embd.weight", args.width, args.vocab, args.embedding_type or args.type)]
    for i in range(args.layers):
        found += [(f"blk.{i}.{name}.weight", columns, rows, args.type) for name, columns, rows in [
            ("attn_norm", args.width, 0), ("attn_q", args.width, queries),
            ("attn_k", args.width, keys), ("attn_v", args.width, keys),
            ("attn_output", queries, args.width), ("ffn_norm", args.width, 0),
            ("ffn_gate", args.width, args.inner), ("ffn_up", args.width, args.inner),
            ("ffn_down", args.inner, args.width)]]
    found += [("output_norm.weight", args.width, 0, "f32")]
    if args.rope_factors:
        found += [("rope_freqs.weight", head_size // 2, 0, "f32")]
    if not args.tied:
        found += [("output.weight", args.width, args.vocab, outer)]
    return found


def pad(stream, at):
    stream.write(b"\0" * (-at % ALIGNMENT))
    return at + -at % ALIGNMENT


def write(stream, args):
    keys = metadata(args)
    rng = random.Random(args.seed)
    found = shapes(args)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(found), len(keys)) + b"".join(keys)
    offset = 0
    for name, columns, rows, kind in found:
        number, per_block, size, _ = TYPES[kind if rows else "f32"]
        if rows and columns % per_block:
            sys.exit(f"make_gguf.py: {columns} columns are no whole blocks of {kind}")
        dims = [columns] + ([rows] if rows else [])
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, offset)
        length = columns // per_block * size * rows if rows else columns * 4
        offset += length + -length % ALIGNMENT
    stream.write(head)
    at = pad(stream, len(head))
    for name, columns, rows, kind in found:
        if rows:
            scale = args.output_scale if name == "output.weight" else \
                math.sqrt(columns) if name == "token_embd.weight" else 1.0
            pieces = weights(rng, kind, columns, rows, scale)
        elif name == "rope_freqs.weight":
            pieces = vector(rng, columns, 1.0, 8.0)
        else:
            pieces = vector(rng, columns, 0.8, 1.2)
        for piece in pieces:
            stream.write(piece)
            at += len(piece)
        at = pad(stream, at)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--type", choices=TYPES, default="f32")
    parser.add_argument("--output-type", choices=TYPES, help="of output.weight, if another")
    parser.add_argument("--embedding-type", choices=TYPES, help="of token_embd.weight, if another")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--inner", type=int, default=512)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--kv-heads", type=int, default=0, help="as heads if not given")
    parser.add_argument("--head-size", type=int, default=0, help="width / heads if not given")
    parser.add_argument("--vocab", type=int, default=512)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--rope-base", type=float, default=10000.0)
    parser.add_argument("--rope-linear", type=float, default=0, help="factor of linear scaling")
    parser.add_argument("--rope-factors", action="store_true", help="with rope_freqs.weight")
    parser.add_argument("--tied", action="store_true", help="without output.weight")
    parser.add_argument("--output-scale", type=float, default=4.0, help="spread of logits")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    with open(args.out, "wb") as stream:
        write(stream, args)


if __name__ == "__main__":
    main()
