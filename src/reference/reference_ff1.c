/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_ff1.c: FF1 of NIST SP 800-38G, step by step, on OpenSSL's AES.
 *
 * Two ways to do the arithmetic: BIGNUM for everything, and 128-bit integers where d <= 16, so that
 * the loop that the demo compares with is not slowed down by its way of counting. A test holds the
 * two against each other. Variables have the names of the publication.
 */
#include "reference/reference_parts.h"

#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 csr_u128;

struct ff1_run {
    const struct csr_ff1 *ff1;
    uint32_t radix;
    size_t n, u, v, t, b, d;
    uint8_t p_block[16]; /* AES(P): the first step of each round's PRF */
    uint8_t *q;          /* T, zeros, round, NUM(B) */
    size_t q_size;
    uint16_t *symbols;
    uint8_t *s;
};

bool csr_ff1_init(struct csr_ff1 *ff1, const uint8_t *key, size_t key_size)
{
    const EVP_CIPHER *cipher = key_size == 16   ? EVP_aes_128_ecb()
                               : key_size == 24 ? EVP_aes_192_ecb()
                               : key_size == 32 ? EVP_aes_256_ecb()
                                                : NULL;
    ff1->block = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
    return ff1->block != NULL && EVP_EncryptInit_ex(ff1->block, cipher, NULL, key, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(ff1->block, 0) == 1;
}

void csr_ff1_free(struct csr_ff1 *ff1)
{
    EVP_CIPHER_CTX_free(ff1->block);
    ff1->block = NULL;
}

static bool aes_block(const struct ff1_run *run, const uint8_t in[16], uint8_t out[16])
{
    int size = 0;
    return EVP_EncryptUpdate(run->ff1->block, out, &size, in, 16) == 1 && size == 16;
}

/* Step 6 i to iii: S from Q, whose last b + 1 bytes are set by the caller. */
static bool round_bytes(struct ff1_run *run)
{
    uint8_t chain[16];
    memcpy(chain, run->p_block, 16);
    for (size_t offset = 0; offset < run->q_size; offset += 16) {
        for (size_t index = 0; index < 16; index++) {
            chain[index] ^= run->q[offset + index];
        }
        if (!aes_block(run, chain, chain)) {
            return false;
        }
    }
    memcpy(run->s, chain, 16);
    for (size_t block = 1; block * 16 < run->d; block++) {
        uint8_t counted[16];
        memcpy(counted, chain, 16);
        for (size_t index = 0; index < 4; index++) {
            counted[15 - index] ^= (uint8_t)(block >> (8 * index));
        }
        if (!aes_block(run, counted, run->s + 16 * block)) {
            return false;
        }
    }
    return true;
}

/* ---- with BIGNUM ---- */
static bool big_number(BIGNUM *value, const struct ff1_run *run, const uint16_t *symbols,
                       size_t count)
{
    BN_zero(value);
    for (size_t index = 0; index < count; index++) {
        if (BN_mul_word(value, run->radix) != 1 || BN_add_word(value, symbols[index]) != 1) {
            return false;
        }
    }
    return true;
}

static void big_symbols(BIGNUM *value, const struct ff1_run *run, uint16_t *symbols, size_t count)
{
    for (size_t index = count; index > 0; index--) {
        symbols[index - 1] = (uint16_t)BN_div_word(value, run->radix);
    }
}

struct big_parts {
    BIGNUM *a, *b, *y, *modulus_u, *modulus_v;
    BN_CTX *context;
};

static bool big_round(struct ff1_run *run, struct big_parts *parts, unsigned round, bool encrypt)
{
    /* Decryption is the same round with A and B changing places and a subtraction. */
    BIGNUM *held = encrypt ? parts->b : parts->a;
    BIGNUM *moved = encrypt ? parts->a : parts->b;
    BIGNUM *modulus = round % 2 == 0 ? parts->modulus_u : parts->modulus_v;
    run->q[run->q_size - run->b - 1] = (uint8_t)round;
    if (BN_bn2binpad(held, run->q + run->q_size - run->b, (int)run->b) < 0 || !round_bytes(run) ||
        BN_bin2bn(run->s, (int)run->d, parts->y) == NULL) {
        return false;
    }
    int done = encrypt ? BN_mod_add(moved, moved, parts->y, modulus, parts->context)
                       : BN_mod_sub(moved, moved, parts->y, modulus, parts->context);
    parts->a = encrypt ? held : moved;
    parts->b = encrypt ? moved : held;
    return done == 1;
}

static bool big_rounds(struct ff1_run *run, struct big_parts *parts, bool encrypt)
{
    if (!big_number(parts->a, run, run->symbols, run->u) ||
        !big_number(parts->b, run, run->symbols + run->u, run->v)) {
        return false;
    }
    for (unsigned step = 0; step < 10; step++) {
        if (!big_round(run, parts, encrypt ? step : 9 - step, encrypt)) {
            return false;
        }
    }
    big_symbols(parts->a, run, run->symbols, run->u);
    big_symbols(parts->b, run, run->symbols + run->u, run->v);
    return true;
}

static bool run_big(struct ff1_run *run, bool encrypt)
{
    struct big_parts parts = {BN_new(), BN_new(), BN_new(), BN_new(), BN_new(), BN_CTX_new()};
    BIGNUM *radix = BN_new();
    BIGNUM *exponent = BN_new();
    bool done = parts.a != NULL && parts.b != NULL && parts.y != NULL && parts.modulus_u != NULL &&
                parts.modulus_v != NULL && parts.context != NULL && radix != NULL &&
                exponent != NULL && BN_set_word(radix, run->radix) == 1 &&
                BN_set_word(exponent, run->u) == 1 &&
                BN_exp(parts.modulus_u, radix, exponent, parts.context) == 1 &&
                BN_set_word(exponent, run->v) == 1 &&
                BN_exp(parts.modulus_v, radix, exponent, parts.context) == 1 &&
                big_rounds(run, &parts, encrypt);
    BN_clear_free(parts.a);
    BN_clear_free(parts.b);
    BN_clear_free(parts.y);
    BN_free(parts.modulus_u);
    BN_free(parts.modulus_v);
    BN_free(radix);
    BN_free(exponent);
    BN_CTX_free(parts.context);
    return done;
}

/* ---- with 128-bit integers: b <= 12, so every number is below 2^96 and y below 2^128 ---- */
static csr_u128 small_number(const struct ff1_run *run, const uint16_t *symbols, size_t count)
{
    csr_u128 value = 0;
    for (size_t index = 0; index < count; index++) {
        value = value * run->radix + symbols[index];
    }
    return value;
}

static void small_symbols(csr_u128 value, const struct ff1_run *run, uint16_t *symbols,
                          size_t count)
{
    for (size_t index = count; index > 0; index--) {
        symbols[index - 1] = (uint16_t)(value % run->radix);
        value /= run->radix;
    }
}

static bool run_small(struct ff1_run *run, bool encrypt)
{
    csr_u128 a = small_number(run, run->symbols, run->u);
    csr_u128 b = small_number(run, run->symbols + run->u, run->v);
    csr_u128 modulus_u = 1;
    for (size_t index = 0; index < run->u; index++) {
        modulus_u *= run->radix;
    }
    csr_u128 modulus_v = run->v == run->u ? modulus_u : modulus_u * run->radix;
    for (unsigned step = 0; step < 10; step++) {
        unsigned round = encrypt ? step : 9 - step;
        csr_u128 modulus = round % 2 == 0 ? modulus_u : modulus_v;
        csr_u128 held = encrypt ? b : a;
        csr_u128 y = 0;
        run->q[run->q_size - run->b - 1] = (uint8_t)round;
        for (size_t index = 0; index < run->b; index++) {
            run->q[run->q_size - 1 - index] = (uint8_t)(held >> (8 * index));
        }
        if (!round_bytes(run)) {
            return false;
        }
        for (size_t index = 0; index < run->d; index++) {
            y = y << 8 | run->s[index];
        }
        y %= modulus;
        csr_u128 moved = encrypt ? (a + y) % modulus : (b + modulus - y) % modulus;
        a = encrypt ? b : moved;
        b = encrypt ? moved : held;
    }
    small_symbols(a, run, run->symbols, run->u);
    small_symbols(b, run, run->symbols + run->u, run->v);
    return true;
}

/* ---- both ---- */

/* b = ceil(ceil(v * log2(radix)) / 8), exactly: the bytes of radix^v - 1. */
static size_t number_size(uint32_t radix, size_t v)
{
    csr_u128 largest = 1;
    size_t digits = 0;
    while (digits < v && largest < (csr_u128)1 << 108) {
        largest *= radix;
        digits++;
    }
    if (digits == v) {
        size_t small = 0;
        for (largest -= 1; largest > 0; largest >>= 8) {
            small++;
        }
        return small;
    }
    BIGNUM *power = BN_new();
    BIGNUM *base = BN_new();
    BIGNUM *exponent = BN_new();
    BN_CTX *context = BN_CTX_new();
    size_t bytes = 0;
    if (power != NULL && base != NULL && exponent != NULL && context != NULL &&
        BN_set_word(base, radix) == 1 && BN_set_word(exponent, v) == 1 &&
        BN_exp(power, base, exponent, context) == 1 && BN_sub_word(power, 1) == 1) {
        bytes = (size_t)BN_num_bytes(power);
    }
    BN_free(power);
    BN_free(base);
    BN_free(exponent);
    BN_CTX_free(context);
    return bytes;
}

static bool prepare(struct ff1_run *run, const uint8_t *tweak)
{
    const uint8_t p[16] = {1,
                           2,
                           1,
                           (uint8_t)(run->radix >> 16),
                           (uint8_t)(run->radix >> 8),
                           (uint8_t)run->radix,
                           10,
                           (uint8_t)run->u,
                           (uint8_t)(run->n >> 24),
                           (uint8_t)(run->n >> 16),
                           (uint8_t)(run->n >> 8),
                           (uint8_t)run->n,
                           (uint8_t)(run->t >> 24),
                           (uint8_t)(run->t >> 16),
                           (uint8_t)(run->t >> 8),
                           (uint8_t)run->t};
    if (run->t > 0) {
        memcpy(run->q, tweak, run->t);
    }
    return aes_block(run, p, run->p_block);
}

bool csr_ff1_run(const struct csr_ff1 *ff1, enum csr_ff1_path path, bool encrypt,
                 const uint8_t *tweak, size_t tweak_size, uint32_t radix, uint16_t *symbols,
                 size_t count)
{
    if (radix < 2 || radix > 65536 || count < 2 || count > 4096 || tweak_size > 65536) {
        return false;
    }
    for (size_t index = 0; index < count; index++) {
        if (symbols[index] >= radix) {
            return false;
        }
    }
    struct ff1_run run = {.ff1 = ff1, .radix = radix, .n = count, .symbols = symbols};
    run.u = count / 2;
    run.v = count - run.u;
    run.t = tweak_size;
    run.b = number_size(radix, run.v);
    run.d = 4 * ((run.b + 3) / 4) + 4;
    run.q_size = (run.t + 1 + run.b + 15) / 16 * 16;
    uint8_t *memory = calloc(1, run.q_size + (run.d + 15) / 16 * 16);
    if (memory == NULL || run.b == 0) {
        free(memory);
        return false;
    }
    run.q = memory;
    run.s = memory + run.q_size;
    bool done =
        prepare(&run, tweak) &&
        (path == CSR_FF1_AUTO && run.b <= 12 ? run_small(&run, encrypt) : run_big(&run, encrypt));
    free(memory);
    return done;
}
