/* SPDX-License-Identifier: Apache-2.0 */
/* granter.c: grants, delegations, receipts and statements (docs/WIRE.md sections 11 to 13). */
#include "../crypto/curve.h"
#include "../crypto/hpke.h"
#include "sealed.h"
#include <stdlib.h>

#define GRANT_INFO      "caisson-grant-v1"
#define GRANT_AAD_SIZE  offsetof(struct csn_wire_grant, signature)
#define STATEMENT_LABEL "caisson-statement-v1"
#define STATEMENT_MAGIC UINT32_C(0x53565343) /* "CSVS" */

_Static_assert(sizeof(struct csv_statement) == 200, "no padding but the named");

/* ---- grants ---- */

static uint32_t plain_size(const struct csv_grant_options *options)
{
    const struct csv_tenant *tenant = options->tenant;
    return (uint32_t)(sizeof(struct csn_wire_grant_body) +
                      tenant->recipient_count * sizeof tenant->recipients[0] +
                      tenant->consumer_count * sizeof tenant->consumers[0] +
                      tenant->credential_count * sizeof tenant->credentials[0]) +
           options->policy_size;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    if (size != 0) {
        __builtin_memcpy(at, bytes, size);
    }
    return at + size;
}

static void write_plain(const struct csv_grant_options *options, uint8_t *at)
{
    const struct csv_tenant *tenant = options->tenant;
    struct csn_wire_grant_body body = {.version = 1,
                                       .recipient_count = tenant->recipient_count,
                                       .consumer_count = tenant->consumer_count,
                                       .credential_count = tenant->credential_count,
                                       .policy_size = options->policy_size,
                                       .flags = tenant->grant_flags,
                                       .open_failures_max = tenant->open_failures_max};
    __builtin_memcpy(body.domain_secret, tenant->domain_secret, 32);
    at = put(at, &body, sizeof body);
    at = put(at, tenant->recipients, tenant->recipient_count * sizeof tenant->recipients[0]);
    at = put(at, tenant->consumers, tenant->consumer_count * sizeof tenant->consumers[0]);
    at = put(at, tenant->credentials, tenant->credential_count * sizeof tenant->credentials[0]);
    put(at, options->policy, options->policy_size);
    csn_wipe(&body, sizeof body);
}

static void write_header(const struct csv_grant_options *options, uint32_t cipher_size,
                         struct csn_wire_grant *header)
{
    const struct csv_recipient *instance = options->instance;
    *header = (struct csn_wire_grant){.kind = CSN_WIRE_GRANT,
                                      .version = CSN_WIRE_GRANT_VERSION,
                                      .suite = CSN_WIRE_SUITE,
                                      .cipher_size = cipher_size,
                                      .grant_version = options->version,
                                      .security_version_min = options->security_version_min,
                                      .purpose = options->purpose};
    __builtin_memcpy(header->root_key, options->tenant->root_key, 32);
    __builtin_memcpy(header->signer_key, options->tenant->root_key, 32);
    if (options->delegation != NULL) {
        header->delegation = *options->delegation;
        csn_ed25519_public(header->signer_key, options->delegate_seed);
    }
    __builtin_memcpy(header->instance_key, instance->public_key, 32);
    __builtin_memcpy(header->boot_id, instance->boot_id, 16);
    __builtin_memcpy(header->measurement, instance->measurement, 48);
}

