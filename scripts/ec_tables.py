#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/crypto/ec_tables.c: multiples of the base points of P-256 and P-384.

    scripts/ec_tables.py > src/crypto/ec_tables.c
    scripts/ec_tables.py --check src/crypto/ec_tables.c    # as a test (TAP)
"""
import contextlib
import io
import sys

TEETH = 6
BLOCKS = 4
SPANS = {"p256": 44, "p384": 68}
CURVES = {
    "p256": (2**256 - 2**224 + 2**192 + 2**96 - 1, 4,
             0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
             0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
             0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
    "p384": (2**384 - 2**128 - 2**96 + 2**32 - 1, 6,
             int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a"
                 "c656398d8a2ed19d2a85c8edd3ec2aef", 16),
             int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
                 "5502f25dbf55296c3a545e3872760ab7", 16),
             int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
                 "0a60b1ce1d7e819d7a431d7c90ea0e5f", 16)),
}


def add(left, right, prime):
    if left is None:
        return right
    if left == right:
        slope = 3 * (left[0] ** 2 - 1) * pow(2 * left[1], -1, prime)
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, prime)
    x = (slope * slope - left[0] - right[0]) % prime
    return x, (slope * (left[0] - x) - left[1]) % prime


def words(value, count, indent):
    """Ascending words of a number, two a line."""
    parts = [f"UINT64_C(0x{value >> 64 * i & 2**64 - 1:016x})" for i in range(count)]
    lines = [", ".join(parts[i:i + 2]) for i in range(0, count, 2)]
    return (",\n" + " " * indent).join(lines)


def negative(point, prime):
    return point[0], -point[1] % prime


def double_often(point, count, prime):
    for _ in range(count):
        point = add(point, point, prime)
    return point


def table(name, prime, count, x, y):
    span = SPANS[name]
    teeth = [(x, y)]
    for _ in range(TEETH - 1):
        teeth.append(double_often(teeth[-1], span, prime))
    print(f"const uint64_t csn_ec_table_{name}[CSN_EC_BLOCKS * CSN_EC_SUMS * 2 * {count}] = {{")
    for _ in range(BLOCKS):
        for digit in range(2 ** (TEETH - 1)):
            point = teeth[-1]
            for i in range(TEETH - 1):
                point = add(point, teeth[i] if digit >> i & 1 else negative(teeth[i], prime),
                            prime)
            for coordinate in point:
                print("    " + words((coordinate << 64 * count) % prime, count, 4) + ",")
        teeth = [double_often(tooth, span // BLOCKS, prime) for tooth in teeth]
    print("};\n")


def row(what, name, value, count):
    print(f"const uint64_t csn_ec_{what}_{name}[{count}] = {{\n    "
          + words(value, count, 4) + "};\n")


def field(name, prime, count, b):
    row("square", name, 2**(128 * count) % prime, count)
    row("b", name, (b << 64 * count) % prime, count)


def write():
    print("/* SPDX-License-Identifier: Apache-2.0 */\n"
          "/* ec_tables.c: made by scripts/ec_tables.py; ec_tables.h says what it holds. */\n"
          '#include "ec_tables.h"\n\n/* clang-format off */')
    for name, (prime, count, b, x, y) in CURVES.items():
        field(name, prime, count, b)
        table(name, prime, count, x, y)
    print("/* clang-format on */")


def main():
    if len(sys.argv) != 3:
        write()
        return 0
    made = io.StringIO()
    with contextlib.redirect_stdout(made):
        write()
    with open(sys.argv[2], encoding="ascii") as stream:
        same = stream.read() == made.getvalue()
    print(f"{'ok' if same else 'not ok'} 1 - {sys.argv[2]} is what this script writes\n1..1")
    return 0 if same else 1


sys.exit(main())
