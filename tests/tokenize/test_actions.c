/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_actions.c: does each action give what docs/TOKENIZE.md section 3 says? Expectations are
 * computed here with OpenSSL, not with the enclave's helpers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../enclaves/tokenize/tok_state.h"
#include "core/bytes.h"
#include "fake.h"
#include "reference/reference_parts.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TENANT 1
#define SECRET 2

static uint8_t output[FAKE_OUTPUT_MAX];

/* fields: what stands between the brackets of "fields". Domains d (version 1) and e (version 7). */
static struct cse_call *grant_for(uint8_t tenant, uint8_t secret, const char *fields)
{
    char policy[2048];
    struct csv_policy_error why = {0};
    struct cse_call *call = fake_new(tenant, secret);
    assert_non_null(call);
    snprintf(policy, sizeof policy,
             "{\"version\":1,\"domains\":{\"d\":{\"version\":1},\"e\":{\"version\":7}},"
             "\"fields\":[%s]}",
             fields);
    csn_err err = fake_grant(call, policy, &why);
    if (err != CSN_OK) {
        fail_msg("%s: %s (%s)", policy, why.text, csn_err_name(err));
    }
    return call;
}

static struct cse_call *grant(const char *fields)
{
    return grant_for(TENANT, SECRET, fields);
}

/* The operation's output as text, valid until the next call. */
static const char *run_as(struct cse_call *call, uint16_t operation, const char *input,
                          cse_status wanted)
{
    uint32_t size = 0;
    cse_status status =
        fake_run(call, operation, input, (uint32_t)strlen(input), output, sizeof output - 1, &size);
    if (status != wanted) {
        fail_msg("%s: status %d, wanted %d", input, (int)status, (int)wanted);
    }
    output[size] = 0;
    return (const char *)output;
}

static const char *run(struct cse_call *call, const char *input)
{
    return run_as(call, 1, input, CSN_WIRE_STATUS_OK);
}

struct row {
    const char *input;
    const char *wanted;
};

static void expect_rows(const char *fields, const struct row *rows, size_t count)
{
    struct cse_call *call = grant(fields);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(run(call, rows[i].input), rows[i].wanted);
    }
    fake_free(call);
}
#define EXPECT_ROWS(fields, rows) expect_rows(fields, rows, sizeof rows / sizeof rows[0])

