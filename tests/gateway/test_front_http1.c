/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_front_http1.c: HTTP/1.1 through the front: what is answered, in which order, and when the
 * connection ends; requests in every cut; requests that two programs could read in two ways.
 */
#include "front_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define HOST   "Host: h\r\n"
#define HIDDEN "GET /hidden HTTP/1.1\r\n" HOST "\r\n"

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* ---- requests of which it must be clear where they end ---- */

static const struct {
    const char *name;
    const char *bytes;
    uint32_t statuses[4]; /* of all answers; then the connection is closed */
} corpus[] = {
    {"length and chunks",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\nG" HIDDEN,
     {400}},
    {"chunks and length",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n"
     "0\r\n\r\n" HIDDEN,
     {400}},
    {"length twice, different",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 36\r\n\r\n" HIDDEN,
     {400}},
    {"length twice, equal",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" HIDDEN,
     {400}},
    {"length as a list",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx" HIDDEN,
     {400}},
    {"length with a sign",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx" HIDDEN,
     {400}},
    {"length below zero",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" HIDDEN,
     {400}},
    {"length in hexadecimal",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\nx" HIDDEN,
     {400}},
    {"length that overflows",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\nx" HIDDEN,
     {400}},
    {"length with a blank in it",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1 0\r\n\r\nx" HIDDEN,
     {400}},
    {"length without a value",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n" HIDDEN,
     {400}},
    {"coding in other case",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\ntRANSFER-eNCODING: chunked\r\n\r\n"
     "0\r\n\r\n" HIDDEN,
     {400}},
    {"coding twice",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"coding twice, second is another",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
     "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"coding as a list",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {501}},
    {"chunked is not last",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" HIDDEN,
     {501}},
    {"unknown coding",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {501}},
    {"quoted coding",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" HIDDEN,
     {501}},
    {"coding with a parameter",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" HIDDEN,
     {501}},
    {"empty coding",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\nContent-Length: 1\r\n\r\nx" HIDDEN,
     {501}},
    {"coding with a blank before the colon",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"coding with a tab before the colon",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"coding behind a vertical tab",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"coding on a folded line",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {501}},
    {"folded line", "GET /echo HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n" HIDDEN, {400}},
    {"folded with a tab", "GET /echo HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n" HIDDEN, {400}},
    {"first field is folded", "GET /echo HTTP/1.1\r\n X: a\r\n" HOST "\r\n" HIDDEN, {400}},
    {"coding behind a bare line feed",
     "POST /echo HTTP/1.1\r\n" HOST "X: a\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
     "0\r\n\r\n" HIDDEN,
     {400}},
    {"coding behind a bare carriage return",
     "POST /echo HTTP/1.1\r\n" HOST "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"line feeds alone", "GET /echo HTTP/1.1\nHost: h\n\n" HIDDEN, {400}},
    {"head ends with a bare line feed", "GET /echo HTTP/1.1\r\n" HOST "\n" HIDDEN, {400}},
    {"name with a blank in it",
     "POST /echo HTTP/1.1\r\n" HOST "Content Length: 5\r\n\r\n" HIDDEN,
     {400}},
    {"name with a control character",
     "POST /echo HTTP/1.1\r\n" HOST "Content\x01Length: 5\r\n\r\n" HIDDEN,
     {400}},
    {"name of eight bits", "GET /echo HTTP/1.1\r\n" HOST "X\xff: 5\r\n\r\n" HIDDEN, {400}},
    {"empty name", "GET /echo HTTP/1.1\r\n" HOST ": 5\r\n\r\n" HIDDEN, {400}},
    {"no colon", "GET /echo HTTP/1.1\r\n" HOST "Content-Length\r\n\r\n" HIDDEN, {400}},
    {"control character in a value",
     "GET /echo HTTP/1.1\r\n" HOST "X: a\x02\r\n\r\n" HIDDEN,
     {400}},
    {"no Host", "GET /echo HTTP/1.1\r\nX: y\r\n\r\n" HIDDEN, {400}},
    {"Host twice", "GET /echo HTTP/1.1\r\n" HOST "Host: other\r\n\r\n" HIDDEN, {400}},
    {"absolute form", "GET http://h/echo HTTP/1.1\r\n" HOST "\r\n" HIDDEN, {400}},
    {"authority form", "CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n" HIDDEN, {400}},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" HIDDEN, {400}},
    {"target with a fragment", "GET /echo#a HTTP/1.1\r\n" HOST "\r\n" HIDDEN, {400}},
    {"target with a backslash is a target",
     "GET /\\..\\x HTTP/1.1\r\nConnection: close\r\n" HOST "\r\n" HIDDEN,
     {404}},
    {"other method", "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" HIDDEN, {405}},
    {"method in lower case", "get /echo HTTP/1.1\r\n" HOST "\r\n" HIDDEN, {405}},
    {"GET with a body", "GET /echo HTTP/1.1\r\n" HOST "Content-Length: 37\r\n\r\n" HIDDEN, {400}},
    {"GET in chunks",
     "GET /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"HTTP/1.0", "GET /echo HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n" HIDDEN, {505}},
    {"HTTP/0.9", "GET /echo\r\n" HIDDEN, {400}},
    {"HTTP/2 in words", "GET /echo HTTP/2.0\r\n" HOST "\r\n" HIDDEN, {505}},
    {"HTTP/1.1 and more", "GET /echo HTTP/1.1 x\r\n" HOST "\r\n" HIDDEN, {400}},
    {"empty line first", "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n" HIDDEN, {400}},
    {"unknown expectation", "POST /echo HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n" HIDDEN, {417}},
    {"chunk extension",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "1;x=y\r\nz\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"chunk extension with a line feed",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "1;\nz\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"chunk size in hexadecimal notation",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "0x1\r\nz\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"chunk size that overflows",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "10000000000000001\r\nz\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"chunk size with a blank",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "1 \r\nz\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"chunk that is longer than it says",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "1\r\nzz\r\n0\r\n\r\n" HIDDEN,
     {400}},
    {"chunks with line feeds alone",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nz\n0\n\n" HIDDEN,
     {400}},
    {"trailer that is none",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "0\r\nContent-Length : 5\r\n\r\n" HIDDEN,
     {400}},
    {"a good one, and then a bad one",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nTransfer-Encoding: x\r\n\r\n" HIDDEN,
     {200, 501}},
    {"the body is larger than the service takes",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n" HIDDEN,
     {413}},
    {"a chunk is larger than the service takes",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10001\r\n" HIDDEN,
     {413}},
    {"refused before the body",
     "POST /refused HTTP/1.1\r\n" HOST "Content-Length: 37\r\n\r\n" HIDDEN,
     {403}},
    {"what follows Connection: close",
     "GET /bytes?1 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" HIDDEN,
     {200}},
    {"trailers are dropped",
     "POST /echo HTTP/1.1\r\n" HOST "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1\r\nz\r\n0\r\nX: y\r\n\r\n" HIDDEN,
     {200}},
};

static void test_corpus(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof corpus / sizeof corpus[0]; i++) {
        struct heard heard;
        heard_start(&heard, rig_connect(&rig));
        rig_say(&rig, heard.fd, corpus[i].bytes);
        uint32_t count = 0;
        while (corpus[i].statuses[count] != 0) {
            count++;
        }
        if (!rig_hear(&rig, &heard, count, true) ||
            memcmp(heard.status, corpus[i].statuses, count * sizeof heard.status[0]) != 0) {
            fail_msg("%s: %u answers, first %u, closed %d", corpus[i].name, heard.count,
                     heard.status[0], heard.is_closed);
        }
        if (heard.is_reset || rig.hidden != 0) {
            fail_msg("%s: reset %d, hidden %u", corpus[i].name, heard.is_reset, rig.hidden);
        }
        heard_stop(&heard);
    }
    assert_true(rig.counters.bad_requests > 50);
}

/* An answer to HEAD has no body, whatever it says. */
static void test_head(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "HEAD /echo HTTP/1.1\r\n" HOST "\r\n" HIDDEN);
    assert_true(rig_hear(&rig, &heard, 0, true));
    assert_memory_equal(heard.bytes, "HTTP/1.1 405 ", 13);
    assert_memory_equal(heard.bytes + heard.size - 4, "\r\n\r\n", 4);
    assert_int_equal(rig.hidden, 0);
    heard_stop(&heard);
}

/* ---- what is answered ---- */

static void test_requests(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd,
            "POST /echo?a=1 HTTP/1.1\r\nhost: x:1\r\nContent-Length: 5\r\nX-Y:  z \r\n\r\nhello");
    assert_true(rig_hear(&rig, &heard, 1, false));
    assert_int_equal(heard.status[0], 200);
    assert_int_equal(heard.body_size[0], 5);
    assert_memory_equal(heard.body[0], "hello", 5);
    assert_string_equal(rig.path, "/echo");
    assert_string_equal(rig.query, "a=1");
    assert_string_equal(rig.host, "x:1");
    assert_string_equal(rig.fields, "host=x:1;Content-Length=5;X-Y=z;");
    assert_true(rig_until_equal(&rig, &rig.done, 1));
    assert_int_equal(rig.done_status, 200);
    assert_int_equal(rig.done_size, 5);
    const char *date = strstr(heard.bytes, "\r\nDate: ");
    assert_non_null(date);
    assert_memory_equal(date + 8 + 25, " GMT\r\n", 6);
    assert_non_null(strstr(heard.bytes, "\r\nCache-Control: no-store\r\n"));
    /* and the connection goes on */
    rig_say(&rig, heard.fd, "GET /none HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_hear(&rig, &heard, 2, false));
    assert_int_equal(heard.status[1], 404);
    static const char problem[] =
        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}";
    assert_int_equal(heard.body_size[1], sizeof problem - 1);
    assert_memory_equal(heard.body[1], problem, sizeof problem - 1);
    heard_stop(&heard);
}

