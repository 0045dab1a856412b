/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostile.c: what a host gets from moving sealed texts about (tenants, keys, versions,
 * purposes, contexts, kinds) or changing them: one and the same refusal. And the binary form, with
 * what is not as it should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/crypto/ecdsa.h"
#include "fake.h"
#include <stdio.h>
#include <stdlib.h>

#define OP(name) CSN_WIRE_TRANSIT_##name

static struct cse_call *call;

static int begin(void **state)
{
    (void)state;
    call = fake_new();
    return fake_grant(call, 1, NULL, 0) == CSN_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    fake_free(call);
    return 0;
}

static void good(uint32_t operation, const char *name, const char *text)
{
    assert_int_equal(fake_json(call, operation, name, text), CSN_WIRE_STATUS_OK);
}

/* A sealed text of the key, in the binary form. */
static uint32_t seal(const char *name, uint16_t operation, const char *context, uint8_t *sealed)
{
    struct csn_wire_transit_request request = {.operation = operation, .item_count = 1};
    const bool key = operation == OP(DATAKEY);
    const struct fake_item item = {key ? NULL : "hello, hello", key ? 0 : 12, "ad", 2, context,
                                   (uint32_t)strlen(context)};
    struct fake_result result;
    assert_int_equal(fake_binary(call, &request, name, &item, &result), CSN_WIRE_STATUS_OK);
    assert_int_equal(result.head.status, CSN_WIRE_STATUS_OK);
    memcpy(sealed, result.output, result.head.output_size);
    return result.head.output_size;
}

static cse_status open_by(const char *name, uint16_t operation, const uint8_t *sealed,
                          uint32_t size, const char *extra, const char *context)
{
    struct csn_wire_transit_request request = {.operation = operation, .item_count = 1};
    const struct fake_item item = {
        sealed, size, extra, (uint32_t)strlen(extra), context, (uint32_t)strlen(context)};
    struct fake_result result;
    const cse_status status = fake_binary(call, &request, name, &item, &result);
    return status != CSN_WIRE_STATUS_OK ? status : result.head.status;
}

static void test_moved(void **state)
{
    (void)state;
    uint8_t sealed[100];
    good(OP(CREATE), "box", "{\"type\":\"aes-256\",\"purposes\":[0,1],\"deletable\":true}");
    good(OP(CREATE), "box2", "{\"type\":\"aes-256\",\"purposes\":[0,1]}");
    const uint32_t size = seal("box", OP(ENCRYPT), "", sealed);
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""), CSN_WIRE_STATUS_OK);
    /* another key, associated data, operation, purpose */
    assert_int_equal(open_by("box2", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ae", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "", ""), CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_equal(open_by("box", OP(DATAKEY_OPEN), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_equal(open_by("box2", OP(REWRAP), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    call->purpose = 1;
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    call->purpose = 0;
    /* another tenant, with a key of that name, and even of that id and secret */
    call->tenant = 1;
    good(OP(CREATE), "box", "{\"type\":\"aes-256\"}");
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    struct tra_store *theirs = ((struct tra_grant *)call->states[1])->store;
    struct tra_store *ours = ((struct tra_grant *)call->states[0])->store;
    struct tra_key *key = tra_find(theirs, "box", 3), *mine = tra_find(ours, "box", 3);
    memcpy(key->is.id, mine->is.id, 16);
    memcpy(theirs->versions[key->newest_at].secret, ours->versions[mine->newest_at].secret, 32);
    tra_forget(call->worker, NULL);
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    call->tenant = 0;
    /* a version that does not exist, and one that does */
    sealed[4] = 2;
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    good(OP(ROTATE), "box", "{}");
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
    sealed[4] = 1;
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""), CSN_WIRE_STATUS_OK);
    /* a key of that name that was made anew */
    good(OP(DELETE), "box", "{}");
    good(OP(CREATE), "box", "{\"type\":\"aes-256\"}");
    assert_int_equal(open_by("box", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_NOT_FOUND);
}

