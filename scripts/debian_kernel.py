# SPDX-License-Identifier: Apache-2.0
"""Debian's cloud kernel for emulated machines: unpacked in a folder, never installed."""
import glob
import os
import re
import subprocess


class Missing(Exception):
    """It cannot be had here; the text says why."""


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, check=False, **options)


def newest_version():
    try:
        listed = run("apt-cache", "search", "--names-only",
                     r"^linux-image-6\.12\..*-cloud-amd64-unsigned$").stdout
    except FileNotFoundError:
        listed = ""
    names = re.findall(r"^linux-image-(6\.12\.(\d+)\S*)-cloud-amd64-unsigned ", listed, re.M)
    if not names:
        raise Missing("apt knows no linux-image-6.12*-cloud-amd64: add bookworm-security, "
                      "apt-get update")
    return max(names, key=lambda name: int(name[1]))[0]


def image_path(root, version):
    return f"{root}/boot/vmlinuz-{version}-cloud-amd64"


def unpack(root, version, others=()):
    """The packages of the image and others into root, once."""
    done = os.path.join(root, "done")
    if os.path.exists(done):
        return
    os.makedirs(root, exist_ok=True)
    packages = [f"linux-image-{version}-cloud-amd64-unsigned", *others]
    fetched = run("apt-get", "download", *packages, cwd=root)
    debs = glob.glob(os.path.join(root, "*.deb"))
    if len(debs) != len(packages):
        raise Missing("packages cannot be had: " +
                      (fetched.stdout.strip().splitlines() or ["?"])[-1])
    for deb in debs:
        if run("dpkg-deb", "-x", deb, root).returncode != 0:
            raise Missing(f"{os.path.basename(deb)} does not unpack")
        os.remove(deb)
    with open(done, "w", encoding="utf-8"):
        pass
