/* SPDX-License-Identifier: Apache-2.0 */
/* test_call.c: requests of a client that verifies first, against a gateway that lies. */
#include "call_rig.h"
#include <stdio.h>

#define PATH    "/echo"
#define CONTENT "the content, " CALL_CANARY

static struct call_gateway gateway;
static const struct csv_caller_options oblivious = {.way = CSV_CALL_OBLIVIOUS};
static const struct csv_caller_options once = {.once = true};
static const struct csv_caller_options oblivious_once = {.way = CSV_CALL_OBLIVIOUS, .once = true};

static int start(void **state)
{
    (void)state;
    call_gateway_start(&gateway, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    return 0;
}

static int start_not_idempotent(void **state)
{
    (void)state;
    call_gateway_start(&gateway, &(struct fake_options){.flags = 0});
    return 0;
}

static cse_status echo_what_fits(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                                 uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)call;
    if (input_size > output_size_max) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    memcpy(output, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static csn_err any_policy(void *state, const struct cse_grant_view *grant)
{
    (void)state;
    (void)grant;
    return CSN_OK;
}

/* An answer has a quarter of the room that its request had. */
static int start_narrow(void **state)
{
    (void)state;
    static const struct cse_operation operation = {1, CSN_WIRE_PAYLOAD_MAX, 0, echo_what_fits};
    static const struct cse_route route = {"POST", PATH, 1, NULL, "text/plain"};
    static const struct cse_service service = {.operations = &operation,
                                               .operation_count = 1,
                                               .routes = &route,
                                               .route_count = 1,
                                               .grant = any_policy,
                                               .purpose_mask = 3};
    call_gateway_start(&gateway, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                                        .service = &service,
                                                        .output_scale = 4,
                                                        .output_extra = 256});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    call_gateway_stop(&gateway);
    return 0;
}

static void expect_content(const struct csv_call *call, const char *content)
{
    const struct csv_call_response *response = csv_call_response(call);
    assert_non_null(response);
    assert_int_equal(response->status, 200);
    assert_int_equal(response->content_size, strlen(content));
    assert_memory_equal(response->content, content, strlen(content));
}

static void good_call(struct csv_caller *caller, const char *content)
{
    struct csv_call *call = call_start(caller, PATH, content);
    assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
    expect_content(call, content);
    csv_call_destroy(call);
}

static csn_err one_result(struct csv_caller *caller)
{
    struct csv_call *call = call_start(caller, PATH, CONTENT);
    csn_err err = call_result(&gateway, caller, call);
    csv_call_destroy(call);
    return err;
}

static uint32_t sealed_requests(void)
{
    return gateway.counts[CALL_RECORDS] + gateway.counts[CALL_OBLIVIOUS];
}

/* ---- what works ---- */

static void records(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    assert_int_equal(csv_caller_state(caller), CSV_CALLER_IDLE);
    assert_int_equal(csv_caller_result(caller), CSN_ERR_STATE);
    good_call(caller, CONTENT);
    assert_int_equal(csv_caller_state(caller), CSV_CALLER_READY);
    assert_int_equal(gateway.record_count, 2); /* a hello before it */
    uint32_t full = gateway.record_sizes[1];
    for (uint32_t i = 0; i < 5; i++) {
        good_call(caller, CONTENT);
        assert_int_equal(gateway.record_count, 1);
        assert_int_equal(gateway.record_sizes[0], full - 160); /* in the short form */
    }
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 1);
    assert_int_equal(gateway.counts[CALL_KEYS], 0);
    assert_int_equal(gateway.counts[CALL_RECORDS], 6);
    assert_non_null(csv_caller_verdict(caller));
    assert_int_equal(csv_verdict_result(csv_caller_verdict(caller)), CSV_VALID);
    const struct csv_call_pin *pin = csv_caller_pin(caller);
    assert_memory_equal(pin->boot_id, gateway.boots[0].instance.boot_id, 16);
    assert_memory_equal(pin->measurement, gateway.boots[0].measurement, 48);
    assert_int_equal(pin->appraisals, 1);
    assert_int_equal(pin->changes, 0);
    csv_caller_destroy(caller);
}

static void oblivious_requests(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, &oblivious);
    for (uint32_t i = 0; i < 3; i++) {
        good_call(caller, CONTENT);
    }
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 1);
    assert_int_equal(gateway.counts[CALL_KEYS], 1);
    assert_int_equal(gateway.counts[CALL_OBLIVIOUS], 3);
    assert_int_equal(gateway.counts[CALL_RECORDS], 0);
    csv_caller_destroy(caller);
}

/* Calls of a cold context wait for its hello; warm ones do not wait for each other. */
static void several(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    struct csv_call *calls[5];
    char content[5][64];
    for (uint32_t i = 0; i < 5; i++) {
        snprintf(content[i], sizeof content[i], "%u " CALL_CANARY, i);
        calls[i] = call_start(caller, PATH, content[i]);
    }
    assert_int_equal(call_ask(&gateway, caller), 1); /* evidence */
    call_give(&gateway, caller, 0);
    assert_int_equal(call_ask(&gateway, caller), 1); /* hello */
    call_give(&gateway, caller, 0);
    assert_int_equal(call_ask(&gateway, caller), 4);
    for (uint32_t i = 4; i > 0; i--) { /* in another order than they were asked */
        call_give(&gateway, caller, i - 1);
    }
    for (uint32_t i = 0; i < 5; i++) {
        struct csv_call *call = csv_caller_finished(caller);
        assert_non_null(call);
        assert_int_equal(csv_call_result(call), CSN_OK);
    }
    for (uint32_t i = 0; i < 5; i++) {
        expect_content(calls[i], content[i]);
    }
    assert_null(csv_caller_finished(caller));
    csv_caller_destroy(caller); /* and the calls with it */
}

/* What the service says is the call's answer, whatever it says. */
static void service_says_no(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {NULL, &oblivious};
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_caller *caller = call_caller(&gateway, ways[i]);
        struct csv_call *call = call_start(caller, "/nowhere", CONTENT);
        assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
        assert_int_equal(csv_call_response(call)->status, 404);
        call = call_start(caller, "/fail", CONTENT);
        assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
        assert_int_equal(csv_call_response(call)->status, 400);
        csv_caller_destroy(caller);
    }
}

/* Several outputs are one response. */
static void parts(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {NULL, &oblivious};
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_caller *caller = call_caller(&gateway, ways[i]);
        for (uint32_t k = 0; k < 2; k++) {
            struct csv_call *call = call_start(caller, "/twice", CONTENT);
            assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
            expect_content(call, CONTENT CONTENT);
        }
        csv_caller_destroy(caller);
    }
}

/* A warm answer in two outputs: the second first, each alone, one of them twice. */
static uint32_t part_order[3];
static uint32_t part_count;

