/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_tables.c: does the reference do what docs/TOKENIZE.md says, action by action?
 *
 * The keyed values were computed by hand with a third program (Python's hmac and the openssl
 * command) for tenant id 00 01 … 1f and domain secret 64 65 … 83.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS "\"domains\":{\"cards\":{\"version\":1},\"people\":{\"version\":3}}"

static struct csr_policy *load(const char *otherwise, const char *fields)
{
    char text[4096];
    char error[CSR_ERROR_SIZE];
    uint8_t tenant[32];
    uint8_t secret[32];
    for (unsigned index = 0; index < 32; index++) {
        tenant[index] = (uint8_t)index;
        secret[index] = (uint8_t)(100 + index);
    }
    int size = snprintf(text, sizeof text,
                        "{\"version\":1,\"default\":\"%s\"," DOMAINS ",\"fields\":[%s]}", otherwise,
                        fields);
    struct csr_policy *policy = csr_policy_load(text, (size_t)size, tenant, secret, error);
    if (policy == NULL) {
        fail_msg("%s: %s", fields, error);
    }
    return policy;
}

struct row {
    const char *fields;
    const char *input;
    const char *expected; /* NULL: the status instead */
    enum csn_wire_status status;
};

static void run_rows(const char *otherwise, const struct row *rows, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        char output[4096];
        size_t size = 0;
        struct csr_policy *policy = load(otherwise, rows[index].fields);
        enum csn_wire_status status = csr_tokenize(
            policy, rows[index].input, strlen(rows[index].input), output, sizeof output - 1, &size);
        if (rows[index].expected == NULL) {
            if (status != rows[index].status) {
                fail_msg("%s: status %d", rows[index].input, (int)status);
            }
        } else {
            assert_int_equal(status, CSN_WIRE_STATUS_OK);
            output[size] = 0;
            assert_string_equal(output, rows[index].expected);
        }
        csr_policy_free(policy);
    }
}
#define RUN(otherwise, rows) run_rows(otherwise, rows, sizeof(rows) / sizeof *(rows))

#define KEEP(path) "{\"path\":\"" path "\",\"action\":\"keep\"}"

