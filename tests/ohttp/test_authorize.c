/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_authorize.c: a proof counts for its secret, tenant, credential and request, and for nothing
 * else; the forms of the header; the digits of base64url.
 */
#include <crypto/cpu.h>
#include <ohttp/authorize.h>
#include <ohttp/base64url.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include "../crypto/vectors.h"
#include <cmocka.h>

/* Longer than the block in which names are hashed. */
#define TRAILER      "-railer-railer-railer-railer-railer-railer-railer-railer-railer-end"
#define TEXT(string) ((struct csn_bhttp_text){(const uint8_t *)(string), sizeof(string) - 1})

static const uint8_t secret[32] = {1, 2, 3, 4};
static const uint8_t encapsulation[32] = {9, 8, 7};
static char value[CSN_AUTHORIZE_SIZE_MAX];

static struct csn_bhttp_message request(void)
{
    struct csn_bhttp_message message = {.method = TEXT("POST"),
                                        .scheme = TEXT("https"),
                                        .authority = TEXT("vault.example"),
                                        .path = TEXT("/v1/tokenize"),
                                        .header_count = 2,
                                        .trailer_count = 1,
                                        .content = TEXT("{\"pan\":\"4111\"}")};
    message.fields[0] = (struct csn_bhttp_field){TEXT("Content-Type"), TEXT("application/json")};
    message.fields[2] = (struct csn_bhttp_field){TEXT("X-T" TRAILER), TEXT("t")};
    return message;
}

/* The request with its header. */
static struct csn_bhttp_message signed_request(enum csn_authorize_way way)
{
    struct csn_bhttp_message message = request();
    struct csn_authorization mine = {
        .way = way, .tenant = {5, 5}, .credential = 0x1122334455667788};
    message.fields[1] = (struct csn_bhttp_field){TEXT("Authorization"), TEXT("")};
    uint32_t size = csn_authorize_write(&mine, &message, encapsulation, secret, value);
    message.fields[1].value = (struct csn_bhttp_text){(const uint8_t *)value, size};
    return message;
}