/* The plaintext lies where its ciphertext will be; seals, exports the receipt's key, signs. */
static csn_err seal_grant(const struct csv_grant_options *options, struct csn_wire_grant *header,
                          uint8_t *cipher, struct csv_grant *grant)
{
    static const struct csn_hpke_setup setup = {.aead = CSN_AEAD_AES_256_GCM,
                                                .info = (const uint8_t *)GRANT_INFO,
                                                .info_size = sizeof GRANT_INFO - 1};
    struct csn_hpke_context context;
    uint8_t ephemeral[32];
    CSN_TRY(csv_random(ephemeral, sizeof ephemeral));
    csn_err result =
        csn_hpke_sender(&context, header->encapsulation, header->instance_key, ephemeral, &setup);
    csn_wipe(ephemeral, sizeof ephemeral);
    CSN_TRY(result);
    result = csn_hpke_seal(&context, (const uint8_t *)header, GRANT_AAD_SIZE, cipher,
                           header->cipher_size, cipher, cipher + header->cipher_size);
    if (result == CSN_OK) {
        result = csn_hpke_export(&context, "caisson-reply", grant->reply, 32);
    }
    csn_wipe(&context, sizeof context);
    CSN_TRY(result);

    uint8_t body_digest[32];
    uint8_t message[CSN_GRANT_SIGNED_SIZE];
    csn_sha256(cipher, header->cipher_size + CSN_WIRE_TAG_SIZE, body_digest);
    csn_grant_signed(header, body_digest, message);
    csn_ed25519_sign(header->signature, message, sizeof message,
                     options->delegate_seed != NULL ? options->delegate_seed
                                                    : options->tenant->root_seed);
    csn_grant_digest(header, body_digest, grant->digest);
    return CSN_OK;
}

csn_err csv_grant_build(const struct csv_grant_options *options, uint8_t *message,
                        uint32_t message_size_max, uint32_t *message_size, struct csv_grant *grant)
{
    const struct csv_recipient *instance = options->instance;
    struct csn_wire_grant header;
    if (instance->kind != CSV_RECIPIENT_INSTANCE ||
        (options->delegation == NULL) != (options->delegate_seed == NULL)) {
        return CSN_ERR_ARGUMENT;
    }
    if (options->policy_size > CSN_WIRE_GRANT_SIZE_MAX ||
        plain_size(options) > CSN_WIRE_GRANT_SIZE_MAX) {
        return CSN_ERR_LIMIT;
    }
    uint32_t size = plain_size(options);
    *message_size = (uint32_t)sizeof header + size + CSN_WIRE_TAG_SIZE;
    if (message_size_max < *message_size) {
        return CSN_ERR_SPACE;
    }
    uint8_t *cipher = message + sizeof header;
    write_header(options, size, &header);
    write_plain(options, cipher);
    csn_err result = seal_grant(options, &header, cipher, grant);
    if (result != CSN_OK) {
        csn_wipe(message, *message_size);
        return result;
    }
    __builtin_memcpy(message, &header, sizeof header);
    __builtin_memcpy(grant->tenant, options->tenant->id, 32);
    csn_key_id(instance->public_key, grant->instance_key_id);
    grant->version = options->version;
    return CSN_OK;
}

csn_err csv_delegate(const struct csv_tenant *tenant, const uint8_t delegate_key[32],
                     uint64_t grant_version_max, uint32_t purpose_mask,
                     struct csn_wire_delegation *delegation)
{
    uint8_t message[CSN_DELEGATION_SIGNED_SIZE];
    *delegation = (struct csn_wire_delegation){.grant_version_max = grant_version_max,
                                               .purpose_mask = purpose_mask};
    __builtin_memcpy(delegation->delegate_key, delegate_key, 32);
    csn_delegation_signed(tenant->root_key, delegation, message);
    csn_ed25519_sign(delegation->signature, message, sizeof message, tenant->root_seed);
    return CSN_OK;
}

/* ---- receipts ---- */