/* ---- the same by OpenSSL ---- */
static void put32(uint8_t *bytes, size_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

static void domain_key(const char *domain, uint32_t version, uint8_t use, uint8_t key[32])
{
    uint8_t info[128];
    uint8_t tenant[32];
    uint8_t secret[32];
    size_t size = (size_t)sprintf((char *)info, "caisson-domain-v1");
    memset(tenant, TENANT, 32);
    memset(secret, SECRET, 32);
    put32(info + size, strlen(domain));
    memcpy(info + size + 4, domain, strlen(domain));
    size += 4 + strlen(domain);
    put32(info + size, version);
    info[size + 4] = use;
    size += 5;
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
                           OSSL_PARAM_construct_octet_string("salt", tenant, 32),
                           OSSL_PARAM_construct_octet_string("key", secret, 32),
                           OSSL_PARAM_construct_octet_string("info", info, size),
                           OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_KDF_derive(context, key, 32, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void typed_mac(const uint8_t key[32], char type, const char *value, uint8_t mac[32])
{
    uint8_t text[4096];
    size_t size = strlen(value);
    put32(text, size + 1);
    text[4] = (uint8_t)type;
    memcpy(text + 5, value, size);
    assert_non_null(HMAC(EVP_sha256(), key, 32, text, size + 5, mac, NULL));
}

static void base32(const uint8_t *bytes, unsigned size, char *text)
{
    unsigned count = 0;
    for (unsigned bit = 0; bit < 8 * size; bit += 5) {
        unsigned value = 0;
        for (unsigned i = bit; i < bit + 5; i++) {
            value = value * 2 + (i < 8 * size ? bytes[i / 8] >> (7 - i % 8) & 1 : 0);
        }
        text[count++] = "abcdefghijklmnopqrstuvwxyz234567"[value];
    }
    text[count] = 0;
}

/* ---- token, hash ---- */
static void test_token(void **state)
{
    struct cse_call *call = grant(
        "{\"path\":\"a\",\"action\":\"token\",\"domain\":\"d\"},"
        "{\"path\":\"b\",\"action\":\"token\",\"domain\":\"e\",\"prefix\":\"abcdefghijklmnop\","
        "\"bits\":256,\"keep_first\":8,\"keep_last\":8},"
        "{\"path\":\"c\",\"action\":\"token\",\"domain\":\"d\",\"keep_first\":6,"
        "\"keep_last\":4},{\"path\":\"l\",\"action\":\"token\",\"domain\":\"d\",\"bits\":80,"
        "\"keep_last\":2}");
    static const struct {
        const char *field;
        const char *value; /* as JSON */
        const char *decoded;
        char type;
        const char *domain;
        uint32_t version;
        unsigned size;
        const char *before;
        const char *after;
    } rows[] = {
        {"a", "\"Jane\"", "Jane", 's', "d", 1, 12, "tok_", ""},
        {"a", "\"\"", "", 's', "d", 1, 12, "tok_", ""},
        {"a", "\"J\\u0061ne\"", "Jane", 's', "d", 1, 12, "tok_", ""},
        {"a", "\"\\u00e9\\n\"", "\xc3\xa9\n", 's', "d", 1, 12, "tok_", ""},
        {"a", "12", "12", 'n', "d", 1, 12, "tok_", ""},
        {"a", "\"12\"", "12", 's', "d", 1, 12, "tok_", ""},
        {"a", "1.20e1", "1.20e1", 'n', "d", 1, 12, "tok_", ""},
        {"a", "true", "true", 'n', "d", 1, 12, "tok_", ""},
        {"b", "\"0123456789abcdefghij\"", "0123456789abcdefghij", 's', "e", 7, 32,
         "abcdefghijklmnop_01234567_", "_cdefghij"},
        {"b", "\"0123456789abcdefghi\"", "0123456789abcdefghi", 's', "e", 7, 32,
         "abcdefghijklmnop_", ""},
        {"c", "\"4111-1111 1111.1234\"", "4111-1111 1111.1234", 's', "d", 1, 12, "tok_411111_",
         "_1234"},
        {"c", "4111111111111234", "4111111111111234", 'n', "d", 1, 12, "tok_411111_", "_1234"},
        {"c", "\"\\u00e94a1111\\u00e91111b1c\\u00e9\"",
         "\xc3\xa9"
         "4a1111\xc3\xa9"
         "1111b1c\xc3\xa9",
         's', "d", 1, 12, "tok_", ""},
        {"l", "\"AbCdEf\"", "AbCdEf", 's', "d", 1, 10, "tok_", "_Ef"},
        {"l", "\"AbCdE\"", "AbCdE", 's', "d", 1, 10, "tok_", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char input[256];
        char wanted[256];
        char text[64];
        uint8_t key[32];
        uint8_t mac[32];
        domain_key(rows[i].domain, rows[i].version, 2, key);
        typed_mac(key, rows[i].type, rows[i].decoded, mac);
        base32(mac, rows[i].size, text);
        snprintf(input, sizeof input, "{\"%s\":%s}", rows[i].field, rows[i].value);
        snprintf(wanted, sizeof wanted, "{\"%s\":\"%s%s%s\"}", rows[i].field, rows[i].before, text,
                 rows[i].after);
        assert_string_equal(run(call, input), wanted);
    }
    assert_string_equal(run(call, "{\"a\":null,\"b\":[1],\"c\":{\"a\":1}}"),
                        "{\"a\":null,\"b\":\"[redacted]\",\"c\":\"[redacted]\"}");
    fake_free(call);
}

/* Values longer than the one-call path. */
static void test_token_long(void **state)
{
    struct cse_call *call = grant("{\"path\":\"a\",\"action\":\"token\",\"domain\":\"d\"}");
    (void)state;
    char longer[1200];
    char decoded[1000];
    char text[64];
    uint8_t key[32];
    uint8_t mac[32];
    domain_key("d", 1, 2, key);
    for (size_t size = 100; size < 200; size++) {
        memset(decoded, 'x', size);
        decoded[size] = 0;
        typed_mac(key, 's', decoded, mac);
        base32(mac, 12, text);
        snprintf(longer, sizeof longer, "{\"a\":\"%s\"}", decoded);
        run(call, longer);
        snprintf(longer, sizeof longer, "{\"a\":\"tok_%s\"}", text);
        assert_string_equal((const char *)output, longer);
    }
    fake_free(call);
}

static void test_hash(void **state)
{
    struct cse_call *call = grant("{\"path\":\"h\",\"action\":\"hash\",\"domain\":\"e\"}");
    uint8_t key[32];
    uint8_t mac[32];
    char wanted[100] = "{\"h\":\"";
    (void)state;
    domain_key("e", 7, 3, key);
    typed_mac(key, 's', "078-05-1120", mac);
    for (size_t i = 0; i < 32; i++) {
        sprintf(wanted + 6 + 2 * i, "%02x", mac[i]);
    }
    strcat(wanted, "\"}");
    assert_string_equal(run(call, "{\"h\":\"078-05-1120\"}"), wanted);
    assert_string_equal(run(call, "{\"h\":null}"), "{\"h\":null}");
    assert_string_equal(run(call, "{\"h\":[]}"), "{\"h\":\"[redacted]\"}");
    fake_free(call);
}

/* ---- mask ---- */
static void test_mask(void **state)
{
    static const struct row rows[] = {
        {"{\"m\":\"\"}", "{\"m\":\"\"}"},
        {"{\"m\":\"a\"}", "{\"m\":\"*\"}"},
        {"{\"m\":\"abc\"}", "{\"m\":\"***\"}"},
        {"{\"m\":\"abcd\"}", "{\"m\":\"ab*d\"}"},
        {"{\"m\":\"abcdefgh\"}", "{\"m\":\"ab*****h\"}"},
        {"{\"m\":\"\\u00e9\xe2\x82\xac\\ud83d\\ude00xy\"}", "{\"m\":\"\xc3\xa9\xe2\x82\xac**y\"}"},
        {"{\"m\":\"\\\"\\n\\u0001xx\\\\\"}", "{\"m\":\"\\\"\\n***\\\\\"}"},
        {"{\"m\":\"\\\"abcd\"}", "{\"m\":\"\\\"a**d\"}"},
        {"{\"m\":\"\\\\abcd\"}", "{\"m\":\"\\\\a**d\"}"},
        {"{\"m\":-12.5}", "{\"m\":\"-1**5\"}"},
        {"{\"m\":true}", "{\"m\":\"[redacted]\"}"},
        {"{\"m\":null}", "{\"m\":null}"},
        {"{\"q\":\"abc\"}", "{\"q\":\"\\\"\\\"c\"}"},
        {"{\"z\":\"\xc3\xa9\xc3\xa9\"}", "{\"z\":\"**\"}"},
    };
    (void)state;
    EXPECT_ROWS("{\"path\":\"m\",\"action\":\"mask\",\"keep_first\":2,\"keep_last\":1},"
                "{\"path\":\"q\",\"action\":\"mask\",\"keep_last\":1,\"with\":\"\\\"\"},"
                "{\"path\":\"z\",\"action\":\"mask\"}",
                rows);
}

static void test_plain_actions(void **state)
{
    static const struct row rows[] = {
        {"{\"r\":null}", "{\"r\":\"[redacted]\"}"},
        {"{\"r\":[1]}", "{\"r\":\"[redacted]\"}"},
        {"{\"k\":{ \"x\" : [ ] }}", "{\"k\":{ \"x\" : [ ] }}"},
        {"{\"k\":null , \"d\":null}", "{\"k\":null}"},
    };
    (void)state;
    EXPECT_ROWS("{\"path\":\"r\",\"action\":\"redact\"},{\"path\":\"k\",\"action\":\"keep\"},"
                "{\"path\":\"d\",\"action\":\"drop\"}",
                rows);
}

/* ---- fpe ---- */
static void expected_fpe(const char *path, const char *tweak_text, const char *first,
                         const char *last, uint32_t radix, uint16_t *numerals, uint32_t count)
{
    uint8_t key[32];
    uint8_t text[1024];
    uint8_t digest[32];
    struct csr_ff1 ff1;
    const char *const parts[] = {path, tweak_text, first, last};
    size_t size = (size_t)sprintf((char *)text, "caisson-fpe-v1");
    memset(text + size, TENANT, 32);
    size += 32;
    for (size_t i = 0; i < 4; i++) {
        put32(text + size, strlen(parts[i]));
        memcpy(text + size + 4, parts[i], strlen(parts[i]));
        size += 4 + strlen(parts[i]);
    }
    SHA256(text, size, digest);
    domain_key("d", 1, 1, key);
    assert_true(csr_ff1_init(&ff1, key, 32));
    assert_true(csr_ff1_run(&ff1, CSR_FF1_BIGNUM, true, digest, 8, radix, numerals, count));
    csr_ff1_free(&ff1);
}

static void test_fpe(void **state)
{
    struct cse_call *call = grant(
        "{\"path\":\"n\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\"},"
        "{\"path\":\"k\",\"action\":\"fpe\",\"alphabet\":\"alnum\",\"domain\":\"d\","
        "\"keep_first\":2,\"keep_last\":1,\"length\":9,\"tweak\":\"t\\u00e9\"},"
        "{\"path\":\"q\",\"action\":\"fpe\",\"alphabet\":\"=\\\"\\\\-a b\",\"domain\":\"d\"}");
    char wanted[200];
    uint16_t digits[] = {1, 2, 3, 4, 5, 6, 7};
    (void)state;
    expected_fpe("n", "", "", "", 10, digits, 7);
    snprintf(wanted, sizeof wanted, "{\"n\":\"(%u%u) %u/%u-%u.%u+%u\"}", digits[0], digits[1],
             digits[2], digits[3], digits[4], digits[5], digits[6]);
    assert_string_equal(run(call, "{\"n\":\"(12) 3/4-5.6+7\"}"), wanted);
    snprintf(wanted, sizeof wanted, "{\"n\":\"%u%u%u%u%u%u%u\"}", digits[0], digits[1], digits[2],
             digits[3], digits[4], digits[5], digits[6]);
    assert_string_equal(run(call, "{\"n\":1234567}"), wanted);
    assert_string_equal(run(call, "{\"n\":\"123456\\u0037\"}"), wanted);
    static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char value[] = "Zz0Aa9xQ7";
    uint16_t middle[6];
    for (int i = 0; i < 6; i++) {
        middle[i] = (uint16_t)(strchr(alnum, value[2 + i]) - alnum);
    }
    expected_fpe("k", "t\xc3\xa9", "Zz", "7", 62, middle, 6);
    snprintf(wanted, sizeof wanted, "{\"k\":\"Zz-%c%c%c%c%c%c7\"}", alnum[middle[0]],
             alnum[middle[1]], alnum[middle[2]], alnum[middle[3]], alnum[middle[4]],
             alnum[middle[5]]);
    assert_string_equal(run(call, "{\"k\":\"Zz-0Aa9xQ7\"}"), wanted);
    /* An alphabet with characters that are separators or need escapes elsewhere. */
    uint16_t odd[] = {0, 1, 2, 3, 4, 5, 0, 1};
    expected_fpe("q", "", "", "", 6, odd, 8);
    char *at = wanted + sprintf(wanted, "{\"q\":\"");
    for (int i = 0; i < 8; i++) {
        char symbol = "\"\\-a b"[odd[i]];
        at += sprintf(at, symbol == '"' || symbol == '\\' ? "\\%c" : "%c", symbol);
    }
    strcpy(at, "\"}");
    assert_string_equal(run(call, "{\"q\":\"\\\"\\\\-a b\\\"\\\\\"}"), wanted);
    fake_free(call);
}

static void test_fpe_unfit(void **state)
{
    static const struct row redact[] = {
        {"{\"n\":\"12345\"}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":\"\"}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":\"123456a\"}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":-1.5e9}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":\"123456\\u00e9\"}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":\"123456,\"}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":false}", "{\"n\":\"[redacted]\"}"},
        {"{\"n\":null}", "{\"n\":null}"},
        {"{\"n\":[1234567]}", "{\"n\":\"[redacted]\"}"},
    };
    static const struct row others[] = {
        {"{\"m\":\"12\xc3\xa9\"}", "{\"m\":\"***\"}"},
        {"{\"x\":1,\"d\":\"12\",\"m\":\"1\"}", "{\"m\":\"*\"}"},
        {"{\"m\":\"1\" , \"d\":\"12\"}", "{\"m\":\"*\"}"},
        {"{\"l\":\"4111111111111112\"}", "{\"l\":\"****************\"}"},
        {"{\"l\":\"000000\"}", "{\"l\":\"******\"}"},   /* five are free: 10^5 */
        {"{\"s\":\"1234567\"}", "{\"s\":\"*******\"}"}, /* keeps two of seven: 10^5 */
    };
    (void)state;
    EXPECT_ROWS("{\"path\":\"n\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\"}",
                redact);
    EXPECT_ROWS("{\"path\":\"m\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\","
                "\"short\":\"mask\"},{\"path\":\"d\",\"action\":\"fpe\",\"alphabet\":\"digits\","
                "\"domain\":\"d\",\"short\":\"drop\"},{\"path\":\"l\",\"action\":\"fpe\","
                "\"alphabet\":\"digits\",\"luhn\":true,\"domain\":\"d\",\"short\":\"mask\"},"
                "{\"path\":\"s\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\","
                "\"short\":\"mask\",\"keep_first\":1,\"keep_last\":1,\"length\":8}",
                others);
    struct cse_call *call = grant("{\"path\":\"t\",\"action\":\"fpe\",\"alphabet\":\"digits\","
                                  "\"domain\":\"d\",\"short\":\"token\"}");
    uint8_t key[32];
    uint8_t mac[32];
    char text[64];
    char wanted[100];
    domain_key("d", 1, 2, key);
    typed_mac(key, 's', "12a", mac);
    base32(mac, 12, text);
    snprintf(wanted, sizeof wanted, "{\"t\":\"tok_%s\"}", text);
    assert_string_equal(run(call, "{\"t\":\"12a\"}"), wanted);
    /* 256 symbols fit, 257 do not. */
    char input[400] = "{\"t\":\"";
    memset(input + 6, '1', 257);
    strcpy(input + 6 + 256, "\"}");
    assert_memory_not_equal(run(call, input), "{\"t\":\"tok_", 10);
    memset(input + 6, '1', 257);
    strcpy(input + 6 + 257, "\"}");
    assert_memory_equal(run(call, input), "{\"t\":\"tok_", 10);
    fake_free(call);
}

/* ---- Luhn ---- */
static bool luhn_by_definition(const uint16_t *digits, unsigned count)
{
    static const unsigned doubled[] = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += (count - i) % 2 == 0 ? doubled[digits[i]] : digits[i];
    }
    return sum % 10 == 0;
}

/* All numbers of five digits: the check, and the one digit at each place that makes it hold. */
static void test_luhn_exhaustive(void **state)
{
    unsigned valid = 0;
    (void)state;
    for (unsigned number = 0; number < 100000; number++) {
        uint16_t digits[5];
        for (unsigned i = 0, rest = number; i < 5; i++, rest /= 10) {
            digits[i] = (uint16_t)(rest % 10);
        }
        bool holds = luhn_by_definition(digits, 5);
        valid += holds;
        assert_int_equal(tok_luhn_holds(digits, 5), holds);
        for (unsigned at = 0; at < 5; at++) {
            uint16_t before = digits[at];
            uint16_t digit = tok_luhn_digit(digits, 5, at);
            assert_true(digit <= 9 && (digit == before) == holds);
            digits[at] = digit;
            assert_true(luhn_by_definition(digits, 5));
            digits[at] = before;
        }
    }
    assert_int_equal(valid, 10000);
}

static void put_numbers(char *text, const uint16_t *digits, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        text[i] = (char)('0' + digits[i]);
    }
    text[count] = 0;
}

/*
 * A whole domain: twelve digits, of which the first three and the last two are kept and the sixth
 * of the seven in the middle closes the check, so that 10^6 values are free. Each valid number has
 * its own image, and the image is valid.
 */
static void test_luhn_bijection(void **state)
{
    struct cse_call *call =
        grant("{\"path\":\"n\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"luhn\":true,"
              "\"length\":12,\"keep_first\":3,\"keep_last\":2,\"domain\":\"d\"}");
    uint8_t *seen = calloc(1, 1000000);
    uint16_t digits[12] = {4, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 9};
    char input[32];
    (void)state;
    assert_non_null(seen);
    for (unsigned number = 0; number < 1000000; number++) {
        for (unsigned i = 0, rest = number; i < 6; i++, rest /= 10) {
            digits[3 + i] = (uint16_t)(rest % 10);
        }
        digits[9] = 0;
        while (!luhn_by_definition(digits, 12)) {
            digits[9]++;
        }
        char text[16];
        put_numbers(text, digits, 12);
        snprintf(input, sizeof input, "{\"n\":\"%s\"}", text);
        const char *result = run(call, input);
        assert_memory_equal(result, "{\"n\":\"411", 9);
        assert_memory_equal(result + 16, "29\"}", 5);
        uint16_t image[12];
        unsigned index = 0;
        for (unsigned i = 0; i < 12; i++) {
            image[i] = (uint16_t)(result[6 + i] - '0');
            assert_true(image[i] <= 9);
            index = i >= 3 && i < 9 ? index * 10 + image[i] : index;
        }
        assert_true(luhn_by_definition(image, 12));
        assert_int_equal(seen[index], 0);
        seen[index] = 1;
    }
    free(seen);
    fake_free(call);
}

/* ---- detokenize ---- */
static void test_inverse(void **state)
{
    static const char fields[] =
        "{\"path\":\"n\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\",\"luhn\":true}"
        ","
        "{\"path\":\"w\",\"action\":\"fpe\",\"alphabet\":\"alnum-lower\",\"domain\":\"d\","
        "\"keep_last\":1,\"length\":8},{\"path\":\"k\",\"action\":\"keep\"}";
    struct cse_call *call = grant(fields);
    char sealed[300];
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        uint16_t digits[16];
        char number[20];
        char input[200];
        for (unsigned k = 0; k < 16; k++) {
            digits[k] = (uint16_t)((i * 2654435761u >> k) % 10);
        }
        digits[15] = 0;
        while (!luhn_by_definition(digits, 16)) {
            digits[15]++;
        }
        put_numbers(number, digits, 16);
        snprintf(input, sizeof input, "{ \"n\" : \"%s\", \"k\":[ 1 ],\"w\":\"word-%x\" }", number,
                 i + 0x1000);
        strcpy(sealed, run(call, input));
        assert_null(strstr(sealed, number));
        assert_string_equal(run_as(call, 2, sealed, CSN_WIRE_STATUS_OK), input);
    }
    /* A field whose bit is not set stays as it is; so does what the policy drops. */
    call->field_mask = 2;
    strcpy(sealed, run(call, "{\"n\":\"4111111111111111\",\"w\":\"secret42\"}"));
    const char *half = run_as(call, 2, sealed, CSN_WIRE_STATUS_OK);
    assert_memory_equal(half, sealed, 23);
    assert_string_equal(half + 23, ",\"w\":\"secret42\"}");
    assert_string_equal(run_as(call, 2, "{\"y\" : [ 1 ],\"w\":null}", CSN_WIRE_STATUS_OK),
                        "{\"y\" : [ 1 ],\"w\":null}");
    assert_string_equal(run_as(call, 2, "{\"w\":\"12\"}", CSN_WIRE_STATUS_OK),
                        "{\"w\":\"[redacted]\"}");
    assert_string_equal(run_as(call, 2, "{\"w\":[\"secret42\"]}", CSN_WIRE_STATUS_OK),
                        "{\"w\":\"[redacted]\"}");
    assert_string_equal(run_as(call, 2, " 5\n", CSN_WIRE_STATUS_OK), " 5\n");
    fake_free(call);
}

