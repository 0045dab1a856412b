/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1.h: format-preserving encryption FF1, NIST SP 800-38G (and rev. 1: a domain of at least one
 * million, enforced).
 *
 * Symbols are 16-bit numerals below the radix, first numeral most significant. Constant time in key
 * and data; lengths, radix and tweak length are public. AES-NI, or VAES
 * where csn_cpu_select() was told that it is there.
 */
#ifndef CSN_CRYPTO_FF1_H
#define CSN_CRYPTO_FF1_H

#include "aes.h"
#include "ff1_math.h"
#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_FF1_RADIX_MIN      2u
#define CSN_FF1_RADIX_MAX      65536u
#define CSN_FF1_COUNT_MAX      256u /* numerals */
#define CSN_FF1_TWEAK_SIZE_MAX 256u /* bytes */
#define CSN_FF1_DOMAIN_MIN     1000000u

/*
 * What many values have in common: key, radix, count, tweak size, and all that follows from them.
 * Private but for its place; wipe with csn_wipe(). The key outlives it.
 */
struct csn_ff1_plan {
    const struct csn_aes_key *key;
    uint32_t radix;
    uint32_t count; /* numerals in input and output */
    uint32_t tweak_size;
    /* Names of SP 800-38G, algorithm 7: numerals in the halves, bytes of B, bytes of S. */
    uint32_t u, v, b, d;
    uint32_t q_size;
    uint32_t q_done;  /* bytes of Q before the block that holds the round number: never change */
    uint32_t width;   /* of a half: 32 or 64 bits, 0 = more than that */
    bool narrow;      /* both moduli are below 2^CSN_MODULUS_LANE_BITS: lanes in vectors */
    bool decimal;     /* radix 10, 8 to 16 numerals: read and written in vectors */
    uint64_t inverse; /* ceil(2^64 / radix) */
    struct csn_modulus modulus[2]; /* radix^u and radix^v, where width is not 0 */
    uint8_t start[16];             /* the MAC after P: a secret */
};

/*
 * CSN_ERR_ARGUMENT: radix, count or tweak size out of range, or no key; CSN_ERR_LIMIT: radix^count
 * below one million.
 */
CSN_MUST_USE csn_err csn_ff1_plan_init(struct csn_ff1_plan *plan, const struct csn_aes_key *key,
                                       uint32_t radix, uint32_t count, uint32_t tweak_size);

struct csn_ff1_item {
    const struct csn_ff1_plan *plan;
    const uint8_t *tweak; /* of the plan's size */
    const uint16_t *input;
    uint16_t *output; /* may be input */
    csn_err result;
};

/*
 * Sets result in each: CSN_OK, or CSN_ERR_ARGUMENT: a numeral out of range. Items are independent;
 * those with plans of one width and key size run sixteen at a time.
 */
void csn_ff1_encrypt_batch(struct csn_ff1_item *items, uint32_t count);
void csn_ff1_decrypt_batch(struct csn_ff1_item *items, uint32_t count);

CSN_MUST_USE csn_err csn_ff1_self_test(void);

#endif
