#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that no compiler checks, as a test (TAP).

    scripts/tidy.py               every rule over the tree, and over its seeded violations
    scripts/tidy.py --format      clang-format over the tree, and over one seeded file
    scripts/tidy.py --list        only the violations, one a line

A rule is a function from a tree (path -> text) to violations (path, line, what). Its negative
control is a tiny tree in which it must find exactly what was planted, beside a tree in which it
must find nothing.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ["src", "include", "enclaves", "examples", "tests", "fuzz", "bench", "scripts", "docs",
           "proofs", ".ci"]
SKIPPED = ("fuzz/corpus/", "fuzz/crashes/")
LINE_COLUMNS = 100
FUNCTION_LINES = 70

# ---- layers: who may include whom --------------------------------------------------------------
# Everyone may include <caisson/base.h> and <caisson/wire/...>; a part may include itself.
LAYERS = {
    "src/core": set(),
    "src/crypto": {"src/core"},
    "src/ohttp": {"src/core", "src/crypto"},
    "src/json": {"src/core"},
    "src/trees": {"src/core"},
    "src/llm": {"src/core"},
    "src/vocab": {"src/core", "src/llm/gguf.h"},
    "src/import": {"src/trees"},
    "src/weights": {"src/core", "src/crypto", "caisson/enclave_store.h"},
    "src/pack": {"src/import", "src/trees", "src/weights", "src/llm", "src/vocab",
                 "src/core/bytes.h"},
    "src/image": {"src/core", "src/crypto"},
    "src/enclave": {"src/core", "src/crypto", "src/ohttp", "caisson/enclave.h",
                    "caisson/enclave_store.h", "caisson/vouch.h"},
    "enclaves": {"caisson/enclave.h", "caisson/enclave_store.h", "caisson/vouch.h", "src/json",
                 "src/crypto", "src/trees", "src/weights", "src/llm", "src/vocab",
                 "src/core/bytes.h"},
    "src/backend": {"src/core", "src/crypto", "src/image", "caisson/host.h"},
    "src/host": {"src/core", "src/image", "src/backend", "caisson/host.h"},
    "src/verify": {"src/image/image.h", "src/json", "caisson/verify.h"},
    "src/evidence": {"src/verify", "caisson/verify.h", "caisson/host.h", "caisson/evidence.h"},
    "src/client": {"src/crypto", "src/core", "src/ohttp", "src/verify", "src/json",
                   "caisson/client.h", "caisson/policy.h", "caisson/verify.h", "caisson/call.h"},
    "src/gateway": {"src/backend/detail.h", "src/image/image.h", "caisson/host.h",
                    "caisson/evidence.h"},
    "src/reference": set(),
    "src/proxy": {"src/gateway", "src/json", "caisson/call.h", "caisson/host.h"},
    "src/pkcs11": {"src/core", "src/crypto", "caisson/call.h", "caisson/client.h",
                   "caisson/verify.h"},
    "src/cli": {"src/gateway", "src/proxy", "src/pack", "caisson/host.h", "caisson/verify.h",
                "caisson/evidence.h", "caisson/client.h", "caisson/policy.h", "caisson/call.h"},
    "include": {"caisson/host.h", "caisson/verify.h", "caisson/client.h", "caisson/enclave.h"},
}
# Includes outside the rule, each with its reason; docs/CAVEATS.md repeats them.
LAYER_EXCEPTIONS = {
    # The command shows an image's manifest and signs it: there is no public image API yet.
    ("src/cli", "src/image/image.h"),
    # `caisson size` adds up the pool as the enclave will carve it, with the enclave's own sums.
    ("src/cli", "src/enclave/size.h"),
    # The demo compares with the independent reference and scans for canaries.
    ("src/cli", "src/reference"),
    # `sign` and `keygen` make signer keys: there is no public signing API yet.
    ("src/cli", "src/crypto/curve.h"),
    # `bench` runs what the programs of bench/ run, less their peers.
    ("src/cli", "bench"),
}
TRUSTED = ("src/core/", "src/crypto/", "src/ohttp/", "src/json/", "src/trees/", "src/llm/",
           "src/vocab/", "src/weights/", "src/enclave/", "enclaves/")
LIBRARIES = ("src/image/", "src/backend/", "src/host/", "src/verify/", "src/evidence/",
             "src/client/", "src/import/", "src/pack/")