static void reorder(struct call_gateway *asked, const struct csv_fetch *fetch,
                    struct call_answer *answer)
{
    static uint8_t copy[65536];
    uint32_t first;
    (void)fetch;
    if (answer->what != CALL_RECORDS) {
        return;
    }
    memcpy(&first, answer->body, sizeof first);
    const size_t begins[] = {0, 4 + first};
    const size_t ends[] = {4 + first, answer->size};
    assert_true(answer->size > ends[0] && answer->size <= sizeof copy);
    memcpy(copy, answer->body, answer->size);
    answer->size = 0;
    for (uint32_t i = 0; i < part_count; i++) {
        size_t size = ends[part_order[i]] - begins[part_order[i]];
        memcpy(answer->body + answer->size, copy + begins[part_order[i]], size);
        answer->size += size;
    }
    asked->spoilt++;
}

static void parts_spoilt(void **state)
{
    (void)state;
    const uint32_t rows[][4] = {{2, 1, 0}, {1, 0}, {1, 1}, {2, 0, 0}, {3, 0, 1, 1}, {0}};
    struct csv_caller *caller = call_caller(&gateway, NULL);
    good_call(caller, CONTENT);
    gateway.spoil = reorder;
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        part_count = rows[i][0];
        memcpy(part_order, rows[i] + 1, sizeof part_order);
        struct csv_call *call = call_start(caller, "/twice", CONTENT);
        assert_int_equal(call_result(&gateway, caller, call), CSN_ERR_AUTH);
        csv_call_destroy(call);
    }
    part_count = 2; /* as they were */
    part_order[0] = 0;
    part_order[1] = 1;
    struct csv_call *call = call_start(caller, "/twice", CONTENT);
    assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
    expect_content(call, CONTENT CONTENT);
    assert_int_equal(gateway.spoilt, 7);
    csv_caller_destroy(caller);
}

/* An answer that needs a longer request gets one. */
static void padded(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {NULL, &oblivious};
    char content[1901];
    memset(content, 'x', sizeof content - 1);
    content[sizeof content - 1] = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_caller_options options =
            ways[i] != NULL ? *ways[i] : (struct csv_caller_options){0};
        struct csv_caller *caller = call_caller(&gateway, &options);
        uint32_t before = sealed_requests();
        good_call(caller, content);
        assert_int_equal(sealed_requests() - before, 2);
        csv_caller_destroy(caller);
        options.padded_size_min = 65536;
        caller = call_caller(&gateway, &options);
        before = sealed_requests();
        good_call(caller, content);
        assert_int_equal(sealed_requests() - before, 1);
        csv_caller_destroy(caller);
    }
}

/* Requests of one class are of one size out there, whatever is in them. */
static void sizes(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {NULL, &oblivious};
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_caller *caller = call_caller(&gateway, ways[i]);
        char content[400];
        size_t first = 0;
        good_call(caller, "warm");
        for (uint32_t size = 300; size < 399; size += 33) {
            memset(content, 'x', size);
            content[size] = 0;
            size_t before = gateway.sent_size;
            good_call(caller, content);
            first = first != 0 ? first : gateway.sent_size - before;
            assert_int_equal(gateway.sent_size - before, first);
        }
        csv_caller_destroy(caller);
    }
}

/* ---- evidence and keys that are not what they should be ---- */

static void remake(struct csv_fetch const *fetch, struct call_answer *answer)
{
    uint8_t nonce[32];
    for (size_t i = 0; i < sizeof nonce; i++) {
        unsigned byte;
        assert_int_equal(sscanf(strstr(fetch->path, "nonce=") + 6 + 2 * i, "%2x", &byte), 1);
        nonce[i] = (uint8_t)byte;
    }
    answer->size = call_evidence(&gateway, 0, nonce, answer->body);
}

static void other_nonce(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    static const uint8_t nonce[32] = {1};
    answer->size = call_evidence(&gateway, 0, nonce, answer->body);
}

/* Its own key where the tenant's was: nobody signed that. */
static void other_recipient(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    uint8_t *key = memmem(answer->body, answer->size, gateway.tenant.recipient.public_key, 32);
    assert_non_null(key);
    memset(key, 0x99, 32);
}

static void other_image(const struct csv_fetch *fetch, struct call_answer *answer)
{
    gateway.boots[0].measurement[0] ^= 1;
    remake(fetch, answer);
    gateway.boots[0].measurement[0] ^= 1;
}

static void other_root(const struct csv_fetch *fetch, struct call_answer *answer)
{
    gateway.rig.root_seed[0] ^= 1;
    remake(fetch, answer);
    gateway.rig.root_seed[0] ^= 1;
}

static void debug_image(const struct csv_fetch *fetch, struct call_answer *answer)
{
    gateway.boots[0].manifest.flags |= CSN_WIRE_FLAG_DEBUG;
    remake(fetch, answer);
    gateway.boots[0].manifest.flags &= ~CSN_WIRE_FLAG_DEBUG;
}

static void no_grant(const struct csv_fetch *fetch, struct call_answer *answer)
{
    uint32_t count = gateway.boots[0].made->key_count;
    gateway.boots[0].made->key_count = 1;
    remake(fetch, answer);
    gateway.boots[0].made->key_count = count;
}

static void cut(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->size--;
}

static void empty(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->size = 0;
}

static void longer(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->body[answer->size++] = 0;
}

static void oversize(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->size = fetch->answer_size_max + 1;
}

static void redirect(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->status = 302;
}

static void not_found(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    call_problem(answer, 404, "about:blank");
}

static void silent(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->status = 0;
}

static void other_type(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->content_type = "text/html";
}

static void no_type(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    answer->content_type = NULL;
}

static void other_keys(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    call_keys(&gateway, 1, answer);
}

struct mischief {
    const char *name;
    enum call_what what;
    void (*spoil)(const struct csv_fetch *fetch, struct call_answer *answer);
    csn_err err;
    const char *says; /* in the explanation */
};

