/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_counter.c: an NV counter and the endorsement key, made ready for an enclave's journal. */
#include "tpm_session.h"
#include <caisson/wire/outside.h>
#include <stdio.h>
#include <string.h>

#define COORDINATE 32u

/* PolicySecret of the endorsement hierarchy: the template's own (TCG EK credential profile). */
static const uint8_t key_policy[32] = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

struct making {
    struct tpm_session session;
    struct csn_wire_counter *counter;
};

/* An NV index for whoever can name it. */
struct nv {
    uint32_t index;
    uint32_t type;
    uint16_t size;
    ESYS_TR handle;
    TPM2B_NAME *name;
    TPM2B_MAX_NV_BUFFER *value;
};

static csn_err fail(struct making *making, const char *what, TSS2_RC rc)
{
    return csn_tpm_fail(&making->session, CSN_ERR_SYSTEM, what, rc);
}

/* ---- the key ---- */

static csn_err take_point(struct making *making, const TPM2B_PUBLIC *public)
{
    const TPMS_ECC_POINT *point = &public->publicArea.unique.ecc;
    if (public->publicArea.type != TPM2_ALG_ECC ||
        public->publicArea.parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 ||
        point->x.size != COORDINATE || point->y.size != COORDINATE) {
        return csn_tpm_fail(&making->session, CSN_ERR_FORMAT, "a key on P-256 is needed", 0);
    }
    memcpy(making->counter->key, point->x.buffer, COORDINATE);
    memcpy(making->counter->key + COORDINATE, point->y.buffer, COORDINATE);
    return CSN_OK;
}

static TSS2_RC make_primary(struct making *making, TPM2B_PUBLIC **public)
{
    static const TPM2B_SENSITIVE_CREATE no_secret = {0};
    static const TPM2B_DATA nothing = {0};
    static const TPML_PCR_SELECTION no_pcrs = {0};
    TPM2B_PUBLIC template = {
        .publicArea = {.type = TPM2_ALG_ECC,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                           TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                           TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED |
                                           TPMA_OBJECT_DECRYPT,
                       .authPolicy = {.size = sizeof key_policy},
                       .parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                                              .keyBits.aes = 128,
                                                              .mode.aes = TPM2_ALG_CFB},
                                                .scheme = {.scheme = TPM2_ALG_NULL},
                                                .curveID = TPM2_ECC_NIST_P256,
                                                .kdf = {.scheme = TPM2_ALG_NULL}},
                       .unique.ecc = {.x = {.size = COORDINATE}, .y = {.size = COORDINATE}}}};
    memcpy(template.publicArea.authPolicy.buffer, key_policy, sizeof key_policy);
    TSS2_RC rc = Esys_CreatePrimary(making->session.esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                    ESYS_TR_NONE, ESYS_TR_NONE, &no_secret, &template, &nothing,
                                    &no_pcrs, &making->session.key, public, NULL, NULL, NULL);
    making->session.made = rc == TSS2_RC_SUCCESS;
    return rc;
}

/* The same key as the one that is there, or nothing is there yet. */
static csn_err keep_key(struct making *making, const TPM2B_PUBLIC *public)
{
    ESYS_CONTEXT *esys = making->session.esys;
    const uint32_t handle = making->counter->key_handle;
    TPM2B_PUBLIC *there = NULL;
    ESYS_TR kept = ESYS_TR_NONE;
    TSS2_RC rc =
        Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &kept);
    if (rc != TSS2_RC_SUCCESS) {
        rc = Esys_EvictControl(esys, ESYS_TR_RH_OWNER, making->session.key, ESYS_TR_PASSWORD,
                               ESYS_TR_NONE, ESYS_TR_NONE, handle, &kept);
        return rc == TSS2_RC_SUCCESS ? CSN_OK : fail(making, "keep the endorsement key", rc);
    }
    rc = Esys_ReadPublic(esys, kept, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &there, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        return fail(making, "read the key at the handle", rc);
    }
    const bool is_same = there->publicArea.type == TPM2_ALG_ECC &&
                         memcmp(&there->publicArea.unique.ecc, &public->publicArea.unique.ecc,
                                sizeof there->publicArea.unique.ecc) == 0;
    Esys_Free(there);
    return is_same
               ? CSN_OK
               : csn_tpm_fail(&making->session, CSN_ERR_STATE, "the key that is at the handle", 0);
}

static csn_err make_key(struct making *making)
{
    TPM2B_PUBLIC *public = NULL;
    TSS2_RC rc = make_primary(making, &public);
    if (rc != TSS2_RC_SUCCESS) {
        return fail(making, "endorsement key on P-256", rc);
    }
    csn_err err = take_point(making, public);
    err = err == CSN_OK ? keep_key(making, public) : err;
    Esys_Free(public);
    return err;
}