static void test_drop_and_keep(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {KEEP("b"), "{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":2}", 0},
        {KEEP("b"), "{ \"a\" : 1 , \"b\" : 2 , \"c\":3 }", "{ \"b\" : 2 }", 0},
        {KEEP("b"), " {\"a\":1}\r\n{\"b\":1.50}\n", " {}\r\n{\"b\":1.50}\n", 0},
        {KEEP("b"), "{ }", "{ }", 0},
        {KEEP("a.b"), "{\"a\":{\"c\":1,\n \"b\":[ 1 ,2 ]},\"a2\":0}", "{\"a\":{\n \"b\":[ 1 ,2 ]}}",
         0},
        {KEEP("a.b"), "{\"a\":5}", "{}", 0},
        {KEEP("a[*].b"), "{\"a\":[{\"b\":1,\"c\":2}, 7, {\"b\":3}]}",
         "{\"a\":[{\"b\":1}, {\"b\":3}]}", 0},
        {KEEP("a.b"), "{\"a\":[{\"b\":1}]}", "{}", 0},
        {KEEP("a[*]"), "{\"a\":{\"b\":1}}", "{\"a\":{}}", 0},
        {KEEP("[*].x"), "[{\"x\":1,\"y\":2},{}]", "[{\"x\":1},{}]", 0},
        {KEEP("a"), "[1]", "null", 0},
        {KEEP("a"), "5", "null", 0},
        {KEEP("[\\\"a.b\\\"].c"), "{\"a.b\":{\"c\":1},\"a\":{\"b\":1}}", "{\"a.b\":{\"c\":1}}", 0},
        {KEEP("\\u00e9"), "{\"\\u00e9\":1,\"e\":2}", "{\"\\u00e9\":1}", 0},
    };
    RUN("drop", rows);
    static const struct row redacted[] = {
        {KEEP("b"), "{\"a\":null,\"b\":2}", "{\"a\":\"[redacted]\",\"b\":2}", 0},
        {KEEP("b"), "[1]", "\"[redacted]\"", 0},
    };
    RUN("redact", redacted);
    static const struct row kept[] = {
        {"{\"path\":\"b\",\"action\":\"drop\"}", "{\"a\":1 ,\"b\":2 , \"c\":3}",
         "{\"a\":1, \"c\":3}", 0},
        {"{\"path\":\"a[*]\",\"action\":\"drop\"}", "{\"a\":[1, 2 ]}", "{\"a\":[ ]}", 0},
        {"{\"path\":\"b\",\"action\":\"redact\"}", "{\"a\":1,\"b\":null}",
         "{\"a\":1,\"b\":\"[redacted]\"}", 0},
    };
    RUN("keep", kept);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " \n",
                                      "{",
                                      "{}{}",
                                      "{} {}",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "01",
                                      "1.",
                                      "+1",
                                      "-",
                                      "1e",
                                      "tru",
                                      "\"\\x\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\x01\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"abc",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "{\"x\":[{\"\":1,\"\":2}]}",
                                      "{1:2}",
                                      "[1 2]",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\" 1}",
                                      "nul",
                                      "[}",
                                      "{]",
                                      "\"\\u12g4\"",
                                      "{}\n{",
                                      "1 2",
                                      "'a'",
                                      "NaN",
                                      "\"a\nb\""};
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        struct row row = {KEEP("a"), bad[index], NULL, CSN_WIRE_STATUS_MALFORMED};
        run_rows("keep", &row, 1);
    }
    char deep[160];
    for (unsigned depth = 64; depth <= 65; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        deep[2 * depth] = 0;
        struct row row = {KEEP("a"), deep, depth == 64 ? deep : NULL, CSN_WIRE_STATUS_LIMIT};
        run_rows("keep", &row, 1);
    }
    static const struct row good[] = {
        {KEEP("a"), "{\"a\":\"\\ud83d\\ude00 \\u0000\"}", "{\"a\":\"\\ud83d\\ude00 \\u0000\"}", 0},
        {KEEP("a"), "\n\n1\n\n2\r\n", "\n\n1\n\n2\r\n", 0},
        {KEEP("a"), "[-0.5E+3,0,1e9]", "[-0.5E+3,0,1e9]", 0},
    };
    RUN("keep", good);
}

