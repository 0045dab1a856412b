/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.c: wipe and constant-time comparison. */
#include "bytes.h"

void csn_wipe(void *bytes, size_t size)
{
    __builtin_memset(bytes, 0, size);
    /* The barrier makes the stores visible to something the compiler cannot see. */
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

bool csn_equal_ct(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
        __asm__("" : "+r"(difference)); /* no early exit by a clever compiler */
    }
    return difference == 0;
}

bool csn_is_zero_ct(const void *bytes, size_t size)
{
    const uint8_t *a = bytes;
    uint64_t any = 0;
    size_t whole = size & ~(sizeof any - 1);
    for (size_t i = 0; i < whole; i += sizeof any) {
        uint64_t word;
        __builtin_memcpy(&word, a + i, sizeof word);
        any |= word;
        __asm__("" : "+r"(any));
    }
    for (size_t i = whole; i < size; i++) {
        any |= a[i];
        __asm__("" : "+r"(any));
    }
    return any == 0;
}
