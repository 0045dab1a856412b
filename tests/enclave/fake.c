/* SPDX-License-Identifier: Apache-2.0 */
/* fake.c: see fake.h. */
#include "fake.h"
#include "../../src/crypto/curve.h"
#include <caisson/vouch.h>
#include <caisson/wire/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_PLACE UINT64_C(0x706c616365) /* of the fields that FAKE_FIELD seals */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/*
 * What a real image's panic would stop, a test process stops as well. Weak: programs that add up
 * an image's memory bring one of their own (panic_hosted.c).
 */
__attribute__((weak)) void cse_panic(uint32_t code)
{
    fprintf(stderr, "panic %#x\n", code);
    abort();
}

/* ---- the service ---- */

static cse_status echo(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    uint8_t *copy = cse_scratch(call, input_size);
    if (copy == NULL || input_size > output_size_max) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    memcpy(copy, input, input_size);
    memcpy(output, copy, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static cse_status secret(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                         uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    if (!cse_budget_take(call, 1)) {
        return CSN_WIRE_STATUS_BUDGET;
    }
    return echo(call, input, input_size, output, output_size_max, output_size);
}

static cse_status fail(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)input;
    (void)input_size;
    (void)output_size;
    memset(output, 0x77, output_size_max); /* must not be sent */
    cse_fail_at(call, 7);
    return CSN_WIRE_STATUS_MALFORMED;
}

static cse_status twice(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                        uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    if (cse_emit(call, input, input_size) != CSN_OK) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    return echo(call, input, input_size, output, output_size_max, output_size);
}

static cse_status field(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                        uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    csn_err result = cse_field_seal(call, 0, FAKE_PLACE, input, input_size, output, output_size_max,
                                    output_size);
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_TOO_LARGE;
}

static cse_status unfield(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                          uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    csn_err result =
        cse_field_open(call, FAKE_PLACE, input, input_size, output, output_size_max, output_size);
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_NOT_FOUND;
}

static cse_status moved(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                        uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    csn_err result = cse_field_open(call, FAKE_PLACE + 1, input, input_size, output,
                                    output_size_max, output_size);
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_NOT_FOUND;
}

static cse_status full(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)call;
    (void)input;
    (void)input_size;
    memset(output, 0x5a, output_size_max);
    *output_size = 0;
    return CSN_WIRE_STATUS_OK;
}

static cse_status greedy(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                         uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    uint32_t taken = 0;
    while (taken < 1000 && cse_scratch(call, 4096) != NULL) {
        taken++;
    }
    while (cse_scratch(call, 1) != NULL) {
    }
    CHECK(taken > 0 && taken < 1000);
    return echo(call, input, input_size, output, output_size_max, output_size);
}

/* Copies that were put off. */
struct late {
    uint32_t count;
    struct {
        uint8_t *output;
        uint32_t size;
        uint8_t bytes[400];
    } copies[CSN_WIRE_BATCH_COUNT_MAX];
};

static cse_status late(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct late *late = cse_batch(call);
    CHECK(late->count < CSN_WIRE_BATCH_COUNT_MAX);
    if (input_size > sizeof late->copies[0].bytes || input_size > output_size_max) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    memset(output, '?', input_size);
    late->copies[late->count].output = output;
    late->copies[late->count].size = input_size;
    memcpy(late->copies[late->count++].bytes, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static cse_status type(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    static char types[64];
    CHECK(input_size < sizeof types);
    memcpy(types, input, input_size);
    types[input_size] = 0;
    cse_answer_type(call, types);
    return echo(call, input, input_size, output, output_size_max, output_size);
}

static cse_status name(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)input, (void)input_size;
    const char *text = cse_route_name(call, output_size);
    CHECK((text == NULL) == (*output_size == 0));
    text = text != NULL ? text : "none";
    *output_size = *output_size != 0 ? *output_size : 4;
    if (*output_size > output_size_max) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    memcpy(output, text, *output_size);
    return CSN_WIRE_STATUS_OK;
}

/* What the worker keeps over tenants and grants. */
struct kept {
    uint64_t sum;
    uint64_t grants;
};

static cse_status worker(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                         uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct kept *kept = cse_worker_state(call);
    CHECK((uintptr_t)kept % 64 == 0);
    for (uint32_t i = 0; i < input_size; i++) {
        kept->sum += input[i];
    }
    if (sizeof *kept > output_size_max) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    memcpy(output, kept, sizeof *kept);
    *output_size = sizeof *kept;
    return CSN_WIRE_STATUS_OK;
}

static cse_status own_status(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                             uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)call, (void)input, (void)input_size;
    memset(output, 0x5b, output_size_max);
    *output_size = output_size_max;
    return (cse_status)256;
}

