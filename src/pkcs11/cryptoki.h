/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cryptoki.h: as much of PKCS #11 (2.40 and 3.0) as this module speaks: types, numbers, layouts.
 *
 * Names and values are the standard's, since programs are compiled against them; a test holds
 * those of 2.40 to Debian's p11-kit header. Functions stand in one list, in the standard's order,
 * which is that of the tables that callers get.
 */
#ifndef CSV_PKCS11_CRYPTOKI_H
#define CSV_PKCS11_CRYPTOKI_H

typedef unsigned char CK_BYTE;
typedef unsigned char CK_BBOOL;
typedef unsigned char CK_UTF8CHAR;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef CK_ULONG CK_FLAGS;
typedef CK_ULONG CK_SLOT_ID;
typedef CK_ULONG CK_SESSION_HANDLE;
typedef CK_ULONG CK_OBJECT_HANDLE;
typedef CK_ULONG CK_MECHANISM_TYPE;
typedef CK_ULONG CK_ATTRIBUTE_TYPE;
typedef CK_ULONG CK_USER_TYPE;

#define CK_TRUE                    1
#define CK_FALSE                   0
#define CK_UNAVAILABLE_INFORMATION (~0UL)
#define CK_INVALID_HANDLE          0UL

struct ck_version {
    CK_BYTE major, minor;
};
struct ck_info {
    struct ck_version cryptoki;
    CK_UTF8CHAR manufacturer[32];
    CK_FLAGS flags;
    CK_UTF8CHAR description[32];
    struct ck_version library;
};
struct ck_slot_info {
    CK_UTF8CHAR description[64];
    CK_UTF8CHAR manufacturer[32];
    CK_FLAGS flags;
    struct ck_version hardware, firmware;
};
struct ck_token_info {
    CK_UTF8CHAR label[32];
    CK_UTF8CHAR manufacturer[32];
    CK_UTF8CHAR model[16];
    CK_UTF8CHAR serial[16];
    CK_FLAGS flags;
    CK_ULONG session_count_max, session_count, rw_session_count_max, rw_session_count;
    CK_ULONG pin_size_max, pin_size_min;
    CK_ULONG public_memory, free_public_memory, private_memory, free_private_memory;
    struct ck_version hardware, firmware;
    CK_UTF8CHAR time[16];
};
struct ck_session_info {
    CK_SLOT_ID slot;
    CK_ULONG state;
    CK_FLAGS flags;
    CK_ULONG device_error;
};
struct ck_attribute {
    CK_ATTRIBUTE_TYPE type;
    void *value;
    CK_ULONG size;
};
struct ck_mechanism {
    CK_MECHANISM_TYPE type;
    void *parameter;
    CK_ULONG parameter_size;
};
struct ck_mechanism_info {
    CK_ULONG key_size_min, key_size_max;
    CK_FLAGS flags;
};
struct ck_initialize_args {
    CK_RV (*create_mutex)(void **mutex);
    CK_RV (*destroy_mutex)(void *mutex);
    CK_RV (*lock_mutex)(void *mutex);
    CK_RV (*unlock_mutex)(void *mutex);
    CK_FLAGS flags;
    void *reserved;
};
struct ck_gcm_params {
    CK_BYTE *iv;
    CK_ULONG iv_size, iv_bits;
    CK_BYTE *aad;
    CK_ULONG aad_size, tag_bits;
};
/* 3.0: one message of C_EncryptMessage. */
struct ck_gcm_message_params {
    CK_BYTE *iv;
    CK_ULONG iv_size, iv_fixed_bits, iv_generator;
    CK_BYTE *tag;
    CK_ULONG tag_bits;
};
struct ck_ecdh1_derive_params {
    CK_ULONG kdf;
    CK_ULONG shared_data_size;
    CK_BYTE *shared_data;
    CK_ULONG public_size;
    CK_BYTE *public_data;
};
struct ck_eddsa_params {
    CK_BBOOL prehash;
    CK_ULONG context_size;
    CK_BYTE *context;
};
struct ck_interface {
    CK_UTF8CHAR *name;
    void *functions;
    CK_FLAGS flags;
};

