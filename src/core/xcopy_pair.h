/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xcopy_pair.h: two words between shared and private memory, and a line out of the caches; for
 * xcopy.h alone.
 *
 * By one SSE2 instruction that the compiler cannot look into, or by two C atomics: in sanitizer
 * builds, which do not see an access made by assembly, and where CSN_SHARED_WORDS asks for it.
 * The hardware may take the 16 bytes as two accesses of 8; each byte is accessed once either way.
 */
#ifndef CSN_CORE_XCOPY_PAIR_H
#define CSN_CORE_XCOPY_PAIR_H

#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CSN_SHARED_WORDS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define CSN_SHARED_WORDS
#endif
#endif

#if defined(__SSE2__) && !defined(CSN_SHARED_WORDS)

#include <emmintrin.h>

static inline void csn_pair_in(uint8_t *target, const uint64_t *shared)
{
    __m128i pair;
    __asm__ volatile("movdqu %1, %0"
                     : "=x"(pair)
                     : "m"(*(const uint64_t(*)[2])(const void *)shared));
    _mm_storeu_si128((__m128i_u *)(void *)target, pair);
}

static inline void csn_pair_out(uint64_t *shared, const uint8_t *source)
{
    __m128i pair = _mm_loadu_si128((const __m128i_u *)(const void *)source);
    __asm__ volatile("movdqu %1, %0" : "=m"(*(uint64_t(*)[2])(void *)shared) : "x"(pair));
}

/* Past the caches: the consumer's copy of the line need not come here first. Not ordered. */
static inline void csn_pair_stream(uint64_t *shared, const uint8_t *source)
{
    __m128i pair = _mm_loadu_si128((const __m128i_u *)(const void *)source);
    __asm__ volatile("movntdq %1, %0" : "=m"(*(uint64_t(*)[2])(void *)shared) : "x"(pair));
}

static inline void csn_pair_stream_end(void)
{
    __asm__ volatile("sfence" : : : "memory");
}

/* CLFLUSH, which every x86-64 has: an image asks for no features, so CLFLUSHOPT is out. */
static inline void csn_line_give_up(uint64_t *shared)
{
    __asm__ volatile("clflush %0" : : "m"(*(const uint64_t(*)[8])(void *)shared));
}

#else

static inline void csn_pair_in(uint8_t *target, const uint64_t *shared)
{
    /* An atomic load is one access: the compiler may not repeat, split or widen it. */
    const uint64_t pair[2] = {__atomic_load_n(shared, __ATOMIC_RELAXED),
                              __atomic_load_n(shared + 1, __ATOMIC_RELAXED)};
    __builtin_memcpy(target, pair, sizeof pair);
}

static inline void csn_pair_out(uint64_t *shared, const uint8_t *source)
{
    uint64_t pair[2];
    __builtin_memcpy(pair, source, sizeof pair);
    __atomic_store_n(shared, pair[0], __ATOMIC_RELAXED);
    __atomic_store_n(shared + 1, pair[1], __ATOMIC_RELAXED);
}

static inline void csn_pair_stream(uint64_t *shared, const uint8_t *source)
{
    csn_pair_out(shared, source);
}

static inline void csn_pair_stream_end(void)
{
}

static inline void csn_line_give_up(uint64_t *shared)
{
    (void)shared;
}

#endif
#endif