static csn_err check(const struct csn_bhttp_message *message, const uint8_t enc[32],
                     const uint8_t key[32])
{
    struct csn_authorization read;
    csn_err result = csn_authorize_read(message, &read);
    return result != CSN_OK ? result : csn_authorize_check(&read, message, enc, key);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (enum csn_authorize_way way = CSN_AUTHORIZE_REQUEST; way <= CSN_AUTHORIZE_BEARER; way++) {
        struct csn_bhttp_message message = signed_request(way);
        struct csn_authorization read;
        uint8_t other[32] = {1, 2, 3, 5};
        assert_int_equal(csn_authorize_read(&message, &read), CSN_OK);
        assert_int_equal(read.way, way);
        assert_int_equal(read.credential, 0x1122334455667788);
        assert_int_equal(read.tenant[1], 5);
        assert_int_equal(check(&message, encapsulation, secret), CSN_OK);
        assert_int_equal(check(&message, encapsulation, other), CSN_ERR_AUTH);
        read.tenant[0] ^= 1; /* the proof of one tenant is none of another's */
        assert_int_equal(csn_authorize_check(&read, &message, encapsulation, secret), CSN_ERR_AUTH);
        read.tenant[0] ^= 1;
        read.credential ^= 1;
        assert_int_equal(csn_authorize_check(&read, &message, encapsulation, secret), CSN_ERR_AUTH);
        read.credential ^= 1;
        read.way = way == CSN_AUTHORIZE_REQUEST ? CSN_AUTHORIZE_BEARER : CSN_AUTHORIZE_REQUEST;
        assert_int_equal(csn_authorize_check(&read, &message, encapsulation, secret), CSN_ERR_AUTH);
    }
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* The proof as the header file words it, by another library. */
static void test_definition(void **state)
{
    (void)state;
    struct csn_bhttp_message message = signed_request(CSN_AUTHORIZE_REQUEST);
    struct csn_authorization read;
    uint8_t bytes[400], key[32], proof[32];
    uint8_t *at;
    unsigned size = 0;
    assert_int_equal(csn_authorize_read(&message, &read), CSN_OK);
    at = put(bytes, "caisson-request-key-v1", 22);
    at = put(at, read.tenant, 32);
    at = put(at, &read.credential, 8);
    HMAC(EVP_sha256(), secret, 32, bytes, (size_t)(at - bytes), key, &size);
    at = put(bytes, "caisson-request-v1", 18);
    at = put(at, encapsulation, 32);
    static const char *const texts[] = {"POST",
                                        "https",
                                        "vault.example",
                                        "/v1/tokenize",
                                        NULL,
                                        "content-type",
                                        "application/json",
                                        "x-t" TRAILER,
                                        "t",
                                        "{\"pan\":\"4111\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint32_t length = texts[i] != NULL ? (uint32_t)strlen(texts[i]) : 2; /* headers bound */
        at = put(at, &length, 4);
        at = put(at, texts[i] != NULL ? texts[i] : "", texts[i] != NULL ? length : 0);
    }
    HMAC(EVP_sha256(), key, 32, bytes, (size_t)(at - bytes), proof, &size);
    assert_memory_equal(proof, read.proof, 32);
}

/* Whatever is changed in the request, the proof for it is none any more; a bearer's still is. */
static void test_binding(void **state)
{
    (void)state;
    for (int what = 0; what < 10; what++) {
        struct csn_bhttp_message message = signed_request(CSN_AUTHORIZE_REQUEST);
        uint8_t enc[32];
        memcpy(enc, encapsulation, 32);
        switch (what) {
        case 0:
            message.method = TEXT("GET");
            break;
        case 1:
            message.scheme = TEXT("http");
            break;
        case 2:
            message.authority = TEXT("vault.exampl");
            break;
        case 3:
            message.path = TEXT("/v1/detokenize");
            break;
        case 4:
            message.content = TEXT("{\"pan\":\"4112\"}");
            break;
        case 5:
            message.fields[0].name = TEXT("Content-Typ_");
            break;
        case 6:
            message.fields[0].value = TEXT("application/jsox");
            break;
        case 7:
            message.fields[2].value = TEXT("u");
            break;
        case 8:
            enc[31] ^= 1;
            break;
        default:
            message.trailer_count = 0;
            break;
        }
        assert_int_equal(check(&message, enc, secret), CSN_ERR_AUTH);
    }
    struct csn_bhttp_message message = signed_request(CSN_AUTHORIZE_REQUEST);
    message.fields[0].name = TEXT("CONTENT-TYPE"); /* the same name */
    assert_int_equal(check(&message, encapsulation, secret), CSN_OK);
    message = signed_request(CSN_AUTHORIZE_BEARER);
    message.path = TEXT("/other");
    assert_int_equal(check(&message, encapsulation, secret), CSN_OK);
    /* A byte moved from one text into the next. */
    message = signed_request(CSN_AUTHORIZE_REQUEST);
    message.authority = TEXT("vault.example/");
    message.path = TEXT("v1/tokenize");
    assert_int_equal(check(&message, encapsulation, secret), CSN_ERR_AUTH);
}

static void test_forms(void **state)
{
    (void)state;
    struct csn_bhttp_message message = signed_request(CSN_AUTHORIZE_REQUEST);
    struct csn_authorization read;
    uint32_t size = message.fields[1].value.size;
    char copy[CSN_AUTHORIZE_SIZE_MAX + 1];
    memcpy(copy, value, size);
    message.fields[1].value.bytes = (const uint8_t *)copy;
    memcpy(copy, "cAISSON ", 8); /* schemes have no case */
    assert_int_equal(check(&message, encapsulation, secret), CSN_OK);
    message.fields[1].value.size = size - 1;
    assert_int_equal(csn_authorize_read(&message, &read), CSN_ERR_FORMAT);
    copy[size] = 'A';
    message.fields[1].value.size = size + 1;
    assert_int_equal(csn_authorize_read(&message, &read), CSN_ERR_FORMAT);
    message.fields[1].value.size = size;
    for (uint32_t i = 0; i < size; i++) {
        char before = copy[i];
        copy[i] = '+';
        assert_int_equal(csn_authorize_read(&message, &read), CSN_ERR_FORMAT);
        copy[i] = before;
    }
    message.fields[0] = message.fields[1]; /* twice */
    assert_int_equal(csn_authorize_read(&message, &read), CSN_ERR_FORMAT);
    message.header_count = 0; /* in a trailer it is none */
    message.trailer_count = 3;
    assert_int_equal(csn_authorize_read(&message, &read), CSN_ERR_UNKNOWN);
}

static void test_digits(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[48], again[48];
    char text[65] = {0};
    assert_true(csn_base64url_read((const uint8_t *)digits, 64, bytes));
    csn_base64url_write(bytes, 48, text);
    assert_string_equal(text, digits);
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint8_t four[4] = {'A', 'B', (uint8_t)byte, 'D'};
        bool legal = byte != 0 && strchr(digits, (int)byte) != NULL;
        memset(again, 0xee, sizeof again);
        assert_int_equal(csn_base64url_read(four, 4, again), legal);
        assert_true(legal || (again[0] == 0 && again[1] == 0 && again[2] == 0));
        assert_int_equal(again[3], 0xee);
    }
    assert_false(csn_base64url_read((const uint8_t *)digits, 63, again));
}

int main(void)
{
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t count = vector_kernels(kernels);
    if (count == 0 || csn_cpu_select(kernels[count - 1]) != CSN_OK) {
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_definition),
        cmocka_unit_test(test_binding),    cmocka_unit_test(test_forms),
        cmocka_unit_test(test_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