static void complete(void *batch)
{
    struct late *late = batch;
    for (uint32_t i = 0; i < late->count; i++) {
        memcpy(late->copies[i].output, late->copies[i].bytes, late->copies[i].size);
    }
    late->count = 0;
}

/* A policy is accepted when it is empty or begins with 'P'. */
static csn_err take_policy(void *state, const struct cse_grant_view *grant)
{
    if (grant->policy_size != 0 && grant->policy[0] != 'P') {
        return CSN_ERR_POLICY;
    }
    struct kept *kept = grant->worker_state;
    kept->grants++;
    memcpy(state, grant->tenant, 32);
    return CSN_OK;
}

static const struct cse_operation operations[] = {
    {FAKE_ECHO, CSN_WIRE_PAYLOAD_MAX, 0, echo},
    {FAKE_SECRET, CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_DETOKENIZE, secret},
    {FAKE_FAIL, CSN_WIRE_PAYLOAD_MAX, 0, fail},
    {FAKE_TWICE, CSN_WIRE_PAYLOAD_MAX, 0, twice},
    {FAKE_FIELD, CSN_WIRE_PAYLOAD_MAX, 0, field},
    {FAKE_UNFIELD, CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_DETOKENIZE, unfield},
    {FAKE_FULL, CSN_WIRE_PAYLOAD_MAX, 0, full},
    {FAKE_MOVED, CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_DETOKENIZE, moved},
    {FAKE_GREEDY, CSN_WIRE_PAYLOAD_MAX, 0, greedy},
    {FAKE_LATE, CSN_WIRE_PAYLOAD_MAX, 0, late},
    {FAKE_STATUS, CSN_WIRE_PAYLOAD_MAX, 0, own_status},
    {FAKE_SMALL, 8, 0, echo},
    {FAKE_NAME, CSN_WIRE_PAYLOAD_MAX, 0, name},
    {FAKE_TYPE, CSN_WIRE_PAYLOAD_MAX, 0, type},
    {FAKE_WORKER, CSN_WIRE_PAYLOAD_MAX, 0, worker},
};
/* Each operation as a path; one of them takes JSON, another is there with two methods. */
static const struct cse_route routes[] = {
    {"POST", "/echo", FAKE_ECHO, NULL, "application/octet-stream"},
    {"POST", "/json", FAKE_ECHO, "application/json", "application/json"},
    {"GET", "/two", FAKE_FULL, NULL, "text/plain"},
    {"PUT", "/two", FAKE_ECHO, NULL, "text/plain"},
    {"POST", "/secret", FAKE_SECRET, NULL, "text/plain"},
    {"POST", "/fail", FAKE_FAIL, NULL, "text/plain"},
    {"POST", "/twice", FAKE_TWICE, NULL, "text/plain"},
    {"POST", "/full", FAKE_FULL, NULL, "text/plain"},
    {"POST", "/late", FAKE_LATE, NULL, "text/plain"},
    {"POST", "/status", FAKE_STATUS, NULL, "text/plain"},
    {"POST", "/small", FAKE_SMALL, NULL, "text/plain"},
    {"POST", "/worker", FAKE_WORKER, NULL, "application/octet-stream"},
    {"POST", "/type", FAKE_TYPE, NULL, "application/json"},
    {"POST", "/keys/all", FAKE_NAME, NULL, "text/plain"},
    {"POST", "/keys/{}", FAKE_NAME, NULL, "text/plain"},
    {"DELETE", "/keys/{}", FAKE_NAME, NULL, "text/plain"},
    {"POST", "/keys/{}/rotate", FAKE_NAME, NULL, "text/plain"},
};
const struct cse_service fake_service = {.operations = operations,
                                         .routes = routes,
                                         .route_count = sizeof routes / sizeof routes[0],
                                         .operation_count =
                                             sizeof operations / sizeof operations[0],
                                         .grant = take_policy,
                                         .purpose_mask = 3,
                                         .batch_size = sizeof(struct late),
                                         .complete = complete};

