/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h: measurements of `caisson bench`. Percentiles and spread, never a mean alone; where two
 * sides exist their slices alternate in one run, so that a slow moment of the machine meets both.
 */
#ifndef CSN_CLI_BENCH_H
#define CSN_CLI_BENCH_H

#include "bench/measure.h" /* shared with the programs of bench/ */
#include <caisson/host.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_options {
    const char *backend; /* NULL: auto */
    const char *image_path;
    const uint8_t *image;
    size_t image_size;
    uint64_t seconds;
    bool json;
};

/* Each prints its result and returns an exit code. */
int bench_rings(const struct bench_options *options);
int bench_start(const struct bench_options *options);
int bench_idle(const struct bench_options *options);
/* bench_crypto.c: rows of ratios in this process; seconds are spread over them. */
int bench_aead(const struct bench_options *options);
int bench_ff1(const struct bench_options *options);
int bench_hmac(const struct bench_options *options);
int bench_tokenize(const struct bench_options *options);
/* bench_sealed.c: rows of ratios through a running enclave. */
int bench_echo(const struct bench_options *options);
int bench_pipeline(const struct bench_options *options);

/*
 * CPU time in ns of all descendants of this process (enclaves of the process backend) so far, and
 * their number.
 */
uint64_t bench_descendants_ns(uint32_t *count);
/* A descendant's process id; 0: there is none. */
int bench_descendant(void);
/* CPU time in ns of all threads of a process so far. */
uint64_t bench_process_ns(int pid);

#endif
