#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run libFuzzer campaigns and count them as TAP.

usage: campaign.py [--jobs N] [--runs N] BUILD_FOLDER SECONDS [TARGET | TARGET:PARSER]...

The build is one of clang's with -Dfuzz=true. A target starts from its seeds in fuzz/corpus/NAME and
keeps what it finds in BUILD_FOLDER/corpus/NAME, so that the next campaign goes on from there; a
finding is left in BUILD_FOLDER/findings/. What finds something, or executes nothing, fails.

Most targets run for SECONDS. One of several parsers (COUNTED) is a campaign for each of them, which
runs a number of inputs however long they take: --runs, CAISSON_FUZZ_RUNS, or 2*10^7. It goes in
slices, after each of which BUILD_FOLDER/campaign.json says how far it is: a campaign that was
stopped goes on there, and one that is done is not run again. Runs of another program than the one
that stands in the build folder do not count.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEEDS = os.path.join(ROOT, "fuzz", "corpus")
INPUT_SIZE_MAX = 65536
COUNTED = ("verify_key", "verify_parse")
RUNS = 20000000
SLICE = 1000000
# No more freed memory is kept poisoned than a run frees: more of it only misses the cache.
SANITIZER = "quarantine_size_mb=8"


def program_of(build, target):
    return os.path.join(build, "fuzz", "fuzz_" + target)


def parsers_of(build, target):
    """[(name, longest input worth trying)], in the order of the bytes that choose them."""
    done = subprocess.run([program_of(build, target)], capture_output=True, text=True, check=False,
                          env=dict(os.environ, CAISSON_FUZZ_PARSER="list"))
    return [(name, int(size)) for name, size in re.findall(r"^(\w+) (\d+)$", done.stdout, re.M)]


def put_seeds(folder, target, index, count):
    """The target's seeds of one parser, without the byte that chooses it."""
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(os.path.join(SEEDS, target)):
        with open(os.path.join(SEEDS, target, name), "rb") as stream:
            content = stream.read()
        if content and content[0] % count == index:
            with open(os.path.join(folder, name), "wb") as stream:
                stream.write(content[1:])


class State:
    """What the counted campaigns have done, in a file that is whole at any time."""

    def __init__(self, build):
        self.path = os.path.join(build, "campaign.json")
        self.lock = threading.Lock()
        self.all = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as stream:
                self.all = json.load(stream)

    def of(self, name, digest):
        entry = self.all.get(name, {})
        same = entry.get("program") == digest
        return entry if same else {"program": digest, "runs": 0, "cpu": 0.0, "coverage": 0}

    def put(self, name, entry):
        with self.lock:
            self.all[name] = entry
            with open(self.path + ".new", "w", encoding="utf-8") as stream:
                json.dump(self.all, stream, indent=1, sort_keys=True)
            os.replace(self.path + ".new", self.path)


class Result:
    """What one run of a libFuzzer program says of itself."""

    def __init__(self, build, name, seeds, options, parser=None):
        grown = os.path.join(build, "corpus", name.replace(":", "/"))
        findings = os.path.join(build, "findings", name.replace(":", "-") + "-")
        os.makedirs(grown, exist_ok=True)
        os.makedirs(os.path.dirname(findings), exist_ok=True)
        environment = dict(os.environ)
        environment["ASAN_OPTIONS"] = SANITIZER + ":" + environment.get("ASAN_OPTIONS", "")
        if parser is not None:
            environment["CAISSON_FUZZ_PARSER"] = parser
        command = [program_of(build, name.split(":")[0]), grown, seeds] + options
        command += ["-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={findings}",
                    "-print_final_stats=1"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors="replace", env=environment) as process:
            log = process.stderr.read()
            # The one wait that tells what this process alone has used.
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        executed = re.search(r"number_of_executed_units:\s*(\d+)", log)
        covered = re.findall(r"cov: (\d+)", log)
        self.count = int(executed.group(1)) if executed else 0
        self.coverage = int(covered[-1]) if covered else 0
        self.cpu = used.ru_utime + used.ru_stime
        self.good = process.returncode == 0 and self.count > 0
        self.tail = "".join("\n# " + line for line in log.splitlines()[-40:])


