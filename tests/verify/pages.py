# SPDX-License-Identifier: Apache-2.0
"""docs/verify/ has one page for each finding id, with the parts that a page has, and no other."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
ids = []
noted = set()
for source in (root / "src/verify").rglob("*.c"):
    text = source.read_text(encoding="utf-8")
    for table in re.findall(r"struct csv_entry \w+\[\w*\] = \{(.*?)\n\};", text, re.S):
        ids += re.findall(r'^    \{"([a-z0-9.-]+)"', table, re.M)
    noted |= set(re.findall(r'csv_(?:note\w*|need_part|crl_check)\([^;]*?'
                            r'"([a-z0-9-]+\.[a-z0-9-]+)"', text))
    noted |= set(re.findall(r'\.finding = "([a-z0-9.-]+)"', text))
pages = {page.stem: page.read_text(encoding="utf-8")
         for page in (root / "docs/verify").glob("*.md")}
parts = ["## What is checked", "## Why it matters", "## What to do", "## Example"]

faults = []
for name in sorted(set(ids) | set(pages)):
    if name not in pages:
        faults.append(f"{name}: no page")
    elif name not in ids:
        faults.append(f"{name}: a page for no finding")
    else:
        text = pages[name]
        if not text.startswith(f"# {name}\n"):
            faults.append(f"{name}: the title is another")
        faults += [f"{name}: no part {part!r}" for part in parts if part not in text]
        if name not in text.split("## Example", 1)[-1]:
            faults.append(f"{name}: the example is another's")
faults += [f"{name}: noted, but not in the catalogue"
           for name in sorted(noted - set(ids)) if not name.endswith(".h")]

print("1..2")
print(f"{'ok' if len(ids) >= 18 and len(set(ids)) == len(ids) else 'not ok'} 1 - {len(ids)} ids")
for fault in faults:
    print("#", fault)
print(f"{'not ok' if faults else 'ok'} 2 - pages are the catalogue")
sys.exit(1 if faults else 0)
