/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h: the tenant's side: keys, grants, sealing for an enclave, opening what it sent.
 *
 * Trust:    runs on the tenant's own machines. Bytes from outside (records, receipts, statements,
 *           key files) are hostile until they verified. Keys to seal to come as an opaque
 *           struct csv_recipient, which only an appraised verdict or a signed statement yields.
 * Threads:  one owner per sealer and opener; different ones are independent.
 * Memory:   create allocates, batches do not (an opener grows its stream tables as records come).
 * Files:    the library does no file I/O; encode and decode work on buffers. Contexts are never
 *           written anywhere.
 */
#ifndef CAISSON_CLIENT_H
#define CAISSON_CLIENT_H

#include <caisson/base.h>
#include <caisson/wire/grant.h>
#include <caisson/wire/message.h>
#include <caisson/wire/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CSN_EXTERN_C_BEGIN

struct csv_recipient; /* from csv_statement_open() or a verdict of verify.h */

/* Once, before anything else: picks kernels and runs their self-tests. CSN_ERR_MISSING, INTERNAL.
 */
CSN_API CSN_MUST_USE csn_err csv_client_init(void);

/* ---- keys ---- */

/* All that a tenant owns; its file is as secret as the data. */
struct csv_tenant {
    uint8_t root_seed[32]; /* Ed25519 */
    uint8_t root_key[32];
    uint8_t id[32];
    uint8_t domain_secret[32];
    uint64_t open_failures_max;
    uint32_t grant_flags; /* CSN_WIRE_GRANT_* */
    uint32_t recipient_count;
    uint32_t consumer_count;
    uint32_t credential_count;
    struct csn_wire_recipient recipients[CSN_WIRE_RECIPIENT_COUNT_MAX]; /* [0] is the newest */
    struct csn_wire_consumer consumers[CSN_WIRE_CONSUMER_COUNT_MAX];
    struct csn_wire_credential credentials[CSN_WIRE_CREDENTIAL_COUNT_MAX];
};

/* What a producer is given. */
struct csv_credential {
    uint8_t tenant[32];
    uint64_t id;
    uint8_t secret[32];
};

/* What a consumer is given. */
struct csv_consumer {
    uint8_t tenant[32];
    char name[32];
    uint64_t credential;
    uint8_t secret[32];
    uint8_t public_key[32];
    uint8_t secret_key[32];
};

/* Fresh root key, domain secret and one recipient key. CSN_ERR_ENTROPY. */
CSN_API CSN_MUST_USE csn_err csv_tenant_new(struct csv_tenant *tenant);
/* One more recipient key in front; the oldest of four goes. */
CSN_API CSN_MUST_USE csn_err csv_tenant_rotate(struct csv_tenant *tenant);
/*
 * name: 1..31 bytes, unique. enclave_may_open: the grant carries the consumer's secret key, so that
 * `detokenize` can open fields sealed to it. CSN_ERR_LIMIT when the tables are full.
 */
CSN_API CSN_MUST_USE csn_err csv_tenant_add_consumer(struct csv_tenant *tenant, const char *name,
                                                     bool enclave_may_open,
                                                     struct csv_consumer *consumer);
struct csv_rights {
    uint32_t rights;   /* CSN_WIRE_RIGHT_* */
    uint32_t consumer; /* index in tenant->consumers, or CSN_WIRE_CONSUMER_NONE: replies */
    uint64_t field_mask;
    uint64_t purpose_mask;
    uint64_t budget;
};
CSN_API CSN_MUST_USE csn_err csv_tenant_add_producer(struct csv_tenant *tenant,
                                                     const struct csv_rights *rights,
                                                     struct csv_credential *credential);

/*
 * Out of the tenant's tables, so that the next grant shuts them out: CSN_ERR_UNKNOWN where there is
 * no such one; for a consumer CSN_ERR_STATE as long as producers deliver to it.
 */
CSN_API CSN_MUST_USE csn_err csv_tenant_remove_producer(struct csv_tenant *tenant,
                                                        uint64_t credential);