/* ---- the worker ---- */

static void fill_manifest(struct csn_wire_manifest *manifest, const struct fake_options *options)
{
    *manifest = (struct csn_wire_manifest){
        .magic = CSN_WIRE_MANIFEST_MAGIC,
        .abi_version = CSN_WIRE_ABI_VERSION,
        .name = "fake",
        .security_version = 3,
        .flags = options->flags | (options->store != NULL ? CSN_WIRE_FLAG_STORE : 0),
        .worker_count = options->worker_count != 0 ? options->worker_count : 1,
        .channel_count = 1,
        .input_line_count = 16384,
        .output_line_count = 16384,
        .input_size_max = CSN_WIRE_CLASS_LARGEST + 176 + 256 + 16,
        .output_size_max = CSN_WIRE_PAYLOAD_MAX / 16 * 24 + 1024,
        .output_scale = options->output_scale,
        .output_extra = options->output_extra,
        .outputs_per_input_max = 2,
        .tenant_count_max = options->tenant_count_max != 0 ? options->tenant_count_max : 4,
        .context_count_max = options->context_count_max != 0 ? options->context_count_max : 64,
        .credential_count_max = 8,
        .consumer_count_max = 4,
        .policy_size_max = CSN_WIRE_POLICY_SIZE_MAX,
        .tenant_state_size = options->tenant_state_size != 0 ? options->tenant_state_size : 64,
        .scratch_size = options->scratch_size != 0 ? options->scratch_size : 262144,
        .worker_state_size =
            options->worker_state_size != 0 ? options->worker_state_size : sizeof(struct kept),
        .held_max = options->held_max,
    };
}

static void make_statement_key(struct fake *fake, const struct cse_service *service)
{
    uint8_t seed[32];
    if (service != NULL && service->statements != NULL) {
        CHECK(service->statements->self_test() == CSN_OK);
        CHECK(csn_random_fill(&fake->random, seed, sizeof seed) == CSN_OK);
        service->statements->make(seed, fake->instance.statement_public,
                                  fake->instance.statement_secret);
    }
}

void fake_start(struct fake *fake, const struct fake_options *options)
{
    memset(fake, 0, sizeof *fake);
    fill_manifest(&fake->manifest, options);
    if (options->output_scale == 0 && options->output_extra == 0) {
        fake->manifest.output_scale = 24;
        fake->manifest.output_extra = 176;
    }
    CHECK(csn_random_init(&fake->random, csn_random_system, NULL) == CSN_OK);
    if (options->instance != NULL) {
        fake->instance = *options->instance;
    } else {
        struct csn_ohttp_key *key = &fake->instance.request_key;
        CHECK(csn_random_fill(&fake->random, key->secret_key, 32) == CSN_OK);
        CHECK(csn_ohttp_key_make(key) == CSN_OK);
        CHECK(csn_random_fill(&fake->random, fake->instance.secret_key, 32) == CSN_OK);
        CHECK(csn_random_fill(&fake->random, fake->instance.boot_id, 16) == CSN_OK);
        csn_x25519_public(fake->instance.public_key, fake->instance.secret_key);
        make_statement_key(fake, options->service);
    }
    memset(fake->measurement, 0x4d, sizeof fake->measurement);
    fake->made = calloc(1, sizeof *fake->made);
    uint64_t size = cse_session_pool_size(&fake->manifest) + cse_outside_pool_size(&fake->manifest);
    fake->memory = aligned_alloc(64, (size + 63) / 64 * 64);
    fake->inputs = aligned_alloc(64, 32 * FAKE_RECORD_MAX);
    fake->answer_memory = aligned_alloc(64, 64 * FAKE_RECORD_MAX);
    CHECK(fake->made != NULL && fake->memory != NULL && fake->inputs != NULL &&
          fake->answer_memory != NULL);
    csn_pool_init(&fake->pool, fake->memory, size);
    if (options->store != NULL) {
        const struct cse_outside_options outside = {.manifest = &fake->manifest,
                                                    .port = *options->store,
                                                    .random = &fake->random,
                                                    .boot_id = fake->instance.boot_id,
                                                    .worker = options->worker};
        CHECK(cse_outside_init(&fake->outside, &fake->pool, &outside) == CSN_OK);
    }
    const struct cse_session_options session = {
        .manifest = &fake->manifest,
        .service = options->service != NULL ? options->service : &fake_service,
        .instance = &fake->instance,
        .measurement = fake->measurement,
        .made = options->worker == 0 ? fake->made : NULL,
        .stats = &fake->stats,
        .random = &fake->random,
        .worker = options->worker,
        .tending = &fake->tending,
        .outside = fake->outside};
    fake->room = FAKE_ROOM;
    CHECK(cse_session_init(&fake->session, &fake->pool, &session) == CSN_OK);
    csn_pool_seal(&fake->pool);
}

