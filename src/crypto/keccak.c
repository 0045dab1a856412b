/* SPDX-License-Identifier: Apache-2.0 */
/* keccak.c: the sponge of SHA-3 and SHAKE around the permutation, one state at a time. */
#include "keccak.h"
#include <core/bytes.h>

#define LANE uint64_t
#include "keccak_rounds.h"

#define SUFFIX_SHA3  0x06u
#define SUFFIX_SHAKE 0x1fu

static void permute(struct csn_keccak *hash)
{
    keccak_rounds(hash->state);
    hash->at = 0;
}

static void begin(struct csn_keccak *hash, uint32_t rate, uint32_t suffix)
{
    *hash = (struct csn_keccak){.rate = rate, .suffix = suffix};
}

void csn_sha3_256_init(struct csn_keccak *hash)
{
    begin(hash, 136, SUFFIX_SHA3);
}

void csn_sha3_512_init(struct csn_keccak *hash)
{
    begin(hash, 72, SUFFIX_SHA3);
}

void csn_shake128_init(struct csn_keccak *hash)
{
    begin(hash, CSN_SHAKE128_RATE, SUFFIX_SHAKE);
}

void csn_shake256_init(struct csn_keccak *hash)
{
    begin(hash, CSN_SHAKE256_RATE, SUFFIX_SHAKE);
}

static void add_byte(struct csn_keccak *hash, uint32_t at, uint32_t byte)
{
    hash->state[at / 8] ^= (uint64_t)byte << 8 * (at % 8);
}

void csn_keccak_absorb(struct csn_keccak *hash, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        if (hash->at % 8 == 0 && size >= 8) {
            hash->state[hash->at / 8] ^= csn_load_u64(from);
            hash->at += 8;
            from += 8;
            size -= 8;
        } else {
            add_byte(hash, hash->at++, *from++);
            size--;
        }
        if (hash->at == hash->rate) {
            permute(hash);
        }
    }
}

void csn_keccak_finish(struct csn_keccak *hash)
{
    add_byte(hash, hash->at, hash->suffix);
    add_byte(hash, hash->rate - 1, 0x80);
    permute(hash);
}

void csn_keccak_squeeze(struct csn_keccak *hash, void *output, size_t size)
{
    uint8_t *to = output;
    while (size > 0) {
        if (hash->at == hash->rate) {
            permute(hash);
        }
        if (hash->at % 8 == 0 && size >= 8) {
            csn_store_u64(to, hash->state[hash->at / 8]);
            hash->at += 8;
            to += 8;
            size -= 8;
        } else {
            *to++ = (uint8_t)(hash->state[hash->at / 8] >> 8 * (hash->at % 8));
            hash->at++;
            size--;
        }
    }
}

/* The whole message is in: the answer, and nothing of it stays. */
static void end(struct csn_keccak *hash, void *output, size_t size)
{
    csn_keccak_finish(hash);
    csn_keccak_squeeze(hash, output, size);
    csn_wipe(hash, sizeof *hash);
}

void csn_sha3_256(const void *bytes, size_t size, uint8_t digest[CSN_SHA3_256_SIZE])
{
    struct csn_keccak hash;
    csn_sha3_256_init(&hash);
    csn_keccak_absorb(&hash, bytes, size);
    end(&hash, digest, CSN_SHA3_256_SIZE);
}

void csn_sha3_512(const void *bytes, size_t size, uint8_t digest[CSN_SHA3_512_SIZE])
{
    struct csn_keccak hash;
    csn_sha3_512_init(&hash);
    csn_keccak_absorb(&hash, bytes, size);
    end(&hash, digest, CSN_SHA3_512_SIZE);
}

void csn_shake256(const void *bytes, size_t size, void *output, size_t output_size)
{
    struct csn_keccak hash;
    csn_shake256_init(&hash);
    csn_keccak_absorb(&hash, bytes, size);
    end(&hash, output, output_size);
}
