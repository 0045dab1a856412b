/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.c: C_Encrypt, C_Decrypt and their parts. CKM_AES_GCM here is the transit enclave's sealed
 * text: nonce and key of each are the enclave's choice, so that no caller can use a nonce twice;
 * the caller's IV and associated data are both bound to it. The text is 56 bytes longer, not 16
 * (docs/PKCS11.md).
 */
#include "core/bytes.h"
#include "module.h"
#include <stdlib.h>
#include <string.h>

#define EXTRA_MAX 4096u /* IV and associated data */

/* What is bound: the IV's size, the IV, the associated data. */
static CK_RV read_params(const struct ck_mechanism *mechanism, struct p11_operation *operation)
{
    struct ck_gcm_params params;
    if (mechanism->parameter == NULL || mechanism->parameter_size != sizeof params) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    memcpy(&params, mechanism->parameter, sizeof params);
    if (params.tag_bits != 128 || params.iv_size > 256 || params.aad_size > EXTRA_MAX - 260 ||
        (params.iv == NULL && params.iv_size != 0) ||
        (params.aad == NULL && params.aad_size != 0)) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    operation->extra_size = 4 + params.iv_size + params.aad_size;
    operation->extra = malloc(operation->extra_size);
    if (operation->extra == NULL) {
        return CKR_HOST_MEMORY;
    }
    csn_store_u32(operation->extra, (uint32_t)params.iv_size);
    if (params.iv_size != 0) {
        memcpy(operation->extra + 4, params.iv, params.iv_size);
    }
    if (params.aad_size != 0) {
        memcpy(operation->extra + 4 + params.iv_size, params.aad, params.aad_size);
    }
    return CKR_OK;
}

/* Key and mechanism of any of the four kinds. */
static CK_RV find_key(const struct ck_mechanism *mechanism, CK_OBJECT_HANDLE handle, bool encrypts,
                      const struct p11_key **key)
{
    if (mechanism == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (mechanism->type != CKM_AES_GCM) {
        return CKR_MECHANISM_INVALID;
    }
    CK_RV rv = p11_key_get(handle, P11_PART_SECRET, key);
    if (rv != CKR_OK) {
        return rv;
    }
    return p11_key_type(*key) != CKK_AES ? CKR_KEY_TYPE_INCONSISTENT
           : (*key)->value_size != 0 || !p11_key_may(*key, encrypts ? CSN_WIRE_TRANSIT_ENCRYPT
                                                                    : CSN_WIRE_TRANSIT_DECRYPT)
               ? CKR_KEY_FUNCTION_NOT_PERMITTED
               : CKR_OK;
}

static CK_RV begin(CK_SESSION_HANDLE session, const struct ck_mechanism *mechanism,
                   CK_OBJECT_HANDLE handle, enum p11_kind kind)
{
    struct p11_session *found;
    const struct p11_key *key = NULL;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = find_key(mechanism, handle, kind == P11_ENCRYPT, &key);
    rv = rv == CKR_OK ? p11_operation_begin(found, kind, mechanism->type, key) : rv;
    if (rv == CKR_OK) {
        rv = read_params(mechanism, &found->operations[kind]);
        if (rv != CKR_OK) {
            p11_operation_end(&found->operations[kind]);
        }
    }
    p11_leave(found);
    return rv;
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism, CK_OBJECT_HANDLE key)
{
    return begin(session, mechanism, key, P11_ENCRYPT);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism, CK_OBJECT_HANDLE key)
{
    return begin(session, mechanism, key, P11_DECRYPT);
}

/* Seals or opens input, all of it, whose output has exactly size bytes. */
static CK_RV pass(struct p11_operation *operation, enum p11_kind kind,
                  const struct p11_bytes *input, CK_BYTE *output, CK_ULONG size)
{
    const struct p11_use use = {.operation = kind == P11_ENCRYPT ? CSN_WIRE_TRANSIT_ENCRYPT
                                                                 : CSN_WIRE_TRANSIT_DECRYPT,
                                .input = *input,
                                .extra = {operation->extra, operation->extra_size}};
    size_t came = size;
    CK_RV rv = p11_service_use(p11_service(), &operation->key->info, &use, output, &came);
    return rv == CKR_OK && came != size ? CKR_DEVICE_ERROR : rv;
}

/* The end, with what came before or, of a single part, with data. */
static CK_RV end(struct p11_operation *operation, enum p11_kind kind, const struct p11_bytes *input,
                 CK_BYTE *output, CK_ULONG *output_size)
{
    CK_RV rv = CKR_OK;
    CK_ULONG size = 0;
    if (input->size > P11_MESSAGE_MAX) {
        rv = CKR_DATA_LEN_RANGE;
    } else if (kind == P11_ENCRYPT) {
        size = input->size + P11_SEALED_BESIDE;
    } else if (input->size < P11_SEALED_BESIDE) {
        rv = CKR_ENCRYPTED_DATA_LEN_RANGE;
    } else {
        size = input->size - P11_SEALED_BESIDE;
    }
    if (rv == CKR_OK) {
        rv = p11_room(output, output_size, size);
        if (rv != CKR_OK || output == NULL) {
            return rv; /* nothing has ended */
        }
        rv = pass(operation, kind, input, output, size);
    }
    p11_operation_end(operation);
    return rv;
}

static CK_RV end_encrypt(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG data_size,
                         CK_BYTE *output, CK_ULONG *output_size)
{
    const struct p11_bytes input = {data, data_size};
    return end(operation, P11_ENCRYPT, &input, output, output_size);
}

static CK_RV end_decrypt(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG data_size,
                         CK_BYTE *output, CK_ULONG *output_size)
{
    const struct p11_bytes input = {data, data_size};
    return end(operation, P11_DECRYPT, &input, output, output_size);
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
                CK_ULONG *output_size)
{
    return p11_operation_whole(session, P11_ENCRYPT, end_encrypt, data, data_size, output,
                               output_size);
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
                CK_ULONG *output_size)
{
    return p11_operation_whole(session, P11_DECRYPT, end_decrypt, data, data_size, output,
                               output_size);
}

/* ---- in parts: kept until the end, since nothing is given out that was not authenticated ---- */

static CK_RV update(CK_SESSION_HANDLE session, enum p11_kind kind, const struct p11_bytes *input,
                    CK_ULONG *output_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, kind, &operation);
    if (rv == CKR_OK) {
        operation->is_multiple = true;
        rv = (input->bytes == NULL && input->size != 0) || output_size == NULL
                 ? CKR_ARGUMENTS_BAD
                 : p11_operation_add(operation, input->bytes, input->size);
        if (rv == CKR_OK) {
            *output_size = 0;
        } else {
            p11_operation_end(operation);
        }
    }
    p11_leave(found);
    return rv;
}

