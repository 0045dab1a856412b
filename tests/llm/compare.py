#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens and logits of models with random weights, against those of llama.cpp.

    compare.py kept GREEDY EXPECTED           against what llama.cpp said once (TAP)
    compare.py llama GREEDY EXPECTED FOLDER   against llama.cpp, run here (TAP); skipped without it
    compare.py keep GREEDY EXPECTED FOLDER    makes EXPECTED: llama.cpp's answers
    compare.py survey GREEDY SEEDS FOLDER     how often tokens differ, and how sure llama.cpp was
    compare.py speed GREEDY ROUNDS FOLDER     CPU time of a prompt's tokens and of those after it

Each model is made by scripts/make_gguf.py. Tokens are greedy and have to be the same. Logits have
to be as near as TOLERANCE says: the root of the mean square of differences, as a part of that of
logits. Where weights are whole numbers, inputs are rounded to 7 bits before each matrix, so that
what two orders of adding change in the last bit becomes a part in 127 of some inputs: there,
llama.cpp's own libraries for different CPUs differ from each other as much as from us.

A near tie may be decided either way. The seeds in SEEDS are the first, for each shape and type, in
whose run llama.cpp's best token is further ahead of the next than logits differ; `survey` counts
what happens for any seed.
"""
import argparse
import array
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
TYPES = ("f32", "f16", "q8_0", "q4_0", "q4_k", "q6_k")
COUNT = 32
KEPT = 16  # logits of the first and the last token that are kept
TOLERANCE = {"f32": 0.004, "f16": 0.004, "q8_0": 0.04, "q4_0": 0.02, "q4_k": 0.03, "q6_k": 0.06}
SHAPES = {
    "plain": (["--width", "256", "--inner", "512", "--heads", "8", "--vocab", "512"], 24),
    "grouped": (["--width", "512", "--inner", "768", "--heads", "8", "--kv-heads", "2", "--layers",
                 "3", "--vocab", "700", "--tied"], 150),
    "one-key-head": (["--width", "256", "--inner", "768", "--heads", "4", "--kv-heads", "1",
                      "--head-size", "128", "--vocab", "512", "--rope-factors"], 40),
    "stretched": (["--width", "768", "--inner", "1024", "--heads", "12", "--kv-heads", "4",
                   "--vocab", "1021", "--rope-base", "500000", "--rope-linear", "4"], 40),
    "deep": (["--width", "256", "--inner", "256", "--heads", "16", "--kv-heads", "8", "--layers",
              "12", "--vocab", "333"], 24),
    "mixed": (["--width", "256", "--inner", "512", "--heads", "4", "--kv-heads", "4",
               "--output-type", "q6_k", "--embedding-type", "f16", "--vocab", "512"], 24),
}


def maker():
    spec = importlib.util.spec_from_file_location(
        "make_gguf", os.path.join(ROOT, "scripts", "make_gguf.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prompt(shape, seed):
    vocab = int(SHAPES[shape][0][SHAPES[shape][0].index("--vocab") + 1])
    return [(i * i * 7 + i * 31 + seed * 13 + 3) % vocab for i in range(SHAPES[shape][1])]


def floats(path):
    found = array.array("f")
    with open(path, "rb") as stream:
        found.frombytes(stream.read())
    return found


class Case:
    """One model in a file, and what a program makes of it."""

    def __init__(self, folder, shape, kind, seed):
        self.name = f"{shape}, {kind}"
        self.kind = kind
        self.prompt = [str(token) for token in prompt(shape, seed)]
        self.model = os.path.join(folder, "model.gguf")
        self.out = os.path.join(folder, "logits")
        maker().main([self.model, "--type", kind, "--seed", str(seed), *SHAPES[shape][0]])

    def run(self, program, batch, last):
        done = subprocess.run([program, self.model, self.out, str(COUNT), str(batch), last,
                               *self.prompt], capture_output=True, text=True, check=True,
                              timeout=120)
        return [int(line) for line in done.stdout.split()], floats(self.out)


def apart(ours, theirs):
    """The root of the mean square of differences, by that of theirs."""
    wrong = sum((a - b) ** 2 for a, b in zip(ours, theirs))
    return math.sqrt(wrong / sum(b * b for b in theirs))


def lead(logits):
    best, second = sorted(logits, reverse=True)[:2]
    return best - second


def sample(logits, vocab):
    """Some logits of the first token and of the last."""
    picked = [i * vocab // KEPT for i in range(KEPT)]
    return [round(logits[i], 5) for i in picked] + \
        [round(logits[(COUNT - 1) * vocab + i], 5) for i in picked]


def faults(case, ours, theirs, logits, their_logits):
    found = []
    if ours != theirs:
        at = next(i for i in range(COUNT) if ours[i] != theirs[i])
        found.append(f"token {at} is {ours[at]}, not {theirs[at]}")
    difference = apart(logits, their_logits)
    if not difference <= TOLERANCE[case.kind]:
        found.append(f"logits differ by {difference:.4f} of their size")
    return found, difference


def point(number, problems, name):
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    for problem in problems:
        print(f"# {problem}")
    return bool(problems)


def kernels(program):
    """Those that this machine has: the wide one is skipped where it is not there."""
    return ["avx2", "avx512"] if subprocess.run([program], check=False).returncode == 3 else \
        ["avx2"]


def check_kept(args):
    with open(args.expected, encoding="utf-8") as stream:
        expected = json.load(stream)
    failed = 0
    wide = kernels(args.greedy)
    print(f"1..{len(expected['cases'])}")
    for number, kept in enumerate(expected["cases"], 1):
        with tempfile.TemporaryDirectory() as folder:
            case = Case(folder, kept["shape"], kept["type"], kept["seed"])
            problems = []
            for kernel in wide:
                tokens, logits = case.run(args.greedy, 16, kernel)
                found, _ = faults(case, tokens, kept["tokens"],
                                  sample(logits, len(logits) // COUNT), kept["logits"])
                problems += [f"{kernel}: {fault}" for fault in found]
            failed |= point(number, problems, case.name)
    return failed


def both(args, theirs, case):
    """Tokens and logits: ours, theirs."""
    ours = case.run(args.greedy, 16, kernels(args.greedy)[-1])
    return ours, case.run(theirs[0], 64, theirs[1])


def peer(args):
    import llama  # pylint: disable=import-outside-toplevel
    try:
        return llama.build(args.folder)
    except llama.Missing as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit(int(os.environ.get("CAISSON_SKIP_STATUS", "0")))


def check_llama(args):
    theirs = peer(args)
    with open(args.expected, encoding="utf-8") as stream:
        expected = json.load(stream)
    failed = 0
    print(f"1..{len(expected['cases'])}")
    for number, kept in enumerate(expected["cases"], 1):
        with tempfile.TemporaryDirectory() as folder:
            case = Case(folder, kept["shape"], kept["type"], kept["seed"])
            ours, other = both(args, theirs, case)
            problems, difference = faults(case, ours[0], other[0], ours[1], other[1])
            failed |= point(number, problems, f"{case.name}: logits {difference:.5f} apart")
    return failed


def is_clear(theirs, difference):
    """Whether llama.cpp was sure of all its tokens."""
    vocab = len(theirs[1]) // COUNT
    steps = [theirs[1][i * vocab:(i + 1) * vocab] for i in range(COUNT)]
    size = math.sqrt(sum(value * value for value in theirs[1]) / len(theirs[1]))
    return min(lead(step) for step in steps) > difference * size


def keep(args):
    theirs = peer(args)
    cases = []
    for shape in SHAPES:
        for kind in TYPES:
            for seed in range(1, 100):
                with tempfile.TemporaryDirectory() as folder:
                    case = Case(folder, shape, kind, seed)
                    ours, other = both(args, theirs, case)
                if not is_clear(other, max(apart(ours[1], other[1]), TOLERANCE[kind] / 4)):
                    continue
                cases.append({"shape": shape, "type": kind, "seed": seed, "tokens": other[0],
                              "logits": sample(other[1], len(other[1]) // COUNT)})
                print(case.name, "seed", seed, "same" if ours[0] == other[0] else "DIFFERENT",
                      f"{apart(ours[1], other[1]):.5f}", flush=True)
                break
    with open(args.expected, "w", encoding="utf-8") as stream:
        rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        stream.write('{"by": "llama.cpp v0.5.0, CPU, one thread, no flash attention",\n"cases": [\n'
                     + rows + "\n]}\n")
    return 0


def survey(args):
    """Until the first difference of each run, because what follows has another past."""
    theirs = peer(args)
    for kind in TYPES:
        steps = different = 0
        leads, parts = [], []
        for shape in SHAPES:
            for seed in range(1, int(args.expected) + 1):
                with tempfile.TemporaryDirectory() as folder:
                    case = Case(folder, shape, kind, seed)
                    ours, other = both(args, theirs, case)
                vocab = len(other[1]) // COUNT
                same = next((i for i in range(COUNT) if ours[0][i] != other[0][i]), COUNT)
                steps += min(same + 1, COUNT)
                until = min(same + 1, COUNT) * vocab
                parts.append(apart(ours[1][:until], other[1][:until]))
                if same < COUNT:
                    different += 1
                    step = other[1][same * vocab:(same + 1) * vocab]
                    leads.append(lead(step) / math.sqrt(sum(v * v for v in step) / vocab))
        print(f"{kind}: {different} of {steps} tokens differ"
              + (f", llama.cpp's lead there {max(leads):.4f} at most" if leads else "")
              + f"; logits {sorted(parts)[len(parts) // 2]:.5f} apart, {max(parts):.5f} at most",
              flush=True)
    return 0


# Larger than any cache, at some 100 to 200 MB.
FAST = ["--width", "2048", "--inner", "5632", "--heads", "32", "--kv-heads", "4", "--vocab", "8192"]
FAST_LAYERS = {"f32": 2, "f16": 2, "q8_0": 4, "q4_0": 6, "q4_k": 6}
FAST_PROMPT = 256


def seconds(command):
    """What a program says on its last line: of the prompt, of the tokens."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return [float(word) for word in done.stderr.split()[-2:]]


