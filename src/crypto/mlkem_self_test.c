/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_self_test.c: one key pair, one exchange and one rejection, as one digest. The answer is
 * that of @noble/post-quantum 0.7.1, another implementation, for the same seeds.
 */
#include "keccak.h"
#include "mlkem_core.h"
#include <core/bytes.h>

/* first, first + 1, … */
static void fill_run(uint8_t *bytes, uint32_t size, uint32_t first)
{
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(first + i);
    }
}

csn_err csn_mlkem_self_test(void)
{
    static const uint8_t answer[32] = {0x6b, 0xc4, 0x35, 0xe3, 0x6b, 0xac, 0x99, 0xd5,
                                       0x3e, 0x14, 0xf8, 0xfb, 0xc9, 0x1b, 0x11, 0xea,
                                       0xd1, 0x43, 0xa5, 0x7b, 0xdb, 0x3c, 0x69, 0xd0,
                                       0x12, 0xba, 0x13, 0xc9, 0x15, 0x5e, 0xf2, 0xbd};
    uint8_t seed[CSN_MLKEM_SEED_SIZE], randomness[32], digest[32];
    uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE];
    uint8_t shared[CSN_MLKEM_SHARED_SIZE], opened[CSN_MLKEM_SHARED_SIZE];
    uint8_t expanded[CSN_MLKEM_EXPANDED_SIZE];
    struct csn_mlkem_key key;
    struct csn_keccak hash;
    fill_run(seed, sizeof seed, 1);
    fill_run(randomness, sizeof randomness, 65);
    CSN_TRY(csn_mlkem_key_init(&key, seed));
    csn_mlkem_key_export(&key, expanded);
    csn_sha3_256_init(&hash);
    csn_keccak_absorb(&hash, key.public.bytes, sizeof key.public.bytes);
    csn_keccak_absorb(&hash, expanded, sizeof expanded);
    csn_mlkem_encapsulate(&key.public, randomness, ciphertext, shared);
    csn_keccak_absorb(&hash, ciphertext, sizeof ciphertext);
    csn_keccak_absorb(&hash, shared, sizeof shared);
    CSN_TRY(csn_mlkem_decapsulate(&key, ciphertext, sizeof ciphertext, opened));
    if (!csn_equal_ct(opened, shared, sizeof shared)) {
        return CSN_ERR_INTERNAL;
    }
    ciphertext[0] ^= 1;
    CSN_TRY(csn_mlkem_decapsulate(&key, ciphertext, sizeof ciphertext, opened));
    csn_keccak_absorb(&hash, opened, sizeof opened);
    csn_keccak_finish(&hash);
    csn_keccak_squeeze(&hash, digest, sizeof digest);
    return csn_equal_ct(digest, answer, sizeof answer) ? CSN_OK : CSN_ERR_INTERNAL;
}
