/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_request.c: oblivious requests that are served: forms, AEADs, ways to show a credential, how
 * long answers are, parts, once only, and what is left behind.
 */
#include "../../src/crypto/curve.h"
#include "../../src/enclave/state.h"
#include "asker.h"
#include "solo.h"

static struct asker asker;
static uint8_t content[70000];

static struct ask ask_for(const char *path, const void *bytes, uint32_t size)
{
    return (struct ask){
        .path = path, .content = bytes, .content_size = size, .credential = &tenant.asker};
}

static void expect_content(const void *bytes, uint32_t size)
{
    assert_int_equal(asker.response.content.size, size);
    assert_memory_equal(asker.response.content.bytes, bytes, size);
}

/* A service that serves each request once only. */
static int start_once(void **state)
{
    (void)state;
    fake_start(&fake, &(struct fake_options){.flags = 0});
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    return 0;
}

/* ---- forms ---- */

/* All AEADs, both forms, one chunk and many. */
static void round_trip(void **state)
{
    (void)state;
    memset(content, 0xa7, sizeof content);
    for (enum csn_aead aead = CSN_AEAD_AES_128_GCM; aead <= CSN_AEAD_CHACHA20_POLY1305; aead++) {
        for (uint32_t chunk_size = 0; chunk_size < 600; chunk_size += 150) {
            struct ask ask = ask_for("/echo", content, 5000);
            ask.aead = aead;
            assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
            expect_content(content, 5000);
            assert_string_equal(asker_header(&asker, "content-type"), "application/octet-stream");
            ask.form = CSN_OHTTP_CHUNKED;
            ask.chunk_size = chunk_size;
            assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
            assert_int_equal(asker.chunk_count, 1);
            expect_content(content, 5000);
        }
    }
    assert_int_equal(fake.stats.records_refused, 0);
    struct ask empty = ask_for("/echo", NULL, 0);
    assert_int_equal(asker_ask(&asker, &fake, &empty), 200);
    expect_content("", 0);
}

/* The largest there is, and chunks as many as are taken. */
static void limits(void **state)
{
    (void)state;
    struct ask ask = ask_for("/echo", content, 65000);
    ask.plain_size = CSN_WIRE_CLASS_LARGEST;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    expect_content(content, 65000);
    ask = ask_for("/echo", "abc", 3);
    ask.form = CSN_OHTTP_CHUNKED;
    ask.chunk_size = 1;
    ask.plain_size = 256;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    ask.plain_size = 257;
    asker_seal(&asker, &fake, &ask);
    assert_int_equal(fake_one(&fake, asker.message, asker.size)->code, CSN_WIRE_REJECT_SIZE);
}

/* A key of the instance's, which all its workers have: the list names it, and so does evidence. */
static void two_workers(void **state)
{
    (void)state;
    static struct fake other;
    uint8_t hash[32];
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                         .worker = 1,
                                         .worker_count = 2,
                                         .instance = &fake.instance};
    fake_start(&other, &options);
    fake_grant(&other, &tenant, 1);
    struct ask ask = ask_for("/echo", "abc", 3);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(asker_ask(&asker, &other, &ask), 200);
    expect_content("abc", 3);
    csn_sha256(fake.made->ohttp_keys, fake.made->ohttp_keys_size, hash);
    assert_int_equal(fake.made->ohttp_keys_size, CSN_OHTTP_KEYS_SIZE);
    assert_int_equal(fake.made->keys[1].purpose, CSN_WIRE_KEY_OHTTP);
    assert_memory_equal(fake.made->keys[1].public_key, hash, 32);
    assert_int_equal(fake.made->key_count, 2 + tenant.tenant.recipient_count);
    fake_stop(&other);
}