static const struct mischief mischiefs[] = {
    {"nonce", CALL_EVIDENCE, other_nonce, CSN_ERR_EVIDENCE, "nonce.fresh"},
    {"recipient", CALL_EVIDENCE, other_recipient, CSN_ERR_EVIDENCE, "platform.signature"},
    {"image", CALL_EVIDENCE, other_image, CSN_ERR_EVIDENCE, "image.measurement"},
    {"root", CALL_EVIDENCE, other_root, CSN_ERR_EVIDENCE, "platform.root"},
    {"debug", CALL_EVIDENCE, debug_image, CSN_ERR_EVIDENCE, "image.debug"},
    {"cut", CALL_EVIDENCE, cut, CSN_ERR_EVIDENCE, "evidence.framing"},
    {"longer", CALL_EVIDENCE, longer, CSN_ERR_EVIDENCE, "evidence.framing"},
    {"empty", CALL_EVIDENCE, empty, CSN_ERR_EVIDENCE, "invalid"},
    {"no grant", CALL_EVIDENCE, no_grant, CSN_ERR_UNVERIFIED, "no grant"},
    {"oversize", CALL_EVIDENCE, oversize, CSN_ERR_UNVERIFIED, "too large"},
    {"redirect", CALL_EVIDENCE, redirect, CSN_ERR_UNVERIFIED, "302"},
    {"not found", CALL_EVIDENCE, not_found, CSN_ERR_UNVERIFIED, "404"},
    {"silent", CALL_EVIDENCE, silent, CSN_ERR_UNVERIFIED, "cut off"},
    {"type", CALL_EVIDENCE, other_type, CSN_ERR_UNVERIFIED, "application/vnd.caisson.evidence"},
    {"no type", CALL_EVIDENCE, no_type, CSN_ERR_UNVERIFIED, "application/vnd.caisson.evidence"},
    {"keys", CALL_KEYS, other_keys, CSN_ERR_EVIDENCE, "not those of the evidence"},
    {"keys cut", CALL_KEYS, cut, CSN_ERR_EVIDENCE, "not those of the evidence"},
    {"keys longer", CALL_KEYS, longer, CSN_ERR_EVIDENCE, "not those of the evidence"},
    {"keys empty", CALL_KEYS, empty, CSN_ERR_EVIDENCE, "not those of the evidence"},
    {"keys oversize", CALL_KEYS, oversize, CSN_ERR_UNVERIFIED, "too large"},
    {"keys redirect", CALL_KEYS, redirect, CSN_ERR_UNVERIFIED, "302"},
    {"keys silent", CALL_KEYS, silent, CSN_ERR_UNVERIFIED, "cut off"},
    {"keys type", CALL_KEYS, other_type, CSN_ERR_UNVERIFIED, "application/ohttp-keys"},
};
static const struct mischief *mischief;

static void do_mischief(struct call_gateway *asked, const struct csv_fetch *fetch,
                        struct call_answer *answer)
{
    (void)asked;
    if (answer->what == mischief->what) {
        mischief->spoil(fetch, answer);
    }
}

static void expect_refused(struct csv_caller *caller)
{
    struct csv_call *call = call_start(caller, PATH, CONTENT);
    csn_err err = call_result(&gateway, caller, call);
    if (err != mischief->err || sealed_requests() != 0) {
        fail_msg("%s: %s, %u sealed requests", mischief->name, csn_err_name(err),
                 sealed_requests());
    }
    const struct csv_call_problem *problem = csv_call_problem(call);
    assert_int_equal(problem->status, err == CSN_ERR_EVIDENCE ? 502 : 503);
    assert_false(problem->maybe_served);
    assert_string_equal(problem->detail, csv_caller_explain(caller));
    if (strstr(problem->detail, mischief->says) == NULL) {
        fail_msg("%s: %s", mischief->name, problem->detail);
    }
    assert_int_equal(csv_caller_state(caller), CSV_CALLER_REFUSED);
    assert_int_equal(csv_caller_result(caller), err);
    assert_null(csv_caller_pin(caller));
    csv_call_destroy(call);
}

/* Nothing is sealed, and nothing leaves, for a far end that did not verify. */
static void not_verified(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {NULL, &oblivious};
    gateway.spoil = do_mischief;
    for (uint32_t i = 0; i < sizeof mischiefs / sizeof mischiefs[0]; i++) {
        mischief = &mischiefs[i];
        for (uint32_t way = mischief->what == CALL_KEYS ? 1 : 0; way < 2; way++) {
            struct csv_caller *caller = call_caller(&gateway, ways[way]);
            expect_refused(caller);
            csv_caller_destroy(caller);
        }
    }
}

/* Evidence and keys of an instance that takes requests, from before, come to nothing. */
static void keep_first(struct call_gateway *asked, const struct csv_fetch *fetch,
                       struct call_answer *answer)
{
    (void)fetch;
    if (answer->what != CALL_EVIDENCE) {
        return;
    }
    if (asked->spoilt++ == 0) {
        memcpy(asked->kept, answer->body, answer->size);
        asked->kept_size = answer->size;
    } else {
        memcpy(answer->body, asked->kept, asked->kept_size);
        answer->size = asked->kept_size;
    }
}

static void replayed_evidence(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    gateway.spoil = keep_first;
    good_call(caller, CONTENT);
    uint32_t before = sealed_requests();
    csv_caller_verify(caller);
    assert_int_equal(one_result(caller), CSN_ERR_EVIDENCE);
    assert_int_equal(sealed_requests(), before); /* nor to what was verified before */
    csv_caller_destroy(caller);
}

/* A policy that accepts anything gives no keys; nor does one without development evidence. */
static void policies(void **state)
{
    (void)state;
    struct csv_policy *any = NULL;
    struct csv_policy *strict = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    assert_int_equal(csv_policy_create(&strict), CSN_OK);
    assert_int_equal(csv_policy_allow(strict, "formats", "caisson"), CSN_OK);
    assert_int_equal(csv_policy_allow(strict, "caisson.platforms", "snp"), CSN_OK);
    assert_int_equal(
        csv_policy_allow_bytes(strict, "caisson.measurements", gateway.boots[0].measurement, 48),
        CSN_OK);
    struct csv_policy *const policies[] = {any, strict};
    for (uint32_t i = 0; i < 2; i++) {
        const struct csv_caller_options options = {.policy = policies[i]};
        struct csv_caller *caller = call_caller(&gateway, &options);
        csn_err err = one_result(caller);
        assert_true(err == CSN_ERR_EVIDENCE || err == CSN_ERR_UNVERIFIED);
        assert_int_equal(sealed_requests(), 0);
        csv_caller_destroy(caller);
        csv_policy_free(policies[i]);
    }
}

/* Keys that changed between evidence and keys: both again, and then it is well. */
static void change_before_keys(struct call_gateway *asked, const struct csv_fetch *fetch,
                               struct call_answer *answer)
{
    (void)fetch;
    if (answer->what == CALL_EVIDENCE && asked->spoilt++ == 0) {
        asked->current = 1;
    }
}

static void keys_change(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, &oblivious);
    gateway.spoil = change_before_keys;
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 2);
    assert_int_equal(gateway.counts[CALL_KEYS], 2);
    assert_memory_equal(csv_caller_pin(caller)->boot_id, gateway.boots[1].instance.boot_id, 16);
    csv_caller_destroy(caller);
}

static void change_always(struct call_gateway *asked, const struct csv_fetch *fetch,
                          struct call_answer *answer)
{
    (void)fetch;
    if (answer->what == CALL_EVIDENCE) {
        asked->current ^= 1;
    }
}

static void keys_keep_changing(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, &oblivious);
    gateway.spoil = change_always;
    assert_int_equal(one_result(caller), CSN_ERR_EVIDENCE);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 3);
    assert_int_equal(sealed_requests(), 0);
    csv_caller_destroy(caller);
}

/* A refusal holds for a moment, then it is asked anew. */
static void refusal_ends(void **state)
{
    (void)state;
    const struct csv_caller_options options = {.retry_after = 10};
    struct csv_caller *caller = call_caller(&gateway, &options);
    mischief = &mischiefs[0];
    gateway.spoil = do_mischief;
    assert_int_equal(one_result(caller), CSN_ERR_EVIDENCE);
    gateway.spoil = NULL;
    gateway.now += 9;
    struct csv_call *call = call_start(caller, PATH, CONTENT);
    assert_int_equal(call_result(&gateway, caller, call), CSN_ERR_EVIDENCE);
    assert_int_equal(csv_call_problem(call)->retry_after, 10);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 1);
    gateway.now++;
    good_call(caller, CONTENT);
    assert_int_equal(csv_caller_result(caller), CSN_OK);
    assert_string_equal(csv_caller_explain(caller), "");
    csv_caller_destroy(caller);
}

