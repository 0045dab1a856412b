/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sodium_shims.c: what libsodium's curve objects ask of its utils.o and randombytes.o, for images
 * only. Those objects bring mmap, malloc and getrandom along; these few lines keep them out.
 *
 * Linked whole and before libsodium.a, so that its own definitions are never looked for.
 */
#include <core/bytes.h>
#include <stddef.h>

void sodium_memzero(void *const bytes, const size_t size);
int sodium_memcmp(const void *const left, const void *const right, size_t size);
int sodium_is_zero(const unsigned char *bytes, const size_t size);
void randombytes_buf(void *const bytes, const size_t size) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));

void sodium_memzero(void *const bytes, const size_t size)
{
    csn_wipe(bytes, size);
}

int sodium_memcmp(const void *const left, const void *const right, size_t size)
{
    return csn_equal_ct(left, right, size) ? 0 : -1;
}

int sodium_is_zero(const unsigned char *bytes, const size_t size)
{
    return csn_is_zero_ct(bytes, size);
}

/* Named by functions that we do not call (a random key pair, a bad ristretto argument). */
void randombytes_buf(void *const bytes, const size_t size)
{
    (void)bytes;
    (void)size;
    __builtin_trap();
}

void abort(void)
{
    __builtin_trap();
}
