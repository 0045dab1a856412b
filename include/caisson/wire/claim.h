/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim.h: labels of what a service says of a tenant's grant in the evidence (docs/WIRE.md, 14).
 *
 * A claim is a label and 32 bytes: a digest, or a word in ASCII with zeros behind it. Numbers below
 * 0x10000 are given out here; above that they are the author's.
 */
#ifndef CAISSON_WIRE_CLAIM_H
#define CAISSON_WIRE_CLAIM_H

#include <stdint.h>

#define CSN_WIRE_CLAIM_COUNT_MAX 4u /* for each tenant */

#define CSN_WIRE_CLAIM_MODEL UINT32_C(1) /* digest of the sealed weights that were loaded */
#define CSN_WIRE_CLAIM_STORE UINT32_C(2) /* what keeps an older store out: a word, as below */
#define CSN_WIRE_CLAIM_TREES UINT32_C(3) /* as MODEL: of trees, where MODEL is something else */

/* words of CSN_WIRE_CLAIM_STORE */
#define CSN_WIRE_STORE_NONE "none" /* state is gone with the instance */
#define CSN_WIRE_STORE_JOURNAL                                                                     \
    "journal"                    /* survives; an older copy can be put back at a restart           \
                                  */
#define CSN_WIRE_STORE_TPM "tpm" /* an older copy is refused at a restart as well */

#endif