static void evidence_has_an_age(void **state)
{
    (void)state;
    const struct csv_caller_options options = {.evidence_age_max = 60};
    struct csv_caller *caller = call_caller(&gateway, &options);
    good_call(caller, CONTENT);
    gateway.now += 59;
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 1);
    gateway.now += 1;
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 2);
    assert_int_equal(csv_caller_pin(caller)->appraisals, 2);
    assert_int_equal(csv_caller_pin(caller)->changes, 0);
    gateway.now += 60; /* and now the far end has become another, that does not verify */
    mischief = &mischiefs[2];
    gateway.spoil = do_mischief;
    uint32_t before = sealed_requests();
    assert_int_equal(one_result(caller), CSN_ERR_EVIDENCE);
    assert_int_equal(sealed_requests(), before);
    csv_caller_destroy(caller);
}

/* Verified anew because somebody says so: with a context of its own from then on. */
static void verify_anew(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    good_call(caller, CONTENT);
    csv_caller_verify(caller);
    assert_int_equal(csv_caller_state(caller), CSV_CALLER_VERIFYING);
    good_call(caller, CONTENT);
    assert_int_equal(gateway.record_count, 2);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 2);
    csv_caller_destroy(caller);
}

/* ---- answers that are not ---- */

static uint32_t spoil_at;
static uint8_t spoil_bits;

static void flip(struct call_gateway *asked, const struct csv_fetch *fetch,
                 struct call_answer *answer)
{
    (void)asked;
    (void)fetch;
    if (answer->what >= CALL_RECORDS && spoil_at < answer->size) {
        answer->body[spoil_at] ^= spoil_bits;
    }
}

static void shorten(struct call_gateway *asked, const struct csv_fetch *fetch,
                    struct call_answer *answer)
{
    (void)asked;
    (void)fetch;
    if (answer->what >= CALL_RECORDS && spoil_at < answer->size) {
        answer->size = spoil_at;
    }
}

/* Each byte of a warm answer, and each length; then of a cold one, whose hello comes first. */
static void spoilt_answers(void **state)
{
    (void)state;
    void (*const hooks[])(struct call_gateway *, const struct csv_fetch *,
                          struct call_answer *) = {flip, shorten};
    for (uint32_t i = 0; i < 4; i++) {
        const struct csv_caller_options options = {.way = i / 2};
        struct csv_caller *caller = call_caller(&gateway, &options);
        good_call(caller, "x");
        struct csv_call *call = call_start(caller, PATH, "x");
        assert_int_equal(call_ask(&gateway, caller), 1);
        uint32_t size = (uint32_t)gateway.held[0].size;
        assert_true(size > 80);
        call_run(&gateway, caller);
        csv_call_destroy(call);
        assert_int_equal(csv_caller_pin(caller)->appraisals, 1);
        gateway.spoil = hooks[i % 2];
        for (spoil_at = 0; spoil_at < size; spoil_at++) {
            spoil_bits = (uint8_t)(1u << spoil_at % 8);
            csn_err err = one_result(caller);
            if (err == CSN_OK) {
                fail_msg("way %u, hook %u, at %u", i / 2, i % 2, spoil_at);
            }
        }
        gateway.spoil = NULL;
        good_call(caller, "x");
        csv_caller_destroy(caller);
    }
}

/* A hello's answer that says, throughout, that it is longer than all that came. */
static void beyond(struct call_gateway *asked, const struct csv_fetch *fetch,
                   struct call_answer *answer)
{
    (void)asked;
    (void)fetch;
    if (answer->what != CALL_RECORDS) {
        return;
    }
    uint32_t *words = (uint32_t *)(void *)answer->body;
    answer->size = 4 + words[0];
    words[0] += 16;          /* the frame */
    words[2] += 16;          /* the output */
    words[3 + 16 / 4] += 16; /* the record's ciphertext */
}

static void spoilt_cold(void **state)
{
    (void)state;
    gateway.spoil = beyond;
    struct csv_caller *first = call_caller(&gateway, NULL);
    assert_int_equal(one_result(first), CSN_ERR_PEER);
    csv_caller_destroy(first);
    for (spoil_at = 0; spoil_at < 600; spoil_at += 3) {
        struct csv_caller *caller = call_caller(&gateway, NULL);
        spoil_bits = 0x40;
        gateway.spoil = flip;
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        csn_err err = call_result(&gateway, caller, call);
        assert_int_not_equal(err, CSN_OK);
        gateway.spoil = NULL;
        good_call(caller, CONTENT); /* with another context */
        csv_caller_destroy(caller);
    }
}

static void double_up(struct call_gateway *asked, const struct csv_fetch *fetch,
                      struct call_answer *answer)
{
    (void)asked;
    (void)fetch;
    if (answer->what >= CALL_RECORDS) {
        memcpy(answer->body + answer->size, answer->body, answer->size);
        answer->size *= 2;
    }
}

static void make(void (*spoil)(const struct csv_fetch *, struct call_answer *))
{
    static struct mischief made;
    made = (struct mischief){.what = CALL_RECORDS, .spoil = spoil};
    mischief = &made;
    gateway.spoil = do_mischief;
}

static void strange_answers(void **state)
{
    (void)state;
    const struct {
        void (*spoil)(const struct csv_fetch *, struct call_answer *);
        csn_err err;
    } rows[] = {{redirect, CSN_ERR_PEER}, {not_found, CSN_ERR_PEER}, {other_type, CSN_ERR_PEER},
                {no_type, CSN_ERR_PEER},  {longer, CSN_ERR_AUTH},    {oversize, CSN_ERR_SYSTEM},
                {silent, CSN_ERR_SYSTEM}, {empty, CSN_ERR_AUTH}};
    struct csv_caller *caller = call_caller(&gateway, NULL);
    good_call(caller, CONTENT);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make(rows[i].spoil);
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        csn_err err = call_result(&gateway, caller, call);
        if (err != rows[i].err) {
            fail_msg("row %u: %s", i, csn_err_name(err));
        }
        assert_true(csv_call_problem(call)->maybe_served);
        assert_int_equal(csv_call_problem(call)->status, 502);
        csv_call_destroy(call);
    }
    gateway.spoil = double_up;
    assert_int_equal(one_result(caller), CSN_ERR_AUTH);
    gateway.spoil = NULL;
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 1);
    csv_caller_destroy(caller);
}

