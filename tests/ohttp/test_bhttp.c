/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_bhttp.c: Binary HTTP: the examples of RFC 9292, both framings, what may be left out, and
 * everything that is no message, with the place where it stops being one.
 */
#include <ohttp/bhttp.h>
#include <ohttp/bhttp_flow.h>
#include <ohttp/varint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define TEXT(string) ((struct csn_bhttp_text){(const uint8_t *)(string), sizeof(string) - 1})

static csn_err read_copy(const void *bytes, uint32_t size, struct csn_bhttp_message *message,
                         uint32_t *fault, uint8_t *copy)
{
    memcpy(copy, bytes, size);
    return csn_bhttp_read(copy, size, message, fault);
}

static void expect_text(const struct csn_bhttp_text *text, const char *wanted)
{
    assert_int_equal(text->size, strlen(wanted));
    assert_memory_equal(text->bytes, wanted, text->size);
}

/* RFC 9292 section 5.1, the request of its first example in both framings. */
static const char known_request[] = "\x00\x03GET\x05https\x0bwww.example\x01/"
                                    "\x1f\x0a"
                                    "user-agent\x03"
                                    "tst\x06"
                                    "accept\x08text/abc\x00\x00";
static const char open_request[] = "\x02\x03GET\x05https\x0bwww.example\x01/"
                                   "\x0auser-agent\x03tst\x06"
                                   "accept\x08text/abc\x00"
                                   "\x02"
                                   "ab\x01"
                                   "c\x00"
                                   "\x01t\x01v\x00"
                                   "\x00\x00\x00";

static void test_requests(void **state)
{
    (void)state;
    struct csn_bhttp_message message;
    uint8_t copy[200];
    uint32_t fault;
    assert_int_equal(read_copy(known_request, sizeof known_request - 1, &message, &fault, copy),
                     CSN_OK);
    assert_false(message.is_response);
    expect_text(&message.method, "GET");
    expect_text(&message.scheme, "https");
    expect_text(&message.authority, "www.example");
    expect_text(&message.path, "/");
    assert_int_equal(message.header_count, 2);
    assert_int_equal(message.trailer_count, 0);
    assert_int_equal(message.content.size, 0);
    expect_text(csn_bhttp_header(&message, "USER-AGENT"), "tst");
    assert_null(csn_bhttp_header(&message, "user-agen"));
    assert_null(csn_bhttp_header(&message, "user-agent2"));
    assert_true(csn_bhttp_is(&message.method, "GET"));
    assert_false(csn_bhttp_is(&message.method, "GETS"));
    assert_false(csn_bhttp_is(&message.method, "GE"));
    assert_int_equal(read_copy(open_request, sizeof open_request - 1, &message, &fault, copy),
                     CSN_OK);
    assert_int_equal(message.header_count, 2);
    assert_int_equal(message.trailer_count, 1);
    expect_text(&message.content, "abc");
    expect_text(&message.fields[2].name, "t");
    assert_null(csn_bhttp_header(&message, "t")); /* a trailer is no header */
}

/* RFC 9292 section 5.2: two informational responses before the final one. */
static void test_responses(void **state)
{
    (void)state;
    struct csn_bhttp_message message;
    uint8_t copy[200];
    uint32_t fault;
    static const char running[] = "\x03\x40\x66\x07running\x0b\"sleep 15s\"\x00"
                                  "\x40\x67\x00"
                                  "\x40\xc8\x04"
                                  "date\x01n\x00\x02hi\x00\x00";
    assert_int_equal(read_copy(running, sizeof running - 1, &message, &fault, copy), CSN_OK);
    assert_true(message.is_response);
    assert_int_equal(message.status, 200);
    assert_int_equal(message.header_count, 1);
    expect_text(&message.content, "hi");
    assert_int_equal(read_copy("\x01\x40\xc8", 3, &message, &fault, copy), CSN_OK);
    assert_int_equal(message.status, 200);
    for (uint32_t status = 0; status < 700; status++) {
        const uint8_t three[3] = {1, (uint8_t)(0x40 | status >> 8), (uint8_t)status};
        bool legal = status >= 200 && status <= 599; /* an informational one alone is none */
        assert_int_equal(read_copy(three, 3, &message, &fault, copy),
                         legal ? CSN_OK : CSN_ERR_FORMAT);
        assert_int_equal(fault, legal ? 3 : 1);
    }
}

