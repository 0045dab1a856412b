/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_features.c: asks the CPU which kernels it can run. Hosted only: an image never runs cpuid. */
#include "cpu.h"
#include <caisson/wire/boot.h>
#include <cpuid.h>

#define LEAF1_ECX_PCLMULQDQ (1u << 1)
#define LEAF1_ECX_SSSE3     (1u << 9)
#define LEAF1_ECX_FMA       (1u << 12 | 1u << 29) /* and F16C */
#define LEAF1_ECX_AES       (1u << 25)
#define LEAF1_ECX_OSXSAVE   (1u << 27)
#define LEAF7_EBX_AVX2      (1u << 5)
#define LEAF7_EBX_BMI2      (1u << 8)
#define LEAF7_EBX_ADX       (1u << 19)
#define LEAF7_EBX_AVX512    (1u << 16 | 1u << 30 | 1u << 31) /* F, BW, VL */
#define LEAF7_EBX_AVX512DQ  (1u << 17)
#define LEAF7_EBX_SHA       (1u << 29)
#define LEAF7_ECX_VAES      (1u << 9)
#define LEAF7_ECX_VPCLMUL   (1u << 10)
#define LEAF7_ECX_VNNI      (1u << 11)
#define XCR0_SSE_AVX        6u
#define XCR0_AVX512         0xe0u

/* Which registers the kernel saves: XCR0. */
static uint32_t saved_registers(uint32_t leaf1_ecx)
{
    if ((leaf1_ecx & LEAF1_ECX_OSXSAVE) == 0) {
        return 0;
    }
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* bit: one or several, which then must all be there. */
static uint64_t pick(uint32_t word, uint32_t bit, uint64_t feature)
{
    return (word & bit) == bit ? feature : 0;
}

csn_err csn_cpu_features(uint64_t *features)
{
    const uint32_t needed = LEAF1_ECX_AES | LEAF1_ECX_PCLMULQDQ | LEAF1_ECX_SSSE3;
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & needed) != needed) {
        return CSN_ERR_MISSING;
    }
    uint32_t saved = saved_registers(ecx);
    const uint32_t leaf1_ecx = ecx;
    uint64_t found = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        found |= pick(ebx, LEAF7_EBX_SHA, CSN_WIRE_FEATURE_SHA);
        found |= pick(ebx, LEAF7_EBX_BMI2, CSN_WIRE_FEATURE_BMI2);
        found |= pick(ebx, LEAF7_EBX_ADX, CSN_WIRE_FEATURE_ADX);
        if ((saved & XCR0_SSE_AVX) == XCR0_SSE_AVX) {
            found |= pick(ebx, LEAF7_EBX_AVX2, CSN_WIRE_FEATURE_AVX2);
            found |= pick(leaf1_ecx, LEAF1_ECX_FMA, CSN_WIRE_FEATURE_FMA);
            found |= pick(ecx, LEAF7_ECX_VAES, CSN_WIRE_FEATURE_VAES);
            found |= pick(ecx, LEAF7_ECX_VPCLMUL, CSN_WIRE_FEATURE_VPCLMULQDQ);
        }
        if ((saved & (XCR0_SSE_AVX | XCR0_AVX512)) == (XCR0_SSE_AVX | XCR0_AVX512)) {
            found |= pick(ebx, LEAF7_EBX_AVX512, CSN_WIRE_FEATURE_AVX512);
            if ((ebx & LEAF7_EBX_AVX512DQ) != 0) {
                found |= pick(ecx, LEAF7_ECX_VNNI, CSN_WIRE_FEATURE_VNNI);
            }
        }
    }
    *features = found;
    return CSN_OK;
}
