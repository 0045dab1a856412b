/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c: one authenticated record: checks, handler, answer; and what a handler may ask.
 *
 * Trust:    the payload is a tenant's. From here on the host sees DONE and one size, whatever
 *           happens: each refusal is a sealed tombstone as long as the answer would have been.
 */
#include "held.h"
#include "http.h"
#include <caisson/enclave_store.h>
#include <caisson/wire/stop.h>

/* ---- what a handler may ask ---- */

void *cse_state(struct cse_call *call)
{
    return call->answer.tenant->grant->state;
}

const uint8_t *cse_tenant(const struct cse_call *call)
{
    return call->answer.tenant->id;
}

uint32_t cse_rights(const struct cse_call *call)
{
    return call->credential->rights;
}

uint64_t cse_field_mask(const struct cse_call *call)
{
    return call->credential->field_mask;
}

uint32_t cse_purpose(const struct cse_call *call)
{
    return call->purpose;
}

bool cse_budget_take(struct cse_call *call, uint64_t count)
{
    return cse_ledger_take(call->session, call->answer.tenant, call->credential, count);
}

void *cse_scratch(struct cse_call *call, uint32_t size)
{
    return csn_scratch_take(&call->session->scratch, size);
}

struct cse_outside *cse_outside(struct cse_call *call)
{
    return call->session->options.outside;
}

void *cse_worker_state(struct cse_call *call)
{
    return call->session->worker_state;
}

const char *cse_route_name(const struct cse_call *call, uint32_t *size)
{
    *size = call->http != NULL ? call->http->name.size : 0;
    return *size != 0 ? (const char *)call->http->name.bytes : NULL;
}

void *cse_batch(struct cse_call *call)
{
    return call->session->batch;
}

bool cse_random(struct cse_call *call, void *bytes, uint32_t size)
{
    return csn_random_fill(call->session->options.random, bytes, size) == CSN_OK;
}

void cse_fail_at(struct cse_call *call, uint32_t offset)
{
    call->detail = offset;
    call->has_detail = true;
}

csn_err cse_emit(struct cse_call *call, const uint8_t *output, uint32_t size)
{
    struct cse_session *session = call->session;
    if (call->held != NULL) {
        return CSN_ERR_STATE;
    }
    if (call->emitted_count + 1 >= session->manifest->outputs_per_input_max) {
        return CSN_ERR_LIMIT;
    }
    if (size > cse_call_room(call) - call->offset) {
        return CSN_ERR_SPACE;
    }
    struct cse_pending *pending = call->spread
                                      ? &session->pending[call->first + call->emitted_count]
                                      : cse_answer_slot(session, call->answer.input, &call->shape);
    pending->final = false;
    pending->payload_size = size;
    __builtin_memcpy(cse_answer_payload(pending) + call->offset, output, size);
    call->emitted_count++;
    return CSN_OK;
}

void cse_answer_type(struct cse_call *call, const char *type)
{
    if (call->http != NULL) {
        call->http->type = type;
    }
}

/* ---- results ---- */

uint32_t cse_smallest_room(const struct cse_session *session, uint32_t size, uint32_t otherwise)
{
    for (uint32_t i = 0; i < session->class_count; i++) {
        uint32_t room = session->rooms[i];
        if (room >= size) {
            return room < otherwise ? room : otherwise;
        }
    }
    return otherwise;
}

/* Grants that say `reveals` have each answer only as long as its class. */
static void finish(struct cse_call *call, struct cse_pending *pending,
                   const struct cse_outcome *outcome)
{
    const bool is_made =
        !call->answer.opening->hello && (outcome->flags & CSN_WIRE_RESULT_FIN) == 0;
    pending->owner = is_made ? call->answer.tenant : NULL;
    bool reveals = (call->answer.tenant->grant->flags & CSN_WIRE_GRANT_REVEALS) != 0;
    if ((reveals && !call->answer.opening->hello) || CSN_CHECK(CSE_CHECK_SAME_CLASS, false)) {
        uint32_t size = outcome->payload_size;
        uint32_t room = cse_call_room(call);
        csn_wipe(cse_answer_payload(pending) + size, room - size);
        pending->shape.plain_size =
            call->shape.result_size + cse_smallest_room(call->session, size, room);
    }
    cse_answer_finish(call->session, pending, &call->answer, outcome);
}

