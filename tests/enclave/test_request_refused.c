/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_request_refused.c: oblivious requests that are not served: before they open, which the host
 * may see, and after it, which it may not.
 */
#include "asker.h"
#include "solo.h"

static struct asker asker;

static struct ask ask_for(const char *path)
{
    return (struct ask){
        .path = path, .content = "abc", .content_size = 3, .credential = &tenant.asker};
}

static uint32_t code_of(uint32_t size)
{
    const struct fake_answer *answer = fake_one(&fake, asker.message, size);
    assert_int_equal(fake.answer_count, 1);
    if (answer->code != CSN_WIRE_ANSWERED) {
        assert_int_equal(answer->size, 0);
    }
    return answer->code;
}

/* ---- before ---- */

static void expect_flip(uint32_t offset, uint32_t code)
{
    asker.message[offset] ^= 1;
    assert_int_equal(code_of(asker.size), code);
    asker.message[offset] ^= 1;
}

static void head(void **state)
{
    (void)state;
    struct ask ask = ask_for("/echo");
    asker_seal(&asker, &fake, &ask);
    const uint32_t start = sizeof(struct csn_wire_request);
    expect_flip(5, CSN_WIRE_REJECT_FRAMING); /* form 256 */
    asker.message[4] = 2;
    assert_int_equal(code_of(asker.size), CSN_WIRE_REJECT_FRAMING);
    asker.message[4] = 0;
    expect_flip(6, CSN_WIRE_REJECT_FRAMING); /* reserved */
    expect_flip(start, CSN_WIRE_REJECT_KEY);
    expect_flip(start + 2, CSN_WIRE_REJECT_SUITE); /* KEM */
    expect_flip(start + 4, CSN_WIRE_REJECT_SUITE); /* KDF */
    expect_flip(start + 5, CSN_WIRE_REJECT_SUITE); /* AEAD */
    expect_flip(start + 6, CSN_WIRE_REJECT_SUITE); /* AEAD 0 */
    expect_flip(start + 7, CSN_WIRE_REJECT_AUTH);  /* encapsulation */
    expect_flip(start + 39, CSN_WIRE_REJECT_AUTH);
    expect_flip(asker.size - 1, CSN_WIRE_REJECT_AUTH);
    asker.message[4] = 1; /* the other form has other keys */
    assert_int_not_equal(code_of(asker.size), CSN_WIRE_ANSWERED);
    asker.message[4] = 0;
    assert_int_equal(code_of(asker.size), CSN_WIRE_ANSWERED);
    assert_int_equal(fake.stats.records_served, 1);
    memset(asker.message + start + 7, 0, 32); /* a low-order point */
    assert_int_equal(code_of(asker.size), CSN_WIRE_REJECT_AUTH);
}

