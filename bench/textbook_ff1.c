/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textbook_ff1.c: each round does what algorithm 7 says: NUM of B, PRF over P || Q as a whole, S,
 * y, NUM of A, the sum modulo radix^m, STR of the sum. The context of the cipher and of BIGNUM is
 * made once a key and once a value. src/reference has the same function tuned: numbers stay
 * numbers between the rounds, P is enciphered once.
 */
#include "textbook_ff1.h"
#include <math.h>
#include <openssl/bn.h>
#include <string.h>

#define COUNT_MAX 64u

struct ff1 {
    EVP_CIPHER_CTX *cipher;
    BN_CTX *numbers;
    BIGNUM *radix, *a, *y, *modulus, *exponent;
    uint32_t radix_word;
    size_t b, d;
};

bool textbook_ff1_init(EVP_CIPHER_CTX **context, const uint8_t key[32])
{
    *context = EVP_CIPHER_CTX_new();
    return *context != NULL &&
           EVP_EncryptInit_ex(*context, EVP_aes_256_cbc(), NULL, key, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(*context, 0) == 1;
}

/* NUM_radix(X), algorithm 1 */
static bool number(const struct ff1 *ff1, BIGNUM *x, const uint16_t *numerals, size_t count)
{
    bool done = BN_set_word(x, 0) == 1;
    for (size_t i = 0; i < count; i++) {
        done = done && BN_mul_word(x, ff1->radix_word) == 1 && BN_add_word(x, numerals[i]) == 1;
    }
    return done;
}

/* STR_radix^m(x), algorithm 3 */
static void string(const struct ff1 *ff1, BIGNUM *x, uint16_t *numerals, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        numerals[i - 1] = (uint16_t)BN_div_word(x, ff1->radix_word);
    }
}

/* PRF(X), algorithm 6: CBC-MAC is the last block of CBC with a zero IV. */
static bool prf(const struct ff1 *ff1, const uint8_t *x, size_t size, uint8_t r[16])
{
    static const uint8_t zero[16];
    uint8_t output[512];
    int written = 0;
    if (EVP_EncryptInit_ex(ff1->cipher, NULL, NULL, NULL, zero) != 1 ||
        EVP_EncryptUpdate(ff1->cipher, output, &written, x, (int)size) != 1) {
        return false;
    }
    memcpy(r, output + size - 16, 16);
    return written == (int)size;
}

/* Step 6 iii: the first d bytes of R || CIPH(R ^ [1]) || ... */
static bool expand(const struct ff1 *ff1, const uint8_t r[16], uint8_t s[64])
{
    memcpy(s, r, 16);
    for (size_t j = 1; 16 * j < ff1->d; j++) {
        uint8_t block[16];
        memcpy(block, r, 16);
        block[15] ^= (uint8_t)j;
        if (!prf(ff1, block, sizeof block, s + 16 * j)) { /* one block: CIPH itself */
            return false;
        }
    }
    return true;
}

/* Steps 6 i to vii; C takes the place of A. x holds P || Q. */
static bool one_round(struct ff1 *ff1, uint8_t *x, size_t x_size, uint8_t i, uint16_t *a, size_t m,
                      const uint16_t *b, size_t b_count)
{
    uint8_t r[16];
    uint8_t s[64];
    x[x_size - ff1->b - 1] = i;
    bool done = number(ff1, ff1->y, b, b_count) &&
                BN_bn2binpad(ff1->y, x + x_size - ff1->b, (int)ff1->b) >= 0 &&
                prf(ff1, x, x_size, r) && expand(ff1, r, s) &&
                BN_bin2bn(s, (int)ff1->d, ff1->y) != NULL && number(ff1, ff1->a, a, m) &&
                BN_set_word(ff1->exponent, m) == 1 &&
                BN_exp(ff1->modulus, ff1->radix, ff1->exponent, ff1->numbers) == 1 &&
                BN_mod_add(ff1->a, ff1->a, ff1->y, ff1->modulus, ff1->numbers) == 1;
    string(ff1, ff1->a, a, m);
    return done;
}

static void put_u32(uint8_t *bytes, size_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8) {
        bytes[i] = (uint8_t)number;
    }
}

bool textbook_ff1(EVP_CIPHER_CTX *context, uint32_t radix, const uint8_t *tweak, size_t tweak_size,
                  uint16_t *numerals, size_t count)
{
    const size_t u = count / 2;
    const size_t v = count - u;
    struct ff1 ff1 = {.cipher = context, .numbers = BN_CTX_new(), .radix_word = radix};
    uint8_t x[16 + 256] = {1, 2, 1, 0, (uint8_t)(radix >> 8), (uint8_t)radix, 10, (uint8_t)u};
    ff1.b = (size_t)ceil(ceil((double)v * log2(radix)) / 8);
    ff1.d = 4 * ((ff1.b + 3) / 4) + 4;
    size_t x_size = 16 + (tweak_size + ff1.b + 1 + 15) / 16 * 16;
    if (ff1.numbers == NULL || count > COUNT_MAX || x_size > sizeof x || ff1.d > 64) {
        BN_CTX_free(ff1.numbers);
        return false;
    }
    put_u32(x + 8, count);
    put_u32(x + 12, tweak_size);
    memcpy(x + 16, tweak, tweak_size);
    BN_CTX_start(ff1.numbers);
    ff1.radix = BN_CTX_get(ff1.numbers);
    ff1.a = BN_CTX_get(ff1.numbers);
    ff1.y = BN_CTX_get(ff1.numbers);
    ff1.modulus = BN_CTX_get(ff1.numbers);
    ff1.exponent = BN_CTX_get(ff1.numbers);
    bool done = ff1.exponent != NULL && BN_set_word(ff1.radix, radix) == 1;
    for (uint8_t i = 0; i < 10 && done; i++) {
        bool even = i % 2 == 0; /* A and B change places each round: here their roles do */
        done = one_round(&ff1, x, x_size, i, even ? numerals : numerals + u, even ? u : v,
                         even ? numerals + u : numerals, even ? v : u);
    }
    BN_CTX_end(ff1.numbers);
    BN_CTX_free(ff1.numbers);
    return done;
}