/* A response over its outputs: each but the last is full. */
static void finish_spread(struct cse_call *call, uint32_t size, uint32_t count)
{
    struct cse_outcome outcome = {.part_count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct cse_pending *pending = &call->session->pending[call->first + i];
        const uint32_t room = cse_call_room(call);
        pending->final = i + 1 == count;
        outcome.part = i;
        outcome.payload_size = size < room ? size : room;
        size -= outcome.payload_size;
        finish(call, pending, &outcome);
    }
}

/* The main output was begun first and goes last: it carries the final mark. */
static void finish_all(struct cse_call *call, uint32_t main_size)
{
    struct cse_pending *first = &call->session->pending[call->first];
    struct cse_outcome outcome = {.payload_size = main_size, .part_count = 1};
    if (call->emitted_count == 0) {
        finish(call, first, &outcome);
        return;
    }
    const struct cse_pending main_output = *first;
    outcome.part_count = call->emitted_count + 1;
    for (uint32_t i = 0; i < call->emitted_count; i++) {
        first[i] = first[i + 1];
    }
    first[call->emitted_count] = main_output;
    for (uint32_t i = 0; i <= call->emitted_count; i++) {
        outcome.part = i;
        outcome.payload_size = i < call->emitted_count ? first[i].payload_size : main_size;
        finish(call, &first[i], &outcome);
    }
}

static void finish_tombstone(struct cse_call *call, enum csn_wire_status status)
{
    struct cse_session *session = call->session;
    const struct cse_outcome outcome = {.status = status,
                                        .flags = CSN_WIRE_RESULT_TOMBSTONE,
                                        .detail = call->detail,
                                        .part_count = 1};
    for (uint32_t i = 1; i <= call->emitted_count; i++) { /* parts of a refused record stay here */
        struct cse_pending *part = &session->pending[call->first + i];
        csn_wipe(cse_answer_payload(part), part->payload_size);
    }
    session->pending_count = call->first + 1;
    finish(call, &session->pending[call->first], &outcome);
}

static void finish_fin(struct cse_call *call, const uint8_t *payload)
{
    struct cse_pending *pending = &call->session->pending[call->first];
    const struct cse_context *context = call->answer.context;
    struct csn_wire_fin fin = {.sent = csn_load_u64(payload)};
    const struct cse_outcome outcome = {
        .flags = CSN_WIRE_RESULT_FIN, .payload_size = sizeof fin, .part_count = 1};
    if (context->binding.mode == CSN_WIRE_MODE_WINDOW) {
        fin.served = context->served;
        fin.refused = context->refused;
    }
    __builtin_memcpy(cse_answer_payload(pending), &fin, sizeof fin);
    finish(call, pending, &outcome);
}

/* The handle, and the salt of the answers that will come back under it. */
static void finish_hello(struct cse_call *call)
{
    struct cse_session *session = call->session;
    struct cse_context *context = call->answer.context;
    const struct cse_tenant *tenant = call->answer.tenant;
    struct cse_pending *pending = &session->pending[call->first];
    struct cse_outcome outcome = {.part_count = 1};
    if (!cse_context_is_fresh(session, context)) {
        struct csn_wire_hello hello;
        cse_replier_begin(session, tenant->grant, context);
        outcome.flags = CSN_WIRE_RESULT_SHORT;
        outcome.handle = tenant->index * session->manifest->context_count_max +
                         cse_context_index(tenant, context);
        __builtin_memcpy(hello.salt, context->replier.about.salt, sizeof hello.salt);
        __builtin_memcpy(cse_answer_payload(pending), &hello, sizeof hello);
        outcome.payload_size = sizeof hello;
    }
    finish(call, pending, &outcome);
}

/* ---- serving ---- */

static const struct cse_operation *find_operation(const struct cse_service *service, uint16_t id)
{
    for (uint32_t i = 0; i < service->operation_count; i++) {
        if (service->operations[i].id == id) {
            return &service->operations[i];
        }
    }
    return NULL;
}

static bool is_padded(const uint8_t *plain, const struct csn_wire_prelude *prelude, uint32_t size)
{
    uint32_t filled = (uint32_t)sizeof *prelude + prelude->payload_size;
    return filled == size ||
           CSN_CHECK(CSE_CHECK_PADDING, csn_is_zero_ct(plain + filled, size - filled));
}