/* Of the tenant that asks. */
static struct tra_key *key_named(const char *name)
{
    struct tra_store *store = ((struct tra_grant *)call->states[call->tenant])->store;
    return tra_find(store, name, (uint32_t)strlen(name));
}

/*
 * A tenant writes its own journal, and so a key with the id of another's: what is kept expanded is
 * still the other's alone.
 */
static void test_same_id(void **state)
{
    (void)state;
    const uint32_t salt_at = offsetof(struct csn_wire_transit_sealed, salt);
    uint8_t ours[100], theirs[100], wrapped[CSN_MLKEM_CIPHERTEXT_SIZE], shared[32], secret[32];
    good(OP(CREATE), "same", "{\"type\":\"aes-256\"}");
    good(OP(CREATE), "same-kem", "{\"type\":\"ml-kem-768\"}");
    seal("same", OP(ENCRYPT), "", ours);
    good(OP(ENCAPSULATE), "same-kem", "{}");
    assert_int_equal(fake_bytes(call, "ciphertext", wrapped, sizeof wrapped), sizeof wrapped);
    assert_int_equal(fake_bytes(call, "shared_secret", shared, sizeof shared), sizeof shared);
    const struct tra_key *box = key_named("same"), *kem = key_named("same-kem");
    call->tenant = 1;
    good(OP(CREATE), "same", "{\"type\":\"aes-256\"}");
    good(OP(CREATE), "same-kem", "{\"type\":\"ml-kem-768\"}");
    memcpy(key_named("same")->is.id, box->is.id, 16);
    memcpy(key_named("same-kem")->is.id, kem->is.id, 16);
    seal("same", OP(ENCRYPT), "", theirs);
    assert_memory_not_equal(ours + salt_at, theirs + salt_at, 24);
    struct csn_wire_transit_request request = {.operation = OP(DECAPSULATE), .item_count = 1};
    const struct fake_item item = {wrapped, sizeof wrapped, NULL, 0, NULL, 0};
    struct fake_result result;
    assert_int_equal(fake_binary(call, &request, "same-kem", &item, &result), CSN_WIRE_STATUS_OK);
    memcpy(secret, result.output, sizeof secret);
    assert_memory_not_equal(secret, shared, sizeof secret);
    call->tenant = 0;
    assert_int_equal(fake_binary(call, &request, "same-kem", &item, &result), CSN_WIRE_STATUS_OK);
    assert_memory_equal(result.output, shared, sizeof shared);
}