static void test_rights_and_budget(void **state)
{
    struct cse_call *call =
        grant("{\"path\":\"n[*]\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\"},"
              "{\"path\":\"k\",\"action\":\"keep\"}");
    char sealed[200];
    (void)state;
    strcpy(sealed, run(call, "{\"n\":[1234567,null,\"7654321\"]}"));
    call->field_mask = 2; /* the bit of a field that cannot be given back */
    run_as(call, 2, sealed, CSN_WIRE_STATUS_RIGHTS);
    call->field_mask = 0;
    run_as(call, 2, sealed, CSN_WIRE_STATUS_RIGHTS);
    call->field_mask = 1;
    call->budget = 1; /* two values: all or nothing */
    memset(output, 0, sizeof output);
    assert_string_equal(run_as(call, 2, sealed, CSN_WIRE_STATUS_BUDGET), "");
    assert_int_equal(call->budget, 1);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(output[i], 0); /* nothing of it is left behind */
    }
    call->budget = 5;
    assert_string_equal(run_as(call, 2, sealed, CSN_WIRE_STATUS_OK),
                        "{\"n\":[\"1234567\",null,\"7654321\"]}");
    assert_int_equal(call->budget, 3);
    run_as(call, 2, "{\"n\":[\"12\",null]}", CSN_WIRE_STATUS_OK); /* no value was given back */
    assert_int_equal(call->budget, 3);
    run_as(call, 2, "{\"n\":[\"1234567\"]}\n{", CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(call->budget, 3);
    run(call, sealed); /* operation 1 costs nothing */
    assert_int_equal(call->budget, 3);
    run_as(call, 3, sealed, CSN_WIRE_STATUS_OPERATION);
    assert_int_equal(cse_service.operations[0].rights, CSN_WIRE_RIGHT_SUBMIT);
    assert_int_equal(cse_service.operations[1].rights,
                     CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_DETOKENIZE);
    fake_free(call);
}

