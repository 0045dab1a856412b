/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c: producer contexts and each tenant's cache of them (docs/WIRE.md section 7).
 *
 * Only contexts that authenticated a record get in, so that a host with random encapsulations
 * cannot push honest ones out. Forgetting a window context must not let its records be replayed: so
 * the challenge that it began with, and all before it, begin none any more.
 */
#include "state.h"

uint32_t cse_context_window_max(const struct csn_wire_manifest *manifest)
{
    return manifest->context_count_max - manifest->context_count_max / 4;
}

/* Keyed, so that a producer cannot grind encapsulations into one bucket. */
static uint32_t bucket_of(const struct cse_session *session, const uint8_t encapsulation[32])
{
    uint64_t mixed =
        (csn_load_u64(encapsulation) ^ session->hash_secret) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= csn_load_u64(encapsulation + 8) + (session->hash_secret << 1);
    mixed *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(mixed >> 32) & (session->bucket_count - 1);
}

bool cse_context_matches(const struct cse_context *context, const struct csn_binding *binding,
                         const uint8_t encapsulation[32])
{
    return __builtin_memcmp(context->encapsulation, encapsulation, 32) == 0 &&
           __builtin_memcmp(&context->binding, binding, sizeof *binding) == 0;
}

struct cse_context *cse_context_find(const struct cse_session *session, struct cse_tenant *tenant,
                                     const struct csn_binding *binding,
                                     const uint8_t encapsulation[32])
{
    uint32_t index = tenant->buckets[bucket_of(session, encapsulation)];
    for (uint32_t i = 0; i < session->manifest->context_count_max && index != CSE_INDEX_NONE; i++) {
        struct cse_context *context = &tenant->contexts[index];
        if (cse_context_matches(context, binding, encapsulation)) {
            return context;
        }
        index = context->next;
    }
    return NULL;
}

csn_err cse_context_make(struct cse_context *context, const struct csn_binding *binding,
                         const uint8_t encapsulation[32], const struct cse_grant *grant,
                         uint32_t credential, uint32_t recipient)
{
    __builtin_memset(context, 0, sizeof *context);
    CSN_TRY(csn_record_receiver(binding, grant->credentials[credential].secret,
                                &grant->recipients[recipient], encapsulation, &context->secrets));
    context->binding = *binding;
    context->credential = credential;
    __builtin_memcpy(context->encapsulation, encapsulation, 32);
    csn_stream_id(encapsulation, context->stream);
    csn_record_id_begin(binding->tenant, binding->credential, encapsulation, &context->id_prefix);
    return CSN_OK;
}

void cse_context_salt(struct cse_context *context, const uint8_t salt[16])
{
    __builtin_memcpy(context->salt, salt, 16);
    csn_record_key_from_salt(context->secrets.base, salt, &context->key);
    csn_context_id(&context->binding, context->encapsulation, salt, context->context_id);
}

uint32_t cse_context_index(const struct cse_tenant *tenant, const struct cse_context *context)
{
    return (uint32_t)(context - tenant->contexts);
}

void cse_context_touch(struct cse_session *session, struct cse_tenant *tenant,
                       const struct cse_context *context)
{
    tenant->last_used[cse_context_index(tenant, context)] = session->clock;
}

static void unlink_context(struct cse_session *session, struct cse_tenant *tenant, uint32_t index)
{
    struct cse_context *context = &tenant->contexts[index];
    uint32_t *link = &tenant->buckets[bucket_of(session, context->encapsulation)];
    for (uint32_t i = 0; i < session->manifest->context_count_max && *link != CSE_INDEX_NONE; i++) {
        if (*link == index) {
            *link = context->next;
            break;
        }
        link = &tenant->contexts[*link].next;
    }
    csn_wipe(context, sizeof *context);
}

/* The one of that mode that waited longest and that no record of this batch uses. */
static uint32_t idlest(const struct cse_session *session, const struct cse_tenant *tenant,
                       uint32_t mode)
{
    uint32_t best = CSE_INDEX_NONE;
    for (uint32_t i = 0; i < session->manifest->context_count_max; i++) {
        const struct cse_context *context = &tenant->contexts[i];
        if (context->used && context->binding.mode == mode &&
            tenant->last_used[i] != session->clock &&
            (best == CSE_INDEX_NONE || tenant->last_used[i] < tenant->last_used[best])) {
            best = i;
        }
    }
    return best;
}

static bool is_full_of_windows(const struct cse_session *session, const struct cse_tenant *tenant)
{
    return tenant->window_count >= cse_context_window_max(session->manifest);
}

/* A window context takes the place of one of its kind once there are as many as there may be. */
static uint32_t choose(const struct cse_session *session, const struct cse_tenant *tenant,
                       uint32_t mode)
{
    if (mode == CSN_WIRE_MODE_WINDOW && is_full_of_windows(session, tenant)) {
        return idlest(session, tenant, CSN_WIRE_MODE_WINDOW);
    }
    for (uint32_t i = 0; i < session->manifest->context_count_max; i++) {
        if (!tenant->contexts[i].used) {
            return i;
        }
    }
    return idlest(session, tenant, CSN_WIRE_MODE_IDEMPOTENT);
}

bool cse_context_has_room(const struct cse_session *session, const struct cse_tenant *tenant)
{
    uint32_t max = cse_context_window_max(session->manifest);
    uint32_t wanted = tenant->window_count + tenant->window_fresh + 1; /* with this one */
    uint32_t idle = 0;
    if (wanted <= max) {
        return true;
    }
    for (uint32_t i = 0; i < session->manifest->context_count_max; i++) {
        idle += tenant->contexts[i].used &&
                tenant->contexts[i].binding.mode == CSN_WIRE_MODE_WINDOW &&
                tenant->last_used[i] != session->clock;
    }
    return wanted - max <= idle;
}

/* The context is not known any more: nor shall anything begin it again. */
static void spend_challenge(struct cse_tenant *tenant, const struct cse_context *context)
{
    uint64_t counter = context->binding.challenge.counter;
    if (context->binding.mode == CSN_WIRE_MODE_WINDOW && tenant->context_floor <= counter) {
        tenant->context_floor = counter + 1;
    }
}

struct cse_context *cse_context_insert(struct cse_session *session, struct cse_tenant *tenant,
                                       const struct cse_context *context)
{
    uint32_t index = choose(session, tenant, context->binding.mode);
    if (index == CSE_INDEX_NONE) {
        spend_challenge(tenant, context);
        return NULL;
    }
    struct cse_context *entry = &tenant->contexts[index];
    if (entry->used) {
        cse_answer_flush(session); /* short answers that wait are sealed with its key */
        spend_challenge(tenant, entry);
        tenant->window_count -= entry->binding.mode == CSN_WIRE_MODE_WINDOW;
        unlink_context(session, tenant, index);
    }
    uint32_t *head = &tenant->buckets[bucket_of(session, context->encapsulation)];
    *entry = *context;
    entry->used = true;
    entry->next = *head;
    *head = index;
    tenant->last_used[index] = session->clock;
    tenant->window_count += context->binding.mode == CSN_WIRE_MODE_WINDOW;
    return entry;
}

void cse_context_wipe_all(struct cse_session *session, struct cse_tenant *tenant)
{
    uint32_t count = session->manifest->context_count_max;
    csn_wipe(tenant->contexts, count * sizeof *tenant->contexts);
    csn_wipe(tenant->last_used, count * sizeof *tenant->last_used);
    for (uint32_t i = 0; i < session->bucket_count; i++) {
        tenant->buckets[i] = CSE_INDEX_NONE;
    }
    tenant->window_count = 0;
}
