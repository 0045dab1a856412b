/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c: the rows of the sealed pipeline (pipeline_rows.c), on each backend there is. */
#include "pipeline_rows.h"
#include "sealed_main.h"

int main(int argc, char **argv)
{
    static const char help[] =
        "usage: pipeline [--json] [--seconds N] [--svg PREFIX]\n\n"
        "Goal 6: sealed records through both rings of the echo enclave, per record, beside loops\n"
        "that open and seal with no transport, on each backend; records in the short form, and in\n"
        "the full. Plots: process, kvm.\n\n";
    return sealed_main(argc, argv, help, bench_pipeline_rows);
}