void fake_stop(struct fake *fake)
{
    free(fake->made);
    free(fake->memory);
    free(fake->inputs);
    free(fake->answer_memory);
    memset(fake, 0, sizeof *fake);
}

static void collect(void *state, uint32_t channel, uint64_t tag, bool final,
                    const struct csn_ring_piece pieces[2])
{
    struct fake *fake = state;
    struct csn_wire_answer head;
    const bool alone = pieces[1].bytes == NULL; /* a short reply */
    const struct csn_ring_piece *body = &pieces[alone ? 0 : 1];
    CHECK(channel == 0 && fake->answer_count < FAKE_ANSWER_MAX);
    memcpy(&head, pieces[0].bytes, sizeof head);
    CHECK(alone == ((head.code & CSN_WIRE_SHORT) != 0));
    CHECK(alone || pieces[0].size == sizeof head);
    head = alone ? (struct csn_wire_answer){.code = CSN_WIRE_DONE, .size = body->size} : head;
    CHECK(head.size == body->size);
    CHECK(sizeof head + body->size <= fake->manifest.output_size_max);
    struct fake_answer *answer = &fake->answers[fake->answer_count++];
    *answer = (struct fake_answer){.tag = tag,
                                   .final = final,
                                   .alone = alone,
                                   .code = head.code,
                                   .size = head.size,
                                   .body = fake->answer_memory + fake->answer_bytes};
    CHECK(fake->answer_bytes + head.size <= 64 * FAKE_RECORD_MAX);
    memcpy(answer->body, body->bytes, head.size);
    fake->answer_bytes += (head.size + 63) / 64 * 64;
}

void fake_send(struct fake *fake, const struct fake_message *messages, uint32_t count)
{
    struct cse_input inputs[CSN_WIRE_BATCH_COUNT_MAX];
    uint32_t used = 0;
    CHECK(count <= CSN_WIRE_BATCH_COUNT_MAX);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(messages[i].size <= FAKE_RECORD_MAX);
        memcpy(fake->inputs + used, messages[i].bytes, messages[i].size);
        inputs[i] = (struct cse_input){
            .tag = fake->tag_base + i, .bytes = fake->inputs + used, .size = messages[i].size};
        used += (messages[i].size + 63) / 64 * 64;
    }
    fake->answer_count = 0;
    fake->answer_bytes = 0;
    cse_session_batch(fake->session, inputs, count, collect, fake);
    if (fake->outside != NULL && fake->outside->tend != NULL) {
        fake->outside->tend(fake->outside); /* as the loop does */
    }
}

static bool has_room(void *state, uint32_t channel, uint32_t size)
{
    const struct fake *fake = state;
    CHECK(channel == 0 && size <= fake->manifest.output_size_max);
    return fake->room != 0;
}

static void collect_step(void *state, uint32_t channel, uint64_t tag, bool final,
                         const struct csn_ring_piece pieces[2])
{
    struct fake *fake = state;
    CHECK(fake->room != 0);
    fake->room -= fake->room != FAKE_ROOM;
    collect(state, channel, tag, final, pieces);
}

bool fake_step(struct fake *fake)
{
    const struct cse_outlet outlet = {.sink = collect_step, .room = has_room, .state = fake};
    return fake->tending->step(fake->session, &outlet);
}

