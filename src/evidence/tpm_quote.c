/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_quote.c: evidence as a TPM 2.0 quote over PCRs of the SHA-256 bank.
 *
 * Values of PCRs are read, then quoted; where the quote's digest is of other values, somebody
 * extended in between, and it is done again. (The TPM's update counter would not tell: extending
 * some PCRs does not raise it.)
 *
 * Trust:    whoever may use the TPM may quote any data with the same key. What stands in the PCRs
 *           says which software that was: the launcher's policy is about them.
 */
#include "tpm_session.h"
#include "verify/digest.h"
#include <caisson/verify.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#define TRY_COUNT_MAX 5
#define PCR_COUNT     24u

struct values {
    uint8_t of[PCR_COUNT][32];
};

static void select_pcrs(uint32_t pcrs, TPML_PCR_SELECTION *selection)
{
    *selection = (TPML_PCR_SELECTION){.count = 1};
    selection->pcrSelections[0].hash = TPM2_ALG_SHA256;
    selection->pcrSelections[0].sizeofSelect = 3;
    for (size_t i = 0; i < 3; i++) {
        selection->pcrSelections[0].pcrSelect[i] = (BYTE)(pcrs >> (8 * i));
    }
}

/* Takes what one answer holds; the PCRs that are still to be read, or all of them again where the
 * answer is none that a TPM gives. */
static uint32_t take_values(uint32_t left, const TPML_PCR_SELECTION *read,
                            const TPML_DIGEST *digests, struct values *values)
{
    const TPMS_PCR_SELECTION *which = &read->pcrSelections[0];
    size_t index = 0;
    for (uint32_t n = 0; read->count == 1 && n < PCR_COUNT; n++) {
        bool there = n / 8 < which->sizeofSelect && (which->pcrSelect[n / 8] >> n % 8 & 1) != 0;
        if (there && index < digests->count && digests->digests[index].size == 32) {
            memcpy(values->of[n], digests->digests[index++].buffer, 32);
            left &= ~(UINT32_C(1) << n);
        }
    }
    return left;
}

static csn_err read_values(struct tpm_session *session, struct values *values)
{
    uint32_t left = session->tpm->pcrs;
    while (left != 0) {
        TPML_PCR_SELECTION wanted;
        TPML_PCR_SELECTION *read = NULL;
        TPML_DIGEST *digests = NULL;
        select_pcrs(left, &wanted);
        TSS2_RC rc = Esys_PCR_Read(session->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
                                   NULL, &read, &digests);
        if (rc != TSS2_RC_SUCCESS) {
            return csn_tpm_fail(session, CSN_ERR_SYSTEM, "read PCRs", rc);
        }
        uint32_t rest = take_values(left, read, digests, values);
        Esys_Free(read);
        Esys_Free(digests);
        if (rest == left) {
            return csn_tpm_fail(session, CSN_ERR_FORMAT, "PCRs of the SHA-256 bank", rc);
        }
        left = rest;
    }
    return CSN_OK;
}

/* Is this the digest of the values, under the hash that its size stands for? */
static bool digest_agrees(const TPM2B_DIGEST *digest, const struct values *values, uint32_t pcrs)
{
    uint8_t made[EVP_MAX_MD_SIZE];
    const EVP_MD *hash = digest->size == 32   ? EVP_sha256()
                         : digest->size == 48 ? EVP_sha384()
                                              : EVP_sha512();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, hash, NULL) == 1;
    for (uint32_t n = 0; n < PCR_COUNT && good; n++) {
        if ((pcrs >> n & 1) != 0) {
            good = EVP_DigestUpdate(context, values->of[n], 32) == 1;
        }
    }
    good = good && EVP_DigestFinal_ex(context, made, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good && digest->size == EVP_MD_get_size(hash) &&
           memcmp(made, digest->buffer, digest->size) == 0;
}

/* A key without a scheme of its own leaves the choice to the caller. */
static TPMT_SIG_SCHEME scheme_of(const TPMT_PUBLIC *public)
{
    TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
    bool ecc = public->type == TPM2_ALG_ECC;
    TPM2_ALG_ID own = ecc ? public->parameters.eccDetail.scheme.scheme
                          : public->parameters.rsaDetail.scheme.scheme;
    if (own == TPM2_ALG_NULL) {
        scheme.scheme = ecc ? TPM2_ALG_ECDSA : TPM2_ALG_RSASSA;
        scheme.details.any.hashAlg = TPM2_ALG_SHA256;
    }
    return scheme;
}

static csn_err add_signature(struct tpm_session *session, struct csn_evidence_platform *platform,
                             const TPMT_SIGNATURE *signature)
{
    uint8_t bytes[sizeof(TPMT_SIGNATURE)];
    size_t size = 0;
    TSS2_RC rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof bytes, &size);
    return rc == TSS2_RC_SUCCESS ? csn_evidence_part(platform, CSV_PART_TPM_SIGNATURE, bytes, size)
                                 : csn_tpm_fail(session, CSN_ERR_FORMAT, "signature", rc);
}

