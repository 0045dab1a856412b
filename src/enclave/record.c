/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c: from the bytes of a record to a context and an AEAD item (docs/WIRE.md sections 3, 4).
 *
 * Trust:    every byte here is hostile until the batch open; what is refused before that gets a
 *           precise code, because it depends on public bytes only.
 * Order:    cheap checks first; the key exchange last, and only within the tenant's budget.
 */
#include "state.h"

struct header_view {
    struct csn_wire_record header;
    struct csn_binding binding;
    uint32_t credential; /* index */
    uint32_t recipient;  /* index */
};

bool cse_is_record(const struct cse_input *input)
{
    if (input->size < sizeof(uint32_t)) {
        return false;
    }
    uint32_t kind = csn_load_u32(input->bytes);
    return kind == CSN_WIRE_RECORD || (kind & CSN_WIRE_SHORT) != 0;
}

static bool class_of(const struct cse_session *session, uint32_t size, uint32_t *size_class)
{
    *size_class = csn_wire_class_for(size);
    return *size_class < session->class_count && csn_wire_input_class(*size_class) == size;
}

/* Framing and everything that needs no table. */
static uint32_t check_form(const struct cse_session *session, const struct cse_input *input,
                           const struct csn_wire_record *header, struct cse_opening *opening)
{
    if (header->version != CSN_WIRE_RECORD_VERSION) {
        return CSN_WIRE_REJECT_VERSION;
    }
    if (!CSN_CHECK(CSE_CHECK_SUITE, header->suite == CSN_WIRE_SUITE) ||
        header->encapsulation_size != sizeof header->encapsulation) {
        return CSN_WIRE_REJECT_SUITE;
    }
    if (header->route_size > CSN_WIRE_ROUTE_SIZE_MAX || header->reserved2 != 0 ||
        (header->flags & ~CSN_WIRE_FLAG_HELLO) != 0) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    if (!CSN_CHECK(CSE_CHECK_DIRECTION, header->direction == CSN_WIRE_DIRECTION_REQUEST)) {
        return CSN_WIRE_REJECT_MODE;
    }
    if (!class_of(session, header->cipher_size, &opening->size_class)) {
        return CSN_WIRE_REJECT_SIZE;
    }
    if ((uint64_t)input->size !=
        (uint64_t)sizeof *header + header->route_size + header->cipher_size + CSN_WIRE_TAG_SIZE) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    bool hello = (header->flags & CSN_WIRE_FLAG_HELLO) != 0;
    if (header->sequence > CSN_WIRE_SEQUENCE_LAST ||
        hello != (header->sequence >= CSN_WIRE_SEQUENCE_HELLO)) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    opening->hello = hello;
    return CSN_WIRE_DONE;
}

/* Replay mode: idempotent for deterministic services, window for challenges of this worker. */
static uint32_t check_mode(const struct cse_session *session, const struct cse_tenant *tenant,
                           struct header_view *view)
{
    const struct csn_wire_record *header = &view->header;
    bool deterministic = (session->manifest->flags & CSN_WIRE_FLAG_DETERMINISTIC) != 0;
    if (header->mode == CSN_WIRE_MODE_IDEMPOTENT) {
        bool allowed = CSN_CHECK(CSE_CHECK_MODE, deterministic) && header->challenge == 0;
        return allowed ? CSN_WIRE_DONE : CSN_WIRE_REJECT_MODE;
    }
    if (header->mode != CSN_WIRE_MODE_WINDOW) {
        return CSN_WIRE_REJECT_MODE;
    }
    if (!CSN_CHECK(CSE_CHECK_CHALLENGE, header->challenge >= tenant->challenge_floor &&
                                            header->challenge < session->challenge_next)) {
        return CSN_WIRE_REJECT_STALE;
    }
    struct csn_wire_challenge *challenge = &view->binding.challenge;
    __builtin_memcpy(challenge->boot_id, session->options.instance->boot_id, 16);
    challenge->worker = session->options.worker;
    challenge->counter = header->challenge;
    return CSN_WIRE_DONE;
}