/* ---- encrypt ---- */
static void test_encrypt(void **state)
{
    static const char fields[] =
        "{\"path\":\"e[*]\",\"action\":\"encrypt\",\"consumer\":\"fraud\"},"
        "{\"path\":\"a\",\"action\":\"encrypt\",\"consumer\":\"archive\"}";
    static const char input[] =
        "{\"e\":[ \"a\\u0062\",17 , {\"x\" : [ null ]},[],true,null,\"\" ],\"a\":\"secret\"}";
    static const char wanted[] =
        "{\"e\":[ \"a\\u0062\",17, {\"x\" : [ null ]},[],true,null,\"\" ],";
    struct cse_call *call = grant(fields);
    char sealed[4096];
    (void)state;
    strcpy(sealed, run(call, input));
    assert_memory_equal(sealed, "{\"e\":[ \"enc_", 12);
    assert_null(strstr(sealed, "secret"));
    assert_non_null(strstr(sealed, ",null,"));
    assert_int_equal(strspn(sealed + 12, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789-_"),
                     ((176 + 16 + 9) * 4 + 2) / 3);
    /* The grant has the secret key of fraud only: the other value is copied. */
    const char *result = run_as(call, 2, sealed, CSN_WIRE_STATUS_OK);
    assert_memory_equal(result, wanted, sizeof wanted - 1);
    assert_non_null(strstr(result, "\"a\":\"enc_"));
    /* Values that are not ours. */
    static const char *const foreign[] = {
        "5",         "\"\"",         "\"enc_\"",     "\"enc_AA\"", "\"abc_AAAA\"",
        "\"enc_A\"", "\"enc_AA==\"", "\"enc_A+A/\"", "[]"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"e\":[%s]}", foreign[i]);
        run_as(call, 2, text, CSN_WIRE_STATUS_NOT_FOUND);
    }
    /* Every single changed character of a sealed value is refused. */
    char one[600];
    strcpy(one, run(call, "{\"e\":[\"value\"]}"));
    char *first = strstr(one, "enc_");
    for (char *at = first; *at != '"'; at++) {
        char before = *at;
        *at = before == 'A' ? 'B' : 'A';
        run_as(call, 2, one, CSN_WIRE_STATUS_NOT_FOUND);
        *at = before;
    }
    fake_free(call);
}

