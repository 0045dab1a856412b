/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transit.h: key operations in the binary form (docs/TRANSIT.md, section 6), and what a sealed text
 * of the transit enclave looks like.
 *
 * A request is struct csn_wire_transit_request and item_count items; the answer is struct
 * csn_wire_transit_answer and as many results, in the same order. An item is its head and then its
 * three byte strings; a result is its head and two. Each is followed by zeros up to a multiple of
 * eight bytes. Little-endian. What an operation does not use is empty or zero, and refused
 * otherwise. Changes: version 1, first.
 */
#ifndef CAISSON_WIRE_TRANSIT_H
#define CAISSON_WIRE_TRANSIT_H

#include <caisson/wire/outside.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_TRANSIT_VERSION   1u
#define CSN_WIRE_TRANSIT_OPERATION 64u /* in a record's prelude; POST /v1/transit/binary */
#define CSN_WIRE_TRANSIT_ITEM_MAX  512u
#define CSN_WIRE_TRANSIT_NAME_SIZE 64u /* 1 to 63 of [A-Za-z0-9._-], and zeros */

/* Of a key: the same numbers as in its birth certificate. */
enum csn_wire_transit_type {
    CSN_WIRE_TRANSIT_AES_256 = 1,
    CSN_WIRE_TRANSIT_HMAC = 2,
    CSN_WIRE_TRANSIT_FF1 = 3, /* AES-256 for FF1 */
    CSN_WIRE_TRANSIT_ED25519 = 4,
    CSN_WIRE_TRANSIT_P256 = 5,
    CSN_WIRE_TRANSIT_P384 = 6,
    CSN_WIRE_TRANSIT_X25519 = 7,
    CSN_WIRE_TRANSIT_ML_KEM_768 = 8,
};
#define CSN_WIRE_TRANSIT_TYPE_LAST CSN_WIRE_TRANSIT_ML_KEM_768

/* Operations; in masks bit 1 << number. A key allows some of the first 14. */
enum csn_wire_transit_operation {
    CSN_WIRE_TRANSIT_ENCRYPT = 1,
    CSN_WIRE_TRANSIT_DECRYPT = 2,
    CSN_WIRE_TRANSIT_REWRAP = 3,
    CSN_WIRE_TRANSIT_SIGN = 4,
    CSN_WIRE_TRANSIT_VERIFY = 5,
    CSN_WIRE_TRANSIT_MAC = 6, /* "hmac" */
    CSN_WIRE_TRANSIT_DERIVE = 7,
    CSN_WIRE_TRANSIT_AGREE = 8,
    CSN_WIRE_TRANSIT_ENCAPSULATE = 9,
    CSN_WIRE_TRANSIT_DECAPSULATE = 10,
    CSN_WIRE_TRANSIT_DATAKEY = 11,
    CSN_WIRE_TRANSIT_DATAKEY_OPEN = 12,
    CSN_WIRE_TRANSIT_FPE_ENCRYPT = 13,
    CSN_WIRE_TRANSIT_FPE_DECRYPT = 14,
    CSN_WIRE_TRANSIT_RANDOM = 15,
    CSN_WIRE_TRANSIT_CREATE = 16,
    CSN_WIRE_TRANSIT_INFO = 17,
    CSN_WIRE_TRANSIT_LIST = 18,
    CSN_WIRE_TRANSIT_ROTATE = 19,
    CSN_WIRE_TRANSIT_CONFIG = 20,
    CSN_WIRE_TRANSIT_DELETE = 21,
    CSN_WIRE_TRANSIT_IMPORT = 22,
    CSN_WIRE_TRANSIT_IMPORT_KEY = 23,
};
#define CSN_WIRE_TRANSIT_OPERATION_LAST CSN_WIRE_TRANSIT_IMPORT_KEY

