/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: C_Digest and its parts, in this process; C_GenerateRandom. */
#include "core/bytes.h"
#include "module.h"
#include <stdlib.h>
#include <string.h>

static uint32_t bits_of(CK_MECHANISM_TYPE type)
{
    return type == CKM_SHA256 ? 256 : type == CKM_SHA384 ? 384 : type == CKM_SHA512 ? 512 : 0;
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = mechanism == NULL               ? CKR_ARGUMENTS_BAD
         : bits_of(mechanism->type) == 0 ? CKR_MECHANISM_INVALID
         : mechanism->parameter_size != 0
             ? CKR_MECHANISM_PARAM_INVALID
             : p11_operation_begin(found, P11_DIGEST, mechanism->type, NULL);
    if (rv == CKR_OK) {
        p11_hash_begin(&found->operations[P11_DIGEST].hash, bits_of(mechanism->type));
    }
    p11_leave(found);
    return rv;
}

/* The end, with the last bytes; asking for the size ends nothing. */
static CK_RV end(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG data_size,
                 CK_BYTE *output, CK_ULONG *output_size)
{
    uint8_t digest[P11_DIGEST_MAX];
    CK_ULONG size = operation->hash.bits / 8;
    CK_RV rv = p11_room(output, output_size, size);
    if (rv == CKR_OK && output != NULL) {
        p11_hash_add(&operation->hash, data, data_size);
        p11_hash_end(&operation->hash, digest);
        memcpy(output, digest, size);
        p11_operation_end(operation);
    }
    return rv;
}

CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
               CK_ULONG *output_size)
{
    return p11_operation_whole(session, P11_DIGEST, end, data, data_size, output, output_size);
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_DIGEST, &operation);
    if (rv == CKR_OK && data == NULL && data_size != 0) {
        p11_operation_end(operation);
        rv = CKR_ARGUMENTS_BAD;
    } else if (rv == CKR_OK) {
        operation->is_multiple = true;
        p11_hash_add(&operation->hash, data, data_size);
    }
    p11_leave(found);
    return rv;
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_DIGEST, &operation);
    if (rv == CKR_OK && output_size == NULL) {
        p11_operation_end(operation);
        rv = CKR_ARGUMENTS_BAD;
    } else if (rv == CKR_OK) {
        rv = end(operation, NULL, 0, output, output_size);
    }
    p11_leave(found);
    return rv;
}

/* ---- random ---- */

/* From the enclave, in blocks: each byte is handed out once and wiped. */
static CK_RV random_some(struct p11_session *session, CK_BYTE *output, CK_ULONG size)
{
    if (session->random == NULL) {
        session->random = malloc(P11_RANDOM_MAX);
        session->random_left = 0;
        if (session->random == NULL) {
            return CKR_HOST_MEMORY;
        }
    }
    if (session->random_left < size) {
        const struct p11_use use = {.operation = CSN_WIRE_TRANSIT_RANDOM,
                                    .output_size = P11_RANDOM_MAX};
        size_t came = P11_RANDOM_MAX;
        session->random_left = 0;
        CK_RV rv = p11_service_use(p11_service(), NULL, &use, session->random, &came);
        if (rv != CKR_OK || came != P11_RANDOM_MAX) {
            return rv != CKR_OK ? rv : CKR_DEVICE_ERROR;
        }
        session->random_left = P11_RANDOM_MAX;
    }
    session->random_left -= (uint32_t)size;
    memcpy(output, session->random + session->random_left, size);
    csn_wipe(session->random + session->random_left, size);
    return CKR_OK;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG output_size)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = output == NULL && output_size != 0 ? CKR_ARGUMENTS_BAD : CKR_OK;
    for (CK_ULONG done = 0; rv == CKR_OK && done < output_size;) {
        CK_ULONG part = output_size - done < P11_RANDOM_MAX ? output_size - done : P11_RANDOM_MAX;
        rv = random_some(found, output + done, part);
        done += part;
    }
    p11_leave(found);
    return rv;
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG seed_size)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    p11_leave(found);
    return seed == NULL && seed_size != 0 ? CKR_ARGUMENTS_BAD : CKR_RANDOM_SEED_NOT_SUPPORTED;
}
