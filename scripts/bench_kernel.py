#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts a kernel for QEMU where build/bench/start looks for it: BUILD/bench/kernel/vmlinuz.

    bench_kernel.py [BUILD]

What cannot be had is said, and no failure: start leaves its QEMU rows out.
"""
import os
import shutil
import sys

import debian_kernel


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    target = os.path.join(build, "bench", "kernel", "vmlinuz")
    if os.path.exists(target):
        return
    root = os.path.join(build, "bench", "kernel", "unpacked")
    try:
        version = debian_kernel.newest_version()
        debian_kernel.unpack(root, version)
    except debian_kernel.Missing as why:
        print(f"no kernel for QEMU: {why}", file=sys.stderr)
        return
    shutil.copy(debian_kernel.image_path(root, version), target)
    shutil.rmtree(root) # the image is all that is needed
    print(f"Linux {version} for QEMU in {target}", file=sys.stderr)


main()