FREESTANDING_HEADERS = {"stddef.h", "stdint.h", "stdbool.h", "stdatomic.h", "stdalign.h",
                        "stdarg.h", "limits.h", "string.h", "immintrin.h", "wmmintrin.h",
                        "cpuid.h", "x86intrin.h", "emmintrin.h", "tmmintrin.h"}
# Hosted companions of trusted parts: never linked into an image.
HOSTED_FILES = {"src/crypto/random_system.c", "src/crypto/cpu_features.c",
                "src/enclave/panic_hosted.c"}
# ---- calls ------------------------------------------------------------------------------------
NEVER = {"strcpy", "strcat", "sprintf", "vsprintf", "gets", "alloca", "system", "strtok", "popen"}
NO_HEAP = {"malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc"}
NO_STDIO = {"printf", "fprintf", "vprintf", "vfprintf", "puts", "fputs", "putchar", "perror",
            "exit", "abort"}
# libsodium's sodium_misuse() ends in abort(): the image supplies one that panics.
CALL_EXCEPTIONS = {("src/crypto/sodium_shims.c", "abort"), ("src/enclave/panic_hosted.c", "abort")}
# Assembled from halves so that this file does not hold what it looks for.
FORBIDDEN = ["/" + "work/", "/" + "tmp/csn", "/" + "home/", "pypi" + ".org", "crates" + ".io",
             "npm" + "js", "proxy.golang" + ".org", "raw.github" + "usercontent"]
UNDONE = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]


def read_tree():
    """path -> text of every file that a person wrote."""
    tree = {}
    for folder in FOLDERS + ["."]:
        for base, folders, files in os.walk(os.path.join(ROOT, folder)):
            if folder == ".":
                folders[:] = []
            folders[:] = [f for f in folders if f != "__pycache__" and not f.startswith("build")]
            for name in files:
                path = os.path.relpath(os.path.join(base, name), ROOT)
                if path.startswith(SKIPPED) or not is_text(path):
                    continue
                with open(os.path.join(base, name), encoding="utf-8", errors="replace") as stream:
                    tree[path] = stream.read()
    return tree


def is_text(path):
    name = os.path.basename(path)
    return path.endswith((".c", ".h", ".S", ".ld", ".py", ".sh", ".md", ".bash", ".1", ".json")) \
        or name in ("meson.build", "meson_options.txt", "Makefile", "run", "README.md")


def is_c(path):
    return path.endswith((".c", ".h"))


def mask(text):
    """The text with comments, strings and characters blanked; lines stay where they were."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    lines = []
    for line in re.sub(pattern, blank, text, flags=re.S).split("\n"):
        lines.append(line)
    return "\n".join(lines)


def functions(text):
    """(name, first line, last line, body) of each function; text is masked and clang-formatted."""
    found = []
    lines = text.split("\n")
    start = None
    for at, line in enumerate(lines):
        if line == "{" and start is None:
            start = at
        elif line.startswith("}") and start is not None:
            head = []
            above = start - 1
            while above >= 0 and lines[above].strip() and lines[above][0] not in "}#" \
                    and not lines[above].rstrip().endswith(";"):
                head.insert(0, lines[above])
                above -= 1
            signature = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", " ".join(head))
            name = re.search(r"(\w+)\s*\(", signature)
            found.append((name.group(1) if name else "?", start + 1, at + 1,
                          "\n".join(lines[start:at + 1])))
            start = None
    return found


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# ---- the rules ----------------------------------------------------------------------------------
def layer_of(path):
    for layer in sorted(LAYERS, key=len, reverse=True):
        if path.startswith(layer + "/"):
            return layer
    return None


def resolve(path, name, tree):
    """What an include names: 'caisson/x.h', a path in the tree, or None for the system's own."""
    if name.startswith("caisson/"):
        return name
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if beside in tree or name.startswith("../"):
        return beside
    parts = tuple(layer + "/" for layer in LAYERS)
    return "src/" + name if ("src/" + name).startswith(parts) else None


def includes(tree):
    for path, text in tree.items():
        if is_c(path) and layer_of(path):
            for match in re.finditer(r'^#include ["<]([^">]+)[">]', text, re.M):
                yield path, line_of(text, match.start()), match.group(1)


