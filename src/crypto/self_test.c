/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_test.c: known-answer tests run at each start. Answers are OpenSSL's for the same input.
 */
#include "self_test.h"
#include "aead.h"
#include "curve.h"
#include "sha2.h"
#include <core/bytes.h>

#define MESSAGE_SIZE 600u
#define MACS         5u

static void fill_message(uint8_t *message, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        message[i] = (uint8_t)(7 * i + 1);
    }
}

/* first, first + 1, … */
static void fill_run(uint8_t *bytes, uint32_t size, uint32_t first)
{
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(first + i);
    }
}

static csn_err expect(const void *left, const void *right, size_t size)
{
    return csn_equal_ct(left, right, size) ? CSN_OK : CSN_ERR_INTERNAL;
}

/* Batches of each size, of one block and of two, against one at a time. */
static csn_err hmac_batch_self_test(const struct csn_hmac_key *key, const uint8_t *message)
{
    struct csn_hmac_item items[MACS];
    uint8_t tags[MACS][32];
    uint8_t tag[32];
    for (uint32_t count = 1; count <= MACS; count++) {
        for (uint32_t i = 0; i < count; i++) {
            items[i] = (struct csn_hmac_item){
                .key = key, .bytes = message + i, .size = 13 * (count + i), .tag = tags[i]};
        }
        csn_hmac_batch(items, count);
        for (uint32_t i = 0; i < count; i++) {
            csn_hmac(key, items[i].bytes, items[i].size, tag);
            CSN_TRY(expect(tag, tags[i], sizeof tag));
        }
    }
    return CSN_OK;
}

csn_err csn_sha2_self_test(void)
{
    static const uint8_t sha256[32] = {0xb1, 0xb3, 0x6f, 0x51, 0xf5, 0x14, 0xd1, 0x1c,
                                       0x6c, 0xd3, 0xa9, 0x65, 0x63, 0x27, 0xf1, 0x80,
                                       0x20, 0x9d, 0x50, 0x39, 0x61, 0xff, 0x06, 0x16,
                                       0xdb, 0x46, 0xcf, 0x88, 0x92, 0x1d, 0xeb, 0x28};
    static const uint8_t sha384[48] = {0x30, 0x63, 0xcf, 0x9e, 0x06, 0xaf, 0x0f, 0x4b, 0x26, 0x61,
                                       0x2a, 0x21, 0x16, 0x1a, 0x95, 0x9a, 0x70, 0x36, 0xf0, 0x94,
                                       0x72, 0x77, 0xf4, 0x26, 0x49, 0x68, 0x70, 0x68, 0xae, 0x5b,
                                       0x68, 0x3d, 0xb6, 0x45, 0xd5, 0x2c, 0x47, 0x0e, 0xf3, 0x76,
                                       0x49, 0xdd, 0xeb, 0x63, 0xbe, 0x13, 0xb2, 0x93};
    static const uint8_t sha512[64] = {
        0x23, 0x3b, 0x3c, 0xf1, 0xf6, 0x9d, 0x5c, 0xf4, 0x4e, 0xa3, 0xac, 0x1a, 0xb6,
        0xc3, 0xdd, 0x2a, 0x08, 0xa7, 0x91, 0xfc, 0xd6, 0xf7, 0x5f, 0x7b, 0x77, 0x3b,
        0xe0, 0xa9, 0x11, 0x6b, 0xa8, 0x30, 0xbf, 0x1d, 0xf9, 0xae, 0xd0, 0xc2, 0xe3,
        0x6b, 0xa3, 0xdb, 0xa8, 0xbf, 0x04, 0xce, 0x24, 0x83, 0x0e, 0x42, 0x0e, 0x73,
        0x32, 0x97, 0xb0, 0xd0, 0x88, 0x43, 0x85, 0x89, 0x6a, 0x54, 0xa1, 0x99};
    static const uint8_t mac[32] = {0x38, 0x7e, 0xbf, 0x56, 0x5a, 0xc7, 0x30, 0x5b,
                                    0x48, 0xc7, 0xdd, 0xbf, 0xc6, 0xc0, 0xb7, 0x2b,
                                    0x5b, 0xb6, 0x4f, 0x5e, 0x5f, 0x4d, 0x89, 0x04,
                                    0xaa, 0x7a, 0x72, 0xb1, 0xbe, 0xb6, 0x44, 0x04};
    uint8_t message[300];
    uint8_t secret[32];
    uint8_t digest[64];
    struct csn_sha512 hash;
    struct csn_hmac_key key;
    fill_message(message, sizeof message);
    fill_run(secret, sizeof secret, 1);
    csn_sha256(message, sizeof message, digest);
    CSN_TRY(expect(digest, sha256, sizeof sha256));
    csn_sha384_init(&hash);
    csn_sha512_update(&hash, message, sizeof message);
    csn_sha384_final(&hash, digest);
    CSN_TRY(expect(digest, sha384, sizeof sha384));
    csn_sha512_init(&hash);
    csn_sha512_update(&hash, message, sizeof message);
    csn_sha512_final(&hash, digest);
    CSN_TRY(expect(digest, sha512, sizeof sha512));
    csn_hmac_key_init(&key, secret, sizeof secret);
    csn_hmac(&key, message, sizeof message, digest);
    CSN_TRY(expect(digest, mac, sizeof mac));
    return hmac_batch_self_test(&key, message);
}

