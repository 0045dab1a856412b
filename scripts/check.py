#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build in each configuration, run its tests, and end with one line that counts them.

A test program speaks TAP; each of its points counts. A program that is expected to fail (a seeded
bug) counts as passed when it fails. The log of every configuration stays in its build folder.
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# name, CC, meson options, test names (None: all of the suite)
SANITIZED = ["-Db_lundef=false", "-Doptimization=1"]
CAMPAIGN = "campaign"  # in place of test names: libFuzzer on every target, for a bounded time each
CONFIGURATIONS = {
    "short": [
        ("build", "gcc", [], None),
        ("build-clang", "clang", ["-Dseeded_bugs=false"],
         ["ring", "session", "crypto_gcm", "image_parse", "client"]),
        ("build-asan", "gcc", ["-Db_sanitize=address,undefined", "-Dseeded_bugs=false"] + SANITIZED,
         ["ring", "ring_stress", "run_loop", "session", "attack", "client", "host", "crash_*",
          "image_parse", "json", "tokenize_*", "evidence", "producer_*", "launcher", "crypto_gcm",
          "crypto_ff1", "crypto_random", "crypto_aead_suite", "ohttp", "bhttp", "authorize",
          "http1", "front_http1", "front_http2", "front_limits", "front_parts",
          "clients_proxy", "view", "serve_config", "serve_parts", "serve_fleet", "serve_pump",
          "serve_shuffle", "serve_asks", "request*", "call", "crypto_mlkem", "fuzz_[a-u]*",
          "fuzz_verify_parse", "verify_policy", "snp_published", "verify_cca_published"]),
        ("build-tsan", "gcc", ["-Db_sanitize=thread"] + SANITIZED,
         ["ring_stress", "run_loop", "host", "backend_process", "mutant_lost_join", "serve_pump",
          "serve_shuffle", "serve_fleet"]),
    ],
    "long": [
        ("build", "gcc", [], None),
        ("build-fuzz", "clang", ["-Dfuzz=true", "-Db_lundef=false"], CAMPAIGN),
    ],
}
# A sanitizer's own slowness must not look like a hang.
TIMEOUT_FACTOR = {"build": "2", "build-clang": "3", "build-asan": "6", "build-tsan": "6"}


def run(arguments, log, environment=None):
    with open(log, "a", encoding="utf-8") as stream:
        return subprocess.run(arguments, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, env=environment, check=False).returncode


def configure_and_build(name, compiler, options, suite, target, patterns, log):
    environment = dict(os.environ, CC=compiler)
    if not os.path.exists(os.path.join(ROOT, name, "build.ninja")):
        if run(["meson", "setup", name] + options, log, environment) != 0:
            return False
    if run(["ninja", "-C", name, "build.ninja"], log, environment) != 0:
        return False
    made = targets(name, suite, target, patterns)
    return run(["ninja", "-C", name] + made, log, environment) == 0


def introspected(name, what):
    out = subprocess.run(["meson", "introspect", name, "--" + what], cwd=ROOT,
                         capture_output=True, text=True, check=False).stdout
    return json.loads(out)


def targets(name, suite, target, patterns):
    """What to build: what is made by default, and what the tests need that will run. (Not ninja's
    "all", which with meson has the programs of all tests, the long ones too.) Under a sanitizer
    only the latter: the other configurations build the rest. With all of a compiler's warnings,
    everything but seeded bugs, which are most of what there is."""
    if target != "all":
        return [target]
    if suite == "long" and patterns is None:
        return ["all", "meson-test-prereq"]
    wanted = None if patterns is None else [re.compile("^" + p.replace("*", ".*") + "$")
                                            for p in patterns]
    needed = {d for t in introspected(name, "tests") for d in t["depends"]
              if any(s.endswith(suite) for s in t["suite"])
              and (wanted is None or any(w.match(t["name"]) for w in wanted))}
    top = os.path.join(ROOT, name) + os.sep
    return sorted({f.removeprefix(top) for t in introspected(name, "targets")
                   if t["id"] in needed
                   or ("san" not in name and t["build_by_default"]
                       and (wanted is None or "mutant_" not in t["name"]))
                   for f in t["filename"]})


