#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inspects a linked image: no undefined or allocator symbol, no constructor, no TLS, no relocation,
and no instruction that leaves it or asks the machine. With --control the file must fail."""
import re
import subprocess
import sys

ALLOCATORS = {"malloc", "free", "calloc", "realloc", "mmap", "munmap", "brk", "sbrk", "mlock",
              "posix_memalign", "aligned_alloc", "sodium_malloc", "sodium_free", "getrandom"}
FORBIDDEN = {"syscall", "sysenter", "int", "in", "out", "ins", "outs", "cpuid", "xgetbv", "rdtsc"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def problems(path):
    for line in run("nm", path).splitlines():
        fields = line.split()
        kind, name = fields[-2], fields[-1]
        if kind in "Uw":
            yield f"undefined symbol {name}"
        if name in ALLOCATORS:
            yield f"allocator or system symbol {name}"
    for line in run("objdump", "-d", "--no-show-raw-insn", path).splitlines():
        match = re.match(r"\s+[0-9a-f]+:\s+(?:rep\w*\s+|lock\s+)*([a-z]\w*)", line)
        if match and re.sub(r"(?<=ins|uts)[bwld]$", "", match.group(1)) in FORBIDDEN:
            yield f"instruction {line.strip()}"
    sections = run("readelf", "-W", "-S", path)
    for bad in (".init_array", ".ctors", ".tbss", ".tdata", ".dynamic", ".interp"):
        if re.search(rf"\s{re.escape(bad)}\s", sections):
            yield f"section {bad}"
    for line in run("readelf", "-W", "-l", path).splitlines():
        if re.match(r"\s+(TLS|INTERP|DYNAMIC)\s", line) or re.match(r"\s+LOAD\s.*\sRWE\s", line):
            yield f"segment {line.strip()}"
    headers = run("readelf", "-W", "-r", path)
    if "There are no relocations" not in headers:
        yield "relocations left"


def main():
    control = "--control" in sys.argv
    found = list(problems(sys.argv[-1]))
    good = bool(found) if control else not found
    for problem in found[:10]:
        print(f"# {problem}")
    print(f"{'ok' if good else 'not ok'} 1 - {'control: ' if control else ''}image inspection")
    print("1..1")
    return 0 if good else 1


sys.exit(main())