/* Bodies of both kinds, cut in two at each byte: the same answer, and then another request. */
static void test_cuts(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello world"
        "GET /bytes?3 HTTP/1.1\r\n" HOST "\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\nGET /bytes?3 HTTP/1.1\r\n" HOST "\r\n"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(requests[i]);
        for (size_t cut = 0; cut <= size; cut++) {
            struct heard heard;
            heard_start(&heard, rig_connect(&rig));
            rig_send(&rig, heard.fd, requests[i], cut);
            rig_send(&rig, heard.fd, requests[i] + cut, size - cut);
            if (!rig_hear(&rig, &heard, 2, false) || heard.status[0] != 200 ||
                heard.body_size[0] != 11 || memcmp(heard.body[0], "hello world", 11) != 0 ||
                heard.status[1] != 200 || heard.body_size[1] != 3) {
                fail_msg("request %zu cut at %zu: %u answers", i, cut, heard.count);
            }
            heard_stop(&heard);
        }
    }
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    static const char request[] =
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n";
    for (size_t i = 0; i < sizeof request - 1; i++) {
        rig_send(&rig, heard.fd, request + i, 1);
    }
    assert_true(rig_hear(&rig, &heard, 1, false));
    assert_memory_equal(heard.body[0], "abc", 3);
    assert_string_equal(rig.fields, "Host=h;Transfer-Encoding=chunked;");
    heard_stop(&heard);
}

