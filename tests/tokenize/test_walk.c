/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_walk.c: which value is touched, what is dropped with it, and is everything else kept byte
 * for byte? (docs/TOKENIZE.md section 2)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t output[FAKE_OUTPUT_MAX];

static struct cse_call *grant(const char *policy)
{
    struct csv_policy_error why = {0};
    struct cse_call *call = fake_new(1, 2);
    assert_non_null(call);
    csn_err err = fake_grant(call, policy, &why);
    if (err != CSN_OK) {
        fail_msg("%s: %u:%u %s", policy, why.line, why.column, why.text);
    }
    return call;
}

static void expect(struct cse_call *call, const char *input, const char *wanted)
{
    uint32_t size = 0;
    cse_status status =
        fake_run(call, 1, input, (uint32_t)strlen(input), output, sizeof output, &size);
    if (status != CSN_WIRE_STATUS_OK || size != strlen(wanted) ||
        memcmp(output, wanted, size) != 0) {
        fail_msg("%s\nstatus %d: %.*s\nwanted:   %s", input, (int)status, (int)size, output,
                 wanted);
    }
}

static void expect_status(struct cse_call *call, const char *input, cse_status wanted,
                          uint32_t offset)
{
    uint32_t size = 0;
    cse_status status =
        fake_run(call, 1, input, (uint32_t)strlen(input), output, sizeof output, &size);
    if (status != wanted || call->fail_at != offset) {
        fail_msg("%s: status %d at %u", input, (int)status, call->fail_at);
    }
    assert_int_equal(size, 0);
}

struct row {
    const char *input;
    const char *wanted;
};

static void expect_rows(const char *policy, const struct row *rows, size_t count)
{
    struct cse_call *call = grant(policy);
    for (size_t i = 0; i < count; i++) {
        expect(call, rows[i].input, rows[i].wanted);
    }
    fake_free(call);
}
#define EXPECT_ROWS(policy, rows) expect_rows(policy, rows, sizeof rows / sizeof rows[0])

static void test_drop(void **state)
{
    static const char policy[] =
        "{\"version\":1,\"fields\":[{\"path\":\"k\",\"action\":\"keep\"},"
        "{\"path\":\"l\",\"action\":\"keep\"},{\"path\":\"o.k\",\"action\":\"keep\"},"
        "{\"path\":\"a[*].k\",\"action\":\"keep\"},{\"path\":\"d\",\"action\":\"drop\"}]}";
    static const struct row rows[] = {
        {"{}", "{}"},
        {"{ }", "{ }"},
        {"{\"x\":1}", "{}"},
        {"{ \"x\" : 1 }", "{ }"},
        {"{\"k\":1}", "{\"k\":1}"},
        {"{\"k\":1,\"x\":2}", "{\"k\":1}"},
        {"{\"x\":2,\"k\":1}", "{\"k\":1}"},
        {"{\"x\":2,\"k\":1,\"y\":3,\"l\":4,\"z\":5}", "{\"k\":1,\"l\":4}"},
        {"{ \"k\" : 1 , \"x\" : 2 , \"l\" : 3 }", "{ \"k\" : 1, \"l\" : 3 }"},
        {"{ \"k\" : 1 , \"x\" : 2 }", "{ \"k\" : 1 }"},
        {"{\n  \"x\": 1,\n  \"k\": 2,\n  \"y\": 3\n}", "{\n  \"k\": 2\n}"},
        {"{\n  \"k\": 1\n  ,\n  \"l\": 2\n}", "{\n  \"k\": 1,\n  \"l\": 2\n}"},
        {"{\"d\":1,\"k\":2}", "{\"k\":2}"},
        {"{\"k\":[ 1 , {\"x\" : 2} ],\"x\":{\"k\":1}}", "{\"k\":[ 1 , {\"x\" : 2} ]}"},
        {"{\"o\":{\"k\":1,\"x\":2}}", "{\"o\":{\"k\":1}}"},
        {"{\"o\":{\"x\":2}}", "{\"o\":{}}"},
        {"{\"o\": { \"x\" : 2 } }", "{\"o\": { } }"},
        {"{\"o\":[{\"k\":1}]}", "{}"}, /* an array where the path has no [*] */
        {"{\"o\":5,\"k\":1}", "{\"k\":1}"},
        {"{\"a\":[]}", "{\"a\":[]}"},
        {"{\"a\":[ ]}", "{\"a\":[ ]}"},
        {"{\"a\":[1,{\"k\":1},2]}", "{\"a\":[{\"k\":1}]}"},
        {"{\"a\":[ 1 , {\"k\":1} , {\"x\":1} , 2 ]}", "{\"a\":[ {\"k\":1}, {} ]}"},
        {"{\"a\":{\"k\":1}}", "{\"a\":{}}"}, /* an object where the path has [*] */
        {"{\"k\":\"\\u00e9\\/\xc3\xa9\",\"x\":1}", "{\"k\":\"\\u00e9\\/\xc3\xa9\"}"},
        {"{\"\\u006b\":1}", "{\"\\u006b\":1}"}, /* names are compared decoded */
        {"{\"K\":1,\"kk\":1,\"\":1,\"k \":1}", "{}"},
        {"null", "null"},
        {"\"secret\"", "null"},
        {"[{\"k\":1}]", "null"},
        {"  17 ", "  null "},
    };
    (void)state;
    EXPECT_ROWS(policy, rows);
}