static void test_contexts(void **state)
{
    (void)state;
    uint8_t sealed[100];
    good(OP(CREATE), "per", "{\"type\":\"aes-256\",\"derived\":true}");
    const uint32_t size = seal("per", OP(ENCRYPT), "user 1", sealed);
    assert_int_equal(open_by("per", OP(DECRYPT), sealed, size, "ad", "user 1"), CSN_WIRE_STATUS_OK);
    assert_int_equal(open_by("per", OP(DECRYPT), sealed, size, "ad", "user 2"),
                     CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_equal(open_by("per", OP(DECRYPT), sealed, size, "ad", ""),
                     CSN_WIRE_STATUS_MALFORMED);
}

static void test_bits(void **state)
{
    (void)state;
    uint8_t sealed[200];
    good(OP(CREATE), "flip", "{\"type\":\"aes-256\"}");
    static const uint16_t kinds[][2] = {{OP(ENCRYPT), OP(DECRYPT)},
                                        {OP(DATAKEY), OP(DATAKEY_OPEN)}};
    for (int k = 0; k < 2; k++) {
        const uint32_t size = seal("flip", kinds[k][0], "", sealed);
        for (uint32_t bit = 0; bit < 8 * size; bit++) {
            sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(open_by("flip", kinds[k][1], sealed, size, "ad", ""),
                             CSN_WIRE_STATUS_NOT_FOUND);
            sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (uint32_t cut = 1; cut < size; cut++) {
            assert_int_equal(open_by("flip", kinds[k][1], sealed, cut, "ad", ""),
                             CSN_WIRE_STATUS_NOT_FOUND);
        }
        assert_int_equal(open_by("flip", kinds[k][1], sealed, size, "ad", ""), CSN_WIRE_STATUS_OK);
    }
}

/* Salts and counters of texts: none comes twice, not with a worker that begins anew either. */
static void test_nonces(void **state)
{
    (void)state;
    static uint8_t seen[600][32];
    uint8_t sealed[100];
    good(OP(CREATE), "nonce", "{\"type\":\"aes-256\"}");
    for (uint32_t i = 0; i < 600; i++) {
        seal("nonce", OP(ENCRYPT), "", sealed);
        memcpy(seen[i], sealed + 8, 32);
        for (uint32_t k = 0; k < i; k++) {
            assert_memory_not_equal(seen[i], seen[k], 32);
        }
        if (i % 100 == 99) {
            tra_forget(call->worker, NULL);
        }
    }
    assert_memory_equal(seen[0], seen[1], 24); /* one salt while it lasts */
    assert_memory_not_equal(seen[0], seen[100], 24);
    /* and no longer */
    seal("nonce", OP(ENCRYPT), "", sealed);
    struct tra_worker *worker = call->worker;
    for (uint32_t i = 0; i < TRA_CACHE_COUNT; i++) {
        worker->sealers[i].counter = (1u << 20) - 1;
    }
    seal("nonce", OP(ENCRYPT), "", sealed);
    memcpy(seen[0], sealed + 8, 32);
    seal("nonce", OP(ENCRYPT), "", sealed);
    assert_memory_not_equal(seen[0], sealed + 8, 24);
    /* what was opened by others' salts is never sealed with */
    seal("nonce", OP(ENCRYPT), "", sealed);
    tra_forget(call->worker, NULL);
    assert_int_equal(open_by("nonce", OP(DECRYPT), sealed, 68, "ad", ""), CSN_WIRE_STATUS_OK);
    memcpy(seen[0], sealed + 8, 32);
    seal("nonce", OP(ENCRYPT), "", sealed);
    assert_memory_not_equal(seen[0], sealed + 8, 24);
}

/* Neighbours in a batch have nothing of each other: versions, salts, contexts. */
static void test_neighbours(void **state)
{
    (void)state;
    enum { COUNT = 6 };
    static uint8_t sealed[COUNT][100];
    struct fake_result results[COUNT];
    struct fake_item items[COUNT];
    uint32_t size = 0;
    good(OP(CREATE), "mixed", "{\"type\":\"aes-256\"}");
    for (int i = 0; i < COUNT; i++) { /* versions 1 1 2 2 3 3, each with a salt of its own */
        tra_forget(call->worker, NULL);
        size = seal("mixed", OP(ENCRYPT), "", sealed[i]);
        if (i % 2 == 1) {
            good(OP(ROTATE), "mixed", "{}");
        }
    }
    for (int i = 0; i < COUNT; i++) {
        items[i] = (struct fake_item){sealed[i * 5 % COUNT], size, "ad", 2, NULL, 0};
    }
    struct csn_wire_transit_request request = {.operation = OP(DECRYPT), .item_count = COUNT};
    assert_int_equal(fake_binary(call, &request, "mixed", items, results), CSN_WIRE_STATUS_OK);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].head.status, CSN_WIRE_STATUS_OK);
        assert_int_equal(results[i].head.key_version, i * 5 % COUNT / 2 + 1);
        assert_memory_equal(results[i].output, "hello, hello", 12);
    }
    good(OP(ENCRYPT), "mixed",
         "{\"batch_input\":[{\"plaintext\":\"\",\"version\":1},{\"plaintext\":\"\",\"version\":3}]"
         "}");
    assert_non_null(strstr((char *)call->output, "caisson:v3:AQEAAAMA"));
    good(OP(CREATE), "apart", "{\"type\":\"aes-256\",\"derived\":true}");
    static const char *const contexts[] = {"a", "b", "b", "a", "c", "a"};
    for (int i = 0; i < COUNT; i++) {
        items[i] = (struct fake_item){"text", 4, NULL, 0, contexts[i], 1};
    }
    request = (struct csn_wire_transit_request){.operation = OP(ENCRYPT), .item_count = COUNT};
    assert_int_equal(fake_binary(call, &request, "apart", items, results), CSN_WIRE_STATUS_OK);
    for (int i = 0; i < COUNT; i++) {
        memcpy(sealed[i], results[i].output, 60);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(open_by("apart", OP(DECRYPT), sealed[i], 60, "", contexts[i]),
                         CSN_WIRE_STATUS_OK);
        assert_int_equal(open_by("apart", OP(DECRYPT), sealed[i], 60, "", "d"),
                         CSN_WIRE_STATUS_NOT_FOUND);
    }
}

