/* SPDX-License-Identifier: Apache-2.0 */
/* test_request.c: oblivious requests, from the sealed bytes to the opened response. */
#include "asker.h"
#include "solo.h"

static struct asker asker;

static struct ask echo(const void *content, uint32_t size)
{
    return (struct ask){
        .path = "/echo", .content = content, .content_size = size, .credential = &tenant.asker};
}

static void expect_content(const void *content, uint32_t size)
{
    assert_int_equal(asker.response.content.size, size);
    assert_memory_equal(asker.response.content.bytes, content, size);
}

/* All AEADs, both forms, one chunk and many. */
static void round_trip(void **state)
{
    (void)state;
    uint8_t content[5000];
    memset(content, 0xa7, sizeof content);
    for (enum csn_aead aead = CSN_AEAD_AES_128_GCM; aead <= CSN_AEAD_CHACHA20_POLY1305; aead++) {
        for (uint32_t chunk_size = 0; chunk_size < 600; chunk_size += 150) {
            struct ask ask = echo(content, sizeof content);
            ask.aead = aead;
            assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
            expect_content(content, sizeof content);
            assert_string_equal(asker_header(&asker, "content-type"), "application/octet-stream");
            ask.form = CSN_OHTTP_CHUNKED;
            ask.chunk_size = chunk_size;
            assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
            assert_int_equal(asker.chunk_count, 1);
            expect_content(content, sizeof content);
        }
    }
}

static void ways(void **state)
{
    (void)state;
    struct ask ask = echo("abc", 3);
    ask.credential = &tenant.bearer;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 200);
    ask.way = CSN_AUTHORIZE_REQUEST;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:way"));
    ask.credential = &tenant.asker;
    ask.way = CSN_AUTHORIZE_BEARER;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    ask.credential = &tenant.deliverer;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 403);
    assert_true(asker_says(&asker, "urn:caisson:problem:consumer"));
    ask.way = ASK_ANONYMOUS;
    assert_int_equal(asker_ask(&asker, &fake, &ask), 401);
    assert_string_equal(asker_header(&asker, "www-authenticate"), "Caisson, Bearer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(ways, solo_start, solo_stop),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