/* Each answer opens for its own request and for no other. */
static void swapped_answers(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        const struct csv_caller_options options = {.way = way};
        struct csv_caller *caller = call_caller(&gateway, &options);
        good_call(caller, CONTENT);
        struct csv_call *first = call_start(caller, PATH, "one " CALL_CANARY);
        struct csv_call *second = call_start(caller, PATH, "two " CALL_CANARY);
        assert_int_equal(call_ask(&gateway, caller), 2);
        uint64_t id = gateway.held[0].id;
        gateway.held[0].id = gateway.held[1].id;
        gateway.held[1].id = id;
        call_run(&gateway, caller);
        assert_int_equal(csv_call_result(first), CSN_ERR_AUTH);
        assert_int_equal(csv_call_result(second), CSN_ERR_AUTH);
        csv_caller_destroy(caller);
    }
}

/* An answer of before, in place of this one. */
static void keep_and_repeat(struct call_gateway *asked, const struct csv_fetch *fetch,
                            struct call_answer *answer)
{
    (void)fetch;
    if (answer->what < CALL_RECORDS) {
        return;
    }
    if (asked->spoilt++ == 0) {
        memcpy(asked->kept, answer->body, answer->size);
        asked->kept_size = answer->size;
    } else {
        memcpy(answer->body, asked->kept, asked->kept_size);
        answer->size = asked->kept_size;
    }
}

static void repeated_answers(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        const struct csv_caller_options options = {.way = way};
        struct csv_caller *caller = call_caller(&gateway, &options);
        good_call(caller, CONTENT);
        gateway.spoil = keep_and_repeat;
        gateway.spoilt = 0;
        good_call(caller, CONTENT);
        assert_int_equal(one_result(caller), CSN_ERR_AUTH);
        gateway.spoil = NULL;
        csv_caller_destroy(caller);
    }
}

/* ---- the far end changes ---- */

/* Another boot: the key is retired, the worker gone; verified anew, sealed anew, sent once more. */
static void rotation(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        const struct csv_caller_options options = {.way = way};
        struct csv_caller *caller = call_caller(&gateway, &options);
        good_call(caller, CONTENT);
        uint32_t before = sealed_requests();
        gateway.current ^= 1;
        good_call(caller, CONTENT);
        assert_int_equal(sealed_requests() - before, 2);
        const struct csv_call_pin *pin = csv_caller_pin(caller);
        assert_int_equal(pin->appraisals, 2);
        assert_int_equal(pin->changes, 1);
        assert_memory_equal(pin->boot_id, gateway.boots[gateway.current].instance.boot_id, 16);
        good_call(caller, CONTENT);
        assert_int_equal(sealed_requests() - before, 3);
        csv_caller_destroy(caller);
    }
}

/* A key id is one byte: the next key may have the same, and then requests just do not open. */
static void rotation_to_a_key_of_the_same_id(void **state)
{
    (void)state;
    struct fake *next = &gateway.boots[1];
    next->instance.request_key.key_id = gateway.boots[0].instance.request_key.key_id;
    fake_grant(next, &gateway.tenant, 2); /* and the list of keys is written anew */
    struct csv_caller *caller = call_caller(&gateway, &oblivious);
    good_call(caller, CONTENT);
    gateway.current = 1;
    good_call(caller, CONTENT);
    assert_int_equal(csv_caller_pin(caller)->changes, 1);
    assert_int_equal(gateway.counts[CALL_OBLIVIOUS], 3);
    csv_caller_destroy(caller);
}

/* The far end changes into something that the policy does not accept. */
static void rotation_to_another_image(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        const struct csv_caller_options options = {.way = way};
        struct csv_caller *caller = call_caller(&gateway, &options);
        gateway.current = 0;
        good_call(caller, CONTENT);
        uint32_t before = sealed_requests();
        gateway.current = 1;
        gateway.boots[1].measurement[7] ^= 1;
        assert_int_equal(one_result(caller), CSN_ERR_EVIDENCE);
        assert_int_equal(sealed_requests() - before, 1); /* what was sealed to the old one */
        gateway.boots[1].measurement[7] ^= 1;
        csv_caller_destroy(caller);
    }
}

/* All that is under way when the far end changes comes to its end, after one more appraisal. */
static void rotation_under_way(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    struct csv_call *calls[6];
    good_call(caller, CONTENT);
    gateway.current = 1;
    for (uint32_t i = 0; i < 6; i++) {
        calls[i] = call_start(caller, PATH, CONTENT);
    }
    call_run(&gateway, caller);
    for (uint32_t i = 0; i < 6; i++) {
        expect_content(calls[i], CONTENT);
    }
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 2);
    csv_caller_destroy(caller);
}

static uint32_t forged_code;

static void forge_code(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    const uint32_t words[] = {8, forged_code, 0};
    memcpy(answer->body, words, sizeof words);
    answer->size = sizeof words;
}

/* Whoever says that a record was refused: once again at most, and only after a new appraisal. */
static void forged_refusals(void **state)
{
    (void)state;
    const struct {
        uint32_t code;
        csn_err err;
        uint32_t sealed, appraisals;
    } rows[] = {{CSN_WIRE_REJECT_KEY, CSN_ERR_UNKNOWN, 2, 2},
                {CSN_WIRE_REJECT_STALE, CSN_ERR_UNKNOWN, 2, 2},
                {CSN_WIRE_REJECT_TENANT, CSN_ERR_UNKNOWN, 2, 2},
                {CSN_WIRE_REJECT_BUSY, CSN_BUSY, 1, 0},
                {CSN_WIRE_REJECT_QUOTA, CSN_BUSY, 1, 0},
                {CSN_WIRE_REJECT_SIZE, CSN_ERR_LIMIT, 1, 0},
                {CSN_WIRE_REJECT_AUTH, CSN_ERR_UNKNOWN, 1, 0},
                {CSN_WIRE_REJECT_FRAMING, CSN_ERR_PEER, 1, 0},
                {CSN_WIRE_ANSWERED, CSN_ERR_PEER, 1, 0},
                {CSN_WIRE_PONG, CSN_ERR_PEER, 1, 0}};
    struct csv_caller *caller = call_caller(&gateway, NULL);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        good_call(caller, CONTENT);
        uint32_t sealed = sealed_requests();
        uint32_t appraisals = gateway.counts[CALL_EVIDENCE];
        forged_code = rows[i].code;
        make(forge_code);
        csn_err err = one_result(caller);
        if (err != rows[i].err || sealed_requests() - sealed != rows[i].sealed ||
            gateway.counts[CALL_EVIDENCE] - appraisals != rows[i].appraisals) {
            fail_msg("code %u: %s, %u sealed, %u appraisals", rows[i].code, csn_err_name(err),
                     sealed_requests() - sealed, gateway.counts[CALL_EVIDENCE] - appraisals);
        }
        gateway.spoil = NULL;
    }
    csv_caller_destroy(caller);
}

static uint32_t problem_status;
static const char *problem_type;

static void say_problem(const struct csv_fetch *fetch, struct call_answer *answer)
{
    (void)fetch;
    call_problem(answer, problem_status, problem_type);
    answer->retry_after = "7";
}

static void say_problem_in_html(const struct csv_fetch *fetch, struct call_answer *answer)
{
    say_problem(fetch, answer);
    answer->content_type = "text/html";
    answer->retry_after = "99999999999";
}

