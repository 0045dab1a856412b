/* SPDX-License-Identifier: Apache-2.0 */
/* bench_pipeline.c: the rows of the sealed pipeline (bench/pipeline_rows.h), from the command. */
#include "bench.h"
#include "bench/cores.h"
#include "bench/pipeline_rows.h"
#include "cli.h"
#include <string.h>
#include <unistd.h>

int bench_pipeline(const struct bench_options *options)
{
    static struct sealed_image image;
    const char *backend = options->backend;
    if (backend == NULL || strcmp(backend, "auto") == 0) {
        backend = access("/dev/kvm", R_OK | W_OK) == 0 ? "kvm" : "process";
    }
    bench_set(options->json, (double)options->seconds / BENCH_PIPELINE_ROWS);
    if (!bench_cores_begin()) {
        return cli_fail(CLI_FAILURE, "pipeline: needs two CPUs, one for each side");
    }
    sealed_image_read(&image, options->image_path);
    bench_pipeline_rows(&image, backend);
    sealed_image_free(&image);
    bench_cores_end();
    return CLI_OK;
}