csn_err csv_receipt_open(const struct csv_grant *grant, const void *record, uint32_t size,
                         struct csn_wire_result *result, struct csn_wire_receipt *receipt)
{
    struct csv_sealed sealed;
    struct csn_wire_result read;
    uint8_t plain[CSN_WIRE_FIXED_SIZE];
    CSN_TRY(csv_sealed_parse(record, size, CSN_WIRE_DIRECTION_RECEIPT, &sealed));
    const struct csn_wire_record *header = &sealed.header;
    if (header->cipher_size != CSN_WIRE_FIXED_SIZE) {
        return CSN_ERR_FORMAT;
    }
    if (__builtin_memcmp(header->tenant, grant->tenant, 32) != 0 ||
        __builtin_memcmp(header->key_id, grant->instance_key_id, 8) != 0 ||
        header->grant_version != grant->version || header->sequence != grant->version) {
        return CSN_ERR_UNKNOWN;
    }
    CSN_TRY(csv_answer_open(&sealed, grant->reply, plain));
    CSN_TRY(csv_result_read(plain, header->cipher_size, &read));
    if (read.payload_size != sizeof *receipt || read.grant_version != grant->version ||
        !csn_equal_ct(read.grant_digest, grant->digest, 32)) {
        return CSN_ERR_FORMAT;
    }
    *result = read;
    __builtin_memcpy(receipt, plain + CSV_RESULT_SIZE, sizeof *receipt);
    return CSN_OK;
}

/* ---- statements ---- */

#define STATEMENT_SIGNED (sizeof STATEMENT_LABEL - 1 + offsetof(struct csv_statement, signature))

static void statement_message(const struct csv_statement *statement,
                              uint8_t message[STATEMENT_SIGNED])
{
    uint8_t *at = put(message, STATEMENT_LABEL, sizeof STATEMENT_LABEL - 1);
    put(at, statement, offsetof(struct csv_statement, signature));
}

csn_err csv_statement_build(const struct csv_tenant *tenant, const struct csv_recipient *instance,
                            uint64_t grant_version, struct csv_statement *statement)
{
    uint8_t message[STATEMENT_SIGNED];
    if (instance->kind != CSV_RECIPIENT_INSTANCE) {
        return CSN_ERR_ARGUMENT;
    }
    *statement = (struct csv_statement){.magic = STATEMENT_MAGIC,
                                        .version = 1,
                                        .grant_version = grant_version,
                                        .security_version = instance->security_version,
                                        .suite = CSN_WIRE_SUITE};
    __builtin_memcpy(statement->root_key, tenant->root_key, 32);
    __builtin_memcpy(statement->public_key, tenant->recipients[0].public_key, 32);
    __builtin_memcpy(statement->measurement, instance->measurement, 48);
    statement_message(statement, message);
    csn_ed25519_sign(statement->signature, message, sizeof message, tenant->root_seed);
    return CSN_OK;
}

csn_err csv_statement_open(const void *bytes, size_t size, const uint8_t tenant[32],
                           struct csv_recipient **recipient)
{
    struct csv_statement statement;
    uint8_t message[STATEMENT_SIGNED];
    uint8_t id[32];
    if (size != sizeof statement) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(&statement, bytes, sizeof statement);
    if (statement.magic != STATEMENT_MAGIC || statement.version != 1) {
        return CSN_ERR_FORMAT;
    }
    if (statement.suite != CSN_WIRE_SUITE) {
        return CSN_ERR_SUITE;
    }
    csn_tenant_id(statement.root_key, id);
    if (__builtin_memcmp(id, tenant, 32) != 0) {
        return CSN_ERR_UNKNOWN;
    }
    statement_message(&statement, message);
    CSN_TRY(csn_ed25519_verify(statement.signature, message, sizeof message, statement.root_key));
    struct csv_recipient *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return CSN_ERR_MEMORY;
    }
    made->kind = CSV_RECIPIENT_RECIPIENT;
    made->suite = statement.suite;
    made->grant_version = statement.grant_version;
    made->security_version = statement.security_version;
    __builtin_memcpy(made->public_key, statement.public_key, 32);
    __builtin_memcpy(made->tenant, id, 32);
    __builtin_memcpy(made->measurement, statement.measurement, 48);
    *recipient = made;
    return CSN_OK;
}

void csv_recipient_destroy(struct csv_recipient *recipient)
{
    free(recipient);
}
