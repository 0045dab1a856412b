#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of each path of a record and holds them to tests/budget/budget.tsv.

    scripts/budget.py                      every path of build/tests/budget/budget_paths
    scripts/budget.py PROGRAM [PATH ...]   these paths of this program
    scripts/budget.py --update             count, and write the figures into the budget

The program does a path N and 2 N times under callgrind; a record's instructions are the difference
by N, so that what is done once does not count. Over budget is a failure (exit 1); more than 10 %
under it is a hint to write the gain down. Of a path that is counted with and without its checks
(PATH_trusting) the difference is held as PATH_checks. Prints TAP. Exit 2: nothing was counted.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUDGET = os.path.join(ROOT, "tests", "budget", "budget.tsv")
PROGRAM = os.path.join(ROOT, "build", "tests", "budget", "budget_paths")
MARK = "budget_mark"
DUMPS = 3  # of a path: with its set-up, of N records, of 2 N
TOLERANCE_PERCENT = 5.0  # of a path that is new in the budget
HINT_PERCENT = 10.0
TRUSTING = "_trusting"  # the same path where a peer is believed (bench/ring_twin.h)
CHECKS = "_checks"
TIMEOUT_SECONDS = 280
EXIT_SKIP = 77
UPDATE = "scripts/budget.py --update"
SKIP_STATUS = "CAISSON_SKIP_STATUS"  # set for seeded bugs, which must fail: tests/meson.build


class Skip(Exception):
    """The count cannot be taken here."""


class Broken(Exception):
    """The count should be possible and is not."""


def count(program, paths):
    """{path: instructions a record}"""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise Skip("valgrind is not installed")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "count")
        command = [valgrind, "-q", "--tool=callgrind", f"--callgrind-out-file={out}",
                   "--combine-dumps=yes", "--dump-line=no", f"--dump-before={MARK}", program]
        environment = dict(os.environ, CAISSON_SOURCE=ROOT)
        try:
            done = subprocess.run(command + paths, capture_output=True, text=True, check=False,
                                  env=environment, timeout=TIMEOUT_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Broken(str(error)) from error
        if done.returncode == EXIT_SKIP:
            raise Skip(done.stdout.strip())
        if "unrecognised instruction" in done.stderr:
            raise Skip("valgrind does not know an instruction that this CPU has")
        if done.returncode != 0:
            raise Broken(f"{program} under valgrind: exit code {done.returncode}\n{done.stderr}")
        with open(out, encoding="utf-8") as file:
            return differences(done.stdout, file.read())


def differences(names, dumps):
    """names: a path and N a line; dumps: what callgrind wrote at each mark, and one at the end."""
    counts = [int(text) for text in re.findall(r"^totals: (\d+)$", dumps, re.M)]
    rows = [line.split() for line in names.splitlines()]
    if not rows or len(counts) != DUMPS * len(rows) + 1:
        raise Broken(f"{len(rows)} paths, {len(counts)} counts")
    found = {}
    for at, (name, records) in enumerate(rows):
        _, once, twice = counts[DUMPS * at:DUMPS * (at + 1)]
        found[name] = (twice - once) / int(records)
        if found[name] < 1:
            raise Broken(f"{name}: {once} and {twice} instructions: nothing was done")
    return found


def priced(counts):
    """The same, but of a trusting path what it saves: the instructions of the checks."""
    found = {}
    for name, instructions in counts.items():
        plain = name.removesuffix(TRUSTING)
        if plain == name:
            found[name] = instructions
        elif plain in counts:
            found[plain + CHECKS] = counts[plain] - instructions
            if found[plain + CHECKS] <= 0:
                raise Broken(f"{name} takes as many instructions as {plain}: it is no twin")
    return found


def read_budget(path):
    """(comment lines, {path: (instructions, tolerance in percent)})"""
    comments = []
    rows = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                comments.append(line)
            elif line.strip():
                name, instructions, tolerance = line.split()
                rows[name] = (float(instructions), float(tolerance))
    return comments, rows


def write_budget(path, counts):
    comments, rows = read_budget(path)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(comments)
        for name, instructions in counts.items():
            tolerance = rows.get(name, (0, TOLERANCE_PERCENT))[1]
            file.write(f"{name}\t{instructions:.0f}\t{tolerance:g}\n")
            before = f", was {rows[name][0]:.0f}" if name in rows else ", new"
            print(f"{name}: {instructions:.0f}{before}")
        for name in rows.keys() - counts.keys():
            print(f"{name}: no such path any more")


def judge(counts, rows):
    """[(in budget, line, hint or None)]; a path without budget, or budget without path, is over."""
    verdicts = []
    for name, instructions in counts.items():
        if name not in rows:
            verdicts.append((False, f"{name}: {instructions:.0f}, and no budget", None))
            continue
        budget, tolerance = rows[name]
        percent = 100 * (instructions / budget - 1)
        line = (f"{name}: {instructions:.0f} instructions a record, budget {budget:.0f} "
                f"({percent:+.1f} %, at most +{tolerance:g} %)")
        hint = None
        if percent < -HINT_PERCENT:
            hint = f"{name} is {-percent:.0f} % below its budget: `{UPDATE}` keeps the gain"
        verdicts.append((instructions <= budget * (1 + tolerance / 100), line, hint))
    return verdicts + [(False, f"{name}: in the budget, and no such path", None)
                       for name in rows.keys() - counts.keys()]


def show(verdicts):
    print(f"1..{len(verdicts)}")
    for at, (fits, line, hint) in enumerate(verdicts, 1):
        print(f"{'ok' if fits else 'not ok'} {at} - {line}")
        if hint:
            print(f"# {hint}")
    if all(fits for fits, _, _ in verdicts):
        return 0
    print(f"# If the instructions are worth it, `{UPDATE}` writes the new figures; say why in the "
          "commit.")
    return 1


def run(options):
    program = options.program or PROGRAM
    if not os.path.exists(program):
        raise Broken(f"{program} is not there: ninja -C build tests/budget/budget_paths")
    counts = priced(count(program, options.path))
    if options.update:
        write_budget(options.budget, counts)
        return 0
    if options.print_only:
        for name, instructions in counts.items():
            print(f"# {name}: {instructions:.0f} instructions a record")
        raise Skip(options.print_only)
    rows = read_budget(options.budget)[1]
    if options.path:
        rows = {name: row for name, row in rows.items() if name in counts}
    return show(judge(counts, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--budget", default=BUDGET, metavar="FILE")
    parser.add_argument("--update", action="store_true", help="write the counts into the budget")
    parser.add_argument("--print-only", metavar="REASON",
                        help="print what is counted and skip: the budget is for another compiler")
    parser.add_argument("program", nargs="?")
    parser.add_argument("path", nargs="*")
    options = parser.parse_args()
    if options.update and options.path:
        parser.error("--update counts every path")
    try:
        return run(options)
    except Skip as skip:
        print(f"1..0 # SKIP {skip}")
        return int(os.environ.get(SKIP_STATUS, "0"))
    except Broken as broken:
        print(f"Bail out! {broken}")
        # Of a seeded bug a failure is expected: not this one.
        return 0 if SKIP_STATUS in os.environ else 2


if __name__ == "__main__":
    sys.exit(main())