/* The list in the boot region ends where it ends: this key takes one of its places. */
static void full_list(void **state)
{
    (void)state;
    static struct fake crowded;
    static struct fake_tenant owner;
    const uint32_t count = CSN_WIRE_BOOT_KEY_COUNT_MAX / CSN_WIRE_RECIPIENT_COUNT_MAX;
    fake_start(&crowded, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                                .tenant_count_max = count,
                                                .context_count_max = 4});
    for (uint32_t i = 0; i < count; i++) {
        struct csn_wire_result result;
        struct csn_wire_receipt receipt;
        fake_tenant_new(&owner);
        for (uint32_t k = 1; k < CSN_WIRE_RECIPIENT_COUNT_MAX; k++) {
            struct csn_wire_recipient *more = &owner.tenant.recipients[k];
            memset(more->secret_key, (int)k, 32);
            csn_x25519_public(more->public_key, more->secret_key);
        }
        /* Two places are left for the last one's three. */
        owner.tenant.recipient_count = CSN_WIRE_RECIPIENT_COUNT_MAX - (i + 1 == count ? 1 : 0);
        fake_grant_build(&crowded, &owner, 1);
        const struct fake_answer *answer = fake_one(&crowded, owner.message, owner.message_size);
        assert_int_equal(
            csv_receipt_open(&owner.grant, answer->body, answer->size, &result, &receipt), CSN_OK);
        assert_int_equal(result.status,
                         i + 1 == count ? CSN_WIRE_STATUS_LIMIT : CSN_WIRE_STATUS_OK);
    }
    assert_int_equal(crowded.made->key_count, 2 + 4 * (count - 1));
    fake_stop(&crowded);
}

/* What a path may have for "{}", and which route serves it. */
static void names(void **state)
{
    (void)state;
    static const char longest[] =
        "/keys/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *path;
        uint32_t status;
        const char *name;
    } cases[] = {
        {"/keys/all", 200, "none"},
        {"/keys/alle", 200, "alle"},
        {"/keys/al", 200, "al"},
        {"/keys/a", 200, "a"},
        {"/keys/Az09._-", 200, "Az09._-"},
        {"/keys/all/rotate", 200, "all"},
        {"/keys/k/rotate", 200, "k"},
        {longest, 200, longest + 6},
        {"/keys/", 404, NULL},
        {"/keys", 404, NULL},
        {"/keys//rotate", 404, NULL},
        {"/keys/k/", 404, NULL},
        {"/keys/k/rotat", 404, NULL},
        {"/keys/k/rotate/", 404, NULL},
        {"/keys/a/b", 404, NULL},
        {"/keys/a%20b", 404, NULL},
        {"/keys/a?b", 404, NULL},
        {"/keys/{}", 404, NULL},
        {"/keys/a:b", 404, NULL},
        {"/keys/a@b", 404, NULL},
        {"/keys/a[b", 404, NULL},
        {"/keys/a`b", 404, NULL},
        {"/keys/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefx", 404, NULL},
        {"/keys/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefx/rotate", 404,
         NULL},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ask ask = ask_for(cases[i].path, NULL, 0);
        assert_int_equal(asker_ask(&asker, &fake, &ask), cases[i].status);
        if (cases[i].name != NULL) {
            expect_content(cases[i].name, (uint32_t)strlen(cases[i].name));
        }
    }
    struct ask ask = ask_for("/keys/k", NULL, 0);
    ask.method = "GET";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 405);
    assert_string_equal(asker_header(&asker, "allow"), "POST, DELETE");
}

/* A type that the handler says: no longer than the route's, where the answer comes at once. */
static void answer_type(void **state)
{
    (void)state;
    static const char *const types[] = {"text/plain", "a/b", "application/jsox"};
    for (uint32_t i = 0; i < 3; i++) {
        struct ask ask = ask_for("/type", types[i], (uint32_t)strlen(types[i]));
        for (uint32_t form = CSN_OHTTP_WHOLE; form <= CSN_OHTTP_CHUNKED; form++) {
            ask.form = (enum csn_ohttp_form)form;
            assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
            expect_content(types[i], (uint32_t)strlen(types[i]));
            assert_string_equal(asker_header(&asker, "content-type"), types[i]);
        }
    }
    struct ask ask = ask_for("/type", "application/jsonx", 17);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 500);
}