/* As requests and policies write it; NULL: no such operation. */
static inline const char *csn_wire_transit_operation_name(uint32_t operation)
{
    static const char *const names[CSN_WIRE_TRANSIT_OPERATION_LAST + 1] = {
        [CSN_WIRE_TRANSIT_ENCRYPT] = "encrypt",
        [CSN_WIRE_TRANSIT_DECRYPT] = "decrypt",
        [CSN_WIRE_TRANSIT_REWRAP] = "rewrap",
        [CSN_WIRE_TRANSIT_SIGN] = "sign",
        [CSN_WIRE_TRANSIT_VERIFY] = "verify",
        [CSN_WIRE_TRANSIT_MAC] = "hmac",
        [CSN_WIRE_TRANSIT_DERIVE] = "derive",
        [CSN_WIRE_TRANSIT_AGREE] = "agree",
        [CSN_WIRE_TRANSIT_ENCAPSULATE] = "encapsulate",
        [CSN_WIRE_TRANSIT_DECAPSULATE] = "decapsulate",
        [CSN_WIRE_TRANSIT_DATAKEY] = "datakey",
        [CSN_WIRE_TRANSIT_DATAKEY_OPEN] = "datakey-open",
        [CSN_WIRE_TRANSIT_FPE_ENCRYPT] = "fpe-encrypt",
        [CSN_WIRE_TRANSIT_FPE_DECRYPT] = "fpe-decrypt",
        [CSN_WIRE_TRANSIT_RANDOM] = "random",
        [CSN_WIRE_TRANSIT_CREATE] = "create",
        [CSN_WIRE_TRANSIT_INFO] = "info",
        [CSN_WIRE_TRANSIT_LIST] = "list",
        [CSN_WIRE_TRANSIT_ROTATE] = "rotate",
        [CSN_WIRE_TRANSIT_CONFIG] = "config",
        [CSN_WIRE_TRANSIT_DELETE] = "delete",
        [CSN_WIRE_TRANSIT_IMPORT] = "import",
        [CSN_WIRE_TRANSIT_IMPORT_KEY] = "import-key",
    };
    return operation <= CSN_WIRE_TRANSIT_OPERATION_LAST ? names[operation] : NULL;
}

enum csn_wire_transit_hash {
    CSN_WIRE_TRANSIT_HASH_DEFAULT = 0, /* sha2-256; of p-384 sha2-384; of ed25519 its own */
    CSN_WIRE_TRANSIT_SHA2_256 = 1,
    CSN_WIRE_TRANSIT_SHA2_384 = 2,
    CSN_WIRE_TRANSIT_SHA2_512 = 3,
};

/* flags of a request */
#define CSN_WIRE_TRANSIT_PREHASHED 1u /* sign, verify: the input is the digest */
#define CSN_WIRE_TRANSIT_BARE      2u /* agree: the shared secret itself, no KDF */
#define CSN_WIRE_TRANSIT_WRAPPED   4u /* datakey: without the plain key */

struct csn_wire_transit_request {
    uint16_t version;     /* CSN_WIRE_TRANSIT_VERSION */
    uint16_t operation;   /* enum csn_wire_transit_operation */
    uint32_t item_count;  /* 1 .. CSN_WIRE_TRANSIT_ITEM_MAX; 1 for what manages keys */
    uint32_t key_version; /* of all items; 0: the newest, or what the sealed text says */
    uint16_t hash;        /* sign, verify, hmac: enum csn_wire_transit_hash */
    uint8_t flags;
    uint8_t name_size;                     /* 0: random, list, import-key */
    uint32_t output_size;                  /* derive, agree, datakey, random: bytes wanted; 0: 32 */
    uint32_t reserved[3];                  /* zero */
    char name[CSN_WIRE_TRANSIT_NAME_SIZE]; /* of the key, padded with zeros */
};
_Static_assert(sizeof(struct csn_wire_transit_request) == 96, "size");
_Static_assert(offsetof(struct csn_wire_transit_request, hash) == 12, "offset");
_Static_assert(offsetof(struct csn_wire_transit_request, name) == 32, "offset");