/* No key of another instance opens it, whatever its id; nor is a class taken that does not fit. */
static void keys(void **state)
{
    (void)state;
    static struct fake other;
    struct ask ask = ask_for("/echo");
    fake_start(&other, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    asker_seal(&asker, &other, &ask);
    asker.message[sizeof(struct csn_wire_request)] = fake.instance.request_key.key_id;
    assert_int_equal(code_of(asker.size), CSN_WIRE_REJECT_AUTH);
    fake_stop(&other);
    ask.plain_size = CSN_WIRE_CLASS_LARGEST;
    asker_seal(&asker, &fake, &ask);
    assert_int_equal(code_of(asker.size), CSN_WIRE_ANSWERED);
    ask.plain_size++;
    asker_seal(&asker, &fake, &ask);
    assert_int_equal(code_of(asker.size), CSN_WIRE_REJECT_SIZE);
}

/* Cut anywhere, with any bit changed: never opened. */
static void damage(void **state)
{
    (void)state;
    for (uint32_t form = 0; form < 2; form++) {
        struct ask ask = ask_for("/echo");
        ask.form = (enum csn_ohttp_form)form;
        ask.aead = CSN_AEAD_AES_256_GCM;
        ask.chunk_size = 50;
        asker_seal(&asker, &fake, &ask);
        for (uint32_t size = 0; size < asker.size; size++) {
            uint32_t code = code_of(size);
            assert_true(code == CSN_WIRE_REJECT_FRAMING || code == CSN_WIRE_REJECT_AUTH);
            assert_true(size >= 47 + 16 || code == CSN_WIRE_REJECT_FRAMING);
        }
        for (uint32_t bit = 0; bit < asker.size * 8; bit++) {
            asker.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
            uint32_t code = fake_one(&fake, asker.message, asker.size)->code;
            assert_true(code > CSN_WIRE_DONE && code <= CSN_WIRE_REJECT_MODE);
            asker.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(code_of(asker.size), CSN_WIRE_ANSWERED);
        asker.message[asker.size] = 0; /* and a byte more */
        assert_int_not_equal(code_of(asker.size + 1), CSN_WIRE_ANSWERED);
    }
    assert_int_equal(fake.stats.records_served, 2);
}

/* Chunks count only in their order, each once, up to the final one. */
static void chunks(void **state)
{
    (void)state;
    struct ask ask = ask_for("/echo");
    static struct asker spoilt;
    ask.form = CSN_OHTTP_CHUNKED;
    ask.plain_size = 300;
    ask.chunk_size = 100; /* three of them, the last one final */
    asker_seal(&asker, &fake, &ask);
    const uint32_t start = sizeof(struct csn_wire_request) + CSN_OHTTP_HEAD_SIZE;
    const uint32_t one = 2 + 100 + 16;
    assert_int_equal(asker.size, start + 2 * one + 1 + 100 + 16);
    spoilt = asker;
    memcpy(asker.message + start, spoilt.message + start + one, one);
    memcpy(asker.message + start + one, spoilt.message + start, one);
    assert_int_equal(code_of(asker.size), CSN_WIRE_REJECT_AUTH); /* in another order */
    memcpy(asker.message + start, spoilt.message + start, one);
    assert_int_equal(code_of(asker.size), CSN_WIRE_REJECT_AUTH); /* one of them twice */
    asker = spoilt;
    assert_int_equal(code_of(start + 2 * one), CSN_WIRE_REJECT_FRAMING); /* without the last */
    asker.message[start + one] = 0;                                      /* the second as final */
    memmove(asker.message + start + one + 1, asker.message + start + one + 2, 116);
    assert_int_equal(code_of(start + 2 * one - 1), CSN_WIRE_REJECT_AUTH);
    asker = spoilt;
    memmove(asker.message + start, asker.message + start + one, asker.size - start - one);
    assert_int_equal(code_of(asker.size - one), CSN_WIRE_REJECT_AUTH); /* without the first */
}

/* An image without routes has no key, and lists none. */
static void no_routes(void **state)
{
    (void)state;
    static struct fake other;
    struct cse_service service = fake_service;
    service.route_count = 0;
    fake_start(&other,
               &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC, .service = &service});
    struct ask ask = ask_for("/echo");
    asker_seal(&asker, &other, &ask);
    assert_int_equal(fake_one(&other, asker.message, asker.size)->code, CSN_WIRE_REJECT_FRAMING);
    assert_int_equal(other.made->key_count, 1);
    assert_int_equal(other.made->ohttp_keys_size, 0);
    fake_stop(&other);
}

/* ---- after ---- */

static void expect_problem(const struct ask *ask, uint32_t status, const char *name)
{
    char type[64];
    char number[32];
    snprintf(type, sizeof type, "{\"type\":\"urn:caisson:problem:%s\",\"title\":\"", name);
    snprintf(number, sizeof number, "\"status\":%u", status);
    assert_int_equal(asker_ask(&asker, &fake, ask), status);
    assert_string_equal(asker_header(&asker, "content-type"), "application/problem+json");
    assert_true(asker_says(&asker, type));
    assert_true(asker_says(&asker, number));
    const struct csn_bhttp_text *text = &asker.response.content;
    assert_int_equal(text->bytes[text->size - 1], '}');
}

static void credentials(void **state)
{
    (void)state;
    struct csv_credential changed = tenant.asker;
    struct ask ask = ask_for("/echo");
    ask.credential = &changed;
    for (uint32_t way = CSN_AUTHORIZE_REQUEST; way <= CSN_AUTHORIZE_BEARER; way++) {
        ask.way = (enum csn_authorize_way)way;
        changed = way == CSN_AUTHORIZE_BEARER ? tenant.bearer : tenant.asker;
        changed.secret[31] ^= 1;
        expect_problem(&ask, 401, "credential");
        assert_string_equal(asker_header(&asker, "www-authenticate"), "Caisson, Bearer");
        changed.secret[31] ^= 1;
        changed.tenant[0] ^= 1;
        expect_problem(&ask, 401, "credential");
        changed.tenant[0] ^= 1;
        changed.id ^= 1;
        expect_problem(&ask, 401, "credential");
        changed.id = tenant.deliverer.id; /* another one's */
        expect_problem(&ask, 401, "credential");
    }
    ask.way = ASK_ANONYMOUS;
    expect_problem(&ask, 401, "credential");
    ask.path = "/none"; /* nothing is learnt of paths without one */
    expect_problem(&ask, 401, "credential");
    ask.headers[0] = "authorization";
    ask.headers[1] = "Basic YTpi";
    expect_problem(&ask, 401, "credential");
    ask = ask_for("/echo");
    ask.headers[0] = "authorization"; /* beside the good one */
    ask.headers[1] = "Basic YTpi";
    expect_problem(&ask, 401, "credential");
}

/* One tenant's credential is of no use as another's, and of none once a grant left it out. */
static void tenants(void **state)
{
    (void)state;
    static struct fake_tenant other;
    struct ask ask = ask_for("/echo");
    fake_tenant_new(&other);
    ask.credential = &other.asker;
    expect_problem(&ask, 401, "credential"); /* not granted here */
    fake_grant(&fake, &other, 1);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    struct csv_credential mixed = other.asker;
    memcpy(mixed.tenant, tenant.tenant.id, 32);
    ask.credential = &mixed;
    expect_problem(&ask, 401, "credential");
    mixed.id = tenant.asker.id;
    expect_problem(&ask, 401, "credential");
    ask.credential = &other.asker;
    assert_int_equal(csv_tenant_remove_producer(&other.tenant, other.asker.id), CSN_OK);
    fake_grant(&fake, &other, 2);
    expect_problem(&ask, 401, "credential");
    ask.credential = &tenant.asker; /* others are not touched by it */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
}

/* A proof is for its own request: moved into another one it counts for nothing. */
static void proofs(void **state)
{
    (void)state;
    static uint8_t plain[1024];
    static const uint8_t zero[32];
    struct ask ask = ask_for("/echo");
    struct ask inner = ask;
    uint32_t fault;
    struct csn_bhttp_message message;
    char value[128];
    for (uint32_t i = 0; i < 2; i++) {
        asker_seal(&asker, &fake, &ask); /* for its encapsulation */
        uint32_t size =
            asker_write(&inner, i == 0 ? zero : asker.exchange.encapsulation, plain, sizeof plain);
        assert_int_equal(csn_bhttp_read(plain, size, &message, &fault), CSN_OK);
        const struct csn_bhttp_text *shown = csn_bhttp_header(&message, "authorization");
        snprintf(value, sizeof value, "%.*s", (int)shown->size, (const char *)shown->bytes);
        struct ask copied = ask;
        copied.way = ASK_ANONYMOUS;
        copied.headers[0] = "authorization";
        copied.headers[1] = value;
        expect_problem(&copied, 401, "credential"); /* asker_ask takes another encapsulation */
    }
}

static void routes(void **state)
{
    (void)state;
    struct ask ask = ask_for("/echo/");
    expect_problem(&ask, 404, "path");
    ask.path = "/echo?x=1";
    expect_problem(&ask, 404, "path");
    ask.path = "/Echo";
    expect_problem(&ask, 404, "path");
    ask.path = "/ech";
    expect_problem(&ask, 404, "path");
    ask.path = "/echo";
    ask.method = "GET";
    expect_problem(&ask, 405, "method");
    assert_string_equal(asker_header(&asker, "allow"), "POST");
    ask.path = "/two";
    ask.method = "get";
    expect_problem(&ask, 405, "method");
    assert_string_equal(asker_header(&asker, "allow"), "GET, PUT");
    ask.method = "PUT";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_null(asker_header(&asker, "allow"));
    ask.method = "GET";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(asker.response.content.size, 0);
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        uint32_t status;
    } cases[] = {{"application/json", 200},
                 {"Application/JSON ; charset=utf-8", 200},
                 {"application/json;x", 200},
                 {"text/json", 415},
                 {"application/jsonx", 415},
                 {"application/jso", 415},
                 {"", 415},
                 {";application/json", 415}};
    struct ask ask = ask_for("/json");
    expect_problem(&ask, 415, "type");
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask.headers[0] = "content-type";
        ask.headers[1] = cases[i].type;
        assert_int_equal(asker_ask(&asker, &fake, &ask), cases[i].status);
    }
    ask.headers[1] = "application/json";
    ask.headers[2] = "Content-Type";
    ask.headers[3] = "application/json";
    expect_problem(&ask, 400, "twice");
}

