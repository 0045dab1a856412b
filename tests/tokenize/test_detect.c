/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_detect.c: what is found in free text, and what is nearly it and is not (docs/TOKENIZE.md
 * section 4). Every row is written out by hand.
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

struct row {
    const char *text; /* inside of the JSON string */
    const char *wanted;
};

static struct cse_call *grant(const char *kinds, const char *then)
{
    char policy[512];
    struct csv_policy_error why = {0};
    struct cse_call *call = fake_new(1, 2);
    assert_non_null(call);
    snprintf(policy, sizeof policy,
             "{\"version\":1,\"domains\":{\"d\":{\"version\":1}},\"fields\":[{\"path\":\"t\","
             "\"action\":\"detect\",\"kinds\":[%s],\"then\":\"%s\"%s}]}",
             kinds, then, strcmp(then, "token") == 0 ? ",\"domain\":\"d\"" : "");
    if (fake_grant(call, policy, &why) != CSN_OK) {
        fail_msg("%s: %s", policy, why.text);
    }
    return call;
}

/* `text` with as many marks on both sides, which belong to nothing. */
static void expect_row(struct cse_call *call, const char *text, const char *result, int marks)
{
    static const char mark[] = "########################################";
    char input[1200];
    char wanted[1200];
    uint32_t size = 0;
    int input_size =
        snprintf(input, sizeof input, "{\"t\":\"%.*s%s%.*s\"}", marks, mark, text, marks, mark);
    int wanted_size =
        snprintf(wanted, sizeof wanted, "{\"t\":\"%.*s%s%.*s\"}", marks, mark, result, marks, mark);
    assert_int_equal(fake_run(call, 1, input, (uint32_t)input_size, output, sizeof output, &size),
                     CSN_WIRE_STATUS_OK);
    if (size != (uint32_t)wanted_size || memcmp(output, wanted, size) != 0) {
        fail_msg("%s: %.*s, wanted %s", input, (int)size, output, wanted);
    }
}

/* At the ends of a text, and with enough around it to be looked at in pieces. */
static void expect_rows(const char *kinds, const struct row *rows, size_t count)
{
    struct cse_call *call = grant(kinds, "redact");
    for (size_t i = 0; i < count; i++) {
        const char *result = rows[i].wanted == NULL ? rows[i].text : rows[i].wanted;
        expect_row(call, rows[i].text, result, 0);
        expect_row(call, rows[i].text, result, 40);
    }
    fake_free(call);
}
#define EXPECT_ROWS(kinds, rows) expect_rows(kinds, rows, sizeof rows / sizeof rows[0])

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_email(void **state)
{
    static const struct row rows[] = {
        {"a@b.cc", "[email]"},
        {"write to Jane.Doe+x@Mail.Example.org, please", "write to [email], please"},
        {"(a_b%c@x-y.co)", "([email])"},
        {"a@b.cc.", "[email]."},
        {"a@b.cc-", "[email]-"},
        {"a@b.cc..--", "[email]..--"},
        {"a@b.cc a@b.dd", "[email] [email]"},
        {"\xc3\xa9"
         "a@b.cc",
         "\xc3\xa9[email]"}, /* the byte before is not in the local set */
        {X64 "@b.cc", "[email]"},
        {"x" X64 "@b.cc", NULL},
        {"a@b", NULL},
        {"a@b.c", NULL},
        {"a@b.c1", NULL},
        {"a@.cc", NULL},
        {"a@b..cc", NULL},
        {"a@-b.cc", NULL},
        {"a@b-.cc", NULL},
        {"a@b.-cc", NULL},
        {"@b.cc", NULL},
        {"a@@b.cc", NULL},
        {"a@b.cc\xc3\xa9", NULL},
        {"a@b.cc_", "[email]_"},
        {"a@b@c.dd", NULL}, /* b follows an @ */
        {"a@b.cc@d.ee", "[email]@d.ee"},
        {"a b@", NULL},
        {"", NULL},
    };
    (void)state;
    EXPECT_ROWS("\"email\"", rows);
}

static void test_iban(void **state)
{
    static const struct row rows[] = {
        {"DE89370400440532013000", "[iban]"},
        {"de89370400440532013000", "[iban]"},
        {"pay to DE89 3704 0044 0532 0130 00 now", "pay to [iban] now"},
        {"GB82WEST12345698765432.", "[iban]."},
        {"GB82 WEST 1234 5698 7654 32", "[iban]"},
        {"NO9386011117947", "[iban]"},
        {"D E 8 9370400440532013000", "[iban]"},
        {"DE89  3704 0044 0532 0130 00", NULL},
        {"DE88370400440532013000", NULL},
        {"DE8937040044053201300", NULL},
        {"DE893704004405320130001", NULL},
        {"DE89370400440532013000x", NULL},
        {"xDE89370400440532013000", NULL},
        {"ZZ89370400440532013000", NULL},
        {"DEX9370400440532013000", NULL},
        {"DE89-3704-0044-0532-0130-00", NULL},
        {"\xc3\xa9"
         "DE89370400440532013000",
         NULL},
    };
    (void)state;
    EXPECT_ROWS("\"iban\"", rows);
}

