/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h: wipe, constant-time compare, checked arithmetic, unaligned little-endian access.
 */
#ifndef CSN_CORE_BYTES_H
#define CSN_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Overwrites size bytes; the compiler cannot remove it. */
void csn_wipe(void *bytes, size_t size);
/* Constant time in the contents: true if equal. */
bool csn_equal_ct(const void *left, const void *right, size_t size);
/* True if size bytes are all zero; constant time in the contents. */
bool csn_is_zero_ct(const void *bytes, size_t size);

static inline bool csn_add_u64(uint64_t left, uint64_t right, uint64_t *sum)
{
    return !__builtin_add_overflow(left, right, sum);
}
static inline bool csn_mul_u64(uint64_t left, uint64_t right, uint64_t *product)
{
    return !__builtin_mul_overflow(left, right, product);
}

static inline uint32_t csn_load_u32(const void *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}
static inline uint64_t csn_load_u64(const void *bytes)
{
    uint64_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}
static inline void csn_store_u32(void *bytes, uint32_t value)
{
    __builtin_memcpy(bytes, &value, sizeof value);
}
static inline void csn_store_u64(void *bytes, uint64_t value)
{
    __builtin_memcpy(bytes, &value, sizeof value);
}

/*
 * Sixteen bytes in one store, for what is read as sixteen right after: a load waits for several
 * smaller stores until they are all in the cache.
 */
static inline void csn_store_pair(void *bytes, uint64_t first, uint64_t second)
{
    typedef long long pair __attribute__((vector_size(16), aligned(1), may_alias));
    *(pair *)bytes = (pair){(long long)first, (long long)second};
}

/* csn_copy() of at most 16 bytes. */
static inline void csn_copy_short(uint8_t *target, const uint8_t *source, uint32_t size)
{
    if (size >= 8) {
        uint64_t tail = csn_load_u64(source + size - 8);
        csn_store_u64(target, csn_load_u64(source));
        csn_store_u64(target + size - 8, tail);
    } else if (size >= 4) {
        uint32_t tail = csn_load_u32(source + size - 4);
        csn_store_u32(target, csn_load_u32(source));
        csn_store_u32(target + size - 4, tail);
    } else if (size > 0) {
        uint8_t middle = source[size / 2], last = source[size - 1];
        target[0] = source[0];
        target[size / 2] = middle;
        target[size - 1] = last;
    }
}

/*
 * memcpy() for sizes that are mostly small and not known in advance: two moves that overlap, and
 * no call. Nothing beyond size is touched.
 */
static inline void csn_copy(uint8_t *target, const uint8_t *source, uint32_t size)
{
    if (size > 32) {
        __builtin_memcpy(target, source, size);
    } else if (size >= 16) {
        uint8_t head[16], tail[16];
        __builtin_memcpy(head, source, 16);
        __builtin_memcpy(tail, source + size - 16, 16);
        __builtin_memcpy(target, head, 16);
        __builtin_memcpy(target + size - 16, tail, 16);
    } else {
        csn_copy_short(target, source, size);
    }
}

#endif
