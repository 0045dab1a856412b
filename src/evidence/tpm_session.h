/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_session.h: a connection to a TPM and its attestation key, for the length of one call. */
#ifndef CSN_EVIDENCE_TPM_SESSION_H
#define CSN_EVIDENCE_TPM_SESSION_H

#include <caisson/evidence.h>
#include <tss2/tss2_esys.h>

struct tpm_session {
    const struct csn_evidence_tpm *tpm;
    char *detail; /* 200 bytes */
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR key; /* ESYS_TR_NONE before csn_tpm_key() */
    bool made;   /* key is transient and to be flushed */
    TPM2B_PUBLIC *public;
};

/* CSN_ERR_MISSING: nothing answers there. csn_tpm_close() in any case. */
csn_err csn_tpm_open(struct tpm_session *session, const struct csn_evidence_tpm *tpm, char *detail);
void csn_tpm_close(struct tpm_session *session);
/* The attestation key and its public area; only a restricted signing key will do. */
csn_err csn_tpm_key(struct tpm_session *session);
/* Sets detail; returns err. */
csn_err csn_tpm_fail(struct tpm_session *session, csn_err err, const char *what, TSS2_RC rc);

/* tpm_public.c: the part CSV_PART_AK: the certificate in NV, or else the public key as PEM. */
csn_err csn_tpm_add_key(struct tpm_session *session, struct csn_evidence_platform *platform);

#endif