/* A right to one field is not a right to another's value that was moved there. */
static void test_encrypt_moved(void **state)
{
    struct cse_call *call =
        grant("{\"path\":\"ssn\",\"action\":\"encrypt\",\"consumer\":\"fraud\"},"
              "{\"path\":\"note\",\"action\":\"encrypt\",\"consumer\":\"fraud\"},"
              "{\"path\":\"l[*]\",\"action\":\"encrypt\",\"consumer\":\"fraud\"}");
    char text[1024];
    (void)state;
    call->field_mask = 2 + 4;
    /* Within its field it may move. */
    strcpy(text, run(call, "{\"l\":[1,\"two\"]}"));
    assert_string_equal(run_as(call, 2, text, CSN_WIRE_STATUS_OK), "{\"l\":[1,\"two\"]}");
    strcpy(text, run(call, "{\"note\":\"n\"}"));
    assert_string_equal(run_as(call, 2, text, CSN_WIRE_STATUS_OK), "{\"note\":\"n\"}");
    strcpy(text, run(call, "{\"ssn\":\"078-05-1120\"}"));
    assert_string_equal(run_as(call, 2, text, CSN_WIRE_STATUS_OK), text);
    char moved[1024] = "{\"note";
    strcat(moved, strchr(text, ':') - 1);
    run_as(call, 2, moved, CSN_WIRE_STATUS_NOT_FOUND);
    fake_free(call);
}

