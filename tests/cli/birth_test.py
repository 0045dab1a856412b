# SPDX-License-Identifier: Apache-2.0
"""`caisson verify --birth`, over evidence and certificates that a test program writes (TAP).

Usage: birth_test.py CAISSON TEST_VOUCH
"""
import json
import pathlib
import subprocess
import sys
import tempfile

CAISSON, WRITER = sys.argv[1:3]
results = []


def check(good, name, note=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    if not good:
        print("# " + str(note).replace("\n", "\n# "))


def main():
    folder = pathlib.Path(scratch)
    subprocess.run([WRITER, str(folder)], check=True)
    root, nonce, tenant = ((folder / name).read_bytes().hex()
                           for name in ("root", "nonce", "tenant"))

    def verify(certificate, *options, measurement="4d" * 48):
        return subprocess.run([CAISSON, "verify", folder / "evidence", "--nonce", nonce,
                               "--measurement", measurement, "--insecure-dev", "--root", root,
                               "--birth", folder / certificate, *options],
                              capture_output=True, text=True, check=False)

    done = verify("own.birth")
    check(done.returncode == 0 and "key payments.v-1_A, version 2: ed25519, generated in this boot"
          in done.stdout and tenant in done.stdout and "70" * 32 in done.stdout,
          "a key of this boot", done.stdout + done.stderr)
    done = verify("own.birth", "--json")
    told = json.loads(done.stdout)
    check(told["verdict"] == "valid" and told["birth"]["valid"] is True
          and told["birth"]["operations"] == ["sign"] and told["birth"]["tenant"] == tenant
          and told["birth"]["own_boot"] is True, "as JSON", done.stdout)
    check(f"store:tpm@{tenant}" in told["claims"]["service_claims"]
          and f"65537:one@{tenant}" in told["claims"]["service_claims"], "claims are shown",
          told["claims"])
    done = verify("earlier.birth")
    check(done.returncode == 0 and "imported in an earlier boot" in done.stdout
          and "restored from the store" in done.stdout and "private half, too" in done.stdout,
          "what an earlier boot took in is called that", done.stdout)
    done = verify("forged.birth")
    check(done.returncode == 3 and "refused: not signed" in done.stdout, "a forged one",
          done.stdout)
    told = json.loads(verify("forged.birth", "--json").stdout)
    check(told["verdict"] == "valid" and told["birth"]["valid"] is False, "a forged one as JSON",
          told)
    done = verify("evidence")
    check(done.returncode in (3, 4) and "generated" not in done.stdout, "another file", done.stdout)
    done = verify("own.birth", measurement="4e" * 48)
    check(done.returncode == 3 and "refused: nothing to check it with" in done.stdout,
          "evidence that is not accepted", done.stdout)
    done = verify("absent")
    check(done.returncode == 4, "no such file", done.stdout)


with tempfile.TemporaryDirectory() as scratch:
    main()
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