static bool find_recipient(const struct cse_grant *grant, const uint8_t key_id[8], uint32_t *index)
{
    for (uint32_t i = 0; i < grant->recipient_count; i++) {
        if (CSN_CHECK(CSE_CHECK_KEY_ID, __builtin_memcmp(grant->key_ids[i], key_id, 8) == 0)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Whose record, under which key, in which mode. */
static uint32_t check_keys(struct cse_session *session, struct header_view *view,
                           struct cse_tenant **tenant_out)
{
    const struct csn_wire_record *header = &view->header;
    struct cse_tenant *tenant = cse_tenant_find(session, header->tenant);
    if (tenant == NULL) {
        return CSN_WIRE_REJECT_TENANT;
    }
    if (!CSN_CHECK(CSE_CHECK_FLOOR, header->grant_version <= tenant->grant->version)) {
        return CSN_WIRE_REJECT_STALE;
    }
    const struct csn_wire_credential *credential =
        cse_credential_find(tenant->grant, header->credential);
    if (!find_recipient(tenant->grant, header->key_id, &view->recipient) || credential == NULL) {
        return CSN_WIRE_REJECT_KEY;
    }
    view->credential = (uint32_t)(credential - tenant->grant->credentials);
    view->binding = (struct csn_binding){
        .direction = header->direction, .mode = header->mode, .credential = header->credential};
    __builtin_memcpy(view->binding.tenant, header->tenant, 32);
    __builtin_memcpy(view->binding.key_id, header->key_id, 8);
    *tenant_out = tenant;
    return check_mode(session, tenant, view);
}

/* ---- contexts ---- */

static struct cse_context *find_fresh(struct cse_session *session, const struct header_view *view,
                                      const uint8_t *salt)
{
    for (uint32_t i = 0; i < session->fresh_count; i++) {
        struct cse_context *context = &session->fresh[i];
        if (cse_context_matches(context, &view->binding, view->header.encapsulation) &&
            (salt == NULL || __builtin_memcmp(context->salt, salt, 16) == 0)) {
            return context;
        }
    }
    return NULL;
}

/* A cached key exchange with another salt: the cheap half of the key schedule again. */
static struct cse_context *with_salt(struct cse_session *session, const struct cse_context *known,
                                     const struct csn_wire_record *header)
{
    struct cse_context *fresh = &session->fresh[session->fresh_count++];
    *fresh = *known;
    csn_wipe(&fresh->replier, sizeof fresh->replier); /* one place counts: the cache's */
    cse_context_salt(fresh, header->salt);
    return fresh;
}

static uint32_t exchange(struct cse_session *session, struct cse_tenant *tenant,
                         const struct header_view *view, struct cse_context **context)
{
    bool window = view->binding.mode == CSN_WIRE_MODE_WINDOW;
    if (window && view->header.challenge < tenant->context_floor) {
        return CSN_WIRE_REJECT_STALE;
    }
    if (window && !cse_context_has_room(session, tenant)) {
        return CSN_WIRE_REJECT_BUSY;
    }
    if (!cse_open_charge(tenant)) {
        return CSN_WIRE_REJECT_QUOTA;
    }
    struct cse_context *fresh = &session->fresh[session->fresh_count];
    if (cse_context_make(fresh, &view->binding, view->header.encapsulation, tenant->grant,
                         view->credential, view->recipient) != CSN_OK) {
        return CSN_WIRE_REJECT_AUTH;
    }
    cse_context_salt(fresh, view->header.salt);
    session->fresh_count++;
    tenant->window_fresh += window;
    *context = fresh;
    return CSN_WIRE_DONE;
}

static uint32_t find_context(struct cse_session *session, const struct header_view *view,
                             struct cse_opening *opening)
{
    const struct csn_wire_record *header = &view->header;
    struct cse_tenant *tenant = opening->tenant;
    struct cse_context *cached =
        cse_context_find(session, tenant, &view->binding, header->encapsulation);
    if (cached != NULL) {
        cse_context_touch(session, tenant, cached);
        if (__builtin_memcmp(cached->salt, header->salt, 16) == 0) {
            opening->context = cached;
            return CSN_WIRE_DONE;
        }
    }
    opening->context = find_fresh(session, view, header->salt);
    if (opening->context != NULL) {
        return CSN_WIRE_DONE;
    }
    const struct cse_context *known = cached != NULL ? cached : find_fresh(session, view, NULL);
    if (known != NULL) {
        opening->context = with_salt(session, known, header);
        return CSN_WIRE_DONE;
    }
    return exchange(session, tenant, view, &opening->context);
}

/* ---- the two forms ---- */

static void fill_item(struct csn_gcm_item *item, const struct cse_input *input,
                      struct cse_opening *opening, const uint8_t *aad, uint32_t aad_size)
{
    item->key = &opening->context->key.key;
    item->aad = aad;
    item->aad_size = aad_size;
    item->size = opening->plain_size;
    item->input = opening->plain;
    item->output = opening->plain;
    item->tag = opening->plain + opening->plain_size;
    item->result = CSN_ERR_AUTH;
    item->ahead = input->ahead;
    csn_aead_nonce(opening->context->key.iv, opening->sequence, item->nonce);
    opening->item = item;
}

static uint32_t prepare_full(struct cse_session *session, const struct cse_input *input,
                             struct cse_opening *opening, struct csn_gcm_item *item)
{
    struct header_view view;
    if (input->size < sizeof view.header) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    __builtin_memcpy(&view.header, input->bytes, sizeof view.header);
    uint32_t code = check_form(session, input, &view.header, opening);
    if (code == CSN_WIRE_DONE) {
        code = check_keys(session, &view, &opening->tenant);
    }
    if (code == CSN_WIRE_DONE) {
        code = find_context(session, &view, opening);
    }
    if (code != CSN_WIRE_DONE) {
        return code;
    }
    /* GCM does not commit to its key: without this, one ciphertext could open under two. */
    if (!CSN_CHECK(CSE_CHECK_COMMITMENT, csn_equal_ct(opening->context->secrets.commitment,
                                                      view.header.commitment, 32))) {
        return CSN_WIRE_REJECT_AUTH;
    }
    uint32_t aad_size = (uint32_t)sizeof view.header + view.header.route_size;
    opening->sequence = view.header.sequence;
    opening->route = input->bytes + sizeof view.header;
    opening->route_size = view.header.route_size;
    opening->plain = input->bytes + aad_size;
    opening->plain_size = view.header.cipher_size;
    fill_item(item, input, opening, input->bytes, aad_size);
    return CSN_WIRE_DONE;
}

static bool find_fresh_for(const struct cse_session *session, const struct cse_context *context)
{
    for (uint32_t i = 0; i < session->fresh_count; i++) {
        if (cse_context_matches(&session->fresh[i], &context->binding, context->encapsulation)) {
            return true;
        }
    }
    return false;
}

/* The place that a handle names; what is there now is for the caller to see. */
static bool find_handle(struct cse_session *session, uint32_t handle)
{
    const uint32_t count = session->manifest->context_count_max;
    if (session->known_context != NULL && session->known_handle == handle) {
        return true; /* mostly: places stay where they are, and slots in use stay in use */
    }
    if (handle / count >= session->tenant_count) {
        return false;
    }
    session->known_handle = handle;
    session->known_tenant = &session->tenants[handle / count];
    session->known_context = &session->known_tenant->contexts[handle % count];
    return true;
}

static uint32_t prepare_short(struct cse_session *session, const struct cse_input *input,
                              struct cse_opening *opening, struct csn_gcm_item *item)
{
    struct csn_wire_short header;
    if (input->size < sizeof header + CSN_WIRE_TAG_SIZE) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    __builtin_memcpy(&header, input->bytes, sizeof header);
    if (!class_of(session, header.cipher_size, &opening->size_class)) {
        return CSN_WIRE_REJECT_SIZE;
    }
    if ((uint64_t)input->size != (uint64_t)sizeof header + header.cipher_size + CSN_WIRE_TAG_SIZE ||
        header.sequence >= CSN_WIRE_SEQUENCE_HELLO) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    if (!find_handle(session, header.handle & ~CSN_WIRE_SHORT)) {
        return CSN_WIRE_REJECT_KEY;
    }
    struct cse_tenant *tenant = session->known_tenant;
    struct cse_context *context = session->known_context;
    if (!context->used || !context->replier.used) { /* a handle comes with the answer to a hello */
        return CSN_WIRE_REJECT_KEY;
    }
    /* A full record with a new salt is on its way in this very run: it comes first. */
    if (find_fresh_for(session, context)) {
        return CSE_CODE_LATER;
    }
    cse_context_touch(session, tenant, context);
    opening->tenant = tenant;
    opening->context = context;
    opening->short_form = true;
    opening->sequence = header.sequence;
    opening->plain = input->bytes + sizeof header;
    opening->plain_size = header.cipher_size;
    opening->short_aad.header = header;
    __builtin_memcpy(opening->short_aad.context_id, context->context_id, 32);
    fill_item(item, input, opening, (const uint8_t *)&opening->short_aad,
              sizeof opening->short_aad);
    return CSN_WIRE_DONE;
}

bool cse_record_prepare(struct cse_session *session, const struct cse_input *input,
                        struct cse_opening *opening, struct csn_gcm_item *item)
{
    opening->code = CSN_WIRE_DONE;
    opening->hello = false;
    opening->short_form = false;
    opening->route_size = 0;
    opening->tenant = NULL;
    opening->context = NULL;
    opening->item = NULL;
    bool is_short = (csn_load_u32(input->bytes) & CSN_WIRE_SHORT) != 0;
    opening->code = is_short ? prepare_short(session, input, opening, item)
                             : prepare_full(session, input, opening, item);
    return opening->code != CSE_CODE_LATER;
}

bool cse_context_is_fresh(const struct cse_session *session, const struct cse_context *context)
{
    return context >= session->fresh && context < session->fresh + CSE_BATCH_MAX;
}

/* A fresh context whose first record has just authenticated: into the cache. */
static void commit_context(struct cse_session *session, struct cse_opening *opening)
{
    struct cse_context *fresh = opening->context;
    struct cse_context *cached =
        cse_context_find(session, opening->tenant, &fresh->binding, fresh->encapsulation);
    if (cached == NULL) {
        cached = cse_context_insert(session, opening->tenant, fresh);
        opening->context = cached != NULL ? cached : fresh;
        return;
    }
    if (__builtin_memcmp(cached->salt, fresh->salt, 16) != 0) {
        __builtin_memcpy(cached->salt, fresh->salt, 16);
        __builtin_memcpy(cached->context_id, fresh->context_id, 32);
        cached->key = fresh->key;
    }
    opening->context = cached;
}

void cse_record_settle(struct cse_session *session, struct cse_opening *opening)
{
    if (!CSN_CHECK(CSE_CHECK_TAG, opening->item->result == CSN_OK)) {
        opening->code = CSN_WIRE_REJECT_AUTH;
        if (cse_context_is_fresh(session, opening->context) &&
            CSN_CHECK(CSE_CHECK_INSERT_AFTER, false)) {
            commit_context(session, opening); /* the bug that tests seed */
        }
        return;
    }
    cse_open_return(opening->tenant);
    if (cse_context_is_fresh(session, opening->context)) {
        commit_context(session, opening);
    }
}