def rule_layers(tree):
    """a part includes only what its layer may know"""
    for path, line, name in includes(tree):
        layer = layer_of(path)
        target = resolve(path, name, tree)
        if target is None or target == "caisson/base.h" or target.startswith("caisson/wire/"):
            continue
        allowed = LAYERS[layer] | {t for l, t in LAYER_EXCEPTIONS if l == layer}
        inside = target.startswith(layer + "/")
        if not inside and not any(target == a or target.startswith(a + "/") for a in allowed):
            yield path, line, f"{layer} must not include {target}"


def rule_freestanding(tree):
    """trusted parts include no header of a hosted C library"""
    for path, line, name in includes(tree):
        if path.startswith(TRUSTED) and path not in HOSTED_FILES \
                and resolve(path, name, tree) is None \
                and name not in FREESTANDING_HEADERS \
                and not name.startswith("sodium/"):
            yield path, line, f"<{name}> in a trusted part"


def rule_wire(tree):
    """wire headers include nothing but other wire headers, base.h and the integer types"""
    for path, line, name in includes(tree):
        if path.startswith("include/caisson/wire/") and name != "caisson/base.h" \
                and not name.startswith("caisson/wire/") and name not in ("stdint.h", "stddef.h"):
            yield path, line, f"<{name}> in a wire header"


KERNEL_MODULES = "tests/evidence/tsm_provider/"


def rule_spdx(tree):
    """the first line (after a #! line) is the SPDX line"""
    for path, text in tree.items():
        if path.endswith((".md", ".json", ".1", ".txt")):
            continue
        lines = text.split("\n")
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        # a kernel module has to be under the kernel's licence
        licence = "GPL-2.0-only" if path.startswith(KERNEL_MODULES) else "Apache-2.0"
        if first not in (f"/* SPDX-License-Identifier: {licence} */",
                         f"# SPDX-License-Identifier: {licence}"):
            yield path, 1, "no SPDX line"


def rule_columns(tree):
    """no line of code is longer than 100 columns"""
    for path, text in tree.items():
        if not path.endswith((".c", ".h", ".S", ".ld", ".py", ".sh")):
            continue
        for at, line in enumerate(text.split("\n"), 1):
            if len(line) > LINE_COLUMNS:
                yield path, at, f"{len(line)} columns"


def rule_function_lines(tree):
    """no function is longer than 70 lines"""
    for path, text in tree.items():
        if not is_c(path):
            continue
        for name, first, last, _ in functions(mask(text)):
            if last - first + 1 > FUNCTION_LINES:
                yield path, first, f"{name}() has {last - first + 1} lines"


def banned_in(path):
    names = set(NEVER) if path.startswith(("src/", "enclaves/", "examples/", "include/")) else set()
    if path.startswith(TRUSTED) or path.startswith("src/image/"):
        names |= NO_HEAP | NO_STDIO | {"snprintf"}
    elif path.startswith(LIBRARIES):
        names |= NO_STDIO
    return names


def rule_calls(tree):
    """no banned call: unbounded strings, heap on the trusted side, stdio and exit in libraries"""
    for path, text in tree.items():
        names = banned_in(path) if is_c(path) else set()
        if not names:
            continue
        for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", mask(text)):
            if match.group(1) in names and (path, match.group(1)) not in CALL_EXCEPTIONS:
                yield path, line_of(text, match.start()), f"{match.group(1)}()"


