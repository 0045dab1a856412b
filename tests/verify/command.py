# SPDX-License-Identifier: Apache-2.0
"""`caisson verify` over all published evidence, as a user would call it (TAP).

Each file gives the verdict and the claims of its table, and each row of EVALUATION.tsv Intel's TCB
status: through the command and its JSON, with the files as they lie in the folder. Usage:
command.py CAISSON
"""
import csv
import json
import os
import subprocess
import sys

CAISSON = sys.argv[1]
ROOT = os.path.join(os.environ.get("CAISSON_SHARED", "../shared"), "vectors/attestation")
EXIT_CODES = {0: "valid", 3: "invalid", 4: "unverifiable"}
CHAIN = ["amd-ask-milan", "amd-ark-milan", "amd-asvk-milan", "amd-ask-genoa", "amd-ark-genoa",
         "amd-ask-turin"]
results = []
compared = 0


def check(good, name, note=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    if not good:
        for line in str(note).splitlines()[:12]:
            print(f"# {line}")


def path(*parts):
    return os.path.join(ROOT, *parts)


def table(name):
    with open(path(name), encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def fields(row):
    text = row["expected_fields"] or ""
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def verify(kind, evidence, at, *options):
    arguments = [CAISSON, "verify", "--type", kind, "--evidence", evidence, "--json",
                 "--insecure-any-policy", *options]
    arguments += ["--at", at] if at else []
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    verdict = json.loads(done.stdout) if done.stdout else {"verdict": done.stderr}
    if verdict["verdict"] != EXIT_CODES.get(done.returncode):
        verdict["verdict"] = f"exit {done.returncode} for {verdict['verdict']}"
    return verdict


def failures(verdict):
    return "\n".join(f"{f['id']} {f['outcome']}: {f['got']}" for f in verdict.get("findings", [])
                     if f["outcome"] in ("failed", "missing"))


def same(claim, expected):
    if isinstance(claim, bool):
        return expected in ((str(claim)), "1" if claim else "0")
    if isinstance(claim, list):
        return ",".join(map(str, claim)) == expected
    return str(claim) == expected


def claims_equal(verdict, row, ignored=()):
    """The first claim that differs from the table; None if all are equal."""
    global compared
    claims = verdict.get("claims", {})
    for name, expected in fields(row).items():
        if name in ignored:
            continue
        if name not in claims or not same(claims[name], expected):
            return f"{name}: {claims.get(name)} where the table has {expected}"
        compared += 1
    return None


def judge(name, verdict, wanted, row=None, ignored=()):
    difference = claims_equal(verdict, row, ignored) if row else None
    check(verdict["verdict"] == wanted and difference is None, f"{name}: {wanted}",
          f"{verdict['verdict']}\n{difference}\n{failures(verdict)}")


def day_inside(window):
    begin = window.split("..")[0].split()[-1]
    return f"{begin[:10]}T23:59:59Z"


def amd(product):
    names = [n for n in os.listdir(path("roots")) if n.startswith("amd-a") and product in n]
    return [o for n in sorted(names) for o in ("--chain", path("roots", n))]


def snp():
    for row in table("snp/SOURCES.tsv"):
        name = row["file"]
        if not name.endswith("report.bin") and not name.startswith("bad/guest"):
            continue
        found = fields(row)
        product = next((p for p in ("milan", "genoa", "turin") if p in name), "milan")
        options = amd(product)
        vek = found.get("vek")
        if vek:
            options += ["--vek", path("snp", vek)]
        wanted = "invalid" if name.startswith("bad/") else "valid" if vek else "unverifiable"
        at = day_inside(row["validity_window"] or "2026-01-01")
        judge(name, verify("snp", path("snp", name), at, *options), wanted, row,
              ("vek", "issuer", "root"))
    report = path("snp", "milan-v2-virtee.report.bin")
    vek = ["--vek", path("snp", "milan-v2-virtee.vcek.der")]
    judge("no certificate at all", verify("snp", report, "2025-01-01T00:00:00Z"), "unverifiable")
    judge("no chain", verify("snp", report, "2025-01-01T00:00:00Z", *vek), "unverifiable")
    judge("no clock", verify("snp", report, None, *vek, *amd("milan")), "unverifiable")
    judge("another product's chain",
          verify("snp", report, "2025-01-01T00:00:00Z", *vek, *amd("genoa")), "unverifiable")


def dcap():
    for row in table("dcap-collateral/EVALUATION.tsv"):
        kind = "sgx" if row["quote"].startswith("sgx") else "tdx"
        at = row["usable_to"] if "T" in row["usable_to"] else row["usable_to"] + "T00:00:00Z"
        folder = path("dcap-collateral", row["collateral"])
        verdict = verify(kind, path(row["quote"]), at, "--collateral", folder)
        status = row["converged_status"]
        complete = row["pck_revoked"] != ""  # some sets lack a revocation list
        wanted = "invalid" if status in ("NotSupported", "Revoked") else \
            "valid" if complete else "unverifiable"
        check(verdict["verdict"] == wanted and verdict.get("tcb_status") == status,
              f"{row['quote']} with {row['collateral']}: {status}",
              f"{verdict['verdict']} {verdict.get('tcb_status')}\n{failures(verdict)}")
    for kind in ("tdx", "sgx"):
        for row in table(f"{kind}/SOURCES.tsv"):
            name = row["file"]
            if name.endswith("quote.bin"):
                at = (row["validity_window"] or "PCK 2025-01-01")[4:14] + "T23:59:59Z"
                bad = name.startswith("bad/") or name.startswith("untrusted")
                sample = path("sgx/untrusted-root/qvl-sample.")
                chain = ["--chain", sample + "pck.pem", "--chain", sample + "pck_chain.pem"]
                verdict = verify(kind, path(kind, name), at,
                                 *(chain if name.startswith("untrusted") else []))
                difference = claims_equal(verdict, row, ("collateral",))
                good = verdict["verdict"] == ("invalid" if bad else "unverifiable")
                check(good and difference is None, f"{name} without collateral", difference)


def nitro_nonce(file):
    """The document's nonce in hex, found by its CBOR: one of 16 and some of 256 bytes."""
    with open(file, "rb") as stream:
        document = stream.read()
    at = document.find(b"\x65nonce") + 6
    if document[at] == 0x59:
        return document[at + 3:at + 3 + int.from_bytes(document[at + 1:at + 3], "big")].hex()
    return document[at + 1:at + 1 + document[at] - 0x40].hex() if 0x40 < document[at] < 0x58 else ""


def nitro():
    for row in table("nitro/SOURCES.tsv"):
        name = row["file"]
        if name.endswith(".cose"):
            at = row["validity_window"].split("..")[1][:19].replace(" ", "T") + "Z"
            wanted = "invalid" if name.startswith("bad/") else "valid"
            verdict = verify("nitro", path("nitro", name), at)
            judge(name, verdict, wanted, row)
            nonce = nitro_nonce(path("nitro", name))
            if nonce and not name.startswith("bad/"):
                judge(name + " with its nonce", verify("nitro", path("nitro", name), at, "--nonce",
                                                       nonce), wanted)
                other = ("0" if nonce[0] != "0" else "1") + nonce[1:]
                judge(name + " with another nonce",
                      verify("nitro", path("nitro", name), at, "--nonce", other), "invalid")
            late = verify("nitro", path("nitro", name), "2031-01-01T00:00:00Z")
            judge(name + " years later", late, "invalid")


def cca():
    for row in table("cca/SOURCES.tsv"):
        name = row["file"]
        if name.endswith(".cbor"):
            key = path("cca", fields(row)["platform_key"])
            judge(name, verify("cca", path("cca", name), None, "--ak", key), "valid", row,
                  ("platform_key",))
            judge(name + " without a key", verify("cca", path("cca", name), None), "unverifiable")
            bad = path("cca", "ta-02-bad.json")
            judge(name + " with a key off its curve",
                  verify("cca", path("cca", name), None, "--ak", bad), "invalid")


def azure():
    rows = {row["file"]: row for row in table("azure/SOURCES.tsv")}
    for name, row in rows.items():
        folder, _, file = name.partition("/")
        if file != "hcl-report.bin":
            continue
        kind = "azure-tdx" if "tdx" in folder else "azure-snp"
        options = amd("genoa" if "genoa" in folder else "milan")
        at = "2026-01-20T00:00:00Z"
        wanted = "valid"
        if kind == "azure-tdx":
            wanted = "unverifiable" if folder == "tdx-v1" else "valid"
            at = "2026-04-01T00:00:00Z"
            options = ["--collateral", path("dcap-collateral/tdx-90c06f000000-2026-03")]
            options = options if folder != "tdx-v1" else []
        for evidence in (path("azure", folder), path("azure", folder, file)):
            judge(os.path.relpath(evidence, ROOT), verify(kind, evidence, at, *options), wanted,
                  row)


def others():
    token = path("jwt/google-confidential-space-2025-09-05.jwt")
    row = table("jwt/SOURCES.tsv")[0]
    judge("a token in its window", verify("gcs-jwt", token, "2025-09-05T09:00:00Z"), "valid", row)
    judge("a token after its window", verify("gcs-jwt", token, "2025-09-06T00:00:00Z"), "invalid")
    quote, pcrs, key = (path("tpm", f"coco-tpm.{n}") for n in
                        ("quote.msg", "pcrs-sha256.txt", "ak.pub.pem"))
    row = table("tpm/SOURCES.tsv")[0]
    judge("a TPM quote", verify("tpm", quote, "2025-01-01T00:00:00Z", "--pcrs", pcrs, "--ak", key),
          "valid", row)
    judge("a TPM quote without its key", verify("tpm", quote, "2025-01-01T00:00:00Z"),
          "unverifiable")
    report = path("snp", "milan-v2-virtee.report.bin")
    done = subprocess.run([CAISSON, "verify", "--type", "snp", "--evidence", report, "--json"],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 4, "no policy accepts nothing: unverifiable", done.stdout)
    # The control: a table with one digit changed must differ.
    row = dict(table("snp/SOURCES.tsv")[3])
    row["expected_fields"] = row["expected_fields"].replace("measurement=7a", "measurement=7b")
    verdict = verify("snp", report, "2025-01-01T00:00:00Z", *amd("milan"), "--vek",
                     path("snp", "milan-v2-virtee.vcek.der"))
    check(claims_equal(verdict, row, ("vek", "issuer", "root")) is not None,
          "control: a changed digit is seen")


if not os.path.isdir(ROOT):
    print("1..0 # SKIP no vectors/attestation in CAISSON_SHARED")
    sys.exit(0)
for part in (snp, dcap, nitro, cca, azure, others):
    part()
print(f"# {compared} claims compared")
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
