# SPDX-License-Identifier: Apache-2.0
"""`caisson predict snp`: published launch digests through the command. Prints TAP."""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CAISSON = os.path.abspath(sys.argv[1])
SHARED = pathlib.Path(os.environ.get("CAISSON_SHARED", "../shared"))
MEASURE = SHARED / "vectors/attestation/measure"
RESULTS = []


def check(good, name):
    RESULTS.append(good)
    print(f"{'ok' if good else 'not ok'} {len(RESULTS)} - {name}", flush=True)


def call(*arguments):
    return subprocess.run([CAISSON, "predict", *arguments], capture_output=True, text=True,
                          timeout=30, check=False)


def arguments_of(row, empty):
    given = ["--firmware", str(MEASURE / row["ovmf"]), "--vcpus", row["vcpus"],
             "--vmm", row["vmm"].lower(), "--guest-features", row["guest_features"]]
    if row["vcpu_sig"]:
        given += ["--vcpu-signature", row["vcpu_sig"]]
    if row["ovmf_hash_seed"]:
        given += ["--firmware-digest", row["ovmf_hash_seed"]]
    if row["kernel"] != "none":
        given += ["--kernel", empty, "--initrd", empty, "--append", row["cmdline"].strip('"')]
    return given


def digests(empty):
    with open(MEASURE / "snp_launch_digest.tsv", encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["mode"] == "SEV_SNP"]
    wrong = []
    for row in rows:
        given = arguments_of(row, empty)
        plain = call("snp", *given)
        made = json.loads(call("snp", *given, "--json").stdout)
        if plain.stdout.strip() != row["expected_digest"] or \
                made["measurement"] != row["expected_digest"]:
            wrong.append(row["name"])
    check(len(rows) == 14 and not wrong, f"{len(rows)} digests, wrong: {wrong}")
    by_name = [row for row in rows if row["name"] == "snp_4vcpu"][0]
    given = ["EPYC-v4" if word == by_name["vcpu_sig"] else word
             for word in arguments_of(by_name, empty)]
    given[given.index("--vcpu-signature")] = "--vcpu-type"
    check(call("snp", *given).stdout.strip() == by_name["expected_digest"], "a processor by name")


def identity(folder):
    block, auth = str(MEASURE / "snp-id-block.bin"), str(MEASURE / "snp-id-auth.bin")
    done = call("snp", "--id-block", block, "--id-auth", auth, "--json")
    made = json.loads(done.stdout)
    check(done.returncode == 0 and made["id_block_signed"] and made["id_key_signed"], "an ID block")
    data = bytearray(pathlib.Path(block).read_bytes())
    data[0] ^= 1
    forged = pathlib.Path(folder) / "forged"
    forged.write_bytes(data)
    done = call("snp", "--id-block", str(forged), "--id-auth", auth, "--json")
    check(done.returncode == 3 and not json.loads(done.stdout)["id_block_signed"], "a forged one")
    firmware = ["--firmware", str(MEASURE / "ovmf_AmdSev_suffix.bin"), "--vcpu-type", "EPYC"]
    done = call("snp", *firmware, "--id-block", block, "--id-auth", auth)
    check(done.returncode == 3 and "another launch digest" in done.stderr, "of another guest")


def enclaves(folder):
    stream = str(MEASURE / "sgx-test_enclave.sgxs")
    signed = MEASURE / "sgx-test_enclave.sigstruct.bin"
    done = call("sgx", "--sgxs", stream, "--sigstruct", str(signed), "--json")
    made = json.loads(done.stdout)
    check(done.returncode == 0 and made["signed"] and made["isvprodid"] == 65535 and
          made["mrenclave"].startswith("784acfd7") and made["mrsigner"].startswith("fb4bab3d"),
          "an enclave and its SIGSTRUCT")
    done = call("sgx", "--sgxs", str(MEASURE / "sgx-report.sgxs"), "--sigstruct", str(signed))
    check(done.returncode == 3 and "another enclave" in done.stderr, "of another enclave")
    data = bytearray(signed.read_bytes())
    data[1026] ^= 1
    forged = pathlib.Path(folder) / "forged_sigstruct"
    forged.write_bytes(data)
    done = call("sgx", "--sigstruct", str(forged), "--json")
    check(done.returncode == 3 and not json.loads(done.stdout)["signed"], "a forged SIGSTRUCT")


def usage(empty):
    firmware = ["--firmware", str(MEASURE / "ovmf_AmdSev_suffix.bin")]
    cases = [([], 2), (["sgx2"], 2), (["snp"], 2), (["snp", *firmware], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC-Nil"], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC", "--vcpu-signature", "0x1"], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC", "--vcpus", "0"], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC", "--vmm", "xen"], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC", "--guest-features", "0x1g"], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC", "--append", "x"], 2),
             (["snp", *firmware, "--vcpu-type", "EPYC", "--firmware-digest", "00"], 2),
             (["snp", "--id-block", empty], 2),
             (["snp", "--firmware", "/nonexistent", "--vcpu-type", "EPYC"], 1),
             (["snp", "--firmware", empty, "--vcpu-type", "EPYC"], 3),
             (["snp", "--id-block", empty, "--id-auth", empty], 3),
             (["sgx"], 2), (["sgx", "--sgxs", "/nonexistent"], 1), (["sgx", "--sgxs", empty], 3),
             (["sgx", "--sigstruct", empty], 3),
             (["--help"], 0), (["snp", "--help"], 0), (["sgx", "--help"], 0)]
    wrong = [(given, call(*given).returncode) for given, code in cases
             if call(*given).returncode != code]
    check(not wrong, f"usage and exit codes {wrong}")


if not MEASURE.is_dir():
    print("1..0 # SKIP no vectors/attestation in CAISSON_SHARED")
    sys.exit(0)
with tempfile.TemporaryDirectory() as place:
    nothing = pathlib.Path(place) / "empty"
    nothing.write_bytes(b"")
    digests(str(nothing))
    identity(place)
    enclaves(place)
    usage(str(nothing))
print(f"1..{len(RESULTS)}")
sys.exit(0 if all(RESULTS) else 1)