static void test_card(void **state)
{
    static const struct row rows[] = {
        {"4111111111111111", "[card]"},
        {"4111 1111 1111 1111", "[card]"},
        {"4111-1111-1111-1111", "[card]"},
        {"card:4111 1111-1111 1111,", "card:[card],"},
        {"378282246310005", "[card]"},
        {"4222222222222", "[card]"},
        {"4111111111111111 12/27", "[card] 12/27"},
        {"4111 1111 1111 1111 99", "[card] 99"}, /* the longer prefixes fail the check */
        {"4111111111111111 003", "[card]"},      /* the longest that passes */
        {"4111111111111112", NULL},
        {"4111  1111 1111 1111", NULL},
        {"4111.1111.1111.1111", NULL},
        {"0000000000000000", NULL},
        {"411111111111", NULL},
        {"x4111111111111111", NULL},
        {"4111111111111111x", NULL},
        {"411111111111111100000", NULL}, /* followed by a digit */
        {"4111111111111111\xc3\xa9", NULL},
        {"+4111111111111111", "+[card]"},
    };
    (void)state;
    EXPECT_ROWS("\"card\"", rows);
}

static void test_id(void **state)
{
    static const struct row rows[] = {
        {"078-05-1120", "[id]"},  {"078 05 1120", "[id]"},   {"SSN 899-99-9999.", "SSN [id]."},
        {"000-12-3456", NULL},    {"666-12-3456", NULL},     {"900-12-3456", NULL},
        {"078-00-1120", NULL},    {"078-05-0000", NULL},     {"078-05 1120", NULL},
        {"078-05-11201", NULL},   {"1078-05-1120", NULL},    {"078051120", NULL},
        {"AB123456C", "[id]"},    {"AB 12 34 56 C", "[id]"}, {"AB12 3456C", "[id]"},
        {"AB123456E", NULL},      {"ab123456C", NULL},       {"AB123456c", NULL},
        {"AB  123456C", NULL},    {"AB123456CD", NULL},      {"12345678Z", "[id]"},
        {"12345678-z", "[id]"},   {"12345678A", NULL},       {"X1234567L", "[id]"},
        {"Y1234567X", "[id]"},    {"x1234567L", NULL},       {"X1234567-L", "[id]"},
        {"X1234567--L", NULL},    {"12345678", NULL},        {"529.982.247-25", "[id]"},
        {"529.982.247-26", NULL}, {"529.982.247-15", NULL},  {"111.111.111-11", NULL},
        {"52998224725", NULL},    {"529.982.247-250", NULL},
    };
    (void)state;
    EXPECT_ROWS("\"id\"", rows);
}

static void test_phone(void **state)
{
    static const struct row rows[] = {
        {"+491701234567", "[phone]"},
        {"+49 170 1234567", "[phone]"},
        {"+49 (170) 123-45/67", "[phone]"},
        {"+12345678", "[phone]"},
        {"+1234567", NULL},
        {"+123456789012345", "[phone]"},
        {"+1234567890123456", NULL},
        {"call (555) 123-4567 now", "call [phone] now"},
        {"555-123-4567", "[phone]"},
        {"5551234567", "[phone]"},
        {"55512345678", NULL}, /* eleven digits without a separator */
        {"555 1234 5678", "[phone]"},
        {"555-1234", NULL},
        {"555---1234567", NULL}, /* a third separator in a row ends the run */
        {"555--123-4567", "[phone]"},
        {"2026-11-24 10:00", NULL},
        {"2026-11-2410", NULL},
        {"2026/11/24 10", "[phone]"},
        {"x5551234567", NULL},
        {"5551234567x", NULL},
        {"x+491701234567", NULL}, /* a word byte before the + */
        {"++491701234567", "+[phone]"},
        {"555-123-4567-", "[phone]-"},
        {"1234567890 123456 7", "[phone] 123456 7"},
    };
    (void)state;
    EXPECT_ROWS("\"phone\"", rows);
}

/* All kinds at once: the order email, iban, card, id, phone; the first that matches consumes. */
static void test_all(void **state)
{
    static const struct row rows[] = {
        {"4111111111111111 or +49 170 1234567 or a@b.cc", "[card] or [phone] or [email]"},
        {"078-05-1120", "[id]"},
        {"5551234567@example.org", "[email]"},
        {"tab\\t4111111111111111\\n\\u00e9 \\\"a@b.cc\\\"",
         "tab\\t[card]\\n\xc3\xa9 \\\"[email]\\\""},
        {"nothing here \\u0041", NULL},
        {"AB123456C/DE89370400440532013000", "[id]/[iban]"},
    };
    (void)state;
    EXPECT_ROWS("\"card\",\"iban\",\"email\",\"phone\",\"id\"", rows);
}

