/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_session.c: see tpm_session.h. */
#include "tpm_session.h"
#include <stdio.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

csn_err csn_tpm_fail(struct tpm_session *session, csn_err err, const char *what, TSS2_RC rc)
{
    const char *why = rc != TSS2_RC_SUCCESS ? Tss2_RC_Decode(rc) : "not what it should be";
    snprintf(session->detail, 200, "TPM: %.80s: %.100s", what, why);
    return err;
}

csn_err csn_tpm_open(struct tpm_session *session, const struct csn_evidence_tpm *tpm, char *detail)
{
    char what[80];
    snprintf(what, sizeof what, "connect to %.60s", tpm->tcti != NULL ? tpm->tcti : "the default");
    *session = (struct tpm_session){.tpm = tpm, .detail = detail, .key = ESYS_TR_NONE};
    TSS2_RC rc = Tss2_TctiLdr_Initialize(tpm->tcti, &session->tcti);
    if (rc != TSS2_RC_SUCCESS) {
        session->tcti = NULL;
        return csn_tpm_fail(session, CSN_ERR_MISSING, what, rc);
    }
    rc = Esys_Initialize(&session->esys, session->tcti, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        session->esys = NULL;
        return csn_tpm_fail(session, CSN_ERR_MISSING, what, rc);
    }
    return CSN_OK;
}

void csn_tpm_close(struct tpm_session *session)
{
    if (session->made) {
        Esys_FlushContext(session->esys, session->key);
    }
    Esys_Free(session->public);
    if (session->esys != NULL) {
        Esys_Finalize(&session->esys);
    }
    if (session->tcti != NULL) {
        Tss2_TctiLdr_Finalize(&session->tcti);
    }
}

/* P-256 and SHA-256, restricted: it signs nothing that the TPM did not make. */
static TSS2_RC make_key(struct tpm_session *session)
{
    static const TPM2B_SENSITIVE_CREATE no_secret = {0};
    static const TPM2B_DATA nothing = {0};
    static const TPML_PCR_SELECTION no_pcrs = {0};
    static const TPM2B_PUBLIC template = {
        .publicArea = {
            .type = TPM2_ALG_ECC,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
                                TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                TPMA_OBJECT_NODA,
            .parameters.eccDetail = {
                .symmetric = {.algorithm = TPM2_ALG_NULL},
                .scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                .curveID = TPM2_ECC_NIST_P256,
                .kdf = {.scheme = TPM2_ALG_NULL}}}};
    ESYS_TR hierarchy = session->tpm->owner ? ESYS_TR_RH_OWNER : ESYS_TR_RH_ENDORSEMENT;
    TSS2_RC rc = Esys_CreatePrimary(session->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                    ESYS_TR_NONE, &no_secret, &template, &nothing, &no_pcrs,
                                    &session->key, NULL, NULL, NULL, NULL);
    session->made = rc == TSS2_RC_SUCCESS;
    return rc;
}

csn_err csn_tpm_key(struct tpm_session *session)
{
    const TPMA_OBJECT wanted = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
    TSS2_RC rc = session->tpm->ak_handle == 0
                     ? make_key(session)
                     : Esys_TR_FromTPMPublic(session->esys, session->tpm->ak_handle, ESYS_TR_NONE,
                                             ESYS_TR_NONE, ESYS_TR_NONE, &session->key);
    if (rc != TSS2_RC_SUCCESS) {
        return csn_tpm_fail(session, CSN_ERR_SYSTEM, "attestation key", rc);
    }
    rc = Esys_ReadPublic(session->esys, session->key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                         &session->public, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        return csn_tpm_fail(session, CSN_ERR_SYSTEM, "attestation key", rc);
    }
    if ((session->public->publicArea.objectAttributes & (wanted | TPMA_OBJECT_DECRYPT)) != wanted) {
        return csn_tpm_fail(session, CSN_ERR_FORMAT, "a restricted signing key is needed", rc);
    }
    return CSN_OK;
}
