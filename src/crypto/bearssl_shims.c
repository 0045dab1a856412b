/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bearssl_shims.c: what Debian's build of BearSSL asks of its C library (_FORTIFY_SOURCE), for
 * images only. Linked whole and before libbearssl.a, as sodium_shims.c is.
 */
#include <stddef.h>

void *__memcpy_chk(void *target, const void *source, size_t size, size_t target_size);
void *__memset_chk(void *target, int value, size_t size, size_t target_size);

void *__memcpy_chk(void *target, const void *source, size_t size, size_t target_size)
{
    if (size > target_size) {
        __builtin_trap();
    }
    return __builtin_memcpy(target, source, size);
}

void *__memset_chk(void *target, int value, size_t size, size_t target_size)
{
    if (size > target_size) {
        __builtin_trap();
    }
    return __builtin_memset(target, value, size);
}