static CK_RV final(CK_SESSION_HANDLE session, enum p11_kind kind, CK_BYTE *output,
                   CK_ULONG *output_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, kind, &operation);
    if (rv == CKR_OK && output_size == NULL) {
        p11_operation_end(operation);
        rv = CKR_ARGUMENTS_BAD;
    } else if (rv == CKR_OK) {
        const struct p11_bytes input = {operation->bytes, operation->size};
        rv = end(operation, kind, &input, output, output_size);
    }
    p11_leave(found);
    return rv;
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
                      CK_ULONG *output_size)
{
    (void)output;
    const struct p11_bytes input = {data, data_size};
    return update(session, P11_ENCRYPT, &input, output_size);
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
                      CK_ULONG *output_size)
{
    (void)output;
    const struct p11_bytes input = {data, data_size};
    return update(session, P11_DECRYPT, &input, output_size);
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_size)
{
    return final(session, P11_ENCRYPT, output, output_size);
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_size)
{
    return final(session, P11_DECRYPT, output, output_size);
}

/* ---- 3.0: one key, many messages; the enclave makes the IV of each ---- */

#define HEAD_SIZE ((CK_ULONG)sizeof(struct csn_wire_transit_sealed)) /* is the IV */
#define TAG_SIZE  (P11_SEALED_BESIDE - HEAD_SIZE)

static CK_RV message_begin(CK_SESSION_HANDLE session, const struct ck_mechanism *mechanism,
                           CK_OBJECT_HANDLE handle, enum p11_kind kind)
{
    struct p11_session *found;
    const struct p11_key *key = NULL;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = find_key(mechanism, handle, kind == P11_MESSAGE_ENCRYPT, &key);
    rv = rv == CKR_OK ? p11_operation_begin(found, kind, mechanism->type, key) : rv;
    p11_leave(found);
    return rv;
}

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism,
                           CK_OBJECT_HANDLE key)
{
    return message_begin(session, mechanism, key, P11_MESSAGE_ENCRYPT);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism,
                           CK_OBJECT_HANDLE key)
{
    return message_begin(session, mechanism, key, P11_MESSAGE_DECRYPT);
}

static CK_RV message_end(CK_SESSION_HANDLE session, enum p11_kind kind)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, kind, &operation);
    p11_operation_end(operation);
    p11_leave(found);
    return rv;
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
    return message_end(session, P11_MESSAGE_ENCRYPT);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
    return message_end(session, P11_MESSAGE_DECRYPT);
}

