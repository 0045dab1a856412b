/* SPDX-License-Identifier: Apache-2.0 */
/*
 * absent.c: what this module does not do, and says so: tokens and PINs are made with the tenant's
 * credentials, objects from outside with transit's import, no key is wrapped, and the 3.0 functions
 * that work on one signature at a time are those of 2.40.
 */
#include "module.h"

/* As all functions: an ill handle is told before what is not supported. */
static CK_RV absent(CK_SESSION_HANDLE session)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv == CKR_OK) {
        p11_leave(found);
    }
    return rv != CKR_OK ? rv : CKR_FUNCTION_NOT_SUPPORTED;
}

/* The parameters are the standard's; none of them is looked at. */
#define ABSENT(name, parameters)                                                                   \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        return absent(session);                                                                    \
    }
#pragma GCC diagnostic ignored "-Wunused-parameter"

ABSENT(C_InitPIN, (CK_S, CK_IN(pin)))
ABSENT(C_SetPIN, (CK_S, CK_IN(before), CK_IN(after)))
ABSENT(C_GetOperationState, (CK_S, CK_OUT(state)))
ABSENT(C_SetOperationState,
       (CK_S, CK_IN(state), CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE sign_key))
ABSENT(C_CreateObject, (CK_S, struct ck_attribute *items, CK_ULONG count, CK_OBJECT_HANDLE *object))
ABSENT(C_CopyObject, (CK_S, CK_OBJECT_HANDLE object, struct ck_attribute *items, CK_ULONG count,
                      CK_OBJECT_HANDLE *copy))
ABSENT(C_DigestKey, (CK_S, CK_OBJECT_HANDLE key))
ABSENT(C_SignRecoverInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))
ABSENT(C_SignRecover, (CK_S, CK_IN(data), CK_OUT(output)))
ABSENT(C_VerifyRecoverInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))
ABSENT(C_VerifyRecover, (CK_S, CK_IN(signature), CK_OUT(output)))
ABSENT(C_DigestEncryptUpdate, (CK_S, CK_IN(data), CK_OUT(output)))
ABSENT(C_DecryptDigestUpdate, (CK_S, CK_IN(data), CK_OUT(output)))
ABSENT(C_SignEncryptUpdate, (CK_S, CK_IN(data), CK_OUT(output)))
ABSENT(C_DecryptVerifyUpdate, (CK_S, CK_IN(data), CK_OUT(output)))
ABSENT(C_WrapKey, (CK_S, CK_MECH, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE key, CK_OUT(output)))
ABSENT(C_UnwrapKey, (CK_S, CK_MECH, CK_OBJECT_HANDLE with, CK_IN(wrapped),
                     struct ck_attribute *items, CK_ULONG count, CK_OBJECT_HANDLE *key))
ABSENT(C_EncryptMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(aad)))
ABSENT(C_EncryptMessageNext, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data),
                              CK_OUT(output), CK_FLAGS flags))
ABSENT(C_DecryptMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(aad)))
ABSENT(C_DecryptMessageNext, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data),
                              CK_OUT(output), CK_FLAGS flags))
ABSENT(C_MessageSignInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))
ABSENT(C_SignMessage, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_OUT(output)))
ABSENT(C_SignMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size))
ABSENT(C_SignMessageNext,
       (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_OUT(output)))
ABSENT(C_MessageSignFinal, (CK_S))
ABSENT(C_MessageVerifyInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))
ABSENT(C_VerifyMessage,
       (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_IN(signature)))
ABSENT(C_VerifyMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size))
ABSENT(C_VerifyMessageNext,
       (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_IN(signature)))
ABSENT(C_MessageVerifyFinal, (CK_S))

CK_RV C_InitToken(CK_SLOT_ID slot, CK_IN(pin), CK_UTF8CHAR *label)
{
    if (p11_lock() == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    p11_unlock();
    return slot != P11_SLOT ? CKR_SLOT_ID_INVALID : CKR_FUNCTION_NOT_SUPPORTED;
}

/* Of the times of parallel sessions: the standard has them say this, whatever is asked. */
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
    CK_RV rv = absent(session);
    return rv == CKR_FUNCTION_NOT_SUPPORTED ? CKR_FUNCTION_NOT_PARALLEL : rv;
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE session)
{
    return C_GetFunctionStatus(session);
}

/* The token neither comes nor goes. */
CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    if (p11_lock() == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    p11_unlock();
    return slot == NULL || reserved != NULL ? CKR_ARGUMENTS_BAD : CKR_FUNCTION_NOT_SUPPORTED;
}
