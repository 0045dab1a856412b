/* SPDX-License-Identifier: Apache-2.0 */
/* aes.h: the AES block cipher (FIPS 197), encryption only, for FF1 and GCM key set-up. AES-NI. */
#ifndef CSN_CRYPTO_AES_H
#define CSN_CRYPTO_AES_H

#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

struct csn_aes_key {
    _Alignas(16) uint8_t round_keys[15][16];
    uint32_t round_count; /* 10, 12 or 14 */
};

/* size: 16, 24 or 32 bytes, else CSN_ERR_ARGUMENT. */
CSN_MUST_USE csn_err csn_aes_key_init(struct csn_aes_key *key, const uint8_t *secret, size_t size);
/* count independent blocks of 16 bytes; output may be input. */
void csn_aes_encrypt(const struct csn_aes_key *key, const uint8_t *input, uint8_t *output,
                     size_t count);

#endif
