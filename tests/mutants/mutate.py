# SPDX-License-Identifier: Apache-2.0
"""Writes copies of sources with one seeded bug each.

    mutate.py SOURCE TARGET OLD NEW    one copy
    mutate.py ROWS FOLDER              a copy for each row: TARGET (in FOLDER), SOURCE, OLD, NEW

OLD must occur once; white space in it stands for any white space, so that formatting does not
matter. In ROWS the fields end in a unit separator and the rows in a record separator. A copy that
would not change is left alone, so that nothing is made again of it.
"""
import os
import re
import sys

FIELD_END = "\x1f"
ROW_END = "\x1e"


def changed(source, old, new):
    with open(source, encoding="utf-8") as file:
        text = file.read()
    pattern = r"\s+".join(re.escape(part) for part in old.split())
    text, count = re.subn(pattern, lambda _: new, text)
    if count != 1:
        sys.exit(f"{source}: {count} places match {old!r}")
    return text


def write(target, text):
    if os.path.exists(target):
        with open(target, encoding="utf-8") as file:
            if file.read() == text:
                return
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments):
    if len(arguments) == 4:
        source, target, old, new = arguments
        write(target, changed(source, old, new))
        return
    rows, folder = arguments
    with open(rows, encoding="utf-8") as file:
        for row in file.read().split(ROW_END)[:-1]:
            target, source, old, new = row.split(FIELD_END)[:-1]
            write(os.path.join(folder, target), changed(source, old, new))


main(sys.argv[1:])
