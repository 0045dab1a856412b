/* SPDX-License-Identifier: Apache-2.0 */
/* bench_rings.c: the rows of the ring that need no peer (bench/ring_rows.h), from the command. */
#include "bench.h"
#include "bench/ring_rows.h"
#include "cli.h"

int bench_rings(const struct bench_options *options)
{
    bench_set(options->json, (double)options->seconds);
    if (!bench_cores_begin()) {
        return cli_fail(CLI_FAILURE, "rings: needs two CPUs, one for each side");
    }
    bench_ring_rows();
    bench_cores_end();
    return CLI_OK;
}
