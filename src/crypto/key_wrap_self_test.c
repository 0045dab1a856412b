/* SPDX-License-Identifier: Apache-2.0 */
/* key_wrap_self_test.c: both answers of RFC 5649 section 6. */
#include "key_wrap.h"
#include <core/bytes.h>

static const uint8_t long_secret[20] = {0xc3, 0x7b, 0x7e, 0x64, 0x92, 0x58, 0x43, 0x40, 0xbe, 0xd1,
                                        0x22, 0x07, 0x80, 0x89, 0x41, 0x15, 0x50, 0x68, 0xf7, 0x38};
static const uint8_t long_wrapped[32] = {
    0x13, 0x8b, 0xde, 0xaa, 0x9b, 0x8f, 0xa7, 0xfc, 0x61, 0xf9, 0x77, 0x42, 0xe7, 0x22, 0x48, 0xee,
    0x5a, 0xe6, 0xae, 0x53, 0x60, 0xd1, 0xae, 0x6a, 0x5f, 0x54, 0xf3, 0x73, 0xfa, 0x54, 0x3b, 0x6a};
static const uint8_t short_secret[7] = {0x46, 0x6f, 0x72, 0x50, 0x61, 0x73, 0x69};
static const uint8_t short_wrapped[16] = {0xaf, 0xbe, 0xb0, 0xf0, 0x7d, 0xfb, 0xf5, 0x41,
                                          0x92, 0x00, 0xf2, 0xcc, 0xb5, 0x0b, 0xb2, 0x4f};

static csn_err check(const struct csn_aes_key *key, const uint8_t *secret, uint32_t size,
                     const uint8_t *wrapped)
{
    const uint32_t wrapped_size = csn_key_wrap_size(size);
    uint8_t made[32], opened[24];
    uint32_t opened_size;
    CSN_TRY(csn_key_wrap(key, secret, size, made));
    if (!csn_equal_ct(made, wrapped, wrapped_size)) {
        return CSN_ERR_INTERNAL;
    }
    CSN_TRY(csn_key_unwrap(key, made, wrapped_size, opened, &opened_size));
    if (opened_size != size || !csn_equal_ct(opened, secret, size)) {
        return CSN_ERR_INTERNAL;
    }
    made[wrapped_size - 1] ^= 1;
    csn_err spoilt = csn_key_unwrap(key, made, wrapped_size, opened, &opened_size);
    return spoilt == CSN_ERR_AUTH && csn_is_zero_ct(opened, wrapped_size - 8) ? CSN_OK
                                                                              : CSN_ERR_INTERNAL;
}

csn_err csn_key_wrap_self_test(void)
{
    static const uint8_t bytes[24] = {0x58, 0x40, 0xdf, 0x6e, 0x29, 0xb0, 0x2a, 0xf1,
                                      0xab, 0x49, 0x3b, 0x70, 0x5b, 0xf1, 0x6e, 0xa1,
                                      0xae, 0x83, 0x38, 0xf4, 0xdc, 0xc1, 0x76, 0xa8};
    struct csn_aes_key key;
    CSN_TRY(csn_aes_key_init(&key, bytes, sizeof bytes));
    CSN_TRY(check(&key, long_secret, sizeof long_secret, long_wrapped));
    return check(&key, short_secret, sizeof short_secret, short_wrapped);
}
