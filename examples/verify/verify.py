#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls libcaisson-verify from Python with nothing but ctypes.

    verify.py LIBRARY FORMAT POLICY|any TIME NONCE EVIDENCE [KIND=FILE]...

KIND is a number of enum csv_part_kind: 2 for an SNP VCEK, 3 for a chain. Prints the verdict as
JSON; exit codes as `caisson verify`: 0 valid, 3 invalid, 4 unverifiable.
"""
import ctypes
import json
import os
import sys

EXIT_CODES = {"valid": 0, "invalid": 3, "unverifiable": 4}


def load(path):
    library = ctypes.CDLL(path)
    pointer, size, out = ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)
    signatures = {
        "csv_input_create": [out],
        "csv_input_add": [pointer, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_char_p, size],
        "csv_input_set_nonce": [pointer, ctypes.c_char_p, size],
        "csv_policy_parse": [ctypes.c_char_p, size, out, pointer],
        "csv_policy_create_insecure_any": [out],
        "csv_appraise": [pointer, pointer, ctypes.c_uint32, out],
        "csv_time_parse": [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int64)],
        "csv_format_number": [ctypes.c_char_p],
        "csv_verdict_json": [pointer, ctypes.c_char_p, size],
    }
    for name, arguments in signatures.items():
        getattr(library, name).argtypes = arguments
    library.csv_time_parse.restype = ctypes.c_bool
    library.csv_verdict_json.restype = size
    library.csv_input_set_time.argtypes = [pointer, ctypes.c_int64]
    for name in ("csv_input_set_time", "csv_input_free", "csv_policy_free", "csv_verdict_free"):
        getattr(library, name).restype = None
    for name in ("csv_input_free", "csv_policy_free", "csv_verdict_free"):
        getattr(library, name).argtypes = [pointer]
    return library


def need(result, what):
    if result != 0:
        raise SystemExit(f"{what}: error 0x{result:04x}")


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def make_policy(library, source):
    policy = ctypes.c_void_p()
    if source == "any":
        need(library.csv_policy_create_insecure_any(ctypes.byref(policy)), "policy")
    else:
        text = read(source)
        need(library.csv_policy_parse(text, len(text), ctypes.byref(policy), None), source)
    return policy


def main():
    path, name, source, when, nonce, evidence, *others = sys.argv[1:]
    library = load(os.path.abspath(path))
    policy = make_policy(library, source)
    input_, verdict, seconds = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int64()
    need(library.csv_input_create(ctypes.byref(input_)), "input")
    kept = []  # the library borrows the bytes
    for part in [f"1={evidence}"] + others:
        kind, _, file = part.partition("=")
        kept.append(read(file))
        need(library.csv_input_add(input_, int(kind), None, kept[-1], len(kept[-1])), file)
    if nonce:
        need(library.csv_input_set_nonce(input_, bytes.fromhex(nonce), len(nonce) // 2), "nonce")
    if not library.csv_time_parse(when.encode(), ctypes.byref(seconds)):
        raise SystemExit(f"{when}: not a time")
    library.csv_input_set_time(input_, seconds)
    library.csv_appraise(policy, input_, library.csv_format_number(name.encode()),
                         ctypes.byref(verdict))
    text = ctypes.create_string_buffer(library.csv_verdict_json(verdict, None, 0) + 1)
    library.csv_verdict_json(verdict, text, len(text))
    print(text.value.decode())
    library.csv_verdict_free(verdict)
    library.csv_input_free(input_)
    library.csv_policy_free(policy)
    sys.exit(EXIT_CODES[json.loads(text.value)["verdict"]])


if __name__ == "__main__":
    main()