/* input, extra and context follow, then zeros. */
struct csn_wire_transit_item {
    uint32_t input_size;
    uint32_t extra_size;
    uint32_t context_size;
    uint32_t reserved; /* zero */
};
_Static_assert(sizeof(struct csn_wire_transit_item) == 16, "size");

struct csn_wire_transit_answer {
    uint16_t version;
    uint16_t operation;
    uint32_t item_count;
    uint64_t reserved;
    uint8_t key_id[16]; /* zero: no key was asked for */
};
_Static_assert(sizeof(struct csn_wire_transit_answer) == 32, "size");

/* output and second follow, then zeros. */
struct csn_wire_transit_result {
    uint32_t status;      /* enum csn_wire_status; not OK: no bytes follow */
    uint32_t key_version; /* that was used */
    uint32_t output_size;
    uint32_t second_size;
};
_Static_assert(sizeof(struct csn_wire_transit_result) == 16, "size");

/* ---- managing keys ---- */

#define CSN_WIRE_TRANSIT_KEY_DERIVED   1u /* each use has a context, and a key of its own from it */
#define CSN_WIRE_TRANSIT_KEY_DELETABLE 2u

#define CSN_WIRE_TRANSIT_GENERATED 1u
#define CSN_WIRE_TRANSIT_IMPORTED  2u

/* Input of create and import (and of import the extra: the sealed secret). */
struct csn_wire_transit_create {
    uint16_t type; /* enum csn_wire_transit_type */
    uint16_t flags;
    uint32_t operations; /* mask; 0: what docs/TRANSIT.md says of the type */
    uint64_t purposes;   /* mask; 0: that of this request alone */
    uint64_t max_uses;   /* of each version; 0: as many as there can be */
};
_Static_assert(sizeof(struct csn_wire_transit_create) == 24, "size");

/* Input of config. */
#define CSN_WIRE_TRANSIT_SET_MIN       1u
#define CSN_WIRE_TRANSIT_SET_DELETABLE 2u
#define CSN_WIRE_TRANSIT_SET_MAX_USES  4u
#define CSN_WIRE_TRANSIT_SET_TRIM      8u /* wipe the versions below the minimum */
struct csn_wire_transit_config {
    uint32_t set; /* which of the others count */
    uint32_t min_version;
    uint64_t max_uses;
    uint32_t deletable; /* 0 or 1 */
    uint32_t reserved;
};
_Static_assert(sizeof(struct csn_wire_transit_config) == 24, "size");

/*
 * Output of create, import, rotate, config and info: this, then the public half of the version that
 * was asked for (0: the newest), public_size bytes; the second output is its birth certificate
 * (birth.h). Output of list: as many of these as there is room for, without public halves.
 */
struct csn_wire_transit_key {
    char name[CSN_WIRE_TRANSIT_NAME_SIZE];
    uint8_t id[16];
    uint16_t type;
    uint16_t flags;
    uint32_t operations;
    uint64_t purposes;
    uint64_t max_uses;
    uint64_t uses; /* of the version */
    uint32_t newest;
    uint32_t min_version; /* lowest that may be used */
    uint32_t oldest;      /* lowest that is there */
    uint32_t version;     /* of which uses, origin and public half are */
    uint16_t origin;      /* CSN_WIRE_TRANSIT_GENERATED or IMPORTED */
    uint16_t public_size;
    uint32_t reserved;
};
_Static_assert(sizeof(struct csn_wire_transit_key) == 136, "size");
_Static_assert(offsetof(struct csn_wire_transit_key, purposes) == 88, "offset");
_Static_assert(offsetof(struct csn_wire_transit_key, newest) == 112, "offset");

/* ---- sealed texts: of encrypt, rewrap and datakey ---- */

#define CSN_WIRE_TRANSIT_SEALED_FORM 1u
#define CSN_WIRE_TRANSIT_SEALED_DATA 1u
#define CSN_WIRE_TRANSIT_SEALED_KEY                                                                \
    2u /* a data key: datakey-open opens it, and decrypt does not                                  \
        */

