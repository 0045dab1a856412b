/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_self_test.c: NIST's FF1 sample 2 (fast path) and one for the wide path. */
#include "ff1.h"
#include <core/bytes.h>

static const uint8_t secret[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                   0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};

/* Both directions, as one and, where count_max is 9, in all lanes. */
static csn_err check(const struct csn_ff1_plan *plan, const uint8_t *tweak, const uint16_t *plain,
                     const uint16_t *cipher, uint32_t count_max)
{
    uint16_t output[9][32];
    struct csn_ff1_item items[9];
    const uint32_t size = plan->count * (uint32_t)sizeof output[0][0];
    for (uint32_t count = 1; count <= count_max; count += 8) {
        for (uint32_t i = 0; i < count; i++) {
            items[i] = (struct csn_ff1_item){
                .plan = plan, .tweak = tweak, .input = plain, .output = output[i]};
        }
        csn_ff1_encrypt_batch(items, count);
        for (uint32_t i = 0; i < count; i++) {
            if (items[i].result != CSN_OK || !csn_equal_ct(output[i], cipher, size)) {
                return CSN_ERR_INTERNAL;
            }
            items[i].input = output[i];
        }
        csn_ff1_decrypt_batch(items, count);
        for (uint32_t i = 0; i < count; i++) {
            if (items[i].result != CSN_OK || !csn_equal_ct(output[i], plain, size)) {
                return CSN_ERR_INTERNAL;
            }
        }
    }
    return CSN_OK;
}

/*
 * The wide path: 32 numerals in radix 62 with the tweak "caisson", answer by an independent
 * program over OpenSSL's AES. It has no lanes: nine values are nine times the same code.
 */
csn_err csn_ff1_self_test(void)
{
    static const uint16_t digits[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint16_t digits_sealed[10] = {6, 1, 2, 4, 2, 0, 0, 7, 7, 3};
    static const uint16_t wide[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                      11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                      22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    static const uint16_t wide_sealed[32] = {29, 52, 52, 38, 14, 52, 1,  18, 44, 55, 47,
                                             35, 40, 25, 15, 34, 15, 13, 48, 28, 25, 36,
                                             19, 57, 48, 34, 31, 31, 20, 36, 23, 6};
    struct csn_aes_key key;
    CSN_TRY(csn_aes_key_init(&key, secret, sizeof secret));
    struct csn_ff1_plan plan;
    CSN_TRY(csn_ff1_plan_init(&plan, &key, 10, 10, 10));
    CSN_TRY(check(&plan, (const uint8_t *)"9876543210", digits, digits_sealed, 9));
    CSN_TRY(csn_ff1_plan_init(&plan, &key, 62, 32, 7));
    return check(&plan, (const uint8_t *)"caisson", wide, wide_sealed, 1);
}
