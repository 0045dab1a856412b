/* SPDX-License-Identifier: Apache-2.0 */
/* twokey.c: see twokey.h. Plain bit-by-bit arithmetic of SP 800-38D; slow and variable-time. */
#include "twokey.h"
#include "../../src/crypto/aes.h"
#include <stdlib.h>
#include <string.h>

struct element {
    uint64_t high; /* x^0 is the top bit, as GCM has it */
    uint64_t low;
};

static struct element load(const uint8_t bytes[16])
{
    struct element e = {0, 0};
    for (int i = 0; i < 8; i++) {
        e.high = e.high << 8 | bytes[i];
        e.low = e.low << 8 | bytes[8 + i];
    }
    return e;
}

static void store(struct element e, uint8_t bytes[16])
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(e.high >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(e.low >> (56 - 8 * i));
    }
}

static struct element add(struct element a, struct element b)
{
    return (struct element){a.high ^ b.high, a.low ^ b.low};
}

static struct element multiply(struct element a, struct element b)
{
    struct element sum = {0, 0};
    for (int i = 0; i < 128; i++) {
        uint64_t bit = i < 64 ? a.high >> (63 - i) & 1 : a.low >> (127 - i) & 1;
        if (bit != 0) {
            sum = add(sum, b);
        }
        uint64_t carry = b.low & 1;
        b.low = b.low >> 1 | b.high << 63;
        b.high = b.high >> 1 ^ (carry != 0 ? UINT64_C(0xe100000000000000) : 0);
    }
    return sum;
}

/* a^(2^128 - 2): the product of a^2, a^4, …, a^(2^127). */
static struct element invert(struct element a)
{
    struct element result = {UINT64_C(1) << 63, 0};
    for (int i = 1; i < 128; i++) {
        a = multiply(a, a);
        result = multiply(result, a);
    }
    return result;
}

static struct element absorb(struct element hash, struct element key, const uint8_t *bytes,
                             uint32_t size)
{
    for (uint32_t at = 0; at < size; at += 16) {
        uint8_t block[16] = {0};
        memcpy(block, bytes + at, size - at < 16 ? size - at : 16);
        hash = multiply(add(hash, load(block)), key);
    }
    return hash;
}

struct side {
    struct element key;  /* H */
    struct element mask; /* E(J0) */
};

static struct side open_side(const struct twokey_side *given)
{
    struct csn_aes_key aes;
    uint8_t zero[16] = {0};
    uint8_t counter[16] = {0};
    if (csn_aes_key_init(&aes, given->key, 32) != CSN_OK) {
        abort();
    }
    memcpy(counter, given->nonce, 12);
    counter[15] = 1;
    csn_aes_encrypt(&aes, zero, zero, 1);
    csn_aes_encrypt(&aes, counter, counter, 1);
    return (struct side){.key = load(zero), .mask = load(counter)};
}

static struct element tag_of(const struct side *side, const uint8_t *aad, uint32_t aad_size,
                             const uint8_t *cipher, uint32_t size)
{
    struct element hash = {0, 0};
    struct element lengths = {(uint64_t)aad_size * 8, (uint64_t)size * 8};
    hash = absorb(hash, side->key, aad, aad_size);
    hash = absorb(hash, side->key, cipher, size);
    hash = multiply(add(hash, lengths), side->key);
    return add(hash, side->mask);
}

void twokey_solve(const struct twokey_side sides[2], const uint8_t *aad, uint32_t aad_size,
                  uint8_t *cipher, uint32_t size, uint8_t tag[16])
{
    struct side one = open_side(&sides[0]);
    struct side two = open_side(&sides[1]);
    /* The last block X is multiplied by H once for itself and once for the lengths: X * H^2. */
    memset(cipher + size - 16, 0, 16);
    struct element difference =
        add(tag_of(&one, aad, aad_size, cipher, size), tag_of(&two, aad, aad_size, cipher, size));
    struct element factor = add(multiply(one.key, one.key), multiply(two.key, two.key));
    store(multiply(difference, invert(factor)), cipher + size - 16);
    store(tag_of(&one, aad, aad_size, cipher, size), tag);
}