/* Cut anywhere: a message where only empty parts are missing, else refused with the place. */
static void test_truncation(void **state)
{
    (void)state;
    struct csn_bhttp_message message;
    uint8_t copy[200];
    uint32_t fault;
    int legal = 0;
    const uint32_t control = 25, headers = 57;
    for (uint32_t size = 0; size < sizeof known_request - 1; size++) {
        csn_err result = read_copy(known_request, size, &message, &fault, copy);
        bool expected = size == control || size >= headers;
        assert_int_equal(result, expected ? CSN_OK : CSN_ERR_FORMAT);
        assert_true(fault <= size);
        if (!expected) {
            static const struct csn_bhttp_message none;
            assert_memory_equal(&message, &none, sizeof none);
        }
        legal += expected;
    }
    assert_int_equal(legal, 3);
}

struct refusal {
    const char *bytes;
    uint32_t size, fault;
    const char *what;
};

#define REFUSED(literal, fault, what)                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1, fault, what                                                  \
    }

static void test_refusals(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        REFUSED("\x04", 0, "framing"),
        REFUSED("\x40\x04\x00", 0, "framing in two bytes"),
        REFUSED("\x00\x00\x05https\x01h\x01/", 12, "no method"),
        REFUSED("\x00\x04G ET\x05https\x01h\x01/", 16, "blank in the method"),
        REFUSED("\x00\x03GET\x00\x01h\x01/", 10, "no scheme"),
        REFUSED("\x00\x03GET\x01"
                "1\x01h\x01/",
                11, "scheme begins with a digit"),
        REFUSED("\x00\x03GET\x05https\x01 \x01/", 15, "blank in the authority"),
        REFUSED("\x00\x03GET\x05https\x01h\x00", 14, "no path"),
        REFUSED("\x00\x03GET\x05https\x01h\x01x", 15, "path without a slash"),
        REFUSED("\x00\x03GET\x05https\x01h\x02/\n", 16, "line feed in the path"),
        REFUSED("\x01\x40\xc8\x02\x00\x00", 4, "empty name"),
        REFUSED("\x01\x40\xc8\x04\x02:a\x00", 4, "pseudo-field"),
        REFUSED("\x01\x40\xc8\x04\x01"
                "a\x01\r",
                4, "carriage return in a value"),
        REFUSED("\x01\x40\xc8\x04\x01"
                "a\x01 ",
                4, "blank at the end of a value"),
        REFUSED("\x01\x40\xc8\x03\x01"
                "a\x01v",
                7, "value beyond its section"),
        REFUSED("\x01\x40\xc8\x09\x01"
                "a\x01v",
                4, "section beyond the message"),
        REFUSED("\x01\x40\xc8\x00\x05"
                "abcd",
                5, "content beyond the message"),
        REFUSED("\x01\x40\xc8\x00\x00\x00\x00\x01", 7, "padding that is not zero"),
        REFUSED("\x03\x40\xc8\x00\x05"
                "abcd",
                5, "piece beyond the message"),
        REFUSED("\x03\x40\xc8\x00\xc0\x00", 4, "length that ends"),
        REFUSED("\x03\x40\xc8\x00\xff\xff\xff\xff\xff\xff\xff\xff"
                "abc",
                12, "length of 2^62"),
        REFUSED("\x01\x40\x66\x02\x00\x00\x40\xc8", 4, "empty name in an informational one"),
        REFUSED("\x01\x40\x63\x00\x40\xc8", 1, "status 99 before the final one"),
        REFUSED("\x01\x42\x58\x00\x40\xc8", 1, "status 600 before the final one"),
        REFUSED("\x01\x40\x65\x00", 4, "informational and then nothing"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csn_bhttp_message message;
        uint8_t copy[100];
        uint32_t fault = 99;
        csn_err result = read_copy(cases[i].bytes, cases[i].size, &message, &fault, copy);
        if (result != CSN_ERR_FORMAT || fault != cases[i].fault) {
            fail_msg("%s: %s at %u, not at %u", cases[i].what, csn_err_name(result), fault,
                     cases[i].fault);
        }
    }
}