typedef CK_RV (*ck_notify)(CK_SESSION_HANDLE session, CK_ULONG event, void *application);

/* ---- results ---- */
#define CKR_OK                             0x000UL
#define CKR_CANCEL                         0x001UL
#define CKR_HOST_MEMORY                    0x002UL
#define CKR_SLOT_ID_INVALID                0x003UL
#define CKR_GENERAL_ERROR                  0x005UL
#define CKR_FUNCTION_FAILED                0x006UL
#define CKR_ARGUMENTS_BAD                  0x007UL
#define CKR_NEED_TO_CREATE_THREADS         0x009UL
#define CKR_CANT_LOCK                      0x00aUL
#define CKR_ATTRIBUTE_READ_ONLY            0x010UL
#define CKR_ATTRIBUTE_SENSITIVE            0x011UL
#define CKR_ATTRIBUTE_TYPE_INVALID         0x012UL
#define CKR_ATTRIBUTE_VALUE_INVALID        0x013UL
#define CKR_ACTION_PROHIBITED              0x01bUL
#define CKR_DATA_INVALID                   0x020UL
#define CKR_DATA_LEN_RANGE                 0x021UL
#define CKR_DEVICE_ERROR                   0x030UL
#define CKR_DEVICE_MEMORY                  0x031UL
#define CKR_DEVICE_REMOVED                 0x032UL
#define CKR_ENCRYPTED_DATA_INVALID         0x040UL
#define CKR_ENCRYPTED_DATA_LEN_RANGE       0x041UL
#define CKR_FUNCTION_CANCELED              0x050UL
#define CKR_FUNCTION_NOT_PARALLEL          0x051UL
#define CKR_FUNCTION_NOT_SUPPORTED         0x054UL
#define CKR_KEY_HANDLE_INVALID             0x060UL
#define CKR_KEY_SIZE_RANGE                 0x062UL
#define CKR_KEY_TYPE_INCONSISTENT          0x063UL
#define CKR_KEY_FUNCTION_NOT_PERMITTED     0x068UL
#define CKR_KEY_UNEXTRACTABLE              0x06aUL
#define CKR_MECHANISM_INVALID              0x070UL
#define CKR_MECHANISM_PARAM_INVALID        0x071UL
#define CKR_OBJECT_HANDLE_INVALID          0x082UL
#define CKR_OPERATION_ACTIVE               0x090UL
#define CKR_OPERATION_NOT_INITIALIZED      0x091UL
#define CKR_PIN_INCORRECT                  0x0a0UL
#define CKR_SESSION_CLOSED                 0x0b0UL
#define CKR_SESSION_COUNT                  0x0b1UL
#define CKR_SESSION_HANDLE_INVALID         0x0b3UL
#define CKR_SESSION_PARALLEL_NOT_SUPPORTED 0x0b4UL
#define CKR_SESSION_READ_ONLY              0x0b5UL
#define CKR_SIGNATURE_INVALID              0x0c0UL
#define CKR_SIGNATURE_LEN_RANGE            0x0c1UL
#define CKR_TEMPLATE_INCOMPLETE            0x0d0UL
#define CKR_TEMPLATE_INCONSISTENT          0x0d1UL
#define CKR_TOKEN_NOT_PRESENT              0x0e0UL
#define CKR_USER_ALREADY_LOGGED_IN         0x100UL
#define CKR_USER_NOT_LOGGED_IN             0x101UL
#define CKR_USER_TYPE_INVALID              0x103UL
#define CKR_RANDOM_SEED_NOT_SUPPORTED      0x120UL
#define CKR_DOMAIN_PARAMS_INVALID          0x130UL
#define CKR_CURVE_NOT_SUPPORTED            0x140UL
#define CKR_BUFFER_TOO_SMALL               0x150UL
#define CKR_CRYPTOKI_NOT_INITIALIZED       0x190UL
#define CKR_CRYPTOKI_ALREADY_INITIALIZED   0x191UL
#define CKR_AEAD_DECRYPT_FAILED            0x042UL