static void run(struct cse_call *call, const char *input, const char *wanted)
{
    uint32_t size = 0;
    assert_int_equal(
        fake_run(call, 1, input, (uint32_t)strlen(input), output, sizeof output, &size),
        CSN_WIRE_STATUS_OK);
    if (size != strlen(wanted) || memcmp(output, wanted, size) != 0) {
        fail_msg("%s: %.*s", input, (int)size, output);
    }
}

static void test_kinds_of_value(void **state)
{
    struct cse_call *call = grant("\"card\",\"email\"", "mask");
    (void)state;
    run(call, "{\"t\":\"Pay 4111-1111-1111-1111 J.d@b.cc\"}",
        "{\"t\":\"Pay ****-****-****-**** *.*@*.**\"}");
    run(call, "{\"t\":4111111111111111}", "{\"t\":\"****************\"}");
    run(call, "{\"t\":-17.5e3}", "{\"t\":-17.5e3}");
    run(call, "{\"t\":null}", "{\"t\":null}");
    run(call, "{\"t\":true}", "{\"t\":\"[redacted]\"}");
    run(call, "{\"t\":{\"a\":\"x\"}}", "{\"t\":\"[redacted]\"}");
    run(call, "{\"t\":[ \"a@b.cc\" , \"x\\u0041\",1 ,null, [\"a@b.cc\"],{} ]}",
        "{\"t\":[ \"*@*.**\", \"x\\u0041\",\"[redacted]\",\"[redacted]\", \"[redacted]\","
        "\"[redacted]\" ]}");
    run(call, "{\"t\":[]}", "{\"t\":[]}");
    run(call, "{\"t\":[ ]}", "{\"t\":[ ]}");
    fake_free(call);
}

/* Tokens are over the canonical form: the same number, written in two ways, is the same token. */
static void test_canonical(void **state)
{
    struct cse_call *call = grant("\"card\",\"email\",\"iban\"", "token");
    char first[200];
    uint32_t size = 0;
    static const char *const pairs[][2] = {
        {"{\"t\":\"4111 1111 1111 1111\"}", "{\"t\":\"4111-111111111111\"}"},
        {"{\"t\":\"Jane.Doe@Example.ORG\"}", "{\"t\":\"jane.doe@example.org\"}"},
        {"{\"t\":\"DE89 3704 0044 0532 0130 00\"}", "{\"t\":\"de89370400440532013000\"}"},
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fake_run(call, 1, pairs[i][0], (uint32_t)strlen(pairs[i][0]), output,
                                  sizeof output, &size),
                         CSN_WIRE_STATUS_OK);
        snprintf(first, sizeof first, "%.*s", (int)size, output);
        run(call, pairs[i][1], first);
        assert_memory_equal(first,
                            i == 0   ? "{\"t\":\"card_"
                            : i == 1 ? "{\"t\":\"email_"
                                     : "{\"t\":\"iban_",
                            11);
    }
    fake_free(call);
}

/* Every start is found wherever it lies in the bytes that are looked at together. */
static void test_positions(void **state)
{
    static const struct row matches[] = {
        {"4111111111111111", "[card]"},
        {"078-05-1120", "[id]"},
        {"12345678Z", "[id]"},
        {"X1234567L", "[id]"},
        {"AB123456C", "[id]"},
        {"AB 12 34 56 C", "[id]"},
        {"DE89370400440532013000", "[iban]"},
        {"DE 89 3704 0044 0532 0130 00", "[iban]"},
        {"d e 8 9370400440532013000", "[iban]"},
        {"+12345678", "[phone]"},
        {"(555) 123-4567", "[phone]"},
    };
    struct cse_call *call = grant("\"card\",\"iban\",\"email\",\"phone\",\"id\"", "redact");
    static const char filler[] =
        ";;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;";
    char input[400];
    char wanted[400];
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        for (int before = 0; before < 140; before++) {
            for (int behind = 0; behind < 66; behind += behind < 8 ? 1 : 29) {
                const int first = before < 66 ? before : 66;
                const int second = before - first < 66 ? before - first : 66;
                const int third = before - first - second;
                const char *const form = "{\"t\":\"%.*s%.*s%.*s%s%.*s\"}";
                snprintf(input, sizeof input, form, first, filler, second, filler, third, filler,
                         matches[i].text, behind, filler);
                snprintf(wanted, sizeof wanted, form, first, filler, second, filler, third, filler,
                         matches[i].wanted, behind, filler);
                run(call, input, wanted);
            }
        }
    }
    fake_free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_email),          cmocka_unit_test(test_iban),
        cmocka_unit_test(test_card),           cmocka_unit_test(test_id),
        cmocka_unit_test(test_phone),          cmocka_unit_test(test_all),
        cmocka_unit_test(test_kinds_of_value), cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