static void test_too_many_fields(void **state)
{
    (void)state;
    uint8_t bytes[3 + 2 + 3 * (CSN_BHTTP_FIELDS_MAX + 1)] = {1, 0x40, 0xc8};
    struct csn_bhttp_message message;
    uint32_t fault;
    for (uint32_t count = CSN_BHTTP_FIELDS_MAX; count <= CSN_BHTTP_FIELDS_MAX + 1; count++) {
        bytes[3] = (uint8_t)(0x40 | 3 * count >> 8);
        bytes[4] = (uint8_t)(3 * count);
        for (uint32_t i = 0; i < count; i++) {
            memcpy(bytes + 5 + 3 * i, "\x01x\x00", 3);
        }
        assert_int_equal(csn_bhttp_read(bytes, 5 + 3 * count, &message, &fault),
                         count == CSN_BHTTP_FIELDS_MAX ? CSN_OK : CSN_ERR_LIMIT);
    }
    assert_int_equal(fault, 5 + 3 * CSN_BHTTP_FIELDS_MAX);
}

static struct csn_bhttp_message sample(bool is_response)
{
    struct csn_bhttp_message message = {.is_response = is_response,
                                        .method = TEXT("POST"),
                                        .scheme = TEXT("https"),
                                        .authority = TEXT(""),
                                        .path = TEXT("/v1/x?y=1"),
                                        .status = 404,
                                        .header_count = 2,
                                        .trailer_count = 1,
                                        .content = TEXT("hello")};
    message.fields[0] = (struct csn_bhttp_field){TEXT("content-type"), TEXT("text/plain")};
    message.fields[1] = (struct csn_bhttp_field){TEXT("x-empty"), TEXT("")};
    message.fields[2] = (struct csn_bhttp_field){TEXT("digest"), TEXT("a\tb")};
    return message;
}

static void test_writing(void **state)
{
    (void)state;
    for (int is_response = 0; is_response < 2; is_response++) {
        struct csn_bhttp_message message = sample(is_response != 0), again;
        uint8_t bytes[300];
        uint32_t size = 0, needed = 0, fault;
        assert_int_equal(csn_bhttp_write(&message, bytes, sizeof bytes, &size), CSN_OK);
        memset(bytes, 0xee, sizeof bytes);
        assert_int_equal(csn_bhttp_write(&message, bytes, size - 1, &needed), CSN_ERR_SPACE);
        assert_int_equal(needed, size);
        assert_int_equal(bytes[0], 0xee);
        assert_int_equal(csn_bhttp_write(&message, bytes, size, &size), CSN_OK);
        assert_int_equal(bytes[size], 0xee);
        assert_int_equal(csn_bhttp_read(bytes, size, &again, &fault), CSN_OK);
        assert_int_equal(again.header_count, 2);
        assert_int_equal(again.trailer_count, 1);
        expect_text(&again.fields[2].value, "a\tb");
        expect_text(&again.content, "hello");
        assert_int_equal(again.status, is_response ? 404 : 0);
    }
    struct csn_bhttp_message bad = sample(true);
    uint8_t bytes[300];
    uint32_t size;
    bad.status = 199;
    assert_int_equal(csn_bhttp_write(&bad, bytes, sizeof bytes, &size), CSN_ERR_ARGUMENT);
    bad = sample(true);
    bad.fields[2].value = TEXT("a\r\nb");
    assert_int_equal(csn_bhttp_write(&bad, bytes, sizeof bytes, &size), CSN_ERR_ARGUMENT);
    bad = sample(false);
    bad.path = TEXT("x");
    assert_int_equal(csn_bhttp_write(&bad, bytes, sizeof bytes, &size), CSN_ERR_ARGUMENT);
    bad = sample(true);
    bad.header_count = CSN_BHTTP_FIELDS_MAX;
    assert_int_equal(csn_bhttp_write(&bad, bytes, sizeof bytes, &size), CSN_ERR_ARGUMENT);
}