/* ---- flags ---- */
#define CKF_LIBRARY_CANT_CREATE_OS_THREADS 0x01UL
#define CKF_OS_LOCKING_OK                  0x02UL
#define CKF_TOKEN_PRESENT                  0x01UL
#define CKF_RNG                            0x01UL
#define CKF_LOGIN_REQUIRED                 0x04UL
#define CKF_USER_PIN_INITIALIZED           0x08UL
#define CKF_TOKEN_INITIALIZED              0x400UL
#define CKF_RW_SESSION                     0x02UL
#define CKF_SERIAL_SESSION                 0x04UL
#define CKF_HW                             0x00000001UL
#define CKF_MESSAGE_ENCRYPT                0x00000002UL
#define CKF_MESSAGE_DECRYPT                0x00000004UL
#define CKF_ENCRYPT                        0x00000100UL
#define CKF_DECRYPT                        0x00000200UL
#define CKF_DIGEST                         0x00000400UL
#define CKF_SIGN                           0x00000800UL
#define CKF_VERIFY                         0x00002000UL
#define CKF_GENERATE                       0x00008000UL
#define CKF_GENERATE_KEY_PAIR              0x00010000UL
#define CKF_DERIVE                         0x00080000UL
#define CKF_EC_F_P                         0x00100000UL
#define CKF_EC_NAMEDCURVE                  0x00800000UL
#define CKF_EC_UNCOMPRESS                  0x01000000UL
#define CKF_INTERFACE_FORK_SAFE            0x01UL

#define CKU_SO               0UL
#define CKU_USER             1UL
#define CKU_CONTEXT_SPECIFIC 2UL

#define CKS_RO_PUBLIC_SESSION 0UL
#define CKS_RO_USER_FUNCTIONS 1UL
#define CKS_RW_PUBLIC_SESSION 2UL
#define CKS_RW_USER_FUNCTIONS 3UL

/* ---- objects ---- */
#define CKO_DATA        0UL
#define CKO_CERTIFICATE 1UL
#define CKO_PUBLIC_KEY  2UL
#define CKO_PRIVATE_KEY 3UL
#define CKO_SECRET_KEY  4UL

#define CKC_X_509 0UL

#define CKK_EC             0x03UL
#define CKK_GENERIC_SECRET 0x10UL
#define CKK_AES            0x1fUL
#define CKK_SHA256_HMAC    0x2bUL
#define CKK_SHA384_HMAC    0x2cUL
#define CKK_SHA512_HMAC    0x2dUL
#define CKK_EC_EDWARDS     0x40UL
#define CKK_EC_MONTGOMERY  0x41UL

#define CKA_CLASS               0x000UL
#define CKA_TOKEN               0x001UL
#define CKA_PRIVATE             0x002UL
#define CKA_LABEL               0x003UL
#define CKA_UNIQUE_ID           0x004UL
#define CKA_APPLICATION         0x010UL
#define CKA_VALUE               0x011UL
#define CKA_CERTIFICATE_TYPE    0x080UL
#define CKA_ISSUER              0x081UL
#define CKA_SERIAL_NUMBER       0x082UL
#define CKA_TRUSTED             0x086UL
#define CKA_CHECK_VALUE         0x090UL
#define CKA_KEY_TYPE            0x100UL
#define CKA_SUBJECT             0x101UL
#define CKA_ID                  0x102UL
#define CKA_SENSITIVE           0x103UL
#define CKA_ENCRYPT             0x104UL
#define CKA_DECRYPT             0x105UL
#define CKA_WRAP                0x106UL
#define CKA_UNWRAP              0x107UL
#define CKA_SIGN                0x108UL
#define CKA_SIGN_RECOVER        0x109UL
#define CKA_VERIFY              0x10aUL
#define CKA_VERIFY_RECOVER      0x10bUL
#define CKA_DERIVE              0x10cUL
#define CKA_START_DATE          0x110UL
#define CKA_END_DATE            0x111UL
#define CKA_VALUE_LEN           0x161UL
#define CKA_EXTRACTABLE         0x162UL
#define CKA_LOCAL               0x163UL
#define CKA_NEVER_EXTRACTABLE   0x164UL
#define CKA_ALWAYS_SENSITIVE    0x165UL
#define CKA_KEY_GEN_MECHANISM   0x166UL
#define CKA_MODIFIABLE          0x170UL
#define CKA_COPYABLE            0x171UL
#define CKA_DESTROYABLE         0x172UL
#define CKA_EC_PARAMS           0x180UL
#define CKA_EC_POINT            0x181UL
#define CKA_ALWAYS_AUTHENTICATE 0x202UL
#define CKA_WRAP_WITH_TRUSTED   0x210UL
#define CKA_ALLOWED_MECHANISMS  0x40000600UL
#define CKA_PUBLIC_KEY_INFO     0x129UL

