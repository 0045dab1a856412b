/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu.c: picks the kernels once, and runs the known-answer tests on what was picked.
 *
 * The feature word may lie: a bit too few only costs speed, a bit too many stops the enclave at the
 * first illegal instruction, and a kernel that computes wrongly fails its test here.
 */
#include "cpu.h"
#include "aead.h"
#include "curve.h"
#include "ff1_core.h"
#include "gcm_kernel.h"
#include "self_test.h"
#include "sha256_kernel.h"
#include <caisson/wire/boot.h>

static uint64_t given;

uint64_t csn_cpu_given(void)
{
    return given;
}

static const struct csn_sha256_kernel *sha256_kernel(uint64_t features)
{
    if ((features & CSN_WIRE_FEATURE_SHA) == 0) {
        return &csn_sha256_portable;
    }
    return (features & CSN_WIRE_FEATURE_AVX512) != 0 ? &csn_sha256_shani_upper : &csn_sha256_shani;
}

csn_err csn_cpu_begin(uint64_t features)
{
    const uint64_t wide =
        CSN_WIRE_FEATURE_AVX2 | CSN_WIRE_FEATURE_VAES | CSN_WIRE_FEATURE_VPCLMULQDQ;
    given = features;
    csn_sha256_use(sha256_kernel(features));
    csn_gcm_use((features & wide) == wide ? &csn_gcm_vaes : &csn_gcm_aesni);
    csn_ff1_use((features & wide) == wide ? csn_ff1_narrow_vaes : csn_ff1_narrow_aesni);
    csn_x25519_use((features & CSN_WIRE_FEATURE_AVX2) != 0); /* AVX is what it needs */
    CSN_TRY(csn_sha2_self_test());
    CSN_TRY(csn_gcm_self_test());
    CSN_TRY(csn_ff1_self_test());
    return csn_exchange_self_test();
}

csn_err csn_cpu_select(uint64_t features)
{
    CSN_TRY(csn_cpu_begin(features));
    return csn_signature_self_test();
}
