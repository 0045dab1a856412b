/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canary.h: looks for many known secrets in memory or files that the host can see.
 *
 * Each secret is found by one 8-byte window of it and then confirmed whole. Only hashes are kept,
 * so that a scan of the memory that this object lies in does not find the object itself.
 *
 * Threads:  add from one thread; after that any number of threads may scan.
 * Lifetime: csr_canary_create allocates for a fixed count, csr_canary_destroy wipes and frees.
 */
#ifndef CSR_CANARY_H
#define CSR_CANARY_H

#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

#define CSR_CANARY_SECRET_SIZE_MIN 8u   /* bytes */
#define CSR_CANARY_SECRET_SIZE_MAX 256u /* bytes */

struct csr_canary;

/* Add up over several scans; begin with zeros. */
struct csr_canary_hits {
    uint64_t count;
    uint64_t bytes;        /* scanned */
    uint64_t first_secret; /* number in the order of adding, valid if count > 0 */
    uint64_t first_offset; /* in the buffer or file in which it was found */
};

csn_err csr_canary_create(struct csr_canary **canary, size_t secret_count_max);
void csr_canary_destroy(struct csr_canary *canary);
/* CSN_ERR_ARGUMENT: size out of range. CSN_ERR_LIMIT: more than were announced. */
csn_err csr_canary_add(struct csr_canary *canary, const void *secret, size_t size);
void csr_canary_scan(const struct csr_canary *canary, const void *bytes, size_t size,
                     struct csr_canary_hits *hits);
/* size bytes of a file from offset (pread), or up to its end if that comes first. */
csn_err csr_canary_scan_fd(const struct csr_canary *canary, int fd, uint64_t offset, uint64_t size,
                           struct csr_canary_hits *hits);

#endif
