# SPDX-License-Identifier: Apache-2.0
"""What is true of every row that a benchmark prints on any machine: for the tests beside it."""
import importlib.util
import os

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "bench.py")
_spec = importlib.util.spec_from_file_location("bench", SCRIPT)
bench = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench)


def ratio(row):
    reached = None
    if row["target"] > 0 and abs(row["ratio"] - row["target"]) < 1e-3:  # as far as is printed
        reached = row["reached"]
    elif row["target"] > 0:
        reached = (row["ratio"] >= row["target"] if row["kind"] == "at least"
                   else row["ratio"] <= row["target"])
    return (row["what"] and row["ours"] and row["other"] and row["pairs"] >= 15
            and row["kind"] in ("at least", "at most")
            and row["ours_ns"] > 0 and row["other_ns"] > 0 and row["floor_ns"] >= 0
            and row["class"] in ("ordinary", "real-time")
            and (row["mode"] in ("A", "B", "C")) == (row["floor_ns"] > 0)
            and 0 <= row["p10"] <= row["ratio"] <= row["p90"] and row["reached"] == reached)


def histogram(row):
    levels = [row[name] for name in ("p50", "p90", "p99", "p99.9", "p99.99", "max")]
    return row["histogram"] and row["samples"] > 0 and levels[0] > 0 and levels == sorted(levels)


def curve(row):
    return (row["curve"] and row["line"] and row["unit"] and row["x"] > 0 and row["ns"] > 0
            and 0 < row["p10"] <= row["ratio"] <= row["p90"] and row["pairs"] >= 15)


def wrong(row):
    """What is wrong with a row, or None."""
    lacking = [name for name in bench.fields(row) if name not in row]
    if lacking:
        return f"lacks {lacking[0]}: {row}"
    beyond = set(row) - set(bench.fields(row))
    if beyond:
        return f"has {sorted(beyond)[0]}, which is not documented: {row}"
    if row.get("kind") == "exactly":
        return None if isinstance(row["reached"], bool) else f"{row}"
    holds = {"rows": ratio, "histograms": histogram, "curves": curve}[bench.kind(row)](row)
    return None if holds else f"contradicts itself: {row}"
