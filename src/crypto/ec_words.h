/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_words.h: rows of 64-bit words modulo a number of as many words, the top one of them set. For
 * src/crypto alone. Constant time.
 *
 * CSN_EC_ROW is how a row of products is summed: ec_row.h on any CPU, ec_row_adx.h with BMI2 and
 * ADX. What is here is for a count that the compiler knows: each loop becomes a chain of carries.
 * Words are in ascending order; results may stand where operands stand.
 */
#ifndef CSN_CRYPTO_EC_WORDS_H
#define CSN_CRYPTO_EC_WORDS_H

#include "mask.h"
#include <core/bytes.h>
#include <immintrin.h>
#include <stdint.h>

#define CSN_EC_WORDS_MAX 6
#define CSN_EC_INLINE    static inline __attribute__((always_inline))

typedef unsigned long long csn_ec_limb; /* as the intrinsics have it */

/* value - modulus; 1 if that borrows, so if value is below the modulus. */
CSN_EC_INLINE uint64_t csn_ec_below(const uint64_t *value, const uint64_t *modulus,
                                    uint64_t *difference, const uint32_t count)
{
    unsigned char borrow = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        csn_ec_limb step;
        borrow = _subborrow_u64(borrow, value[i], modulus[i], &step);
        difference[i] = step;
    }
    return borrow;
}

/*
 * value, with a word above it, minus the modulus unless that is negative. In assembler for the
 * conditional moves, which no compiler can be told to make.
 */
CSN_EC_INLINE void csn_ec_correct(const uint64_t *modulus, uint64_t above, const uint64_t *value,
                                  uint64_t *result, const uint32_t count)
{
    uint64_t r0 = value[0], r1 = value[1], r2 = value[2], r3 = value[3];
    if (count == 4) {
        __asm__("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %7, %2\n\tsbbq %8, %3\n\tsbbq $0, %4\n\t"
                "cmovcq %9, %0\n\tcmovcq %10, %1\n\tcmovcq %11, %2\n\tcmovcq %12, %3"
                : "+&r"(r0), "+&r"(r1), "+&r"(r2), "+&r"(r3), "+&r"(above)
                : "rm"(modulus[0]), "rm"(modulus[1]), "rm"(modulus[2]), "rm"(modulus[3]),
                  "rm"(value[0]), "rm"(value[1]), "rm"(value[2]), "rm"(value[3])
                : "cc");
    } else {
        uint64_t r4 = value[4], r5 = value[5];
        __asm__("subq %7, %0\n\tsbbq %8, %1\n\tsbbq %9, %2\n\tsbbq %10, %3\n\tsbbq %11, %4\n\t"
                "sbbq %12, %5\n\tsbbq $0, %6\n\tcmovcq %13, %0\n\tcmovcq %14, %1\n\t"
                "cmovcq %15, %2\n\tcmovcq %16, %3\n\tcmovcq %17, %4\n\tcmovcq %18, %5"
                : "+&r"(r0), "+&r"(r1), "+&r"(r2), "+&r"(r3), "+&r"(r4), "+&r"(r5), "+&r"(above)
                : "m"(modulus[0]), "m"(modulus[1]), "m"(modulus[2]), "m"(modulus[3]),
                  "m"(modulus[4]), "m"(modulus[5]), "rm"(value[0]), "rm"(value[1]), "rm"(value[2]),
                  "rm"(value[3]), "rm"(value[4]), "rm"(value[5])
                : "cc");
        result[4] = r4;
        result[5] = r5;
    }
    result[0] = r0;
    result[1] = r1;
    result[2] = r2;
    result[3] = r3;
}

CSN_EC_INLINE void csn_ec_add(const uint64_t *modulus, const uint64_t *left, const uint64_t *right,
                              uint64_t *sum, const uint32_t count)
{
    uint64_t words[CSN_EC_WORDS_MAX] = {0};
    unsigned char carry = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        csn_ec_limb step;
        carry = _addcarry_u64(carry, left[i], right[i], &step);
        words[i] = step;
    }
    csn_ec_correct(modulus, carry, words, sum, count);
}

CSN_EC_INLINE void csn_ec_subtract(const uint64_t *modulus, const uint64_t *left,
                                   const uint64_t *right, uint64_t *difference,
                                   const uint32_t count)
{
    uint64_t words[CSN_EC_WORDS_MAX];
    unsigned char borrow = 0, carry = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        csn_ec_limb step;
        borrow = _subborrow_u64(borrow, left[i], right[i], &step);
        words[i] = step;
    }
    const uint64_t negative = csn_mask(borrow);
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        csn_ec_limb step;
        carry = _addcarry_u64(carry, words[i], modulus[i] & negative, &step);
        difference[i] = step;
    }
}

/*
 * sum += more, of `count` words, and their carry to the word behind; the carry above that. In
 * assembler, because compilers take the carry out of the flags and put it back at each word.
 */
CSN_EC_INLINE uint64_t csn_ec_chain(uint64_t *sum, const uint64_t *more, const uint32_t count)
{
    uint64_t carry = 0;
    if (count == 4) {
        __asm__("addq %6, %0\n\tadcq %7, %1\n\tadcq %8, %2\n\tadcq %9, %3\n\t"
                "adcq $0, %4\n\tadcq $0, %5"
                : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4]), "+r"(carry)
                : "rm"(more[0]), "rm"(more[1]), "rm"(more[2]), "rm"(more[3])
                : "cc");
    } else {
        __asm__("addq %8, %0\n\tadcq %9, %1\n\tadcq %10, %2\n\tadcq %11, %3\n\t"
                "adcq %12, %4\n\tadcq %13, %5\n\tadcq $0, %6\n\tadcq $0, %7"
                : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4]),
                  "+r"(sum[5]), "+r"(sum[6]), "+r"(carry)
                : "rm"(more[0]), "rm"(more[1]), "rm"(more[2]), "rm"(more[3]), "rm"(more[4]),
                  "rm"(more[5])
                : "cc");
    }
    return carry;
}

#include CSN_EC_ROW

/*
 * Montgomery, for any odd modulus; inverse: -1 / modulus modulo 2^64. Word by word, each time
 * adding the multiple of the modulus that clears the lowest word.
 */
CSN_EC_INLINE void csn_ec_montgomery(const uint64_t *modulus, uint64_t inverse,
                                     const uint64_t *left, const uint64_t *right, uint64_t *product,
                                     const uint32_t count)
{
    uint64_t sum[CSN_EC_WORDS_MAX + 1] = {0};
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        uint64_t above = csn_ec_accumulate(sum, left[i], right, count);
        above += csn_ec_accumulate(sum, sum[0] * inverse, modulus, count);
#pragma GCC unroll 6
        for (uint32_t j = 0; j < count; j++) {
            sum[j] = sum[j + 1];
        }
        sum[count] = above;
    }
    csn_ec_correct(modulus, sum[count], sum, product, count);
}

CSN_EC_INLINE void csn_ec_load(const uint8_t *bytes, uint64_t *words, const uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        words[count - 1 - i] = __builtin_bswap64(csn_load_u64(bytes + 8 * i));
    }
}

CSN_EC_INLINE void csn_ec_store(const uint64_t *words, uint8_t *bytes, const uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        csn_store_u64(bytes + 8 * i, __builtin_bswap64(words[count - 1 - i]));
    }
}

/* 1 if all words are zero, else 0. */
CSN_EC_INLINE uint64_t csn_ec_is_zero(const uint64_t *words, const uint32_t count)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < count; i++) {
        any |= words[i];
    }
    return ((any | (0 - any)) >> 63) ^ 1;
}

#endif
