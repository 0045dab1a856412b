/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c: the rows of the sealed echo (echo_rows.c), on each backend there is. */
#include "echo_rows.h"
#include "peer_uring.h"
#include "sealed_main.h"

/* The peer is made when both CPUs are chosen. */
static void rows(const struct sealed_image *image, const char *backend)
{
    if (bench_echo_peer == NULL) {
        bench_echo_peer = peer_uring();
    }
    bench_echo_rows(image, backend);
}

int main(int argc, char **argv)
{
    static const char help[] =
        "usage: echo [--json] [--seconds N] [--svg PREFIX]\n\n"
        "Goal 1: a sealed 64-byte record: the client seals, the enclave opens and seals, the "
        "client\n"
        "opens; against the bare ping-pong of two lines, a call by VM exit without crypto, a "
        "socket,\n"
        "and one by io_uring where liburing is there, on each backend. Plots: process, kvm.\n\n";
    bench_echo_peer_name = "AF_UNIX by io_uring";
    return sealed_main(argc, argv, help, rows);
}
