/* SPDX-License-Identifier: Apache-2.0 */
/*
 * size.h: what an image will need, line by line, from its manifest alone (`caisson size`).
 *
 * Builds: hosted only. The numbers are computed from the same structs and functions that the image
 *         carves with; tests/enclave compares the sum with what a running enclave reports.
 */
#ifndef CSN_ENCLAVE_SIZE_H
#define CSN_ENCLAVE_SIZE_H

#include <caisson/wire/manifest.h>
#include <stdbool.h>
#include <stdint.h>

#define CSE_SIZE_ROW_COUNT 9u

struct cse_size_row {
    const char *consumer; /* static text */
    uint64_t size;        /* bytes of one */
    uint64_t count;       /* how many in the whole enclave */
    bool in_pool;         /* part of manifest.pool_size */
};

/* Fills CSE_SIZE_ROW_COUNT rows; the manifest passed csn_manifest_check(). */
void cse_size_table(const struct csn_wire_manifest *manifest,
                    struct cse_size_row rows[CSE_SIZE_ROW_COUNT]);
/* Bytes of one worker's share of the pool, and of those how many its carves need at most. */
uint64_t cse_size_share(const struct csn_wire_manifest *manifest);
uint64_t cse_size_need(const struct csn_wire_manifest *manifest);

#endif