static void test_defaults(void **state)
{
    static const struct row redact[] = {
        {"{\"k\":1,\"x\":[1,2]}", "{\"k\":1,\"x\":\"[redacted]\"}"},
        {"{\"x\":null}", "{\"x\":\"[redacted]\"}"},
        {"[1]", "\"[redacted]\""},
        {"5", "\"[redacted]\""},
    };
    static const struct row keep[] = {
        {"{\"k\":1 , \"x\":[1,2]}", "{ \"x\":[1,2]}"},
        {" [ 1 ] ", " [ 1 ] "},
        {"\"a\\u0000\"", "\"a\\u0000\""},
        {"{\"a\" : 1 , \"b\" :2}", "{\"a\" : 1, \"b\" :2}"},
        {"{\"x\":1,\"k\":1}", "{\"x\":1}"},
    };
    static const struct row array[] = {
        {"[{\"s\":\"x\",\"t\":1}, 5 ,{\"t\":1}]", "[{\"s\":\"[redacted]\"},{}]"},
        {"[]", "[]"},
        {"{}", "{}"},
    };
    (void)state;
    EXPECT_ROWS("{\"version\":1,\"default\":\"redact\",\"fields\":[{\"path\":\"k\",\"action\":"
                "\"keep\"}]}",
                redact);
    EXPECT_ROWS("{\"version\":1,\"default\":\"keep\",\"fields\":[{\"path\":\"k\",\"action\":"
                "\"drop\"}]}",
                keep);
    EXPECT_ROWS("{\"version\":1,\"fields\":[{\"path\":\"[*].s\",\"action\":\"redact\"}]}", array);
}

static void test_nested_arrays(void **state)
{
    static const struct row rows[] = {
        {"{\"m\":[[1,{\"a.b\":2,\"c\":3}],[],4,[[5]]]}", "{\"m\":[[{\"a.b\":2}],[],[]]}"},
        {"{\"m\":[{\"a.b\":1}]}", "{\"m\":[{}]}"},
    };
    (void)state;
    EXPECT_ROWS("{\"version\":1,\"fields\":[{\"path\":\"m[*][*][\\\"a.b\\\"]\",\"action\":"
                "\"keep\"}]}",
                rows);
}

