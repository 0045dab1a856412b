# SPDX-License-Identifier: Apache-2.0
"""docs_test.py CAISSON: what is written of the command and the gateway is what they do (TAP)."""
import fnmatch
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gateway"))
import tap  # noqa: E402

CAISSON = os.path.abspath(sys.argv[1])
SOURCE = os.environ.get("CAISSON_SOURCE", ".")


def read(path):
    """Relative to the tree."""
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def helped(*arguments):
    """The help, or nothing where there is none of that."""
    return subprocess.run([CAISSON, *arguments, "--help"], capture_output=True, text=True,
                          timeout=60, check=False).stdout


def verbs():
    found = re.findall(r"^  ([a-z]+) ", helped(), re.M)
    assert len(found) > 18, found
    return found


def complete(*words):
    """What bash would offer for the last word."""
    script = f'''source {SOURCE}/scripts/completion/caisson.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _caisson; printf '%s\\n' "${{COMPREPLY[@]}}"'''
    result = subprocess.run(["bash", "-c", script, "bash", CAISSON, *words], capture_output=True,
                            text=True, timeout=60, check=True)
    return result.stdout.split()


def man_lacks(text):
    """Verbs without an entry, and entries of no verb."""
    section = text.split(".SH VERBS")[1].split(".SH ")[0]
    entries = set(re.findall(r'^\.T[PQ]\n\.BR "?([a-z]+) ', section, re.M))
    return sorted(set(verbs()) ^ entries)


def test_man():
    """the manual has each verb"""
    text = read("docs/man/caisson.1")
    assert man_lacks(text) == [], man_lacks(text)
    assert man_lacks(text.replace('.BR "serve "', '.BR "serves "')) == ["serve", "serves"]


def man_unknown(text):
    """(verb, option) of the entries that no help of their verbs knows."""
    found = []
    section = text.split(".SH VERBS")[1].split(".SH ")[0].replace("\\-", "-")
    for entry in re.split(r"^\.TP$", section, flags=re.M)[1:]:
        heads = re.findall(r'^\.BR "?([a-z]+)(?: ([a-z]+))?', entry, re.M)
        heads = [head for head in heads if head[0] in verbs()]
        known = "--json --help" + "".join(helped(verb) + helped(verb, part or "--help")
                                          for verb, part in heads)
        found += [(heads[0][0], option)
                  for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", entry)
                  if not re.search(re.escape(option) + r"(?![\w-])", known)]
    return [f for f in found if f not in ELSEWHERE]


# An entry may speak of another verb's option.
ELSEWHERE = {("seal", "--purposes"), ("grant", "--json")}


def test_man_options():
    """options in the manual are options of their verb"""
    text = read("docs/man/caisson.1")
    assert man_unknown(text) == [], man_unknown(text)
    spoilt = text.replace("CONFIG.json [\\-\\-check]", "CONFIG.json [\\-\\-dry\\-run]")
    assert man_unknown(spoilt) == [("serve", "--dry-run")], man_unknown(spoilt)


def test_completion():
    """bash completes verbs, and options of each from its help"""
    offered = complete("")
    assert set(verbs()) <= set(offered), offered
    assert complete("ser") == ["serve"], complete("ser")
    for verb in verbs():
        options = set(complete(verb, "x", "--"))
        known = set(re.findall(r"--[a-z][a-z0-9-]*", helped(verb)))
        missing = {o for o in known if not re.search(r"[0-9]", o)} - options
        assert not missing, (verb, missing)
    assert "--check" in complete("serve", "--")


SECONDS = 10 ** 9


def defaults():
    """key of the configuration (or field) -> default, from the code"""
    limits, config = read("src/gateway/limits.c"), read("src/gateway/config.c")
    units = {"SECOND": SECONDS, "MIB": 1 << 20}
    fields = {}
    for name, value in re.findall(r"set\d\d\(&limits->(\w+), ([^)]*)\);", limits):
        product = 1
        for factor in value.split(" * "):
            product *= units.get(factor) or int(factor)
        fields[name] = product
    assert len(fields) > 15, fields
    found = {}
    for key, field in re.findall(r'(?:COUNT|SIZE)_LIMIT\("(\w+)", (\w+)', config):
        found["limits." + key] = fields.pop(field)
    for key, field in re.findall(r'DEADLINE\("(\w+)", LIMIT\((\w+)\)\)', config):
        found["deadlines." + key] = fields.pop(field) // 10 ** 6
    body = re.search(r"body_size_max = 1 << (\d+);", config)
    drain = re.search(r"drain_ns = UINT64_C\((\d+)\);", config)
    found["limits.body_size"] = 1 << int(body.group(1))
    found["deadlines.drain_ms"] = int(drain.group(1)) // 10 ** 6
    return found, fields


def limits_wrong(text):
    table = text.split("## Limits")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (?:`([\w.]+)`)? *\| (\d+) \|", table, re.M)
    wanted, _ = defaults()
    given = {key: int(value) for key, value in rows if key}
    return sorted(set(given.items()) ^ set(wanted.items()))


def test_limits():
    """the gateway's limits in docs/GATEWAY.md are those of the code"""
    text = read("docs/GATEWAY.md")
    assert limits_wrong(text) == [], limits_wrong(text)
    assert limits_wrong(text.replace("| 16384 | connections", "| 16385 | connections"))


def test_paths():
    """the paths in docs/GATEWAY.md are those that are routed"""
    text = read("docs/GATEWAY.md").split("## What clients find")[1].split("\n## ")[0]
    routed = set(re.findall(r'"(/[a-z./-]+)"', read("src/gateway/route.c")))
    assert len(routed) == 4, routed
    told = {path for path in re.findall(r"`(?:GET|POST) (/[\w./-]+)", text)}
    assert told == routed, told ^ routed


# Of the last column of THREAT-MODEL.md, what is in back quotes and no test.
NO_TESTS = {"flags", "host_plaintext_hits"}


def threats_wrong(text, names, sources):
    """Tests and their parts that the threat model names and that are not there."""
    found = []
    for line in text.splitlines():
        cells = line.strip("| ").split(" | ")
        if not line.startswith("| ") or len(cells) < 3:
            continue
        found += [name for name in re.findall(r"`([a-z0-9_*]+)`", cells[-1])
                  if name not in NO_TESTS and not fnmatch.filter(names, name)]
        found += [part for part in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b",
                                              re.sub(r"`[^`]*`", "", cells[-1]))
                  if part not in sources]
    return found


def test_threats():
    """each test that docs/THREAT-MODEL.md names is there"""
    build = os.environ.get("CAISSON_BUILD", "build")
    with open(os.path.join(build, "meson-info/intro-tests.json"), encoding="utf-8") as file:
        names = [test["name"] for test in json.load(file)]
    sources = ""
    for base, _, files in os.walk(os.path.join(SOURCE, "tests")):
        for name in files:
            if name.endswith((".c", ".h", ".py")):
                sources += read(os.path.join(base, name))
    text = read("docs/THREAT-MODEL.md")
    assert threats_wrong(text, names, sources) == [], threats_wrong(text, names, sources)
    for old, new in (("`mutant_serve_pump_shuffles`", "`mutant_serve_pump_shuffle`"),
                     ("swapped_answers", "sw" + "opped_answers")):
        assert old in text and threats_wrong(text.replace(old, new), names, sources), old


TESTS = [test_threats, test_man, test_man_options, test_completion, test_limits, test_paths]


sys.exit(tap.run(TESTS))