/* Somebody with the consumer's credential seals text that is not one JSON value. */
static void test_encrypt_injection(void **state)
{
    struct cse_call *call = grant("{\"path\":\"e\",\"action\":\"encrypt\",\"consumer\":\"fraud\"}");
    static const char *const plain[] = {"1,\"x\":2", "", "1 2", "\"a", "{\"a\":1,\"a\":2}", "1\n2"};
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (void)state;
    for (size_t i = 0; i <= sizeof plain / sizeof plain[0]; i++) {
        const char *text = i == 0 ? "[ 1 ]" : plain[i - 1];
        uint8_t sealed[256];
        uint32_t size = 0;
        char input[512] = "{\"e\":\"enc_";
        uint64_t place = ((struct tok_state *)call->state)->fields[0].place;
        assert_int_equal(cse_field_seal(call, 0, place, (const uint8_t *)text,
                                        (uint32_t)strlen(text), sealed, sizeof sealed, &size),
                         CSN_OK);
        char *at = input + strlen(input);
        for (uint32_t bit = 0; bit < 8 * size; bit += 6) {
            unsigned value = 0;
            for (uint32_t k = bit; k < bit + 6; k++) {
                value = value * 2 + (k < 8 * size ? sealed[k / 8] >> (7 - k % 8) & 1 : 0);
            }
            *at++ = digits[value];
        }
        strcpy(at, "\"}");
        const char *result =
            run_as(call, 2, input, i == 0 ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_NOT_FOUND);
        assert_string_equal(result, i == 0 ? "{\"e\":[ 1 ]}" : "");
    }
    fake_free(call);
}

/* ---- shift ---- */
#define SHIFT                                                                                      \
    "{\"path\":\"b\",\"action\":\"shift\",\"days\":180,\"subject\":\"s.id\",\"domain\":\"d\"}"

static int expected_offset(char type, const char *subject, uint64_t days)
{
    uint8_t key[32];
    uint8_t text[256];
    size_t size = strlen(subject);
    domain_key("d", 1, 4, key);
    for (uint32_t c = 0;; c++) {
        uint8_t mac[32];
        uint64_t r = 0;
        put32(text, size + 1);
        text[4] = (uint8_t)type;
        memcpy(text + 5, subject, size);
        put32(text + 5 + size, c);
        HMAC(EVP_sha256(), key, 32, text, size + 9, mac, NULL);
        memcpy(&r, mac, 8);
        uint64_t left_over = (UINT64_MAX % (2 * days) + 1) % (2 * days); /* 2^64 mod 2D */
        if (r <= UINT64_MAX - left_over) {
            int o = (int)(r % (2 * days));
            return o < (int)days ? o - (int)days : o - (int)days + 1;
        }
    }
}

/* One day after the other, by the calendar's rules. */
static void step_date(int *year, int *month, int *day, int direction)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);
    *day += direction;
    if (*day == 0) {
        *month = *month == 1 ? 12 : *month - 1;
        *year -= *month == 12;
        leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);
        *day = lengths[*month - 1] + (*month == 2 && leap);
    } else if (*day > lengths[*month - 1] + (*month == 2 && leap)) {
        *day = 1;
        *month = *month == 12 ? 1 : *month + 1;
        *year += *month == 1;
    }
}

static void test_shift(void **state)
{
    struct cse_call *call = grant(SHIFT);
    int seen[361] = {0};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char input[128];
        char wanted[128];
        char subject[32];
        int year = 1900 + i % 200;
        int month = 1 + i / 200 % 12;
        int day = 1 + i % 28;
        bool number = i % 2 == 1; /* before the subject, which is a number; or behind it */
        sprintf(subject, number ? "%d" : "p%d", i % 5000);
        int offset = expected_offset(number ? 'n' : 's', subject, 180);
        assert_true(offset != 0 && offset >= -180 && offset <= 180);
        seen[offset + 180]++;
        if (number) {
            snprintf(input, sizeof input, "{\"b\":\"%04d-%02d-%02d\",\"s\":{\"id\":%s}}", year,
                     month, day, subject);
        } else {
            snprintf(input, sizeof input, "{\"s\":{\"id\":\"%s\"},\"b\":\"%04d-%02d-%02d\"}",
                     subject, year, month, day);
        }
        for (int k = offset; k != 0; k += k < 0 ? 1 : -1) {
            step_date(&year, &month, &day, k < 0 ? -1 : 1);
        }
        snprintf(wanted, sizeof wanted, "{\"b\":\"%04d-%02d-%02d\"}", year, month, day);
        assert_string_equal(run(call, input), wanted);
    }
    int used = 0;
    for (int i = 0; i < 361; i++) {
        used += seen[i] > 0;
    }
    assert_int_equal(seen[180], 0);
    assert_true(used > 350); /* 10000 draws over 360 values leave none out but by chance */
    fake_free(call);
}

