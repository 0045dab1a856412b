/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.c: taking a grant, whole or not at all (docs/WIRE.md sections 11 to 13).
 *
 * Trust:    the host carries grants and may send any bytes; only what the tenant's root key, or a
 *           key that it delegated, has signed for this very instance is decrypted at all.
 * Memory:   everything is built in the spare grant, which is swapped in at the end; a refusal
 *           leaves the grant in force as it was.
 */
#include "../crypto/curve.h"
#include "../crypto/hpke.h"
#include "held.h"

#define GRANT_INFO     "caisson-grant-v1"
#define GRANT_AAD_SIZE offsetof(struct csn_wire_grant, signature)

struct grant_view {
    struct csn_wire_grant header;
    uint8_t tenant_id[32];
    uint8_t body_digest[32];
    uint8_t *cipher;
    struct cse_tenant *tenant; /* the one with this id, or a free slot */
};

/* ---- before anything is believed ---- */

static uint32_t check_target(const struct cse_session *session, const struct csn_wire_grant *header)
{
    const struct cse_session_options *options = &session->options;
    if (header->version != CSN_WIRE_GRANT_VERSION) {
        return CSN_WIRE_REJECT_VERSION;
    }
    if (header->suite != CSN_WIRE_SUITE) {
        return CSN_WIRE_REJECT_SUITE;
    }
    if (!CSN_CHECK(CSE_CHECK_GRANT_INSTANCE,
                   __builtin_memcmp(header->instance_key, options->instance->public_key, 32) == 0 &&
                       __builtin_memcmp(header->boot_id, options->instance->boot_id, 16) == 0)) {
        return CSN_WIRE_REJECT_STALE;
    }
    if (!CSN_CHECK(CSE_CHECK_GRANT_IMAGE,
                   __builtin_memcmp(header->measurement, options->measurement, 48) == 0 &&
                       header->security_version_min <= session->manifest->security_version)) {
        return CSN_WIRE_REJECT_STALE;
    }
    if (header->purpose >= 64 || (options->service->purpose_mask >> header->purpose & 1) == 0) {
        return CSN_WIRE_REJECT_MODE;
    }
    return CSN_WIRE_DONE;
}

/* The root itself, or a key that the root delegated for this version and purpose. */
static bool check_signer(const struct csn_wire_grant *header)
{
    const struct csn_wire_delegation *delegation = &header->delegation;
    if (csn_is_zero_ct(delegation, sizeof *delegation)) {
        return CSN_CHECK(CSE_CHECK_TENANT,
                         __builtin_memcmp(header->root_key, header->signer_key, 32) == 0);
    }
    uint8_t message[CSN_DELEGATION_SIGNED_SIZE];
    csn_delegation_signed(header->root_key, delegation, message);
    bool limits = header->grant_version <= delegation->grant_version_max && header->purpose < 32 &&
                  (delegation->purpose_mask >> header->purpose & 1) != 0;
    return delegation->reserved == 0 &&
           __builtin_memcmp(header->signer_key, delegation->delegate_key, 32) == 0 &&
           CSN_CHECK(CSE_CHECK_DELEGATE_LIMIT, limits) &&
           CSN_CHECK(CSE_CHECK_DELEGATION,
                     csn_ed25519_verify(delegation->signature, message, sizeof message,
                                        header->root_key) == CSN_OK);
}

static bool check_signature(struct grant_view *view)
{
    uint8_t message[CSN_GRANT_SIGNED_SIZE];
    csn_sha256(view->cipher, view->header.cipher_size + CSN_WIRE_TAG_SIZE, view->body_digest);
    csn_grant_signed(&view->header, view->body_digest, message);
    return csn_ed25519_verify(view->header.signature, message, sizeof message,
                              view->header.signer_key) == CSN_OK;
}

static uint32_t check_tenant(struct cse_session *session, struct grant_view *view)
{
    csn_tenant_id(view->header.root_key, view->tenant_id);
    view->tenant = cse_tenant_find(session, view->tenant_id);
    if (session->locked &&
        !CSN_CHECK(CSE_CHECK_SINGLE_TENANT,
                   __builtin_memcmp(session->locked_tenant, view->tenant_id, 32) == 0)) {
        return CSN_WIRE_REJECT_TENANT;
    }
    if (view->tenant != NULL &&
        !CSN_CHECK(CSE_CHECK_GRANT_VERSION,
                   view->header.grant_version > view->tenant->grant->version)) {
        return CSN_WIRE_REJECT_STALE;
    }
    if (view->tenant == NULL) {
        view->tenant = cse_tenant_slot(session);
    }
    return view->tenant == NULL ? CSN_WIRE_REJECT_BUSY : CSN_WIRE_DONE;
}

