# SPDX-License-Identifier: Apache-2.0
"""Enclave image files of our own, and their registers computed here with hashlib: the prediction
must say the same, and refuse what is not such a file; so must the command, where it is given.
Usage: nitro_eif.py PROGRAM [CAISSON]"""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

PROGRAM = sys.argv[1]
KERNEL, CMDLINE, RAMDISK, SIGNATURE, METADATA = range(1, 6)
results = []


def check(good, name):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")


def pcr(contents):
    return hashlib.sha384(bytes(48) + hashlib.sha384(contents).digest()).digest()


def eif(sections, version=4, crc=None, count=None, offset_change=0, size_change=0, tail=b"",
        magic=b".eif"):
    body = b""
    offsets, sizes = [], []
    for kind, content in sections:
        offsets.append(548 + len(body) + offset_change)
        sizes.append(len(content) + size_change)
        body += struct.pack(">HHQ", kind, 0, len(content)) + content
    body += tail
    pad = [0] * (32 - len(sections))
    head = magic + struct.pack(">HHQQHH", version, 0, 1 << 30, 2, 0,
                               len(sections) if count is None else count)
    head += struct.pack(">32Q32QI", *(offsets + pad), *(sizes + pad), 0)
    if crc is None:
        crc = zlib.crc32(head + body)
    return head + struct.pack(">I", crc) + body


def predict(file):
    done = subprocess.run([PROGRAM], input=file, capture_output=True, check=False)
    lines = [line.split(" ", 1) for line in done.stdout.decode().splitlines()]
    return done.returncode, {line[0]: line[1] for line in lines}


def head(kind, number):
    for info, size in ((24, 1), (25, 2), (26, 4)):
        if number < 24:
            return bytes([kind << 5 | number])
        if number < 1 << (8 * size):
            return bytes([kind << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError


def cbor(value, numbers=True):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, bytes):
        return head(4, len(value)) + b"".join(head(0, byte) for byte in value) if numbers \
            else head(2, len(value)) + value
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(cbor(item, numbers) for item in value)
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item, numbers)
                                          for key, item in value.items())


def raw_signature(der):
    """r || s of 48 bytes each, from DER."""
    parts = []
    at = 3 if der[1] > 0x80 else 2
    for _ in range(2):
        size = der[at + 1]
        parts.append(int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(48, "big"))
        at += 2 + size
    return b"".join(parts)


