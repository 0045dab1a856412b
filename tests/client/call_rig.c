/* SPDX-License-Identifier: Apache-2.0 */
/* call_rig.c: see call_rig.h. */
#include "call_rig.h"
#include "../../src/ohttp/ohttp.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <sys/mman.h>

#define PAGE 4096u

/* ---- life ---- */

static void make_policy(struct call_gateway *gateway)
{
    assert_int_equal(csv_policy_create(&gateway->policy), CSN_OK);
    assert_int_equal(csv_policy_allow(gateway->policy, "formats", "caisson"), CSN_OK);
    assert_int_equal(csv_policy_allow_bytes(gateway->policy, "caisson.measurements",
                                            gateway->boots[0].measurement, 48),
                     CSN_OK);
    assert_int_equal(csv_policy_allow(gateway->policy, "caisson.platforms", "software"), CSN_OK);
    assert_int_equal(csv_policy_allow(gateway->policy, "caisson.insecure_dev", "true"), CSN_OK);
    assert_int_equal(csv_policy_allow_bytes(gateway->policy, "caisson.software_roots",
                                            gateway->rig.root_key, 32),
                     CSN_OK);
}

void call_gateway_start(struct call_gateway *gateway, const struct fake_options *options)
{
    memset(gateway, 0, sizeof *gateway);
    rig_init(&gateway->rig);
    fake_tenant_new(&gateway->tenant);
    if (options->service != NULL && options->service->grant == NULL) {
        gateway->tenant.policy = ""; /* the only one that it takes */
    }
    for (uint32_t i = 0; i < CALL_BOOTS; i++) {
        fake_start(&gateway->boots[i], options);
        fake_grant(&gateway->boots[i], &gateway->tenant, 1);
    }
    make_policy(gateway);
    gateway->sent = malloc(CALL_SENT_MAX);
    gateway->kept = malloc(CALL_ANSWER_MAX);
    gateway->now = CALL_NOW;
    gateway->guarded = mmap(NULL, CALL_ANSWER_MAX + PAGE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(gateway->guarded != MAP_FAILED);
    assert_int_equal(mprotect(gateway->guarded + CALL_ANSWER_MAX, PAGE, PROT_NONE), 0);
    assert_non_null(gateway->sent);
    assert_non_null(gateway->kept);
}

void call_gateway_stop(struct call_gateway *gateway)
{
    for (uint32_t i = 0; i < CALL_BOOTS; i++) {
        fake_stop(&gateway->boots[i]);
    }
    for (uint32_t i = 0; i < gateway->held_count; i++) {
        free(gateway->held[i].body);
    }
    csv_policy_free(gateway->policy);
    free(gateway->sent);
    free(gateway->kept);
    munmap(gateway->guarded, CALL_ANSWER_MAX + PAGE);
}

/* ---- what it answers ---- */

size_t call_evidence(struct call_gateway *gateway, uint32_t boot, const uint8_t nonce[32],
                     uint8_t *body)
{
    struct rig *rig = &gateway->rig;
    const struct fake *fake = &gateway->boots[boot];
    rig->manifest = fake->manifest;
    memcpy(rig->report.measurement, fake->measurement, 48);
    rig->made = *fake->made;
    rig->made.state = CSN_WIRE_STATE_SERVING;
    memcpy(rig->made.boot_id, fake->instance.boot_id, 16);
    memcpy(rig->nonce[0], nonce, 32);
    rig_sign_image(rig);
    rig_bundle(rig);
    memcpy(body, rig->bytes, rig->size);
    return rig->size;
}

static void answer_evidence(struct call_gateway *gateway, const char *path,
                            struct call_answer *answer)
{
    uint8_t nonce[32];
    const char *hex = strstr(path, "nonce=");
    assert_non_null(hex);
    for (size_t i = 0; i < sizeof nonce; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 6 + 2 * i, "%2x", &byte), 1);
        nonce[i] = (uint8_t)byte;
    }
    answer->content_type = "application/vnd.caisson.evidence";
    answer->size = call_evidence(gateway, gateway->current, nonce, answer->body);
}

void call_keys(const struct call_gateway *gateway, uint32_t boot, struct call_answer *answer)
{
    csn_ohttp_keys_write(&gateway->boots[boot].instance.request_key, answer->body);
    answer->size = CSN_OHTTP_KEYS_SIZE;
    answer->content_type = "application/ohttp-keys";
}

void call_problem(struct call_answer *answer, uint32_t status, const char *type)
{
    answer->status = status;
    answer->content_type = CALL_PROBLEM_TYPE;
    answer->size =
        (size_t)snprintf((char *)answer->body, CALL_ANSWER_MAX,
                         "{\"title\":\"x\",\"type\":\"%s\",\"status\":%u}", type, status);
}

static void put(struct call_answer *answer, const void *bytes, size_t size)
{
    assert_true(size <= CALL_ANSWER_MAX - answer->size);
    memcpy(answer->body + answer->size, bytes, size);
    answer->size += size;
}

/* What comes later comes now: everything that the service still does. */
static void send_all(struct fake *fake, const struct fake_message *messages, uint32_t count)
{
    fake_send(fake, messages, count);
    for (uint32_t i = 0; fake->tending != NULL && i < 1000 && fake_step(fake); i++) {
    }
}