/* MACs side by side are those that come one by one, whatever the sizes and versions. */
static void test_macs(void **state)
{
    (void)state;
    enum { COUNT = 80 };
    static uint8_t message[300];
    static struct fake_result results[COUNT];
    struct fake_item items[COUNT];
    char text[900], input[420], mac[80], expected[80];
    good(OP(CREATE), "macs", "{\"type\":\"hmac\"}");
    good(OP(ROTATE), "macs", "{}");
    for (uint32_t i = 0; i < COUNT; i++) {
        memset(message + i, (int)i, sizeof message - i);
        items[i] = (struct fake_item){message, i * 3, NULL, 0, NULL, 0};
    }
    for (uint32_t version = 1; version < 3; version++) {
        struct csn_wire_transit_request request = {
            .operation = OP(MAC), .item_count = COUNT, .key_version = version};
        assert_int_equal(fake_binary(call, &request, "macs", items, results), CSN_WIRE_STATUS_OK);
        static uint8_t macs[COUNT][32];
        for (uint32_t i = 0; i < COUNT; i++) {
            assert_int_equal(results[i].head.output_size, 32);
            assert_int_equal(results[i].head.key_version, version);
            memcpy(macs[i], results[i].output, 32);
        }
        for (uint32_t i = 0; i < COUNT; i++) { /* and verify makes its own */
            fake_base64(message, i * 3, input);
            fake_base64(macs[i], 32, mac);
            snprintf(text, sizeof text, "{\"input\":\"%s\",\"hmac\":\"%s\",\"version\":%u}", input,
                     mac, (unsigned)version);
            good(OP(VERIFY), "macs", text);
            assert_true(fake_text(call, "valid", expected, sizeof expected));
            assert_string_equal(expected, "true");
        }
    }
    good(OP(MAC), "macs",
         "{\"batch_input\":[{\"input\":\"\",\"version\":1},{\"input\":\"\",\"version\":9},"
         "{\"input\":\"\",\"version\":2},{\"input\":\"\",\"version\":1}]}");
    const char *first = strstr((char *)call->output, "caisson:v1:");
    const char *second = strstr((char *)call->output, "caisson:v2:");
    const char *third = first != NULL ? strstr(first + 1, "caisson:v1:") : NULL;
    assert_true(first != NULL && second != NULL && third != NULL);
    assert_memory_equal(first, third, 40);
    assert_memory_not_equal(first + 11, second + 11, 40);
    assert_non_null(strstr((char *)call->output, "{\"status\":\"not-found\"}"));
}

/* ---- the binary form ---- */

