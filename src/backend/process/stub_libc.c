/* SPDX-License-Identifier: Apache-2.0 */
/* stub_libc.c: the four functions that a compiler may call by itself, and the canary's alarm. */
#include "stub_call.h"
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
__attribute__((noreturn)) void __stack_chk_fail(void);

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return target;
}

void *memmove(void *target, const void *source, size_t size)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(target, source, size);
    }
    while (size > 0) {
        size--;
        to[size] = from[size];
    }
    return target;
}

void *memset(void *target, int value, size_t size)
{
    uint8_t *to = target;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

void __stack_chk_fail(void)
{
    for (;;) {
        stub_call(STUB_EXIT_GROUP, 124, 0, 0);
    }
}
