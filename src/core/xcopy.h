/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xcopy.h: every access to shared memory, and every memory order, of the whole project.
 *
 * Trust:    `shared` is hostile: what is loaded may be any value and another one a moment later.
 *           Each call reads (or writes) every byte exactly once, in whole aligned words of 8 bytes
 *           or pairs of them; the compiler can neither repeat nor split an access.
 * Threads:  orders are written down here and nowhere else. The pairs are:
 *           M  head word:   csn_shared_store_release() in csn_ring_publish() with
 *                           csn_shared_load_acquire() in csn_ring_read(): body before head.
 *           C  credit word: csn_shared_store_release() in csn_ring_give_credit() with
 *                           csn_shared_load_acquire() in csn_ring_write(): a line is read before
 *                           it is written anew.
 *           S  streamed lines: csn_shared_stream_end() in csn_ring_publish(), between them and
 *                           the store of M.
 *           E  events:      csn_shared_fence() in csn_event_arm() with the one in
 *                           csn_event_signal(): of "armed, then looked" and "published, then
 *                           asked whether armed" at least one sees the other.
 * Builds:   inline, because a call for each word costs more than the word. Two macros change that:
 *           CSN_SHARED_EXTERN   the functions are somebody else's: tests/core/model.c explores
 *                               every order of the accesses that ring.c and event.c make.
 *           CSN_SHARED_WORDS    copies by 8 bytes with C atomics alone, which sanitizers see, and
 *                               which platforms need where wider accesses leak (SGX).
 */
#ifndef CSN_CORE_XCOPY_H
#define CSN_CORE_XCOPY_H

#include <stdbool.h>
#include <stdint.h>

struct csn_shared; /* incomplete on purpose: a hostile address cannot be dereferenced by accident */

/* ---- xcopy.c ---- */

/* One compare-and-swap of the word at offset (acquire and release): true if it was expected. */
bool csn_shared_swap(struct csn_shared *shared, uint64_t offset, uint64_t expected, uint64_t value);
/* Full fence: what comes before it is seen before what comes after it. */
void csn_shared_fence(void);

#ifdef CSN_SHARED_EXTERN
#define CSN_SHARED_INLINE
#else
#define CSN_SHARED_INLINE static inline
#endif

/* The address offset bytes (a multiple of 8) further on; nothing is touched. */
CSN_SHARED_INLINE struct csn_shared *csn_shared_at(struct csn_shared *shared, uint64_t offset);

/* One relaxed / acquire load, one relaxed / release store of the aligned word at offset bytes. */
CSN_SHARED_INLINE uint64_t csn_shared_load(const struct csn_shared *shared, uint64_t offset);
CSN_SHARED_INLINE uint64_t csn_shared_load_acquire(const struct csn_shared *shared,
                                                   uint64_t offset);
CSN_SHARED_INLINE void csn_shared_store(struct csn_shared *shared, uint64_t offset, uint64_t value);
CSN_SHARED_INLINE void csn_shared_store_release(struct csn_shared *shared, uint64_t offset,
                                                uint64_t value);

/* Copy word_count aligned words in or out; source and target never overlap. Relaxed. */
CSN_SHARED_INLINE void csn_shared_copy_in(void *target, const struct csn_shared *shared,
                                          uint64_t offset, uint32_t word_count);
CSN_SHARED_INLINE void csn_shared_copy_out(struct csn_shared *shared, uint64_t offset,
                                           const void *source, uint32_t word_count);
CSN_SHARED_INLINE void csn_shared_zero(struct csn_shared *shared, uint64_t offset,
                                       uint32_t word_count);

/*
 * Copy out whole pairs of words to a place that is a multiple of 16 bytes, past the caches. Such
 * stores come later than any store after them, until csn_shared_stream_end().
 */
CSN_SHARED_INLINE void csn_shared_stream(struct csn_shared *shared, uint64_t offset,
                                         const void *source, uint32_t word_count);
CSN_SHARED_INLINE void csn_shared_stream_end(void);

/* Asks for a line that will soon be read: a hint, no access. */
CSN_SHARED_INLINE void csn_shared_expect_read(const struct csn_shared *shared, uint64_t offset);
/*
 * Takes a line that was read out of this core's caches, so that the peer, who will write it next,
 * need not wait for it. A hint as well: it changes nothing that anybody can read.
 */
