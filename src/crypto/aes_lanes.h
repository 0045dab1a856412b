/* SPDX-License-Identifier: Apache-2.0 */
/* aes_lanes.h: eight blocks under eight keys of one size, interleaved. Private to src/crypto. */
#ifndef CSN_CRYPTO_AES_LANES_H
#define CSN_CRYPTO_AES_LANES_H

#include "aes.h"

/* All keys have the round count of keys[0]. */
void csn_aes_encrypt_lanes(const struct csn_aes_key *const keys[8], uint8_t blocks[8][16]);

#endif
