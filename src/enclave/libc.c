/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.c: the five functions that compilers call by themselves. Images only.
 *
 * Short sizes are served by two overlapping moves, so there is no byte loop; sizes are public.
 */
#include <stddef.h>
#include <stdint.h>

#define STRING_SIZE_MIN 512u /* from here on a string instruction is the quicker way to fill */

typedef uint64_t word8 __attribute__((aligned(1), may_alias));
typedef uint32_t word4 __attribute__((aligned(1), may_alias));
typedef uint16_t word2 __attribute__((aligned(1), may_alias));
typedef long long word16 __attribute__((vector_size(16), aligned(1), may_alias));

void *memcpy(void *target, const void *source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);

/* At most 32 bytes: everything is loaded before anything is stored, so overlap does not matter. */
static void move_short(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 16) {
        word16 first = *(const word16 *)from;
        word16 last = *(const word16 *)(from + size - 16);
        *(word16 *)to = first;
        *(word16 *)(to + size - 16) = last;
    } else if (size >= 8) {
        uint64_t first = *(const word8 *)from;
        uint64_t last = *(const word8 *)(from + size - 8);
        *(word8 *)to = first;
        *(word8 *)(to + size - 8) = last;
    } else if (size >= 4) {
        uint32_t first = *(const word4 *)from;
        uint32_t last = *(const word4 *)(from + size - 4);
        *(word4 *)to = first;
        *(word4 *)(to + size - 4) = last;
    } else if (size >= 2) {
        uint16_t first = *(const word2 *)from;
        uint16_t last = *(const word2 *)(from + size - 2);
        *(word2 *)to = first;
        *(word2 *)(to + size - 2) = last;
    } else if (size == 1) {
        *to = *from;
    }
}

void *memmove(void *target, const void *source, size_t size)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    if (size <= 32) {
        move_short(to, from, size);
    } else if ((uintptr_t)to - (uintptr_t)from >= size) {
        /* Upwards is safe: the target does not begin inside the source. The last block overlaps. */
        word16 last_a = *(const word16 *)(from + size - 32);
        word16 last_b = *(const word16 *)(from + size - 16);
        uint8_t *last = to + size - 32;
        for (; last - to > 32; to += 64, from += 64) {
            word16 a = *(const word16 *)from;
            word16 b = *(const word16 *)(from + 16);
            word16 c = *(const word16 *)(from + 32);
            word16 d = *(const word16 *)(from + 48);
            *(word16 *)to = a;
            *(word16 *)(to + 16) = b;
            *(word16 *)(to + 32) = c;
            *(word16 *)(to + 48) = d;
        }
        for (; to < last; to += 32, from += 32) {
            word16 a = *(const word16 *)from;
            word16 b = *(const word16 *)(from + 16);
            *(word16 *)to = a;
            *(word16 *)(to + 16) = b;
        }
        *(word16 *)last = last_a;
        *(word16 *)(last + 16) = last_b;
    } else {
        word16 first_a = *(const word16 *)from;
        word16 first_b = *(const word16 *)(from + 16);
        for (size_t left = size; left > 32; left -= 32) {
            word16 a = *(const word16 *)(from + left - 32);
            word16 b = *(const word16 *)(from + left - 16);
            *(word16 *)(to + left - 32) = a;
            *(word16 *)(to + left - 16) = b;
        }
        *(word16 *)to = first_a;
        *(word16 *)(to + 16) = first_b;
    }
    return target;
}

void *memcpy(void *target, const void *source, size_t size)
{
    return memmove(target, source, size);
}

/* Four at a time: a loop of one is bound by its own branch. */
static inline void set_64(uint8_t *to, word16 wide)
{
    *(word16 *)to = wide;
    *(word16 *)(to + 16) = wide;
    *(word16 *)(to + 32) = wide;
    *(word16 *)(to + 48) = wide;
}

void *memset(void *target, int value, size_t size)
{
    uint8_t *to = target;
    uint64_t pattern = UINT64_C(0x0101010101010101) * (uint8_t)value;
    if (size >= STRING_SIZE_MIN) {
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    } else if (size >= 16) {
        const word16 wide = {(long long)pattern, (long long)pattern};
        size_t at = 0;
        for (; at + 64 <= size; at += 64) {
            set_64(to + at, wide);
        }
        for (; at + 16 <= size; at += 16) {
            *(word16 *)(to + at) = wide;
        }
        *(word16 *)(to + size - 16) = wide; /* overlaps the one before */
    } else if (size >= 8) {
        *(word8 *)to = pattern;
        *(word8 *)(to + size - 8) = pattern;
    } else {
        for (size_t at = 0; at < size; at++) {
            to[at] = (uint8_t)value;
        }
    }
    return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    size_t at = 0;
    while (at + 8 <= size && *(const word8 *)(a + at) == *(const word8 *)(b + at)) {
        at += 8;
    }
    for (; at < size; at++) {
        if (a[at] != b[at]) {
            return a[at] < b[at] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size] != 0) {
        size++;
    }
    return size;
}
