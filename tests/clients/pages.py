# SPDX-License-Identifier: Apache-2.0
"""Web pages as clients: the libraries from npm in a browser, without any privilege, in a page that
the relay itself serves (so that it may post to it)."""
import json
import mimetypes
import os
import queue
import shutil
import subprocess

from common import Relay, end

PATIENCE_S = 30


class PageRelay(Relay):
    """A relay that serves the page of npm/page.html, its modules, and one job after the other."""

    def __init__(self, gateway, folder):
        self.folder = folder
        self.jobs = queue.Queue()
        self.results = queue.Queue()
        super().__init__(gateway)

    def get(self, path):
        if path == "/job":
            return 200, "application/json", json.dumps(self.jobs.get()).encode()
        name = os.path.realpath(os.path.join(self.folder, path.removeprefix("/app/")))
        if path == "/":
            name = os.path.join(self.folder, "page.html")
        if not name.startswith(self.folder + os.sep) or not os.path.isfile(name):
            return 404, "text/plain", b"no such file\n"
        kind = "text/javascript" if name.endswith(".mjs") else mimetypes.guess_type(name)[0]
        with open(name, "rb") as stream:
            return 200, kind, stream.read()

    def answer(self, path, body):
        if path == "/done":
            self.results.put(json.loads(body))
            return 204, "text/plain", b""
        return super().answer(path, body)

    def close(self):
        self.jobs.put({})  # for a page that still waits
        super().close()


class Page:
    """One of the libraries in a page that is open in some browser."""

    def __init__(self, relay, browser, library):
        self.relay = relay
        self.library = library
        self.name = f"a page in {browser} with {library}"

    def request(self, url, aead, config, message):
        self.relay.jobs.put({"library": self.library, "config": config.hex(), "aead": aead,
                             "message": message, "url": url})
        return self.relay.results.get(timeout=PATIENCE_S)


class Chromium:
    """Headless, with a profile of its own in folder, showing url until it is closed."""

    def __init__(self, folder, url):
        self.version = chromium_version()
        self.log = open(os.path.join(folder, "chromium.log"), "wb")
        self.process = subprocess.Popen(
            [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-extensions", "--proxy-server=127.0.0.1:9",
             "--proxy-bypass-list=127.0.0.1", f"--user-data-dir={folder}/chromium", url],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            start_new_session=True, env=dict(os.environ, HOME=folder))

    def close(self):
        end(self.process, group=True)
        self.log.close()


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


def chromium_version():
    done = subprocess.run([chromium(), "--version"], capture_output=True, text=True, timeout=30,
                          check=True)
    return done.stdout.split()[1]
