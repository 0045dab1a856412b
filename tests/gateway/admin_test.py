# SPDX-License-Identifier: Apache-2.0
"""admin_test.py CAISSON ECHO_IMAGE [PART]: what `caisson serve` shows of itself (TAP)."""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chromium  # noqa: E402
import serving  # noqa: E402
import tap  # noqa: E402


def metrics(here):
    """name{labels} -> value"""
    text = here.get(here.admin + "/metrics")[2].decode("utf-8")
    return {key: float(value) for key, value in
            re.findall(r"^([a-z][^ ]*(?:\{[^\n]*\})?) (\S+)$", text, re.M)}


def test_headers(here):
    """types, policies, and what is not there"""
    wanted = {"/": ("text/html; charset=utf-8", "default-src 'none'; style-src 'sha256-"),
              "/view.json": ("application/json", "default-src 'none'; frame"),
              "/metrics": ("text/plain; version=0.0.4; charset=utf-8", "default-src 'none'; frame")}
    for path, (kind, policy) in wanted.items():
        status, headers, _ = here.get(here.admin + path)
        assert status == 200 and headers["Content-Type"] == kind, (path, status)
        assert headers["Content-Security-Policy"].startswith(policy), path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Cache-Control"] == "no-store", path
        assert here.get(here.front + path)[0] == 404, "strangers see it"
        assert here.get(here.admin + path, b"x")[0] == 405, path
    for path in ("/healthz", "/readyz"):
        assert here.get(here.admin + path)[0] == 200, path
    hosts = {"127.0.0.1": 200, "localhost:9": 200, "[::1]:9": 200, "10.1.2.3:9": 200,
             "evil.example": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example:9": 403}
    for host, status in hosts.items():
        assert here.get(here.admin + "/view.json", host=host)[0] == status, host
    for path in ("/view", "//", "/metrics/", "/gateway", "/records"):
        assert here.get(here.admin + path)[0] == 404, path


def test_facts(here):
    """the facts are those of the image, its signature and the evidence"""
    got = json.loads(here.get(here.admin + "/view.json")[2])
    instance, = got["instances"]
    evidence = here.get(here.front + "/.well-known/caisson/evidence?nonce=" + "ab" * 32)[2]
    with open(here.path("evidence"), "wb") as file:
        file.write(evidence)
    keys = here.get(here.front + "/gateway")[2]
    assert instance["service"] == "echo" and instance["state"] == "current"
    assert instance["measurement"] == here.run("measure", here.image).split()[0]
    assert instance["signer"] == here.signer
    assert bytes.fromhex(instance["boot_id"]) in evidence
    assert bytes.fromhex(instance["ohttp_keys_sha256"]) in evidence
    assert instance["ohttp_key_id"] == keys[2], keys.hex()
    assert instance["insecure_evidence"] is True and instance["debug"] is False
    assert instance["grants"] == 1 and got["ready"] is True and got["draining"] is False
    assert [t["label"] for t in got["tenants"]] == ["bank"]
    page = here.get(here.admin + "/")[2].decode()
    assert page.index("Insecure evidence") < page.index("What runs here")
    for key in ("measurement", "signer", "boot_id", "ohttp_keys_sha256"):
        assert instance[key] in page, key


def test_counts(here):
    """what is asked for is counted where it belongs"""
    before = metrics(here)
    for _ in range(7):
        assert here.get(here.front + "/gateway/echo/bank")[0] == 200
    assert here.get(here.front + "/gateway/nothing")[0] == 404
    after = metrics(here)
    moved = {key: after[key] - before.get(key, 0) for key in after
             if after[key] != before.get(key, 0)}
    assert moved['caisson_requests_total{route="keys",status="2xx"}'] == 7, moved
    assert moved['caisson_request_duration_seconds_count{route="keys"}'] in (7, 8), moved
    assert sum(v for k, v in moved.items()
               if k.startswith("caisson_requests_total") and "4xx" in k) == 1, moved


def test_promtool(here):
    """promtool has nothing to say of it"""
    tool = shutil.which("promtool")
    if tool is None:
        return "no promtool here"
    result = subprocess.run([tool, "check", "metrics"], capture_output=True, timeout=60,
                            input=here.get(here.admin + "/metrics")[2], check=False)
    assert result.returncode == 0 and result.stdout == b"", result.stdout
    return None


def test_secrets(here):
    """no id or key of a tenant is in any of it"""
    with open(here.path("tenant.key"), "rb") as file:
        secret = file.read()
    names = [here.tenant] + [secret[i:i + 16].hex() for i in range(0, len(secret) - 15, 8)]
    for path in ("/", "/metrics", "/view.json"):
        text = here.get(here.admin + path)[2].decode()
        for name in names:
            assert name not in text or name == "00" * 16, (path, name)


def test_browser(here):
    """a browser shows it without a complaint, and asks for nothing else"""
    if chromium.find() is None:
        return "no Chromium here"
    browser = chromium.Chromium()
    try:
        for scripts in (True, False):
            page = chromium.Page(browser, 1280, scripts)
            page.open(here.admin + "/")
            urls = [url for url in page.requests() if not url.startswith("data:")]
            assert urls == [here.admin + "/"], urls
            assert page.complaints() == [], page.complaints()
            text = page.evaluate("document.body.innerText")
            for word in ("ready", "INSECURE EVIDENCE", here.signer, "software", "bank"):
                assert word in text, word
            size = page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
            assert size == "24px", "its style is refused"
            page.close()
    finally:
        browser.close()
    return None


TESTS = [test_headers, test_facts, test_counts, test_promtool, test_secrets, test_browser]


def main():
    here = serving.Serving(*sys.argv[1:3])
    try:
        here.start()
        here.grant()
        return tap.run(tap.chosen(TESTS, 3), here)
    finally:
        here.stop()


sys.exit(main())
