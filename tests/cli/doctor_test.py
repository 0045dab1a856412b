#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doctor_test.py CAISSON [PART]: what `caisson doctor` says of a TPM. Prints TAP."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

for part in ("gateway", "evidence"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", part))
import tap  # noqa: E402
from swtpm_process import start_tpm  # noqa: E402

CAISSON = os.path.abspath(sys.argv[1])


def look(tcti, prefix=()):
    """(exit code where it is required, whether it works, what is said)"""
    done = subprocess.run([*prefix, CAISSON, "doctor", "--tpm", tcti, "--json", "--require", "tpm"],
                          capture_output=True, text=True, timeout=60, check=False)
    line = [each for each in json.loads(done.stdout) if each["name"] == "tpm"]
    assert len(line) == 1, done.stdout
    return done.returncode, line[0]["works"], line[0]["detail"]


def test_missing():
    """a device that is not there, and one that is a file"""
    code, works, said = look("device:" + os.path.abspath("none"))
    assert (code, works) == (1, False) and "the kernel (tpm_crb, tpm_tis)" in said, said
    with open("file", "wb"):
        pass
    assert look("device:" + os.path.abspath("file"))[1:] == \
        (False, os.path.abspath("file") + ": not a device")
    assert os.path.getsize("file") == 0


def test_group():
    """a device of a group that this user is not in: which, and how to get there"""
    prefix = tap.held_by_modes()
    if prefix is None:
        return "no setpriv"
    with open("shut", "wb"):
        os.chmod("shut", 0)
    name = subprocess.run(["stat", "-c", "%G", "shut"], capture_output=True, text=True,
                          check=True).stdout.strip()
    _, works, said = look("device:" + os.path.abspath("shut"), prefix)
    assert not works and f"for the group {name}: usermod -aG {name} USER" in said, said
    return None


def test_other():
    """what takes commands and gives something else back is no TPM"""
    code, works, said = look("cmd:cat")
    if "built without" in said or "connect" in said:
        return "no tss2 in this build, or no tcti-cmd in it"
    assert (code, works) == (1, False) and "does not answer as a TPM" in said, said
    return None


def test_answers():
    """a TPM that answers works, and is gone when it is gone"""
    if shutil.which("swtpm") is None:
        return "no swtpm"
    process, tcti = start_tpm("tpm")
    try:
        code, works, said = look(tcti)
        if "built without" in said:
            return "no tss2-esys in this build"
        assert (code, works) == (0, True) and "answers" in said, said
    finally:
        process.kill()
        process.wait()
    code, works, said = look(tcti)
    assert (code, works) == (1, False) and "TPM: connect" in said, said
    return None


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="caisson-doctor-") as folder:
        os.chdir(folder)
        status = tap.run(tap.chosen([test_missing, test_group, test_other, test_answers], 2))
        os.chdir("/")
    sys.exit(status)