/* The worker's own memory: of all tenants, and the same one after a grant. */
static void worker_state(void **state)
{
    (void)state;
    static struct fake_tenant second;
    uint64_t kept[2] = {4, 1};
    struct ask ask = ask_for("/worker", "\x01\x03", 2);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    expect_content(kept, sizeof kept);
    fake_tenant_new(&second);
    fake_grant(&fake, &second, 1);
    ask.credential = &second.asker;
    kept[0] = 8;
    kept[1] = 2;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    expect_content(kept, sizeof kept);
}

static void ways(void **state)
{
    (void)state;
    struct ask ask = ask_for("/echo", "abc", 3);
    ask.credential = &tenant.bearer;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    ask.way = CSN_AUTHORIZE_REQUEST;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:way"));
    ask.credential = &tenant.asker;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:way"));
    ask.credential = &tenant.deliverer; /* what goes to a consumer does not go to who asks */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:consumer"));
    ask.way = CSN_AUTHORIZE_REQUEST;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:consumer"));
    ask.credential = &tenant.replier; /* for records alone */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
}

/* Budgets are the credential's, however it is used. */
static void budget(void **state)
{
    (void)state;
    struct ask ask = ask_for("/secret", "abc", 3);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    }
    assert_int_equal(asker_ask(&asker, &fake, &ask), 429);
    assert_true(asker_says(&asker, "urn:caisson:problem:budget"));
    ask.credential = &tenant.bearer;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:rights"));
}

/* ---- how long answers are ---- */

static uint32_t size_of_answer(const struct ask *ask, uint32_t status)
{
    assert_int_equal(asker_ask(&asker, &fake, ask), status);
    assert_int_equal(fake.answer_count, 1);
    return fake.answers[0].size;
}

/* By the class of the request's size alone: not by what came of it, or what is in it. */
static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t status;
    } cases[] = {{"/full", 200}, {"/fail", 400},   {"/small", 413},
                 {"/none", 404}, {"/status", 500}, {"/json", 415}};
    for (uint32_t class = 2; class < CSN_WIRE_CLASS_COUNT; class ++) {
        struct ask ask = ask_for("/echo", content, 10);
        for (uint32_t form = 0; form < 2; form++) {
            ask.form = (enum csn_ohttp_form)form;
            ask.plain_size = csn_wire_input_class(class) - (form == 1 ? 1 : 0);
            ask.path = "/echo";
            uint32_t size = size_of_answer(&ask, 200);
            assert_int_equal(size, csn_ohttp_nonce_size(&asker.exchange) + form +
                                       csn_wire_output_room(&fake.manifest, class) + 256 + 16);
            for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                ask.path = cases[i].path;
                assert_int_equal(size_of_answer(&ask, cases[i].status), size);
            }
            ask.way = ASK_ANONYMOUS;
            assert_int_equal(size_of_answer(&ask, 401), size);
            ask.way = CSN_AUTHORIZE_REQUEST;
            ask.plain_size++; /* the next class */
            if (class + 1 < CSN_WIRE_CLASS_COUNT) {
                assert_true(size_of_answer(&ask, 415) > size);
            }
        }
    }
    assert_int_equal(fake.stats.records_refused, 0);
}

/* ---- parts ---- */

static void parts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)(i * 7);
    }
    struct ask ask = ask_for("/twice", content, 700);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(asker.response.content.size, 1400);
    assert_memory_equal(asker.response.content.bytes, content, 700);
    assert_memory_equal(asker.response.content.bytes + 700, content, 700);
    ask.content_size = 1800; /* twice as much is more than the class gives */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 413);
    assert_true(asker_says(&asker, "urn:caisson:problem:answer-too-large"));
    ask.form = CSN_OHTTP_CHUNKED;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(fake.answer_count, 2);
    assert_int_equal(asker.chunk_count, 2);
    assert_int_equal(asker.response.content.size, 3600);
    assert_memory_equal(asker.response.content.bytes, content, 1800);
    assert_memory_equal(asker.response.content.bytes + 1800, content, 1800);
    uint32_t first = fake.answers[0].size;
    uint32_t second = fake.answers[1].size;
    ask.content_size = 1;
    ask.plain_size = asker.plain_size; /* as long, and less in it */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(fake.answer_count, 2);
    assert_int_equal(fake.answers[0].size, first);
    assert_int_equal(fake.answers[1].size, second);
    ask.content_size = 0;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    expect_content("", 0);
}