/* Ring messages with sizes in front, there and back; a token names the boot. */
static void answer_records(struct call_gateway *gateway, const struct csv_fetch *fetch,
                           struct call_answer *answer)
{
    struct fake_message messages[8];
    struct fake *fake = &gateway->boots[gateway->current];
    uint32_t count = 0;
    for (size_t at = 0; at < fetch->body_size; count++) {
        uint32_t size;
        assert_true(count < 8 && fetch->body_size - at >= 4);
        memcpy(&size, fetch->body + at, 4);
        assert_true(size <= fetch->body_size - at - 4);
        messages[count] = (struct fake_message){fetch->body + at + 4, size};
        gateway->record_sizes[count] = size;
        at += 4 + size;
    }
    gateway->record_count = count;
    send_all(fake, messages, count);
    answer->content_type = CALL_ANSWERS_TYPE;
    for (uint32_t i = 0; i < fake->answer_count; i++) {
        const struct fake_answer *output = &fake->answers[i];
        if (output->code == CSN_WIRE_HELD) {
            continue; /* a gateway keeps that to itself */
        }
        const struct csn_wire_answer head = {.code = output->code, .size = output->size};
        uint32_t size = output->size + (output->alone ? 0 : (uint32_t)sizeof head);
        put(answer, &size, sizeof size);
        put(answer, &head, output->alone ? 0 : sizeof head);
        put(answer, output->body, output->size);
    }
}

static const char *field(const struct csv_fetch *fetch, const char *name)
{
    for (uint32_t i = 0; i < fetch->field_count; i++) {
        if (strcmp(fetch->fields[i].name, name) == 0) {
            assert_int_equal(strlen(fetch->fields[i].value), fetch->fields[i].value_size);
            return fetch->fields[i].value;
        }
    }
    return NULL;
}

static void answer_oblivious(struct call_gateway *gateway, const struct csv_fetch *fetch,
                             struct call_answer *answer)
{
    static uint8_t message[FAKE_RECORD_MAX];
    const bool chunked = strcmp(field(fetch, "Content-Type"), "message/ohttp-req") != 0;
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = chunked};
    struct fake *fake = &gateway->boots[gateway->current];
    if (fetch->body_size > sizeof message - sizeof head) {
        call_problem(answer, 413, "about:blank");
        return;
    }
    memcpy(message, &head, sizeof head);
    memcpy(message + sizeof head, fetch->body, fetch->body_size);
    const struct fake_message one = {message, (uint32_t)(sizeof head + fetch->body_size)};
    send_all(fake, &one, 1);
    const struct fake_answer *first = &fake->answers[fake->answers[0].code == CSN_WIRE_HELD];
    if (first->code == CSN_WIRE_REJECT_KEY) {
        call_problem(answer, 400, "https://iana.org/assignments/http-problem-types#ohttp-key");
        return;
    }
    if (first->code == CSN_WIRE_REJECT_AUTH) {
        call_problem(answer, 400, "about:blank");
        return;
    }
    assert_int_equal(first->code, CSN_WIRE_ANSWERED);
    answer->content_type = chunked ? "message/ohttp-chunked-res" : "message/ohttp-res";
    for (uint32_t i = (uint32_t)(first - fake->answers); i < fake->answer_count; i++) {
        put(answer, fake->answers[i].body, fake->answers[i].size);
    }
}

static enum call_what what_is(const struct csv_fetch *fetch)
{
    bool post = strcmp(fetch->method, "POST") == 0;
    if (strncmp(fetch->path, "/.well-known/caisson/evidence?", 30) == 0) {
        assert_false(post);
        return CALL_EVIDENCE;
    }
    if (strncmp(fetch->path, "/records", 8) == 0) {
        assert_true(post);
        assert_string_equal(field(fetch, "Content-Type"), CALL_RECORDS_TYPE);
        return CALL_RECORDS;
    }
    assert_int_equal(strncmp(fetch->path, "/gateway", 8), 0);
    if (post) {
        assert_string_equal(field(fetch, "Content-Type"),
                            fetch->in_parts ? "message/ohttp-chunked-req" : "message/ohttp-req");
    }
    return post ? CALL_OBLIVIOUS : CALL_KEYS;
}

static void keep_sent(struct call_gateway *gateway, const void *bytes, size_t size)
{
    assert_true(size <= CALL_SENT_MAX - gateway->sent_size);
    if (size == 0) {
        return;
    }
    memcpy(gateway->sent + gateway->sent_size, bytes, size);
    gateway->sent_size += size;
}

static void deliver(struct call_gateway *gateway, const struct csv_fetch *fetch,
                    struct call_answer *answer)
{
    answer->size = 0;
    if (answer->what == CALL_RECORDS) {
        answer_records(gateway, fetch, answer);
    } else {
        answer_oblivious(gateway, fetch, answer);
    }
}

