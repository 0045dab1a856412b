#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much there is to read in what an image is made of, and what of it is a library's.

    scripts/trusted_lines.py IMAGE.elf ... [--json] [--files]

The symbols of an image name the files that were linked. Each is counted with the headers of ours
that it includes, once for an image: lines of code, comments and empty lines apart. A file that is
linked counts whole, also where the linker dropped functions of it. What is not ours (libsodium) is
named by its objects and not counted.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACES = ("src/core", "src/crypto", "src/ohttp", "src/json", "src/trees", "src/weights",
          "src/vocab", "src/llm", "src/enclave")
LIBRARY = re.compile(r"^lib\w+-.*\.o$")  # libtool's names, as Debian's libsodium has them
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<(caisson/[^>]+)>)', re.M)


def linked(image):
    """Names of files, as the symbols of the image have them."""
    text = subprocess.run(["readelf", "-sW", image], capture_output=True, text=True,
                          check=True).stdout
    return sorted({line.split()[7] for line in text.splitlines()
                   if len(line.split()) == 8 and line.split()[3] == "FILE"})


def sources(name):
    """{basename: path} of what an image of that name may be made of."""
    found = {}
    for place in PLACES + ("enclaves/" + name,):
        folder = os.path.join(ROOT, place)
        for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if file.endswith((".c", ".S")):
                if file in found:
                    raise ValueError(f"two files of the name {file}")
                found[file] = os.path.join(place, file)
    return found


def with_headers(path, seen):
    """Adds a file and all of ours that it includes."""
    waiting = [path]
    while waiting:
        path = waiting.pop()
        if path in seen or not os.path.exists(os.path.join(ROOT, path)):
            continue
        seen.add(path)
        with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
            for near, public in INCLUDE.findall(stream.read()):
                near = os.path.normpath(os.path.join(os.path.dirname(path), near)) if near else ""
                waiting.append(near or os.path.join("include", public))


def code_lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        text = re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.S)
    return sum(1 for line in text.splitlines() if not re.match(r"\s*(//|$)", line))


def measure(image, names=None):
    """(lines by file, objects of libraries). ValueError: a name that nobody knows."""
    name = os.path.basename(image).removesuffix(".elf")
    known, files, libraries = sources(name), set(), []
    for file in names if names is not None else linked(image):
        path = known.get(file) or known.get(file.removesuffix(".o"))
        if path is not None:
            with_headers(path, files)
        elif LIBRARY.match(file):
            libraries.append(file)
        else:
            raise ValueError(f"{image} has {file}, which is neither ours nor of a known library")
    return {path: code_lines(path) for path in sorted(files)}, libraries


def part(path):
    return "public headers" if path.startswith("include/") else os.path.dirname(path)


def by_part(lines):
    parts = {}
    for path, count in lines.items():
        parts[part(path)] = parts.get(part(path), 0) + count
    return parts


def show(image, lines, libraries, files):
    print(f"{os.path.basename(image)}: {sum(lines.values())} lines of code in {len(lines)} files")
    for name, count in sorted(by_part(lines).items(), key=lambda item: -item[1]):
        print(f"  {count:6}  {name}")
        for path in (p for p in lines if files and part(p) == name):
            print(f"          {lines[path]:6}  {path}")
    if libraries:
        print(f"  and {len(libraries)} objects of libraries: {' '.join(libraries)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="+", metavar="IMAGE.elf")
    parser.add_argument("--files", action="store_true", help="each file as well")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = {}
    try:
        for image in options.images:
            lines, libraries = measure(image)
            result[os.path.basename(image)] = {"lines": sum(lines.values()),
                                               "parts": by_part(lines), "files": lines,
                                               "library_objects": libraries}
            if not options.json:
                show(image, lines, libraries, options.files)
    except (ValueError, subprocess.CalledProcessError) as problem:
        print(f"trusted_lines: {problem}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