/* What is no problem document says nothing; how long to wait has a limit. */
static void gateway_says_it_otherwise(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    good_call(caller, CONTENT);
    problem_status = 409;
    problem_type = "urn:caisson:problem:worker-gone";
    make(say_problem_in_html);
    assert_int_equal(one_result(caller), CSN_ERR_PEER);
    problem_status = 503;
    struct csv_call *call = call_start(caller, PATH, CONTENT);
    assert_int_equal(call_result(&gateway, caller, call), CSN_BUSY);
    assert_int_equal(csv_call_problem(call)->retry_after, 3600);
    csv_caller_destroy(caller);
}

static void gateway_says_no(void **state)
{
    (void)state;
    const struct {
        uint32_t status;
        const char *type;
        csn_err err;
        uint32_t sealed, http_status;
    } rows[] = {{503, "about:blank", CSN_BUSY, 1, 503},
                {429, "about:blank", CSN_BUSY, 1, 503},
                {413, "about:blank", CSN_ERR_LIMIT, 1, 413},
                {502, "about:blank", CSN_ERR_SYSTEM, 2, 502},
                {504, "about:blank", CSN_ERR_SYSTEM, 2, 502},
                {500, "about:blank", CSN_ERR_PEER, 1, 502},
                {400, "about:blank", CSN_ERR_PEER, 1, 502},
                {409, "urn:caisson:problem:worker-gone", CSN_ERR_SYSTEM, 2, 502},
                {409, "urn:caisson:problem:worker-gonee", CSN_ERR_PEER, 1, 502},
                {401, "about:blank", CSN_ERR_PEER, 1, 502}};
    struct csv_caller *caller = call_caller(&gateway, NULL);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        good_call(caller, CONTENT);
        uint32_t sealed = sealed_requests();
        problem_status = rows[i].status;
        problem_type = rows[i].type;
        make(say_problem);
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        csn_err err = call_result(&gateway, caller, call);
        if (err != rows[i].err || sealed_requests() - sealed != rows[i].sealed ||
            csv_call_problem(call)->status != rows[i].http_status) {
            fail_msg("%u %s: %s, %u sealed", rows[i].status, rows[i].type, csn_err_name(err),
                     sealed_requests() - sealed);
        }
        assert_int_equal(csv_call_problem(call)->retry_after, err == CSN_BUSY ? 7 : 0);
        csv_call_destroy(call);
        gateway.spoil = NULL;
    }
    csv_caller_destroy(caller);
}

/* ---- once ---- */

static void once_only(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, &once);
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_RECORDS], 2); /* a challenge before it */
    good_call(caller, CONTENT);
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_RECORDS], 4);
    csv_caller_destroy(caller);
    caller = call_caller(&gateway, &oblivious_once);
    uint32_t before = gateway.counts[CALL_RECORDS];
    good_call(caller, CONTENT);
    good_call(caller, CONTENT);
    assert_int_equal(gateway.counts[CALL_OBLIVIOUS], 2);
    assert_int_equal(gateway.counts[CALL_RECORDS] - before, 2); /* a challenge for each */
    csv_caller_destroy(caller);
}

/* An image that takes nothing twice says so, and is served as it wants it. */
static void once_by_itself(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        const struct csv_caller_options options = {.way = way};
        struct csv_caller *caller = call_caller(&gateway, &options);
        uint32_t before = sealed_requests();
        good_call(caller, CONTENT);
        assert_int_equal(sealed_requests() - before, 3);
        before = sealed_requests();
        good_call(caller, CONTENT);
        assert_int_equal(sealed_requests() - before, way == 0 ? 1 : 2);
        csv_caller_destroy(caller);
    }
}

static void silent_once_sealed(struct call_gateway *asked, const struct csv_fetch *fetch,
                               struct call_answer *answer)
{
    (void)asked;
    if (answer->what >= CALL_RECORDS && fetch->body_size > 64) {
        answer->status = 0;
    }
}

/* Answers to the question for a challenge that are none, each time. */
static void short_challenge(const struct csv_fetch *fetch, struct call_answer *answer)
{
    const uint32_t words[] = {8 + 16, CSN_WIRE_CHALLENGED, 16};
    if (fetch->body_size < 64) {
        memcpy(answer->body, words, sizeof words);
        memcpy(answer->body + sizeof words, gateway.boots[0].instance.boot_id, 16);
        answer->size = sizeof words + 16;
    }
}

static void challenges_refused(void **state)
{
    (void)state;
    const struct {
        void (*spoil)(const struct csv_fetch *fetch, struct call_answer *answer);
        uint32_t code;
        csn_err err;
        uint32_t asked;
    } rows[] = {{short_challenge, 0, CSN_ERR_PEER, 1},
                {forge_code, CSN_WIRE_REJECT_MODE, CSN_ERR_UNKNOWN, 1},
                {forge_code, CSN_WIRE_REJECT_BUSY, CSN_BUSY, 1},
                {forge_code, CSN_WIRE_REJECT_KEY, CSN_ERR_UNKNOWN, 2},
                {longer, 0, CSN_ERR_PEER, 1},
                {cut, 0, CSN_ERR_PEER, 1},
                {silent, 0, CSN_ERR_SYSTEM, 2}};
    const struct csv_caller_options *const ways[] = {&once, &oblivious_once};
    for (uint32_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct csv_caller *caller = call_caller(&gateway, ways[i % 2]);
        uint32_t before = sealed_requests();
        forged_code = rows[i / 2].code;
        make(rows[i / 2].spoil);
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        csn_err err = call_result(&gateway, caller, call);
        if (err != rows[i / 2].err || sealed_requests() - before != rows[i / 2].asked) {
            fail_msg("row %u, way %u: %s, asked %u times", i / 2, i % 2, csn_err_name(err),
                     sealed_requests() - before);
        }
        assert_false(csv_call_problem(call)->maybe_served);
        assert_int_equal(gateway.counts[CALL_OBLIVIOUS], 0);
        gateway.spoil = NULL;
        csv_caller_destroy(caller);
    }
}

/* What may have been served is not sent again, and it is said. */
static void once_and_no_answer(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {&once, &oblivious_once};
    for (uint32_t way = 0; way < 2; way++) {
        struct csv_caller *caller = call_caller(&gateway, ways[way]);
        good_call(caller, CONTENT);
        uint32_t challenges = way;
        uint32_t before = sealed_requests();
        gateway.spoil = silent_once_sealed;
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        assert_int_equal(call_result(&gateway, caller, call), CSN_ERR_SYSTEM);
        assert_true(csv_call_problem(call)->maybe_served);
        assert_int_equal(sealed_requests() - before, 1 + challenges);
        gateway.spoil = NULL;
        csv_caller_destroy(caller);
    }
}

/*
 * A host delivers it twice, and gives the second answer: not served, says the enclave, of that
 * delivery. Of the request it must not be believed.
 */
