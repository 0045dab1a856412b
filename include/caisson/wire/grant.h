/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.h: how a tenant gives an enclave its keys, credentials and policy (docs/WIRE.md).
 *
 * Message: header (all of it up to `signature` is the HPKE associated data), ciphertext
 * (cipher_size bytes), tag (16). HPKE base mode to the instance key, info = "caisson-grant-v1".
 * signature = Ed25519 by signer_key over "caisson-grant-signature-v1" | header up to `signature` |
 * SHA-256(ciphertext | tag).
 * tenant id = SHA-256("caisson-tenant-v1" | root_key).
 * grant digest = SHA-256("caisson-grant-digest-v1" | header with signature | SHA-256(ct | tag)).
 */
#ifndef CAISSON_WIRE_GRANT_H
#define CAISSON_WIRE_GRANT_H

#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_GRANT_VERSION        1u
#define CSN_WIRE_GRANT_SIZE_MAX       UINT32_C(65536)
#define CSN_WIRE_CONSUMER_NONE        UINT32_C(0xffffffff)
#define CSN_WIRE_RECIPIENT_COUNT_MAX  4u
#define CSN_WIRE_CONSUMER_COUNT_MAX   16u
#define CSN_WIRE_CREDENTIAL_COUNT_MAX 64u

/*
 * A signed statement by the root that another key may sign grants. All zero where the root signs
 * itself. signature over "caisson-delegation-v1" | root_key | the fields before it.
 */
struct csn_wire_delegation {
    uint8_t delegate_key[32];
    uint64_t grant_version_max; /* the delegate may not sign a higher version */
    uint32_t purpose_mask;      /* purposes that the delegate may grant */
    uint32_t reserved;          /* zero */
    uint8_t signature[64];
};
_Static_assert(sizeof(struct csn_wire_delegation) == 112, "size");

struct csn_wire_grant {
    uint32_t kind;    /* CSN_WIRE_GRANT */
    uint32_t version; /* CSN_WIRE_GRANT_VERSION */
    uint32_t suite;   /* CSN_WIRE_SUITE */
    uint32_t cipher_size;
    uint8_t root_key[32];
    uint8_t signer_key[32]; /* root_key, or delegation.delegate_key */
    struct csn_wire_delegation delegation;
    uint64_t grant_version; /* only rises within a boot */
    uint8_t instance_key[32];
    uint8_t boot_id[16];
    uint8_t measurement[48];
    uint32_t security_version_min;
    uint32_t purpose; /* one of the enclave's; records must say it too; 0: theirs may be any */
    uint8_t encapsulation[32];
    uint8_t signature[64];
};
_Static_assert(sizeof(struct csn_wire_grant) == 400, "size");
_Static_assert(offsetof(struct csn_wire_grant, grant_version) == 192, "offset");
_Static_assert(offsetof(struct csn_wire_grant, measurement) == 248, "offset");
_Static_assert(offsetof(struct csn_wire_grant, signature) == 336, "offset");

/* Plaintext: body, recipients, consumers, credentials, policy; nothing after it. */
struct csn_wire_grant_body {
    uint32_t version; /* 1 */
    uint32_t recipient_count;
    uint32_t consumer_count;
    uint32_t credential_count;
    uint32_t policy_size;
    uint32_t flags;             /* CSN_WIRE_GRANT_REVEALS or 0 */
    uint64_t open_failures_max; /* key exchanges that may fail; each success gives one back */
    uint8_t domain_secret[32];  /* from which token domains derive their keys; never changes */
};
_Static_assert(sizeof(struct csn_wire_grant_body) == 64, "size");

#define CSN_WIRE_GRANT_REVEALS                                                                     \
    UINT32_C(1) /* outputs may use the smallest class that holds them                              \
                 */

struct csn_wire_recipient {
    uint8_t secret_key[32];
    uint8_t public_key[32];
};

struct csn_wire_consumer {
    char name[32];       /* NUL padded, at least one NUL */
    uint64_t credential; /* id that goes into output headers */
    uint8_t credential_secret[32];
    uint8_t public_key[32];
    uint8_t secret_key[32]; /* zero unless the enclave may open what it sealed to this consumer */
};
_Static_assert(sizeof(struct csn_wire_consumer) == 136, "size");

#define CSN_WIRE_RIGHT_SUBMIT     UINT32_C(1)
#define CSN_WIRE_RIGHT_DETOKENIZE UINT32_C(2)
#define CSN_WIRE_RIGHT_KEYS       UINT32_C(4) /* key operations (transit) */
/* How the credential may show itself in a request over HTTP; a record's own proof needs neither. */
#define CSN_WIRE_RIGHT_REQUEST UINT32_C(8)  /* a proof for each request (Authorization: Caisson) */
#define CSN_WIRE_RIGHT_BEARER  UINT32_C(16) /* one token for all (Authorization: Bearer) */

struct csn_wire_credential {
    uint64_t id;
    uint8_t secret[32];
    uint32_t rights;
    uint32_t consumer; /* index of the consumer of its outputs, or CSN_WIRE_CONSUMER_NONE: reply */
    uint64_t field_mask;   /* bit i: policy field i may be detokenized */
    uint64_t purpose_mask; /* bit p: purpose p is allowed, p < 64 */
    uint64_t budget;       /* privileged operations within this boot, re-grants included */
};
_Static_assert(sizeof(struct csn_wire_credential) == 72, "size");

#endif