/* What stays must be a time: a name or a card number behind the T does not get through. */
static void test_shift_times(void **state)
{
    static const char *const bad[] = {
        "\"2024-01-01T\"",
        "\"2024-01-01TJohn Smith\"",
        "\"2024-01-01T4111111111111111\"",
        "\"2024-01-01T10\"",
        "\"2024-01-01T10:0\"",
        "\"2024-01-01T10:00x\"",
        "\"2024-01-01T10:00:0\"",
        "\"2024-01-01T10:00.5\"",
        "\"2024-01-01T10:00:00.\"",
        "\"2024-01-01T10:00:00.4111111111\"",
        "\"2024-01-01T10:00:00Zx\"",
        "\"2024-01-01T10:00:00Z+01:00\"",
        "\"2024-01-01T10:00+01\"",
        "\"2024-01-01T10:00+01:00:00\"",
        "\"2024-01-01T10:00z\"",
    };
    static const char *const times[] = {"",
                                        "T10:00",
                                        "T10:00Z",
                                        "T10:00:00",
                                        "T10:00:00.1",
                                        "T10:00:00.123456789Z",
                                        "T10:00-04:00",
                                        "T10:00:00+01:00"};
    struct cse_call *call = grant(SHIFT);
    char input[200];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(input, sizeof input, "{\"b\":%s,\"s\":{\"id\":1}}", bad[i]);
        assert_string_equal(run(call, input), "{\"b\":\"[redacted]\"}");
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        snprintf(input, sizeof input, "{\"b\":\"2024-01-01%s\",\"s\":{\"id\":1}}", times[i]);
        const char *moved = run(call, input);
        assert_null(strstr(moved, "redacted"));
        assert_memory_equal(moved + 16, times[i], strlen(times[i]));
    }
    fake_free(call);
}

/* Near the ends of what a date can be: moved exactly if it stays one. */
static void test_shift_ends(void **state)
{
    static const int dates[][3] = {{1, 1, 1},    {1, 6, 29},   {1, 6, 30},   {1, 7, 1},
                                   {9999, 7, 3}, {9999, 7, 4}, {9999, 7, 5}, {9999, 12, 31}};
    struct cse_call *call = grant(SHIFT);
    unsigned refused = 0;
    (void)state;
    for (unsigned i = 0; i < 8 * 40; i++) {
        char input[100], subject[12], wanted[60] = "{\"b\":\"[redacted]\"}";
        int year = dates[i % 8][0], month = dates[i % 8][1], day = dates[i % 8][2];
        snprintf(subject, sizeof subject, "%u", i);
        snprintf(input, sizeof input, "{\"b\":\"%04d-%02d-%02d\",\"s\":{\"id\":%s}}", year, month,
                 day, subject);
        for (int k = expected_offset('n', subject, 180); k != 0; k += k < 0 ? 1 : -1) {
            step_date(&year, &month, &day, k < 0 ? -1 : 1);
        }
        if (year >= 1 && year <= 9999) {
            snprintf(wanted, sizeof wanted, "{\"b\":\"%04d-%02d-%02d\"}", year, month, day);
        } else {
            refused++;
        }
        assert_string_equal(run(call, input), wanted);
    }
    assert_true(refused > 40);
    fake_free(call);
}

/* A number that would make some offsets likelier is drawn again, with the counter. */
static void test_shift_again(void **state)
{
    static const uint8_t subject[] = "s27847819";
    struct tok_mac_job mac = {.days = 3650, .day = 700000};
    struct csn_hmac_key key;
    uint8_t target[11] = "";
    uint8_t tag[32];
    char wanted[11];
    (void)state;
    csn_hmac_key_init(&key, "key", 3);
    mac.key = &key;
    mac.target = target;
    csn_store_u32(mac.message, 9);
    memcpy(mac.message + 4, subject, 9);
    mac.message_size = 4 + 9 + TOK_COUNTER_SIZE;
    memset(mac.tag, 0xff, 32);
    tok_shift_finish(&mac);
    csn_store_u32(mac.message + 13, 1);
    csn_hmac(&key, mac.message, mac.message_size, tag);
    const int64_t step = (int64_t)(csn_load_u64(tag) % 7300);
    time_t seconds =
        (time_t)((700000 + (step < 3650 ? step - 3650 : step - 3649)) - 719468) * 86400;
    struct tm date; /* 719468: 1970-01-01 */
    assert_non_null(gmtime_r(&seconds, &date));
    assert_int_equal(strftime(wanted, sizeof wanted, "%Y-%m-%d", &date), 10);
    assert_string_equal((char *)target, wanted);
}

static void test_shift_rows(void **state)
{
    static const char *const bad[] = {
        "\"2023-02-29\"",
        "\"2024-13-01\"",
        "\"2024-00-10\"",
        "\"2024-04-31\"",
        "\"2024-1-01\"",
        "\"2024-01-01 10:00\"",
        "\"2024-01-01t\"",
        "\"20240101\"",
        "\"\"",
        "20240101",
        "true",
        "\"1900-02-29\"",
        "\"0000-01-01\"",
        "[\"2024-01-01\"]",
        "\" 2024-01-01\"",
        "\"2024-01-0\xc3\xa9\"",
    };
    struct cse_call *call = grant(SHIFT);
    char input[200];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(input, sizeof input, "{\"b\":%s,\"s\":{\"id\":1}}", bad[i]);
        assert_string_equal(run(call, input), "{\"b\":\"[redacted]\"}");
    }
    static const char *const no_subject[] = {
        "{\"b\":\"2024-01-01\"}",
        "{\"b\":\"2024-01-01\",\"s\":1}",
        "{\"b\":\"2024-01-01\",\"s\":{}}",
        "{\"b\":\"2024-01-01\",\"s\":{\"id\":null}}",
        "{\"b\":\"2024-01-01\",\"s\":{\"id\":true}}",
        "{\"b\":\"2024-01-01\",\"s\":{\"id\":[1]}}",
        "{\"b\":\"2024-01-01\",\"s\":[{\"id\":1}]}",
        "{\"b\":\"2024-01-01\"}\n{\"s\":{\"id\":1}}", /* the subject of another text */
    };
    for (size_t i = 0; i < sizeof no_subject / sizeof no_subject[0]; i++) {
        assert_memory_equal(run(call, no_subject[i]), "{\"b\":\"[redacted]\"", 17);
    }
    assert_string_equal(run(call, "{\"s\":{\"id\":1}}\n{\"b\":\"2024-01-01\"}"),
                        "{}\n{\"b\":\"[redacted]\"}");
    assert_string_equal(run(call, "{\"b\":null}"), "{\"b\":null}");
    /* The rest of the value stays; escapes in value and subject are decoded. */
    strcpy(input, run(call, "{\"b\":\"2024-02-29T10:00:00+01:00\",\"s\":{\"id\":\"ab\"}}"));
    assert_memory_equal(input + 16, "T10:00:00+01:00\"", 16);
    assert_string_equal(run(call, "{\"b\":\"2024-0\\u0032-29T10:00:00+01:00\",\"s\":{\"i\\u0064\":"
                                  "\"\\u0061b\"}}"),
                        input);
    /* Dates near the ends of the calendar: moved, or redacted, never wrong. */
    int low = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(input, sizeof input, "{\"b\":\"%s\",\"s\":{\"id\":%d}}",
                 i % 2 == 0 ? "0001-01-05" : "9999-12-25", i);
        const char *result = run(call, input);
        char subject[12];
        sprintf(subject, "%d", i);
        int offset = expected_offset('n', subject, 180);
        bool outside = i % 2 == 0 ? offset < -4 : offset > 6;
        assert_int_equal(strstr(result, "[redacted]") != NULL, outside);
        low += outside;
    }
    assert_true(low > 20 && low < 80);
    fake_free(call);
}