def run_timed(build, target, seconds):
    """(good, text) of a target that runs for a time."""
    start = time.monotonic()
    result = Result(build, target, os.path.join(SEEDS, target),
                    [f"-max_total_time={seconds}", f"-max_len={INPUT_SIZE_MAX}"])
    text = (f"{target}: {result.count} executions, coverage {result.coverage} in "
            f"{time.monotonic() - start:.0f} s")
    return result.good, text + ("" if result.good else result.tail)


def run_counted(build, state, target, parser, digest, runs):
    """(good, text) of one parser, from where it was left."""
    index, count, name, size_max = parser
    key = f"{target}:{name}"
    entry = state.of(key, digest)
    seeds = os.path.join(build, "seeds", target, name)
    put_seeds(seeds, target, index, count)
    while entry["runs"] < runs:
        part = min(SLICE, runs - entry["runs"])
        result = Result(build, key, seeds, [f"-runs={part}", f"-max_len={size_max}"], name)
        if not result.good:
            return False, f"{key}: a finding after {entry['runs']} executions" + result.tail
        entry = {"program": digest, "runs": entry["runs"] + result.count,
                 "cpu": entry["cpu"] + result.cpu, "coverage": result.coverage}
        state.put(key, entry)
    return True, (f"{key}: {entry['runs']} executions of up to {size_max} bytes, coverage "
                  f"{entry['coverage']}, {entry['cpu']:.0f} s of CPU")


def jobs_of(build, names, seconds, runs):
    """One call for each point of the campaign."""
    state = State(build)
    jobs = []
    for name in names:
        target, _, only = name.partition(":")
        if target not in COUNTED:
            jobs.append(lambda target=target: run_timed(build, target, seconds))
            continue
        with open(program_of(build, target), "rb") as stream:
            digest = hashlib.sha256(stream.read()).hexdigest()
        parsers = parsers_of(build, target)
        chosen = [(i, len(parsers), parser, size) for i, (parser, size) in enumerate(parsers)
                  if only in ("", parser)]
        if not chosen:
            sys.exit(f"campaign.py: {target} has no parser {only}")
        for parser in chosen:
            jobs.append(lambda target=target, parser=parser, digest=digest:
                        run_counted(build, state, target, parser, digest, runs))
    return jobs


def table(build):
    """How far each parser is, by what the last campaigns left."""
    print(f"# {'parser':28} {'executions':>12} {'coverage':>9} {'CPU s':>8} {'per s':>8}")
    for name, entry in sorted(State(build).all.items()):
        rate = entry["runs"] / entry["cpu"] if entry["cpu"] else 0
        print(f"# {name:28} {entry['runs']:12} {entry['coverage']:9} {entry['cpu']:8.0f} "
              f"{rate:8.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", metavar="BUILD_FOLDER")
    parser.add_argument("seconds", type=int, metavar="SECONDS")
    parser.add_argument("names", nargs="*", metavar="TARGET[:PARSER]")
    parser.add_argument("--jobs", type=int, default=1, help="campaigns at a time")
    parser.add_argument("--runs", type=int, help="executions of each parser",
                        default=int(os.environ.get("CAISSON_FUZZ_RUNS", RUNS)))
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    jobs = jobs_of(build, options.names or sorted(os.listdir(SEEDS)), options.seconds, options.runs)
    print(f"1..{len(jobs)}", flush=True)
    failed = 0
    with ThreadPoolExecutor(max_workers=max(options.jobs, 1)) as pool:
        for number, (good, text) in enumerate(pool.map(lambda job: job(), jobs), 1):
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {text}", flush=True)
    table(build)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