/* The ciphertext follows, as long as the text, and the tag. */
struct csn_wire_transit_sealed {
    uint8_t form; /* CSN_WIRE_TRANSIT_SEALED_FORM */
    uint8_t kind; /* CSN_WIRE_TRANSIT_SEALED_DATA or KEY */
    uint16_t reserved;
    uint32_t key_version;
    uint8_t salt[24]; /* random: from it and the key's version comes the AES-256-GCM key */
    uint64_t counter; /* under that salt: in the nonce */
};
_Static_assert(sizeof(struct csn_wire_transit_sealed) == 40, "size");
_Static_assert(offsetof(struct csn_wire_transit_sealed, salt) == 8, "offset");
#define CSN_WIRE_TRANSIT_SEALED_BESIDE (40u + 16u)

/* Associated data of a sealed text: this, then the caller's own. */
struct csn_wire_transit_bound {
    char label[8]; /* "transit1" */
    uint8_t tenant[32];
    uint8_t key_id[16];
    uint32_t key_version;
    uint8_t kind;
    uint8_t reserved[3];
    uint32_t purpose;
    uint32_t context_size; /* of a derived key, whose key depends on the context */
};
_Static_assert(sizeof(struct csn_wire_transit_bound) == 72, "size");
_Static_assert(offsetof(struct csn_wire_transit_bound, key_version) == 56, "offset");

/* ---- the compiled policy of a grant (docs/TRANSIT.md, section 7) ---- */

#define CSN_WIRE_TRANSIT_POLICY_MAGIC   UINT32_C(0x544e5343) /* "CSNT" */
#define CSN_WIRE_TRANSIT_POLICY_VERSION 1u
#define CSN_WIRE_TRANSIT_ROLE_MAX       32u
#define CSN_WIRE_TRANSIT_PATTERN_MAX    8u
#define CSN_WIRE_TRANSIT_KEY_MAX        128u /* of a tenant */
#define CSN_WIRE_TRANSIT_KEY_VERSIONS   512u /* of all of them */

/* The least that keeps an older state out. */
#define CSN_WIRE_TRANSIT_STORE_NONE    0u
#define CSN_WIRE_TRANSIT_STORE_JOURNAL 1u
#define CSN_WIRE_TRANSIT_STORE_TPM     2u /* with a counter: it stands behind the policy's head */

/* Head, a struct csn_wire_counter if counter is 1, roles; nothing behind. */
struct csn_wire_transit_policy {
    uint32_t magic;
    uint16_t version;
    uint8_t store;   /* CSN_WIRE_TRANSIT_STORE_* */
    uint8_t counter; /* 0 or 1 */
    uint32_t role_count;
    uint32_t key_max;     /* 1 .. CSN_WIRE_TRANSIT_KEY_MAX */
    uint32_t version_max; /* 1 .. CSN_WIRE_TRANSIT_KEY_VERSIONS */
    uint32_t reserved;
    uint64_t use_max; /* while an instance lives; 0: no quota */
};
_Static_assert(sizeof(struct csn_wire_transit_policy) == 32, "size");

/* Bit i of a credential's field mask: it has role i. */
struct csn_wire_transit_role {
    uint32_t operations;    /* mask */
    uint32_t pattern_count; /* 1 .. CSN_WIRE_TRANSIT_PATTERN_MAX */
    uint64_t purposes;      /* mask */
    /* Names of keys, padded with zeros; a '*' at the end stands for any rest. */
    char patterns[CSN_WIRE_TRANSIT_PATTERN_MAX][CSN_WIRE_TRANSIT_NAME_SIZE];
};
_Static_assert(sizeof(struct csn_wire_transit_role) == 528, "size");
#define CSN_WIRE_TRANSIT_POLICY_SIZE_MAX                                                           \
    (sizeof(struct csn_wire_transit_policy) + sizeof(struct csn_wire_counter) +                    \
     CSN_WIRE_TRANSIT_ROLE_MAX * sizeof(struct csn_wire_transit_role))

#endif
