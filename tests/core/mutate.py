# SPDX-License-Identifier: Apache-2.0
"""Writes a copy of a source with one seeded bug: INPUT OUTPUT OLD NEW; OLD must occur once.

White space in OLD stands for any white space, so that formatting does not matter.
"""
import re
import sys

source, target, old, new = sys.argv[1:5]
with open(source, encoding="utf-8") as file:
    text = file.read()
pattern = r"\s+".join(re.escape(part) for part in old.split())
text, count = re.subn(pattern, lambda _: new, text)
if count != 1:
    sys.exit(f"{source}: {count} places match {old!r}")
with open(target, "w", encoding="utf-8") as file:
    # The copy lies elsewhere: its includes are named from src/.
    file.write(re.sub(r'#include "(?:\.\./)?(?:(\w+)/)?(\w+\.h)"',
                      lambda m: f'#include "{m[1] or source.split("/")[-2]}/{m[2]}"', text))