/* A head, pieces and an end are one message. */
static void test_pieces(void **state)
{
    (void)state;
    static const uint8_t head[] = {3, 0x41, 0x94, 1, 'a', 1, 'b', 1, 'c', 0, 0}; /* 404, a: b, c: */
    struct csn_bhttp_message again;
    uint8_t bytes[1000];
    uint32_t size = sizeof head, fault;
    memcpy(bytes, head, sizeof head);
    for (uint32_t i = 1; i <= 3; i++) {
        uint32_t piece = i * 60;
        size += csn_varint_write(bytes + size, piece);
        memset(bytes + size, (int)('a' + i), piece);
        size += piece;
    }
    bytes[size++] = 0; /* no more content, and no trailers */
    bytes[size++] = 0;
    assert_int_equal(csn_bhttp_read(bytes, size, &again, &fault), CSN_OK);
    assert_int_equal(again.content.size, 360);
    assert_int_equal(again.content.bytes[59], 'b');
    assert_int_equal(again.content.bytes[60], 'c');
    assert_int_equal(again.content.bytes[359], 'd');
    assert_int_equal(again.header_count, 2);
}

static void test_varints(void **state)
{
    (void)state;
    /* RFC 9000 appendix A.1, and the shortest forms at each border. */
    static const uint64_t values[] = {0,
                                      37,
                                      63,
                                      64,
                                      15293,
                                      16383,
                                      16384,
                                      494878333,
                                      (1u << 30) - 1,
                                      1u << 30,
                                      151288809941952652u,
                                      (UINT64_C(1) << 62) - 1};
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint32_t offset = 0, size = csn_varint_write(bytes, values[i]);
        uint64_t value = 1;
        assert_int_equal(size, csn_varint_size(values[i]));
        assert_false(csn_varint_read(bytes, size - 1, &offset, &value));
        assert_int_equal(offset, 0);
        assert_true(csn_varint_read(bytes, size, &offset, &value));
        assert_int_equal(value, values[i]);
        assert_int_equal(offset, size);
    }
    uint64_t value;
    uint32_t offset = 0;
    assert_true(csn_varint_read((const uint8_t *)"\x40\x25", 2, &offset, &value));
    assert_int_equal(value, 37); /* longer than necessary, and legal */
    assert_int_equal(csn_varint_write(bytes, 494878333), 4);
    assert_memory_equal(bytes, "\x9d\x7f\x3e\x7d", 4);
}

/* ---- as it comes ---- */

/* Two pieces, cut at `cut`, and the whole of it: head and content are what a reader of all finds.
 */
