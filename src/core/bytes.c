/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.c: wipe and constant-time comparison. */
#include "bytes.h"

void csn_wipe(void *bytes, size_t size)
{
    __builtin_memset(bytes, 0, size);
    /* The barrier makes the stores visible to something the compiler cannot see. */
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

/* Sixteen bytes, wherever they lie. SSE2 is part of x86-64. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));

bool csn_equal_ct(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    pair wide = {0, 0};
    size_t i = 0;
    for (; i + sizeof wide <= size; i += sizeof wide) {
        wide |= *(const pair *)(const void *)(a + i) ^ *(const pair *)(const void *)(b + i);
        __asm__("" : "+x"(wide)); /* no early exit by a clever compiler */
    }
    uint64_t difference = wide[0] | wide[1];
    for (; i < size; i++) {
        difference |= (uint64_t)(a[i] ^ b[i]);
        __asm__("" : "+r"(difference));
    }
    return difference == 0;
}

bool csn_is_zero_ct(const void *bytes, size_t size)
{
    const uint8_t *a = bytes;
    pair wide = {0, 0};
    size_t i = 0;
    for (; i + sizeof wide <= size; i += sizeof wide) {
        wide |= *(const pair *)(const void *)(a + i);
        __asm__("" : "+x"(wide));
    }
    uint64_t any = wide[0] | wide[1];
    for (; i < size; i++) {
        any |= a[i];
        __asm__("" : "+r"(any));
    }
    return any == 0;
}
