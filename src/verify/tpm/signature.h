/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature.h: TPMT_SIGNATURE (TPM 2.0 library, part 2, 11.3.4).
 *
 * RSASSA, RSAPSS and ECDSA over SHA-256, 384 or 512: a TPM makes the quote's PCR digest with the
 * same hash, and anything else is refused. As many bytes as an RSA key's modulus are that key's
 * bare PKCS #1 v1.5 signature, which names no hash of its own.
 */
#ifndef CSV_VERIFY_TPM_SIGNATURE_H
#define CSV_VERIFY_TPM_SIGNATURE_H

#include "verify/tpm/quote.h"

/* Does signature hold for the quote? Else *why (static) is what is wrong. */
bool csv_tpm_signature_check(struct csv_bytes signature, EVP_PKEY *key,
                             const struct csv_tpm_quote *quote, const char **why);

#endif