/* Every operation, twice: what it gives is what the other half takes. */
static void test_binary(void **state)
{
    (void)state;
    struct fake_result results[3];
    uint8_t signature[96], mac[32], kem[1088], shared[32], sealed[300];
    const struct fake_item messages[] = {
        {"one", 3, NULL, 0, NULL, 0}, {NULL, 0, NULL, 0, NULL, 0}, {"three", 5, NULL, 0, NULL, 0}};
    struct csn_wire_transit_request request = {.operation = OP(SIGN), .item_count = 3};
    good(OP(CREATE), "b256", "{\"type\":\"p-256\"}");
    good(OP(CREATE), "b384", "{\"type\":\"p-384\"}");
    good(OP(CREATE), "bmac", "{\"type\":\"hmac\"}");
    good(OP(CREATE), "bkem", "{\"type\":\"ml-kem-768\"}");
    good(OP(CREATE), "baes", "{\"type\":\"aes-256\"}");
    assert_int_equal(fake_binary(call, &request, "b384", messages, results), CSN_WIRE_STATUS_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(results[i].head.status, CSN_WIRE_STATUS_OK);
        assert_int_equal(results[i].head.output_size, 96);
        assert_int_equal(results[i].head.key_version, 1);
    }
    memcpy(signature, results[2].output, 96);
    request = (struct csn_wire_transit_request){.operation = OP(VERIFY), .item_count = 2};
    const struct fake_item proofs[] = {{"three", 5, signature, 96, NULL, 0},
                                       {"thref", 5, signature, 96, NULL, 0}};
    assert_int_equal(fake_binary(call, &request, "b384", proofs, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].output[0], 1);
    assert_int_equal(results[1].output[0], 0);
    request = (struct csn_wire_transit_request){.operation = OP(MAC), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "bmac", messages, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].head.output_size, 32);
    memcpy(mac, results[0].output, 32);
    request = (struct csn_wire_transit_request){.operation = OP(VERIFY), .item_count = 1};
    const struct fake_item macs[] = {{"one", 3, mac, 32, NULL, 0}};
    assert_int_equal(fake_binary(call, &request, "bmac", macs, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].output[0], 1);
    request = (struct csn_wire_transit_request){.operation = OP(ENCAPSULATE), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "bkem", &messages[1], results),
                     CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].head.second_size, 1088);
    memcpy(shared, results[0].output, 32);
    memcpy(kem, results[0].second, 1088);
    request = (struct csn_wire_transit_request){.operation = OP(DECAPSULATE), .item_count = 1};
    const struct fake_item kems[] = {{kem, 1088, NULL, 0, NULL, 0}};
    assert_int_equal(fake_binary(call, &request, "bkem", kems, results), CSN_WIRE_STATUS_OK);
    assert_memory_equal(results[0].output, shared, 32);
    request = (struct csn_wire_transit_request){
        .operation = OP(DATAKEY), .item_count = 1, .output_size = 64};
    assert_int_equal(fake_binary(call, &request, "baes", &messages[1], results),
                     CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].head.second_size, 64);
    memcpy(sealed, results[0].output, 120);
    memcpy(sealed + 120, results[0].second, 64);
    request = (struct csn_wire_transit_request){.operation = OP(DATAKEY_OPEN), .item_count = 1};
    const struct fake_item wrapped[] = {{sealed, 120, NULL, 0, NULL, 0}};
    assert_int_equal(fake_binary(call, &request, "baes", wrapped, results), CSN_WIRE_STATUS_OK);
    assert_memory_equal(results[0].output, sealed + 120, 64);
    request = (struct csn_wire_transit_request){
        .operation = OP(RANDOM), .item_count = 3, .output_size = 7};
    const struct fake_item nothing[3] = {{0}};
    assert_int_equal(fake_binary(call, &request, "", nothing, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[2].head.output_size, 7);
}