static void test_lines(void **state)
{
    static const char policy[] =
        "{\"version\":1,\"fields\":[{\"path\":\"k\",\"action\":\"keep\"}]}";
    static const struct row rows[] = {
        {"{\"k\":1,\"x\":1}\n{\"x\":1,\"k\":2}\n", "{\"k\":1}\n{\"k\":2}\n"},
        {"\r\n {\"x\":1} \r\n\n7\n", "\r\n {} \r\n\nnull\n"},
        {"{\"k\":1}\n{\"k\":1}", "{\"k\":1}\n{\"k\":1}"},
    };
    (void)state;
    EXPECT_ROWS(policy, rows);
    struct cse_call *call = grant(policy);
    expect_status(call, "{\"k\":1}\n{\"k\":}\n{}", CSN_WIRE_STATUS_MALFORMED, 13);
    expect_status(call, "{\"k\":1} {}", CSN_WIRE_STATUS_MALFORMED, 8);
    expect_status(call, "", CSN_WIRE_STATUS_MALFORMED, 0);
    expect_status(call, " \n", CSN_WIRE_STATUS_MALFORMED, 2);
    expect_status(call, "{\"k\":1,\"k\":2}", CSN_WIRE_STATUS_MALFORMED, 7);
    fake_free(call);
}

static void test_depth(void **state)
{
    static const char path[] = "{\"version\":1,\"fields\":[{\"path\":\"a.a.a.a.a.a.a.a.a.a.a.a.a"
                               ".a.a.a\",\"action\":\"redact\"}]}";
    struct cse_call *call = grant(path);
    char deep[1024] = "";
    char wanted[1024] = "";
    (void)state;
    for (int i = 0; i < 16; i++) {
        strcat(deep, "{\"a\":");
        strcat(wanted, "{\"a\":");
    }
    strcat(deep, "{\"a\":1}}}}}}}}}}}}}}}}}");
    strcat(wanted, "\"[redacted]\"}}}}}}}}}}}}}}}}");
    expect(call, deep, wanted);
    memset(deep, '[', 65);
    deep[65] = 0;
    expect_status(call, deep, CSN_WIRE_STATUS_LIMIT, 64);
    fake_free(call);
}

/* 64 containers open at once on a path that descends all the way. */
static void test_descends_to_the_last(void **state)
{
    struct cse_call *call =
        grant("{\"version\":1,\"default\":\"keep\",\"fields\":[{\"path\":\"[*][*][*][*][*][*][*]"
              "[*][*][*][*][*][*][*][*][*]\",\"action\":\"drop\"}]}");
    char text[200];
    (void)state;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = 0;
    char wanted[64];
    memset(wanted, '[', 16);
    memset(wanted + 16, ']', 16);
    wanted[32] = 0;
    expect(call, text, wanted);
    fake_free(call);
}

/* A policy that touches nothing gives every text back as it came, unless white space before a
 * comma was in it. */
static void test_keep_is_identity(void **state)
{
    struct cse_call *call = grant("{\"version\":1,\"default\":\"keep\",\"fields\":[{\"path\":"
                                  "\"never.seen\",\"action\":\"drop\"}]}");
    static const char *const texts[] = {
        "{\"a\":[1,2,{\"b\":null}],\n\t\"c\" : \"\\ud83d\\ude00\" }",
        "{\"never\":{\"a\":1, \"b\" : 2 }}",
        "[1,2 , 3]",
        "-0.0e-1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect(call, texts[i], texts[i]);
    }
    fake_free(call);
}

