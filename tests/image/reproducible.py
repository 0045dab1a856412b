#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds every image again from a copy of the sources in another folder: the bytes must be equal.

usage: reproducible.py SOURCE_ROOT CC IMAGE...    (IMAGE: path below the build folder given by
$CAISSON_BUILD)

Negative control: one number of one manifest is changed in the copy, and that image must differ.
TAP on stdout.
"""
import os
import shutil
import subprocess
import sys
import tempfile

# The copy that is changed, and how.
SEED = ('tests/images/raw.h', '.security_version = 1', '.security_version = 2',
        'tests/images/idle.elf')


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def main():
    root, cc, images = sys.argv[1], sys.argv[2].replace(',', ' '), sys.argv[3:]
    build = os.environ['CAISSON_BUILD']
    count = failed = 0

    def report(good, text):
        nonlocal count, failed
        count += 1
        failed += not good
        print('ok' if good else 'not ok', count, '-', text, flush=True)

    with tempfile.TemporaryDirectory(prefix='caisson another folder ') as folder:
        copy, other = os.path.join(folder, 'source tree'), os.path.join(folder, 'out')
        build_name = os.path.basename(os.path.normpath(build))
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns('.git', 'build*', build_name))
        environment = {**os.environ, 'CC': cc, 'CFLAGS': '', 'LDFLAGS': ''}
        quiet = {'check': True, 'stdout': subprocess.DEVNULL, 'env': environment}
        subprocess.run(['meson', 'setup', '-Dseeded_bugs=false', other, copy], **quiet)
        subprocess.run(['ninja', '-j2', '-C', other] + images, **quiet)
        for image in images:
            report(read(os.path.join(build, image)) == read(os.path.join(other, image)),
                   f'{image} is the same from another folder')
        path, old, new, image = SEED
        with open(os.path.join(copy, path), 'r+', encoding='utf-8') as file:
            text = file.read()
            report(text.count(old) == 1, f'seed applies to {path}')
            file.seek(0)
            file.truncate()
            file.write(text.replace(old, new))
        subprocess.run(['ninja', '-j2', '-C', other, image], **quiet)
        report(read(os.path.join(build, image)) != read(os.path.join(other, image)),
               f'{image} differs after one number of its manifest was changed')
    print(f'1..{count}')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