/* Put off until the batch is complete, beside records, challenges and requests with parts. */
static void batches(void **state)
{
    (void)state;
    static struct asker askers[4];
    static const char *const paths[4] = {"/late", "/twice", "/late", "/echo"};
    const uint32_t kind = CSN_WIRE_CHALLENGE;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    struct fake_message messages[6];
    for (uint32_t i = 0; i < 4; i++) {
        struct ask ask = ask_for(paths[i], "abcd", i + 1);
        ask.form = i % 2 == 0 ? CSN_OHTTP_WHOLE : CSN_OHTTP_CHUNKED;
        asker_seal(&askers[i], &fake, &ask);
        messages[i < 2 ? i : i + 2] = (struct fake_message){askers[i].message, askers[i].size};
    }
    messages[2] = (struct fake_message){&kind, sizeof kind};
    messages[3] = (struct fake_message){record, solo_seal(sealer, FAKE_LATE, "abc", 3)};
    fake_send(&fake, messages, 6);
    assert_int_equal(fake.answer_count, 7);
    for (uint32_t i = 0; i < 4; i++) {
        asker_open(&askers[i], &fake, i < 2 ? i : i + 2);
        assert_int_equal(askers[i].response.status, 200);
        assert_int_equal(askers[i].response.content.size, i == 1 ? 4 : i + 1);
        assert_memory_equal(askers[i].response.content.bytes, i == 1 ? "abab" : "abcd",
                            askers[i].response.content.size);
    }
    assert_int_equal(fake.answers[3].code, CSN_WIRE_CHALLENGED);
    assert_int_equal(fake.answers[4].code, CSN_WIRE_DONE);
    csv_sealer_destroy(sealer);
}

/* ---- twice ---- */

/* A deterministic service answers again, under another key. */
static void repeats(void **state)
{
    (void)state;
    uint8_t first[2048];
    struct ask ask = ask_for("/echo", "abc", 3);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_true(fake.answers[0].size <= sizeof first);
    memcpy(first, fake.answers[0].body, fake.answers[0].size);
    fake_one(&fake, asker.message, asker.size);
    assert_memory_not_equal(first, fake.answers[0].body, 16);
    asker_open(&asker, &fake, 0);
    expect_content("abc", 3);
}

static char challenge_text[65];

static struct ask ask_once(const struct csn_wire_challenge *challenge)
{
    struct ask ask = ask_for("/echo", "abc", 3);
    for (uint32_t i = 0; i < sizeof *challenge; i++) {
        snprintf(challenge_text + 2 * i, 3, i % 2 == 0 ? "%02x" : "%02X",
                 ((const uint8_t *)challenge)[i]);
    }
    ask.headers[0] = "Caisson-Challenge";
    ask.headers[1] = challenge_text;
    return ask;
}

static void once(void **state)
{
    (void)state;
    struct ask ask = ask_for("/echo", "abc", 3);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 428);
    assert_true(asker_says(&asker, "urn:caisson:problem:challenge\""));
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    ask = ask_once(&challenge);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    expect_content("abc", 3);
    fake_one(&fake, asker.message, asker.size); /* the very same bytes */
    asker_open(&asker, &fake, 0);
    assert_int_equal(asker.response.status, 412);
    assert_true(asker_says(&asker, "urn:caisson:problem:challenge-used"));
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412); /* another request */
    ask.credential = &tenant.bearer;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
    challenge = solo_challenge(&fake);
    (void)ask_once(&challenge); /* the text */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    challenge_text[63] = 'g';
    assert_int_equal(asker_ask(&asker, &fake, &ask), 428);
    challenge_text[62] = 0;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 428);
}

