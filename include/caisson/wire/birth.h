/* SPDX-License-Identifier: Apache-2.0 */
/*
 * birth.h: the birth certificate of a key that an enclave keeps (docs/WIRE.md, 16).
 *
 * struct csn_wire_birth, then public_size bytes of public key, then 64 bytes of signature over all
 * before it: a statement of the enclave (label CSN_WIRE_BIRTH_LABEL) under the key that its
 * evidence names. Nothing after that. It says what was made where; it is the image, which the
 * evidence measures, that gives no private half away.
 *
 * Little-endian, no padding that is not named. Changes: version 1, first.
 */
#ifndef CAISSON_WIRE_BIRTH_H
#define CAISSON_WIRE_BIRTH_H

#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_BIRTH_MAGIC      UINT32_C(0x424e5343) /* "CSNB" */
#define CSN_WIRE_BIRTH_VERSION    UINT32_C(1)
#define CSN_WIRE_BIRTH_LABEL      "caisson-birth-v1"
#define CSN_WIRE_BIRTH_NAME_SIZE  64u
#define CSN_WIRE_BIRTH_PUBLIC_MAX 1184u
#define CSN_WIRE_BIRTH_SIZE_MAX   1512u /* with public key and signature */

/* key_type; public key: raw 32 bytes of Curve25519, uncompressed points (SEC 1), FIPS 203's ek */
enum csn_wire_key_type {
    CSN_WIRE_KEY_TYPE_AES_256 = 1,    /* no public half, as the next two and FF1's */
    CSN_WIRE_KEY_TYPE_HMAC = 2,       /* 32 bytes */
    CSN_WIRE_KEY_TYPE_FF1 = 3,        /* AES-256 */
    CSN_WIRE_KEY_TYPE_ED25519 = 4,    /* 32 */
    CSN_WIRE_KEY_TYPE_P256 = 5,       /* 65 */
    CSN_WIRE_KEY_TYPE_P384 = 6,       /* 97 */
    CSN_WIRE_KEY_TYPE_X25519 = 7,     /* 32 */
    CSN_WIRE_KEY_TYPE_ML_KEM_768 = 8, /* 1184 */
    CSN_WIRE_KEY_TYPE_LAST = 8,
};

/* origin */
#define CSN_WIRE_BIRTH_GENERATED UINT32_C(1) /* inside, from the enclave's generator */
#define CSN_WIRE_BIRTH_IMPORTED  UINT32_C(2) /* came in sealed: whoever sent it has it too */

/* operations that the key's policy allows, as when it was made */
#define CSN_WIRE_OPERATION_ENCRYPT     UINT32_C(0x0001)
#define CSN_WIRE_OPERATION_DECRYPT     UINT32_C(0x0002)
#define CSN_WIRE_OPERATION_SIGN        UINT32_C(0x0004)
#define CSN_WIRE_OPERATION_VERIFY      UINT32_C(0x0008)
#define CSN_WIRE_OPERATION_MAC         UINT32_C(0x0010)
#define CSN_WIRE_OPERATION_DERIVE      UINT32_C(0x0020)
#define CSN_WIRE_OPERATION_AGREE       UINT32_C(0x0040)
#define CSN_WIRE_OPERATION_ENCAPSULATE UINT32_C(0x0080)
#define CSN_WIRE_OPERATION_DECAPSULATE UINT32_C(0x0100)
#define CSN_WIRE_OPERATION_DATA_KEY    UINT32_C(0x0200)
#define CSN_WIRE_OPERATION_REWRAP      UINT32_C(0x0400)
#define CSN_WIRE_OPERATION_FPE         UINT32_C(0x0800)
#define CSN_WIRE_OPERATIONS_ALL        UINT32_C(0x0fff)

#define CSN_WIRE_BIRTH_DERIVED UINT32_C(1) /* flags: used through keys that are derived from it */

struct csn_wire_birth {
    uint32_t magic;
    uint32_t version;
    uint32_t size;        /* bytes, signature included */
    uint32_t key_type;    /* enum csn_wire_key_type */
    uint32_t key_version; /* from 1 */
    uint32_t origin;      /* CSN_WIRE_BIRTH_* */
    uint32_t operations;  /* CSN_WIRE_OPERATION_* */
    uint32_t flags;
    uint64_t grant_version;   /* under which it was made */
    uint64_t change;          /* number of that change in the tenant's store, from 1 */
    uint64_t records_max;     /* uses of one version of the key; 0: no limit */
    uint64_t reserved;        /* zero */
    uint8_t tenant[32];       /* id */
    uint8_t boot_id[16];      /* of the instance that made it, maybe an earlier one; zeros: none */
    uint8_t measurement[48];  /* of that instance's image */
    uint8_t grant_digest[32]; /* of that grant */
    char
        name[CSN_WIRE_BIRTH_NAME_SIZE]; /* [A-Za-z0-9._-], at least one, then zeros, at least one */
    uint32_t public_size;
    uint32_t reserved2; /* zero */
};
_Static_assert(sizeof(struct csn_wire_birth) == 264, "size");
_Static_assert(offsetof(struct csn_wire_birth, grant_version) == 32, "offset");
_Static_assert(offsetof(struct csn_wire_birth, tenant) == 64, "offset");
_Static_assert(offsetof(struct csn_wire_birth, name) == 192, "offset");
_Static_assert(offsetof(struct csn_wire_birth, public_size) == 256, "offset");
_Static_assert(sizeof(struct csn_wire_birth) + CSN_WIRE_BIRTH_PUBLIC_MAX + 64 ==
                   CSN_WIRE_BIRTH_SIZE_MAX,
               "size");

#endif