static void headers(void **state)
{
    (void)state;
    static const char *const bad[] = {"64", "99999999999", "-1", "1 ", "", "0x1", "a", ":"};
    struct ask ask = ask_for("/echo");
    ask.headers[0] = "caisson-purpose";
    for (uint32_t i = 0; i < 2; i++) { /* the credential lists 0 and 1 */
        ask.headers[1] = i == 0 ? "0" : "01";
        assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    }
    ask.headers[1] = "2";
    expect_problem(&ask, 403, "rights");
    ask.headers[1] = "63";
    expect_problem(&ask, 403, "rights");
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bad[i][0] == '1') {
            continue; /* no value ends with a blank */
        }
        ask.headers[1] = bad[i];
        expect_problem(&ask, 400, "purpose");
    }
    ask.headers[1] = "1";
    ask.headers[2] = "Caisson-Purpose";
    ask.headers[3] = "1";
    expect_problem(&ask, 400, "twice");
    ask.headers[0] = "caisson-challenge";
    ask.headers[2] = "caisson-challenge";
    expect_problem(&ask, 400, "twice");
}

/* What a handler says, by its status; its offset where it gave one. */
static void handlers(void **state)
{
    (void)state;
    struct ask ask = ask_for("/fail");
    expect_problem(&ask, 400, "malformed");
    assert_true(asker_says(&asker, ",\"offset\":7}"));
    assert_false(asker_says(&asker, "ww"));
    ask.path = "/status";
    expect_problem(&ask, 500, "internal");
    assert_false(asker_says(&asker, "offset"));
    ask.path = "/small";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    ask.content = "123456789";
    ask.content_size = 9;
    expect_problem(&ask, 413, "too-large");
    ask.path = "/secret";
    ask.credential = &tenant.bearer;
    ask.way = CSN_AUTHORIZE_BEARER;
    expect_problem(&ask, 403, "rights");
}