static enum csn_wire_status check_prelude(const struct cse_opening *opening,
                                          struct csn_wire_prelude *prelude)
{
    __builtin_memcpy(prelude, opening->plain, sizeof *prelude);
    if (prelude->version != 1 || (prelude->flags & ~CSN_WIRE_PRELUDE_FIN) != 0 ||
        prelude->payload_size > opening->plain_size - CSN_WIRE_CLASS_BESIDE ||
        !is_padded(opening->plain, prelude, opening->plain_size)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    bool fin = (prelude->flags & CSN_WIRE_PRELUDE_FIN) != 0;
    if (fin && (prelude->payload_size != sizeof(uint64_t) || prelude->operation != 0)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (opening->hello && (fin || prelude->payload_size != 0 || prelude->operation != 0)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    return CSN_WIRE_STATUS_OK;
}

static enum csn_wire_status check_rights(const struct cse_call *call,
                                         const struct cse_operation *operation,
                                         const struct csn_wire_prelude *prelude)
{
    if (operation == NULL || prelude->payload_size > operation->input_size_max) {
        return CSN_WIRE_STATUS_OPERATION;
    }
    uint32_t needed = operation->rights | CSN_WIRE_RIGHT_SUBMIT;
    if (!CSN_CHECK(CSE_CHECK_RIGHTS, (call->credential->rights & needed) == needed)) {
        return CSN_WIRE_STATUS_RIGHTS;
    }
    if (!CSN_CHECK(CSE_CHECK_PURPOSE,
                   prelude->purpose < 64 &&
                       (call->credential->purpose_mask >> prelude->purpose & 1) != 0)) {
        return CSN_WIRE_STATUS_RIGHTS;
    }
    /* What a delegate may grant for is a limit only if records are held to it. */
    uint32_t granted = call->answer.tenant->grant->purpose;
    if (!CSN_CHECK(CSE_CHECK_GRANT_PURPOSE, granted == 0 || prelude->purpose == granted)) {
        return CSN_WIRE_STATUS_RIGHTS;
    }
    return CSN_WIRE_STATUS_OK;
}

enum csn_wire_status cse_run(struct cse_call *call, const struct csn_wire_prelude *prelude,
                             const uint8_t *payload, uint8_t *output, uint32_t room, uint32_t *size)
{
    const struct cse_operation *operation =
        find_operation(call->session->options.service, prelude->operation);
    enum csn_wire_status status = check_rights(call, operation, prelude);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    call->purpose = prelude->purpose;
    status = operation->handler(call, payload, prelude->payload_size, output, room, size);
    csn_scratch_reset(&call->session->scratch);
    if (call->held != NULL && status != CSE_LATER) {
        cse_held_release(call);
    }
    if ((uint32_t)status > CSN_WIRE_STATUS_LAST) {
        /* Else not one that an answer has a place for. */
        return call->held != NULL ? CSE_LATER : CSN_WIRE_STATUS_INTERNAL;
    }
    if (status == CSN_WIRE_STATUS_OK && *size > room) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* the handler wrote behind its output */
    }
    return status;
}

/* A whole response in the outputs of the call. Its frame is large, and no other record's. */
static __attribute__((noinline)) enum csn_wire_status
run_http(struct cse_call *call, const struct csn_wire_prelude *prelude, uint8_t *payload,
         uint32_t *size, uint32_t *count)
{
    struct cse_http http = {
        .bytes = payload, .size = prelude->payload_size, .purpose = prelude->purpose};
    return cse_http_serve(call, &http, size, count);
}

/* What the record asks for: *size bytes in the call's outputs. */
static enum csn_wire_status run(struct cse_call *call, const struct csn_wire_prelude *prelude,
                                uint8_t *payload, uint32_t *size, uint32_t *count)
{
    if (prelude->operation == CSN_WIRE_OPERATION_HTTP && cse_has_routes(call->session)) {
        /* A consumer gets outputs of operations, and no response that its producer asked for. */
        return call->credential->consumer == CSN_WIRE_CONSUMER_NONE
                   ? run_http(call, prelude, payload, size, count)
                   : CSN_WIRE_STATUS_RIGHTS;
    }
    uint8_t *output = cse_answer_payload(&call->session->pending[call->first]);
    return cse_run(call, prelude, payload, output, cse_call_room(call), size);
}

static enum csn_wire_status serve_open(struct cse_call *call, struct csn_wire_prelude *prelude)
{
    const struct cse_opening *opening = call->answer.opening;
    struct cse_context *context = call->answer.context;
    enum csn_wire_status status = check_prelude(opening, prelude);
    if (context->binding.mode != CSN_WIRE_MODE_WINDOW) {
        return status;
    }
    if (cse_context_is_fresh(call->session, context)) {
        return CSN_WIRE_STATUS_LIMIT; /* a window that cannot be kept is none */
    }
    if (!opening->hello &&
        !CSN_CHECK(CSE_CHECK_WINDOW, csn_window_accept(&context->window, opening->sequence))) {
        return CSN_WIRE_STATUS_REPLAY;
    }
    return status;
}

/* From the size class of the record and the form of the answer alone. */
static void choose_shape(struct cse_call *call)
{
    const struct cse_opening *opening = call->answer.opening;
    struct cse_shape *shape = &call->shape;
    if (call->answer.short_form) {
        shape->head_size = sizeof(struct csn_wire_short);
        shape->result_size = sizeof(struct csn_wire_short_result);
    } else {
        shape->head_size = (uint32_t)sizeof(struct csn_wire_record) + opening->route_size;
        shape->result_size = sizeof(struct csn_wire_result);
    }
    shape->plain_size = opening->hello
                            ? CSN_WIRE_FIXED_SIZE
                            : shape->result_size + call->session->rooms[opening->size_class];
}

static void begin_call(struct cse_session *session, const struct cse_input *input,
                       const struct cse_opening *opening, struct cse_call *call)
{
    struct cse_grant *grant = opening->tenant->grant;
    const struct csn_wire_credential *credential =
        &grant->credentials[opening->context->credential];
    *call = (struct cse_call){.session = session,
                              .answer = {.session = session,
                                         .input = input,
                                         .tenant = opening->tenant,
                                         .context = opening->context,
                                         .opening = opening},
                              .credential = credential};
    if (credential->consumer != CSN_WIRE_CONSUMER_NONE && !opening->hello) {
        call->answer.consumer = &grant->consumers[credential->consumer];
        call->answer.wire_consumer = &grant->wire_consumers[credential->consumer];
        cse_sender_refresh(session, &call->answer.consumer->output,
                           session->manifest->outputs_per_input_max);
    } else if (opening->short_form) {
        call->answer.short_form = true;
        cse_replier_refresh(session, opening->context, session->manifest->outputs_per_input_max);
    } else if (opening->hello) {
        cse_answer_flush(session); /* short answers that wait are under the key that it ends */
    }
    choose_shape(call);
    struct cse_pending *first =
        cse_answer_begin(session, input, &call->shape, session->manifest->outputs_per_input_max);
    call->first = (uint32_t)(first - session->pending);
}

/* The host reads these counters: like codes and sizes they say nothing of what came of a record. */
static void count(struct cse_session *session, enum csn_wire_status status)
{
    struct csn_wire_boot_stats *stats = session->options.stats;
    if (CSN_CHECK(CSE_CHECK_SAME_COUNT, false) && status != CSN_WIRE_STATUS_OK) {
        stats->records_refused++; /* the bug that tests seed */
        return;
    }
    stats->records_served++;
}

void cse_serve(struct cse_session *session, const struct cse_input *input,
               const struct cse_opening *opening)
{
    struct cse_call call;
    struct csn_wire_prelude prelude;
    uint32_t size = 0;
    uint32_t part_count = 1;
    begin_call(session, input, opening, &call);
    uint8_t *payload = opening->plain + sizeof prelude;
    enum csn_wire_status status = serve_open(&call, &prelude);
    bool fin = status == CSN_WIRE_STATUS_OK && (prelude.flags & CSN_WIRE_PRELUDE_FIN) != 0;
    if (status == CSN_WIRE_STATUS_OK && !fin && !opening->hello) {
        status = run(&call, &prelude, payload, &size, &part_count);
        opening->context->served += status == CSN_WIRE_STATUS_OK;
    }
    count(session, status);
    if (status != CSN_WIRE_STATUS_OK) {
        if (status == CSE_LATER) {
            opening->context->served++;
            cse_held_begin(&call);
            return;
        }
        opening->context->refused += status != CSN_WIRE_STATUS_REPLAY;
        finish_tombstone(&call, status);
    } else if (fin) {
        finish_fin(&call, payload);
    } else if (opening->hello) {
        finish_hello(&call);
    } else if (call.spread) {
        finish_spread(&call, size, part_count);
    } else {
        finish_all(&call, size);
    }
}