def speed(args):
    """Both on one thread, in turns; each in batches that suit it."""
    theirs = peer(args)
    tokens = [str(i * 37 % 8000) for i in range(FAST_PROMPT)]
    for kind, layers in FAST_LAYERS.items():
        ratios = [[], []]
        with tempfile.TemporaryDirectory() as folder:
            model = os.path.join(folder, "model.gguf")
            maker().main([model, "--type", kind, "--layers", str(layers), *FAST])
            for _ in range(int(args.expected)):
                ours = seconds([args.greedy, model, os.devnull, str(COUNT), "64",
                                kernels(args.greedy)[-1], *tokens])
                other = seconds([theirs[0], model, os.devnull, str(COUNT), str(FAST_PROMPT),
                                 theirs[1], *tokens])
                for i in range(2):
                    ratios[i].append((other[i] / ours[i], ours[i], other[i]))
        for what, found, count in zip(("prompt", "tokens"), ratios, (FAST_PROMPT, COUNT)):
            found.sort()
            middle = found[len(found) // 2]
            print(f"{kind}, {what}: {middle[0]:.2f} times llama.cpp ({found[0][0]:.2f} to "
                  f"{found[-1][0]:.2f}); {1e3 * middle[1] / count:.2f} ms a token, "
                  f"{1e3 * middle[2] / count:.2f} ms", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["kept", "llama", "keep", "survey", "speed"])
    parser.add_argument("greedy")
    parser.add_argument("expected")
    parser.add_argument("folder", nargs="?", default=".")
    args = parser.parse_args()
    return {"kept": check_kept, "llama": check_llama, "keep": keep, "survey": survey,
            "speed": speed}[args.what](args)


if __name__ == "__main__":
    sys.exit(main())
