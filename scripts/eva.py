#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Frama-C's Eva over the parsers of proofs/eva, and over seeded bugs in them, as a test (TAP).

    scripts/eva.py            every parser: no alarm; every seeded bug: at least one
    scripts/eva.py NAME...    only these parsers and their bugs

An alarm is a read or write, a comparison of pointers, an overflow or the like that Eva cannot rule
out. Without frama-c the test is skipped.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MUTATE = os.path.join(ROOT, "tests/mutants/mutate.py")
HINT = "apt-get install -y --no-install-recommends frama-c-base"
SECONDS = 600
READ = "src/verify/parse/read.h"
REPORT = "src/verify/snp/snp_report.c"
DER = "src/verify/parse/der.c"
BUNDLE = "src/verify/caisson/bundle.c"
HCL = "src/verify/azure/hcl.c"
QUOTE = "src/verify/dcap/quote.c"
QUOTE_CLAIMS = "src/verify/dcap/quote_claims.c"
# How Eva is to follow a reader: each size that is read on its own, for the place in the bytes and
# what is left of them depend on each other. Annotations are comments: the code stays as it is.
HINTS = {READ: [("reader->at += size; reader->left -= size;",
                 "/*@ split size; */ reader->at += size; reader->left -= size;"
                 "/*@ split reader->left; */")],
         HCL: [("*hcl = (struct csv_hcl){", "/*@ split json_size; */ *hcl = (struct csv_hcl){")]}
EVA = ["-machdep", "gcc_x86_64", "-c11", "-eva", "-eva-precision", "3", "-eva-slevel", "100000",
       "-eva-auto-loop-unroll", "200", "-eva-split-return", "auto", "-eva-split-limit", "2000",
       "-eva-interprocedural-splits"]

# Readers that are put into their callers instead: what became of a read stays together with what
# was read, and sizes need not be followed one by one.
INLINED = {"quote": "csv_read_run,csv_read_le,csv_read_bytes"}

# name -> sources, options, seeded bugs (name, file, what stands there, what then stands there)
PARSERS = {
    "read": ([], [], [
        ("bound_left_out", READ, "reader->failed || size > reader->left", "reader->failed"),
        ("bound_off_by_one", READ, "size > reader->left", "size > reader->left + 1"),
        ("null_is_read", READ, "at != NULL && i < size; i++) { value |=",
         "i < size; i++) { value |="),
        ("begins_late", READ, "const uint8_t *at = reader->at;",
         "const uint8_t *at = reader->at + 1;"),
        ("zero_off_by_one", READ, "i < size; i++) { any", "i <= size; i++) { any"),
    ]),
    "snp": (["proofs/eva/claims.c", REPORT, "src/verify/snp/snp_product.c"], [], [
        ("size", REPORT, "evidence.size == CSV_SNP_REPORT_SIZE",
         "evidence.size >= CSV_SNP_REPORT_SIZE - 1"),
        ("span_end", REPORT, "{0x318, 0x4a0}", "{0x318, 0x4a1}"),
        ("component", REPORT, "for (size_t i = 0; i < CSV_SNP_TCB_SIZE; i++)",
         "for (size_t i = 0; i <= CSV_SNP_TCB_SIZE; i++)"),
    ]),
    "der": ([DER, "src/verify/text.c"],
            ["-eva-slevel-function", "csv_time_read:0,digits_read:0"], [
        ("bits_of_no_size", DER, "bits->size == 0 ||", ""),
        ("number_unbounded", DER, "content.size == 0 ||", ""),
        ("optional_at_the_end", DER, "reader->left != 0 &&", ""),
        ("time_of_any_size", DER, "text.size != 15 - skip ||", ""),
    ]),
    "quote": ([QUOTE], ["-eva-split-return", "full"], [
        ("start_too_short", QUOTE, "bytes.size < CSV_QUOTE_HEADER_SIZE", "bytes.size < 4"),
        ("type_off_by_one", QUOTE, "> CSV_QUOTE_BODY_TD15EX ||", "> CSV_QUOTE_BODY_TD15EX + 1 ||"),
        ("length_unchecked", QUOTE,
         "quote->cert = csv_read_run(reader, (size_t)csv_read_le(reader, 4));",
         "quote->cert.size = (size_t)csv_read_le(reader, 4);"
         "quote->cert.at = csv_read_bytes(reader, reader->left);"),
        ("trailing_too_long", QUOTE,
         "quote->trailing = (struct csv_bytes){reader->at, reader->left}",
         "quote->trailing = (struct csv_bytes){reader->at, reader->left + 1}"),
    ]),
    "quote_claims": (["proofs/eva/claims.c", QUOTE_CLAIMS], [], [
        ("longest_for_all", QUOTE_CLAIMS, "field->offset + field->size > body.size", "false"),
        ("attributes", QUOTE_CLAIMS, "(sgx ? 48 : 120), 8", "(sgx ? 377 : 120), 8"),
        ("qe_report", QUOTE_CLAIMS, "quote->qe_report + 258, 2", "quote->qe_report + 383, 2"),
    ]),
    "hcl": ([HCL], [], [
        ("header_too_short", HCL, "bytes.size < JSON_OFFSET)", "bytes.size < JSON_OFFSET - 1)"),
        ("json_unbounded", HCL, "|| json_size > bytes.size - JSON_OFFSET", ""),
        ("end_off_by_one", HCL, "csv_is_zero(bytes.at + end, bytes.size - end)",
         "csv_is_zero(bytes.at + end + 1, bytes.size - end)"),
    ]),
    # One state for each letter of the name is enough; one for each spelling would never end.
    "bundle": ([BUNDLE], ["-eva-slevel-function", "name_is_terminated:0"], [
        ("head_too_short", BUNDLE, "if (size < sizeof head ||", "if (size < sizeof head - 1 ||"),
        ("sum_left_out", BUNDLE, "+ head.platform_size != size)", "+ head.platform_size == 0)"),
        ("sum_off_by_one", BUNDLE, "+ head.platform_size != size)",
         "+ head.platform_size != size + 1)"),
    ]),
}


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=ROOT, timeout=SECONDS, check=False).stdout