/* ---- mechanisms ---- */
#define CKM_SHA256                     0x0250UL
#define CKM_SHA256_HMAC                0x0251UL
#define CKM_SHA384                     0x0260UL
#define CKM_SHA384_HMAC                0x0261UL
#define CKM_SHA512                     0x0270UL
#define CKM_SHA512_HMAC                0x0271UL
#define CKM_GENERIC_SECRET_KEY_GEN     0x0350UL
#define CKM_EC_KEY_PAIR_GEN            0x1040UL
#define CKM_ECDSA                      0x1041UL
#define CKM_ECDSA_SHA256               0x1044UL
#define CKM_ECDSA_SHA384               0x1045UL
#define CKM_ECDSA_SHA512               0x1046UL
#define CKM_ECDH1_DERIVE               0x1050UL
#define CKM_EC_EDWARDS_KEY_PAIR_GEN    0x1055UL
#define CKM_EC_MONTGOMERY_KEY_PAIR_GEN 0x1056UL
#define CKM_EDDSA                      0x1057UL
#define CKM_AES_KEY_GEN                0x1080UL
#define CKM_AES_GCM                    0x1087UL

#define CKD_NULL            1UL
#define CKG_NO_GENERATE     0UL
#define CKG_GENERATE        1UL
#define CKG_GENERATE_RANDOM 3UL
#define CKF_END_OF_MESSAGE  1UL

/* ---- functions: one row each, name and parameters ---- */
#define CK_S         CK_SESSION_HANDLE session
#define CK_IN(name)  CK_BYTE *name, CK_ULONG name##_size
#define CK_OUT(name) CK_BYTE *name, CK_ULONG *name##_size
#define CK_MECH      struct ck_mechanism *mechanism