static void test_binary_keys(void **state)
{
    (void)state;
    struct fake_result result;
    struct csn_wire_transit_key view;
    struct csn_wire_transit_create what = {.type = CSN_WIRE_TRANSIT_P384,
                                           .flags = CSN_WIRE_TRANSIT_KEY_DELETABLE};
    const struct fake_item create = {&what, sizeof what, NULL, 0, NULL, 0};
    const struct fake_item nothing = {0};
    struct csn_wire_transit_request request = {.operation = OP(CREATE), .item_count = 1};
    call->rights = CSN_WIRE_RIGHT_SUBMIT;
    assert_int_equal(fake_binary(call, &request, "made", &create, &result), CSN_WIRE_STATUS_RIGHTS);
    call->rights |= CSN_WIRE_RIGHT_KEYS;
    assert_int_equal(fake_binary(call, &request, "made", &create, &result), CSN_WIRE_STATUS_OK);
    assert_int_equal(result.head.output_size, sizeof view + 97);
    assert_true(result.head.second_size > 264 + 97);
    memcpy(&view, result.output, sizeof view);
    assert_string_equal(view.name, "made");
    assert_int_equal(view.public_size, 97);
    assert_int_equal(csn_ec_public_check(CSN_EC_P384, result.output + sizeof view, 97), CSN_OK);
    assert_int_equal(fake_binary(call, &request, "made", &create, &result), CSN_WIRE_STATUS_POLICY);
    request = (struct csn_wire_transit_request){.operation = OP(ROTATE), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "made", &nothing, &result), CSN_WIRE_STATUS_OK);
    assert_int_equal(result.head.key_version, 2);
    request =
        (struct csn_wire_transit_request){.operation = OP(INFO), .item_count = 1, .key_version = 1};
    assert_int_equal(fake_binary(call, &request, "made", &nothing, &result), CSN_WIRE_STATUS_OK);
    memcpy(&view, result.output, sizeof view);
    assert_int_equal(view.version, 1);
    assert_int_equal(view.newest, 2);
    struct csn_wire_transit_config config = {
        .set = CSN_WIRE_TRANSIT_SET_MIN | CSN_WIRE_TRANSIT_SET_TRIM, .min_version = 2};
    const struct fake_item set = {&config, sizeof config, NULL, 0, NULL, 0};
    request = (struct csn_wire_transit_request){.operation = OP(CONFIG), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "made", &set, &result), CSN_WIRE_STATUS_OK);
    memcpy(&view, result.output, sizeof view);
    assert_int_equal(view.oldest, 2);
    request = (struct csn_wire_transit_request){.operation = OP(LIST), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "", &nothing, &result), CSN_WIRE_STATUS_OK);
    assert_true(result.head.output_size % sizeof view == 0 && result.head.output_size != 0);
    memcpy(&view, result.output + result.head.output_size - sizeof view, sizeof view);
    assert_string_equal(view.name, "made");
    request = (struct csn_wire_transit_request){.operation = OP(DELETE), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "made", &nothing, &result), CSN_WIRE_STATUS_OK);
    assert_int_equal(result.head.output_size, 0);
    assert_int_equal(fake_binary(call, &request, "made", &nothing, &result),
                     CSN_WIRE_STATUS_NOT_FOUND);
    request = (struct csn_wire_transit_request){.operation = OP(IMPORT_KEY), .item_count = 1};
    assert_int_equal(fake_binary(call, &request, "", &nothing, &result), CSN_WIRE_STATUS_OK);
    assert_int_equal(result.head.output_size, 32);
    assert_int_equal(result.head.second_size, 64);
}

