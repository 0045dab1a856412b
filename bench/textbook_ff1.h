/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textbook_ff1.h: FF1 as a library author writes it from SP 800-38G: algorithm 7 step by step on
 * EVP's AES-CBC and BIGNUM. For comparison only.
 */
#ifndef CSN_BENCH_TEXTBOOK_FF1_H
#define CSN_BENCH_TEXTBOOK_FF1_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One cipher context for each key, as such libraries have: AES-256. */
bool textbook_ff1_init(EVP_CIPHER_CTX **context, const uint8_t key[32]);
/* Encrypts in place; tweak and numerals as in the publication, count at most 64. */
bool textbook_ff1(EVP_CIPHER_CTX *context, uint32_t radix, const uint8_t *tweak, size_t tweak_size,
                  uint16_t *numerals, size_t count);

#endif