CSN_SHARED_INLINE void csn_shared_give_up(struct csn_shared *shared, uint64_t offset);

#ifndef CSN_SHARED_EXTERN

#include "xcopy_pair.h"

_Static_assert(__GCC_ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(long long) == sizeof(uint64_t),
               "a word is one access");

static inline const uint64_t *csn_shared_word(const struct csn_shared *shared, uint64_t offset)
{
    return (const uint64_t *)(const void *)((const uint8_t *)shared + offset);
}

static inline uint64_t *csn_shared_place(struct csn_shared *shared, uint64_t offset)
{
    return (uint64_t *)(void *)((uint8_t *)shared + offset);
}

static inline struct csn_shared *csn_shared_at(struct csn_shared *shared, uint64_t offset)
{
    return (struct csn_shared *)(void *)csn_shared_place(shared, offset);
}

static inline uint64_t csn_shared_load(const struct csn_shared *shared, uint64_t offset)
{
    return __atomic_load_n(csn_shared_word(shared, offset), __ATOMIC_RELAXED);
}

static inline uint64_t csn_shared_load_acquire(const struct csn_shared *shared, uint64_t offset)
{
    return __atomic_load_n(csn_shared_word(shared, offset), __ATOMIC_ACQUIRE);
}

static inline void csn_shared_store(struct csn_shared *shared, uint64_t offset, uint64_t value)
{
    __atomic_store_n(csn_shared_place(shared, offset), value, __ATOMIC_RELAXED);
}

static inline void csn_shared_store_release(struct csn_shared *shared, uint64_t offset,
                                            uint64_t value)
{
    __atomic_store_n(csn_shared_place(shared, offset), value, __ATOMIC_RELEASE);
}

static inline void csn_shared_copy_in(void *target, const struct csn_shared *shared,
                                      uint64_t offset, uint32_t word_count)
{
    const uint64_t *source = csn_shared_word(shared, offset);
    uint8_t *bytes = target;
    uint32_t i = 0;
    for (; i + 2 <= word_count; i += 2) {
        csn_pair_in(bytes + (uint64_t)i * 8, source + i);
    }
    if (i < word_count) {
        uint64_t word = __atomic_load_n(source + i, __ATOMIC_RELAXED);
        __builtin_memcpy(bytes + (uint64_t)i * 8, &word, sizeof word);
    }
}

static inline void csn_shared_copy_out(struct csn_shared *shared, uint64_t offset,
                                       const void *source, uint32_t word_count)
{
    uint64_t *target = csn_shared_place(shared, offset);
    const uint8_t *bytes = source;
    uint32_t i = 0;
    for (; i + 2 <= word_count; i += 2) {
        csn_pair_out(target + i, bytes + (uint64_t)i * 8);
    }
    if (i < word_count) {
        uint64_t word;
        __builtin_memcpy(&word, bytes + (uint64_t)i * 8, sizeof word);
        __atomic_store_n(target + i, word, __ATOMIC_RELAXED);
    }
}

static inline void csn_shared_zero(struct csn_shared *shared, uint64_t offset, uint32_t word_count)
{
    static const uint8_t zeros[16] = {0};
    uint64_t *target = csn_shared_place(shared, offset);
    uint32_t i = 0;
    for (; i + 2 <= word_count; i += 2) {
        csn_pair_out(target + i, zeros);
    }
    if (i < word_count) {
        __atomic_store_n(target + i, 0, __ATOMIC_RELAXED);
    }
}

static inline void csn_shared_stream(struct csn_shared *shared, uint64_t offset, const void *source,
                                     uint32_t word_count)
{
    uint64_t *target = csn_shared_place(shared, offset);
    const uint8_t *bytes = source;
    for (uint32_t i = 0; i + 2 <= word_count; i += 2) {
        csn_pair_stream(target + i, bytes + (uint64_t)i * 8);
    }
}

static inline void csn_shared_stream_end(void)
{
    csn_pair_stream_end();
}

static inline void csn_shared_expect_read(const struct csn_shared *shared, uint64_t offset)
{
    __builtin_prefetch(csn_shared_word(shared, offset), 0);
}

static inline void csn_shared_give_up(struct csn_shared *shared, uint64_t offset)
{
    csn_line_give_up(csn_shared_place(shared, offset));
}

#endif
#endif
