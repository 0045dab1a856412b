/* SPDX-License-Identifier: Apache-2.0 */
/* self_test.h: known-answer tests that have no public header of their own. CSN_ERR_INTERNAL. */
#ifndef CSN_CRYPTO_SELF_TEST_H
#define CSN_CRYPTO_SELF_TEST_H

#include <caisson/base.h>

CSN_MUST_USE csn_err csn_sha2_self_test(void);
CSN_MUST_USE csn_err csn_exchange_self_test(void);
CSN_MUST_USE csn_err csn_signature_self_test(void); /* takes longer than all others together */

#endif
