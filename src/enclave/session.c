/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c: laying out the pool, and a batch of messages from bytes to answers.
 *
 * A batch is cut into runs of records: all of a run are opened by one AEAD call, served in order,
 * sealed by another. Anything else (a grant, a challenge) ends a run, because it changes what the
 * records behind it mean.
 */
#include "held.h"
#include "http.h"
#include <caisson/wire/stop.h>

#define ALIGN UINT64_C(64)

/* ---- memory: one line per consumer ---- */

struct sizes {
    uint64_t session;  /* the struct, with all that one batch needs */
    uint64_t tenants;  /* one struct per slot */
    uint64_t prefixes; /* 8 bytes per slot, to find a tenant fast */
    uint64_t arena;    /* per tenant: contexts, their clock, hash buckets, ledger */
    uint64_t grant;    /* per tenant and one spare: a grant with its lists, policy and state */
    uint64_t area;     /* answers of one batch */
    uint64_t scratch;  /* the service's, per batch and per record */
    uint64_t worker;   /* the service's, for good */
    uint64_t places;   /* calls whose answers come later */
    uint64_t parts;    /* what they collect */
    uint32_t bucket_count;
    uint32_t area_size;
};

static uint64_t round_up(uint64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static uint32_t bucket_count(uint32_t context_count)
{
    uint32_t count = 1;
    while (count < context_count && count < UINT32_C(1) << 30) {
        count *= 2;
    }
    return count;
}

uint32_t cse_class_count(const struct csn_wire_manifest *m)
{
    uint32_t count = 0;
    while (count < CSN_WIRE_CLASS_COUNT &&
           sizeof(struct csn_wire_record) + csn_wire_input_class(count) + CSN_WIRE_TAG_SIZE <=
               m->input_size_max &&
           CSE_SLOT_OVERHEAD + sizeof(struct csn_wire_result) + csn_wire_output_room(m, count) <=
               m->output_size_max) {
        count++;
    }
    return count;
}

static struct sizes measure(const struct csn_wire_manifest *m)
{
    uint32_t buckets = bucket_count(m->context_count_max);
    uint64_t contexts = m->context_count_max;
    uint64_t largest = round_up((uint64_t)m->output_size_max + CSE_SLOT_OVERHEAD);
    uint64_t area = largest * m->outputs_per_input_max + 2 * CSN_WIRE_BATCH_SIZE_MAX;
    return (struct sizes){
        .session = round_up(sizeof(struct cse_session)),
        .tenants = round_up(m->tenant_count_max * sizeof(struct cse_tenant)),
        .prefixes = round_up(m->tenant_count_max * sizeof(uint64_t)),
        .arena = round_up(contexts * sizeof(struct cse_context)) +
                 round_up(contexts * sizeof(uint64_t)) + round_up(buckets * sizeof(uint32_t)) +
                 round_up(CSE_LEDGER_MAX * sizeof(struct cse_ledger_line)),
        .grant = round_up(sizeof(struct cse_grant)) +
                 round_up((uint64_t)m->consumer_count_max * sizeof(struct csn_wire_consumer)) +
                 round_up((uint64_t)m->consumer_count_max * sizeof(struct cse_consumer)) +
                 round_up((uint64_t)m->credential_count_max * sizeof(struct csn_wire_credential)) +
                 round_up(m->policy_size_max) + round_up(m->tenant_state_size),
        .area = round_up(area),
        .scratch = round_up(m->scratch_size),
        .worker = round_up(m->worker_state_size),
        .places = round_up(m->held_max * sizeof(struct cse_held)),
        .parts = round_up((uint64_t)m->held_max * cse_held_bytes(m)),
        .bucket_count = buckets,
        .area_size = (uint32_t)round_up(area),
    };
}

uint64_t cse_session_pool_size(const struct csn_wire_manifest *manifest)
{
    struct sizes sizes = measure(manifest);
    return sizes.session + sizes.tenants + sizes.prefixes +
           sizes.arena * manifest->tenant_count_max +
           sizes.grant * ((uint64_t)manifest->tenant_count_max + 1) + sizes.area + sizes.scratch +
           sizes.worker + sizes.places + sizes.parts + ALIGN;
}

/* Cuts pieces from one carved block; the block was measured for exactly these. */
static void *cut(uint8_t **at, uint64_t size)
{
    void *piece = *at;
    *at += round_up(size);
    return piece;
}

static struct cse_grant *lay_grant(const struct csn_wire_manifest *m, uint8_t *block)
{
    struct cse_grant *grant = cut(&block, sizeof *grant);
    grant->wire_consumers = cut(&block, m->consumer_count_max * sizeof *grant->wire_consumers);
    grant->consumers = cut(&block, m->consumer_count_max * sizeof *grant->consumers);
    grant->credentials = cut(&block, m->credential_count_max * sizeof *grant->credentials);
    grant->policy = cut(&block, m->policy_size_max);
    grant->state = cut(&block, m->tenant_state_size);
    return grant;
}

static void lay_tenant(struct cse_session *session, uint32_t index, uint8_t *arena, uint8_t *grant)
{
    const struct csn_wire_manifest *m = session->manifest;
    struct cse_tenant *tenant = &session->tenants[index];
    tenant->index = index;
    tenant->contexts = cut(&arena, m->context_count_max * sizeof *tenant->contexts);
    tenant->last_used = cut(&arena, m->context_count_max * sizeof *tenant->last_used);
    tenant->buckets = cut(&arena, session->bucket_count * sizeof *tenant->buckets);
    tenant->ledger = cut(&arena, CSE_LEDGER_MAX * sizeof *tenant->ledger);
    tenant->grant = lay_grant(m, grant);
}

static csn_err lay_out(struct cse_session *session, struct csn_pool *pool,
                       const struct sizes *sizes)
{
    const struct csn_wire_manifest *m = session->manifest;
    session->tenants = csn_pool_carve(pool, sizes->tenants, ALIGN);
    session->tenant_prefix = csn_pool_carve(pool, sizes->prefixes, ALIGN);
    session->area = csn_pool_carve(pool, sizes->area, ALIGN);
    uint8_t *scratch = csn_pool_carve(pool, sizes->scratch, ALIGN);
    uint8_t *spare = csn_pool_carve(pool, sizes->grant, ALIGN);
    struct cse_held *places = csn_pool_carve(pool, sizes->places, ALIGN);
    uint8_t *parts = csn_pool_carve(pool, sizes->parts, ALIGN);
    session->worker_state = csn_pool_carve(pool, sizes->worker, ALIGN);
    if (places == NULL || parts == NULL || session->worker_state == NULL ||
        session->tenants == NULL || session->tenant_prefix == NULL || session->area == NULL ||
        scratch == NULL || spare == NULL) {
        return CSN_ERR_MEMORY;
    }
    uint64_t batch_size = round_up(session->options.service->batch_size);
    if (batch_size > m->scratch_size) {
        return CSN_ERR_ARGUMENT;
    }
    session->batch = scratch;
    cse_held_lay(session, places, parts);
    csn_scratch_init(&session->scratch, scratch + batch_size, m->scratch_size - batch_size);
    session->spare = lay_grant(m, spare);
    session->bucket_count = sizes->bucket_count;
    session->area_size = sizes->area_size;
    for (uint32_t i = 0; i < m->tenant_count_max; i++) {
        uint8_t *arena = csn_pool_carve(pool, sizes->arena, ALIGN);
        uint8_t *grant = csn_pool_carve(pool, sizes->grant, ALIGN);
        if (arena == NULL || grant == NULL) {
            return CSN_ERR_MEMORY;
        }
        lay_tenant(session, i, arena, grant);
    }
    return CSN_OK;
}

static bool manifest_fits(const struct csn_wire_manifest *m)
{
    /* Handles are 31 bits; a slot table holds all outputs of one input. */
    return m->worker_count != 0 && m->tenant_count_max != 0 && m->context_count_max >= 4 &&
           (uint64_t)m->tenant_count_max * m->context_count_max < CSN_WIRE_SHORT &&
           m->outputs_per_input_max != 0 && m->outputs_per_input_max <= CSE_PENDING_MAX &&
           m->output_size_max <= UINT32_C(1) << 24 && m->input_size_max <= UINT32_C(1) << 24 &&
           m->scratch_size <= UINT32_C(1) << 30 && m->output_scale <= CSN_WIRE_OUTPUT_SCALE_MAX &&
           m->output_extra <= CSN_WIRE_OUTPUT_EXTRA_MAX &&
           csn_wire_output_room(m, 0) >= CSN_WIRE_OUTPUT_ROOM_MIN && cse_class_count(m) != 0 &&
           m->output_size_max >= CSE_SLOT_OVERHEAD + CSN_WIRE_FIXED_SIZE;
}

csn_err cse_session_init(struct cse_session **session_out, struct csn_pool *pool,
                         const struct cse_session_options *options)
{
    const struct csn_wire_manifest *manifest = options->manifest;
    if (!manifest_fits(manifest) || options->service->claim_count > CSN_WIRE_CLAIM_COUNT_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    struct sizes sizes = measure(manifest);
    struct cse_session *session = csn_pool_carve(pool, sizes.session, ALIGN);
    if (session == NULL) {
        return CSN_ERR_MEMORY;
    }
    session->options = *options;
    session->manifest = manifest;
    session->class_count = cse_class_count(manifest);
    for (uint32_t i = 0; i < CSN_WIRE_CLASS_COUNT; i++) {
        session->rooms[i] = csn_wire_output_room(manifest, i);
    }
    session->challenge_next = 1; /* 0 in a header means: none */
    CSN_TRY(lay_out(session, pool, &sizes));
    CSN_TRY(csn_random_fill(options->random, &session->hash_secret, sizeof session->hash_secret));
    csn_key_id(options->instance->public_key, session->instance_key_id);
    for (uint32_t i = 0; i < manifest->tenant_count_max; i++) {
        cse_context_wipe_all(session, &session->tenants[i]);
    }
    cse_made_write(session);
    if (options->tending != NULL && options->service->step != NULL) {
        *options->tending = &cse_held_tending;
    }
    *session_out = session;
    return CSN_OK;
}

/* ---- a batch ---- */

static void issue_challenge(struct cse_session *session, const struct cse_input *input)
{
    if (input->size != sizeof(uint32_t)) {
        cse_answer_plain(session, input, CSN_WIRE_REJECT_FRAMING, NULL, 0);
        return;
    }
    struct csn_wire_challenge challenge;
    cse_challenge_issue(session, &challenge);
    cse_answer_plain(session, input, CSN_WIRE_CHALLENGED, &challenge, sizeof challenge);
}

static void answer_other(struct cse_session *session, const struct cse_input *input)
{
    uint32_t kind = input->size < sizeof(uint32_t) ? 0 : csn_load_u32(input->bytes);
    if (kind == CSN_WIRE_GRANT) {
        cse_answer_flush(session); /* its records were served under the old grant */
        cse_grant_take(session, input);
    } else if (kind == CSN_WIRE_REQUEST) {
        cse_request_take(session, input);
    } else if (kind == CSN_WIRE_CANCEL) {
        cse_held_cancel(session, input);
    } else if (kind == CSN_WIRE_CHALLENGE) {
        issue_challenge(session, input);
    } else {
        session->options.stats->records_refused++;
        cse_answer_plain(session, input, CSN_WIRE_REJECT_FRAMING, NULL, 0);
    }
}

/* Opens as many as can be looked up now, at least one; returns how many. */
static uint32_t open_run(struct cse_session *session, const struct cse_input *inputs,
                         uint32_t count)
{
    uint32_t item_count = 0;
    session->clock++;
    session->fresh_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct cse_opening *opening = &session->openings[i];
        if (!cse_record_prepare(session, &inputs[i], opening, &session->items[item_count])) {
            count = i;
            break;
        }
        item_count += opening->item != NULL;
    }
    /* Reservations are for the run alone, and none is made without a fresh context. */
    for (uint32_t i = 0; i < count && session->fresh_count != 0; i++) {
        if (session->openings[i].tenant != NULL) {
            session->openings[i].tenant->window_fresh = 0;
        }
    }
    csn_gcm_open_batch(session->items, item_count);
    return count;
}

static void serve_run(struct cse_session *session, const struct cse_input *inputs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct cse_opening *opening = &session->openings[i];
        if (opening->item != NULL) {
            cse_record_settle(session, opening);
        }
        if (opening->code != CSN_WIRE_DONE) {
            session->options.stats->records_refused++;
            cse_answer_plain(session, &inputs[i], opening->code, NULL, 0);
            continue;
        }
        cse_serve(session, &inputs[i], opening);
    }
    csn_wipe(session->fresh, session->fresh_count * sizeof session->fresh[0]);
}

/* No plaintext of one record is there when the next batch is copied in. */
static void wipe_inputs(const struct cse_input *inputs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        csn_wipe(inputs[i].bytes, inputs[i].size);
    }
}

void cse_session_batch(struct cse_session *session, const struct cse_input *inputs, uint32_t count,
                       cse_sink sink, void *state)
{
    session->sink = sink;
    session->sink_state = state;
    for (uint32_t first = 0; first < count;) {
        uint32_t run = 0;
        while (first + run < count && run < CSE_BATCH_MAX && cse_is_record(&inputs[first + run])) {
            run++;
        }
        if (run == 0) {
            answer_other(session, &inputs[first++]);
            continue;
        }
        run = open_run(session, &inputs[first], run);
        serve_run(session, &inputs[first], run);
        first += run;
    }
    cse_answer_flush(session);
    if (!CSN_CHECK(CSE_CHECK_WIPE, false)) {
        wipe_inputs(inputs, count);
    }
    session->options.stats->scratch_high_water =
        round_up(session->options.service->batch_size) + session->scratch.high_water;
}
