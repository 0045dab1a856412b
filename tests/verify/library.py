# SPDX-License-Identifier: Apache-2.0
"""libcaisson-verify alone: what it exports, what it needs, how large it is, who can call it.

Usage: library.py LIBRARY SOURCE_ROOT PKG_CONFIG_FOLDER
"""
import json
import os
import re
import subprocess
import sys
import tempfile

LIBRARY, ROOT, PKG_CONFIG = sys.argv[1:4]
SIZE_MAX = 250_000
VECTORS = os.path.join(os.environ.get("CAISSON_SHARED", os.path.join(ROOT, "../shared")),
                       "vectors/attestation")
results = []


def check(good, name, note=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    for line in str(note).splitlines():
        print(f"# {line}")


def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **options)


def exported(library):
    lines = run("nm", "-D", "--defined-only", library).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] == "T"}


def listed(text):
    return set(re.findall(r"^    (cs[nv]_\w+);", text, re.M))


def declared():
    text = ""
    for name in ("verify.h", "base.h"):
        with open(os.path.join(ROOT, "include/caisson", name), encoding="utf-8") as stream:
            text += re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.S)
    return set(re.findall(r"CSN_API[^;]*?\b(cs[nv]_\w+)\(", text, re.S))


def symbols():
    with open(os.path.join(ROOT, "src/verify/caisson-verify.map"), encoding="utf-8") as stream:
        text = stream.read()
    difference = exported(LIBRARY) ^ listed(text)
    check(not difference, "what is exported is the list in the tree", "\n".join(difference))
    difference = exported(LIBRARY) ^ declared()
    check(not difference, "what is exported is declared, and the reverse", "\n".join(difference))
    fewer = listed(text.replace("    csv_appraise;\n", ""))
    check(fewer ^ exported(LIBRARY) == {"csv_appraise"}, "control: a symbol missing from the list")


def needs():
    text = run("readelf", "-d", LIBRARY).stdout
    names = set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
    names = {n for n in names if not re.match(r"lib(asan|ubsan|tsan)\.", n)}
    check({n.split(".so")[0] for n in names} == {"libcrypto", "libc"},
          "libcrypto and libc are all it needs", names)
    wanted = set(re.findall(r" U (\w+)", run("nm", "-D", LIBRARY).stdout))
    banned = {"open", "open64", "fopen", "fopen64", "socket", "connect", "time", "gettimeofday",
              "clock_gettime", "getenv", "read", "write", "system", "dlopen"}
    check(not wanted & banned, "no file, no socket, no clock", wanted & banned)
    check(banned & {"time", "memcpy"} == {"time"}, "control: a clock would be seen")


def size():
    if run("nm", "-D", LIBRARY).stdout.find("__asan") >= 0:
        print(f"# {os.path.getsize(LIBRARY)} bytes with sanitizers: not measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "stripped.so")
        run("strip", "-o", target, LIBRARY)
        bytes_ = os.path.getsize(target)
    check(bytes_ < SIZE_MAX, "stripped, it is under 250 KB", f"{bytes_} bytes")


def languages():
    source = ("#include <caisson/verify.h>\n"
              'int main(void) { return csv_format_number("snp") != 2; }\n')
    for compiler, standard, name in (("gcc", "c11", "x.c"), ("g++", "c++17", "x.cpp")):
        if run("sh", "-c", f"command -v {compiler}").returncode != 0:
            print(f"# no {compiler}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                stream.write(source)
            program = os.path.join(folder, "x")
            done = run(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                       "-I", os.path.join(ROOT, "include"), os.path.join(folder, name), LIBRARY,
                       "-o", program)
            ran = run(program, env={**os.environ, "LD_LIBRARY_PATH": os.path.dirname(LIBRARY)}) \
                if done.returncode == 0 else done
            check(ran.returncode == 0, f"the header compiles and links as {standard}",
                  done.stderr + ran.stderr)


def packaged():
    path = os.path.join(PKG_CONFIG, "caisson-verify.pc")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    check("-lcaisson-verify" in text and "libcrypto" in text, "a pkg-config file is there", text)


def python(*arguments):
    return run(sys.executable, os.path.join(ROOT, "examples/verify/verify.py"), LIBRARY,
               *arguments)


def from_python():
    snp = os.path.join(VECTORS, "snp")
    if not os.path.isdir(snp):
        print("ok - from Python # SKIP no vectors")
        return
    report = os.path.join(snp, "milan-v2-virtee.report.bin")
    parts = [f"2={snp}/milan-v2-virtee.vcek.der"]
    parts += [f"3={os.path.join(VECTORS, 'roots', n)}" for n in ("amd-ask-milan.pem",
                                                                 "amd-ark-milan.pem")
              if os.path.exists(os.path.join(VECTORS, "roots", n))]
    parts += [f"3={os.path.join(snp, n)}" for n in ("amd-ask-milan.pem", "amd-ark-milan.pem")
              if os.path.exists(os.path.join(snp, n))]
    done = python("snp", "any", "2026-01-01T00:00:00Z", "", report, *parts)
    verdict = json.loads(done.stdout) if done.stdout else {}
    check(done.returncode == 0 and verdict.get("verdict") == "valid" and
          not verdict.get("appraised"), "Python verifies an SNP report", done.stdout + done.stderr)
    done = python("snp", "any", "2036-01-01T00:00:00Z", "", report, *parts)
    check(done.returncode == 3 and "not valid then" in done.stdout,
          "and sees it invalid after its certificate's time", done.stdout)


symbols()
needs()
size()
languages()
packaged()
from_python()
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