def listed(name, suite, patterns):
    """The tests of this configuration that match; a pattern may end in '*'."""
    out = subprocess.run(["meson", "test", "-C", name, "--suite", suite, "--list"], cwd=ROOT,
                         capture_output=True, text=True, check=False).stdout
    names = [line.split(" / ")[-1].strip() for line in out.splitlines() if " / " in line]
    if patterns is None:
        return names
    wanted = [re.compile("^" + p.replace("*", ".*") + "$") for p in patterns]
    if not all(any(w.match(n) for n in names) for w in wanted):
        return []  # a name that no test has would leave a test out in silence
    return [n for n in names if any(w.match(n) for w in wanted)]


def count_points(entry):
    """(passed, failed, skipped) of one test program."""
    result = entry["result"]
    passed = failed = skipped = 0
    for line in entry.get("stdout", "").splitlines():
        if re.match(r"^(not )?ok\b.*# *SKIP", line, re.I):
            skipped += 1
        elif line.startswith("ok "):
            passed += 1
        elif line.startswith("not ok"):
            failed += 1
    if result in ("EXPECTEDFAIL",):
        return 1, 0, 0
    if result == "SKIP":
        return 0, 0, max(skipped, 1)
    # Meson 1.0 takes "not ok # SKIP", which is how cmocka says it, for a failure.
    only_skips = result == "FAIL" and not failed and skipped and entry.get("returncode") == 0
    if result == "OK" or only_skips:
        return max(passed, 0 if skipped else 1), 0, skipped
    return passed, max(failed, 1), skipped


def run_campaign(name):
    """Each target counts as one point; what it executed is printed."""
    seconds = os.environ.get("CAISSON_FUZZ_SECONDS", "120")
    done = subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "campaign.py"), name,
                           seconds], cwd=ROOT, capture_output=True, text=True, check=False)
    print("  " + "\n  ".join(done.stdout.splitlines()[1:]))
    return count_points({"result": "OK" if done.returncode == 0 else "FAIL",
                         "stdout": done.stdout})


def run_tests(name, suite, patterns, log):
    tests = listed(name, suite, patterns)
    if not tests:
        print(f"  FAILED {name}: a test that is asked for does not exist")
        return 0, 1, 0
    json_log = os.path.join(ROOT, name, "meson-logs", "testlog.json")
    if os.path.exists(json_log):
        os.remove(json_log)
    # Twice as many as cores: those that serve and ask over sockets wait for each other most of the
    # time.
    run(["meson", "test", "-C", name, "--suite", suite, "--no-rebuild", "--num-processes",
         str(2 * (os.cpu_count() or 1)), "-t", TIMEOUT_FACTOR.get(name, "2")] + tests, log)
    total = [0, 0, 0]
    with open(json_log, encoding="utf-8") as stream:
        for line in stream:
            entry = json.loads(line)
            points = count_points(entry)
            total = [a + b for a, b in zip(total, points)]
            short_name = entry["name"].split(" / ")[-1]
            if points[1]:
                print(f"  FAILED {name}: {short_name} ({entry['result']})")
                tail = (entry.get("stdout", "") + entry.get("stderr", "")).splitlines()[-30:]
                print("    " + "\n    ".join(tail))
            for skip in re.findall(r"^.*# *SKIP.*$", entry.get("stdout", ""), re.I | re.M):
                print(f"  skipped {name}: {short_name}: {skip.strip()}")
    return total


def main():
    suite = sys.argv[1] if len(sys.argv) > 1 else "short"
    total = [0, 0, 0]
    for name, compiler, options, patterns in CONFIGURATIONS[suite]:
        log = os.path.join(ROOT, name + ".log")
        if os.path.exists(log):
            os.remove(log)
        print(f"{name}: {compiler} {' '.join(options)}", flush=True)
        target = "fuzz_targets" if patterns == CAMPAIGN else "all"
        if not configure_and_build(name, compiler, options, suite, target, patterns, log):
            print(f"  FAILED {name}: does not build; the end of {name}.log:")
            with open(log, encoding="utf-8", errors="replace") as stream:
                print("    " + "    ".join(stream.readlines()[-25:]))
            total[1] += 1
            continue
        points = (run_campaign(name) if patterns == CAMPAIGN
                  else run_tests(name, suite, patterns, log))
        print(f"  {points[0]} passed, {points[1]} failed, {points[2]} skipped in {name}",
              flush=True)
        total = [a + b for a, b in zip(total, points)]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
