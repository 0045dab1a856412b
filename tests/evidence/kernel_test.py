#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Producers against a real kernel: Debian's own 6.12 in an emulated machine.

Arguments: INIT PROVIDER.C [control].

Packages come from Debian's archive, are unpacked in the build folder (nothing is installed) and
kept there for the next run. What cannot be had is a skip with its reason; for a control, whose exit
code alone counts, that is 77.
"""
import glob
import lzma
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["CAISSON_SOURCE"], "scripts"))
import debian_kernel # pylint: disable=wrong-import-position
from debian_kernel import run # pylint: disable=wrong-import-position

init_path, provider_path = sys.argv[1:3]
folder = os.path.join(os.environ["CAISSON_BUILD"], "tests", "evidence", "kernel")


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(77 if len(sys.argv) > 3 else 0)


def unpack(version):
    """The root of what was unpacked, with headers that look for each other there."""
    root = os.path.join(folder, version)
    debian_kernel.unpack(root, version, [f"linux-headers-{version}-cloud-amd64",
                                         f"linux-headers-{version}-common",
                                         f"linux-kbuild-{version}"])
    makefile = os.path.join(root, "usr/src", f"linux-headers-{version}-cloud-amd64", "Makefile")
    with open(makefile, encoding="utf-8") as file:
        text = file.read()
    if root not in text:
        with open(makefile, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/src/", root + "/usr/src/"))
    return root


def build_module(root, version):
    source = os.path.join(folder, "module")
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(source)
    shutil.copy(provider_path, source)
    with open(os.path.join(source, "Makefile"), "w", encoding="utf-8") as file:
        file.write("obj-m := csn_provider.o\n")
    headers = os.path.join(root, "usr/src", f"linux-headers-{version}-cloud-amd64")
    made = run("make", "-C", headers, f"M={source}", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
    module = os.path.join(source, "csn_provider.ko")
    if made.returncode != 0:
        print("not ok 1 - the provider module builds")
        print("# " + made.stdout.replace("\n", "\n# "))
        sys.exit(1)
    with open(module, "rb") as file:
        return file.read()


def read_module(root, version, name):
    path = glob.glob(f"{root}/lib/modules/{version}-cloud-amd64/kernel/{name}.ko*")
    with open(path[0], "rb") as file:
        data = file.read()
    return lzma.decompress(data) if path[0].endswith(".xz") else data


def cpio(files):
    """An archive in the format that kernels take ("newc"): names to (mode, bytes)."""
    out = bytearray()
    entries = list(files.items()) + [("TRAILER!!!", (0, b""))]
    for number, (name, (mode, data)) in enumerate(entries, 1):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % field for field in fields)
        out += name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4)
        out += data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def main():
    for tool, package in (("qemu-system-x86_64", "qemu-system-x86"), ("apt-get", "apt"),
                          ("dpkg-deb", "dpkg"), ("make", "make"), ("gcc", "gcc"), ("bc", "bc")):
        if shutil.which(tool) is None:
            skip(f"no {tool}: apt-get install {package}")
    try:
        version = debian_kernel.newest_version()
        root = unpack(version)
    except debian_kernel.Missing as why:
        skip(why)
    with open(init_path, "rb") as file:
        init = file.read()
    image = os.path.join(folder, "initrd")
    modules = {"configfs": "fs/configfs/configfs", "tsm": "drivers/virt/coco/tsm"}
    files = {"init": (0o100755, init), "mods": (0o040755, b""),
             "mods/csn_provider.ko": (0o100644, build_module(root, version))}
    for name, path in modules.items():
        files[f"mods/{name}.ko"] = (0o100644, read_module(root, version, path))
    with open(image, "wb") as file:
        file.write(cpio(files))
    kernel = debian_kernel.image_path(root, version)
    try:
        machine = run("qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m",
                      "256M", "-smp", "2", "-nographic", "-no-reboot", "-nodefaults", "-serial",
                      "stdio", "-kernel", kernel, "-initrd", image, "-append",
                      "console=ttyS0 panic=-1 quiet", timeout=240)
        console = machine.stdout
    except subprocess.TimeoutExpired as slow:
        console = (slow.stdout or b"").decode(errors="replace")
    print(f"# Linux {version}")
    lines = re.findall(r"^((?:not )?ok \d+ - .*|#.*|1\.\.\d+)\r?$", console, re.M)
    if "TAP ends" not in console:
        print("not ok 1 - the machine came to an end")
        print("# " + "\n# ".join(console.splitlines()[-20:]))
        sys.exit(1)
    print("\n".join(line.rstrip("\r") for line in lines))
    sys.exit(1 if any(line.startswith("not ok") for line in lines) else 0)


main()