csn_err csn_gcm_self_test(void)
{
    static const uint32_t sizes[4] = {0, 15, 300, MESSAGE_SIZE};
    static const uint8_t tags[4][16] = {{0x3f, 0x73, 0xcd, 0x64, 0x32, 0xbf, 0x65, 0xf6, 0x7e, 0x2c,
                                         0x19, 0x07, 0x7e, 0x4e, 0x00, 0xbc},
                                        {0x7e, 0x8d, 0x40, 0x23, 0xcb, 0x3f, 0x17, 0xa4, 0x11, 0xed,
                                         0x8f, 0xe3, 0x69, 0x11, 0x5f, 0xaa},
                                        {0x40, 0x66, 0x1d, 0x7d, 0x17, 0x60, 0x48, 0x80, 0x1c, 0x59,
                                         0xe8, 0xfa, 0x39, 0xd2, 0xaf, 0x35},
                                        {0xe4, 0x2d, 0xe4, 0xa1, 0x19, 0x24, 0xe5, 0xfa, 0x12, 0xe5,
                                         0x47, 0xd7, 0x84, 0x72, 0x7a, 0xba}};
    uint8_t message[MESSAGE_SIZE];
    uint8_t text[MESSAGE_SIZE];
    uint8_t secret[32];
    uint8_t tag[16];
    struct csn_gcm_key key;
    fill_message(message, sizeof message);
    fill_run(secret, sizeof secret, 1);
    csn_gcm_key_init(&key, secret);
    for (uint32_t i = 0; i < 4; i++) {
        struct csn_gcm_item item = {.key = &key,
                                    .aad = message,
                                    .aad_size = 20,
                                    .size = sizes[i],
                                    .input = message,
                                    .output = text,
                                    .tag = tag};
        fill_run(item.nonce, sizeof item.nonce, 0xf0);
        csn_gcm_seal_batch(&item, 1);
        CSN_TRY(expect(tag, tags[i], sizeof tag));
        item.input = text;
        csn_gcm_open_batch(&item, 1);
        CSN_TRY(item.result);
        CSN_TRY(expect(text, message, sizes[i]));
        tag[15] ^= 0x80;
        csn_gcm_open_batch(&item, 1);
        if (item.result != CSN_ERR_AUTH || !csn_is_zero_ct(text, sizes[i])) {
            return CSN_ERR_INTERNAL;
        }
    }
    return CSN_OK;
}

csn_err csn_exchange_self_test(void)
{
    static const uint8_t shared[32] = {0xa8, 0x4d, 0xc7, 0xc3, 0xc8, 0xf0, 0x58, 0xb1,
                                       0xb2, 0xdc, 0x4c, 0xd1, 0xe9, 0xb5, 0xdc, 0x0a,
                                       0x79, 0x87, 0xf8, 0x8b, 0x6a, 0x95, 0x64, 0xcd,
                                       0xe3, 0x39, 0x1f, 0xc4, 0x21, 0x15, 0x9e, 0x77};
    uint8_t secret[32];
    uint8_t point[32];
    uint8_t result[32];
    fill_run(secret, sizeof secret, 1);
    csn_x25519_public(point, secret);
    fill_run(secret, sizeof secret, 33);
    CSN_TRY(csn_x25519(result, secret, point));
    return expect(result, shared, sizeof shared);
}

const uint8_t csn_ed25519_answer_key[32] = {
    0x79, 0xb5, 0x56, 0x2e, 0x8f, 0xe6, 0x54, 0xf9, 0x40, 0x78, 0xb1, 0x12, 0xe8, 0xa9, 0x8b, 0xa7,
    0x90, 0x1f, 0x85, 0x3a, 0xe6, 0x95, 0xbe, 0xd7, 0xe0, 0xe3, 0x91, 0x0b, 0xad, 0x04, 0x96, 0x64};
const uint8_t csn_ed25519_answer[64] = {
    0x06, 0xe5, 0x83, 0x1f, 0xcf, 0x39, 0xc1, 0x4b, 0xaf, 0xbb, 0xe5, 0x99, 0xad, 0xde, 0x50, 0x3a,
    0xa8, 0xc5, 0xd2, 0x65, 0x2a, 0x37, 0xc4, 0xaf, 0x27, 0x78, 0x5f, 0x74, 0x47, 0x86, 0xfa, 0x66,
    0xed, 0x7c, 0x77, 0xf6, 0x95, 0x24, 0x75, 0xf4, 0x03, 0xcc, 0xf4, 0x75, 0xb1, 0x7f, 0xa4, 0x09,
    0x5c, 0x2f, 0xba, 0xae, 0x53, 0x70, 0x17, 0x69, 0x61, 0x11, 0x25, 0x8a, 0x44, 0x71, 0xc8, 0x04};

csn_err csn_signature_self_test(void)
{
    uint8_t message[20];
    fill_message(message, sizeof message);
    CSN_TRY(
        csn_ed25519_verify(csn_ed25519_answer, message, sizeof message, csn_ed25519_answer_key));
    message[0] ^= 1;
    csn_err forged =
        csn_ed25519_verify(csn_ed25519_answer, message, sizeof message, csn_ed25519_answer_key);
    return forged == CSN_ERR_AUTH ? CSN_OK : CSN_ERR_INTERNAL;
}
