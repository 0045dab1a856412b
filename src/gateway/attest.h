/* SPDX-License-Identifier: Apache-2.0 */
/* attest.h: evidence of a running enclave, one bundle for each nonce, by one platform signature. */
#ifndef CSN_GATEWAY_ATTEST_H
#define CSN_GATEWAY_ATTEST_H

#include "image/image.h"
#include <caisson/evidence.h>

/* Who vouches (evidence.h), and what it needs. */
struct csn_platform {
    const struct csn_evidence_producer *producer;
    const void *state;
};

/* Of the bundle for nonces[index]; bytes live as long as the call. */
typedef void (*csn_attest_take)(void *state, size_t index, const uint8_t *bundle, size_t size);

/* detail: what the platform said. Allocates, and may take as long as the platform does. */
CSN_MUST_USE csn_err csn_attest(const struct csn_enclave *enclave,
                                const struct csn_wire_signature *signature,
                                const struct csn_platform *platform, const uint8_t (*nonces)[32],
                                size_t nonce_count, csn_attest_take take, void *state,
                                struct csn_detail *detail);

#endif