CSN_API CSN_MUST_USE csn_err csv_tenant_remove_consumer(struct csv_tenant *tenant,
                                                        const char *name);

/* Key files: 16 bytes of magic, version and kind, the struct's fields, SHA-256 of it all. */
#define CSV_TENANT_FILE_SIZE     (16 + sizeof(struct csv_tenant) + 32)
#define CSV_CREDENTIAL_FILE_SIZE (16 + sizeof(struct csv_credential) + 32)
#define CSV_CONSUMER_FILE_SIZE   (16 + sizeof(struct csv_consumer) + 32)
CSN_API void csv_tenant_encode(const struct csv_tenant *tenant, uint8_t file[]);
CSN_API void csv_credential_encode(const struct csv_credential *credential, uint8_t file[]);
CSN_API void csv_consumer_encode(const struct csv_consumer *consumer, uint8_t file[]);
/* CSN_ERR_FORMAT: not such a file, damaged, or its parts contradict each other. */
CSN_API CSN_MUST_USE csn_err csv_tenant_decode(const void *file, size_t size,
                                               struct csv_tenant *tenant);
CSN_API CSN_MUST_USE csn_err csv_credential_decode(const void *file, size_t size,
                                                   struct csv_credential *credential);
CSN_API CSN_MUST_USE csn_err csv_consumer_decode(const void *file, size_t size,
                                                 struct csv_consumer *consumer);

/*
 * The token that stands for the credential in requests over HTTP ("Authorization: Bearer TOKEN"),
 * terminated. It is a secret, the same for all requests; the grant must give the credential
 * CSN_WIRE_RIGHT_BEARER.
 */
#define CSV_BEARER_SIZE 97
CSN_API void csv_credential_bearer(const struct csv_credential *credential,
                                   char token[CSV_BEARER_SIZE]);

/* ---- grants ---- */

struct csv_grant_options {
    const struct csv_tenant *tenant;
    const struct csv_recipient *instance; /* of kind instance: from evidence only */
    uint64_t version;                     /* only rises within a boot of the enclave */
    uint32_t security_version_min;        /* of the image */
    uint32_t purpose;
    const void *policy;
    uint32_t policy_size;
    const uint8_t *delegate_seed; /* NULL: the root signs */
    const struct csn_wire_delegation *delegation;
};

/* What the granter keeps until the receipt: as secret as a key. */
struct csv_grant {
    uint8_t tenant[32];
    uint64_t version;
    uint8_t digest[32]; /* outputs made under this grant carry it */
    uint8_t instance_key_id[8];
    uint8_t reply[32];
};

/* message: message_size_max bytes. CSN_ERR_SPACE: *message_size is what is needed. */
CSN_API CSN_MUST_USE csn_err csv_grant_build(const struct csv_grant_options *options,
                                             uint8_t *message, uint32_t message_size_max,
                                             uint32_t *message_size, struct csv_grant *grant);
/* record: what followed CSN_WIRE_GRANTED. result->status says whether the enclave took the grant.
 */
CSN_API CSN_MUST_USE csn_err csv_receipt_open(const struct csv_grant *grant, const void *record,
                                              uint32_t size, struct csn_wire_result *result,
                                              struct csn_wire_receipt *receipt);
/* The root says that another key may sign grants up to a version, for these purposes. */
CSN_API CSN_MUST_USE csn_err csv_delegate(const struct csv_tenant *tenant,
                                          const uint8_t delegate_key[32],
                                          uint64_t grant_version_max, uint32_t purpose_mask,
                                          struct csn_wire_delegation *delegation);

/* ---- statements: from the tenant who verified to its producers ---- */

