#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of scripts/budget.py, on figures that are made up: test_budget.py SCRIPT."""
import contextlib
import importlib.util
import io
import os
import sys
import tempfile

DUMPS = "totals: 900\ntotals: 1100\ntotals: 2150\ntotals: 30\n"
BUDGET = "# kept\na\t100\t5\nb\t200\t2\n"


def load(path):
    spec = importlib.util.spec_from_file_location("budget", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def breaks(budget, names, dumps):
    try:
        budget.differences(names, dumps)
    except budget.Broken:
        return True
    return False


def equals(budget, counts):
    try:
        budget.priced(counts)
    except budget.Broken:
        return True
    return False


def shown(budget, counts, rows):
    """(exit code, text) of a verdict."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = budget.show(budget.judge(counts, rows))
    return code, out.getvalue()


def checks(budget, folder):
    """(name, true if it holds)"""
    path = os.path.join(folder, "budget.tsv")
    with open(path, "w", encoding="utf-8") as file:
        file.write(BUDGET)
    _, rows = budget.read_budget(path)
    yield "what is done once does not count", budget.differences("a 10", DUMPS) == {"a": 105.0}
    yield "a count too few is seen", breaks(budget, "a 10\nb 10", DUMPS)
    yield "no path is seen", breaks(budget, "", DUMPS)
    yield "a round that does nothing is seen", breaks(budget, "a 10", DUMPS.replace("2150", "1100"))
    code, text = shown(budget, {"a": 105.0, "b": 203.9}, rows)
    yield "at its tolerance a path passes", code == 0 and "not ok" not in text and "#" not in text
    code, text = shown(budget, {"a": 105.1, "b": 200.0}, rows)
    yield "over it, it fails and says how to update", \
        code == 1 and "not ok 1 - a" in text and "ok 2 - b" in text and budget.UPDATE in text
    yield "each path has its own tolerance", shown(budget, {"a": 100.0, "b": 205.0}, rows)[0] == 1
    code, text = shown(budget, {"a": 89.0, "b": 181.0}, rows)
    yield "a gain of more than a tenth is a hint", \
        code == 0 and "a is 11 % below" in text and "b is" not in text
    yield "a path without budget fails", \
        shown(budget, {"a": 100.0, "b": 200.0, "c": 1.0}, rows)[0] == 1
    yield "a budget without path fails", shown(budget, {"a": 100.0}, rows)[0] == 1
    yield "of a trusting path the checks count", \
        budget.priced({"a": 10.0, "a_trusting": 7.0, "b": 1.0, "c_trusting": 5.0}) \
        == {"a": 10.0, "a_checks": 3.0, "b": 1.0}
    yield "a twin that checks as well is seen", equals(budget, {"a": 10.0, "a_trusting": 10.0})
    with contextlib.redirect_stdout(io.StringIO()):
        budget.write_budget(path, {"a": 89.4, "c": 7.0})
    comments, rows = budget.read_budget(path)
    yield "an update keeps comments and tolerances", \
        comments == ["# kept\n"] and rows == {"a": (89.0, 5.0), "c": (7.0, 5.0)}


def main():
    budget = load(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        results = list(checks(budget, folder))
    print(f"1..{len(results)}")
    for at, (name, holds) in enumerate(results, 1):
        print(f"{'ok' if holds else 'not ok'} {at} - {name}")
    return 0 if all(holds for _, holds in results) else 1


if __name__ == "__main__":
    sys.exit(main())
