# SPDX-License-Identifier: Apache-2.0
"""chromium.py: a headless Chromium driven over its debugging pipe (messages end in a NUL).

One browser, pages one after another; it talks to nobody but addresses of this machine.
"""
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-extensions",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
ANSWER_S = 60


def find():
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Chromium:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="caisson-page-")
        to_read, self.writer = os.pipe()
        self.reader, to_write = os.pipe()

        def pipes():  # the browser reads from 3 and writes to 4
            kept = os.dup(to_read), os.dup(to_write)
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self.process = subprocess.Popen([find(), *FLAGS, "--user-data-dir=" + self.profile],
                                        preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.bytes, self.number, self.events = b"", 0, []

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(20)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self, until):
        """The next message; None at that time."""
        while b"\0" not in self.bytes:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.reader], [], [], left)[0]:
                return None
            piece = os.read(self.reader, 1 << 20)
            assert piece, "the browser has gone"
            self.bytes += piece
        message, self.bytes = self.bytes.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + ANSWER_S
        while True:
            got = self.receive(until)
            assert got is not None, f"no answer to {method}"
            if got.get("id") == self.number:
                assert "error" not in got, (method, got["error"])
                return got["result"]
            self.events.append(got)

    def wait(self, method):
        """Until that event has come; those before it stay in self.events."""
        until = time.monotonic() + ANSWER_S
        while not any(e.get("method") == method for e in self.events):
            got = self.receive(until)
            assert got is not None, f"no {method}"
            self.events.append(got)


class Page:
    """A page of its own: width, scripts or none, light or dark. What it asks for is kept."""

    def __init__(self, browser, width, scripts=True, scheme="light"):
        self.browser = browser
        browser.events = []
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.browser.wait("Page.loadEventFired")

    def evaluate(self, expression):
        """Asked by the debugger: it works where the page's own scripts are off."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")

    def screenshot(self, path):
        import base64
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        got = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(got["data"]))

    def seen(self, *methods):
        return [e["params"] for e in self.browser.events
                if e.get("sessionId") == self.session and e["method"] in methods]

    def requests(self):
        return [p["request"]["url"] for p in self.seen("Network.requestWillBeSent")]

    def complaints(self):
        """Of the console, exceptions, policy violations and dialogs."""
        found = [p["entry"]["text"] for p in self.seen("Log.entryAdded")]
        found += [str(p["args"]) for p in self.seen("Runtime.consoleAPICalled")]
        found += [str(p) for p in self.seen("Runtime.exceptionThrown",
                                            "Page.javascriptDialogOpening")]
        return found

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
