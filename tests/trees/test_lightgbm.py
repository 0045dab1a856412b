#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random models in LightGBM's text, scored by us and by an evaluator of this file (TAP).

    test_lightgbm.py SCORE_ROWS

LightGBM itself is not in Debian: the evaluator follows the documented meaning of the text (splits
at or below, three kinds of missing values, sets of categories, classes in turn), in doubles and
node by node, and shares nothing with the importer. Rows lie at, just above and between thresholds.
"""
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
from array import array

ROWS = 2500  # of each of four models
TOLERANCE = 1e-5
ZERO = struct.unpack("f", struct.pack("f", 1e-35))[0]
NONE, ZEROS, NANS, CATEGORIES = range(4)


def narrow(value):
    """The nearest float."""
    return array("f", [value])[0]


def next_up(value):
    bits = struct.unpack("i", struct.pack("f", value))[0]
    bits = 1 if bits in (0, -2 ** 31) else bits + 1 if bits > 0 else bits - 1
    return struct.unpack("f", struct.pack("i", bits))[0]


class Tree:
    """A random tree; leaves by their complement, as in the text."""

    def __init__(self, draw, kinds, leaves):
        self.split, self.leaves, self.sets = [], [draw.gauss(0, 1)], []
        while len(self.leaves) < leaves:
            self.grow(draw, kinds)

    def grow(self, draw, kinds):
        """One leaf becomes a split: its left child keeps the leaf's number."""
        leaf, node = draw.randrange(len(self.leaves)), len(self.split)
        feature = draw.randrange(len(kinds))
        kind = kinds[feature]
        if kind == CATEGORIES:
            words = [draw.getrandbits(32) & draw.getrandbits(32)
                     for _ in range(draw.choice([1, 3]))]
            threshold, decision = len(self.sets), 1 | draw.choice([0, 8])
            self.sets.append(words)
        else:
            threshold = draw.choice([draw.gauss(0, 1), round(draw.gauss(0, 2)), ZERO, -ZERO,
                                     narrow(draw.gauss(0, 1)), 1e300, 0.1])
            decision = draw.choice([0, 2]) | kind << 2
        for old in self.split:
            for side in (3, 4):
                old[side] = node if old[side] == ~leaf else old[side]
        self.split.append([feature, threshold, decision, ~leaf, ~len(self.leaves)])
        self.leaves.append(draw.gauss(0, 1))

    def text(self, number):
        def line(name, values):
            return name + "=" + " ".join(repr(v) for v in values) + "\n"
        columns = list(zip(*self.split)) or [()] * 5
        bounds, words = [0], []
        for one in self.sets:
            words += one
            bounds.append(len(words))
        text = f"Tree={number}\nnum_leaves={len(self.leaves)}\nnum_cat={len(self.sets)}\n"
        names = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
        text += "".join(line(*pair) for pair in zip(names, columns))
        text += line("leaf_value", self.leaves)
        if self.sets:
            text += line("cat_boundaries", bounds) + line("cat_threshold", words)
        return text + "is_linear=0\nshrinkage=1\n\n\n"

    def value(self, row):
        node = 0 if self.split else -1
        while node >= 0:
            feature, threshold, decision, left, right = self.split[node]
            value, missing = row[feature], decision >> 2
            if decision & 1:
                goes = not math.isnan(value) and int(value) >= 0
                number = int(value) if goes else 0
                words = self.sets[threshold]
                goes = goes and number // 32 < len(words) and words[number // 32] >> number % 32 & 1
            else:
                value = 0.0 if math.isnan(value) and missing != NANS else value
                if (missing == ZEROS and abs(value) <= ZERO) or math.isnan(value):
                    goes = decision & 2
                else:
                    goes = value <= threshold
            node = left if goes else right
        return self.leaves[~node]


def models(draw):
    """name, objective, kinds of features, classes, mean, transform"""
    def logistic(sums):
        return [1 / (1 + math.exp(-0.7 * s)) for s in sums]

    def softmax(sums):
        parts = [math.exp(s - max(sums)) for s in sums]
        return [p / sum(parts) for p in parts]
    mixed = [draw.choice([NONE, ZEROS, NANS, CATEGORIES]) for _ in range(40)]
    yield "sums", "regression", [NANS] * 3, 1, False, list
    yield "binary, all kinds", "binary sigmoid:0.7", mixed, 1, False, logistic
    yield "four classes", "multiclass num_class:4", [ZEROS, NANS, NONE, CATEGORIES], 4, False, \
        softmax
    yield "a mean of trees", "regression_l1", [CATEGORIES, NONE], 1, True, list


def make_rows(draw, trees, kinds):
    near = {f: [0.0, -0.0, ZERO, 1.0, -1.0, math.nan] for f in range(len(kinds))}
    for tree in trees:
        for feature, threshold, decision, _, _ in tree.split:
            if not decision & 1 and abs(threshold) < 1e30:
                at = narrow(threshold)
                near[feature] += [at, next_up(at), -next_up(-at)]
    for _ in range(ROWS):
        row = []
        for feature, kind in enumerate(kinds):
            if kind == CATEGORIES:
                row.append(draw.choice([draw.randrange(110), draw.uniform(0, 110), -1.0, math.nan,
                                        1e8]))
            else:
                row.append(draw.choice([draw.choice(near[feature]), draw.gauss(0, 1.5), math.inf]))
        yield [narrow(value) for value in row]


def compare(program, folder, draw, model):
    """The greatest difference, of 1 or of the size of the score."""
    _, objective, kinds, classes, is_mean, transform = model
    trees = [Tree(draw, kinds, draw.choice([1, 2, 7, 31])) for _ in range(12 * classes)]
    head = f"tree\nversion=v4\nnum_class={classes}\nnum_tree_per_iteration={classes}\n" \
           f"label_index=0\nmax_feature_idx={len(kinds) - 1}\nobjective={objective}\n" \
           + ("average_output\n" if is_mean else "") + "feature_names=x\n\n"
    text = head + "".join(tree.text(i) for i, tree in enumerate(trees)) + "end of trees\n"
    paths = [os.path.join(folder, name) for name in ("model", "rows", "scores")]
    rows = list(make_rows(draw, trees, kinds))
    with open(paths[0], "w", encoding="utf-8") as file:
        file.write(text)
    with open(paths[1], "wb") as file:
        file.write(b"".join(array("f", row).tobytes() for row in rows))
    subprocess.run([program, "lightgbm", *paths], check=True)
    with open(paths[2], "rb") as file:
        ours = array("f", file.read())
    worst = 0.0 if len(ours) == ROWS * classes else math.inf
    for i, row in enumerate(rows):
        sums = [sum(tree.value(row) for tree in trees[c::classes]) for c in range(classes)]
        scores = transform([s / 12 for s in sums] if is_mean else sums)
        for mine, theirs in zip(ours[i * classes:], scores):
            worst = max(worst, abs(mine - theirs) / max(1, abs(theirs)))
    return worst


def main():
    draw = random.Random(7)
    cases = list(models(draw))
    failures = 0
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as folder:
        for number, model in enumerate(cases, 1):
            worst = compare(sys.argv[1], folder, draw, model)
            failures += worst > TOLERANCE
            print(f"{'ok' if worst <= TOLERANCE else 'not ok'} {number} - {model[0]}: {ROWS} rows, "
                  f"at most {worst:.1e} apart", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