def put(folder, path, source, old, new):
    """A changed copy of source under folder, where it stands in for path."""
    target = os.path.join(folder, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    made = target + ".made"
    done = subprocess.run([sys.executable, MUTATE, source, made, old, new], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise ValueError(done.stdout.strip())
    os.replace(made, target)


def analyse(name, bug=None):
    """(alarms, percentage of statements reached, output) of one parser; with a bug, of its first
    alarm there is no percentage."""
    sources, options, _ = PARSERS[name]
    with tempfile.TemporaryDirectory(prefix="eva") as folder:
        def current(path):
            copy = os.path.join(folder, path)
            return copy if os.path.exists(copy) else os.path.join(ROOT, path)
        if bug is not None:
            put(folder, bug[1], current(bug[1]), bug[2], bug[3])
        for path, hints in HINTS.items():
            for old, new in [] if name in INLINED else hints:
                put(folder, path, current(path), old, new)
        folders = [os.path.join(folder, "src"), ROOT + "/proofs/eva", ROOT + "/src",
                   ROOT + "/include"]
        once = ["-eva-stop-at-nth-alarm", "1"] if bug is not None else []
        inlined = ["-inline-calls", INLINED[name]] if name in INLINED else []
        output = run(["frama-c", "-cpp-extra-args=" + " ".join("-I" + f for f in folders)] + EVA +
                     inlined + options + once + ["proofs/eva/" + name + ".c"] +
                     [current(s) for s in sources])
    # Eva's own count leaves out preconditions (of memcpy and the like) that it cannot rule out.
    alarms = len(re.findall(r"^\[eva:alarm\]", output, re.M))
    reached = re.search(r"statements reached \(out of \d+\): (\d+)% coverage", output)
    if reached is None:
        return (alarms if bug is not None and alarms > 0 else None), None, output
    return alarms, int(reached[1]), output


def check(name, bug=None):
    """(passed, what to print)."""
    try:
        alarms, reached, output = analyse(name, bug)
    except (subprocess.TimeoutExpired, ValueError) as fault:
        return False, f"{name}: {fault}"
    what = f"{name}, {bug[0]}" if bug else name
    if alarms is None:
        return False, f"{what}: no analysis\n# " + "\n# ".join(output.splitlines()[-12:])
    text = f"{what}: {alarms} alarms, {reached}% of the statements reached"
    if reached is None:
        text = f"{what}: an alarm"
    passed = alarms > 0 if bug else alarms == 0
    if not passed and not bug:
        text += "".join("\n# " + line for line in re.findall(r"eva:alarm\] .*\n.*", output))
        text = re.sub(r"\n(?!#)", "\n# ", text)
    return passed, text


def main():
    names = sys.argv[1:] or list(PARSERS)
    if shutil.which("frama-c") is None:
        print("1..0 # SKIP frama-c is not installed: " + HINT)
        return 0
    jobs = [(name, bug) for name in names for bug in [None] + PARSERS[name][2]]
    print(f"1..{len(jobs)}", flush=True)
    failed = 0
    for number, (name, bug) in enumerate(jobs, 1):
        passed, text = check(name, bug)
        failed += not passed
        first, *rest = text.split("\n")
        print("\n".join([f"{'ok' if passed else 'not ok'} {number} - {first}"] + rest), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
