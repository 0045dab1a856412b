/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aes.c: the AES block cipher with AES-NI. No tables, so no secret-dependent address.
 */
#include "aes.h"
#include "aes_block.h"
#include <core/bytes.h>

/* SubWord of FIPS 197 section 5.2, by the instruction: dword 0 of the result is SubWord(dword 1).
 */
static uint32_t sub_word(uint32_t word)
{
    __m128i all = _mm_set1_epi32((int)word);
    return (uint32_t)_mm_cvtsi128_si32(_mm_aeskeygenassist_si128(all, 0));
}

csn_err csn_aes_key_init(struct csn_aes_key *key, const uint8_t *secret, size_t size)
{
    if (size != 16 && size != 24 && size != 32) {
        return CSN_ERR_ARGUMENT;
    }
    uint32_t words[60];
    const uint32_t secret_count = (uint32_t)size / 4;
    const uint32_t total = 4 * (secret_count + 7);
    uint32_t constant = 1;
    __builtin_memcpy(words, secret, size);
    for (uint32_t i = secret_count; i < total; i++) {
        uint32_t word = words[i - 1];
        if (i % secret_count == 0) {
            word = sub_word(word);
            word = (word >> 8 | word << 24) ^ constant; /* RotWord on little-endian words */
            constant = (constant << 1) ^ ((constant >> 7) * 0x11b);
        } else if (secret_count == 8 && i % 8 == 4) {
            word = sub_word(word);
        }
        words[i] = words[i - secret_count] ^ word;
    }
    __builtin_memset(key, 0, sizeof *key);
    __builtin_memcpy(key->round_keys, words, total * 4);
    key->round_count = secret_count + 6;
    csn_wipe(words, sizeof words);
    return CSN_OK;
}

void csn_aes_encrypt(const struct csn_aes_key *key, const uint8_t *input, uint8_t *output,
                     size_t count)
{
    while (count >= 8) {
        __m128i blocks[8];
        for (int i = 0; i < 8; i++) {
            blocks[i] = csn_load_block(input + 16 * i);
        }
        csn_aes_eight(key, blocks);
        for (int i = 0; i < 8; i++) {
            csn_store_block(output + 16 * i, blocks[i]);
        }
        input += 128;
        output += 128;
        count -= 8;
    }
    for (; count > 0; count--) {
        csn_store_block(output, csn_aes_one(key, csn_load_block(input)));
        input += 16;
        output += 16;
    }
}