static void answer(struct call_gateway *gateway, const struct csv_fetch *fetch,
                   struct call_answer *target)
{
    const char *worker = field(fetch, "Caisson-Worker");
    char token[16];
    keep_sent(gateway, fetch->path, strlen(fetch->path));
    for (uint32_t i = 0; i < fetch->field_count; i++) {
        keep_sent(gateway, fetch->fields[i].value, fetch->fields[i].value_size);
    }
    keep_sent(gateway, fetch->body, fetch->body_size);
    target->id = fetch->id;
    target->what = what_is(fetch);
    target->status = 200;
    gateway->counts[target->what]++;
    snprintf(token, sizeof token, "boot-%u", gateway->current);
    if (target->what == CALL_EVIDENCE) {
        answer_evidence(gateway, fetch->path, target);
    } else if (target->what == CALL_KEYS) {
        call_keys(gateway, gateway->current, target);
    } else if (worker != NULL && strcmp(worker, token) != 0) {
        call_problem(target, 409, "urn:caisson:problem:worker-gone");
    } else {
        for (uint32_t i = 0; i < (gateway->twice ? 2 : 1); i++) {
            deliver(gateway, fetch, target);
        }
        memcpy(target->worker, token, target->what == CALL_RECORDS ? sizeof token : 0);
    }
    if (gateway->spoil != NULL) {
        gateway->spoil(gateway, fetch, target);
    }
}

/* ---- the client's loop ---- */

struct csv_caller *call_caller(struct call_gateway *gateway,
                               const struct csv_caller_options *options)
{
    struct csv_caller *caller = NULL;
    struct csv_caller_options mine = {.way = CSV_CALL_RECORDS};
    if (options != NULL) {
        mine = *options;
    }
    mine.policy = mine.policy != NULL ? mine.policy : gateway->policy;
    mine.credential = mine.credential != NULL ? mine.credential : &gateway->tenant.asker;
    assert_int_equal(csv_caller_create(&mine, &caller), CSN_OK);
    return caller;
}

struct csv_call *call_start(struct csv_caller *caller, const char *path, const char *content)
{
    static const struct csv_call_field fields[] = {
        {"content-type", "text/plain", 12, 10},
        {"x-canary", CALL_CANARY, 8, sizeof CALL_CANARY - 1},
        {"Connection", "keep-alive", 10, 10},
        {"Authorization", "Basic " CALL_CANARY, 13, 6 + sizeof CALL_CANARY - 1},
    };
    struct csv_call *call = NULL;
    const struct csv_call_request request = {.method = "POST",
                                             .path = path,
                                             .fields = fields,
                                             .field_count = 4,
                                             .content = content,
                                             .content_size = (uint32_t)strlen(content)};
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_OK);
    return call;
}

uint32_t call_ask(struct call_gateway *gateway, struct csv_caller *caller)
{
    struct csv_fetch fetch;
    while (csv_caller_next(caller, gateway->now, &fetch)) {
        assert_true(gateway->held_count < CALL_HELD_MAX);
        struct call_answer *held = &gateway->held[gateway->held_count++];
        *held = (struct call_answer){.body = malloc(CALL_ANSWER_MAX)};
        assert_non_null(held->body);
        answer(gateway, &fetch, held);
    }
    return gateway->held_count;
}

void call_give(struct call_gateway *gateway, struct csv_caller *caller, uint32_t index)
{
    assert_true(index < gateway->held_count);
    struct call_answer given = gateway->held[index];
    gateway->held[index] = gateway->held[--gateway->held_count];
    /* Whoever reads beyond an answer ends here; an oversized one is not there at all. */
    size_t size = given.size <= CALL_ANSWER_MAX ? given.size : 0;
    uint8_t *body = gateway->guarded + CALL_ANSWER_MAX - size;
    memcpy(body, given.body, size);
    const struct csv_fetched fetched = {.id = given.id,
                                        .status = given.status,
                                        .content_type = given.content_type,
                                        .worker = given.worker[0] != 0 ? given.worker : NULL,
                                        .retry_after = given.retry_after,
                                        .fault = given.status == 0 ? "cut off" : NULL,
                                        .body = body,
                                        .body_size = given.size};
    csv_caller_take(caller, gateway->now, &fetched);
    free(given.body);
}

void call_run(struct call_gateway *gateway, struct csv_caller *caller)
{
    for (uint32_t rounds = 0; call_ask(gateway, caller) != 0; rounds++) {
        assert_true(rounds < 64); /* it comes to an end, whatever the gateway says */
        call_give(gateway, caller, 0);
    }
}

bool call_sent(const struct call_gateway *gateway, const void *bytes, size_t size)
{
    return memmem(gateway->sent, gateway->sent_size, bytes, size) != NULL;
}

csn_err call_result(struct call_gateway *gateway, struct csv_caller *caller, struct csv_call *call)
{
    call_run(gateway, caller);
    assert_ptr_equal(csv_caller_finished(caller), call);
    assert_false(call_sent(gateway, CALL_CANARY, sizeof CALL_CANARY - 1));
    assert_int_equal(csv_call_result(call) == CSN_OK, csv_call_response(call) != NULL);
    assert_int_equal(csv_call_result(call) == CSN_OK, csv_call_problem(call) == NULL);
    return csv_call_result(call);
}
