#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes each check out of the image parser in turn: the parser's test must fail every time, and
the fuzz target must trap for those that keep memory safe.

usage: mutants.py SOURCE_ROOT CC

A mutant is parse.c or manifest.c with one refusal removed. It is compiled with the unchanged test;
a mutant under which the test still passes is a check that nothing tests. TAP on stdout.
"""
import os
import re
import subprocess
import sys
import tempfile

TEST = 'tests/image/test_parse.c'
OTHERS = ['tests/image/support/elf.c', 'src/core/bytes.c', 'src/core/base.c']


def parse_mutants(text):
    """One mutant per `return refuse(…);`: the statement does nothing, so the check is gone."""
    for match in re.finditer(r'return (refuse\(parser, "([^"]*)".*?\));', text, re.S):
        tail = text[match.end():match.end() + 3]
        # The last statement of a function has nothing after it to fall into.
        instead = 'return CSN_OK;' if tail.startswith('\n}') else '(void)parser;'
        yield match.group(2), text[:match.start()] + instead + text[match.end():]


def manifest_mutants(text):
    """One mutant per rule: its expression becomes true."""
    for match in re.finditer(r'\{"(manifest [^"]*)",\s*FIELD\((\w+)\),\s*(.*?)\},\n', text, re.S):
        changed = text[:match.start(3)] + 'm != NULL' + text[match.end(3):]
        if 'fits},' not in changed:
            changed = changed.replace('const struct manifest_rule rules[] = {\n'
                                      '        {"manifest input',
                                      '(void)fits;\n    const struct manifest_rule rules[] = {\n'
                                      '        {"manifest input')
        yield match.group(1), changed


def part_mutants(text):
    """Conditions made of several parts: one mutant per part that is left out, joined by ||."""
    for match in re.finditer(r'    if \(([^{};]*?)\) \{\n'
                             r'        return refuse\(parser, "([^"]*)"', text, re.S):
        parts = [p.strip() for p in split_or(match.group(1))]
        for i in range(len(parts)) if len(parts) > 1 else []:
            rest = ' || '.join(parts[:i] + parts[i + 1:])
            yield (f'{match.group(2)} without {" ".join(parts[i].split())}',
                   text[:match.start(1)] + rest + text[match.end(1):])


def split_or(condition):
    depth, start = 0, 0
    for i, c in enumerate(condition):
        depth += (c == '(') - (c == ')')
        if depth == 0 and condition.startswith('||', i):
            yield condition[start:i]
            start = i + 2
    yield condition[start:]


FUZZED = ('segment both writable', 'segments overlap', 'segment outside the range',
          'segment beyond the end', 'segment empty')
FUZZ_SOURCES = ['fuzz/image.c', 'fuzz/replay.c', 'src/image/manifest.c', 'src/core/bytes.c']


class Builder:
    def __init__(self, root, cc, folder):
        self.cc = cc + ['-std=gnu11', '-O0', '-w', '-I' + root + '/include', '-I' + root + '/src',
                        '-I' + root + '/tests/image']
        self.folder = folder
        self.objects = {}
        for path in [TEST, 'src/image/parse.c', 'src/image/manifest.c'] + OTHERS:
            self.objects[path] = self.compile(os.path.join(root, path), path)

    def compile(self, source, name):
        target = os.path.join(self.folder, name.replace('/', '_') + '.o')
        subprocess.run(self.cc + ['-c', source, '-o', target], check=True)
        return target

    def passes(self, objects):
        program = os.path.join(self.folder, 'test')
        subprocess.run(self.cc + list(objects.values()) + ['-lcmocka', '-o', program], check=True)
        # A mutant may well crash: that counts as found.
        return subprocess.run([program], capture_output=True, check=False).returncode == 0

    def write_mutant(self, root, text):
        source = os.path.join(self.folder, 'mutant.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(text.replace('#include "../', f'#include "{root}/src/')
                       .replace('#include "elf64.h"', f'#include "{root}/src/image/elf64.h"')
                       .replace('#include "image.h"', f'#include "{root}/src/image/image.h"'))
        return source

    def fuzz_passes(self, root, text):
        program = os.path.join(self.folder, 'fuzz')
        subprocess.run(self.cc + [os.path.join(root, p) for p in FUZZ_SOURCES]
                       + [self.write_mutant(root, text), '-o', program], check=True)
        return subprocess.run([program, root + '/fuzz/corpus/image', '100000'], check=False,
                              capture_output=True).returncode == 0

    def mutant_passes(self, root, path, text):
        source = self.write_mutant(root, text)
        objects = dict(self.objects)
        objects[path] = self.compile(source, 'mutant')
        return self.passes(objects)


def main():
    root, cc = os.path.abspath(sys.argv[1]), sys.argv[2].split(',')
    count = failed = 0

    def report(good, text):
        nonlocal count, failed
        count += 1
        failed += not good
        print('ok' if good else 'not ok', count, '-', text, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        builder = Builder(root, cc, folder)
        report(builder.passes(builder.objects), 'the unchanged parser passes its test')
        for path, makers in (('src/image/parse.c', (parse_mutants, part_mutants)),
                             ('src/image/manifest.c', (manifest_mutants,))):
            with open(os.path.join(root, path), encoding='utf-8') as file:
                text = file.read()
            for name, mutant in (pair for maker in makers for pair in maker(text)):
                report(not builder.mutant_passes(root, path, mutant), f'found: {name}')
        with open(os.path.join(root, 'src/image/parse.c'), encoding='utf-8') as file:
            text = file.read()
        report(builder.fuzz_passes(root, text), 'the unchanged parser passes the fuzz target')
        seeds = [pair for pair in parse_mutants(text) if pair[0].startswith(FUZZED)]
        report(len(seeds) == len(FUZZED), 'all seeds for the fuzz target apply')
        for name, mutant in seeds:
            report(not builder.fuzz_passes(root, mutant), f'found by the fuzz target: {name}')
    print(f'1..{count}')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