struct csv_statement {
    uint32_t magic;   /* "CSVS" */
    uint32_t version; /* 1 */
    uint8_t root_key[32];
    uint8_t public_key[32];  /* recipient key */
    uint64_t grant_version;  /* lowest grant that may serve */
    uint8_t measurement[48]; /* of the image that was granted */
    uint32_t security_version;
    uint32_t suite;
    uint8_t signature[64]; /* root key, over "caisson-statement-v1" | all before it */
};
/* For the tenant's newest recipient key, about the image that `instance` was appraised to run. */
CSN_API CSN_MUST_USE csn_err csv_statement_build(const struct csv_tenant *tenant,
                                                 const struct csv_recipient *instance,
                                                 uint64_t grant_version,
                                                 struct csv_statement *statement);
/* tenant: the id that the reader expects. CSN_ERR_AUTH: not signed by it. */
CSN_API CSN_MUST_USE csn_err csv_statement_open(const void *statement, size_t size,
                                                const uint8_t tenant[32],
                                                struct csv_recipient **recipient);
CSN_API void csv_recipient_destroy(struct csv_recipient *recipient); /* NULL allowed */

/* ---- producers ---- */

struct csv_sealer;

struct csv_sealer_options {
    const struct csv_recipient *recipient; /* of kind recipient */
    const struct csv_credential *credential;
    uint64_t grant_version;                     /* lowest accepted; raised to the statement's */
    const struct csn_wire_challenge *challenge; /* window mode; NULL: idempotent */
};

struct csv_seal_item {
    const void *payload;
    uint32_t payload_size;
    uint16_t operation;
    uint16_t route_size;
    uint32_t purpose;
    uint32_t record_size_max;
    const void *route;    /* visible to the host; NULL if 0 bytes. A route means the full form */
    uint8_t *record;      /* where the record goes */
    uint32_t record_size; /* out */
    csn_err result;    /* out: CSN_OK, CSN_ERR_SPACE, CSN_ERR_ARGUMENT (payload, route too big) */
    uint64_t sequence; /* out */
};

CSN_API CSN_MUST_USE csn_err csv_sealer_create(const struct csv_sealer_options *options,
                                               struct csv_sealer **sealer);
CSN_API void csv_sealer_destroy(struct csv_sealer *sealer); /* NULL allowed */
/* Bytes of a full record for a payload and a route, 0 if the payload is too large for any class. */
CSN_API uint32_t csv_record_size(uint32_t payload_size, uint32_t route_size);
/*
 * Seal each item. A fork since the last call is noticed, and the child goes on with a context of
 * its own. CSN_ERR_LIMIT: the stream is at its end. Not CSN_OK: nothing was sealed.
 */
CSN_API CSN_MUST_USE csn_err csv_seal_batch(struct csv_sealer *sealer, struct csv_seal_item *items,
                                            uint32_t count);
/* The end of the stream, with the count of records sealed in it; the sealer stops then. */
CSN_API CSN_MUST_USE csn_err csv_seal_fin(struct csv_sealer *sealer, uint8_t *record,
                                          uint32_t record_size_max, uint32_t *record_size);
/* Asks for a short-form handle; the answer is a reply, which csv_reply_open() reads. */
CSN_API CSN_MUST_USE csn_err csv_seal_hello(struct csv_sealer *sealer, uint8_t *record,
                                            uint32_t record_size_max, uint32_t *record_size);
/*
 * Use the short form from now on, on the channel whose enclave gave the handle: result->handle of
 * the hello's answer. Where the credential has no consumer, answers are then in the short form too.
 * After a fork or a lost instance (CSN_WIRE_REJECT_KEY) ask anew; csv_sealer_full() goes back to
 * the full form.
 */
CSN_API void csv_sealer_short(struct csv_sealer *sealer, uint32_t handle);
CSN_API void csv_sealer_full(struct csv_sealer *sealer);
/* New salt now: after a restore of the machine, of which a process cannot know. */
CSN_API CSN_MUST_USE csn_err csv_sealer_renew(struct csv_sealer *sealer);
CSN_API uint64_t csv_sealer_count(const struct csv_sealer *sealer); /* data records in the stream */