/* A head outlives the buffer that it was read into, which is everybody's. */
static void test_kept_head(void **state)
{
    (void)state;
    struct heard heard, other;
    heard_start(&heard, rig_connect(&rig));
    heard_start(&other, rig_connect(&rig));
    rig_say(&rig, heard.fd,
            "POST /echo?q HTTP/1.1\r\nHost: mine\r\nA: b\r\nContent-Length: 5\r\n\r\nhel");
    char noise[512];
    memset(noise, 'z', sizeof noise);
    memcpy(noise, "GET /", 5);
    rig_send(&rig, other.fd, noise, sizeof noise);
    rig_say(&rig, heard.fd, "lo");
    assert_true(rig_hear(&rig, &heard, 1, false));
    assert_string_equal(rig.fields, "Host=mine;A=b;Content-Length=5;");
    assert_string_equal(rig.path, "/echo");
    assert_string_equal(rig.query, "q");
    assert_string_equal(rig.host, "mine");
    heard_stop(&heard);
    heard_stop(&other);
}

static void test_pipelined(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    char text[2048] = "";
    for (uint32_t i = 0; i < 8; i++) {
        char *end = text + strlen(text);
        sprintf(end, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n%u", i);
    }
    rig_say(&rig, heard.fd, text);
    assert_true(rig_hear(&rig, &heard, 8, false));
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(heard.body[i][0], '0' + (int)i);
    }
    heard_stop(&heard);
}