#define CK_FUNCTIONS_240(F)                                                                        \
    F(C_Initialize, (void *args))                                                                  \
    F(C_Finalize, (void *reserved))                                                                \
    F(C_GetInfo, (struct ck_info * info))                                                          \
    F(C_GetFunctionList, (struct ck_functions * *list))                                            \
    F(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID * slots, CK_ULONG * count))                     \
    F(C_GetSlotInfo, (CK_SLOT_ID slot, struct ck_slot_info * info))                                \
    F(C_GetTokenInfo, (CK_SLOT_ID slot, struct ck_token_info * info))                              \
    F(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE * types, CK_ULONG * count))          \
    F(C_GetMechanismInfo,                                                                          \
      (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, struct ck_mechanism_info * info))                  \
    F(C_InitToken, (CK_SLOT_ID slot, CK_IN(pin), CK_UTF8CHAR * label))                             \
    F(C_InitPIN, (CK_S, CK_IN(pin)))                                                               \
    F(C_SetPIN, (CK_S, CK_IN(before), CK_IN(after)))                                               \
    F(C_OpenSession, (CK_SLOT_ID slot, CK_FLAGS flags, void *application, ck_notify notify,        \
                      CK_SESSION_HANDLE *session))                                                 \
    F(C_CloseSession, (CK_S))                                                                      \
    F(C_CloseAllSessions, (CK_SLOT_ID slot))                                                       \
    F(C_GetSessionInfo, (CK_S, struct ck_session_info * info))                                     \
    F(C_GetOperationState, (CK_S, CK_OUT(state)))                                                  \
    F(C_SetOperationState,                                                                         \
      (CK_S, CK_IN(state), CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE sign_key))            \
    F(C_Login, (CK_S, CK_USER_TYPE user, CK_IN(pin)))                                              \
    F(C_Logout, (CK_S))                                                                            \
    F(C_CreateObject,                                                                              \
      (CK_S, struct ck_attribute * items, CK_ULONG count, CK_OBJECT_HANDLE * object))              \
    F(C_CopyObject, (CK_S, CK_OBJECT_HANDLE object, struct ck_attribute * items, CK_ULONG count,   \
                     CK_OBJECT_HANDLE * copy))                                                     \
    F(C_DestroyObject, (CK_S, CK_OBJECT_HANDLE object))                                            \
    F(C_GetObjectSize, (CK_S, CK_OBJECT_HANDLE object, CK_ULONG * size))                           \
    F(C_GetAttributeValue,                                                                         \
      (CK_S, CK_OBJECT_HANDLE object, struct ck_attribute * items, CK_ULONG count))                \
    F(C_SetAttributeValue,                                                                         \
      (CK_S, CK_OBJECT_HANDLE object, struct ck_attribute * items, CK_ULONG count))                \
    F(C_FindObjectsInit, (CK_S, struct ck_attribute * items, CK_ULONG count))                      \
    F(C_FindObjects, (CK_S, CK_OBJECT_HANDLE * objects, CK_ULONG count_max, CK_ULONG * count))     \
    F(C_FindObjectsFinal, (CK_S))                                                                  \
    F(C_EncryptInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                        \
    F(C_Encrypt, (CK_S, CK_IN(data), CK_OUT(output)))                                              \
    F(C_EncryptUpdate, (CK_S, CK_IN(data), CK_OUT(output)))                                        \
    F(C_EncryptFinal, (CK_S, CK_OUT(output)))                                                      \
    F(C_DecryptInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                        \
    F(C_Decrypt, (CK_S, CK_IN(data), CK_OUT(output)))                                              \
    F(C_DecryptUpdate, (CK_S, CK_IN(data), CK_OUT(output)))                                        \
    F(C_DecryptFinal, (CK_S, CK_OUT(output)))                                                      \
    F(C_DigestInit, (CK_S, CK_MECH))                                                               \
    F(C_Digest, (CK_S, CK_IN(data), CK_OUT(output)))                                               \
    F(C_DigestUpdate, (CK_S, CK_IN(data)))                                                         \
    F(C_DigestKey, (CK_S, CK_OBJECT_HANDLE key))                                                   \
    F(C_DigestFinal, (CK_S, CK_OUT(output)))                                                       \
    F(C_SignInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                           \
    F(C_Sign, (CK_S, CK_IN(data), CK_OUT(output)))                                                 \
    F(C_SignUpdate, (CK_S, CK_IN(data)))                                                           \
    F(C_SignFinal, (CK_S, CK_OUT(output)))                                                         \
    F(C_SignRecoverInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                    \
    F(C_SignRecover, (CK_S, CK_IN(data), CK_OUT(output)))                                          \
    F(C_VerifyInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                         \
    F(C_Verify, (CK_S, CK_IN(data), CK_IN(signature)))                                             \
    F(C_VerifyUpdate, (CK_S, CK_IN(data)))                                                         \
    F(C_VerifyFinal, (CK_S, CK_IN(signature)))                                                     \
    F(C_VerifyRecoverInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                  \
    F(C_VerifyRecover, (CK_S, CK_IN(signature), CK_OUT(output)))                                   \
    F(C_DigestEncryptUpdate, (CK_S, CK_IN(data), CK_OUT(output)))                                  \
    F(C_DecryptDigestUpdate, (CK_S, CK_IN(data), CK_OUT(output)))                                  \
    F(C_SignEncryptUpdate, (CK_S, CK_IN(data), CK_OUT(output)))                                    \
    F(C_DecryptVerifyUpdate, (CK_S, CK_IN(data), CK_OUT(output)))                                  \
    F(C_GenerateKey,                                                                               \
      (CK_S, CK_MECH, struct ck_attribute * items, CK_ULONG count, CK_OBJECT_HANDLE * key))        \
    F(C_GenerateKeyPair,                                                                           \
      (CK_S, CK_MECH, struct ck_attribute * public_items, CK_ULONG public_count,                   \
       struct ck_attribute * private_items, CK_ULONG private_count, CK_OBJECT_HANDLE * public_key, \
       CK_OBJECT_HANDLE * private_key))                                                            \
    F(C_WrapKey, (CK_S, CK_MECH, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE key, CK_OUT(output)))     \
    F(C_UnwrapKey, (CK_S, CK_MECH, CK_OBJECT_HANDLE with, CK_IN(wrapped),                          \
                    struct ck_attribute * items, CK_ULONG count, CK_OBJECT_HANDLE * key))          \
    F(C_DeriveKey, (CK_S, CK_MECH, CK_OBJECT_HANDLE base, struct ck_attribute * items,             \
                    CK_ULONG count, CK_OBJECT_HANDLE * key))                                       \
    F(C_SeedRandom, (CK_S, CK_IN(seed)))                                                           \
    F(C_GenerateRandom, (CK_S, CK_IN(output)))                                                     \
    F(C_GetFunctionStatus, (CK_S))                                                                 \
    F(C_CancelFunction, (CK_S))                                                                    \
    F(C_WaitForSlotEvent, (CK_FLAGS flags, CK_SLOT_ID * slot, void *reserved))

#define CK_FUNCTIONS_300(F)                                                                        \
    F(C_GetInterfaceList, (struct ck_interface * list, CK_ULONG * count))                          \
    F(C_GetInterface, (CK_UTF8CHAR * name, struct ck_version * version,                            \
                       struct ck_interface * *interface, CK_FLAGS flags))                          \
    F(C_LoginUser, (CK_S, CK_USER_TYPE user, CK_IN(pin), CK_IN(name)))                             \
    F(C_SessionCancel, (CK_S, CK_FLAGS flags))                                                     \
    F(C_MessageEncryptInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                 \
    F(C_EncryptMessage,                                                                            \
      (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(aad), CK_IN(data), CK_OUT(output)))   \
    F(C_EncryptMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(aad)))         \
    F(C_EncryptMessageNext, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data),          \
                             CK_OUT(output), CK_FLAGS flags))                                      \
    F(C_MessageEncryptFinal, (CK_S))                                                               \
    F(C_MessageDecryptInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                 \
    F(C_DecryptMessage,                                                                            \
      (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(aad), CK_IN(data), CK_OUT(output)))   \
    F(C_DecryptMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(aad)))         \
    F(C_DecryptMessageNext, (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data),          \
                             CK_OUT(output), CK_FLAGS flags))                                      \
    F(C_MessageDecryptFinal, (CK_S))                                                               \
    F(C_MessageSignInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                    \
    F(C_SignMessage,                                                                               \
      (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_OUT(output)))               \
    F(C_SignMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size))                        \
    F(C_SignMessageNext,                                                                           \
      (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_OUT(output)))               \
    F(C_MessageSignFinal, (CK_S))                                                                  \
    F(C_MessageVerifyInit, (CK_S, CK_MECH, CK_OBJECT_HANDLE key))                                  \
    F(C_VerifyMessage,                                                                             \
      (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_IN(signature)))             \
    F(C_VerifyMessageBegin, (CK_S, void *parameter, CK_ULONG parameter_size))                      \
    F(C_VerifyMessageNext,                                                                         \
      (CK_S, void *parameter, CK_ULONG parameter_size, CK_IN(data), CK_IN(signature)))             \
    F(C_MessageVerifyFinal, (CK_S))

struct ck_functions;
#define CK_DECLARE(name, parameters) __attribute__((visibility("default"))) CK_RV name parameters;
#define CK_FIELD(name, parameters)   CK_RV(*name) parameters;
CK_FUNCTIONS_240(CK_DECLARE)
CK_FUNCTIONS_300(CK_DECLARE)

/* What C_GetFunctionList() gives. */
struct ck_functions {
    struct ck_version version;
    CK_FUNCTIONS_240(CK_FIELD)
};
/* What C_GetInterface() gives for 3.0; its beginning is as above. */
struct ck_functions_300 {
    struct ck_version version;
    CK_FUNCTIONS_240(CK_FIELD)
    CK_FUNCTIONS_300(CK_FIELD)
};

#endif
