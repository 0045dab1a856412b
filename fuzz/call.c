/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c: a client of call.h before a gateway that answers anything.
 *
 * First byte: bit 0 oblivious, bit 1 once, bit 2 the answer is edited (else it is replaced), bit 3
 * a call went well before it, bit 4 all exchanges from that one on, bit 5 in parts: the answer is
 * given in two. Second byte: which exchange is spoilt, modulo 4, and where the two meet. Third: its
 * status, fourth: its type of content, from tables. The rest: the answer, or edits of the genuine
 * one (offset u16, value u8, xor). Oracle: the call comes to an end within a bounded number of
 * exchanges; with status 200 its content is what was sent to be echoed (in parts: twice), and what
 * is handed out before the end is a beginning of that; what leaves has no part of the plaintext.
 */
#include "../src/client/caller.h"
#include "../tests/enclave/fake.c"
#include "check.h"

#define CONTENT      "plaintext-that-must-not-leave"
#define TWICE        CONTENT CONTENT
#define EXCHANGE_MAX 32u
#define CONTEXTS     1024u
#define ANSWER_MAX   200000u

static struct fake fake;
static struct fake_tenant tenant;
static struct csv_policy *policy;
static uint8_t answer[ANSWER_MAX];
static size_t answer_size;

/* Anew from time to time: contexts of requests that are served once are never evicted. */
static void start(void)
{
    if (policy == NULL) {
        CHECK(csv_client_init() == CSN_OK);
        CHECK(csv_policy_create(&policy) == CSN_OK);
    } else {
        fake_stop(&fake);
    }
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .context_count_max = CONTEXTS});
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
}

/* As if evidence had verified: its cryptography is for other targets. */
static void verify(struct csv_caller *caller)
{
    uint32_t offset = 0;
    caller->recipient = tenant.recipient;
    CHECK(csn_ohttp_keys_next(fake.made->ohttp_keys, fake.made->ohttp_keys_size, &offset,
                              &caller->config) == CSN_OK);
    memcpy(caller->pin.boot_id, fake.instance.boot_id, 16);
    caller->appraisal++;
    caller->phase = CSV_PHASE_READY;
    csv_caller_drop_context(caller);
}

static void put(const void *bytes, size_t size)
{
    CHECK(size <= sizeof answer - answer_size);
    memcpy(answer + answer_size, bytes, size);
    answer_size += size;
}

static void answer_records(const struct csv_fetch *fetch)
{
    struct fake_message messages[4];
    uint32_t count = 0;
    for (size_t at = 0; at < fetch->body_size; count++) {
        uint32_t size;
        memcpy(&size, fetch->body + at, 4);
        messages[count] = (struct fake_message){fetch->body + at + 4, size};
        at += 4 + size;
    }
    fake_send(&fake, messages, count);
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        const struct fake_answer *output = &fake.answers[i];
        const struct csn_wire_answer head = {.code = output->code, .size = output->size};
        uint32_t size = output->size + (output->alone ? 0 : (uint32_t)sizeof head);
        put(&size, sizeof size);
        put(&head, output->alone ? 0 : sizeof head);
        put(output->body, output->size);
    }
}

static const char *answer_genuinely(const struct csv_fetch *fetch)
{
    static uint8_t message[FAKE_RECORD_MAX];
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = fetch->in_parts};
    answer_size = 0;
    if (strncmp(fetch->path, "/records", 8) == 0) {
        answer_records(fetch);
        return "application/vnd.caisson.answers";
    }
    memcpy(message, &head, sizeof head);
    memcpy(message + sizeof head, fetch->body, fetch->body_size);
    (void)fake_one(&fake, message, (uint32_t)(sizeof head + fetch->body_size));
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        const struct fake_answer *output = &fake.answers[i];
        put(output->body, output->code == CSN_WIRE_ANSWERED ? output->size : 0);
    }
    return fetch->in_parts ? "message/ohttp-chunked-res" : "message/ohttp-res";
}

/* What is wrong with the answer. */
static void spoil(const uint8_t *data, size_t size, struct csv_fetched *fetched)
{
    static const uint16_t statuses[] = {200, 200, 200, 0, 302, 400, 409, 413, 429, 500, 502, 503};
    static const char *const types[] = {NULL, "application/problem+json", "text/html",
                                        "application/vnd.caisson.answers; a=b"};
    fetched->status = statuses[data[2] % (sizeof statuses / sizeof statuses[0])];
    if (data[3] % 8 < 4) {
        fetched->content_type = types[data[3] % 4];
    }
    if ((data[0] & 4) == 0) {
        memcpy(answer, data + 4, size - 4);
        answer_size = size - 4;
    }
    for (size_t at = 4; (data[0] & 4) != 0 && at + 3 <= size && answer_size != 0; at += 3) {
        answer[(data[at] | data[at + 1] << 8) % answer_size] ^= data[at + 2];
    }
    fetched->retry_after = (data[3] & 16) != 0 ? "12" : NULL;
    fetched->worker = (data[3] & 32) != 0 ? "worker" : NULL;
}