static uint32_t check_grant(struct cse_session *session, const struct cse_input *input,
                            struct grant_view *view)
{
    if (input->size < sizeof view->header) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    __builtin_memcpy(&view->header, input->bytes, sizeof view->header);
    uint32_t cipher_size = view->header.cipher_size;
    if (cipher_size > CSN_WIRE_GRANT_SIZE_MAX ||
        (uint64_t)input->size != (uint64_t)sizeof view->header + cipher_size + CSN_WIRE_TAG_SIZE) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    view->cipher = input->bytes + sizeof view->header;
    uint32_t code = check_target(session, &view->header);
    if (code != CSN_WIRE_DONE) {
        return code;
    }
    if (!check_signer(&view->header) ||
        !CSN_CHECK(CSE_CHECK_GRANT_SIGNATURE, check_signature(view))) {
        return CSN_WIRE_REJECT_AUTH;
    }
    return check_tenant(session, view);
}

/* ---- the plaintext ---- */

struct reader {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t offset;
};

static bool take(struct reader *reader, void *target, uint64_t size)
{
    if (size > reader->size - reader->offset) {
        return false;
    }
    __builtin_memcpy(target, reader->bytes + reader->offset, size);
    reader->offset += (uint32_t)size;
    return true;
}

static enum csn_wire_status check_counts(const struct cse_session *session,
                                         const struct csn_wire_grant_body *body)
{
    const struct csn_wire_manifest *manifest = session->manifest;
    if (body->version != 1 || (body->flags & ~CSN_WIRE_GRANT_REVEALS) != 0 ||
        body->recipient_count == 0) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (body->recipient_count > CSN_WIRE_RECIPIENT_COUNT_MAX ||
        body->consumer_count > CSN_WIRE_CONSUMER_COUNT_MAX ||
        body->consumer_count > manifest->consumer_count_max ||
        body->credential_count > CSN_WIRE_CREDENTIAL_COUNT_MAX ||
        body->credential_count > manifest->credential_count_max ||
        body->policy_size > manifest->policy_size_max) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    return CSN_WIRE_STATUS_OK;
}