static void test_keyed(void **state)
{
    (void)state;
#define PEOPLE "\"domain\":\"people\"}"
#define CARDS  "\"domain\":\"cards\"}"
    static const struct row rows[] = {
        {"{\"path\":\"n\",\"action\":\"token\",\"prefix\":\"nam\"," PEOPLE, "{\"n\":\"\\u0041da\"}",
         "{\"n\":\"nam_sglnnpmqjvvcllubuqzq\"}", 0},
        {"{\"path\":\"n\",\"action\":\"token\",\"prefix\":\"nam\"," PEOPLE, "{\"n\":12.5e3}",
         "{\"n\":\"nam_lqmvrosnz2cr2hacr7bq\"}", 0},
        {"{\"path\":\"n\",\"action\":\"token\",\"keep_first\":6,\"keep_last\":4," CARDS,
         "{\"n\":\"4111 1111 1111 1111\"}", "{\"n\":\"tok_411111_hysf6v3rrzyetesfughq_1111\"}", 0},
        {"{\"path\":\"n\",\"action\":\"token\",\"keep_first\":8,\"keep_last\":5," CARDS,
         "{\"n\":\"4111 1111 1111 1111\"}", "{\"n\":\"tok_hysf6v3rrzyetesfughq\"}", 0},
        {"{\"path\":\"n\",\"action\":\"hash\"," PEOPLE, "{\"n\":\"Ada\"}",
         "{\"n\":\"bc8ff950573411657c246830c520ae525a25ac500396ca857086f1e179264888\"}", 0},
        {"{\"path\":\"n\",\"action\":\"hash\"," PEOPLE, "{\"n\":null}", "{\"n\":null}", 0},
        {"{\"path\":\"n\",\"action\":\"hash\"," PEOPLE, "{\"n\":[]}", "{\"n\":\"[redacted]\"}", 0},
        {"{\"path\":\"n\",\"action\":\"detect\",\"kinds\":[\"email\",\"card\"],\"then\":"
         "\"token\"," PEOPLE,
         "{\"n\":\"Ada@Example.COM, 4111-1111-1111-1111!\"}",
         "{\"n\":\"email_p7qigdqef4tfkd5jb6xa, card_uafbpxmib6mov2ug45za!\"}", 0},
        {"{\"path\":\"pan\",\"action\":\"fpe\",\"luhn\":true," CARDS,
         "{\"pan\":\"4111-1111 11111111\"}", "{\"pan\":\"7993-2449 38691324\"}", 0},
        {"{\"path\":\"pan\",\"action\":\"fpe\",\"luhn\":true," CARDS, "{\"pan\":4111111111111112}",
         "{\"pan\":\"[redacted]\"}", 0},
        {"{\"path\":\"num\",\"action\":\"fpe\",\"tweak\":\"t\\u00e9\",\"keep_first\":2,\"keep_"
         "last\":3," CARDS,
         "{\"num\":\"(98)1234567/321\"}", "{\"num\":\"(98)9179282/321\"}", 0},
        {"{\"path\":\"num\",\"action\":\"fpe\",\"short\":\"drop\"," CARDS, "{\"num\":12345}", "{}",
         0},
        {"{\"path\":\"num\",\"action\":\"fpe\",\"short\":\"mask\"," CARDS,
         "{\"num\":\"12x\\u00e9\"}", "{\"num\":\"****\"}", 0},
        {"{\"path\":\"code\",\"action\":\"fpe\",\"alphabet\":\"alnum\"," CARDS,
         "{\"code\":\"AbCd09\"}", "{\"code\":\"O9TUTt\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":180,\"subject\":\"p.id\"," PEOPLE,
         "{\"d\":\"2000-02-28T01:02\",\"p\":{\"id\":\"p-1\"}}", "{\"d\":\"2000-03-23T01:02\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":256,\"subject\":\"id\"," PEOPLE,
         "{\"id\":\"p-1\",\"d\":\"2000-02-28\"}", "{\"d\":\"2000-07-17\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":3650,\"subject\":\"id\"," PEOPLE,
         "{\"id\":\"p-1\",\"d\":\"2000-02-28\"}", "{\"d\":\"1995-08-26\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":180,\"subject\":\"id\"," PEOPLE,
         "{\"d\":\"2000-02-28\"}", "{\"d\":\"[redacted]\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":180,\"subject\":\"id\"," PEOPLE,
         "{\"id\":\"p-1\",\"d\":\"2001-02-29\"}", "{\"d\":\"[redacted]\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":180,\"subject\":\"id\"," PEOPLE,
         "{\"id\":\"p-1\",\"d\":\"9999-12-20\"}", "{\"d\":\"[redacted]\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":180,\"subject\":\"id\"," PEOPLE,
         "{\"id\":\"p-1\",\"d\":\"2001-02-20 10:00\"}", "{\"d\":\"[redacted]\"}", 0},
        {"{\"path\":\"d\",\"action\":\"shift\",\"days\":180,\"subject\":\"id\"," PEOPLE,
         "{\"id\":\"p-1\",\"d\":\"2001-02-20T10:00 Smith\"}", "{\"d\":\"[redacted]\"}", 0},
    };
    RUN("drop", rows);
}

