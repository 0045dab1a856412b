/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1.h: format-preserving encryption FF1, NIST SP 800-38G (and rev. 1: a domain of at least one
 * million, enforced).
 *
 * Symbols are 16-bit numerals below the radix, first numeral most significant. Constant time in key
 * and data; lengths, radix and tweak length are public. AES-NI.
 */
#ifndef CSN_CRYPTO_FF1_H
#define CSN_CRYPTO_FF1_H

#include "aes.h"
#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_FF1_RADIX_MIN      2u
#define CSN_FF1_RADIX_MAX      65536u
#define CSN_FF1_COUNT_MAX      256u /* numerals */
#define CSN_FF1_TWEAK_SIZE_MAX 256u /* bytes */
#define CSN_FF1_DOMAIN_MIN     1000000u

struct csn_ff1_item {
    const struct csn_aes_key *key;
    const uint8_t *tweak;
    uint32_t tweak_size;
    uint32_t radix;
    uint32_t count; /* numerals in input and output */
    const uint16_t *input;
    uint16_t *output; /* may be input */
    csn_err result;
};

/*
 * Sets result in each: CSN_OK; CSN_ERR_ARGUMENT: radix, count, tweak size or a numeral out of
 * range; CSN_ERR_LIMIT: radix^count below one million. Items are independent.
 */
void csn_ff1_encrypt_batch(struct csn_ff1_item *items, uint32_t count);
void csn_ff1_decrypt_batch(struct csn_ff1_item *items, uint32_t count);

CSN_MUST_USE csn_err csn_ff1_self_test(void);

#endif