static void flow_in_two(const void *bytes, uint32_t size, uint32_t cut)
{
    struct csn_bhttp_message whole;
    struct csn_bhttp_message head;
    struct csn_bhttp_flow flow;
    uint8_t copy[300];
    uint8_t taken[300];
    uint8_t content[300];
    uint32_t fault;
    uint32_t used = 0;
    uint32_t content_size = 0;
    assert_int_equal(read_copy(bytes, size, &whole, &fault, copy), CSN_OK);
    memcpy(taken, bytes, size);
    uint32_t there = cut;
    csn_err err = csn_bhttp_flow_begin(&flow, taken, there, &head, &used);
    if (err == CSN_AGAIN) {
        there = size;
        err = csn_bhttp_flow_begin(&flow, taken, there, &head, &used);
    }
    assert_int_equal(err, CSN_OK);
    assert_int_equal(head.status, whole.status);
    assert_int_equal(head.header_count, whole.header_count);
    assert_int_equal(head.content.size, 0);
    for (uint32_t from = used, to = there; from < size; from = to, to = size) {
        uint32_t part;
        assert_int_equal(csn_bhttp_flow_take(&flow, taken + from, to - from, &part), CSN_OK);
        memcpy(content + content_size, taken + from, part);
        content_size += part;
    }
    assert_true(csn_bhttp_flow_is_whole(&flow));
    assert_int_equal(content_size, whole.content.size);
    assert_memory_equal(content, whole.content.bytes, content_size);
}

static const char known_response[] = "\x01\x40\x66\x05\x02xy\x01z\x40\xc8\x08\x03"
                                     "abc\x03"
                                     "def\x06"
                                     "123456\x05\x02tr\x01x\x00\x00";
static const char open_response[] = "\x03\x40\x66\x02xy\x01z\x00\x40\xc8\x03"
                                    "abc\x03"
                                    "def\x00"
                                    "\x40\x03"
                                    "123\x80\x00\x00\x02"
                                    "45\x01"
                                    "6\x00"
                                    "\x02tr\x01x\x01t\x00\x00\x00\x00";

static void test_flow(void **state)
{
    (void)state;
    for (uint32_t cut = 0; cut < sizeof known_response; cut++) {
        flow_in_two(known_response, sizeof known_response - 1, cut);
    }
    for (uint32_t cut = 0; cut < sizeof open_response; cut++) {
        flow_in_two(open_response, sizeof open_response - 1, cut);
    }
}

/* No head before all of it is there; no end within something; no padding but zeros. */
static void test_flow_ends(void **state)
{
    (void)state;
    struct csn_bhttp_message head;
    struct csn_bhttp_flow flow;
    uint8_t copy[300];
    uint32_t used;
    uint32_t part;
    for (uint32_t size = 0; size < 20; size++) { /* of the head */
        memcpy(copy, open_response, sizeof open_response);
        assert_int_equal(csn_bhttp_flow_begin(&flow, copy, size, &head, &used), CSN_AGAIN);
    }
    static const struct {
        uint32_t size;
        bool whole;
    } ends[] = {{20, true},  {21, false}, {22, false}, {24, false}, {25, true}, {26, false},
                {29, false}, {31, true},  {32, false}, {33, true},  {34, true}, {35, false},
                {37, false}, {38, false}, {39, true},  {41, false}, {42, true}, {43, true}};
    for (uint32_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        memcpy(copy, open_response, sizeof open_response);
        assert_int_equal(csn_bhttp_flow_begin(&flow, copy, 20, &head, &used), CSN_OK);
        assert_int_equal(used, 20);
        assert_int_equal(csn_bhttp_flow_take(&flow, copy + 20, ends[i].size - 20, &part), CSN_OK);
        assert_int_equal(csn_bhttp_flow_is_whole(&flow), ends[i].whole);
    }
    memcpy(copy, open_response, sizeof open_response);
    copy[sizeof open_response - 2] = 1;
    assert_int_equal(csn_bhttp_flow_begin(&flow, copy, 20, &head, &used), CSN_OK);
    assert_int_equal(csn_bhttp_flow_take(&flow, copy + 20, sizeof open_response - 21, &part),
                     CSN_ERR_FORMAT);
    memcpy(copy, "\x00\x03GET", 5); /* a request */
    assert_int_equal(csn_bhttp_flow_begin(&flow, copy, 5, &head, &used), CSN_ERR_FORMAT);
    memcpy(copy, "\x03\x40\xc8\x02X:\x01z\x00", 9); /* a name that is none */
    assert_int_equal(csn_bhttp_flow_begin(&flow, copy, 9, &head, &used), CSN_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_varints),
        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_flow_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