static void test_mask_and_escapes(void **state)
{
    (void)state;
#define MASK(first, last)                                                                          \
    "{\"path\":\"n\",\"action\":\"mask\",\"keep_first\":" #first ",\"keep_last\":" #last "}"
    static const struct row rows[] = {
        {MASK(0, 1), "{\"n\":\"Müller\"}", "{\"n\":\"*****r\"}", 0},
        {MASK(2, 0), "{\"n\":\"美咲さん\"}", "{\"n\":\"美咲**\"}", 0},
        {MASK(1, 1), "{\"n\":\"ab\"}", "{\"n\":\"**\"}", 0},
        {MASK(1, 1), "{\"n\":-12.5}", "{\"n\":\"-***5\"}", 0},
        {MASK(1, 1), "{\"n\":true}", "{\"n\":\"[redacted]\"}", 0},
        {MASK(9, 1), "{\"n\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u001fxyz\"}",
         "{\"n\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f**z\"}", 0},
        {MASK(0, 0), "{\"n\":\"\"}", "{\"n\":\"\"}", 0},
    };
    RUN("drop", rows);
}

#define SCAN                                                                                       \
    "{\"path\":\"n\",\"action\":\"detect\",\"kinds\":[\"card\",\"iban\",\"email\",\"phone\","      \
    "\"id\"],\"then\":\"redact\"}"

static void test_detect(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"a 4111 1111 1111 1111.", "a [card]."},
        {"4111111111111112", "4111111111111112"},
        {"x4111111111111111", "x4111111111111111"},
        {"é4111111111111111", "é4111111111111111"},
        {"4111111111111111 12", "[card] 12"},
        {"4111  1111 1111 1111", "[phone] 1111"},
        {"0000000000000000", "0000000000000000"},
        {"DE89 3704 0044 0532 0130 00", "[iban]"},
        {"de89370400440532013000x", "de89370400440532013000x"},
        {"DE89370400440532013001", "DE89370400440532013001"},
        {"GB82WEST12345698765432,", "[iban],"},
        {"mail ada.l+x@ex-ample.co.uk.", "mail [email]."},
        {"a@b", "a@b"},
        {"a@-b.com", "a@-b.com"},
        {"a@b..com", "a@b..com"},
        {"a@b.c1", "a@b.c1"},
        {"a@b.com_", "[email]_"},
        {"a@b.comé", "a@b.comé"},
        {"@a@b.com", "@a@b.com"},
        {"123-45-6789", "[id]"},
        {"000-45-6789", "000-45-6789"},
        {"666-45-6789; 912-45-6789", "666-45-6789; 912-45-6789"},
        {"123-00-6789; 123-45-0000", "123-00-6789; 123-45-0000"},
        {"123-45 6789", "123-45 6789"},
        {"AB123456C and AB 12 34 56 C, AB123456E", "[id] and [id], AB123456E"},
        {"12345678Z 12345678-z 12345678A X1234567L", "[id] [id] 12345678A [id]"},
        {"529.982.247-25 529.982.247-26", "[id] [phone]"},
        {"111.111.111-11", "[phone]"},
        {"529.982.247-26 111.111.111-11", "[phone].111.111-11"},
        {"+49 1512 3456789", "[phone]"},
        {"call (030) 123-4567 now", "call [phone] now"},
        {"0301234567", "[phone]"},
        {"03012345678", "03012345678"},
        {"2024-01-02 12:00", "2024-01-02 12:00"},
        {"2024-01-02 1234", "2024-01-02 1234"},
        {"+1234567", "+1234567"},
        {"(((030 1234567", "([phone]"},
    };
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++) {
        char input[256];
        char expected[256];
        snprintf(input, sizeof input, "{\"n\":\"%s\"}", rows[index][0]);
        snprintf(expected, sizeof expected, "{\"n\":\"%s\"}", rows[index][1]);
        struct row row = {SCAN, input, expected, 0};
        run_rows("drop", &row, 1);
    }
    static const struct row types[] = {
        {SCAN, "{\"n\":4111111111111111}", "{\"n\":\"[card]\"}", 0},
        {SCAN, "{\"n\":12.50}", "{\"n\":12.50}", 0},
        {SCAN, "{\"n\":[ \"a@b.com\" , null,\"\\u0061\",[\"x\"]]}",
         "{\"n\":[ \"[email]\", \"[redacted]\",\"\\u0061\",\"[redacted]\"]}", 0},
        {SCAN, "{\"n\":\"\\u0061\\/ no match\"}", "{\"n\":\"\\u0061\\/ no match\"}", 0},
    };
    RUN("drop", types);
}

