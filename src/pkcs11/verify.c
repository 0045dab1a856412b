/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: C_Verify and its parts: signatures with the public half, here; MACs in the enclave. */
#include "core/bytes.h"
#include "signing.h"

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism, CK_OBJECT_HANDLE key)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_signing_begin(found, P11_VERIFY, mechanism, key);
    p11_leave(found);
    return rv;
}

static CK_RV check_mac(const struct p11_operation *operation, const struct p11_bytes *input,
                       const uint8_t *mac, size_t size)
{
    const struct p11_use use = {.operation = CSN_WIRE_TRANSIT_VERIFY,
                                .hash = p11_signing_find(operation->mechanism)->hash,
                                .input = *input,
                                .extra = {mac, size}};
    uint8_t valid = 0;
    size_t came = sizeof valid;
    CK_RV rv = p11_service_use(p11_service(), &operation->key->info, &use, &valid, &came);
    return rv != CKR_OK ? rv : came != 1 || valid != 1 ? CKR_SIGNATURE_INVALID : CKR_OK;
}

static CK_RV check(struct p11_operation *operation, const uint8_t *signature, CK_ULONG size)
{
    uint8_t digest[P11_DIGEST_MAX];
    struct p11_bytes input;
    if (size != p11_signature_size(operation)) {
        return CKR_SIGNATURE_LEN_RANGE;
    }
    CK_RV rv = p11_signing_input(operation, digest, &input);
    if (rv != CKR_OK) {
        return rv;
    }
    const struct p11_signing *signing = p11_signing_find(operation->mechanism);
    if (signing->hash != 0) {
        return check_mac(operation, &input, signature, size);
    }
    if (signing->key_type == CKK_EC) {
        return p11_ecdsa_verify(operation->key, input.bytes, input.size, signature, size);
    }
    return p11_eddsa_verify(operation->key, input.bytes, input.size, signature);
}

CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *signature,
               CK_ULONG signature_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_VERIFY, &operation);
    if (rv == CKR_OK && operation->is_multiple) {
        rv = CKR_OPERATION_ACTIVE;
    } else if (rv == CKR_OK) {
        rv = (data == NULL && data_size != 0) || signature == NULL
                 ? CKR_ARGUMENTS_BAD
                 : p11_signing_update(operation, data, data_size);
        rv = rv == CKR_OK ? check(operation, signature, signature_size) : rv;
        p11_operation_end(operation);
    }
    p11_leave(found);
    return rv;
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_VERIFY, &operation);
    if (rv == CKR_OK) {
        operation->is_multiple = true;
        rv = data == NULL && data_size != 0 ? CKR_ARGUMENTS_BAD
                                            : p11_signing_update(operation, data, data_size);
        if (rv != CKR_OK) {
            p11_operation_end(operation);
        }
    }
    p11_leave(found);
    return rv;
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_VERIFY, &operation);
    if (rv == CKR_OK) {
        rv = signature == NULL ? CKR_ARGUMENTS_BAD : check(operation, signature, signature_size);
        p11_operation_end(operation);
    }
    p11_leave(found);
    return rv;
}
