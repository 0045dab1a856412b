# SPDX-License-Identifier: Apache-2.0
"""quickstart_test.py: examples/gateway/quickstart.sh, the commands of docs/GATEWAY.md, and
examples/transit/quickstart.sh (TAP)."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

SOURCE = os.environ.get("CAISSON_SOURCE", ".")
BUILD = os.environ.get("CAISSON_BUILD", "build")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return [str(port) for port in ports]


def run(arguments, folder, environment):
    """In a session of its own, so that nothing of it stays."""
    with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open with what it starts
        process = subprocess.Popen(arguments, cwd=folder, env=dict(os.environ, **environment),
                                   stdout=output, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            status = process.wait(timeout=100)
        finally:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        output.seek(0)
        return status, output.read()


def test_script():
    """the example's script goes through, and leaves nothing behind"""
    gateway, admin, proxy = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="caisson-quick-") as folder:
        status, output = run([os.path.join(SOURCE, "examples/gateway/quickstart.sh")], folder,
                             {"GATEWAY_PORT": gateway, "ADMIN_PORT": admin, "PROXY_PORT": proxy,
                              "CAISSON_BUILD": BUILD, "TMPDIR": folder})
        assert status == 0, output
        for words in ("\nhello from call\n", "\nhello from curl\n", "the evidence is invalid",
                      'caisson_tenant_requests_total{tenant="bank"} '):
            assert words in output, (words, output)
        assert os.listdir(folder) == [], os.listdir(folder)
    for port in (gateway, admin, proxy):
        with socket.socket() as one:
            assert one.connect_ex(("127.0.0.1", int(port))) != 0, "it still listens"


def prepare(folder, config):
    os.makedirs(os.path.join(folder, "build/enclaves"))
    shutil.copy(os.path.join(BUILD, "enclaves/echo.elf"), os.path.join(folder, "build/enclaves"))
    with open(os.path.join(folder, "gateway.json"), "w", encoding="utf-8") as file:
        file.write(config)


def test_document():
    """the commands of docs/GATEWAY.md as they stand there; without --insecure-dev they end in 3"""
    with open(os.path.join(SOURCE, "docs/GATEWAY.md"), encoding="utf-8") as file:
        text = file.read().split("## Quick start")[1].split("\n## ")[0]
    commands, config = re.findall(r"```\n(.*?)```", text, re.S)
    gateway, admin = free_ports(2)
    for old, new in (("8080", gateway), ("9090", admin)):
        assert old in config and old in commands, old
        config, commands = config.replace(old, new), commands.replace(old, new)
    path = {"PATH": os.path.abspath(BUILD) + ":" + os.environ["PATH"]}
    with tempfile.TemporaryDirectory(prefix="caisson-quick-") as folder:
        prepare(folder, config)
        status, output = run(["sh", "-ec", commands], folder, path)
        # the gateway, told to end, may say so after the answer
        assert status == 0 and "\nhello" in output, output
    old = "--insecure-dev --root $root -d hello"
    assert old in commands
    with tempfile.TemporaryDirectory(prefix="caisson-quick-") as folder:
        prepare(folder, config)
        status, output = run(["sh", "-ec", commands.replace(old, "-d hello")], folder, path)
        assert status == 3 and "hello" not in output, (status, output)


def test_transit():
    """the transit example goes through: keys made, used, checked by openssl, kept over a crash"""
    if shutil.which("openssl") is None:
        return "no openssl"
    gateway, admin, proxy = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="caisson-quick-") as folder:
        status, output = run([os.path.join(SOURCE, "examples/transit/quickstart.sh")], folder,
                             {"GATEWAY_PORT": gateway, "ADMIN_PORT": admin, "PROXY_PORT": proxy,
                              "CAISSON_BUILD": BUILD, "TMPDIR": folder})
        assert status == 0, output
        for words in ('"status":403}', "birth certificate: key app-sign", "Verified OK",
                      '{"plaintext":"aGVsbG8=","version":1}', "\ncaisson:v2:"):
            assert words in output, (words, output)
        assert os.listdir(folder) == [], os.listdir(folder)
    return None


def test_lacking():
    """without curl, or openssl where it is used, a script says so and starts nothing"""
    for script, there, lacks in (("gateway", [], "curl"), ("transit", [], "curl"),
                                 ("transit", ["curl"], "openssl")):
        with tempfile.TemporaryDirectory(prefix="caisson-quick-") as folder:
            tools = os.path.join(folder, "tools")
            os.mkdir(tools)
            for tool in ["dirname", *there]:
                os.symlink(shutil.which(tool), os.path.join(tools, tool))
            status, output = run([os.path.join(SOURCE, f"examples/{script}/quickstart.sh")],
                                 folder, {"PATH": tools, "CAISSON_BUILD": BUILD, "TMPDIR": folder})
            assert status == 1, (script, status, output)
            assert output == f"{lacks} is needed: apt-get install {lacks}\n", (script, output)
            assert os.listdir(folder) == ["tools"], os.listdir(folder)


TESTS = [test_script, test_document, test_transit, test_lacking]


def main():
    if shutil.which("curl") is None:
        return tap.skip_all(f"no curl here: {len(TESTS)} ways to begin not tried")
    return tap.run(TESTS)


sys.exit(main())
