#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`caisson run --evidence tpm` with a software TPM: from the command to a verdict. CAISSON IMAGE"""
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

from swtpm_process import start_tpm

CAISSON, ECHO = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
COUNT = 0
FAILED = 0


def check(good, name, detail=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {COUNT} {name}", flush=True)
    if not good:
        print("# " + str(detail).replace("\n", "\n# "))


def call(*arguments):
    return subprocess.run([CAISSON, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)


def expect(code, says, name, *arguments):
    done = call(*arguments)
    check(done.returncode == code and says in done.stdout + done.stderr, name,
          f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done


def start_run(*options):
    process = subprocess.Popen([CAISSON, "run", ECHO, "--signature", "echo.sig", "--control",
                                "run.sock", "--backend", "process", "--output", "answers",
                                *options], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(200):
        if os.path.exists("run.sock") or process.poll() is not None:
            break
        time.sleep(0.05)
    return process


def stop_run(process):
    process.kill()
    process.communicate()
    if os.path.exists("run.sock"):
        os.remove("run.sock")


def fetch(name):
    nonce = secrets.token_hex(32)
    expect(0, "", f"evidence: {name}", "evidence", "--control", "run.sock", "--nonce", nonce, "-o",
           name)
    return nonce


def verify(code, says, name, bundle, nonce):
    return expect(code, says, name, "verify", "--type", "caisson", "--evidence", bundle, "--nonce",
                  nonce, "--policy", "policy.toml", "--json")


def usage(tpm):
    run = ("run", ECHO, "--signature", "echo.sig", "--control", "none.sock")
    expect(2, "--root", "software evidence wants a root", *run)
    expect(2, "--evidence", "no such platform", *run, "--evidence", "sgx")
    expect(2, "--root is not for", "a root is for software", *run, "--evidence", "tpm", "--pcrs",
           "0", "--root", "root.key")
    expect(2, "--pcrs", "PCRs have no default", *run, "--evidence", "tpm", *tpm)
    for bad in ("", "24", "1,1", "1,", ",1", "x", "-1"):
        expect(2, "--pcrs", f"PCRs: '{bad}'", *run, "--evidence", "tpm", *tpm, "--pcrs", bad)
    for bad in ("0", "81010001", "0x", "0x1g", "0x100000000"):
        expect(2, "--ak wants", f"handle: '{bad}'", *run, "--evidence", "tpm", *tpm, "--pcrs", "0",
               "--ak", bad)
    expect(2, "--privlevel", "privilege level", *run, "--evidence", "tsm", "--privlevel", "4")
    expect(1, "configfs-tsm", "no configfs-tsm there", *run, "--evidence", "tsm",
           "--evidence-path", "nowhere/report")
    expect(1, "no Nitro Security Module", "no Nitro module there", *run, "--evidence", "nsm",
           "--evidence-path", "nowhere")
    expect(2, "--extend wants", "nowhere to extend", *run, "--root", "root.key", "--extend", "x")
    expect(1, "--extend", "a register that is not there", *run, "--root", "root.key", "--extend",
           "rtmr:nowhere")
    expect(1, "connect", "no TPM there", *run, "--evidence", "tpm", "--tcti",
           "swtpm:host=127.0.0.1,port=1", "--pcrs", "0")


def serve(tpm, public):
    process = start_run("--evidence", "tpm", *tpm, "--pcrs", "0,4,12", "--extend", "pcr:12")
    check(os.path.exists("run.sock"), "runs with a TPM", "no socket")
    nonce = fetch("first")
    expect(0, "", "policy init", "policy", "init", "--type", "caisson", "--from", "first",
           "--nonce", nonce, "-o", "policy.toml")
    with open("policy.toml", encoding="utf-8") as file:
        policy = file.read()
    check("tpm:sel_alg=0xb,pcr_select=111000,pcr_digest=" in policy and public in policy,
          "the policy names launcher and signer", policy)
    claims = json.loads(verify(0, '"valid"', "verifies as it comes", "first", nonce).stdout)
    measured = bytes.fromhex(claims["claims"]["measurement"])
    extended = hashlib.sha256(bytes(32) + hashlib.sha256(measured).digest()).hexdigest()
    check(extended in json.dumps(claims), "the image stands in PCR 12", claims)
    verify(0, '"valid"', "and another one", "second", fetch("second"))
    verify(3, "nonce.fresh", "not for another nonce", "first", secrets.token_hex(32))
    stop_run(process)
    process = start_run("--evidence", "tpm", *tpm, "--pcrs", "0,4,12", "--extend", "pcr:12")
    verify(3, "platform.launcher", "a second launch in the same register shows", "third",
           fetch("third"))
    stop_run(process)


def main():
    if shutil.which("swtpm") is None:
        print("1..0 # SKIP no swtpm: apt-get install swtpm")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        public = re.sub(r"\s", "", call("keygen", "signer", "signer.key").stdout)
        call("keygen", "root", "root.key")
        call("sign", ECHO, "--key", "signer.key", "-o", "echo.sig")
        probe = call("run", ECHO, "--signature", "echo.sig", "--control", "none.sock",
                     "--evidence", "tpm", "--pcrs", "0", "--tcti", "swtpm:host=127.0.0.1,port=1")
        if "built without" in probe.stderr:
            print("1..0 # SKIP built without libtss2-dev")
            return 0
        process, tcti = start_tpm()
        try:
            usage(("--tcti", tcti))
            serve(("--tcti", tcti), public)
        finally:
            process.kill()
            process.wait()
        done = call("doctor", "--json")
        names = [line["name"] for line in json.loads(done.stdout)]
        check({"evidence-tsm", "evidence-tpm", "evidence-nsm"} <= set(names),
              "doctor tells of platforms", names)
        os.chdir("/")
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


sys.exit(main())
