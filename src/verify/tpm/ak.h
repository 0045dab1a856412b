/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ak.h: the attestation key of a TPM, and why it is to be trusted.
 *
 * Either a certificate whose chain ends in the root of a cloud's virtual TPMs (it says that some
 * machine of that cloud has the key: which one is for the policy), or a bare public key that the
 * relying party knows by other means: then only the policy's list of keys vouches for it.
 */
#ifndef CSV_VERIFY_TPM_AK_H
#define CSV_VERIFY_TPM_AK_H

#include "verify/case.h"
#include <openssl/evp.h>

/* The key of part CSV_PART_AK, to be freed; NULL: noted why there is none. Notes tpm.ak and the
 * claims that rules for keys look at. */
EVP_PKEY *csv_tpm_ak(struct csv_case *appraisal);
/* The key in a PEM public key or, without looking at who issued it, in a certificate. */
EVP_PKEY *csv_tpm_ak_read(struct csv_case *appraisal, struct csv_bytes bytes);

#endif