/* A request behind one that is not answered waits for its turn, and what it sent is not lost. */
static void test_held(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_equal(&rig, &rig.held_count, 1));
    rig_say(&rig, heard.fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
    rig_turn(&rig, 5);
    assert_int_equal(rig.begun, 1);
    assert_int_equal(rig.counters.streams_open, 1);
    const struct csn_answer_head head = {.status = 201, .content_type = "text/plain"};
    csn_exchange_answer(rig.held[0], &head, "now", 3);
    csn_exchange_answer(rig.held[0], &head, "twice", 5); /* does not count */
    assert_true(rig_hear(&rig, &heard, 2, false));
    assert_int_equal(heard.status[0], 201);
    assert_memory_equal(heard.body[0], "now", 3);
    assert_memory_equal(heard.body[1], "ab", 2);
    heard_stop(&heard);
}

static void test_pieces(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_equal(&rig, &rig.held_count, 1));
    const struct csn_answer_head head = {.status = 200,
                                         .content_type = "text/plain",
                                         .cache_control = "max-age=5",
                                         .more = {{{"X-A", 3}, {"b", 1}}},
                                         .more_count = 1};
    csn_exchange_begin(rig.held[0], &head);
    csn_exchange_piece(rig.held[0], "hello", 5, false);
    csn_exchange_piece(rig.held[0], "", 0, false); /* is no end */
    rig_turn(&rig, 2);
    csn_exchange_piece(rig.held[0], "0123456789abcdef", 16, true);
    assert_true(rig_hear(&rig, &heard, 1, false));
    static const char body[] = "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
    assert_int_equal(heard.body_size[0], sizeof body - 1);
    assert_memory_equal(heard.body[0], body, sizeof body - 1);
    assert_non_null(strstr(heard.bytes, "\r\nX-A: b\r\n"));
    assert_non_null(strstr(heard.bytes, "\r\nCache-Control: max-age=5\r\n"));
    assert_int_equal(rig.done_size, 21);
    /* an empty last piece */
    rig_say(&rig, heard.fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_equal(&rig, &rig.held_count, 2));
    csn_exchange_begin(rig.held[1], &head);
    csn_exchange_piece(rig.held[1], "a", 1, false);
    csn_exchange_piece(rig.held[1], NULL, 0, true);
    assert_true(rig_hear(&rig, &heard, 2, false));
    assert_memory_equal(heard.body[1], "1\r\na\r\n0\r\n\r\n", 11);
    heard_stop(&heard);
}

/* Cut off: the client can tell, since the last chunk is missing. */
static void test_broken(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_equal(&rig, &rig.held_count, 1));
    const struct csn_answer_head head = {.status = 200, .content_type = "text/plain"};
    csn_exchange_begin(rig.held[0], &head);
    csn_exchange_piece(rig.held[0], "hello", 5, false);
    csn_exchange_break(rig.held[0]);
    assert_true(rig_hear(&rig, &heard, 0, true));
    assert_int_equal(memcmp(heard.bytes + heard.size - 10, "5\r\nhello\r\n", 10), 0);
    assert_int_equal(rig.gone, 1);
    assert_int_equal(rig.gone_status, 200);
    heard_stop(&heard);
}