static void test_detokenize(void **state)
{
    (void)state;
    struct csr_policy *policy =
        load("drop", "{\"path\":\"pan\",\"action\":\"fpe\",\"luhn\":true," CARDS);
    static const char input[] = "{\"pan\":\"7993-2449 38691324\", \"x\":[1 ,2]}";
    static const char plain[] = "{\"pan\":\"4111-1111 11111111\", \"x\":[1 ,2]}";
    char output[256];
    size_t size = 0;
    assert_int_equal(
        csr_detokenize(policy, 1, NULL, input, sizeof input - 1, output, sizeof output, &size),
        CSN_WIRE_STATUS_OK);
    assert_int_equal(size, sizeof plain - 1);
    assert_memory_equal(output, plain, size);
    /* Without the bit nothing is revealed. */
    assert_int_equal(
        csr_detokenize(policy, 2, NULL, input, sizeof input - 1, output, sizeof output, &size),
        CSN_WIRE_STATUS_OK);
    assert_int_equal(size, sizeof input - 1);
    assert_memory_equal(output, input, size);
    /* And too little room is said before anything is written. */
    memset(output, 'z', sizeof output);
    assert_int_equal(csr_detokenize(policy, 1, NULL, input, sizeof input - 1, output, 10, &size),
                     CSN_WIRE_STATUS_TOO_LARGE);
    assert_int_equal(output[0], 'z');
    csr_policy_free(policy);
}

/* Opens "enc_" followed by the plaintext itself: enough to see how csr_compare uses it. */
static bool open_plain(void *context, const char *sealed, size_t size, char *plain, size_t capacity,
                       size_t *plain_size)
{
    (void)context;
    if (size < 4 || size - 4 > capacity || memcmp(sealed, "enc_", 4) != 0) {
        return false;
    }
    memcpy(plain, sealed + 4, size - 4);
    *plain_size = size - 4;
    return true;
}

static void test_compare_encrypt(void **state)
{
    (void)state;
    struct csr_opener opener = {open_plain, NULL};
    struct csr_policy *policy =
        load("keep", "{\"path\":\"doc\",\"action\":\"encrypt\",\"consumer\":\"fraud\"}");
    static const char input[] = "{\"doc\":[12],\"x\":1}";
    static const struct {
        const char *text;
        bool same;
    } rows[] = {
        {"{\"doc\":\"enc_[12]\",\"x\":1}", true},   {"{\"doc\":\"enc_[13]\",\"x\":1}", false},
        {"{\"doc\":\"enc_[12]\",\"x\":2}", false},  {"{\"doc\":\"enc_[12] \",\"x\":1}", false},
        {"{\"doc\":\"enc_[12]\",\"x\":1} ", false}, {"{\"doc\":\"enc_[12]\"", false},
        {"{\"doc\":[12],\"x\":1}", false},
    };
    char output[256];
    size_t size = 0;
    assert_int_equal(csr_tokenize(policy, input, sizeof input - 1, output, sizeof output, &size),
                     0);
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++) {
        assert_int_equal(
            csr_compare(output, size, rows[index].text, strlen(rows[index].text), &opener),
            rows[index].same);
    }
    /* The placeholder itself is no ciphertext: an enclave that emits it does not pass. */
    assert_false(csr_compare(output, size, output, size, &opener));
    csr_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop_and_keep),   cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_keyed),           cmocka_unit_test(test_mask_and_escapes),
        cmocka_unit_test(test_detect),          cmocka_unit_test(test_detokenize),
        cmocka_unit_test(test_compare_encrypt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