struct csv_open_item {
    const void *record;
    uint32_t size;
    uint32_t payload_size;         /* out */
    uint8_t *payload;              /* room for csv_plain_size(size) bytes; untouched on error */
    struct csn_wire_result header; /* out */
    csn_err result; /* CSN_OK; CSN_ERR_REPLAY: a repeat; CSN_ERR_POLICY: below the floor; … */
};
/* Room that an item's payload needs, in either form, from the record's size alone. */
CSN_API uint32_t csv_plain_size(uint32_t record_size);

/*
 * Open replies to records of this sealer, in either form and in any order within 1,024 of each
 * other. header.status is the tenant's, sealed: CSN_OK only says that the enclave wrote it.
 * header.sequence says which record it answers: a record that the host delivered twice is answered
 * twice. In the short form, header has what the answer to the hello said, and no record id. That
 * answer itself goes through here as well, with a payload of 0 bytes; one hello's answer ends the
 * key of those before. Not CSN_OK: nothing was opened.
 */
CSN_API CSN_MUST_USE csn_err csv_reply_open_batch(struct csv_sealer *sealer,
                                                  struct csv_open_item *items, uint32_t count);
/* One. payload: csv_plain_size(size) bytes of room; untouched on error. */
CSN_API CSN_MUST_USE csn_err csv_reply_open(struct csv_sealer *sealer, const void *record,
                                            uint32_t size, struct csn_wire_result *result,
                                            uint8_t *payload, uint32_t *payload_size);

/* ---- consumers ---- */

struct csv_opener;

struct csv_opener_options {
    const struct csv_consumer *consumer;
    uint64_t grant_version_min;
    const uint8_t *grant_digest; /* 32 bytes, or NULL: any grant at or above the floor */
};

CSN_API CSN_MUST_USE csn_err csv_opener_create(const struct csv_opener_options *options,
                                               struct csv_opener **opener);
CSN_API void csv_opener_destroy(struct csv_opener *opener); /* NULL allowed */
CSN_API CSN_MUST_USE csn_err csv_open_batch(struct csv_opener *opener, struct csv_open_item *items,
                                            uint32_t count);
/* One field that tokenize `encrypt` sealed to this consumer. value: size bytes of room. */
CSN_API CSN_MUST_USE csn_err csv_field_open(struct csv_opener *opener, const void *sealed,
                                            uint32_t size, uint8_t *value, uint32_t *value_size);

/* What is known of a stream: complete when fin_seen and missing is 0. */
struct csv_stream {
    uint8_t id[16];
    uint64_t credential;
    uint64_t served;    /* distinct data records answered */
    uint64_t refused;   /* tombstones */
    uint64_t repeats;   /* dropped */
    uint64_t replays;   /* tombstones that say that the enclave saw a record twice */
    uint64_t sent;      /* from the FIN */
    uint64_t missing;   /* sent - served - refused, once the FIN came; else gaps so far */
    uint64_t first_gap; /* lowest sequence number that is missing, if missing */
    bool fin_seen;
};
CSN_API uint32_t csv_opener_stream_count(const struct csv_opener *opener);
CSN_API void csv_opener_stream(const struct csv_opener *opener, uint32_t index,
                               struct csv_stream *stream);

/* ---- keys that were made elsewhere, for a transit enclave (docs/TRANSIT.md, section 4) ---- */

#define CSV_KEY_SECRET_MAX 64u
#define CSV_KEY_BESIDE     48u /* bytes of a sealed secret beyond the secret's own */

struct csv_key_target {
    uint8_t import_key[32]; /* whose it is, the caller has checked */
    uint8_t tenant[32];
    const char *name;
    uint32_t type; /* enum csn_wire_transit_type */
};
/*
 * sealed: size + CSV_KEY_BESIDE bytes of room. That the secret is one of the type the enclave
 * checks. CSN_ERR_ARGUMENT: too long, or no name; CSN_ERR_AUTH: a low-order import key.
 */
CSN_API CSN_MUST_USE csn_err csv_key_seal(const struct csv_key_target *target,
                                          const uint8_t *secret, uint32_t size, uint8_t *sealed);

CSN_EXTERN_C_END

#endif
