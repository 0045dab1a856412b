/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xcopy.h: the one accessor to memory that the other side may rewrite at any time.
 *
 * Trust:    `shared` is hostile. Each call reads (or writes) every byte exactly once, in whole
 *           aligned words of 8 bytes; the compiler can neither repeat nor split an access.
 * Threads:  any; ordering is said per function.
 */
#ifndef CSN_CORE_XCOPY_H
#define CSN_CORE_XCOPY_H

#include <stdbool.h>
#include <stdint.h>

struct csn_shared; /* incomplete on purpose: a hostile address cannot be dereferenced by accident */

/* The address offset bytes (a multiple of 8) further on; nothing is touched. */
struct csn_shared *csn_shared_at(struct csn_shared *shared, uint64_t offset);

/* One relaxed / acquire load, one relaxed / release store of the aligned word at offset bytes. */
uint64_t csn_shared_load(const struct csn_shared *shared, uint64_t offset);
uint64_t csn_shared_load_acquire(const struct csn_shared *shared, uint64_t offset);
void csn_shared_store(struct csn_shared *shared, uint64_t offset, uint64_t value);
void csn_shared_store_release(struct csn_shared *shared, uint64_t offset, uint64_t value);

/* One compare-and-swap of the word at offset (acquire and release): true if it was expected. */
bool csn_shared_swap(struct csn_shared *shared, uint64_t offset, uint64_t expected, uint64_t value);
/* Full fence: what comes before it is seen before what comes after it. */
void csn_shared_fence(void);

/* Copy word_count aligned words in or out; source and target never overlap. Relaxed. */
void csn_shared_copy_in(void *target, const struct csn_shared *shared, uint64_t offset,
                        uint32_t word_count);
void csn_shared_copy_out(struct csn_shared *shared, uint64_t offset, const void *source,
                         uint32_t word_count);
void csn_shared_zero(struct csn_shared *shared, uint64_t offset, uint32_t word_count);

#endif