def rule_conditionals(tree):
    """no #if inside a function body: the build picks files"""
    for path, text in tree.items():
        if not is_c(path) or not path.startswith(("src/", "enclaves/", "examples/", "include/")):
            continue
        for name, first, _, body in functions(mask(text)):
            for match in re.finditer(r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b", body, re.M):
                yield path, first + line_of(body, match.start()) - 1, f"#{match.group(1)} in {name}"


def rule_undone(tree):
    """nothing is marked as still to be done"""
    pattern = re.compile(r"\b(" + "|".join(UNDONE) + r")\b")
    for path, text in tree.items():
        for match in pattern.finditer(text):
            yield path, line_of(text, match.start()), match.group(1)


def rule_words(tree):
    """no path of one machine and no package registry is named"""
    for path, text in tree.items():
        for word in FORBIDDEN:
            at = text.find(word)
            if at >= 0:
                yield path, line_of(text, at), word


def call_graph(tree):
    """(path, name) -> callees, over the trusted parts. Calls through pointers are not seen."""
    bodies = {}
    for path, text in tree.items():
        if is_c(path) and path.startswith(TRUSTED):
            for name, first, _, body in functions(mask(text)):
                bodies[(path, name)] = (first, body)
    by_name = {}
    for path, name in bodies:
        by_name.setdefault(name, []).append(path)
    graph = {}
    for (path, name), (_, body) in bodies.items():
        callees = set()
        for callee in re.findall(r"(?<![\w.>])(\w+)\s*\(", body):
            owners = by_name.get(callee, [])
            callees |= {(path, callee)} if path in owners else {(o, callee) for o in owners
                                                                if name != callee or o == path}
        graph[(path, name)] = callees
    return graph, bodies


def rule_recursion(tree):
    """no function of the trusted side reaches itself"""
    graph, bodies = call_graph(tree)
    for start in graph:
        seen = set()
        waiting = list(graph[start])
        while waiting:
            at = waiting.pop()
            if at == start:
                yield start[0], bodies[start][0], f"{start[1]}() reaches itself"
                break
            if at not in seen:
                seen.add(at)
                waiting += graph[at]


def rule_shared(tree):
    """shared memory is touched only by the accessor in src/core/xcopy.h"""
    for path, text in tree.items():
        if not is_c(path) or not path.startswith(TRUSTED) or path.startswith("src/core/xcopy"):
            continue
        masked = mask(text)
        for match in re.finditer(r"struct csn_shared\s*\{", masked):
            yield path, line_of(text, match.start()), "struct csn_shared is defined"
        names = set(re.findall(r"struct csn_shared \*\s*(?:const )?(\w+)", masked))
        names -= set(re.findall(r"struct csn_shared \*(\w+)\(", masked))
        for name in names:
            use = rf"(?:\w+(?:->|\.))*{name}\b"
            forms = [rf"\b{name}\s*(\[|->)", rf"\bmem(?:cpy|move|set|cmp)\([^;]*\b{name}\b",
                     rf"\((?!const struct csn_shared|struct csn_shared)[\w ]+\*+\)\s*{use}"]
            for form in forms:
                for match in re.finditer(form, masked):
                    yield path, line_of(text, match.start()), f"{name} is touched without xcopy"


RULES = [rule_layers, rule_freestanding, rule_wire, rule_spdx, rule_columns, rule_function_lines,
         rule_calls, rule_conditionals, rule_undone, rule_words, rule_recursion, rule_shared]

# ---- negative controls --------------------------------------------------------------------------
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
CLEAN = {
    "src/core/a.h": SPDX + "#include <stdint.h>\nvoid a(void);\n",
    "src/core/a.c": SPDX + '#include "a.h"\n/* malloc( in a comment */\nvoid a(void)\n{\n}\n',
    "src/cli/b.c": SPDX + "#include <caisson/host.h>\nint b(void)\n{\n    return 0;\n}\n",
    "include/caisson/wire/w.h": SPDX + "#include <stdint.h>\n",
}
SEEDS = {
    "rule_layers": [
        ("src/core/s.c", SPDX + '#include "../crypto/gcm.h"\n'),
        ("src/verify/s.c", SPDX + '#include "image/elf64.h"\n'),
        ("src/client/s.c", SPDX + '#include "host/enclave.h"\n'),
        ("enclaves/x/s.c", SPDX + "#include <caisson/host.h>\n"),
        ("src/reference/s.c", SPDX + '#include "json/json.h"\n')],
    "rule_freestanding": [("enclaves/x/s.c", SPDX + "#include <stdio.h>\n")],
    "rule_wire": [("include/caisson/wire/s.h", SPDX + "#include <stdbool.h>\n")],
    "rule_spdx": [("src/core/s.c", "int s;\n"), ("scripts/s.sh", "#!/bin/sh\necho\n"),
                  ("src/core/t.c", SPDX.replace("Apache-2.0", "GPL-2.0-only"))],
    "rule_columns": [("src/core/s.c", SPDX + "/* " + "x" * 100 + " */\n")],
    "rule_function_lines": [
        ("src/host/s.c", SPDX + "int s(void)\n{\n" + "    s1();\n" * 69 + "}\n")],
    "rule_calls": [
        ("src/core/s.c", SPDX + "void s(void)\n{\n    free(0);\n}\n"),
        ("src/host/s.c", SPDX + "void s(void)\n{\n    abort();\n}\n"),
        ("src/cli/s.c", SPDX + "void s(char *t)\n{\n    strcpy(t, t);\n}\n")],
    "rule_conditionals": [
        ("src/core/s.c", SPDX + "void s(void)\n{\n#ifdef X\n    a();\n#endif\n}\n")],
    "rule_undone": [("src/core/s.c", SPDX + f"/* {UNDONE[0]}: later */\n")],
    "rule_words": [("docs/s.md", "see " + FORBIDDEN[0] + "notes\n"),
                   ("docs/t.md", "get it from " + FORBIDDEN[4] + "\n")],
    "rule_recursion": [
        ("src/json/s.c", SPDX + "static void s(int n)\n{\n    if (n)\n        s(n - 1);\n}\n"),
        ("enclaves/x/t.c",
         SPDX + "void t(void)\n{\n    u();\n}\n\nvoid u(void)\n{\n    t();\n}\n")],
    "rule_shared": [
        ("src/enclave/s.c", SPDX + "void s(struct csn_shared *lines)\n{\n    lines[0] = 1;\n}\n"),
        ("src/enclave/t.c",
         SPDX + "void s(struct csn_shared *l, char *t)\n{\n    memcpy(t, l, 8);\n}\n"),
        ("src/enclave/u.c",
         SPDX + "int s(struct csn_shared *l)\n{\n    return *(int *)l;\n}\n")],
}


def self_test(rule):
    """What is wrong with the rule: misses of seeds, findings in the clean tree."""
    wrong = [f"{rule.__name__} complains about a clean tree: {v}" for v in rule(CLEAN)]
    for path, text in SEEDS[rule.__name__]:
        found = {v[0] for v in rule(dict(CLEAN, **{path: text}))}
        if found != {path}:
            wrong.append(f"{rule.__name__} finds {sorted(found)}, planted in {path}")
    return wrong


def point(number, problems, name):
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    for problem in problems:
        print(f"# {problem}")
    return bool(problems)


def run_rules():
    tree = read_tree()
    failed = 0
    print(f"1..{2 * len(RULES) + 1}")
    counted = sum(1 for p in tree if is_c(p))
    failed += point(1, [] if counted > 100 else [f"only {counted} C files"], "the tree is there")
    for at, rule in enumerate(RULES):
        found = [f"{p}:{line}: {what}" for p, line, what in sorted(set(rule(tree)))]
        failed += point(2 * at + 2, found, rule.__doc__)
        failed += point(2 * at + 3, self_test(rule), f"seeded violations of it are found: "
                                                     f"{len(SEEDS[rule.__name__])}")
    return 1 if failed else 0


def unformatted(tool, paths):
    """Those of the paths that the tool would write differently."""
    result = subprocess.run([tool, "--dry-run", "--style=file"] + paths, cwd=ROOT,
                            capture_output=True, text=True, check=False)
    named = {line.split(":")[0] for line in result.stderr.splitlines() if "warning:" in line}
    return sorted(named) if result.returncode == 0 else ["clang-format failed: " + result.stderr]


def run_format():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        print("1..0 # SKIP no clang-format here")
        return 0
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
    if " 14." not in version.stdout:
        print("1..0 # SKIP the tree is formatted by clang-format 14, here is another version")
        return 0
    print("1..2")
    bad = unformatted(tool, [p for p in sorted(read_tree()) if is_c(p)])
    failed = point(1, bad, "every C file is as clang-format 14 writes it (make format)")
    with tempfile.TemporaryDirectory(dir=ROOT, prefix="build-tidy-") as folder:
        seed = os.path.join(folder, "seed.c")
        with open(seed, "w", encoding="utf-8") as stream:
            stream.write("int  x( void ){return 0;}\n")
        missed = [] if unformatted(tool, [seed]) == [seed] else ["a badly formatted file passes"]
    failed += point(2, missed, "a badly formatted file is found")
    return 1 if failed else 0


def run_list():
    tree = read_tree()
    for rule in RULES:
        for path, line, what in sorted(set(rule(tree))):
            print(f"{path}:{line}: {what} ({rule.__name__[5:]})")
    return 0


if __name__ == "__main__":
    MODES = {"--format": run_format, "--list": run_list}
    sys.exit(MODES.get(sys.argv[1] if len(sys.argv) > 1 else "", run_rules)())
