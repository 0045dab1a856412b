/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c: the rows of the sealed echo (echo_rows.c), on each backend there is. */
#include "echo_rows.h"
#include "sealed_main.h"

int main(int argc, char **argv)
{
    static const char help[] =
        "usage: echo [--json] [--seconds N] [--svg PREFIX]\n\n"
        "Goal 1: a sealed 64-byte record: the client seals, the enclave opens and seals, the "
        "client\n"
        "opens; against the bare ping-pong of two lines, a call by VM exit without crypto, and a\n"
        "socket, on each backend. Plots: process, kvm.\n\n";
    return sealed_main(argc, argv, help, bench_echo_rows);
}