/* ---- the indices ---- */

/* Written once: before that it has another name, and no value. */
static TSS2_RC write_first(struct making *making, const struct nv *nv)
{
    static const TPM2B_MAX_NV_BUFFER first = {.size = 16, .buffer = "caisson-journal"};
    ESYS_CONTEXT *esys = making->session.esys;
    return nv->type == TPM2_NT_COUNTER
               ? Esys_NV_Increment(esys, nv->handle, nv->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                   ESYS_TR_NONE)
               : Esys_NV_Extend(esys, nv->handle, nv->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                ESYS_TR_NONE, &first);
}

static csn_err make_index(struct making *making, struct nv *nv)
{
    static const TPM2B_AUTH no_password = {0};
    const TPM2B_NV_PUBLIC about = {
        .nvPublic = {.nvIndex = nv->index,
                     .nameAlg = TPM2_ALG_SHA256,
                     .attributes = (TPMA_NV)nv->type << TPMA_NV_TPM2_NT_SHIFT | TPMA_NV_AUTHWRITE |
                                   TPMA_NV_AUTHREAD | TPMA_NV_NO_DA,
                     .dataSize = nv->size}};
    TSS2_RC rc = Esys_NV_DefineSpace(making->session.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                     ESYS_TR_NONE, ESYS_TR_NONE, &no_password, &about, &nv->handle);
    if (rc == TPM2_RC_NV_DEFINED) {
        return csn_tpm_fail(&making->session, CSN_ERR_STATE, "the NV index, which is there already",
                            0);
    }
    if (rc != TSS2_RC_SUCCESS) {
        return fail(making, "define the NV index", rc);
    }
    rc = write_first(making, nv);
    return rc == TSS2_RC_SUCCESS ? CSN_OK : fail(making, "write the NV index", rc);
}

static csn_err read_index(struct making *making, struct nv *nv)
{
    TPM2B_NV_PUBLIC *public = NULL;
    ESYS_CONTEXT *esys = making->session.esys;
    TSS2_RC rc = Esys_NV_ReadPublic(esys, nv->handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    &public, &nv->name);
    Esys_Free(public);
    if (rc == TSS2_RC_SUCCESS) {
        rc = Esys_NV_Read(esys, nv->handle, nv->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                          ESYS_TR_NONE, nv->size, 0, &nv->value);
    }
    if (rc != TSS2_RC_SUCCESS) {
        return fail(making, "read the NV index", rc);
    }
    return nv->name->size == sizeof making->counter->name && nv->value->size == nv->size
               ? CSN_OK
               : csn_tpm_fail(&making->session, CSN_ERR_FORMAT, "the NV index", 0);
}

static csn_err make_indices(struct making *making)
{
    struct csn_wire_counter *counter = making->counter;
    struct nv count = {
        .index = counter->index, .type = TPM2_NT_COUNTER, .size = 8, .handle = ESYS_TR_NONE};
    struct nv mark = {
        .index = counter->mark_index, .type = TPM2_NT_EXTEND, .size = 32, .handle = ESYS_TR_NONE};
    csn_err err = make_index(making, &count);
    err = err == CSN_OK ? make_index(making, &mark) : err;
    err = err == CSN_OK ? read_index(making, &count) : err;
    err = err == CSN_OK ? read_index(making, &mark) : err;
    if (err == CSN_OK) {
        memcpy(counter->name, count.name->name, sizeof counter->name);
        memcpy(counter->mark_name, mark.name->name, sizeof counter->mark_name);
        for (uint32_t i = 0; i < 8; i++) {
            counter->base = counter->base << 8 | count.value->buffer[i];
        }
    }
    Esys_Free(count.name);
    Esys_Free(count.value);
    Esys_Free(mark.name);
    Esys_Free(mark.value);
    return err;
}

csn_err csn_tpm_counter_make(const char *tcti, uint32_t index, uint32_t key_handle,
                             struct csn_wire_counter *counter, char detail[200])
{
    const struct csn_evidence_tpm tpm = {.tcti = tcti};
    struct making making = {.counter = counter};
    *counter = (struct csn_wire_counter){
        .key_handle = key_handle, .index = index, .mark_index = index + 1};
    csn_err err = csn_tpm_open(&making.session, &tpm, detail);
    err = err == CSN_OK ? make_key(&making) : err;
    err = err == CSN_OK ? make_indices(&making) : err;
    csn_tpm_close(&making.session);
    return err;
}