static csn_err add_values(struct csn_evidence_platform *platform, const struct values *values,
                          uint32_t pcrs)
{
    char text[PCR_COUNT * 72 + 1];
    size_t at = 0;
    for (uint32_t n = 0; n < PCR_COUNT; n++) {
        if ((pcrs >> n & 1) != 0) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%u: ", n);
            for (size_t i = 0; i < 32; i++) {
                at += (size_t)snprintf(text + at, sizeof text - at, "%02x", values->of[n][i]);
            }
            text[at++] = '\n';
        }
    }
    return csn_evidence_part(platform, CSV_PART_PCRS, text, at);
}

/* Quote and signature become parts. CSN_AGAIN: the quote is of other values. */
static csn_err quote_once(struct tpm_session *session, const TPM2B_DATA *data,
                          const struct values *values, struct csn_evidence_platform *platform)
{
    TPML_PCR_SELECTION selection;
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    TPMS_ATTEST content;
    size_t offset = 0;
    TPMT_SIG_SCHEME scheme = scheme_of(&session->public->publicArea);
    select_pcrs(session->tpm->pcrs, &selection);
    TSS2_RC rc = Esys_Quote(session->esys, session->key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                            ESYS_TR_NONE, data, &scheme, &selection, &attest, &signature);
    if (rc != TSS2_RC_SUCCESS) {
        return csn_tpm_fail(session, CSN_ERR_SYSTEM, "quote", rc);
    }
    csn_err result = CSN_AGAIN;
    rc = Tss2_MU_TPMS_ATTEST_Unmarshal(attest->attestationData, attest->size, &offset, &content);
    if (rc != TSS2_RC_SUCCESS || content.type != TPM2_ST_ATTEST_QUOTE) {
        result = csn_tpm_fail(session, CSN_ERR_FORMAT, "quote", rc);
    } else if (digest_agrees(&content.attested.quote.pcrDigest, values, session->tpm->pcrs)) {
        platform->size = 0;
        result =
            csn_evidence_part(platform, CSV_PART_EVIDENCE, attest->attestationData, attest->size);
        result = result == CSN_OK ? add_signature(session, platform, signature) : result;
    }
    Esys_Free(attest);
    Esys_Free(signature);
    return result;
}

static csn_err quote(struct tpm_session *session, const uint8_t report_data[64],
                     struct csn_evidence_platform *platform)
{
    struct values values;
    TPM2B_DATA data = {.size = 32};
    csn_err result = CSN_AGAIN;
    if (!csv_sha256(report_data, 64, data.buffer)) {
        return CSN_ERR_SYSTEM;
    }
    CSN_TRY(csn_tpm_key(session));
    for (int i = 0; result == CSN_AGAIN && i < TRY_COUNT_MAX; i++) {
        CSN_TRY(read_values(session, &values));
        result = quote_once(session, &data, &values, platform);
    }
    if (result == CSN_AGAIN) {
        return csn_tpm_fail(session, CSN_ERR_LIMIT, "PCRs would not stay", TSS2_RC_SUCCESS);
    }
    CSN_TRY(result);
    CSN_TRY(add_values(platform, &values, session->tpm->pcrs));
    return csn_tpm_add_key(session, platform);
}

static csn_err prepare(const void *state, struct csn_evidence_platform *platform)
{
    struct tpm_session session;
    const struct csn_evidence_tpm *tpm = state;
    platform->type = CSN_WIRE_EVIDENCE_TPM;
    if (tpm->pcrs == 0 || tpm->pcrs >> PCR_COUNT != 0) {
        snprintf(platform->detail, sizeof platform->detail, "TPM: PCRs from 0 to 23 are wanted");
        return CSN_ERR_ARGUMENT;
    }
    csn_err result = csn_tpm_open(&session, tpm, platform->detail);
    csn_tpm_close(&session);
    return result;
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    struct tpm_session session;
    csn_err result = csn_tpm_open(&session, state, platform->detail);
    result = result == CSN_OK ? quote(&session, report_data, platform) : result;
    csn_tpm_close(&session);
    return result;
}

csn_err csn_evidence_extend_tpm(const struct csn_evidence_tpm *tpm, uint32_t pcr,
                                const uint8_t measurement[48], char detail[200])
{
    struct tpm_session session;
    TPM2B_EVENT event = {.size = 48};
    TPML_DIGEST_VALUES *digests = NULL;
    if (pcr >= PCR_COUNT) {
        snprintf(detail, 200, "TPM: a PCR from 0 to 23 is wanted");
        return CSN_ERR_ARGUMENT;
    }
    memcpy(event.buffer, measurement, 48);
    csn_err result = csn_tpm_open(&session, tpm, detail);
    if (result == CSN_OK) {
        TSS2_RC rc = Esys_PCR_Event(session.esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD,
                                    ESYS_TR_NONE, ESYS_TR_NONE, &event, &digests);
        result = rc == TSS2_RC_SUCCESS ? CSN_OK
                                       : csn_tpm_fail(&session, CSN_ERR_SYSTEM, "extend PCR", rc);
    }
    Esys_Free(digests);
    csn_tpm_close(&session);
    return result;
}

bool csn_evidence_tpm_built(void)
{
    return true;
}

const struct csn_evidence_producer csn_evidence_tpm = {
    .name = "tpm", .prepare = prepare, .sign = sign};
