#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bench.py on programs that are made up: test_table.py [SCRIPT]. Prints TAP.

Its table, its JSON and its exit codes; and copies of the script with one bug each, in which the
same checks must find it.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import rows

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


def row(**changes):
    return dict({"goal": 5, "what": "a thing", "ours": "we", "other": "they", "kind": "at least",
                 "target": 2.0, "ratio": 3.0, "p10": 2.5, "p90": 3.5, "pairs": 15, "ours_ns": 1.0,
                 "other_ns": 3.0, "floor_ns": 0.0, "mode": "", "class": "ordinary",
                 "reached": True},
                **changes)


SPREAD = {"histogram": "trips", "samples": 9, "p50": 1.0, "p90": 2.0, "p99": 3.0, "p99.9": 4.0,
          "p99.99": 5.0, "max": 6.0}
POINT = {"curve": "size", "line": "session", "x": 64, "unit": "bytes", "ns": 9.0, "ratio": 1.0,
         "p10": 1.0, "p90": 1.0, "pairs": 15}
GOOD = {
    "aead": [row(), row(what="wide", p10=1.0, p90=9.0), row(what="lost", ratio=1.0, p10=1.0,
                                                              p90=1.1, reached=False)],
    "rings": [row(what="latency", goal=2, kind="at most", floor_ns=70.0, mode="B", target=1.25,
                  **{"class": "real-time"},
                  ratio=1.0, p10=0.9, p90=1.1), row(goal=0, target=0.0, reached=None), SPREAD],
    "growth": [POINT],
}


