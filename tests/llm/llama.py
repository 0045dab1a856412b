# SPDX-License-Identifier: Apache-2.0
"""llama.cpp, to compare with: two packages from npm, held to their hashes, and greedy_llama.c.

One package has the built libraries, the other one the headers that go with them, in a git bundle.
Nothing of them is installed and no script of theirs runs; all is in a folder of the build.
"""
import base64
import hashlib
import os
import shutil
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = "3.22.1"
PACKAGES = {  # name: (file, sha512)
    "node-llama-cpp": (
        f"node-llama-cpp-{VERSION}.tgz", "bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdl"
        "TMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw=="),
    "@node-llama-cpp/linux-x64": (
        f"node-llama-cpp-linux-x64-{VERSION}.tgz", "5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV"
        "2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg=="),
}
NPM = ("npm", "pack", "--ignore-scripts", "--prefer-offline", "--fetch-retries=0",
       "--fetch-timeout=20000", "--loglevel=error")
SECONDS = 120


class Missing(Exception):
    """Something that is not ours is not there."""


def call(command, folder, what):
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]} is not installed")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                              timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{what}: not in time") from error
    if done.returncode != 0:
        raise Missing(f"{what}: " + " ".join(done.stderr.split())[:120])


def fetch(folder):
    for name, (file, wanted) in PACKAGES.items():
        path = os.path.join(folder, file)
        if not os.path.exists(path):
            call([*NPM, f"{name}@{VERSION}"], folder, "npm gets no packages")
        with open(path, "rb") as stream:
            found = base64.b64encode(hashlib.sha512(stream.read()).digest()).decode()
        if found != wanted:
            raise RuntimeError(f"{file} is not what it was when this test was written")
        with tarfile.open(path) as archive:
            archive.extractall(os.path.join(folder, file.removesuffix(".tgz")), filter="data")


def build(folder):
    """The program greedy_llama, and the folder with the libraries that it needs."""
    folder = os.path.join(os.path.abspath(folder), "llama")
    os.makedirs(folder, exist_ok=True)
    libraries = os.path.join(folder, f"node-llama-cpp-linux-x64-{VERSION}", "package", "bins",
                             "linux-x64")
    source = os.path.join(folder, "source")
    program = os.path.join(folder, "greedy_llama")
    if not os.path.isdir(libraries) or not os.path.isdir(source):
        fetch(folder)
        bundle = os.path.join(folder, f"node-llama-cpp-{VERSION}", "package", "llama",
                              "gitRelease.bundle")
        shutil.rmtree(source, ignore_errors=True)
        call(["git", "clone", "-q", bundle, source], folder, "no headers")
    named = [os.path.join(libraries, name) for name in sorted(os.listdir(libraries))
             if name.startswith(("libllama.", "libggml.", "libggml-base."))]
    call(["cc", "-O1", "-o", program, os.path.join(HERE, "greedy_llama.c"),
          "-I" + os.path.join(source, "include"), "-I" + os.path.join(source, "ggml", "include"),
          *named, "-Wl,-rpath," + libraries], folder, "greedy_llama.c does not build")
    return program, libraries