/* Who is refused for something else may come again with it; who was let in may not. */
static void once_in_order(void **state)
{
    (void)state;
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct ask ask = ask_once(&challenge);
    ask.way = ASK_ANONYMOUS;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 401);
    ask.way = CSN_AUTHORIZE_REQUEST;
    ask.path = "/none";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 404);
    ask.path = "/fail";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 400);
    ask.path = "/echo";
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
}

/* Of this boot, this worker, this grant, and among the last issued. */
static void once_elsewhere(void **state)
{
    (void)state;
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    for (uint32_t i = 0; i < sizeof challenge; i++) {
        struct csn_wire_challenge other = challenge;
        ((uint8_t *)&other)[i] ^= 1;
        struct ask ask = ask_once(&other);
        assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
    }
    challenge.counter++; /* not issued yet */
    struct ask ask = ask_once(&challenge);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
    challenge = solo_challenge(&fake);
    ask = ask_once(&challenge);
    fake_grant(&fake, &tenant, 2);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
    challenge = solo_challenge(&fake);
    ask = ask_once(&challenge);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    const struct csn_wire_challenge used = challenge;
    challenge = solo_challenge(&fake);
    for (uint32_t i = 1; i < CSE_CHALLENGE_COUNT; i++) {
        (void)solo_challenge(&fake);
    }
    struct csn_wire_challenge late = challenge;
    late.counter = used.counter + CSE_CHALLENGE_COUNT; /* has the bit that this one had */
    ask = ask_once(&late);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
    (void)solo_challenge(&fake);
    ask = ask_once(&challenge); /* as many came after it as there are bits */
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
    challenge.counter++;
    ask = ask_once(&challenge);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
}

/* A deterministic service needs none, but who shows one wants once only. */
static void once_by_choice(void **state)
{
    (void)state;
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct ask ask = ask_once(&challenge);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    assert_int_equal(asker_ask(&asker, &fake, &ask), 412);
}

/* ---- what is left ---- */

static void expect_no_residue(const void *mark, uint32_t size)
{
    assert_null(memmem(fake.memory, fake.pool.size, mark, size));
    assert_null(memmem(fake.inputs, 32 * FAKE_RECORD_MAX, mark, size));
}

/* Neither contents nor what proves or opens: in no memory of the worker's, however it went. */
static void residue(void **state)
{
    (void)state;
    static const char *const paths[] = {"/echo", "/twice", "/fail", "/full", "/none", "/status"};
    char mark[1001];
    memset(mark, 'M', sizeof mark);
    memset(fake.inputs, 0, 32 * FAKE_RECORD_MAX);
    for (uint32_t i = 0; i < 2 * sizeof paths / sizeof paths[0]; i++) {
        struct ask ask = ask_for(paths[i / 2], mark, sizeof mark);
        ask.form = i % 2 == 0 ? CSN_OHTTP_WHOLE : CSN_OHTTP_CHUNKED;
        ask.chunk_size = 300;
        asker_ask(&asker, &fake, &ask);
        expect_no_residue(mark, 16);
        expect_no_residue("wwwwwwwwwwwwwwww", 16); /* what /fail had written */
        expect_no_residue("[[[[[[[[[[[[[[[[", 16); /* and /status */
        expect_no_residue(asker.exchange.hpke.key, 16);
        expect_no_residue(asker.exchange.hpke.exporter_secret, 32);
    }
    struct ask ask = ask_for("/echo", mark, sizeof mark); /* and where it does not open */
    asker_seal(&asker, &fake, &ask);
    asker.message[asker.size - 1] ^= 1;
    assert_int_equal(fake_one(&fake, asker.message, asker.size)->code, CSN_WIRE_REJECT_AUTH);
    expect_no_residue(mark, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(limits, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(two_workers, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(full_list, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(names, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(answer_type, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(worker_state, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(ways, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(budget, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(sizes, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(parts, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(batches, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(repeats, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(once, start_once, solo_stop),
        cmocka_unit_test_setup_teardown(once_in_order, start_once, solo_stop),
        cmocka_unit_test_setup_teardown(once_elsewhere, start_once, solo_stop),
        cmocka_unit_test_setup_teardown(once_by_choice, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(residue, solo_start, solo_stop),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
