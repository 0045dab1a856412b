/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu.h: which kernels run. Chosen once, before the first use of any other function here.
 *
 * Hosted callers pass csn_cpu_features(); an enclave passes the feature word of its boot region.
 * AES-NI, PCLMULQDQ and SSSE3 are required and proved by use; anything else is only faster.
 */
#ifndef CSN_CRYPTO_CPU_H
#define CSN_CRYPTO_CPU_H

#include <caisson/base.h>
#include <stdint.h>

/* features: CSN_WIRE_FEATURE_* bits (boot.h). Then runs every known-answer self-test. */
CSN_MUST_USE csn_err csn_cpu_select(uint64_t features);
/* The same without csn_signature_self_test(), which is to follow before the first signature. */
CSN_MUST_USE csn_err csn_cpu_begin(uint64_t features);

/* The features that were given to it last: for kernels that not every image carries. */
uint64_t csn_cpu_given(void);

/* Hosted only (not linked into images): asks the CPU. CSN_ERR_MISSING without AES-NI. */
CSN_MUST_USE csn_err csn_cpu_features(uint64_t *features);

#endif
