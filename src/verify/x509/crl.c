/* SPDX-License-Identifier: Apache-2.0 */
/* crl.c: revocation lists: who signed them, when they hold, whom they name. See x509.h. */
#include "verify/parse/read.h"
#include "verify/x509/x509.h"
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

bool csv_crl_read(struct csv_crl *crl, struct csv_bytes bytes)
{
    crl->crl = NULL;
    if (bytes.size == 0 || bytes.size > CSV_PART_SIZE_MAX) {
        return false;
    }
    if (bytes.at[0] == 0x30) {
        const unsigned char *at = bytes.at;
        crl->crl = d2i_X509_CRL(NULL, &at, (long)bytes.size);
        return crl->crl != NULL && csv_is_zero(at, bytes.size - (size_t)(at - bytes.at));
    }
    BIO *bio = BIO_new_mem_buf(bytes.at, (int)bytes.size);
    crl->crl = bio != NULL ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return crl->crl != NULL;
}

void csv_crl_free(struct csv_crl *crl)
{
    X509_CRL_free(crl->crl);
    crl->crl = NULL;
}

bool csv_crl_is_from(const struct csv_crl *crl, X509 *issuer)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl->crl), X509_get_subject_name(issuer)) == 0;
}

static const char *crl_fault(const struct csv_case *appraisal, const struct csv_crl *crl,
                             X509 *issuer)
{
    int64_t begin;
    int64_t end;
    uint32_t flags = X509_get_extension_flags(issuer);
    bool signs = (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0;
    if (!csv_crl_is_from(crl, issuer)) {
        return "the list is another issuer's";
    }
    if (!signs || X509_CRL_verify(crl->crl, X509_get0_pubkey(issuer)) != 1) {
        return "the list is not signed by the issuer";
    }
    if (!csv_asn1_time(X509_CRL_get0_lastUpdate(crl->crl), &begin) ||
        !csv_asn1_time(X509_CRL_get0_nextUpdate(crl->crl), &end)) {
        return "the list does not say how long it holds";
    }
    return appraisal->input->time < begin ? "the list is not valid yet"
           : appraisal->input->time > end ? "the list has expired"
                                          : NULL;
}

bool csv_crl_check(struct csv_case *appraisal, const struct csv_crl *crl, X509 *cert, X509 *issuer,
                   const char *finding)
{
    X509_REVOKED *entry = NULL;
    const char *fault = crl_fault(appraisal, crl, issuer);
    if (fault != NULL) {
        return csv_note(appraisal, finding, CSV_FAILED, "a list of the issuer's that holds now",
                        fault);
    }
    bool listed = X509_CRL_get0_by_cert(crl->crl, &entry, cert) != 0;
    return csv_note_if(appraisal, finding, !listed, "not revoked",
                       csv_text(appraisal->arena, "%s: %s", csv_common_name(cert, appraisal->arena),
                                listed ? "revoked" : "not on the list"));
}