static void once_delivered_twice(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {&once, &once, &oblivious_once};
    for (uint32_t i = 0; i < 3; i++) {
        struct csv_caller *caller = call_caller(&gateway, ways[i]);
        if (i != 0) {
            good_call(caller, CONTENT); /* a warm context */
        }
        uint32_t before = sealed_requests();
        gateway.twice = true;
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        assert_int_equal(call_result(&gateway, caller, call), CSN_ERR_SYSTEM);
        assert_true(csv_call_problem(call)->maybe_served);
        assert_int_equal(sealed_requests() - before, i == 1 ? 1 : 2);
        gateway.twice = false;
        good_call(caller, CONTENT);
        csv_caller_destroy(caller);
    }
}

/* A challenge of the boot before comes while another is being verified: it gets a new one. */
static void once_between_boots(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, &oblivious_once);
    good_call(caller, CONTENT);
    struct csv_call *call = call_start(caller, PATH, CONTENT);
    assert_int_equal(call_ask(&gateway, caller), 1);
    gateway.current = 1;
    csv_caller_verify(caller);
    assert_int_equal(call_ask(&gateway, caller), 2);
    call_give(&gateway, caller, 0); /* the challenge, and then evidence of the next boot */
    assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
    expect_content(call, CONTENT);
    csv_caller_destroy(caller);
}

/* The same where the worker is gone, which the gateway alone says. */
static void once_and_gone(void **state)
{
    (void)state;
    struct csv_caller *caller = call_caller(&gateway, &once);
    good_call(caller, CONTENT);
    gateway.current = 1;
    uint32_t before = sealed_requests();
    assert_int_equal(one_result(caller), CSN_ERR_SYSTEM);
    assert_int_equal(sealed_requests() - before, 1);
    good_call(caller, CONTENT); /* the next one goes to the new boot, after a new appraisal */
    assert_int_equal(gateway.counts[CALL_EVIDENCE], 2);
    csv_caller_destroy(caller);
}

/* Requests do not reach the boot that was appraised: its challenge is another's. */
static enum call_what verified_by; /* the last answer of a verification */

static void change_for_good(struct call_gateway *asked, const struct csv_fetch *fetch,
                            struct call_answer *answer)
{
    (void)fetch;
    if (answer->what == verified_by) {
        asked->current = 1;
    }
}

static void change_and_back(struct call_gateway *asked, const struct csv_fetch *fetch,
                            struct call_answer *answer)
{
    (void)fetch;
    asked->current = answer->what == verified_by ? 1 : 0;
}

static void challenge_of_another_boot(void **state)
{
    (void)state;
    const struct csv_caller_options *const ways[] = {&once, &oblivious_once};
    for (uint32_t way = 0; way < 2; way++) {
        verified_by = way == 0 ? CALL_EVIDENCE : CALL_KEYS;
        struct csv_caller *caller = call_caller(&gateway, ways[way]);
        gateway.current = 0;
        gateway.spoil = change_for_good; /* then it is verified anew, and all is well */
        good_call(caller, CONTENT);
        assert_memory_equal(csv_caller_pin(caller)->boot_id, gateway.boots[1].instance.boot_id, 16);
        csv_caller_destroy(caller);
        caller = call_caller(&gateway, ways[way]);
        gateway.current = 0;
        gateway.spoil = change_and_back; /* verified as one, challenged by the other, each time */
        uint32_t before = sealed_requests();
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        assert_int_equal(call_result(&gateway, caller, call), CSN_ERR_UNKNOWN);
        assert_false(csv_call_problem(call)->maybe_served);
        assert_int_equal(sealed_requests() - before, 2); /* challenges, and no request */
        assert_int_equal(gateway.counts[CALL_OBLIVIOUS], way);
        csv_caller_destroy(caller);
        gateway.spoil = NULL;
    }
}

/* ---- the caller's side ---- */

static void arguments(void **state)
{
    (void)state;
    struct csv_caller *caller = NULL;
    struct csv_caller_options options = {.policy = gateway.policy,
                                         .credential = &gateway.tenant.asker};
    static const char *const bad[] = {"", "a/b", "a b", "a&b", "a?b", "a%2f", "a\n"};
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.service = bad[i];
        assert_int_equal(csv_caller_create(&options, &caller), CSN_ERR_ARGUMENT);
        options.service = "good";
        options.label = bad[i];
        assert_int_equal(csv_caller_create(&options, &caller), CSN_ERR_ARGUMENT);
        options.label = NULL;
    }
    options.way = 2;
    assert_int_equal(csv_caller_create(&options, &caller), CSN_ERR_ARGUMENT);
    options.way = 0;
    options.purpose = 64;
    assert_int_equal(csv_caller_create(&options, &caller), CSN_ERR_ARGUMENT);
    options.purpose = 0;
    options.label = "label";
    options.call_count_max = 1;
    assert_int_equal(csv_caller_create(&options, &caller), CSN_OK);
    struct csv_call *call = call_start(caller, PATH, CONTENT);
    struct csv_call *another = NULL;
    const struct csv_call_request request = {.method = "GET", .path = "/"};
    assert_int_equal(csv_call_start(caller, &request, NULL, &another), CSN_BUSY);
    assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
    assert_true(call_sent(&gateway, "&service=good", 13));
    assert_true(call_sent(&gateway, "/records/good/label", 19));
    csv_caller_destroy(caller);
}

/* A token that is not one is not sent back. */
static const char *token;
static bool token_came_back;

static void give_token(struct call_gateway *asked, const struct csv_fetch *fetch,
                       struct call_answer *answer)
{
    (void)asked;
    for (uint32_t i = 0; i < fetch->field_count; i++) {
        token_came_back = token_came_back || strcmp(fetch->fields[i].name, "Caisson-Worker") == 0;
    }
    if (answer->what == CALL_RECORDS) {
        snprintf(answer->worker, sizeof answer->worker, "%s", token);
    }
}

static void tokens(void **state)
{
    (void)state;
    char longest[130];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    const char *const bad[] = {"a b", "a\r\nb: c", "\xc3\xa9", longest};
    gateway.spoil = give_token;
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct csv_caller *caller = call_caller(&gateway, NULL);
        token = bad[i];
        token_came_back = false;
        good_call(caller, CONTENT);
        good_call(caller, CONTENT);
        assert_false(token_came_back);
        csv_caller_destroy(caller);
    }
    struct csv_caller *caller = call_caller(&gateway, NULL);
    token = "boot-0";
    good_call(caller, CONTENT);
    good_call(caller, CONTENT);
    assert_true(token_came_back);
    csv_caller_destroy(caller);
}

