/* SPDX-License-Identifier: Apache-2.0 */
/* bench_sealed.c: sealed records through a running enclave (bench/), from the command. */
#include "bench.h"
#include "bench/cores.h"
#include "bench/echo_rows.h"
#include "bench/pipeline_rows.h"
#include "cli.h"
#include <string.h>
#include <unistd.h>

static int run(const struct bench_options *options, const char *what, unsigned rows,
               void (*measure)(const struct sealed_image *image, const char *backend))
{
    static struct sealed_image image;
    const char *backend = options->backend;
    if (backend == NULL || strcmp(backend, "auto") == 0) {
        backend = access("/dev/kvm", R_OK | W_OK) == 0 ? "kvm" : "process";
    }
    bench_set(options->json, (double)options->seconds / rows);
    if (!bench_cores_begin()) {
        return cli_fail(CLI_FAILURE, "%s: needs two CPUs, one for each side", what);
    }
    sealed_image_read(&image, options->image_path);
    measure(&image, backend);
    sealed_image_free(&image);
    bench_cores_end();
    return CLI_OK;
}

int bench_pipeline(const struct bench_options *options)
{
    return run(options, "pipeline", BENCH_PIPELINE_ROWS, bench_pipeline_rows);
}

int bench_echo(const struct bench_options *options)
{
    return run(options, "echo", BENCH_ECHO_ROWS, bench_echo_rows);
}