def signature(folder, value, index=0, numbers=True):
    """What the image tool writes: the certificate, and a COSE_Sign1 over a register."""
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    if not os.path.exists(key):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-384", "-nodes", "-keyout", key, "-out", cert,
                        "-subj", "/CN=test", "-days", "1"], check=True, capture_output=True)
    payload = cbor({"register_index": index, "register_value": value}, numbers)
    protected = bytes.fromhex("a1013822")
    message = b"\x84\x6aSignature1" + head(2, 4) + protected + b"\x40" + head(2, len(payload)) \
        + payload
    der = subprocess.run(["openssl", "dgst", "-sha384", "-sign", key], input=message, check=True,
                         capture_output=True).stdout
    sign1 = b"\x84" + head(2, 4) + protected + b"\xa0" + head(2, len(payload)) + payload \
        + head(2, 96) + raw_signature(der)
    with open(cert, "rb") as file:
        pem = file.read()
    der = subprocess.run(["openssl", "x509", "-in", cert, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    return cbor([{"signing_certificate": pem, "signature": sign1}], numbers), pcr(der)


def registers(folder):
    kernel, cmdline, metadata = b"kernel" * 999, b"reboot=k panic=30", b'{"ImageName":"test"}'
    disks = [b"init" * 500, b"application" * 300, b"more" * 77]
    for version, count in ((2, 1), (3, 2), (4, 3)):
        sections = [(KERNEL, kernel), (CMDLINE, cmdline)]
        sections += [(METADATA, metadata)] if version == 4 else []
        sections += [(RAMDISK, disk) for disk in disks[:count]]
        code, got = predict(eif(sections, version))
        all_of = kernel + cmdline + b"".join(disks[:count])
        check(code == 0 and got["pcr0"] == pcr(all_of).hex(), f"PCR0, {count} ramdisks")
        check(code == 0 and got["pcr1"] == pcr(kernel + cmdline + disks[0]).hex(), "PCR1")
        check(code == 0 and got["pcr2"] == pcr(b"".join(disks[1:count])).hex(), "PCR2")
        check(code == 0 and got["pcr8"] == bytes(48).hex() and got["signed"] == "0", "PCR8: none")
    for numbers in (True, False):
        section, pcr8 = signature(folder, pcr(all_of), numbers=numbers)
        code, got = predict(eif(sections + [(SIGNATURE, section)]))
        check(code == 0 and got["pcr8"] == pcr8.hex() and got["pcr0"] == pcr(all_of).hex()
              and got["good"] == "1", "a signed image: PCR8, and the same PCR0")
    for name, change in (("another register's value", {"value": pcr(b"else")}),
                         ("another register", {"value": pcr(all_of), "index": 1})):
        section, _ = signature(folder, **change)
        code, got = predict(eif(sections + [(SIGNATURE, section)]))
        check(code == 0 and got["signed"] == "1" and got["good"] == "0", f"signed over {name}")
    section, _ = signature(folder, pcr(all_of))
    forged = section[:-1] + bytes([section[-1] ^ 1])
    code, got = predict(eif(sections + [(SIGNATURE, forged)]))
    check(code == 0 and got["good"] == "0", "a signature that does not verify")
    return sections, section


def refusals(sections, section):
    cases = {
        "nothing": b"", "a short file": eif(sections)[:548], "magic": eif(sections, magic=b".elf"),
        "version 1": eif(sections, 1), "version 5": eif(sections, 5),
        "checksum": eif(sections, crc=1), "count 0": eif(sections, count=0),
        "count too low": eif(sections, count=len(sections) - 1),
        "count too high": eif(sections, count=len(sections) + 1),
        "count 33": eif(sections, count=33), "offsets": eif(sections, offset_change=1),
        "sizes": eif(sections, size_change=1), "something behind": eif(sections, tail=b"x"),
        "no kernel": eif(sections[1:]), "two kernels": eif(sections + sections[:1]),
        "two command lines": eif(sections + sections[1:2]), "no ramdisk": eif(sections[:3]),
        "kind 0": eif(sections + [(0, b"")]), "kind 6": eif(sections + [(6, b"")]),
        "two signatures": eif(sections + [(SIGNATURE, section)] * 2),
        "a signature of nothing": eif(sections + [(SIGNATURE, b"")]),
        "a signature with more": eif(sections + [(SIGNATURE, section + b"\0")]),
        "a certificate that is none":
            eif(sections + [(SIGNATURE, cbor([{"signing_certificate": b"x", "signature": b"y"}]))]),
        "no list": eif(sections + [(SIGNATURE, cbor({"signing_certificate": b"x"}))]),
    }
    for name, file in cases.items():
        code, got = predict(file)
        check(code == 3 and "refused" in got, f"refused: {name}")
    whole = eif(sections + [(SIGNATURE, section)])
    flips = [predict(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1:])[0]
             for at in range(0, len(whole), 97)]
    check(set(flips) == {3}, f"{len(flips)} changed bytes, each refused")


def command(caisson, folder, sections, section):
    def call(name, file, *options):
        path = os.path.join(folder, name)
        with open(path, "wb") as stream:
            stream.write(file)
        return subprocess.run([caisson, "predict", "nitro", path, *options], capture_output=True,
                              text=True, check=False)
    signed = eif(sections + [(SIGNATURE, section)])
    _, got = predict(signed)
    done = call("signed.eif", signed, "--json")
    check(done.returncode == 0 and json.loads(done.stdout) ==
          {name: got[name] for name in ("pcr0", "pcr1", "pcr2", "pcr8")} | {"signed": True},
          "the command says the same")
    done = call("signed.eif", signed)
    check(done.stdout.splitlines() == [f'pcrs.{i} = ["{got[f"pcr{i}"]}"]' for i in (0, 1, 2, 8)],
          "as lines of a policy")
    check(call("plain.eif", eif(sections)).stdout.count("\n") == 3, "without PCR8 if not signed")
    forged = section[:-1] + bytes([section[-1] ^ 1])
    check(call("forged.eif", eif(sections + [(SIGNATURE, forged)])).returncode == 3,
          "refused: a forged signature")
    check(call("none.eif", b"no").returncode == 3, "refused: no such file format")


with tempfile.TemporaryDirectory() as temporary:
    made = registers(temporary)
    refusals(*made)
    if len(sys.argv) == 3:
        command(sys.argv[2], temporary, *made)
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
