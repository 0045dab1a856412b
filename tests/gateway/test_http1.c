/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_http1.c: what the strict HTTP/1.1 reader takes, and what it refuses, at every place where
 * the bytes can be cut: a head or a body that comes byte by byte gives the same as one that comes
 * whole.
 */
#include <gateway/http1.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static struct csn_http1_head head;

/* From bytes that end where the allocation ends. */
static enum csn_http1_result read_cut(const char *bytes, size_t size, const char **fault)
{
    char *copy = malloc(size + 1);
    memcpy(copy + 1, bytes, size);
    enum csn_http1_result result = csn_http1_read_head(copy + 1, size, &head, fault);
    free(copy);
    return result;
}

/* All prefixes ask for more, or say already what the whole says. */
static enum csn_http1_result read_all_ways(const char *bytes, size_t size, const char **fault)
{
    enum csn_http1_result whole = csn_http1_read_head(bytes, size, &head, fault);
    size_t end = whole == CSN_HTTP1_OK ? head.size : size;
    for (size_t cut = 0; cut < end; cut++) {
        const char *why = NULL;
        enum csn_http1_result result = read_cut(bytes, cut, &why);
        if (result != CSN_HTTP1_MORE && (result != whole || strcmp(why, *fault) != 0)) {
            fail_msg("cut at %zu: %d (%s), whole %d (%s)", cut, result, why, whole, *fault);
        }
        assert_false(whole == CSN_HTTP1_OK && result != CSN_HTTP1_MORE);
    }
    return csn_http1_read_head(bytes, size, &head, fault);
}

static void expect_text(struct csn_http1_text text, const char *wanted)
{
    assert_int_equal(text.size, strlen(wanted));
    assert_memory_equal(text.bytes, wanted, text.size);
}

static void test_heads(void **state)
{
    (void)state;
    static const char bytes[] = "POST /v1/tokenize?x=1 HTTP/1.1\r\n"
                                "hOSt: gateway.example:8443\r\n"
                                "Content-Type:application/json\r\n"
                                "X-Empty:\r\n"
                                "X-Blank: \t a b \t\r\n"
                                "Content-Length: 12\r\n"
                                "Connection: keep-alive, close\r\n"
                                "Expect: 100-Continue\r\n"
                                "X-Twice: 1\r\nx-twice: 2\r\n"
                                "\r\nnext";
    const char *fault = NULL;
    assert_int_equal(read_all_ways(bytes, sizeof bytes - 1, &fault), CSN_HTTP1_OK);
    assert_int_equal(head.method, CSN_HTTP1_POST);
    expect_text(head.target, "/v1/tokenize?x=1");
    expect_text(head.host, "gateway.example:8443");
    assert_int_equal(head.field_count, 9);
    assert_int_equal(head.size, sizeof bytes - 1 - 4);
    assert_int_equal(head.content_length, 12);
    assert_true(head.closes && head.wants_continue && !head.is_chunked);
    expect_text(*csn_http1_field(&head, "content-TYPE"), "application/json");
    expect_text(*csn_http1_field(&head, "x-empty"), "");
    expect_text(*csn_http1_field(&head, "x-blank"), "a b");
    assert_null(csn_http1_field(&head, "x-twice")); /* which of them? */
    assert_null(csn_http1_field(&head, "x-none"));

    static const char get[] = "GET / HTTP/1.1\r\nHost: \r\nConnection: closed\r\n\r\n";
    assert_int_equal(read_all_ways(get, sizeof get - 1, &fault), CSN_HTTP1_OK);
    assert_int_equal(head.method, CSN_HTTP1_GET);
    assert_false(head.closes);
    static const char chunked[] =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n";
    assert_int_equal(read_all_ways(chunked, sizeof chunked - 1, &fault), CSN_HTTP1_OK);
    assert_true(head.is_chunked);
}

#define POST_LINE "POST / HTTP/1.1\r\nHost: h\r\n"