/* What it would take as a request of its own with one thing wrong. */
static void test_binary_refusals(void **state)
{
    (void)state;
    struct fake_result results[2];
    const struct fake_item item = {"one", 3, NULL, 0, NULL, 0};
    const struct fake_item more[] = {{"one", 3, NULL, 0, "ctx", 3}, {"one", 3, "x", 1, NULL, 0}};
    good(OP(CREATE), "strict", "{\"type\":\"ed25519\"}");
#define BAD(status, change)                                                                        \
    do {                                                                                           \
        struct csn_wire_transit_request request = {.operation = OP(SIGN), .item_count = 1};        \
        request.change;                                                                            \
        assert_int_equal(fake_binary(call, &request, "strict", &item, results),                    \
                         CSN_WIRE_STATUS_##status);                                                \
    } while (0)
    BAD(OK, hash = 0);
    BAD(MALFORMED, hash = 1);
    BAD(MALFORMED, hash = 4);
    BAD(MALFORMED, flags = CSN_WIRE_TRANSIT_PREHASHED);
    BAD(MALFORMED, flags = CSN_WIRE_TRANSIT_BARE);
    BAD(MALFORMED, flags = 128);
    BAD(MALFORMED, output_size = 64);
    BAD(MALFORMED, reserved[2] = 1);
    BAD(MALFORMED, operation = 0);
    BAD(MALFORMED, operation = 24);
    BAD(POLICY, operation = OP(ENCRYPT));
    BAD(MALFORMED, operation = OP(RANDOM)); /* of no key */
    BAD(MALFORMED, operation = OP(ROTATE)); /* has no input */
    struct csn_wire_transit_request two = {.operation = OP(SIGN), .item_count = 2};
    assert_int_equal(fake_binary(call, &two, "strict", more, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].head.status, CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(results[1].head.status, CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(results[1].head.output_size, 0);
    two.item_count = 1;
    two.key_version = 2;
    assert_int_equal(fake_binary(call, &two, "strict", &item, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].head.status, CSN_WIRE_STATUS_NOT_FOUND);
}

/* Cut anywhere, with something behind, and with sizes that are not so. */
static void test_binary_cuts(void **state)
{
    (void)state;
    good(OP(CREATE), "cut-up", "{\"type\":\"ed25519\"}");
    uint8_t message[96 + 16 + 8 + 8] = {1, 0, OP(SIGN), 0, 1};
    message[15] = 6;
    memcpy(message + 32, "cut-up", 6);
    message[96] = 3;
    memcpy(message + 112, "one", 3);
    assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, 120), CSN_WIRE_STATUS_OK);
    for (uint32_t size = 0; size < sizeof message; size++) {
        if (size != 120) {
            assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, size),
                             CSN_WIRE_STATUS_MALFORMED);
        }
    }
    message[119] = 1; /* padding */
    assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, 120),
                     CSN_WIRE_STATUS_MALFORMED);
    message[119] = 0;
    message[38] = 'x'; /* behind the name */
    assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, 120),
                     CSN_WIRE_STATUS_MALFORMED);
    message[38] = 0;
    for (uint32_t at = 96; at < 112; at += 4) { /* sizes that are beyond the message */
        memset(message + at, 0xff, 4);
        assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, 120),
                         CSN_WIRE_STATUS_MALFORMED);
        memset(message + at, 0, 4);
        message[96] = 3;
    }
    assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, 120), CSN_WIRE_STATUS_OK);
    /* nothing of a refused answer is left */
    call->output_max = 60;
    memset(call->output, 0, 100);
    assert_int_equal(fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, 120),
                     CSN_WIRE_STATUS_TOO_LARGE);
    call->output_max = FAKE_OUTPUT_MAX;
}

/* Items that fail between others: the results close up, and nothing of theirs stays. */
static void test_binary_pack(void **state)
{
    (void)state;
    struct fake_result results[3];
    uint8_t sealed[100], spoilt[100];
    good(OP(CREATE), "pack", "{\"type\":\"aes-256\"}");
    const uint32_t size = seal("pack", OP(ENCRYPT), "", sealed);
    memcpy(spoilt, sealed, size);
    spoilt[size - 1] ^= 1;
    const struct fake_item items[] = {{sealed, size, "ad", 2, NULL, 0},
                                      {spoilt, size, "ad", 2, NULL, 0},
                                      {sealed, size, "ad", 2, NULL, 0}};
    struct csn_wire_transit_request request = {.operation = OP(DECRYPT), .item_count = 3};
    assert_int_equal(fake_binary(call, &request, "pack", items, results), CSN_WIRE_STATUS_OK);
    assert_int_equal(results[0].head.status, CSN_WIRE_STATUS_OK);
    assert_int_equal(results[1].head.status, CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_equal(results[1].head.output_size, 0);
    assert_int_equal(results[2].head.status, CSN_WIRE_STATUS_OK);
    assert_memory_equal(results[0].output, "hello, hello", 12);
    assert_memory_equal(results[2].output, "hello, hello", 12);
    for (uint32_t i = call->output_size; i < call->output_size + 16; i++) {
        assert_int_equal(call->output[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moved),       cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_bits),        cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_neighbours),  cmocka_unit_test(test_macs),
        cmocka_unit_test(test_binary),      cmocka_unit_test(test_binary_keys),
        cmocka_unit_test(test_binary_pack), cmocka_unit_test(test_binary_refusals),
        cmocka_unit_test(test_binary_cuts), cmocka_unit_test(test_same_id),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