bool fake_has_waited(struct fake *fake)
{
    const struct cse_outlet outlet = {.sink = collect_step, .room = has_room, .state = fake};
    return fake->tending->has_waited(fake->session, &outlet);
}

const struct fake_answer *fake_one(struct fake *fake, const void *bytes, uint32_t size)
{
    const struct fake_message message = {bytes, size};
    fake_send(fake, &message, 1);
    CHECK(fake->answer_count != 0 && fake->answers[fake->answer_count - 1].final);
    return &fake->answers[fake->answer_count - 1];
}

struct csv_recipient fake_recipient(const struct fake *fake)
{
    struct csv_recipient recipient = {.kind = CSV_RECIPIENT_INSTANCE,
                                      .suite = CSN_WIRE_SUITE,
                                      .security_version = fake->manifest.security_version};
    memcpy(recipient.public_key, fake->instance.public_key, 32);
    memcpy(recipient.boot_id, fake->instance.boot_id, 16);
    memcpy(recipient.measurement, fake->measurement, 48);
    return recipient;
}

/* ---- tenants ---- */

void fake_tenant_new(struct fake_tenant *tenant)
{
    const struct csv_rights to_sink = {
        .rights = CSN_WIRE_RIGHT_SUBMIT, .consumer = 0, .purpose_mask = 1};
    const struct csv_rights reply = {.rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_DETOKENIZE,
                                     .consumer = CSN_WIRE_CONSUMER_NONE,
                                     .purpose_mask = 3,
                                     .budget = 5};
    CHECK(csv_tenant_new(&tenant->tenant) == CSN_OK);
    CHECK(csv_tenant_add_consumer(&tenant->tenant, "sink", true, &tenant->consumer) == CSN_OK);
    CHECK(csv_tenant_add_producer(&tenant->tenant, &to_sink, &tenant->producer) == CSN_OK);
    CHECK(csv_tenant_add_producer(&tenant->tenant, &reply, &tenant->replier) == CSN_OK);
    struct csv_rights ask = reply;
    ask.rights |= CSN_WIRE_RIGHT_REQUEST;
    CHECK(csv_tenant_add_producer(&tenant->tenant, &ask, &tenant->asker) == CSN_OK);
    ask.rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_BEARER;
    CHECK(csv_tenant_add_producer(&tenant->tenant, &ask, &tenant->bearer) == CSN_OK);
    ask.rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_REQUEST | CSN_WIRE_RIGHT_BEARER;
    ask.consumer = 0;
    CHECK(csv_tenant_add_producer(&tenant->tenant, &ask, &tenant->deliverer) == CSN_OK);
    tenant->recipient = (struct csv_recipient){
        .kind = CSV_RECIPIENT_RECIPIENT, .suite = CSN_WIRE_SUITE, .grant_version = 1};
    memcpy(tenant->recipient.public_key, tenant->tenant.recipients[0].public_key, 32);
    memcpy(tenant->recipient.tenant, tenant->tenant.id, 32);
}

void fake_grant_build(const struct fake *fake, struct fake_tenant *tenant, uint64_t version)
{
    struct csv_recipient instance = fake_recipient(fake);
    if (tenant->policy == NULL) {
        tenant->policy = "P";
        tenant->policy_size = 1;
    }
    const struct csv_grant_options options = {.tenant = &tenant->tenant,
                                              .instance = &instance,
                                              .version = version,
                                              .security_version_min = 1,
                                              .policy = tenant->policy,
                                              .policy_size = tenant->policy_size};
    CHECK(csv_grant_build(&options, tenant->message, sizeof tenant->message, &tenant->message_size,
                          &tenant->grant) == CSN_OK);
}

void fake_grant(struct fake *fake, struct fake_tenant *tenant, uint64_t version)
{
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    fake_grant_build(fake, tenant, version);
    const struct fake_answer *answer = fake_one(fake, tenant->message, tenant->message_size);
    CHECK(answer->code == CSN_WIRE_GRANTED);
    CHECK(csv_receipt_open(&tenant->grant, answer->body, answer->size, &result, &receipt) ==
          CSN_OK);
    CHECK(result.status == CSN_WIRE_STATUS_OK);
}
