#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The model image behind `caisson serve`, asked by curl through `caisson proxy`.

model_test.py CAISSON IMAGE BACKEND MODEL.gguf. Prints TAP.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gateway"))
import tap  # noqa: E402
from serving import Serving  # noqa: E402

CAISSON, IMAGE = (os.path.abspath(path) for path in sys.argv[1:3])
BACKEND = sys.argv[3]
GGUF = os.path.abspath(sys.argv[4])
CANARY = "Zq7-canary-Xv93-"


class Model:
    """A gateway with the image and a sealed model, two tenants, a proxy for each."""

    def __init__(self):
        self.serving = Serving(CAISSON, IMAGE, BACKEND)
        os.mkdir(self.serving.path("store"))
        self.serving.run("keygen", "weights", "weights.key")
        packed = self.serving.run("model", "pack", "--key", "weights.key", GGUF, "store/",
                                  "--json")
        self.digest = json.loads(packed)["digest"]
        with open(self.serving.path("serve.json"), encoding="utf-8") as file:
            config = json.load(file)
        config["services"][0]["store"] = {"folder": "store"}
        config["tenants"] = [{"label": "owner"}, {"label": "guest"}]
        with open(self.serving.path("serve.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.serving.run("keygen", "tenant", "guest.key")
        for tenant, policy, key in (("tenant", {"share": True}, ["--weights-key", "weights.key"]),
                                    ("guest", {}, [])):
            self.serving.run("keygen", "producer", "--tenant", tenant + ".key", tenant + "-app.key")
            with open(self.serving.path(tenant + ".json"), "w", encoding="utf-8") as file:
                json.dump({"version": 1, "service": "model",
                           "language": {"model": self.digest, **policy}}, file)
        self.serving.start()
        self.proxies = []
        self.ports = [self.admit("tenant", ["--weights-key", "weights.key"]),
                      self.admit("guest", [])]

    def grant(self, tenant, more):
        self.serving.run("grant", "--control", "echo.sock", "--tenant", tenant + ".key",
                         "--policy", tenant + ".json", *more, "--version", "1", "--image", IMAGE,
                         "--insecure-dev", "--root", self.serving.root, "--statement",
                         tenant + ".statement")
        self.serving.wait_ready()

    def admit(self, tenant, more):
        self.grant(tenant, more)
        proxy = subprocess.Popen(
            [CAISSON, "proxy", "--gateway", self.serving.front, "--credential",
             tenant + "-app.key", "--image", IMAGE, "--insecure-dev", "--root", self.serving.root,
             "--listen", "127.0.0.1:0", "--json"], cwd=self.serving.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.proxies.append(proxy)
        return int(json.loads(proxy.stdout.readline())["url"].rsplit(":", 1)[-1].rstrip("/"))

    def again(self):
        """What a new instance needs: grants are gone with the one that was killed."""
        until = time.monotonic() + 30
        while True:
            try:
                self.grant("tenant", ["--weights-key", "weights.key"])
                break
            except AssertionError:
                assert time.monotonic() < until, "it does not come back"
                time.sleep(0.2)
        self.grant("guest", [])

    def curl(self, who, path, body=None, *more):
        arguments = ["curl", "-sN", "-m", "60", f"http://127.0.0.1:{self.ports[who]}{path}", *more]
        if body is not None:
            arguments += ["-H", "content-type: application/json", "-d", json.dumps(body)]
        return arguments

    def ask(self, who, path, body=None):
        out = subprocess.run(self.curl(who, path, body, "-w", "\n%{http_code}"),
                             capture_output=True, timeout=90, check=False).stdout.decode()
        text, status = out.rsplit("\n", 1)
        return int(status), text

    def until_answered(self, who, body):
        """A proxy whose enclave is another one verifies that first."""
        until = time.monotonic() + 30
        while True:
            status, text = self.ask(who, "/v1/completions", body)
            if status == 200:
                return text
            assert time.monotonic() < until, (status, text)
            time.sleep(0.1)

    def stop(self):
        for proxy in self.proxies:
            proxy.terminate()
            proxy.communicate()
        self.serving.stop()


def said(text):
    """What a stream's events say, joined; how many there were; the last one."""
    events = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
    whole = ""
    for event in events[:-1]:
        choice = (json.loads(event)["choices"] or [{}])[0]
        whole += choice.get("text", "") or choice.get("delta", {}).get("content", "")
    return whole, len(events), events[-1]


def test_whole_and_stream(model):
    """an answer in one piece, and the same as a stream"""
    body = {"prompt": "Once there was", "max_tokens": 24, "temperature": 0}
    status, text = model.ask(0, "/v1/completions", body)
    assert status == 200, (status, text)
    answer = json.loads(text)
    status, text = model.ask(1, "/v1/completions", {**body, "stream": True})
    assert status == 200, (status, text)
    stream, count, last = said(text)
    assert stream == answer["choices"][0]["text"], (stream, answer)
    assert last == "[DONE]" and count >= 3, text
    assert answer["usage"]["completion_tokens"] <= 24


def test_talk(model):
    """talk, in one piece and as a stream"""
    body = {"messages": [{"role": "user", "content": "What is a crane?"}], "temperature": 0,
            "max_tokens": 30}
    status, text = model.ask(0, "/v1/chat/completions", body)
    assert status == 200, (status, text)
    answer = json.loads(text)["choices"][0]["message"]
    assert answer["role"] == "assistant"
    stream, _, _ = said(model.ask(0, "/v1/chat/completions", {**body, "stream": True})[1])
    assert stream == answer["content"]


def test_models_listed(model):
    """the model is listed with its digest"""
    status, text = model.ask(1, "/v1/models")
    assert status == 200 and json.loads(text)["data"][0]["owned_by"] == model.digest, text


def test_two_at_a_time(model):
    """six at a time: each as when alone"""
    body = {"prompt": "The lighthouse", "max_tokens": 60, "temperature": 0.8, "seed": 5}
    alone = json.loads(model.ask(0, "/v1/completions", body)[1])["choices"][0]["text"]
    found = [None] * 6

    def ask(index):
        found[index] = json.loads(model.ask(index % 2, "/v1/completions", body)[1])

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in found:
        assert answer["choices"][0]["text"] == alone, (answer, alone)


def test_refused(model):
    """what is refused, and as what"""
    for body, expected in (({"prompt": 1}, 400), ({"prompt": "a", "n": 2}, 400),
                           ({"prompt": "x" * 6000}, 422)):
        status, text = model.ask(0, "/v1/completions", body)
        assert status == expected, (body, status, text)
    assert model.ask(0, "/v1/score", {"rows": [[1]]})[0] == 403


def test_client_goes(model):
    """what nobody waits for any more gives its place back"""
    body = {"prompt": "Once", "max_tokens": 900, "temperature": 1, "stream": True}
    for _ in range(20):
        process = subprocess.Popen(model.curl(0, "/v1/completions", body), stdout=subprocess.PIPE)
        process.stdout.readline()
        process.kill()
        process.wait()
    status, text = model.ask(0, "/v1/completions", {"prompt": "a", "max_tokens": 2})
    for _ in range(50):
        if status != 503:
            break
        time.sleep(0.1)
        status, text = model.ask(0, "/v1/completions", {"prompt": "a", "max_tokens": 2})
    assert status == 200, (status, text)


def family(pid):
    """A process and all below it."""
    found = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            for child in file.read().split():
                found += family(int(child))
    return found


class Frozen:
    """The gateway and its enclave stand still."""

    def __init__(self, pid):
        self.held = family(pid)

    def __enter__(self):
        for each in self.held:
            os.kill(each, signal.SIGSTOP)

    def __exit__(self, *_):
        for each in self.held:
            os.kill(each, signal.SIGCONT)


def test_comes_as_written(model):
    """the first event is there before the last one is made"""
    if os.geteuid() != 0:
        return "only root may stop the enclave"
    body = {"prompt": "Once", "max_tokens": 900, "temperature": 30, "stream": True}
    for seed in range(30):
        body["seed"] = seed
        process = subprocess.Popen(model.curl(0, "/v1/completions", body), stdout=subprocess.PIPE)
        first = process.stdout.readline()
        assert first.startswith(b"data: "), first
        with Frozen(model.serving.process.pid):
            time.sleep(0.3)
            os.set_blocking(process.stdout.fileno(), False)
            early = process.stdout.read() or b""
            os.set_blocking(process.stdout.fileno(), True)
        rest = process.stdout.read()
        process.wait()
        assert (early + rest).count(b"data: [DONE]") == 1
        if b"[DONE]" not in early:
            return None
    raise AssertionError("each answer was there as a whole")


def scan(pid, needle):
    """How often it stands in what the gateway and its enclave have in memory."""
    count = 0
    for each in family(pid):
        with open(f"/proc/{each}/maps", encoding="utf-8") as maps, \
                open(f"/proc/{each}/mem", "rb", 0) as memory:
            for line in maps:
                first, last = (int(part, 16) for part in line.split()[0].split("-"))
                if line.split()[1][0] != "r" or "[v" in line:
                    continue
                try:
                    memory.seek(first)
                    count += memory.read(last - first).count(needle)
                except (OSError, ValueError, OverflowError):
                    pass
    return count


def test_canaries(model):
    """a session's text is in nobody's memory when it is over, stacks and rings included"""
    if os.geteuid() != 0:
        return "only root may look into the processes"
    canary = CANARY + os.urandom(6).hex()
    pid = model.serving.process.pid
    body = {"prompt": "Once", "max_tokens": 900, "temperature": 30, "stream": True,
            "stop": canary, "top_p": 1}
    seen = 0
    for _ in range(20):
        process = subprocess.Popen(model.curl(0, "/v1/completions", body), stdout=subprocess.PIPE)
        process.stdout.readline()
        with Frozen(pid):  # while it is being written
            seen += scan(pid, canary.encode())
        process.kill()
        process.wait()
        if seen:
            break
    assert seen > 0, "the scan sees nothing"
    for prompt in (canary, "say " + canary):
        status, text = model.ask(1, "/v1/completions",
                                 {"prompt": prompt, "max_tokens": 20, "stop": [canary + "x"]})
        assert status == 200, text
        status, text = model.ask(1, "/v1/chat/completions",
                                 {"messages": [{"role": "user", "content": prompt}],
                                  "max_tokens": 20, "stream": True})
        assert status == 200, text
    for _ in range(100):  # what nobody waits for ends when the gateway sees that
        left = scan(pid, canary.encode())
        if left == 0:
            break
        time.sleep(0.1)
    assert left == 0, f"{left} places"
    return None


def test_killed(model):
    """killed while it writes: the answer is seen to be cut off; granted anew, it says the same"""
    enclaves = family(model.serving.process.pid)[1:]
    if not enclaves:
        return "the enclave is no process of its own"
    asked = {"prompt": "Once there was", "max_tokens": 24, "temperature": 0}
    before = json.loads(model.ask(0, "/v1/completions", asked)[1])["choices"]
    body = {"prompt": "Once", "max_tokens": 900, "temperature": 30, "stream": True}
    cut = 0
    for seed in range(20):
        model.until_answered(0, asked)
        process = subprocess.Popen(model.curl(0, "/v1/completions", {**body, "seed": seed}),
                                   stdout=subprocess.PIPE)
        first = process.stdout.readline()
        assert first.startswith(b"data: "), first
        for pid in family(model.serving.process.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        rest = process.stdout.read()
        process.wait()
        assert (process.returncode == 0) == (b"[DONE]" in rest), (process.returncode, rest[-300:])
        cut += process.returncode != 0
        model.again()
        if cut:
            break
    assert cut > 0, "each answer was there as a whole"
    for who in (0, 1):
        assert json.loads(model.until_answered(who, asked))["choices"] == before
    return None


def main():
    if BACKEND == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return tap.skip_all("no /dev/kvm")
    if shutil.which("curl") is None:
        return tap.skip_all("no curl")
    tests = tap.chosen([test_whole_and_stream, test_talk, test_models_listed,
                        test_comes_as_written, test_two_at_a_time, test_refused,
                        test_client_goes, test_canaries, test_killed], 5)
    model = Model()
    try:
        return tap.run(tests, model)
    finally:
        model.stop()


if __name__ == "__main__":
    sys.exit(main())
