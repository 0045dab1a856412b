#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gateway's front beside nginx, by the same client in one run.

    scripts/front_ratio.py BUILD [--rounds N] [--requests N]

The front echoes a POST of 1 KiB (tests/gateway/front_server.c); nginx serves a file of 1 KiB. The
client is h2load, eight connections of 32 streams each. One server has one core and the client the
other; rounds alternate, and a ratio is the median of those of neighbouring rounds. The processor
time of the servers is told beside the rate, since a busy machine disturbs it less.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; sendfile on; {cache}
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{clear} http2; root {folder}; }}
  server {{ listen 127.0.0.1:{tls} ssl http2; root {folder};
            ssl_certificate {folder}/c.pem; ssl_certificate_key {folder}/k.pem;
            ssl_protocols TLSv1.3; }}
}}
"""


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_folder(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/k.pem", "-out",
                    f"{folder}/c.pem", "-days", "2", "-subj", "/CN=localhost"],
                   check=True, capture_output=True)
    with open(f"{folder}/body", "wb") as stream:
        stream.write(os.urandom(1024))
    os.chmod(folder, 0o755)


def start_front(build, folder):
    server = subprocess.Popen(
        ["taskset", "-c", "0", f"{build}/tests/gateway/front_server", "--certificate",
         f"{folder}/c.pem", "--key", f"{folder}/k.pem"], stdout=subprocess.PIPE, text=True)
    ports = {}
    for line in server.stdout:
        if line == "ready\n":
            return server, ports
        name, port = line.split()
        ports[name] = int(port)
    sys.exit("front_server did not start")


def start_nginx(folder, cached):
    ports = {"cleartext": free_port(), "tls": free_port()}
    path = f"{folder}/nginx.conf"
    cache = "open_file_cache max=10;" if cached else ""
    with open(path, "w", encoding="ascii") as stream:
        stream.write(NGINX.format(folder=folder, clear=ports["cleartext"], tls=ports["tls"],
                                  cache=cache))
    server = subprocess.Popen(["taskset", "-c", "0", "nginx", "-p", folder, "-c", path],
                              stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    return server, ports


def cpu_s(pid):
    """Of a process and its children."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii") as stream:
                    fields = stream.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(name) == pid or int(fields[1]) == pid:
                total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def load(pid, url, count, body):
    before = cpu_s(pid)
    command = ["taskset", "-c", "1", "h2load", "-n", str(count), "-c", "8", "-m", "32"]
    text = subprocess.run(command + (["-d", body] if body else []) + [url], capture_output=True,
                          text=True, check=True, timeout=120).stdout
    if f"{count} succeeded" not in text or f"{count} 2xx" not in text:
        sys.exit(f"{url}: not all were answered\n{text}")
    rate = float(re.search(r"([\d.]+) req/s", text).group(1))
    return rate, (cpu_s(pid) - before) / count * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=100000)
    parser.add_argument("--cached", action="store_true", help="nginx keeps the file open")
    options = parser.parse_args()
    missing = [p for p in ("nginx", "h2load", "taskset", "openssl") if not shutil.which(p)]
    if missing:
        sys.exit(f"not installed: {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        make_folder(folder)
        front, front_ports = start_front(options.build, folder)
        nginx, nginx_ports = start_nginx(folder, options.cached)
        try:
            for scheme, name in (("http", "cleartext"), ("https", "tls")):
                rows = []
                for _ in range(options.rounds):
                    rows.append(
                        load(front.pid, f"{scheme}://127.0.0.1:{front_ports[name]}/echo",
                             options.requests, f"{folder}/body") +
                        load(nginx.pid, f"{scheme}://127.0.0.1:{nginx_ports[name]}/body",
                             options.requests, None))
                ratios = sorted(r[0] / r[2] for r in rows)
                times = [statistics.median(r[i] for r in rows) for i in range(4)]
                print(f"{name}: front {times[0]:,.0f}/s {times[1]:.2f} us of CPU each, "
                      f"nginx {times[2]:,.0f}/s {times[3]:.2f} us; rate {ratios[0]:.2f} "
                      f"{statistics.median(ratios):.2f} {ratios[-1]:.2f} x nginx "
                      f"(min, median, max of {len(ratios)}), CPU {times[3] / times[1]:.2f} x")
        finally:
            front.terminate()
            nginx.terminate()
            front.wait()
            nginx.wait()


if __name__ == "__main__":
    main()
