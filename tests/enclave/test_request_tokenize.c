/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_request_tokenize.c: the tokenize service asked over HTTP: the same tokens as for a record,
 * given back to who may have them, and problems where JSON, type or rights are wrong.
 */
#include "../../enclaves/tokenize/tok_state.h"
#include "asker.h"
#include "fake_policy.h"
#include "solo.h"

static struct asker asker;
static struct csv_credential reader; /* may have the first field back, five times */

static const char policy[] =
    "{\"version\":1,\"domains\":{\"d\":{\"version\":1}},\"default\":\"keep\",\"fields\":["
    "{\"path\":\"pan\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"luhn\":true,\"domain\":\"d\"},"
    "{\"path\":\"name\",\"action\":\"token\",\"domain\":\"d\"}]}";
static const char clear[] = "{\"pan\":\"4111111111111111\",\"name\":\"Ada\",\"n\":7}";

static int start(void **state)
{
    (void)state;
    const struct csv_rights rights = {.rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_DETOKENIZE |
                                                CSN_WIRE_RIGHT_REQUEST,
                                      .consumer = CSN_WIRE_CONSUMER_NONE,
                                      .field_mask = 1,
                                      .purpose_mask = 1,
                                      .budget = 2};
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .service = &cse_service,
                                             .tenant_state_size = sizeof(struct tok_state) + 64,
                                             .scratch_size = 8u << 20});
    fake_tenant_new(&tenant);
    fake_policy(&tenant, policy, sizeof policy - 1);
    assert_int_equal(csv_tenant_add_producer(&tenant.tenant, &rights, &reader), CSN_OK);
    fake_grant(&fake, &tenant, 1);
    return 0;
}

static struct ask ask_for(const char *path, const void *json, uint32_t size)
{
    return (struct ask){.path = path,
                        .content = json,
                        .content_size = size,
                        .headers = {"content-type", "application/json"},
                        .credential = &tenant.asker};
}

/* What a record of the same tenant becomes. */
static uint32_t tokenize_record(uint8_t *output)
{
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    struct csn_wire_result result;
    uint32_t size = solo_seal(sealer, 1, clear, sizeof clear - 1);
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_int_equal(csv_reply_open(sealer, answer->body, answer->size, &result, output, &size),
                     CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_OK);
    csv_sealer_destroy(sealer);
    return size;
}

static void there_and_back(void **state)
{
    (void)state;
    uint8_t tokens[1024];
    char back[1024];
    uint32_t size = tokenize_record(tokens);
    for (uint32_t form = 0; form < 2; form++) {
        struct ask ask = ask_for("/v1/tokenize", clear, sizeof clear - 1);
        ask.form = (enum csn_ohttp_form)form;
        assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
        assert_string_equal(asker_header(&asker, "content-type"), "application/json");
        assert_int_equal(asker.response.content.size, size);
        assert_memory_equal(asker.response.content.bytes, tokens, size);
        assert_false(asker_says(&asker, "4111111111111111") || asker_says(&asker, "Ada"));
        ask = ask_for("/v1/detokenize", tokens, size);
        ask.form = (enum csn_ohttp_form)form;
        ask.credential = &reader;
        assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
        snprintf(back, sizeof back, "%.*s", (int)asker.response.content.size,
                 (const char *)asker.response.content.bytes);
        assert_non_null(strstr(back, "\"4111111111111111\""));
        assert_null(strstr(back, "Ada")); /* a field that this credential may not have */
    }
    struct ask ask = ask_for("/v1/detokenize", tokens, size);
    ask.credential = &reader;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 429); /* two were all */
    ask.credential = &tenant.bearer;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
}

static void problems(void **state)
{
    (void)state;
    struct ask ask = ask_for("/v1/tokenize", "{\"pan\":}", 8);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 400);
    assert_true(asker_says(&asker, "\"offset\":7}"));
    ask = ask_for("/v1/tokenize", clear, sizeof clear - 1);
    ask.headers[1] = "text/plain";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 415);
    ask.headers[1] = "application/json; charset=utf-8";
    ask.method = "GET";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 405);
    ask.method = "POST";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
}

/* What was put off for one request is done before its answer and no other's is sealed. */
static void batch(void **state)
{
    (void)state;
    static struct asker askers[8];
    struct fake_message messages[8];
    uint8_t tokens[1024];
    uint32_t size = tokenize_record(tokens);
    for (uint32_t i = 0; i < 8; i++) {
        const bool bad = i % 3 == 1;
        struct ask ask = ask_for("/v1/tokenize", clear, sizeof clear - (bad ? 2 : 1));
        ask.form = i % 2 == 0 ? CSN_OHTTP_WHOLE : CSN_OHTTP_CHUNKED;
        asker_seal(&askers[i], &fake, &ask);
        messages[i] = (struct fake_message){askers[i].message, askers[i].size};
    }
    fake_send(&fake, messages, 8);
    for (uint32_t i = 0; i < 8; i++) {
        asker_open(&askers[i], &fake, i);
        if (i % 3 == 1) {
            assert_int_equal(askers[i].response.status, 400);
            continue;
        }
        assert_int_equal(askers[i].response.status, 200);
        assert_int_equal(askers[i].response.content.size, size);
        assert_memory_equal(askers[i].response.content.bytes, tokens, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_and_back, start, solo_stop),
        cmocka_unit_test_setup_teardown(problems, start, solo_stop),
        cmocka_unit_test_setup_teardown(batch, start, solo_stop),
    };
    return cmocka_run_group_tests_name("request tokenize", tests, NULL, NULL);
}