/* Sealed well, and nonsense: the place where it stops being a request. */
static void messages(void **state)
{
    (void)state;
    static uint8_t plain[512];
    struct ask ask = ask_for("/echo");
    struct csn_ohttp_config config;
    uint8_t keys_bytes[CSN_OHTTP_KEYS_SIZE];
    uint32_t offset = 0;
    csn_ohttp_keys_write(&fake.instance.request_key, keys_bytes);
    assert_int_equal(csn_ohttp_keys_next(keys_bytes, sizeof keys_bytes, &offset, &config), CSN_OK);
    static const uint8_t response[] = {1, 0x40, 0xc8, 0, 0};
    for (uint32_t size = 0; size <= 129; size++) {
        const uint8_t ephemeral[32] = {1, (uint8_t)size};
        uint32_t whole = asker_write(&ask, NULL, plain, sizeof plain);
        bool is_response = size == 129;
        if (is_response) {
            memcpy(plain, response, sizeof response);
        }
        assert_int_equal(csn_ohttp_send(&asker.exchange, &config, CSN_AEAD_CHACHA20_POLY1305,
                                        CSN_OHTTP_WHOLE, ephemeral, asker.message + 8),
                         CSN_OK);
        uint32_t part = is_response ? sizeof response : size < whole ? size : whole;
        assert_int_equal(csn_ohttp_seal(&asker.exchange, true, plain, part, asker.message + 47),
                         CSN_OK);
        memcpy(asker.message, &(struct csn_wire_request){.kind = CSN_WIRE_REQUEST}, 8);
        assert_int_equal(code_of(47 + part + 16), CSN_WIRE_ANSWERED);
        asker_open(&asker, &fake, 0);
        /* From where only empty parts are missing, it is a request, of nobody. */
        bool readable = !is_response && (part == whole || asker.response.status == 401);
        assert_int_equal(asker.response.status, readable ? 401 : 400);
        assert_true(readable == !asker_says(&asker, "\"offset\":"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(head, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(keys, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(damage, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(chunks, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(no_routes, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(credentials, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(tenants, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(proofs, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(routes, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(types, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(headers, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(handlers, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(messages, solo_start, solo_stop),
    };
    return cmocka_run_group_tests_name("request refused", tests, NULL, NULL);
}
