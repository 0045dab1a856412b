/* SPDX-License-Identifier: Apache-2.0 */
/* gcm_128.h: AES-128-GCM, one message; for Oblivious HTTP clients that offer nothing else. */
#ifndef CSN_CRYPTO_GCM_128_H
#define CSN_CRYPTO_GCM_128_H

#include "aead_suite.h"

void csn_gcm_128_seal(const struct csn_aead_text *text, uint8_t tag[16]);
/* CSN_ERR_AUTH: nothing was decrypted, and the output is zeros. */
CSN_MUST_USE csn_err csn_gcm_128_open(const struct csn_aead_text *text, const uint8_t tag[16]);

#endif