/* iv: HEAD_SIZE bytes, and on encryption the enclave is to make it. */
static CK_RV message_params(const void *parameter, CK_ULONG size, bool encrypts,
                            struct ck_gcm_message_params *params)
{
    if (parameter == NULL || size != sizeof *params) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    memcpy(params, parameter, sizeof *params);
    bool good =
        params->iv != NULL && params->iv_size == HEAD_SIZE && params->tag != NULL &&
        params->tag_bits == 8 * TAG_SIZE &&
        (!encrypts || (params->iv_generator != CKG_NO_GENERATE && params->iv_fixed_bits == 0));
    return good ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

/* Head, text and tag behind each other, as the enclave has them: between two buffers. */
static CK_RV message_pass(const struct p11_operation *operation, bool encrypts,
                          const struct ck_gcm_message_params *params, const struct p11_bytes *aad,
                          const struct p11_bytes *data, CK_BYTE *output)
{
    size_t sealed_size = data->size + P11_SEALED_BESIDE;
    size_t came = encrypts ? sealed_size : data->size;
    uint8_t *sealed = malloc(sealed_size);
    if (sealed == NULL) {
        return CKR_HOST_MEMORY;
    }
    struct p11_use use = {.operation = CSN_WIRE_TRANSIT_ENCRYPT, .input = *data, .extra = *aad};
    if (!encrypts) {
        memcpy(sealed, params->iv, HEAD_SIZE);
        if (data->size != 0) {
            memcpy(sealed + HEAD_SIZE, data->bytes, data->size);
        }
        memcpy(sealed + HEAD_SIZE + data->size, params->tag, TAG_SIZE);
        use.operation = CSN_WIRE_TRANSIT_DECRYPT;
        use.input = (struct p11_bytes){sealed, sealed_size};
    }
    size_t wanted = came;
    CK_RV rv = p11_service_use(p11_service(), &operation->key->info, &use,
                               encrypts ? sealed : output, &came);
    rv = rv == CKR_OK && came != wanted ? CKR_DEVICE_ERROR : rv;
    rv = rv == CKR_ENCRYPTED_DATA_INVALID ? CKR_AEAD_DECRYPT_FAILED : rv;
    if (rv == CKR_OK && encrypts) {
        memcpy(params->iv, sealed, HEAD_SIZE);
        if (data->size != 0) {
            memcpy(output, sealed + HEAD_SIZE, data->size);
        }
        memcpy(params->tag, sealed + HEAD_SIZE + data->size, TAG_SIZE);
    }
    free(sealed);
    return rv;
}

static CK_RV message(CK_SESSION_HANDLE session, enum p11_kind kind,
                     const struct ck_gcm_message_params *params, const struct p11_bytes *aad,
                     const struct p11_bytes *data, CK_BYTE *output, CK_ULONG *output_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, kind, &operation);
    if (rv == CKR_OK && ((aad->bytes == NULL && aad->size != 0) ||
                         (data->bytes == NULL && data->size != 0) || output_size == NULL)) {
        rv = CKR_ARGUMENTS_BAD;
    } else if (rv == CKR_OK && (data->size > P11_MESSAGE_MAX || aad->size > EXTRA_MAX)) {
        rv = CKR_DATA_LEN_RANGE;
    } else if (rv == CKR_OK) {
        rv = p11_room(output, output_size, data->size);
        if (rv == CKR_OK && (output != NULL || data->size == 0)) {
            rv = message_pass(operation, kind == P11_MESSAGE_ENCRYPT, params, aad, data, output);
        }
    }
    p11_leave(found);
    return rv;
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_size,
                       CK_BYTE *aad, CK_ULONG aad_size, CK_BYTE *data, CK_ULONG data_size,
                       CK_BYTE *output, CK_ULONG *output_size)
{
    const struct p11_bytes bound = {aad, aad_size};
    const struct p11_bytes text = {data, data_size};
    struct ck_gcm_message_params params;
    CK_RV rv = message_params(parameter, parameter_size, true, &params);
    return rv != CKR_OK
               ? rv
               : message(session, P11_MESSAGE_ENCRYPT, &params, &bound, &text, output, output_size);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_size,
                       CK_BYTE *aad, CK_ULONG aad_size, CK_BYTE *data, CK_ULONG data_size,
                       CK_BYTE *output, CK_ULONG *output_size)
{
    const struct p11_bytes bound = {aad, aad_size};
    const struct p11_bytes text = {data, data_size};
    struct ck_gcm_message_params params;
    CK_RV rv = message_params(parameter, parameter_size, false, &params);
    return rv != CKR_OK
               ? rv
               : message(session, P11_MESSAGE_DECRYPT, &params, &bound, &text, output, output_size);
}
