/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c: the enclave that holds a model's weights (docs/MODEL.md): a language model that answers
 * as it writes, and boosted trees. Operations 1 and 2 begin a session and answer later.
 */
#include "mod_state.h"

#define PAYLOAD_MAX CSN_WIRE_PAYLOAD_MAX
#define TOKENS_TEXT 16u /* of an answer to a text, where nothing else is said */

enum {
    OPERATION_TEXT = 1,
    OPERATION_TALK = 2,
    OPERATION_SCORE = 3,
    OPERATION_MODELS = 4,
};

static uint32_t sessions_of(const struct mod_worker *worker, const uint8_t *tenant)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->slot_count; i++) {
        count += worker->sessions[i].phase != MOD_FREE &&
                 __builtin_memcmp(worker->sessions[i].tenant, tenant, 32) == 0;
    }
    return count;
}

/* What is asked for, and what grant, context and answer allow. */
static void set_limits(const struct mod_worker *worker, const struct mod_tenant *tenant,
                       const struct mod_request *request, struct mod_session *session)
{
    uint32_t most = worker->position_max - session->prompt_count;
    if (tenant->token_max != 0 && tenant->token_max < most) {
        most = tenant->token_max;
    }
    const uint32_t unsaid = session->is_talk ? most : TOKENS_TEXT;
    const uint32_t wanted = request->token_max != 0 ? request->token_max : unsaid;
    session->token_max = wanted < most ? wanted : most;
}

/* All but the place. */
static cse_status prepare(struct cse_call *call, const uint8_t *input, uint32_t size,
                          struct mod_session *session)
{
    struct mod_worker *worker = cse_worker_state(call);
    struct mod_request request;
    struct csn_json json;
    cse_status status = mod_scan(call, input, size, &json);
    if (status == CSN_WIRE_STATUS_OK) {
        status = mod_read_request(call, &json, session->is_talk, &request);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = mod_prompt(call, worker, &request, session->is_talk, session);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        session->is_stream = request.is_stream;
        session->wants_usage = request.wants_usage;
        session->sample = request.sample;
        session->stop = request.stop;
        set_limits(worker, cse_state(call), &request, session);
        if (!cse_random(call, &session->id, sizeof session->id) ||
            (!request.has_seed &&
             !cse_random(call, &session->sample.seed, sizeof session->sample.seed))) {
            status = CSN_WIRE_STATUS_INTERNAL;
        }
    }
    csn_wipe(&request, sizeof request);
    return status;
}

/* The session is made in scratch, and takes its place when nothing can be wrong any more. */
static cse_status begin(struct cse_call *call, const uint8_t *input, uint32_t size, bool is_talk)
{
    const struct mod_tenant *tenant = cse_state(call);
    struct mod_worker *worker = cse_worker_state(call);
    if (!mod_may(tenant, &tenant->language, &worker->language)) {
        return CSN_WIRE_STATUS_POLICY;
    }
    if (sessions_of(worker, cse_tenant(call)) >= tenant->session_max) {
        return CSN_WIRE_STATUS_BUSY;
    }
    struct mod_session *session = cse_scratch(call, sizeof *session);
    if (session == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    __builtin_memset(session, 0, sizeof *session);
    session->is_talk = is_talk;
    const cse_status status = prepare(call, input, size, session);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    struct cse_held *held = cse_hold(call);
    if (held == NULL || cse_held_index(held) >= worker->slot_count) {
        return CSN_WIRE_STATUS_BUSY;
    }
    const uint32_t room = cse_held_part_max(held);
    const uint32_t least = session->is_stream ? MOD_LAST_SIZE : MOD_ANSWER_FRAME;
    if (room < least) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    __builtin_memcpy(session->tenant, cse_tenant(call), 32);
    session->phase = MOD_READING;
    session->arrived = worker->sessions_begun++;
    session->answer_max = room - least;
    worker->sessions[cse_held_index(held)] = *session;
    worker->session_count++;
    if (session->is_stream) {
        cse_answer_type(call, "text/event-stream");
    }
    return CSE_LATER;
}

static cse_status text(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)output;
    (void)output_size_max;
    (void)output_size;
    return begin(call, input, input_size, false);
}

static cse_status talk(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)output;
    (void)output_size_max;
    (void)output_size;
    return begin(call, input, input_size, true);
}

static cse_status models(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                         uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)input;
    (void)input_size;
    const struct mod_tenant *tenant = cse_state(call);
    const struct mod_worker *worker = cse_worker_state(call);
    *output_size = mod_write_models(worker, mod_may(tenant, &tenant->language, &worker->language),
                                    output, output_size_max);
    return *output_size <= output_size_max ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_TOO_LARGE;
}

static const struct cse_operation operations[] = {
    {.id = OPERATION_TEXT,
     .input_size_max = PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = text},
    {.id = OPERATION_TALK,
     .input_size_max = PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = talk},
    {.id = OPERATION_SCORE,
     .input_size_max = PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = mod_score},
    {.id = OPERATION_MODELS,
     .input_size_max = PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = models},
};

#define JSON "application/json"
static const struct cse_route routes[] = {
    {"POST", "/v1/completions", OPERATION_TEXT, JSON, JSON},
    {"POST", "/v1/chat/completions", OPERATION_TALK, JSON, JSON},
    {"POST", "/v1/score", OPERATION_SCORE, JSON, JSON},
    {"GET", "/v1/models", OPERATION_MODELS, NULL, JSON},
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .grant = mod_grant,
    .purpose_mask = UINT64_MAX,
    .step = mod_step,
    .dropped = mod_dropped,
    .claim_count = 2,
};
