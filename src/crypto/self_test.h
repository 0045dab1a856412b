/* SPDX-License-Identifier: Apache-2.0 */
/* self_test.h: known-answer tests that have no public header of their own. CSN_ERR_INTERNAL. */
#ifndef CSN_CRYPTO_SELF_TEST_H
#define CSN_CRYPTO_SELF_TEST_H

#include <caisson/base.h>
#include <stdint.h>

CSN_MUST_USE csn_err csn_sha2_self_test(void);
CSN_MUST_USE csn_err csn_exchange_self_test(void);
CSN_MUST_USE csn_err csn_signature_self_test(void); /* takes longer than all others together */
CSN_MUST_USE csn_err csn_signing_self_test(void);   /* Ed25519; for images that sign */

/* The public key of the seed 1, 2, … 32, and what it signs: bytes 7 i + 1, 20 of them. */
extern const uint8_t csn_ed25519_answer_key[32];
extern const uint8_t csn_ed25519_answer[64];

#endif
