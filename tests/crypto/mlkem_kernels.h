/* SPDX-License-Identifier: Apache-2.0 */
/* mlkem_kernels.h: runs a test of ML-KEM on each kernel that this CPU has. */
#ifndef CSN_TESTS_MLKEM_KERNELS_H
#define CSN_TESTS_MLKEM_KERNELS_H

#include <caisson/wire/boot.h>
#include <crypto/cpu.h>
#include <crypto/mlkem_core.h>

static inline uint32_t mlkem_kernels(const struct csn_mlkem_kernel *kernels[2])
{
    uint64_t found = 0;
    uint32_t count = 0;
    kernels[count++] = &csn_mlkem_sse2;
    if (csn_cpu_features(&found) == CSN_OK && (found & CSN_WIRE_FEATURE_AVX2) != 0) {
        kernels[count++] = &csn_mlkem_avx2;
    }
    return count;
}

#endif
