/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_wrap.h: AES key wrap with padding (RFC 5649), for keys that other software wrapped or is to
 * unwrap. What stays with us is sealed with aead.h or gcm_siv.h, which take associated data.
 *
 * Trust, threads and constant time as in aead.h; sizes are public, but that of a wrapped secret is
 * only so once it authenticated.
 */
#ifndef CSN_CRYPTO_KEY_WRAP_H
#define CSN_CRYPTO_KEY_WRAP_H

#include "aes.h"
#include <caisson/base.h>
#include <stdint.h>

#define CSN_KEY_WRAP_SIZE_MAX 8192u /* of a secret; far above every private key */

/* Bytes of a wrapped secret of `size` bytes. */
static inline uint32_t csn_key_wrap_size(uint32_t size)
{
    return 8 + (size + 7) / 8 * 8;
}

/* wrapped: csn_key_wrap_size() bytes. CSN_ERR_ARGUMENT: size is 0 or above the limit. */
CSN_MUST_USE csn_err csn_key_wrap(const struct csn_aes_key *key, const uint8_t *secret,
                                  uint32_t size, uint8_t *wrapped);
/*
 * secret has room for wrapped_size - 8 bytes, of which *size are the secret and the rest zeros.
 * CSN_ERR_AUTH: not wrapped under this key, or no such size; the room is then zeros, and *size 0.
 */
CSN_MUST_USE csn_err csn_key_unwrap(const struct csn_aes_key *key, const uint8_t *wrapped,
                                    uint32_t wrapped_size, uint8_t *secret, uint32_t *size);

/* Known answers of RFC 5649; CSN_ERR_INTERNAL. To be run before the first use. */
CSN_MUST_USE csn_err csn_key_wrap_self_test(void);

#endif
