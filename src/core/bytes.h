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

#endif
