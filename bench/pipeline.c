/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c: the rows of the sealed pipeline (pipeline_rows.c), on each backend there is. */
#include "cores.h"
#include "pipeline_rows.h"
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "usage: pipeline [--json] [--seconds N] [--svg PREFIX]\n\n"
    "Goal 6: sealed records through both rings of the echo enclave, per record, beside loops that\n"
    "open and seal with no transport, on each backend; records in the short form, and in the "
    "full.\nPlots: process, kvm.\n\n";

int main(int argc, char **argv)
{
    static struct sealed_image image;
    bench_begin(argc, argv, help);
    bench_require(bench_cores_begin(), "pipeline: needs two CPUs, one for each side");
    sealed_image_find(&image, "echo");
    bench_pipeline_rows(&image, "process");
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        bench_pipeline_rows(&image, "kvm");
    } else {
        fprintf(stderr, "pipeline: no /dev/kvm: its rows are left out\n");
    }
    bench_cores_end();
    sealed_image_free(&image);
    return 0;
}