static const struct {
    const char *bytes;
    enum csn_http1_result result;
    const char *fault;
} refused[] = {
    /* request lines */
    {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "request line"},
    {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "version"},
    {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "version"},
    {"GET /\r\n\r\n", CSN_HTTP1_BAD, "request line without a version"},
    {"GET\r\n\r\n", CSN_HTTP1_BAD, "request line"},
    {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "request line"},
    {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "request line"},
    {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "version"},
    {"GET / http/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "version"},
    {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", CSN_HTTP1_VERSION, "version is not HTTP/1.1"},
    {"PRI * HTTP/2.0\r\n\r\n", CSN_HTTP1_VERSION, "version is not HTTP/1.1"},
    {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "target"},
    {"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "target"},
    {"GET /#x HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "target"},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "target"},
    {"PUT / HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_METHOD, "method is neither GET nor POST"},
    {"get / HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_METHOD, "method is neither GET nor POST"},
    {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "target"},
    /* line ends and control characters */
    {"GET / HTTP/1.1\nHost: h\n\n", CSN_HTTP1_BAD, "line feed without carriage return"},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", CSN_HTTP1_BAD, "line feed without carriage return"},
    {"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", CSN_HTTP1_BAD, "carriage return without line feed"},
    {"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "carriage return without line feed"},
    {"GET / HTTP/1.1\r\nHost: h\x01\r\n\r\n", CSN_HTTP1_BAD, "control character"},
    {"GET / HTTP/1.1\r\nHost: h\x7f\r\n\r\n", CSN_HTTP1_BAD, "control character"},
    {"GET /\t HTTP/1.1\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "target"},
    /* fields */
    {"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", CSN_HTTP1_BAD, "folded line"},
    {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", CSN_HTTP1_BAD, "folded line"},
    {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", CSN_HTTP1_BAD, "field name is no token"},
    {"GET / HTTP/1.1\r\nHost\r\n\r\n", CSN_HTTP1_BAD, "field without a colon"},
    {"GET / HTTP/1.1\r\n: h\r\n\r\n", CSN_HTTP1_BAD, "field name is no token"},
    {"GET / HTTP/1.1\r\nH\xc3\xb6st: h\r\n\r\n", CSN_HTTP1_BAD, "field name is no token"},
    {"GET / HTTP/1.1\r\nX: y\r\n\r\n", CSN_HTTP1_BAD, "no Host"},
    {"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", CSN_HTTP1_BAD, "Host twice"},
    {"GET / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n", CSN_HTTP1_EXPECT, "expectation"},
    /* two readers, two lengths: what smuggles */
    {POST_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", CSN_HTTP1_BAD,
     "Content-Length and Transfer-Encoding"},
    {POST_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", CSN_HTTP1_BAD,
     "Content-Length and Transfer-Encoding"},
    {POST_LINE "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", CSN_HTTP1_BAD,
     "Content-Length and Transfer-Encoding"},
    {POST_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", CSN_HTTP1_BAD,
     "Content-Length twice"},
    {POST_LINE "Content-Length: 5, 5\r\n\r\n", CSN_HTTP1_BAD, "Content-Length is no number"},
    {POST_LINE "Content-Length: +5\r\n\r\n", CSN_HTTP1_BAD, "Content-Length is no number"},
    {POST_LINE "Content-Length: -5\r\n\r\n", CSN_HTTP1_BAD, "Content-Length is no number"},
    {POST_LINE "Content-Length: 0x5\r\n\r\n", CSN_HTTP1_BAD, "Content-Length is no number"},
    {POST_LINE "Content-Length: 5 5\r\n\r\n", CSN_HTTP1_BAD, "Content-Length is no number"},
    {POST_LINE "Content-Length:\r\n\r\n", CSN_HTTP1_BAD, "Content-Length is no number"},
    {POST_LINE "Content-Length: 1000000000000000000\r\n\r\n", CSN_HTTP1_BAD,
     "Content-Length is no number"},
    {POST_LINE "Content-Length : 5\r\n\r\n", CSN_HTTP1_BAD, "field name is no token"},
    {POST_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", CSN_HTTP1_BAD,
     "Transfer-Encoding twice"},
    {POST_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", CSN_HTTP1_CODING,
     "transfer coding is not chunked"},
    {POST_LINE "Transfer-Encoding: chunked, identity\r\n\r\n", CSN_HTTP1_CODING,
     "transfer coding is not chunked"},
    {POST_LINE "Transfer-Encoding: xchunked\r\n\r\n", CSN_HTTP1_CODING,
     "transfer coding is not chunked"},
    {POST_LINE "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
     CSN_HTTP1_BAD, "control character"},
    {POST_LINE "Transfer-Encoding\t: chunked\r\n\r\n", CSN_HTTP1_BAD, "field name is no token"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", CSN_HTTP1_BAD, "GET with a body"},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", CSN_HTTP1_BAD,
     "GET with a body"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *fault = "";
        enum csn_http1_result result =
            read_all_ways(refused[i].bytes, strlen(refused[i].bytes), &fault);
        if (result != refused[i].result || strcmp(fault, refused[i].fault) != 0) {
            fail_msg("%s: %d (%s), not %d (%s)", refused[i].bytes, result, fault, refused[i].result,
                     refused[i].fault);
        }
    }
    /* A NUL, which the table cannot hold. */
    static const char nul[] = "GET / HTTP/1.1\r\nHost: h\0\r\n\r\n";
    const char *fault = "";
    assert_int_equal(read_all_ways(nul, sizeof nul - 1, &fault), CSN_HTTP1_BAD);
    assert_string_equal(fault, "control character");
    printf("# %zu heads refused, each for its reason and at every cut\n",
           sizeof refused / sizeof refused[0] + 1);
}

/* A head of `size` bytes whose last field is as long as that needs. */
static char *head_of(size_t size, char **end)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    char *bytes = malloc(size);
    memset(bytes, 'x', size);
    memcpy(bytes, start, sizeof start - 1);
    memcpy(bytes + size - 4, "\r\n\r\n", 4);
    *end = bytes + size;
    return bytes;
}

static void test_limits(void **state)
{
    (void)state;
    const char *fault = "";
    char *end, *bytes = head_of(CSN_HTTP1_HEAD_SIZE_MAX, &end);
    assert_int_equal(csn_http1_read_head(bytes, CSN_HTTP1_HEAD_SIZE_MAX, &head, &fault), 0);
    free(bytes);
    bytes = head_of(CSN_HTTP1_HEAD_SIZE_MAX + 1, &end);
    assert_int_equal(csn_http1_read_head(bytes, CSN_HTTP1_HEAD_SIZE_MAX - 1, &head, &fault),
                     CSN_HTTP1_MORE);
    assert_int_equal(csn_http1_read_head(bytes, CSN_HTTP1_HEAD_SIZE_MAX + 1, &head, &fault),
                     CSN_HTTP1_FIELDS);
    assert_string_equal(fault, "head too large");
    free(bytes);

    char line[CSN_HTTP1_TARGET_SIZE_MAX + 100];
    for (size_t extra = 0; extra < 2; extra++) {
        memset(line, 'p', sizeof line);
        memcpy(line, "GET /", 5);
        strcpy(line + 4 + CSN_HTTP1_TARGET_SIZE_MAX + extra, " HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(csn_http1_read_head(line, strlen(line), &head, &fault),
                         extra == 0 ? CSN_HTTP1_OK : CSN_HTTP1_TARGET);
    }
    char many[1000] = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (uint32_t i = 1; i < CSN_HTTP1_FIELDS_MAX; i++) {
        strcat(many, "X: y\r\n");
    }
    strcat(many, "\r\n");
    assert_int_equal(csn_http1_read_head(many, strlen(many), &head, &fault), CSN_HTTP1_OK);
    strcpy(many + strlen(many) - 2, "X: y\r\n\r\n");
    assert_int_equal(csn_http1_read_head(many, strlen(many), &head, &fault), CSN_HTTP1_FIELDS);
    assert_string_equal(fault, "too many fields");
    assert_int_equal(csn_http1_read_head("X", 1, &head, NULL), CSN_HTTP1_MORE);
    assert_int_equal(csn_http1_read_head("\n", 1, &head, NULL), CSN_HTTP1_BAD);
}

/* ---- chunks ---- */

struct body {
    char content[300];
    size_t size, consumed;
    enum csn_http1_result result;
    bool is_end;
    const char *fault;
};

/* The body as it comes in slices of `step` bytes; what is not taken is given again, with more. */
static struct body read_body(const char *bytes, size_t size, size_t step, uint64_t limit)
{
    struct csn_http1_chunks chunks = {0};
    struct body body = {.fault = ""};
    size_t have = 0;
    while (!body.is_end) {
        struct csn_http1_piece piece;
        char *copy = malloc(have - body.consumed + 1);
        memcpy(copy + 1, bytes + body.consumed, have - body.consumed);
        body.result = csn_http1_read_chunk(&chunks, copy + 1, have - body.consumed, limit, &piece,
                                           &body.fault);
        assert_true(piece.offset + piece.size <= piece.consumed);
        assert_true(body.size + piece.size < sizeof body.content);
        memcpy(body.content + body.size, copy + 1 + piece.offset, piece.size);
        free(copy);
        body.size += piece.size;
        body.consumed += piece.consumed;
        body.is_end = piece.is_end;
        if (body.result == CSN_HTTP1_MORE && have < size) {
            have = have + step < size ? have + step : size;
        } else if (body.result != CSN_HTTP1_OK) {
            break;
        }
    }
    assert_true(!body.is_end || chunks.total == body.size);
    return body;
}

static void test_bodies(void **state)
{
    (void)state;
    static const char bytes[] = "5\r\nhello\r\n0000000b\r\n, large wor\r\nA\r\n\r\n\r\n234567\r\n"
                                "0\r\nDigest: x\r\nX:\r\n\r\nnext";
    static const char content[] = "hello, large wor\r\n\r\n234567";
    for (size_t step = 1; step < sizeof bytes; step++) {
        struct body body = read_body(bytes, sizeof bytes - 1, step, 26);
        assert_int_equal(body.result, CSN_HTTP1_OK);
        assert_true(body.is_end);
        assert_int_equal(body.size, sizeof content - 1);
        assert_memory_equal(body.content, content, body.size);
        assert_int_equal(body.consumed, sizeof bytes - 1 - 4);
        body = read_body(bytes, sizeof bytes - 1, step, 25);
        assert_int_equal(body.result, CSN_HTTP1_TOO_LARGE);
    }
    struct body empty = read_body("0\r\n\r\n", 5, 1, 0);
    assert_true(empty.is_end && empty.size == 0);
}

static const struct {
    const char *bytes;
    const char *fault;
} bad_bodies[] = {
    {"\r\n", "chunk size"},
    {"x\r\n", "chunk size"},
    {"5;name=value\r\nhello\r\n0\r\n\r\n", "chunk size"},
    {"5;x\r\nhello\r\n0\r\n\r\n", "chunk size"},
    {"5 \r\nhello\r\n0\r\n\r\n", "chunk size"},
    {" 5\r\nhello\r\n0\r\n\r\n", "chunk size"},
    {"+5\r\nhello\r\n0\r\n\r\n", "chunk size"},
    {"0x5\r\nhello\r\n0\r\n\r\n", "chunk size"},
    {"-1\r\n", "chunk size"},
    {"000000005\r\nhello\r\n", "chunk size"},
    {"0000000000000000000000", "chunk size"},
    {"5\nhello\r\n0\r\n\r\n", "line feed without carriage return"},
    {"5\rhello\r\n0\r\n\r\n", "carriage return without line feed"},
    {"5\r\nhelloX\r\n0\r\n\r\n", "chunk does not end where it should"},
    {"5\r\nhelloX\n0\r\n\r\n", "chunk does not end where it should"},
    {"5\r\nhello\n0\r\n\r\n", "chunk does not end where it should"},
    {"5\r\nhello\rX0\r\n\r\n", "chunk does not end where it should"},
    {"0\r\nX y\r\n\r\n", "field without a colon"},
    {"0\r\nX : y\r\n\r\n", "field name is no token"},
    {"0\r\n folded\r\n\r\n", "folded line"},
    {"0\r\nX: y\n\r\n", "line feed without carriage return"},
};

static void test_bad_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_bodies / sizeof bad_bodies[0]; i++) {
        size_t size = strlen(bad_bodies[i].bytes);
        for (size_t step = 1; step <= size; step++) {
            struct body body = read_body(bad_bodies[i].bytes, size, step, 1000);
            if (body.result != CSN_HTTP1_BAD || strcmp(body.fault, bad_bodies[i].fault) != 0) {
                fail_msg("%s by %zu: %d (%s)", bad_bodies[i].bytes, step, body.result, body.fault);
            }
        }
    }
    assert_int_equal(read_body("ffffffff\r\n", 10, 1, UINT64_C(1) << 40).result, CSN_HTTP1_MORE);
    assert_int_equal(read_body("ffffffff\r\n", 10, 1, 0xfffffffe).result, CSN_HTTP1_TOO_LARGE);
    char trailers[CSN_HTTP1_TRAILER_MAX + 100] = "0\r\n";
    while (strlen(trailers) < CSN_HTTP1_TRAILER_MAX + 50) {
        strcat(trailers, "X: 0123456789\r\n");
    }
    struct body body = read_body(trailers, strlen(trailers), 100, 10);
    assert_int_equal(body.result, CSN_HTTP1_FIELDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_bad_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
