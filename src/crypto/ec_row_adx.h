/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_row_adx.h: a row of products with BMI2 and ADX: halves of a product without flags, and two
 * chains of carries at once. Read by ec_words.h.
 */
#ifndef CSN_CRYPTO_EC_ROW_ADX_H
#define CSN_CRYPTO_EC_ROW_ADX_H

#define CSN_EC_VARIANT(name) name##_adx

#define CSN_EC_STEP(value, low_sum, high_sum)                                                      \
    "mulxq " value ", %[low], %[high]\n\t"                                                         \
    "adcxq %[low], " low_sum "\n\t"                                                                \
    "adoxq %[high], " high_sum "\n\t"
/* The carry of the lower halves goes into the last word, both carries above it. */
#define CSN_EC_LAST(last_sum)                                                                      \
    "movl $0, %k[low]\n\t"                                                                         \
    "adcxq %[low], " last_sum "\n\t"                                                               \
    "adoxq %[low], %[above]\n\t"                                                                   \
    "adcxq %[low], %[above]"

/* sum += factor * value, of `count` words and one more; the carry above that. */
CSN_EC_INLINE uint64_t csn_ec_accumulate(uint64_t *sum, uint64_t factor, const uint64_t *value,
                                         const uint32_t count)
{
    uint64_t above = 0, low, high;
    if (count == 4) {
        __asm__("xorl %k[low], %k[low]\n\t" /* both flags are 0 */
                CSN_EC_STEP("%[v0]", "%[s0]", "%[s1]") CSN_EC_STEP("%[v1]", "%[s1]", "%[s2]")
                    CSN_EC_STEP("%[v2]", "%[s2]", "%[s3]") CSN_EC_STEP("%[v3]", "%[s3]", "%[s4]")
                        CSN_EC_LAST("%[s4]")
                : [s0] "+&r"(sum[0]), [s1] "+&r"(sum[1]), [s2] "+&r"(sum[2]), [s3] "+&r"(sum[3]),
                  [s4] "+&r"(sum[4]), [above] "+&r"(above), [low] "=&r"(low), [high] "=&r"(high)
                : "d"(factor), [v0] "m"(value[0]), [v1] "m"(value[1]), [v2] "m"(value[2]),
                  [v3] "m"(value[3])
                : "cc");
    } else {
        __asm__("xorl %k[low], %k[low]\n\t" CSN_EC_STEP("%[v0]", "%[s0]", "%[s1]")
                    CSN_EC_STEP("%[v1]", "%[s1]", "%[s2]") CSN_EC_STEP("%[v2]", "%[s2]", "%[s3]")
                        CSN_EC_STEP("%[v3]", "%[s3]", "%[s4]")
                            CSN_EC_STEP("%[v4]", "%[s4]", "%[s5]")
                                CSN_EC_STEP("%[v5]", "%[s5]", "%[s6]") CSN_EC_LAST("%[s6]")
                : [s0] "+&r"(sum[0]), [s1] "+&r"(sum[1]), [s2] "+&r"(sum[2]), [s3] "+&r"(sum[3]),
                  [s4] "+&r"(sum[4]), [s5] "+&r"(sum[5]), [s6] "+&r"(sum[6]), [above] "+&r"(above),
                  [low] "=&r"(low), [high] "=&r"(high)
                : "d"(factor), [v0] "m"(value[0]), [v1] "m"(value[1]), [v2] "m"(value[2]),
                  [v3] "m"(value[3]), [v4] "m"(value[4]), [v5] "m"(value[5])
                : "cc");
    }
    return above;
}

#endif