def programs(folder, printed, extra=""):
    os.makedirs(os.path.join(folder, "bench"))
    for name, lines in printed.items():
        path = os.path.join(folder, "bench", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/usr/bin/env python3\nimport sys\n")
            file.write(f"print({os.linesep.join(json.dumps(line) for line in lines)!r})\n")
            file.write('print("a peer is left out", file=sys.stderr)\n' if name == "rings" else "")
            file.write(extra)
        os.chmod(path, 0o700)


def call(script, folder, *arguments):
    done = subprocess.run([sys.executable, script, "--build", folder, *arguments],
                          capture_output=True, text=True, check=False)
    path = os.path.join(folder, "bench.json")
    result = None
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    return done, result


def line_of(text, what):
    return next((line for line in text.splitlines() if f" {what} " in line), "")


def good(script, folder):
    programs(folder, GOOD)
    with open(os.path.join(folder, "bench", "rings-latency.svg"), "w", encoding="utf-8") as file:
        file.write("<svg/>\n")
    done, result = call(script, folder)
    text = done.stdout
    yield "exit 0 although goals are missed and programs not built", done.returncode == 0
    yield "reached", line_of(text, "a thing").rstrip().endswith("yes")
    yield "not reached", line_of(text, "lost").rstrip().endswith("no")
    yield "noisy", line_of(text, "wide").rstrip().endswith("yes, noisy")
    yield "the floor and its mode", "floor 70 ns, mode B  real-time" in text
    yield "what is not built", "goals 7 (grpc): not built" in text
    yield "what a program leaves out", "a peer is left out" in text.splitlines()
    yield "where plots are", "rings-latency.svg" in text
    yield "percentiles, p99.9 among them", (
        ["p50", "p90", "p99", "p99.9", "p99.99", "max"]
        == next((line.split()[-6:] for line in text.splitlines() if "p99.9 " in line), [])
        and line_of(text, "trips").split()[-6:] == ["1", "2", "3", "4", "5", "6"])
    yield "rows in JSON", ([entry["program"] for entry in result["rows"]]
                           == ["rings"] * 2 + ["aead"] * 3)
    yield "percentiles in JSON", [entry["max"] for entry in result["histograms"]] == [6.0]
    yield "curves in JSON", [entry["x"] for entry in result["curves"]] == [64]
    yield "the rest in JSON", ({entry["program"] for entry in result["not_run"]} >= {"grpc", "echo"}
                               and result["left_out"] == ["a peer is left out"]
                               and result["cpus"] >= 1 and len(result["load_after"]) == 3)


def only(script, folder):
    programs(folder, GOOD)
    done, result = call(script, folder, "--only", "aead", "--out",
                        os.path.join(folder, "bench.json"))
    yield "--only", {entry["program"] for entry in result["rows"]} == {"aead"}
    done, _ = call(script, folder, "--only", "nothing")
    yield "no such program: exit 2", done.returncode == 2


def broken(script, folder, name, printed, extra, said):
    """One program that is wrong, beside good ones: exit 1, it is said, the others are shown."""
    programs(folder, dict(GOOD, crypto_parts=printed))
    path = os.path.join(folder, "bench", "crypto_parts")
    with open(path, "a", encoding="utf-8") as file:
        file.write(extra)
    done, result = call(script, folder)
    why = [entry["why"] for entry in result["not_run"] if entry["program"] == "crypto_parts"]
    yield f"{name}: exit 1", done.returncode == 1
    yield f"{name}: said", len(why) == 1 and said in why[0] and why[0] in done.stdout
    yield f"{name}: the others", len(result["rows"]) == 5


def lacks(field):
    return [{name: value for name, value in row().items() if name != field}]


CASES = [good, only] + [
    (lambda script, folder, case=case: broken(script, folder, *case)) for case in (
        ("crashes", [row()], "import os\nos.abort()\n", "exit code -6"),
        ("fails", [row()], 'sys.exit("no enclave")\n', "no enclave"),
        ("no JSON", [row()], 'print("oops")\n', "JSON"),
        ("a field missing", lacks("p90"), "", "lacks p90"),
        ("a count without a verdict", [{"goal": 0, "what": "calls", "ours": "a", "other": "b",
                                        "kind": "exactly", "target": 0, "ratio": 0, "p10": 0,
                                        "p90": 0, "mode": ""}], "", "lacks reached"),
    )]

# What stands in the script, what is put there.
BUGS = [
    ("broken |= why is not None", "pass"),
    ('if lacking:', 'if False:'),
    ("if done.returncode != 0:", "if done.returncode > 0:"),
    ('row["p90"] > NOISY * row["p10"]', "False"),
    ('result["left_out"] += left_out', "pass"),
    ('if result["histograms"]:', "if False:"),
    ("row[name]:>10,.0f", "row['p50']:>10,.0f"),
    ('for path in sorted(glob', 'for path in () and sorted(glob'),
    ("result[kind(row)]", 'result["rows"]'),
    ('if options.only and name not in options.only:', "if False:"),
    ("return 1 if broken or", "return 1 if"),
]


def check(script):
    """(what, holds) of all cases; a case that breaks is one that does not hold."""
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                yield from case(script, folder)
            except Exception as error:  # pylint: disable=broad-except
                yield f"a case breaks: {error!r}", False


def documented():
    """Each field is in the tables of docs/PERFORMANCE.md."""
    with open(os.path.join(ROOT, "docs", "PERFORMANCE.md"), encoding="utf-8") as file:
        told = set(re.findall(r"`([a-z0-9_.]+)`", file.read()))
    return [field for fields in rows.bench.FIELDS.values() for field in fields if field not in told]


def main():
    script = sys.argv[1] if len(sys.argv) > 1 else rows.SCRIPT
    results = list(check(script))
    missing = documented()
    results.append((f"each field is documented {missing}", not missing))
    with open(script, encoding="utf-8") as file:
        text = file.read()
    for there, instead in BUGS:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bench.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(there, instead))
            found = text.count(there) == 1 and not all(holds for _, holds in check(path))
        results.append((f"a script with this in it is caught: {instead}", found))
    print(f"1..{len(results)}")
    for at, (name, holds) in enumerate(results, 1):
        print(f"{'ok' if holds else 'not ok'} {at} - {name}")
    return 0 if all(holds for _, holds in results) else 1


if __name__ == "__main__":
    sys.exit(main())
