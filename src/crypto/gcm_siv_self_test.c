/* SPDX-License-Identifier: Apache-2.0 */
/* gcm_siv_self_test.c: two answers of RFC 8452 (C.2 and C.3), of which one has a counter that
 * wraps. */
#include "gcm_siv.h"
#include <core/bytes.h>

struct known {
    uint8_t first_of_key, first_of_nonce;
    uint32_t aad_size, size;
    uint8_t aad[18], plain[24], cipher[24], tag[16];
};

static const struct known known[] = {
    {1,
     3,
     18,
     20,
     {0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x02, 0x00},
     {0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00},
     {0x43, 0xdd, 0x01, 0x63, 0xcd, 0xb4, 0x8f, 0x9f, 0xe3, 0x21,
      0x2b, 0xf6, 0x1b, 0x20, 0x19, 0x76, 0x06, 0x7f, 0x34, 0x2b},
     {0xb8, 0x79, 0xad, 0x97, 0x6d, 0x82, 0x42, 0xac, 0xc1, 0x88, 0xab, 0x59, 0xca, 0xbf, 0xe3,
      0x07}},
    {0,
     0,
     0,
     24,
     {0},
     {0xeb, 0x36, 0x40, 0x27, 0x7c, 0x7f, 0xfd, 0x13, 0x03, 0xc7, 0xa5, 0x42,
      0xd0, 0x2d, 0x3e, 0x4c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
     {0x18, 0xce, 0x4f, 0x0b, 0x8c, 0xb4, 0xd0, 0xca, 0xc6, 0x5f, 0xea, 0x8f,
      0x79, 0x25, 0x7b, 0x20, 0x88, 0x8e, 0x53, 0xe7, 0x22, 0x99, 0xe5, 0x6d},
     {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00}},
};

static csn_err check(const struct known *answer)
{
    uint8_t secret[CSN_GCM_SIV_KEY_SIZE] = {answer->first_of_key};
    uint8_t output[sizeof answer->plain], tag[CSN_GCM_SIV_TAG_SIZE];
    struct csn_gcm_siv_key key;
    csn_gcm_siv_key_init(&key, secret);
    struct csn_gcm_siv_item item = {.key = &key,
                                    .nonce = {answer->first_of_nonce},
                                    .aad = answer->aad,
                                    .aad_size = answer->aad_size,
                                    .size = answer->size,
                                    .input = answer->plain,
                                    .output = output,
                                    .tag = tag};
    csn_gcm_siv_seal_batch(&item, 1);
    if (!csn_equal_ct(output, answer->cipher, answer->size) ||
        !csn_equal_ct(tag, answer->tag, sizeof tag)) {
        return CSN_ERR_INTERNAL;
    }
    item.input = output;
    csn_gcm_siv_open_batch(&item, 1);
    if (item.result != CSN_OK || !csn_equal_ct(output, answer->plain, answer->size)) {
        return CSN_ERR_INTERNAL;
    }
    tag[15] ^= 0x80;
    csn_gcm_siv_open_batch(&item, 1);
    bool refused = item.result == CSN_ERR_AUTH && csn_is_zero_ct(output, answer->size);
    return refused ? CSN_OK : CSN_ERR_INTERNAL;
}

csn_err csn_gcm_siv_self_test(void)
{
    CSN_TRY(check(&known[0]));
    return check(&known[1]);
}