/* ---- tenants ---- */
#define ALL                                                                                        \
    "{\"path\":\"t\",\"action\":\"token\",\"domain\":\"d\"},"                                      \
    "{\"path\":\"h\",\"action\":\"hash\",\"domain\":\"d\"},"                                       \
    "{\"path\":\"f\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\"},"                \
    "{\"path\":\"x\",\"action\":\"detect\",\"kinds\":[\"email\"],\"then\":\"token\","              \
    "\"domain\":\"d\"}"

static void collect(struct cse_call *call, char parts[4][100])
{
    static const char *const inputs[] = {"{\"t\":\"value\"}", "{\"h\":\"value\"}",
                                         "{\"f\":\"1234567890123456\"}", "{\"x\":\"a@b.cc\"}"};
    for (int i = 0; i < 4; i++) {
        snprintf(parts[i], 100, "%s", run(call, inputs[i]));
        char again[100];
        snprintf(again, sizeof again, "%s", run(call, inputs[i]));
        assert_string_equal(parts[i], again); /* the same input, the same output */
    }
}

/* All ordered pairs of 16 tenants, with one secret in common: nothing correlates. */
static void test_tenants(void **state)
{
    static char parts[16][4][100];
    (void)state;
    for (uint8_t tenant = 0; tenant < 16; tenant++) {
        struct cse_call *call = grant_for(tenant, SECRET, ALL);
        collect(call, parts[tenant]);
        fake_free(call);
    }
    for (int left = 0; left < 16; left++) {
        for (int right = 0; right < 16; right++) {
            for (int i = 0; i < 4 && left != right; i++) {
                assert_string_not_equal(parts[left][i], parts[right][i]);
            }
        }
    }
    /* A tenant with another secret, and a domain of another version. */
    char other[4][100];
    struct cse_call *call = grant_for(3, SECRET + 1, ALL);
    collect(call, other);
    fake_free(call);
    for (int i = 0; i < 4; i++) {
        assert_string_not_equal(other[i], parts[3][i]);
    }
    call = grant("{\"path\":\"t\",\"action\":\"token\",\"domain\":\"d\"},"
                 "{\"path\":\"u\",\"action\":\"token\",\"domain\":\"e\"},"
                 "{\"path\":\"v\",\"action\":\"token\",\"domain\":\"d\"}");
    strcpy(other[0], run(call, "{\"t\":\"value\"}"));
    strcpy(other[1], run(call, "{\"u\":\"value\"}"));
    strcpy(other[2], run(call, "{\"v\":\"value\"}"));
    assert_string_not_equal(other[0] + 5, other[1] + 5);
    assert_string_equal(other[0] + 5, other[2] + 5); /* one domain, one token */
    fake_free(call);
}

/* Fields of the same name elsewhere, or with another tweak, encrypt differently. */
static void test_fpe_tweaks(void **state)
{
    struct cse_call *call =
        grant("{\"path\":\"a\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\"},"
              "{\"path\":\"b\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\"},"
              "{\"path\":\"c\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"domain\":\"d\","
              "\"keep_first\":6,\"length\":16}");
    char a[64];
    char b[64];
    char c[64];
    char d[64];
    (void)state;
    strcpy(a, run(call, "{\"a\":\"1234567890123456\"}"));
    strcpy(b, run(call, "{\"b\":\"1234567890123456\"}"));
    assert_string_not_equal(a + 5, b + 5);
    strcpy(c, run(call, "{\"c\":\"1234567890123456\"}"));
    strcpy(d, run(call, "{\"c\":\"1234577890123456\"}"));
    assert_memory_equal(c, "{\"c\":\"123456", 12);
    assert_memory_equal(d, "{\"c\":\"123457", 12);
    assert_string_not_equal(c + 12, d + 12); /* what is kept is in the tweak */
    fake_free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_token_long),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_plain_actions),
        cmocka_unit_test(test_fpe),
        cmocka_unit_test(test_fpe_unfit),
        cmocka_unit_test(test_luhn_exhaustive),
        cmocka_unit_test(test_luhn_bijection),
        cmocka_unit_test(test_inverse),
        cmocka_unit_test(test_rights_and_budget),
        cmocka_unit_test(test_encrypt),
        cmocka_unit_test(test_encrypt_moved),
        cmocka_unit_test(test_encrypt_injection),
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_shift_rows),
        cmocka_unit_test(test_shift_ends),
        cmocka_unit_test(test_shift_again),
        cmocka_unit_test(test_shift_times),
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_fpe_tweaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
