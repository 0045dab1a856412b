# SPDX-License-Identifier: Apache-2.0
"""Firefox, headless, driven through Marionette (its remote protocol: JSON with a length in front,
over TCP on loopback): its own Oblivious HTTP client, nsIObliviousHttpService."""
import json
import os
import shutil
import socket
import subprocess
import time

from common import end

PREFERENCES = {
    # Nothing is asked of anyone but the test's own servers: all else goes to a proxy that is none.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "127.0.0.1, localhost",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}

# One request. Its result: the status with which it stopped; what the relay answered, with all
# bytes of it; what was inside the seal.
REQUEST = """
const [job, done] = [arguments[0], arguments[1]];
const unhex = text => Array.from(text.match(/../g) || [], pair => parseInt(pair, 16));
try {
  const service = Cc["@mozilla.org/network/oblivious-http-service;1"]
    .getService(Ci.nsIObliviousHttpService);
  const channel = service.newChannel(Services.io.newURI(job.relay), Services.io.newURI(job.url),
                                     unhex(job.config)).QueryInterface(Ci.nsIHttpChannel);
  channel.requestMethod = job.method;
  if (job.body !== undefined) {
    const stream = Cc["@mozilla.org/io/arraybuffer-input-stream;1"]
      .createInstance(Ci.nsIArrayBufferInputStream);
    const body = Uint8Array.from(unhex(job.body));
    stream.setData(body.buffer, 0, body.length);
    channel.QueryInterface(Ci.nsIUploadChannel2)
      .explicitSetUploadStream(stream, job.headers["content-type"] || "", body.length, "POST",
                               false);
  }
  for (const [name, value] of Object.entries(job.headers)) {
    if (name === "content-type" && job.body !== undefined) {
      continue;  // it comes from the stream, and would be there twice
    }
    channel.setRequestHeader(name, value, false);
  }
  const outer = {};
  const observer = {
    observe(subject) {
      const relay = subject.QueryInterface(Ci.nsIHttpChannel);
      if (relay.URI.spec !== job.relay) {
        return;
      }
      outer.status = relay.responseStatus;
      outer.type = relay.contentType;
      outer.protocol = relay.protocolVersion;
      const tee = Cc["@mozilla.org/network/stream-listener-tee;1"]
        .createInstance(Ci.nsIStreamListenerTee);
      const pipe = Cc["@mozilla.org/pipe;1"].createInstance(Ci.nsIPipe);
      pipe.init(true, true, 0, 0xffffffff, null);
      tee.init(relay.QueryInterface(Ci.nsITraceableChannel).setNewListener(tee), pipe.outputStream);
      outer.pipe = pipe;
    },
  };
  Services.obs.addObserver(observer, "http-on-examine-response");
  const read = stream => {
    const binary = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
    binary.setInputStream(stream);
    return binary.readByteArray(binary.available());
  };
  let content = [];
  channel.asyncOpen({
    onStartRequest() {},
    onDataAvailable(request, stream, offset, count) { content = content.concat(read(stream)); },
    onStopRequest(request, status) {
      Services.obs.removeObserver(observer, "http-on-examine-response");
      const inner = {};
      try {
        inner.status = channel.responseStatus;
        inner.body = content.map(byte => byte.toString(16).padStart(2, "0")).join("");
        inner.headers = {};
        channel.visitResponseHeaders((name, value) => {
          inner.headers[name.toLowerCase()] = value;
        });
      } catch (error) {
        inner.error = error.name;
      }
      if (outer.pipe) {
        try {
          outer.body = String.fromCharCode(...read(outer.pipe.inputStream));
        } catch (error) {
          outer.body = "";
        }
        delete outer.pipe;
      }
      done({ stop: status, outer, inner });
    },
  });
} catch (error) {
  done({ error: error.name || String(error) });
}
"""


class Firefox:
    """With a profile and a home of its own in `folder`, and no window."""

    name = "Firefox"

    def __init__(self, folder):
        self.number = 0
        self.rest = b""
        self.process = None
        profile = os.path.join(folder, "profile")
        os.makedirs(profile)
        port = free_port()
        with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as stream:
            for name, value in {**PREFERENCES, "marionette.port": port}.items():
                stream.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        self.log = open(os.path.join(folder, "firefox.log"), "wb")
        self.process = subprocess.Popen(
            [installed(), "--headless", "--no-remote", "--marionette",
             "--remote-allow-system-access", "--profile", profile, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            start_new_session=True,
            env=dict(os.environ, HOME=folder, MOZ_DISABLE_CONTENT_SANDBOX="1",
                     MOZ_CRASHREPORTER_DISABLE="1"))
        try:
            self.connect(port)
        except BaseException:
            self.close()
            raise

    def connect(self, port):
        deadline = time.monotonic() + 40
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
                break
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)
        self.receive()  # its greeting
        made = self.command("WebDriver:NewSession", {})
        self.version = made["capabilities"]["browserVersion"]
        self.command("Marionette:SetContext", {"value": "chrome"})
        self.command("WebDriver:SetTimeouts", {"script": 20000})

    def receive(self):
        """One message: its length in digits, a colon, JSON."""
        while b":" not in self.rest:
            self.more()
        digits, self.rest = self.rest.split(b":", 1)
        while len(self.rest) < int(digits):
            self.more()
        message, self.rest = self.rest[:int(digits)], self.rest[int(digits):]
        return json.loads(message)

    def more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise EOFError("Firefox has gone")
        self.rest += piece

    def command(self, name, parameters):
        self.number += 1
        text = json.dumps([0, self.number, name, parameters]).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text)
        kind, number, error, result = self.receive()
        assert (kind, number) == (1, self.number)
        if error is not None:
            raise RuntimeError(f"{name}: {error['error']}: {error['message']}")
        return result

    def trust(self, path):
        """Servers that this authority certified."""
        with open(path, encoding="ascii") as stream:
            lines = [line.strip() for line in stream if not line.startswith("-")]
        self.command("WebDriver:ExecuteScript", {
            "script": """Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
                         .addCertFromBase64(arguments[0], "C,,");""", "args": ["".join(lines)]})

    def show(self, url):
        """A page, with no more rights than any."""
        self.command("Marionette:SetContext", {"value": "content"})
        self.command("WebDriver:Navigate", {"url": url})

    def request(self, relay, _aead, config, message):
        """It takes the first suite of config that it knows. The message is as for npm/run.mjs."""
        job = {"relay": relay, "config": config.hex(), **message}
        done = self.command("WebDriver:ExecuteAsyncScript",
                            {"script": REQUEST, "args": [job]})["value"]
        if done.get("stop", 0) != 0:
            done["error"] = hex(done["stop"])
        return done

    def close(self):
        if self.process is not None:
            end(self.process, group=True)
        self.log.close()


def installed():
    return shutil.which("firefox-esr") or shutil.which("firefox")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
