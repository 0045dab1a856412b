/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xcopy.c: every access to shared memory, and every memory order, of the whole project.
 *
 * Trust:    what is loaded here may be any value and may be another one a moment later.
 * Threads:  orders are written down here and nowhere else. The pairs are:
 *           M  head word:   csn_shared_store_release() in csn_ring_publish() with
 *                           csn_shared_load_acquire() in csn_ring_read(): body before head.
 *           C  credit word: csn_shared_store_release() in csn_ring_give_credit() with
 *                           csn_shared_load_acquire() in csn_ring_write(): a line is read before
 *                           it is written anew.
 *           E  events:      csn_shared_fence() in csn_event_arm() with the one in
 *                           csn_event_signal(): of "armed, then looked" and "published, then
 *                           asked whether armed" at least one sees the other.
 */
#include "xcopy.h"

_Static_assert(__GCC_ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(long long) == sizeof(uint64_t),
               "a word is one access");

static const uint64_t *word_in(const struct csn_shared *shared, uint64_t offset)
{
    return (const uint64_t *)(const void *)((const uint8_t *)shared + offset);
}

static uint64_t *word_out(struct csn_shared *shared, uint64_t offset)
{
    return (uint64_t *)(void *)((uint8_t *)shared + offset);
}

struct csn_shared *csn_shared_at(struct csn_shared *shared, uint64_t offset)
{
    return (struct csn_shared *)(void *)word_out(shared, offset);
}

uint64_t csn_shared_load(const struct csn_shared *shared, uint64_t offset)
{
    return __atomic_load_n(word_in(shared, offset), __ATOMIC_RELAXED);
}

uint64_t csn_shared_load_acquire(const struct csn_shared *shared, uint64_t offset)
{
    return __atomic_load_n(word_in(shared, offset), __ATOMIC_ACQUIRE);
}

void csn_shared_store(struct csn_shared *shared, uint64_t offset, uint64_t value)
{
    __atomic_store_n(word_out(shared, offset), value, __ATOMIC_RELAXED);
}

void csn_shared_store_release(struct csn_shared *shared, uint64_t offset, uint64_t value)
{
    __atomic_store_n(word_out(shared, offset), value, __ATOMIC_RELEASE);
}

bool csn_shared_swap(struct csn_shared *shared, uint64_t offset, uint64_t expected, uint64_t value)
{
    return __atomic_compare_exchange_n(word_out(shared, offset), &expected, value, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void csn_shared_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void csn_shared_copy_in(void *target, const struct csn_shared *shared, uint64_t offset,
                        uint32_t word_count)
{
    const uint64_t *source = word_in(shared, offset);
    uint8_t *bytes = target;
    for (uint32_t i = 0; i < word_count; i++) {
        /* An atomic load is one access: the compiler may not repeat, split or widen it. */
        uint64_t word = __atomic_load_n(source + i, __ATOMIC_RELAXED);
        __builtin_memcpy(bytes + (uint64_t)i * sizeof word, &word, sizeof word);
    }
}

void csn_shared_copy_out(struct csn_shared *shared, uint64_t offset, const void *source,
                         uint32_t word_count)
{
    uint64_t *target = word_out(shared, offset);
    const uint8_t *bytes = source;
    for (uint32_t i = 0; i < word_count; i++) {
        uint64_t word;
        __builtin_memcpy(&word, bytes + (uint64_t)i * sizeof word, sizeof word);
        __atomic_store_n(target + i, word, __ATOMIC_RELAXED);
    }
}

void csn_shared_zero(struct csn_shared *shared, uint64_t offset, uint32_t word_count)
{
    uint64_t *target = word_out(shared, offset);
    for (uint32_t i = 0; i < word_count; i++) {
        __atomic_store_n(target + i, 0, __ATOMIC_RELAXED);
    }
}
