#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores of small models that XGBoost trains here, against its own predictions (TAP).

    test_xgboost.py SCORE_ROWS [FORMAT...]

Each model is saved, imported by the program SCORE_ROWS, and asked for the rows that it was trained
on and for random rows with missing values. Scores may differ by 1e-5 (of 1, or of their size).
Skipped where Debian's python3-xgboost or python3-sklearn are not installed.
"""
import os
import subprocess
import sys
import tempfile
import warnings

DEBIAN = "/usr/bin/python3"
FORMATS = {"json": "json", "ubjson": "ubj"}
TOLERANCE = 1e-5
RANDOM_ROWS = 10000
warnings.filterwarnings("ignore")
try:
    import numpy as np
    import xgboost
    import sklearn.datasets as datasets
except ImportError as missing:
    if os.path.exists(DEBIAN) and os.environ.get("CAISSON_TREES_PYTHON") is None:
        os.environ["CAISSON_TREES_PYTHON"] = DEBIAN
        os.execv(DEBIAN, [DEBIAN, *sys.argv])
    print(f"1..0 # SKIP {missing}: python3-xgboost and python3-sklearn are needed")
    sys.exit(int(os.environ.get("CAISSON_SKIP_STATUS", "0")))


def with_missing(random, rows, part):
    rows = np.array(rows, dtype=np.float32)
    rows[random.random(rows.shape) < part] = np.nan
    return rows


def made(random, row_count, width):
    rows = random.normal(size=(row_count, width)).astype(np.float32)
    return rows, rows[:, 0] * rows[:, 1] + np.sin(3 * rows[:, 2])


def categorical(random, row_count):
    rows = random.normal(size=(row_count, 5)).astype(np.float32)
    rows[:, 1] = random.integers(0, 90, row_count)
    rows[:, 3] = random.integers(0, 7, row_count)
    return rows, rows[:, 0] + np.sin(rows[:, 1]) * 2 + (rows[:, 3] % 3)


def models():
    """name, parameters, rows, target, column types"""
    random = np.random.default_rng(20)
    diabetes = datasets.load_diabetes()
    cancer = datasets.load_breast_cancer()
    wine = datasets.load_wine()
    digits = datasets.load_digits()
    iris = datasets.load_iris()
    exercise = datasets.load_linnerud()
    rows, target = made(random, 1500, 12)
    missing = with_missing(random, rows, 0.2)
    sets, set_target = categorical(random, 1500)
    sets_missing = with_missing(random, sets, 0.15)
    types = ["q", "c", "q", "c", "q"]
    leafwise = {"tree_method": "hist", "grow_policy": "lossguide", "max_leaves": 90,
                "max_depth": 0}
    yield "diabetes", {"objective": "reg:squarederror"}, diabetes.data, diabetes.target, None
    yield "cancer", {"objective": "binary:logistic", "base_score": 0.3}, cancer.data, \
        cancer.target, None
    yield "cancer, raw", {"objective": "binary:logitraw", "base_score": 0.3}, cancer.data, \
        cancer.target, None
    yield "wine", {"objective": "multi:softprob", "num_class": 3}, wine.data, wine.target, None
    yield "digits", {"objective": "multi:softprob", "num_class": 10, "max_depth": 4}, \
        digits.data, digits.target, None
    yield "missing values", {"objective": "reg:squarederror"}, missing, target, None
    yield "leaf by leaf, deep", leafwise, missing, target, None
    yield "counts", {"objective": "count:poisson"}, missing, np.abs(target), None
    yield "gamma", {"objective": "reg:gamma"}, missing, np.abs(target) + 0.1, None
    yield "forest", {"num_parallel_tree": 4, "subsample": 0.5}, missing, target, None
    yield "categories", {"tree_method": "hist", "max_cat_to_onehot": 1}, sets, set_target, types
    yield "categories one by one", {"tree_method": "hist", "max_cat_to_onehot": 1000}, \
        sets_missing, set_target, types
    yield "categories, missing", {"tree_method": "hist", "max_cat_to_onehot": 1}, sets_missing, \
        set_target, types
    classes = {"objective": "multi:softprob", "num_class": 5, "tree_method": "hist"}
    yield "classes of categories, missing", {**classes, "max_cat_to_onehot": 3}, sets_missing, \
        np.digitize(set_target, [-1.5, 0, 1.5, 3]), types
    yield "several targets", {"objective": "reg:squarederror"}, exercise.data, exercise.target, None
    yield "several labels", {"objective": "binary:logistic"}, rows, \
        np.stack([target > 0, target > 0.7, rows[:, 3] > target], axis=1), None
    yield "dart", {"booster": "dart", "rate_drop": 0.3, "objective": "binary:logistic"}, missing, \
        target > 0, None
    yield "dart of classes", {**classes, "booster": "dart", "rate_drop": 0.2}, sets_missing, \
        np.digitize(set_target, [-1.5, 0, 1.5, 3]), types
    yield "iris", {"objective": "multi:softprob", "num_class": 3}, iris.data, iris.target, None
    yield "stump", {"max_depth": 1}, rows, target, None
    yield "only roots", {"gamma": 1e9}, rows, target, None


def random_rows(random, rows, types):
    """Rows in the range of the given ones and beyond, with values of theirs, one in six missing."""
    low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    drawn = random.uniform(low - 0.1 * (high - low), high + 0.1 * (high - low),
                           (RANDOM_ROWS, rows.shape[1])).astype(np.float32)
    taken = rows[random.integers(0, len(rows), drawn.shape), np.arange(rows.shape[1])]
    drawn = np.where(random.random(drawn.shape) < 0.5, taken, drawn)
    for column, kind in enumerate(types or []):
        if kind == "c":  # known ones, such as were never seen, and no category at all
            drawn[:, column] = random.integers(-2, 120, RANDOM_ROWS)
    return with_missing(random, drawn, 1 / 6)


def compare(program, folder, model_format, booster, rows, theirs):
    """The greatest difference, of 1 or of the size of the score."""
    names = ("model." + FORMATS[model_format], "rows", "scores")
    paths = [os.path.join(folder, name) for name in names]
    booster.save_model(paths[0])
    rows.astype(np.float32).tofile(paths[1])
    subprocess.run([program, model_format, *paths], check=True)
    ours = np.fromfile(paths[2], dtype=np.float32)
    if ours.shape != theirs.shape or not np.all(np.isfinite(theirs)):
        return float("inf")
    return float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))))


def main():
    program = sys.argv[1]
    random = np.random.default_rng(21)
    formats = sys.argv[2:] or list(FORMATS)
    cases = list(models())
    print(f"1..{len(cases) * len(formats)}")
    failures = 0
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, parameters, rows, target, types in cases:
            rows = np.asarray(rows, dtype=np.float32)
            matrix = xgboost.DMatrix(rows, target, feature_types=types,
                                     enable_categorical=types is not None)
            booster = xgboost.train({"nthread": 1, "seed": 1, **parameters}, matrix, 20)
            more = np.concatenate([rows, random_rows(random, rows, types)])
            matrix = xgboost.DMatrix(more, feature_types=types,
                                     enable_categorical=types is not None)
            theirs = booster.predict(matrix).reshape(-1)
            for model_format in formats:
                number += 1
                worst = compare(program, folder, model_format, booster, more, theirs)
                is_equal = worst <= TOLERANCE
                failures += not is_equal
                print(f"{'ok' if is_equal else 'not ok'} {number} - {name}, {model_format}: "
                      f"{len(more)} rows, at most {worst:.1e} apart", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