static void test_output_limit(void **state)
{
    struct cse_call *call = grant("{\"version\":1,\"default\":\"keep\",\"fields\":[{\"path\":"
                                  "\"x\",\"action\":\"redact\"}]}");
    static const char input[] = "{\"x\":1,\"y\":22}";
    static const char wanted[] = "{\"x\":\"[redacted]\",\"y\":22}";
    uint32_t size = 0;
    (void)state;
    for (uint32_t room = 0; room < sizeof wanted - 1; room++) {
        memset(output, 0x77, sizeof output);
        assert_int_equal(fake_run(call, 1, input, sizeof input - 1, output, room, &size),
                         CSN_WIRE_STATUS_TOO_LARGE);
        assert_int_equal(size, 0);
        for (uint32_t i = 0; i < room; i++) { /* nothing of it is left behind */
            assert_true(output[i] == 0 || output[i] == 0x77);
        }
        assert_int_equal(output[room], 0x77);
    }
    assert_int_equal(fake_run(call, 1, input, sizeof input - 1, output, sizeof wanted - 1, &size),
                     CSN_WIRE_STATUS_OK);
    assert_int_equal(size, sizeof wanted - 1);
    /* A fault of the text goes before a lack of room. */
    assert_int_equal(fake_run(call, 1, "{\"y\":1}\n{", 9, output, 1, &size),
                     CSN_WIRE_STATUS_MALFORMED);
    fake_free(call);
}

static void test_scratch_limit(void **state)
{
    struct cse_call *call = grant("{\"version\":1,\"default\":\"keep\",\"fields\":[{\"path\":"
                                  "\"x\",\"action\":\"mask\"}]}");
    static const char input[] = "{\"x\":\"\\n\"}";
    uint32_t size = 0;
    (void)state;
    uint32_t needed = 0;
    assert_int_equal(fake_run(call, 1, input, sizeof input - 1, output, sizeof output, &size),
                     CSN_WIRE_STATUS_OK);
    needed = call->scratch_high;
    for (uint32_t room = 0; room < needed; room += 8) {
        call->scratch_max = room;
        assert_int_equal(fake_run(call, 1, input, sizeof input - 1, output, sizeof output, &size),
                         CSN_WIRE_STATUS_LIMIT);
    }
    fake_free(call);
}

/* The largest payload, as full of values as it can be, within the scratch that the manifest has. */
static void test_largest(void **state)
{
    struct cse_call *call = grant("{\"version\":1,\"default\":\"keep\",\"fields\":[{\"path\":"
                                  "\"[*]\",\"action\":\"keep\"}]}");
    char *text = malloc(FAKE_INPUT_MAX);
    uint32_t size = 0;
    (void)state;
    assert_non_null(text);
    for (uint32_t i = 0; i < FAKE_INPUT_MAX; i += 2) {
        text[i] = i == 0 ? '[' : ',';
        text[i + 1] = '1';
    }
    text[FAKE_INPUT_MAX - 1] = ']';
    text[FAKE_INPUT_MAX - 2] = '1';
    assert_int_equal(fake_run(call, 1, text, FAKE_INPUT_MAX, output, sizeof output, &size),
                     CSN_WIRE_STATUS_OK);
    assert_int_equal(size, FAKE_INPUT_MAX);
    assert_memory_equal(output, text, size);
    memset(text, ',', FAKE_INPUT_MAX); /* bounds count commas in strings too */
    text[0] = text[FAKE_INPUT_MAX - 1] = '"';
    assert_int_equal(fake_run(call, 1, text, FAKE_INPUT_MAX, output, sizeof output, &size),
                     CSN_WIRE_STATUS_OK);
    assert_true(call->scratch_high < CSN_WIRE_PAYLOAD_MAX * 40 + 0x1000);
    free(text);
    fake_free(call);
}

static void test_no_policy(void **state)
{
    struct cse_call *call = fake_new(1, 2);
    uint32_t size = 0;
    (void)state;
    memset(call->state, 0, 8);
    assert_int_equal(fake_run(call, 1, "{}", 2, output, sizeof output, &size),
                     CSN_WIRE_STATUS_POLICY);
    assert_int_equal(fake_run(call, 2, "{}", 2, output, sizeof output, &size),
                     CSN_WIRE_STATUS_POLICY);
    fake_free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_nested_arrays),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_descends_to_the_last),
        cmocka_unit_test(test_keep_is_identity),
        cmocka_unit_test(test_output_limit),
        cmocka_unit_test(test_scratch_limit),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_no_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
