/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_number.h: how SEV-SNP writes P-384: each number in 72 bytes, little-endian, the upper 24 of
 * them zero. Everybody else wants 48 bytes, big-endian.
 */
#ifndef CSV_VERIFY_SNP_NUMBER_H
#define CSV_VERIFY_SNP_NUMBER_H

#include "verify/parse/read.h"

/* Two numbers (r and s, x and y) from 144 bytes to 96. False: one is too large. */
static inline bool csv_snp_numbers(const uint8_t *at, uint8_t pair[96])
{
    for (size_t i = 0; i < 48; i++) {
        pair[i] = at[47 - i];
        pair[48 + i] = at[72 + 47 - i];
    }
    return csv_is_zero(at + 48, 24) && csv_is_zero(at + 72 + 48, 24);
}

#endif
