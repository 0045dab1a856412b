/* SPDX-License-Identifier: Apache-2.0 */
/* ohttp_config.c: key configurations and lists of them (RFC 9458 section 3). */
#include "ohttp.h"
#include <core/bytes.h>
#include <crypto/curve.h>
#include <crypto/sha2.h>

#define FIXED_SIZE 35u /* key id, KEM, public key; then a length and pairs of KDF and AEAD */
#define PAIR_SIZE  4u

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static void put_number(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

void csn_ohttp_config_write(uint8_t key_id, const uint8_t public_key[32],
                            uint8_t bytes[CSN_OHTTP_CONFIG_SIZE])
{
    uint8_t *at = bytes;
    *at++ = key_id;
    put_number(at, CSN_OHTTP_KEM);
    __builtin_memcpy(at + 2, public_key, 32);
    at += 34;
    put_number(at, 3 * PAIR_SIZE);
    at += 2;
    for (uint32_t aead = CSN_AEAD_AES_128_GCM; aead <= CSN_AEAD_CHACHA20_POLY1305; aead++) {
        put_number(at, CSN_OHTTP_KDF);
        put_number(at + 2, aead);
        at += PAIR_SIZE;
    }
}

csn_err csn_ohttp_key_make(struct csn_ohttp_key *key)
{
    uint8_t hash[32];
    csn_x25519_public(key->public_key, key->secret_key);
    csn_sha256(key->public_key, sizeof key->public_key, hash);
    key->key_id = hash[0];
    return csn_is_zero_ct(key->public_key, sizeof key->public_key) ? CSN_ERR_AUTH : CSN_OK;
}

void csn_ohttp_keys_write(const struct csn_ohttp_key *key, uint8_t bytes[CSN_OHTTP_KEYS_SIZE])
{
    put_number(bytes, CSN_OHTTP_CONFIG_SIZE);
    csn_ohttp_config_write(key->key_id, key->public_key, bytes + 2);
}

/* The pairs fill what is left, at least one of them. */
static csn_err read_pairs(const uint8_t *bytes, uint32_t size, uint8_t *aeads)
{
    if (size < 2 + PAIR_SIZE || number_at(bytes) != size - 2 || (size - 2) % PAIR_SIZE != 0) {
        return CSN_ERR_FORMAT;
    }
    *aeads = 0;
    for (uint32_t at = 2; at < size; at += PAIR_SIZE) {
        uint32_t aead = number_at(bytes + at + 2);
        if (number_at(bytes + at) == CSN_OHTTP_KDF && csn_aead_key_size(aead) != 0) {
            *aeads = (uint8_t)(*aeads | 1u << aead);
        }
    }
    return *aeads != 0 ? CSN_OK : CSN_ERR_SUITE;
}

csn_err csn_ohttp_config_read(const uint8_t *bytes, uint32_t size, struct csn_ohttp_config *config)
{
    if (size < 3) {
        return CSN_ERR_FORMAT;
    }
    if (number_at(bytes + 1) != CSN_OHTTP_KEM) {
        return CSN_ERR_SUITE; /* how long its public key is, is not known here */
    }
    if (size < FIXED_SIZE) {
        return CSN_ERR_FORMAT;
    }
    CSN_TRY(read_pairs(bytes + FIXED_SIZE, size - FIXED_SIZE, &config->aeads));
    config->key_id = bytes[0];
    __builtin_memcpy(config->public_key, bytes + 3, 32);
    return CSN_OK;
}

csn_err csn_ohttp_keys_next(const uint8_t *bytes, uint32_t size, uint32_t *offset,
                            struct csn_ohttp_config *config)
{
    if (*offset == size) {
        return CSN_AGAIN;
    }
    if (*offset > size || size - *offset < 2 || number_at(bytes + *offset) > size - *offset - 2) {
        return CSN_ERR_FORMAT;
    }
    const uint8_t *start = bytes + *offset + 2;
    uint32_t length = number_at(bytes + *offset);
    *offset += 2 + length;
    return csn_ohttp_config_read(start, length, config);
}