static void test_continue(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd,
            "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(rig_hear(&rig, &heard, 1, false));
    assert_int_equal(heard.status[0], 100);
    rig_say(&rig, heard.fd, "ab");
    assert_true(rig_hear(&rig, &heard, 2, false));
    assert_memory_equal(heard.body[1], "ab", 2);
    heard_stop(&heard);
    /* nobody is asked to send what would be refused */
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd,
            "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n");
    assert_true(rig_hear(&rig, &heard, 1, true));
    assert_int_equal(heard.status[0], 413);
    heard_stop(&heard);
}

/* Who has said all that he will say still gets his answer. */
static void test_half_closed(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_equal(&rig, &rig.held_count, 1));
    shutdown(heard.fd, SHUT_WR);
    rig_turn(&rig, 5);
    assert_int_equal(rig.gone, 0);
    csn_exchange_problem(rig.held[0], 409, "urn:x", "T", "d\n\"");
    assert_true(rig_hear(&rig, &heard, 1, true));
    assert_int_equal(heard.status[0], 409);
    static const char problem[] =
        "{\"type\":\"urn:x\",\"title\":\"T\",\"status\":409,\"detail\":\"d\\u000a\\\"\"}";
    assert_int_equal(heard.body_size[0], sizeof problem - 1);
    assert_memory_equal(heard.body[0], problem, sizeof problem - 1);
    heard_stop(&heard);
    /* but not who has not said it */
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
    shutdown(heard.fd, SHUT_WR);
    assert_true(rig_hear(&rig, &heard, 0, true));
    assert_int_equal(rig.gone, 1);
    assert_int_equal(rig.gone_status, 0);
    heard_stop(&heard);
}

static void test_client_leaves(void **state)
{
    (void)state;
    int fd = rig_connect(&rig);
    rig_say(&rig, fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_equal(&rig, &rig.held_count, 1));
    const struct linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    assert_true(rig_until_equal(&rig, &rig.gone, 1));
    assert_null(rig.held[0]);
    assert_int_equal(rig.gone_status, 0);
}

/* What must not leave does not, and more than the socket takes arrives in the end. */
static void test_answers(void **state)
{
    (void)state;
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "GET /bytes?4000000 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_hear(&rig, &heard, 1, false));
    assert_int_equal(heard.body_size[0], 4000000);
    const struct csn_answer_head heads[] = {
        {.status = 200, .content_type = "text/plain\r\nX: y"},
        {.status = 200, .cache_control = "x\ny"},
        {.status = 200, .more = {{{"X", 1}, {"a\r\nY: b", 7}}}, .more_count = 1},
        {.status = 200, .more = {{{"X Y", 3}, {"a", 1}}}, .more_count = 1},
        {.status = 99},
        {.status = 600}};
    for (uint32_t i = 0; i < 6; i++) {
        rig_say(&rig, heard.fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
        assert_true(rig_until_equal(&rig, &rig.held_count, i + 1));
        csn_exchange_answer(rig.held[i], &heads[i], "x", 1);
        assert_true(rig_hear(&rig, &heard, 2 + i, false));
        assert_int_equal(heard.status[1 + i], 500);
        assert_int_equal(heard.body_size[1 + i], 0);
    }
    heard_stop(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_corpus),        TEST(test_head),         TEST(test_requests),
        TEST(test_cuts),          TEST(test_byte_by_byte), TEST(test_kept_head),
        TEST(test_pipelined),     TEST(test_held),         TEST(test_pieces),
        TEST(test_broken),        TEST(test_continue),     TEST(test_half_closed),
        TEST(test_client_leaves), TEST(test_answers),
#undef TEST
    };
    return cmocka_run_group_tests_name("front_http1", tests, NULL, NULL);
}
