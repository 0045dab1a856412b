/* SPDX-License-Identifier: Apache-2.0 */
/* chacha.h: ChaCha20-Poly1305 (RFC 8439), one message, by libsodium's primitives. */
#ifndef CSN_CRYPTO_CHACHA_H
#define CSN_CRYPTO_CHACHA_H

#include "aead_suite.h"

void csn_chacha_seal(const struct csn_aead_text *text, uint8_t tag[16]);
/* CSN_ERR_AUTH: nothing was decrypted, and the output is zeros. */
CSN_MUST_USE csn_err csn_chacha_open(const struct csn_aead_text *text, const uint8_t tag[16]);

#endif