static enum csn_wire_status read_grant(const struct cse_session *session, struct reader *reader,
                                       struct cse_grant *grant)
{
    struct csn_wire_grant_body body;
    if (!take(reader, &body, sizeof body)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    enum csn_wire_status status = check_counts(session, &body);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    grant->open_failures_max = body.open_failures_max;
    grant->flags = body.flags;
    grant->recipient_count = body.recipient_count;
    grant->consumer_count = body.consumer_count;
    grant->credential_count = body.credential_count;
    grant->policy_size = body.policy_size;
    __builtin_memcpy(grant->domain_secret, body.domain_secret, 32);
    csn_wipe(&body, sizeof body);
    bool complete = take(reader, grant->recipients,
                         (uint64_t)grant->recipient_count * sizeof *grant->recipients) &&
                    take(reader, grant->wire_consumers,
                         (uint64_t)grant->consumer_count * sizeof *grant->wire_consumers) &&
                    take(reader, grant->credentials,
                         (uint64_t)grant->credential_count * sizeof *grant->credentials) &&
                    take(reader, grant->policy, grant->policy_size) &&
                    reader->offset == reader->size;
    return complete ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_MALFORMED;
}

static enum csn_wire_status check_recipients(struct cse_grant *grant)
{
    for (uint32_t i = 0; i < grant->recipient_count; i++) {
        uint8_t public_key[32];
        csn_x25519_public(public_key, grant->recipients[i].secret_key);
        if (__builtin_memcmp(public_key, grant->recipients[i].public_key, 32) != 0) {
            return CSN_WIRE_STATUS_MALFORMED;
        }
        csn_key_id(public_key, grant->key_ids[i]);
        for (uint32_t k = 0; k < i; k++) {
            if (__builtin_memcmp(grant->key_ids[k], grant->key_ids[i], 8) == 0) {
                return CSN_WIRE_STATUS_MALFORMED;
            }
        }
    }
    return CSN_WIRE_STATUS_OK;
}

static enum csn_wire_status check_credentials(const struct cse_grant *grant)
{
    for (uint32_t i = 0; i < grant->credential_count; i++) {
        const struct csn_wire_credential *credential = &grant->credentials[i];
        const uint32_t rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_DETOKENIZE |
                                CSN_WIRE_RIGHT_KEYS | CSN_WIRE_RIGHT_REQUEST |
                                CSN_WIRE_RIGHT_BEARER;
        if ((credential->rights & ~rights) != 0 || csn_is_zero_ct(credential->secret, 32) ||
            (credential->consumer != CSN_WIRE_CONSUMER_NONE &&
             credential->consumer >= grant->consumer_count)) {
            return CSN_WIRE_STATUS_MALFORMED;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (grant->credentials[k].id == credential->id) {
                return CSN_WIRE_STATUS_MALFORMED;
            }
        }
    }
    return CSN_WIRE_STATUS_OK;
}

/* ---- consumers ---- */

static csn_err open_sender(struct cse_session *session, const uint8_t tenant[32],
                           const struct csn_wire_consumer *wire, uint8_t direction,
                           struct cse_sender *sender)
{
    uint8_t ephemeral[32];
    struct csn_binding binding = {
        .direction = direction, .mode = CSN_WIRE_MODE_IDEMPOTENT, .credential = wire->credential};
    __builtin_memcpy(binding.tenant, tenant, 32);
    csn_key_id(wire->public_key, binding.key_id);
    cse_random_or_panic(session, ephemeral, sizeof ephemeral);
    csn_err result = csn_record_sender(&binding, wire->credential_secret, wire->public_key,
                                       ephemeral, sender->encapsulation, &sender->secrets);
    csn_wipe(ephemeral, sizeof ephemeral);
    if (result == CSN_OK) {
        cse_sender_salt(session, sender);
    }
    return result;
}

static enum csn_wire_status open_consumers(struct cse_session *session, const uint8_t tenant[32],
                                           struct cse_grant *grant)
{
    for (uint32_t i = 0; i < grant->consumer_count; i++) {
        const struct csn_wire_consumer *wire = &grant->wire_consumers[i];
        struct cse_consumer *consumer = &grant->consumers[i];
        if (wire->name[sizeof wire->name - 1] != 0 || csn_is_zero_ct(wire->credential_secret, 32)) {
            return CSN_WIRE_STATUS_MALFORMED;
        }
        csn_key_id(wire->public_key, consumer->key_id);
        if (open_sender(session, tenant, wire, CSN_WIRE_DIRECTION_OUTPUT, &consumer->output) !=
                CSN_OK ||
            open_sender(session, tenant, wire, CSN_WIRE_DIRECTION_FIELD, &consumer->field) !=
                CSN_OK) {
            return CSN_WIRE_STATUS_MALFORMED;
        }
    }
    return CSN_WIRE_STATUS_OK;
}

static enum csn_wire_status ask_service(const struct cse_session *session, const uint8_t tenant[32],
                                        struct cse_grant *grant)
{
    const struct cse_grant_view view = {.tenant = tenant,
                                        .secret = grant->domain_secret,
                                        .outside = session->options.outside,
                                        .features = session->options.instance->given.features,
                                        .policy = grant->policy,
                                        .policy_size = grant->policy_size,
                                        .consumer_count = grant->consumer_count,
                                        .consumers = grant->wire_consumers,
                                        .worker_state = session->worker_state,
                                        .claims = &grant->claims};
    cse_grant_hook hook = session->options.service->grant;
    grant->claims.count_max = session->options.service->claim_count;
    bool accepted = hook != NULL ? hook(grant->state, &view) == CSN_OK : grant->policy_size == 0;
    return accepted ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_POLICY;
}

/* ---- all together ---- */

static void wipe_grant(const struct csn_wire_manifest *manifest, struct cse_grant *grant)
{
    csn_wipe(grant->wire_consumers, manifest->consumer_count_max * sizeof *grant->wire_consumers);
    csn_wipe(grant->consumers, manifest->consumer_count_max * sizeof *grant->consumers);
    csn_wipe(grant->credentials, manifest->credential_count_max * sizeof *grant->credentials);
    csn_wipe(grant->policy, manifest->policy_size_max);
    csn_wipe(grant->state, manifest->tenant_state_size);
    struct cse_grant kept = {.wire_consumers = grant->wire_consumers,
                             .consumers = grant->consumers,
                             .credentials = grant->credentials,
                             .policy = grant->policy,
                             .state = grant->state};
    csn_wipe(grant, sizeof *grant);
    *grant = kept;
}

static enum csn_wire_status build(struct cse_session *session, const struct grant_view *view,
                                  const uint8_t *plain, struct cse_grant *grant, uint32_t *detail)
{
    struct reader reader = {.bytes = plain, .size = view->header.cipher_size};
    enum csn_wire_status status = read_grant(session, &reader, grant);
    *detail = reader.offset;
    grant->version = view->header.grant_version;
    grant->purpose = view->header.purpose;
    csn_grant_digest(&view->header, view->body_digest, grant->digest);
    if (status == CSN_WIRE_STATUS_OK) {
        status = check_recipients(grant);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = check_credentials(grant);
    }
    if (status == CSN_WIRE_STATUS_OK &&
        (!cse_ledger_fits(view->tenant, grant) || cse_made_count(session, view->tenant) +
                                                          grant->recipient_count +
                                                          session->options.service->claim_count >
                                                      CSN_WIRE_BOOT_KEY_COUNT_MAX)) {
        status = CSN_WIRE_STATUS_LIMIT;
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = open_consumers(session, view->tenant_id, grant);
    }
    return status == CSN_WIRE_STATUS_OK ? ask_service(session, view->tenant_id, grant) : status;
}

/* Nothing fails from here on. */
static void commit(struct cse_session *session, const struct grant_view *view)
{
    struct cse_tenant *tenant = view->tenant;
    struct cse_grant *old = tenant->grant;
    cse_held_drop_tenant(session, tenant); /* what they were promised goes with the grant */
    tenant->grant = session->spare;
    session->spare = old;
    wipe_grant(session->manifest, session->spare);
    cse_context_wipe_all(session, tenant);
    cse_ledger_merge(tenant, tenant->grant);
    tenant->open_budget = tenant->grant->open_failures_max;
    tenant->challenge_floor = session->challenge_next;
    if (!tenant->used) {
        cse_tenant_install(session, tenant, view->tenant_id);
    }
    if ((session->manifest->flags & CSN_WIRE_FLAG_SINGLE_TENANT) != 0) {
        session->locked = true;
        __builtin_memcpy(session->locked_tenant, view->tenant_id, 32);
    }
    cse_made_write(session);
}

static csn_err open_grant(struct cse_session *session, struct grant_view *view, uint8_t reply[32])
{
    const struct cse_instance *instance = session->options.instance;
    const struct csn_hpke_setup setup = {.aead = CSN_AEAD_AES_256_GCM,
                                         .info = (const uint8_t *)GRANT_INFO,
                                         .info_size = sizeof GRANT_INFO - 1};
    struct csn_hpke_context context;
    CSN_TRY(csn_hpke_receiver(&context, view->header.encapsulation, instance->secret_key,
                              instance->public_key, &setup));
    csn_err result = csn_hpke_open(&context, (const uint8_t *)&view->header, GRANT_AAD_SIZE,
                                   view->cipher, view->header.cipher_size,
                                   view->cipher + view->header.cipher_size, view->cipher);
    if (result == CSN_OK) {
        result = csn_hpke_export(&context, "caisson-reply", reply, 32);
    }
    csn_wipe(&context, sizeof context);
    return result;
}

void cse_grant_take(struct cse_session *session, const struct cse_input *input)
{
    struct grant_view view = {.tenant = NULL};
    struct cse_receipt receipt = {.header = &view.header};
    uint32_t code = check_grant(session, input, &view);
    if (code == CSN_WIRE_DONE && open_grant(session, &view, receipt.reply) != CSN_OK) {
        code = CSN_WIRE_REJECT_AUTH;
    }
    if (code != CSN_WIRE_DONE) {
        session->options.stats->records_refused++;
        cse_answer_plain(session, input, code, NULL, 0);
        return;
    }
    receipt.status = build(session, &view, view.cipher, session->spare, &receipt.detail);
    __builtin_memcpy(receipt.tenant, view.tenant_id, 32);
    __builtin_memcpy(receipt.digest, session->spare->digest, 32);
    if (receipt.status == CSN_WIRE_STATUS_OK) {
        commit(session, &view);
        receipt.detail = 0;
    } else {
        wipe_grant(session->manifest, session->spare);
    }
    cse_answer_receipt(session, input, &receipt);
    csn_wipe(&receipt, sizeof receipt);
}
