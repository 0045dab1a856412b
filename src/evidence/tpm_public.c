/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_public.c: what tells a verifier of a TPM's attestation key. */
#include "tpm_session.h"
#include <caisson/verify.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#define CERTIFICATE_SIZE_MAX 4096u
#define CHUNK_SIZE           512u /* every TPM reads that much of NV at a time */

/* Right-aligned in size bytes. */
static void put_coordinate(uint8_t *at, const TPM2B_ECC_PARAMETER *value, size_t size)
{
    memset(at, 0, size);
    memcpy(at + size - value->size, value->buffer, value->size);
}

static bool fill_ecc(OSSL_PARAM_BLD *build, const TPMT_PUBLIC *public, uint8_t point[97])
{
    bool large = public->parameters.eccDetail.curveID == TPM2_ECC_NIST_P384;
    const TPMS_ECC_POINT *unique = &public->unique.ecc;
    size_t size = large ? 48 : 32;
    if ((!large && public->parameters.eccDetail.curveID != TPM2_ECC_NIST_P256) ||
        unique->x.size > size || unique->y.size > size) {
        return false;
    }
    point[0] = 4;
    put_coordinate(point + 1, &unique->x, size);
    put_coordinate(point + 1 + size, &unique->y, size);
    return OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                           large ? "P-384" : "P-256", 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 2 * size + 1) ==
               1;
}

static bool fill_rsa(OSSL_PARAM_BLD *build, const TPMT_PUBLIC *public, BIGNUM **modulus)
{
    unsigned exponent = public->parameters.rsaDetail.exponent;
    *modulus = BN_bin2bn(public->unique.rsa.buffer, public->unique.rsa.size, NULL);
    return *modulus != NULL &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, *modulus) == 1 &&
           OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E,
                                    exponent != 0 ? exponent : 65537) == 1;
}

/* NULL: a kind of key that has no name here, or libcrypto failed. */
static EVP_PKEY *public_key(const TPMT_PUBLIC *public)
{
    uint8_t point[97];
    BIGNUM *modulus = NULL;
    EVP_PKEY *key = NULL;
    bool ecc = public->type == TPM2_ALG_ECC;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, ecc ? "EC" : "RSA", NULL);
    bool good = build != NULL && context != NULL &&
                (ecc                            ? fill_ecc(build, public, point)
                 : public->type == TPM2_ALG_RSA ? fill_rsa(build, public, &modulus)
                                                : false);
    OSSL_PARAM *parameters = good ? OSSL_PARAM_BLD_to_param(build) : NULL;
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    return key;
}

static csn_err add_public_key(struct tpm_session *session, struct csn_evidence_platform *platform)
{
    EVP_PKEY *key = public_key(&session->public->publicArea);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    csn_err result = CSN_ERR_FORMAT;
    if (key != NULL && bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1) {
        long size = BIO_get_mem_data(bio, &text);
        result = csn_evidence_part(platform, CSV_PART_AK, text, (size_t)size);
    } else {
        csn_tpm_fail(session, result, "attestation key", TSS2_RC_SUCCESS);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return result;
}

/* All of an NV index that may be read by its own or by the owner's empty password. */
static csn_err add_certificate(struct tpm_session *session, struct csn_evidence_platform *platform)
{
    ESYS_TR nv = ESYS_TR_NONE;
    TPM2B_NV_PUBLIC *about = NULL;
    uint8_t bytes[CERTIFICATE_SIZE_MAX];
    TSS2_RC rc = Esys_TR_FromTPMPublic(session->esys, session->tpm->ak_certificate, ESYS_TR_NONE,
                                       ESYS_TR_NONE, ESYS_TR_NONE, &nv);
    if (rc == TSS2_RC_SUCCESS) {
        rc = Esys_NV_ReadPublic(session->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &about,
                                NULL);
    }
    if (rc != TSS2_RC_SUCCESS) {
        return csn_tpm_fail(session, CSN_ERR_SYSTEM, "certificate of the attestation key", rc);
    }
    size_t size = about->nvPublic.dataSize;
    bool own = (about->nvPublic.attributes & TPMA_NV_AUTHREAD) != 0;
    Esys_Free(about);
    if (size == 0 || size > sizeof bytes) {
        return csn_tpm_fail(session, CSN_ERR_FORMAT, "size of the certificate", TSS2_RC_SUCCESS);
    }
    for (size_t at = 0; at < size && rc == TSS2_RC_SUCCESS;) {
        TPM2B_MAX_NV_BUFFER *chunk = NULL;
        size_t want = size - at < CHUNK_SIZE ? size - at : CHUNK_SIZE;
        rc = Esys_NV_Read(session->esys, own ? nv : ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD,
                          ESYS_TR_NONE, ESYS_TR_NONE, (UINT16)want, (UINT16)at, &chunk);
        if (rc == TSS2_RC_SUCCESS) {
            memcpy(bytes + at, chunk->buffer, chunk->size < want ? chunk->size : want);
            at += want;
        }
        Esys_Free(chunk);
    }
    if (rc != TSS2_RC_SUCCESS) {
        return csn_tpm_fail(session, CSN_ERR_SYSTEM, "certificate of the attestation key", rc);
    }
    return csn_evidence_part(platform, CSV_PART_AK, bytes, size);
}

csn_err csn_tpm_add_key(struct tpm_session *session, struct csn_evidence_platform *platform)
{
    return session->tpm->ak_certificate != 0 ? add_certificate(session, platform)
                                             : add_public_key(session, platform);
}
