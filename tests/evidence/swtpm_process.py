# SPDX-License-Identifier: Apache-2.0
"""swtpm_process.py: a software TPM on loopback for tests that go through the command."""
import os
import socket
import subprocess
import time


def free_ports():
    """Two side by side: tss2 looks for the second beside the first."""
    for port in range(21000 + os.getpid() % 8000, 32000, 2):
        try:
            with socket.socket() as one, socket.socket() as two:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
                return port
        except OSError:
            pass
    raise RuntimeError("no free ports")


def start_tpm(folder="tpm"):
    """(process, how tss2 reaches it); its state is in the folder, which is made if it is missing"""
    port = free_ports()
    os.makedirs(folder, exist_ok=True)
    process = subprocess.Popen(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--server",
         f"type=tcp,bindaddr=127.0.0.1,port={port}", "--ctrl",
         f"type=tcp,bindaddr=127.0.0.1,port={port + 1}", "--flags", "not-need-init,startup-clear"],
        stdin=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)) == 0:
                break
        time.sleep(0.05)
    return process, f"swtpm:host=127.0.0.1,port={port}"
