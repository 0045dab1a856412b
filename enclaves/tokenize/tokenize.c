/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenize.c: the enclave that takes personal data out of JSON records (docs/TOKENIZE.md).
 *
 * Operation 1 tokenizes, operation 2 gives values back to those who may have them. A record is
 * scanned once into nodes in the scratch, then written by walking the nodes: what is kept is
 * copied from the input as it stands. MACs and encryptions are put off until a batch is complete.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include <caisson/wire/record.h>

#define PAYLOAD_MAX CSN_WIRE_PAYLOAD_MAX

enum {
    OPERATION_TOKENIZE = 1,
    OPERATION_DETOKENIZE = 2,
};

#define NODES_FIRST 48u /* most records have no more values */

/* With room for so many nodes. */
static bool take_tables(struct tok_job *job, struct csn_json *json, uint32_t count)
{
    json->nodes = cse_scratch(job->call, count * sizeof *json->nodes);
    json->hashes = cse_scratch(job->call, count * sizeof *json->hashes);
    json->owners = cse_scratch(job->call, count * sizeof *json->owners);
    json->node_max = count;
    return json->nodes != NULL && json->hashes != NULL && json->owners != NULL;
}

static cse_status scan(struct tok_job *job, struct csn_json *json)
{
    struct tok_queue *queue = job->queue;
    if (queue->shape_of != job->state) { /* names are hashed with the tenant's seed */
        queue->shape.count = 0;
        queue->shape_of = job->state;
    }
    *json = (struct csn_json){.text = job->text,
                              .size = job->size,
                              .lines = true,
                              .seed = job->state->seed,
                              .shape = &queue->shape};
    if (!take_tables(job, json, NODES_FIRST)) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    enum csn_json_reason reason = csn_json_scan(json);
    if (reason == CSN_JSON_SPACE) { /* as many as there can be, whatever that is */
        if (!take_tables(job, json, csn_json_bound(job->text, job->size))) {
            return CSN_WIRE_STATUS_LIMIT;
        }
        reason = csn_json_scan(json);
    }
    if (reason == CSN_JSON_OK) {
        return CSN_WIRE_STATUS_OK;
    }
    cse_fail_at(job->call, json->offset);
    if (reason == CSN_JSON_SPACE) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    return reason == CSN_JSON_DEPTH ? CSN_WIRE_STATUS_LIMIT : CSN_WIRE_STATUS_MALFORMED;
}

/* Values are paid for when all of them are known, and leave only if they were. */
static cse_status settle(struct tok_job *job)
{
    if (job->status == CSN_WIRE_STATUS_OK && job->revealed > 0 &&
        !cse_budget_take(job->call, job->revealed)) {
        return CSN_WIRE_STATUS_BUDGET;
    }
    return job->status;
}

static cse_status serve(struct tok_job *job, uint32_t *output_size)
{
    struct csn_json json;
    job->queue = cse_batch(job->call);
    cse_status status = scan(job, &json);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    job->nodes = json.nodes;
    tok_queue_begin(job->queue);
    tok_write_record(job);
    status = settle(job);
    if (status != CSN_WIRE_STATUS_OK) {
        tok_queue_take_back(job->queue);
        csn_wipe(job->out.bytes, job->out.size);
        return status;
    }
    *output_size = job->out.size;
    return CSN_WIRE_STATUS_OK;
}

static cse_status tokenize(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                           uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct tok_job job = {.call = call,
                          .state = cse_state(call),
                          .text = input,
                          .size = input_size,
                          .out = {.bytes = output, .max = output_size_max}};
    return job.state->ready == 1 ? serve(&job, output_size) : CSN_WIRE_STATUS_POLICY;
}

static cse_status detokenize(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                             uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct tok_job job = {.call = call,
                          .state = cse_state(call),
                          .text = input,
                          .size = input_size,
                          .reveal = true,
                          .field_mask = cse_field_mask(call),
                          .out = {.bytes = output, .max = output_size_max}};
    if (job.state->ready != 1) {
        return CSN_WIRE_STATUS_POLICY;
    }
    if ((job.field_mask & job.state->reveal_mask) == 0) {
        return CSN_WIRE_STATUS_RIGHTS;
    }
    return serve(&job, output_size);
}

static const struct cse_operation operations[] = {
    {.id = OPERATION_TOKENIZE,
     .input_size_max = PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = tokenize},
    {.id = OPERATION_DETOKENIZE,
     .input_size_max = PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_DETOKENIZE,
     .handler = detokenize},
};

static const struct cse_route routes[] = {
    {.method = "POST",
     .path = "/v1/tokenize",
     .operation = OPERATION_TOKENIZE,
     .input_type = "application/json",
     .output_type = "application/json"},
    {.method = "POST",
     .path = "/v1/detokenize",
     .operation = OPERATION_DETOKENIZE,
     .input_type = "application/json",
     .output_type = "application/json"},
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .grant = tok_grant,
    .purpose_mask = UINT64_MAX,
    .batch_size = sizeof(struct tok_queue),
    .complete = tok_queue_complete,
    .claim_count = 1, /* the model of a score */
};
