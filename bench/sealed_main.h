/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_main.h: a program whose rows are of the echo enclave, on two cores, on each backend. */
#ifndef CSN_BENCH_SEALED_MAIN_H
#define CSN_BENCH_SEALED_MAIN_H

#include "cores.h"
#include "sealed.h"
#include <stdio.h>
#include <unistd.h>

static inline int sealed_main(int argc, char **argv, const char *help,
                              void (*rows)(const struct sealed_image *image, const char *backend))
{
    static struct sealed_image image;
    bench_begin(argc, argv, help);
    bench_require(bench_cores_begin(), "needs two CPUs, one for each side");
    sealed_image_find(&image, "echo");
    rows(&image, "process");
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        rows(&image, "kvm");
    } else {
        fprintf(stderr, "%s: no /dev/kvm: its rows are left out\n", argv[0]);
    }
    bench_cores_end();
    sealed_image_free(&image);
    return 0;
}

#endif