static bool holds_content(const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + sizeof CONTENT - 1 <= size; at++) {
        if (bytes[at] == CONTENT[0] && memcmp(bytes + at, CONTENT, sizeof CONTENT - 1) == 0) {
            return true;
        }
    }
    return false;
}

/* What was handed out of the call so far. */
static char heard[sizeof TWICE];
static size_t heard_size;

static void hear(struct csv_call *call, bool in_parts)
{
    const struct csv_call_response *response = csv_call_response(call);
    if (response == NULL || response->status != 200) {
        return;
    }
    CHECK(response->content_size < sizeof heard - heard_size);
    memcpy(heard + heard_size, response->content, response->content_size);
    heard_size += response->content_size;
    CHECK(memcmp(heard, in_parts ? TWICE : CONTENT, heard_size) == 0);
    csv_call_consumed(call);
}

/* The answer in two, if the call takes it so; all of it in one call else. */
static void give(struct csv_caller *caller, struct csv_call *call, const struct csv_fetch *fetch,
                 struct csv_fetched *fetched, uint32_t where)
{
    fetched->body_size = answer_size;
    if (fetch->in_parts && fetched->status == 200) {
        fetched->body_size = answer_size * where / 64;
        if (!csv_caller_more(caller, 1, fetched)) {
            return;
        }
        while (csv_caller_moved(caller) != NULL) {
            hear(call, true);
        }
        fetched->body = answer + fetched->body_size;
        fetched->body_size = answer_size - fetched->body_size;
    }
    csv_caller_take(caller, 1, fetched);
}

/* One call; data NULL: nothing is spoilt. */
static void run(struct csv_caller *caller, const uint8_t *data, size_t size)
{
    const bool in_parts = data != NULL && (data[0] & 32) != 0;
    const struct csv_call_request request = {.method = "POST",
                                             .path = in_parts ? "/twice" : "/echo",
                                             .content = CONTENT,
                                             .content_size = sizeof CONTENT - 1,
                                             .in_parts = in_parts};
    struct csv_call *call = NULL;
    heard_size = 0;
    struct csv_fetch fetch;
    uint32_t count = 0;
    CHECK(csv_call_start(caller, &request, NULL, &call) == CSN_OK);
    while (csv_caller_next(caller, 1, &fetch)) {
        CHECK(count < EXCHANGE_MAX);
        CHECK(!holds_content(fetch.body, fetch.body_size));
        struct csv_fetched fetched = {.id = fetch.id, .status = 200, .body = answer};
        bool spoilt =
            data != NULL && (count == data[1] % 4 || (count > data[1] % 4 && (data[0] & 16) != 0));
        count++;
        if (strncmp(fetch.path, "/.well-known", 12) == 0 && !spoilt) {
            fetched.status = 0;
            csv_caller_take(caller, 1, &fetched); /* then the calls have failed */
            continue;
        }
        answer_size = 0;
        fetched.content_type =
            fetch.body_size != 0 ? answer_genuinely(&fetch) : "application/vnd.caisson.evidence";
        if (spoilt) {
            spoil(data, size, &fetched);
        }
        give(caller, call, &fetch, &fetched, data != NULL ? data[1] / 4 : 0);
    }
    CHECK(csv_caller_finished(caller) == call);
    const struct csv_call_response *response = csv_call_response(call);
    CHECK(in_parts || (response != NULL) == (csv_call_problem(call) == NULL));
    hear(call, in_parts);
    CHECK(csv_call_result(call) != CSN_OK || response->status != 200 ||
          heard_size == (in_parts ? sizeof TWICE : sizeof CONTENT) - 1);
    CHECK(data != NULL || (response != NULL && response->status == 200));
    csv_call_destroy(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t runs;
    struct csv_caller *caller = NULL;
    if (size < 4 || size > 65536) {
        return 0;
    }
    if (runs++ % (CONTEXTS / 4) == 0) { /* a run opens two, or three */
        start();
    }
    const struct csv_caller_options options = {.policy = policy,
                                               .credential = &tenant.asker,
                                               .way = data[0] & 1,
                                               .once = (data[0] & 2) != 0};
    CHECK(csv_caller_create(&options, &caller) == CSN_OK);
    verify(caller);
    if ((data[0] & 8) != 0) {
        run(caller, NULL, 0);
    }
    run(caller, data, size);
    csv_caller_destroy(caller);
    return 0;
}
