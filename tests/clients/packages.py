# SPDX-License-Identifier: Apache-2.0
"""The packages of npm/package-lock.json in the build folder, and a Node that runs npm/run.mjs
there. They are fetched once, each held to its hash in the lock file; no script of theirs is run."""
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time

from common import HERE, Lines, Missing

SOURCES = ("run.mjs", "page.html", "page.mjs", "oblivious.mjs", "libraries.mjs", "package.json",
           "package-lock.json")
NODE_MIN = (20, 19)
SECONDS = 50
AGAIN_S = 300
# In npm's own settings stands where from; how long to try is ours.
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
       "--fetch-retries=0", "--fetch-timeout=20000", "--loglevel=error")


def node_version():
    if shutil.which("node") is None:
        raise Missing("node is not installed")
    text = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=20,
                          check=True).stdout.strip()
    version = tuple(int(part) for part in text.lstrip("v").split(".")[:2])
    if version < NODE_MIN:
        raise Missing(f"node {text} is older than {NODE_MIN[0]}.{NODE_MIN[1]}")
    return text


def install():
    """The folder in which it is all there."""
    node_version()
    build = os.path.abspath(os.environ.get("CAISSON_BUILD", "build"))
    folder = os.path.join(build, "tests", "clients", "npm")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several tests may come at once
        for name in SOURCES:
            shutil.copy(os.path.join(HERE, "npm", name), os.path.join(folder, name))
        with open(os.path.join(folder, "package-lock.json"), "rb") as stream:
            wanted = hashlib.sha256(stream.read()).hexdigest()
        stamp = os.path.join(folder, "installed")
        if not holds(stamp, wanted):
            fetch_unless_tried(folder)
            with open(stamp, "w", encoding="utf-8") as stream:
                stream.write(wanted)
    return folder


def holds(path, text):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read() == text
    except FileNotFoundError:
        return False


def fetch_unless_tried(folder):
    """Where there is no network, each of several tests would wait for it."""
    tried = os.path.join(folder, "tried")
    if os.path.exists(tried) and time.time() - os.stat(tried).st_mtime < AGAIN_S:
        with open(tried, encoding="utf-8") as stream:
            raise Missing(stream.read())
    try:
        fetch(folder)
    except Missing as reason:
        with open(tried, "w", encoding="utf-8") as stream:
            stream.write(str(reason))
        raise


def fetch(folder):
    if shutil.which("npm") is None:
        raise Missing("npm is not installed")
    try:
        done = subprocess.run(NPM, cwd=folder, capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired as error:
        raise Missing("npm got no packages in time") from error
    if "EINTEGRITY" in done.stderr:
        raise RuntimeError("a package is not what package-lock.json says: " + done.stderr)
    if done.returncode != 0:
        raise Missing("npm gets no packages: " + " ".join(done.stderr.split())[:120])


class Node(Lines):
    """npm/run.mjs."""

    def __init__(self):
        folder = install()
        super().__init__("node", os.path.join(folder, "run.mjs"), cwd=folder)

    def job(self, op, **what):
        return json.loads(self.ask(json.dumps({"op": op, **what})))


class Library:
    """A client on top of one of its HPKE libraries."""

    def __init__(self, node, name):
        self.node = node
        self.name = name

    def request(self, relay, aead, config, message, **more):
        return self.node.job("request", library=self.name, aead=aead, url=relay,
                             config=config.hex(), message=message, **more)
