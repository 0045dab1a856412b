/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h: choices without a branch, and products of 128 bits. For src/crypto alone. */
#ifndef CSN_CRYPTO_MASK_H
#define CSN_CRYPTO_MASK_H

#include <stdint.h>

__extension__ typedef unsigned __int128 csn_u128; /* gcc and clang, not ISO C */

/* All ones if condition (0 or 1) is 1; the compiler cannot see through it to make a branch. */
static inline uint64_t csn_mask(uint64_t condition)
{
    uint64_t mask = 0 - condition;
    __asm__("" : "+r"(mask));
    return mask;
}

#endif
