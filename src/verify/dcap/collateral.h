/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collateral.h: what Intel publishes beside quotes: revocation lists, and JSON that its TCB signing
 * key signed. Parts of kind CSV_PART_COLLATERAL are told apart by their names without the ending:
 *
 *   tcb_info, qe_identity            JSON as the PCS serves it, {"tcbInfo": …, "signature": …}
 *   tcb_signing_chain                certificates of the signer, PEM (percent-encoded or not)
 *   qe_identity_issuer_chain         the same for qe_identity alone, where it is another signer
 *   pck_crl, root_ca_crl             lists: DER, PEM or hex
 *   pck_crl_issuer_chain, pck_chain  certificates to complete a quote's, PEM or DER
 *
 * What is missing is noted as such; what is there and does not hold (expired, of another issuer,
 * badly signed) has failed.
 */
#ifndef CSV_VERIFY_COLLATERAL_H
#define CSV_VERIFY_COLLATERAL_H

#include "verify/parse/json_view.h"
#include "verify/x509/x509.h"

/* The part with that name (NULL: none). */
const struct csv_part *csv_collateral_part(const struct csv_input *input, const char *stem);
/* Adds the certificates of a part; false: they do not parse. True if there is no such part. */
bool csv_collateral_certs(struct csv_case *appraisal, const char *stem, struct csv_certs *certs);
/* Is cert on issuer's list? The list is the part with that name and any part of kind CSV_PART_CRL
 * by that issuer; all of them must hold. Notes finding. */
bool csv_collateral_crl(struct csv_case *appraisal, const char *stem, struct csv_cert *cert,
                        struct csv_cert *issuer, const char *finding);

/* One signed JSON text. */
struct csv_collateral_kind {
    const char *stem;
    const char *member; /* the signed object */
    const char *format; /* ids of findings */
    const char *signature;
    const char *current;
    const char *const *claims; /* members to show under the stem, NULL-terminated */
};
struct csv_collateral {
    struct csv_json_view view;
    uint32_t body; /* the signed object */
    uint64_t evaluation_number;
};
/* Parse, check the signature by signer over the bytes as they stand, and the dates. True: signed;
 * whether it holds now is noted. */
bool csv_collateral_open(struct csv_case *appraisal, const struct csv_collateral_kind *kind,
                         struct csv_cert *signer, struct csv_collateral *collateral);

/* The TCB signing certificate of a part, checked up to the root; NULL: noted why. Borrowed from
 * certs. */
struct csv_cert *csv_collateral_signer(struct csv_case *appraisal, const char *stem,
                                       struct csv_certs *certs);

#endif