static void requests(void **state)
{
    (void)state;
    static char large[70000];
    struct csv_call *call = NULL;
    struct csv_caller *caller = call_caller(&gateway, NULL);
    struct csv_call_field field = {"x", "a\r\nb: c", 1, 7};
    struct csv_call_request request = {
        .method = "POST", .path = PATH, .fields = &field, .field_count = 1};
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_ARGUMENT);
    request.field_count = 0;
    request.method = "PO ST";
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_ARGUMENT);
    request.method = "POST";
    request.path = "echo";
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_ARGUMENT);
    request.path = PATH;
    request.content = large;
    request.content_size = sizeof large;
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_LIMIT);
    struct csv_call_field many[CSV_CALL_FIELDS_MAX + 1];
    for (uint32_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        many[i] = (struct csv_call_field){"x-a", "b", 3, 1};
    }
    request.content_size = 0;
    request.fields = many;
    request.field_count = sizeof many / sizeof many[0];
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_LIMIT);
    request.field_count--;
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_OK);
    assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
    field = (struct csv_call_field){"Caisson-Purpose", "64", 15, 2};
    request.fields = &field;
    request.field_count = 1;
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_ARGUMENT);
    csv_caller_destroy(caller);
    static char larger[CSV_CALL_CONTENT_MAX + 1];
    caller = call_caller(&gateway, &oblivious);
    request.field_count = 0;
    request.content = larger;
    request.content_size = sizeof larger;
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_ERR_LIMIT);
    request.content_size = 65536; /* beyond records, not beyond this way */
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_OK);
    call_run(&gateway, caller);
    assert_int_equal(csv_call_result(call), CSN_ERR_LIMIT); /* but of this image */
    csv_caller_destroy(caller);
}

/* A purpose of the request's own, in either way; one that the credential does not list is refused.
 */
static void purposes(void **state)
{
    (void)state;
    static const char *const numbers[] = {"1", "5"};
    for (uint32_t way = 0; way < 2; way++) {
        const struct csv_caller_options options = {.way = way};
        struct csv_caller *caller = call_caller(&gateway, &options);
        for (uint32_t i = 0; i < 2; i++) {
            const struct csv_call_field field = {"Caisson-Purpose", numbers[i], 15, 1};
            const struct csv_call_request request = {
                .method = "POST", .path = PATH, .fields = &field, .field_count = 1};
            struct csv_call *call = NULL;
            assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_OK);
            assert_int_equal(call_result(&gateway, caller, call), CSN_OK);
            assert_int_equal(csv_call_response(call)->status, i == 0 ? 200 : 403);
        }
        csv_caller_destroy(caller);
    }
}

/* Whose credential it is: one that gets no replies, one that is in no grant. */
static void credentials(void **state)
{
    (void)state;
    struct csv_credential stranger = gateway.tenant.asker;
    stranger.secret[0] ^= 1;
    const struct {
        const struct csv_credential *credential;
        bool answered[2];
    } rows[] = {{&gateway.tenant.producer, {false, true}}, {&stranger, {false, true}}};
    for (uint32_t i = 0; i < 4; i++) {
        const struct csv_caller_options options = {.credential = rows[i / 2].credential,
                                                   .way = i % 2};
        struct csv_caller *caller = call_caller(&gateway, &options);
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        csn_err err = call_result(&gateway, caller, call);
        assert_int_equal(err == CSN_OK, rows[i / 2].answered[i % 2]);
        if (err == CSN_OK) { /* it opened, and the enclave says no */
            assert_true(csv_call_response(call)->status == 401 ||
                        csv_call_response(call)->status == 403);
        }
        csv_caller_destroy(caller);
    }
}

/* Calls go at any time; what comes for them then is nobody's. */
static void destroyed(void **state)
{
    (void)state;
    for (uint32_t when = 0; when < 4; when++) {
        struct csv_caller *caller = call_caller(&gateway, NULL);
        struct csv_call *call = call_start(caller, PATH, CONTENT);
        for (uint32_t i = 0; i < when && i < 2; i++) {
            assert_int_equal(call_ask(&gateway, caller), 1);
            if (i + 1 < when) {
                call_give(&gateway, caller, 0);
            }
        }
        csv_call_destroy(call);
        call_run(&gateway, caller);
        assert_null(csv_caller_finished(caller));
        good_call(caller, CONTENT);
        const struct csv_fetched unknown = {.id = 4711, .status = 200};
        csv_caller_take(caller, gateway.now, &unknown);
        csv_caller_destroy(caller);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(not_verified, start, stop),
        cmocka_unit_test_setup_teardown(records, start, stop),
        cmocka_unit_test_setup_teardown(oblivious_requests, start, stop),
        cmocka_unit_test_setup_teardown(several, start, stop),
        cmocka_unit_test_setup_teardown(service_says_no, start, stop),
        cmocka_unit_test_setup_teardown(parts, start, stop),
        cmocka_unit_test_setup_teardown(padded, start_narrow, stop),
        cmocka_unit_test_setup_teardown(sizes, start, stop),
        cmocka_unit_test_setup_teardown(replayed_evidence, start, stop),
        cmocka_unit_test_setup_teardown(policies, start, stop),
        cmocka_unit_test_setup_teardown(keys_change, start, stop),
        cmocka_unit_test_setup_teardown(keys_keep_changing, start, stop),
        cmocka_unit_test_setup_teardown(refusal_ends, start, stop),
        cmocka_unit_test_setup_teardown(evidence_has_an_age, start, stop),
        cmocka_unit_test_setup_teardown(strange_answers, start, stop),
        cmocka_unit_test_setup_teardown(swapped_answers, start, stop),
        cmocka_unit_test_setup_teardown(repeated_answers, start, stop),
        cmocka_unit_test_setup_teardown(rotation, start, stop),
        cmocka_unit_test_setup_teardown(rotation_to_another_image, start, stop),
        cmocka_unit_test_setup_teardown(rotation_under_way, start, stop),
        cmocka_unit_test_setup_teardown(forged_refusals, start, stop),
        cmocka_unit_test_setup_teardown(gateway_says_no, start, stop),
        cmocka_unit_test_setup_teardown(once_only, start, stop),
        cmocka_unit_test_setup_teardown(once_by_itself, start_not_idempotent, stop),
        cmocka_unit_test_setup_teardown(once_and_no_answer, start, stop),
        cmocka_unit_test_setup_teardown(once_and_gone, start, stop),
        cmocka_unit_test_setup_teardown(once_delivered_twice, start, stop),
        cmocka_unit_test_setup_teardown(once_between_boots, start, stop),
        cmocka_unit_test_setup_teardown(rotation_to_a_key_of_the_same_id, start, stop),
        cmocka_unit_test_setup_teardown(challenge_of_another_boot, start, stop),
        cmocka_unit_test_setup_teardown(arguments, start, stop),
        cmocka_unit_test_setup_teardown(requests, start, stop),
        cmocka_unit_test_setup_teardown(purposes, start, stop),
        cmocka_unit_test_setup_teardown(credentials, start, stop),
        cmocka_unit_test_setup_teardown(verify_anew, start, stop),
        cmocka_unit_test_setup_teardown(parts_spoilt, start, stop),
        cmocka_unit_test_setup_teardown(tokens, start, stop),
        cmocka_unit_test_setup_teardown(challenges_refused, start, stop),
        cmocka_unit_test_setup_teardown(gateway_says_it_otherwise, start, stop),
        cmocka_unit_test_setup_teardown(destroyed, start, stop),
        cmocka_unit_test_setup_teardown(spoilt_answers, start, stop),
        cmocka_unit_test_setup_teardown(spoilt_cold, start, stop),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
