/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_keys.c: making, changing and deleting keys; who may; how often; and what stands in a birth
 * certificate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/crypto/curve.h"
#include "fake.h"
#include <caisson/wire/birth.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define OP(name) CSN_WIRE_TRANSIT_##name

static struct cse_call *call;

static int begin(void **state)
{
    (void)state;
    call = fake_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_free(call);
    return 0;
}

#define good(operation, name, text)                                                                \
    assert_int_equal(fake_json(call, OP(operation), name, text), CSN_WIRE_STATUS_OK)
#define refused(status, operation, name, text)                                                     \
    assert_int_equal(fake_json(call, OP(operation), name, text), CSN_WIRE_STATUS_##status)

static void is(const char *member, const char *expected)
{
    char text[100];
    assert_true(fake_text(call, member, text, sizeof text));
    assert_string_equal(text, expected);
}

/* ---- create ---- */

static void test_create(void **state)
{
    (void)state;
    char first[40], second[40];
    good(CREATE, "one",
         "{\"type\":\"p-256\",\"deletable\":true,\"purposes\":[0,7],\"max_uses\":9}");
    is("name", "one");
    is("type", "p-256");
    is("newest", "1");
    is("max_uses", "9");
    is("deletable", "true");
    is("origin", "generated");
    assert_non_null(strstr((char *)call->output, "\"operations\":[\"sign\",\"verify\"]"));
    assert_non_null(strstr((char *)call->output, "\"purposes\":[0,7]"));
    assert_true(fake_text(call, "id", first, sizeof first));
    refused(POLICY, CREATE, "one", "{\"type\":\"p-256\"}");
    good(DELETE, "one", "{}");
    refused(NOT_FOUND, INFO, "one", "");
    good(CREATE, "one", "{\"type\":\"p-256\"}");
    assert_true(fake_text(call, "id", second, sizeof second));
    assert_string_not_equal(first, second);
    refused(POLICY, DELETE, "one", "{}");
}

static void test_create_refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "{\"type\":\"rsa\"}",
        "{\"type\":7}",
        "[]",
        "{\"type\":\"p-256\"",
        "{\"type\":\"p-256\",\"type\":\"p-256\"}",
        "{\"type\":\"p-256\",\"exportable\":true}",
        "{\"type\":\"p-256\",\"operations\":[\"encrypt\"]}",
        "{\"type\":\"p-256\",\"operations\":[\"sign\",\"agree\"]}",
        "{\"type\":\"p-256\",\"operations\":[]}",
        "{\"type\":\"p-256\",\"operations\":\"sign\"}",
        "{\"type\":\"p-256\",\"operations\":[\"create\"]}",
        "{\"type\":\"p-256\",\"derived\":true}",
        "{\"type\":\"p-256\",\"derived\":1}",
        "{\"type\":\"p-256\",\"purposes\":[64]}",
        "{\"type\":\"p-256\",\"purposes\":[-1]}",
        "{\"type\":\"p-256\",\"purposes\":[]}",
        "{\"type\":\"p-256\",\"max_uses\":1.5}",
        "{\"type\":\"p-256\",\"max_uses\":1e3}",
        "{\"type\":\"p-256\",\"max_uses\":99999999999999999999}",
        "{\"type\":\"p-256\",\"max_uses\":1099511627777}",
        "{\"type\":\"p-256\",\"sealed\":\"AAAA\"}",
        "{\"type\":\"p-256\",\"key\":\"other\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(MALFORMED, CREATE, "bad", bad[i]);
    }
    refused(MALFORMED, CREATE, "a/b", "{\"type\":\"p-256\"}");
    refused(MALFORMED, CREATE, NULL, "{\"type\":\"p-256\"}");
    refused(MALFORMED, CREATE, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "{\"type\":\"p-256\"}");
    refused(NOT_FOUND, INFO, "bad", "");
    good(CREATE, NULL, "{\"type\":\"ed25519\",\"key\":\"by-member\"}");
    good(SIGN, NULL, "{\"input\":\"\",\"key\":\"by-member\"}");
    assert_true(call->output_size > 0);
    /* where the fault is */
    refused(MALFORMED, CREATE, "bad", "{\"type\":\"p-256\",\"x\":1}");
    assert_true(call->failed);
    assert_int_equal(call->fail_at, 17);
}

static void test_list(void **state)
{
    (void)state;
    struct cse_call *before = call;
    call = fake_new();
    char name[80], text[120];
    for (int i = 0; i < 128; i++) {
        snprintf(name, sizeof name, "%s-%03d", "key-of-a-name-that-is-rather-long-as-names-go", i);
        good(CREATE, name, "{\"type\":\"hmac\",\"deletable\":true}");
    }
    refused(LIMIT, CREATE, "one-more", "{\"type\":\"hmac\"}");
    call->output_max = 6144;
    good(LIST, NULL, "");
    is("more", "true");
    const char *last = strrchr((char *)call->output, '-');
    int seen = atoi(last + 1) + 1;
    assert_true(seen > 50 && seen < 128);
    snprintf(text, sizeof text, "{\"after\":\"%s-%03d\"}",
             "key-of-a-name-that-is-rather-long-as-names-go", seen - 1);
    call->output_max = FAKE_OUTPUT_MAX;
    good(LIST, NULL, text);
    is("more", "false");
    for (const char *at = (char *)call->output; (at = strstr(at, "key-of-a")) != NULL; at++) {
        assert_int_equal(atoi(at + 46), seen++);
    }
    assert_int_equal(seen, 128);
    refused(NOT_FOUND, LIST, NULL, "{\"after\":\"nobody\"}");
    /* a place that is free again is used again, at the end of the list */
    good(DELETE, "key-of-a-name-that-is-rather-long-as-names-go-000", "{}");
    good(CREATE, "one-more", "{\"type\":\"hmac\"}");
    good(LIST, NULL, "{\"after\":\"key-of-a-name-that-is-rather-long-as-names-go-127\"}");
    assert_string_equal((char *)call->output, "{\"keys\":[\"one-more\"],\"more\":false}");
    fake_free(call);
    call = before;
}

/* ---- versions ---- */

static void test_versions(void **state)
{
    (void)state;
    char old[300], text[400];
    good(CREATE, "roll", "{\"type\":\"aes-256\"}");
    good(ENCRYPT, "roll", "{\"plaintext\":\"AAAA\"}");
    assert_true(fake_text(call, "ciphertext", old, sizeof old));
    for (int i = 2; i <= 16; i++) {
        good(ROTATE, "roll", "{}");
    }
    is("newest", "16");
    refused(LIMIT, ROTATE, "roll", "{}"); /* sixteen, all of them in use */
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", old);
    good(DECRYPT, "roll", text);
    good(ENCRYPT, "roll", "{\"plaintext\":\"AAAA\",\"version\":3}");
    is("version", "3");
    good(CONFIG, "roll", "{\"min_version\":3}");
    is("min_version", "3");
    is("oldest", "1");
    refused(NOT_FOUND, DECRYPT, "roll", text);
    refused(NOT_FOUND, ENCRYPT, "roll", "{\"plaintext\":\"AAAA\",\"version\":2}");
    good(CONFIG, "roll", "{\"min_version\":1}");
    good(DECRYPT, "roll", text);
    good(CONFIG, "roll", "{\"min_version\":3}");
    good(ROTATE, "roll", "{}"); /* the oldest goes */
    is("oldest", "2");
    good(CONFIG, "roll", "{\"trim\":true}");
    is("oldest", "3");
    good(CONFIG, "roll", "{\"min_version\":1}");
    refused(NOT_FOUND, DECRYPT, "roll", text); /* it is gone */
    good(INFO, "roll", "{\"version\":3}");
    is("version", "3");
    refused(NOT_FOUND, INFO, "roll", "{\"version\":2}");
    refused(NOT_FOUND, ENCRYPT, "roll", "{\"plaintext\":\"AAAA\",\"version\":99}");
    static const char *const bad[] = {"{}", "{\"min_version\":0}", "{\"min_version\":18}",
                                      "{\"trim\":false}", "{\"type\":\"hmac\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(MALFORMED, CONFIG, "roll", bad[i]);
    }
}

/* Nothing of a secret is left in the worker's memory. */
static bool is_in_memory(const uint8_t *bytes, uint32_t size)
{
    const uint8_t *memory = call->worker;
    for (size_t i = 0; i + size <= sizeof(struct tra_worker); i++) {
        if (memory[i] == bytes[0] && memcmp(memory + i, bytes, size) == 0) {
            return true;
        }
    }
    return false;
}

static void test_wipe(void **state)
{
    (void)state;
    uint8_t secret[32], schedule[32];
    for (uint32_t i = 0; i < 32; i++) {
        secret[i] = (uint8_t)(0xa1 + 7 * i);
    }
    assert_int_equal(fake_import(call, "gone", "aes-256", secret, 32, ",\"deletable\":true"),
                     CSN_WIRE_STATUS_OK);
    good(ENCRYPT, "gone", "{\"plaintext\":\"AAAA\"}");
    assert_true(is_in_memory(secret, 32));
    struct tra_worker *worker = call->worker;
    uint32_t at = 0;
    while (worker->sealers[at].clock != worker->clock) {
        at++;
    }
    memcpy(schedule, worker->sealers[at].key.round_keys, 32);
    good(DELETE, "gone", "{}");
    assert_false(is_in_memory(secret, 8));
    assert_false(is_in_memory(schedule, 16));
    /* a version that is trimmed */
    assert_int_equal(fake_import(call, "gone", "aes-256", secret, 32, ""), CSN_WIRE_STATUS_OK);
    good(ROTATE, "gone", "{}");
    good(ENCRYPT, "gone", "{\"plaintext\":\"AAAA\",\"version\":1}");
    at = 0;
    while (worker->sealers[at].clock != worker->clock) {
        at++;
    }
    memcpy(schedule, worker->sealers[at].key.round_keys, 32);
    good(CONFIG, "gone", "{\"min_version\":2,\"trim\":true}");
    assert_false(is_in_memory(secret, 8));
    assert_false(is_in_memory(schedule, 16));
}

/* ---- uses ---- */

static void test_uses(void **state)
{
    (void)state;
    good(CREATE, "few", "{\"type\":\"ed25519\",\"max_uses\":3}");
    good(SIGN, "few", "{\"batch_input\":[{\"input\":\"\"},{\"input\":\"\"}]}");
    good(INFO, "few", "");
    is("uses", "2");
    good(SIGN, "few", "{\"batch_input\":[{\"input\":\"\"},{\"input\":\"\"}]}");
    assert_non_null(strstr((char *)call->output, "{\"status\":\"budget\"}]"));
    refused(BUDGET, SIGN, "few", "{\"input\":\"\"}");
    char proof[100], text[200];
    good(CREATE, "other", "{\"type\":\"ed25519\"}");
    good(SIGN, "other", "{\"input\":\"\"}");
    assert_true(fake_text(call, "signature", proof, sizeof proof));
    snprintf(text, sizeof text, "{\"input\":\"\",\"signature\":\"%s\"}", proof);
    good(VERIFY, "few", text); /* no use of the secret */
    is("valid", "false");
    good(ROTATE, "few", "{}");
    good(SIGN, "few", "{\"input\":\"\"}");
    refused(BUDGET, SIGN, "few", "{\"input\":\"\",\"version\":1}");
    refused(POLICY, CONFIG, "few", "{\"max_uses\":4}");
    refused(POLICY, CONFIG, "few", "{\"max_uses\":0}");
    good(CONFIG, "few", "{\"max_uses\":1}");
    refused(BUDGET, SIGN, "few", "{\"input\":\"\"}");
    /* what fails to open is a use, too: it is what a search for a key would be made of */
    good(CREATE, "box", "{\"type\":\"aes-256\",\"max_uses\":2}");
    good(ENCRYPT, "box", "{\"plaintext\":\"\"}");
    assert_true(fake_text(call, "ciphertext", proof, sizeof proof));
    proof[strlen(proof) - 4] = proof[strlen(proof) - 4] == 'A' ? 'B' : 'A';
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", proof);
    refused(NOT_FOUND, DECRYPT, "box", text);
    refused(BUDGET, ENCRYPT, "box", "{\"plaintext\":\"\"}");
}

/* ---- who ---- */

static void make_policy(struct csn_wire_transit_policy *head, struct csn_wire_transit_role *roles)
{
    *head = (struct csn_wire_transit_policy){.magic = CSN_WIRE_TRANSIT_POLICY_MAGIC,
                                             .version = 1,
                                             .role_count = 2,
                                             .key_max = 3,
                                             .version_max = 4,
                                             .use_max = 5};
    memset(roles, 0, 2 * sizeof *roles);
    roles[0].operations = 1u << OP(CREATE) | 1u << OP(INFO) | 1u << OP(ROTATE) | 1u << OP(LIST);
    roles[0].pattern_count = 1;
    roles[0].purposes = UINT64_MAX;
    memcpy(roles[0].patterns[0], "*", 1);
    roles[1].operations = 1u << OP(SIGN) | 1u << OP(RANDOM);
    roles[1].pattern_count = 2;
    roles[1].purposes = 1u << 4;
    memcpy(roles[1].patterns[0], "web-*", 5);
    memcpy(roles[1].patterns[1], "mail", 4);
}

static csn_err grant_roles(const struct csn_wire_transit_policy *head,
                           const struct csn_wire_transit_role *roles, uint32_t tenant)
{
    uint8_t policy[sizeof *head + 2 * sizeof *roles];
    memcpy(policy, head, sizeof *head);
    memcpy(policy + sizeof *head, roles, 2 * sizeof *roles);
    return fake_grant(call, tenant, policy, sizeof policy);
}

static void test_roles(void **state)
{
    (void)state;
    struct csn_wire_transit_policy head;
    struct csn_wire_transit_role roles[2];
    make_policy(&head, roles);
    assert_int_equal(grant_roles(&head, roles, 1), CSN_OK);
    call->tenant = 1;
    call->field_mask = 0;
    refused(RIGHTS, CREATE, "web-1", "{\"type\":\"ed25519\"}");
    call->field_mask = 1;
    static const char any[] = "{\"type\":\"ed25519\",\"purposes\":[0,4]}";
    good(CREATE, "web-1", any);
    good(CREATE, "mail", any);
    good(CREATE, "other", any);
    refused(LIMIT, CREATE, "fourth", any); /* key_max */
    good(ROTATE, "mail", "{}");
    refused(LIMIT, ROTATE, "mail", "{}"); /* version_max */
    refused(RIGHTS, SIGN, "web-1", "{\"input\":\"\"}");
    call->rights = CSN_WIRE_RIGHT_SUBMIT;
    refused(RIGHTS, ROTATE, "mail", "{}");
    good(INFO, "mail", "");
    call->field_mask = 2;
    call->purpose = 4;
    good(SIGN, "web-1", "{\"input\":\"\"}");
    good(SIGN, "mail", "{\"input\":\"\"}");
    refused(RIGHTS, SIGN, "other", "{\"input\":\"\"}");
    refused(RIGHTS, SIGN, "mailer", "{\"input\":\"\"}"); /* not there, and not told */
    refused(RIGHTS, SIGN, "mai", "{\"input\":\"\"}");
    refused(NOT_FOUND, SIGN, "web-", "{\"input\":\"\"}");
    refused(RIGHTS, INFO, "mail", "");
    refused(RIGHTS, LIST, NULL, "");
    good(RANDOM, NULL, "{}");
    call->purpose = 0; /* a purpose of the key, and not of the role */
    refused(RIGHTS, SIGN, "mail", "{\"input\":\"\"}");
    call->purpose = 4;
    call->field_mask = 3;
    good(SIGN, "web-1",
         "{\"batch_input\":[{\"input\":\"\"},{\"input\":\"\"},{\"input\":\"\"},"
         "{\"input\":\"\"}]}"); /* use_max */
    assert_non_null(strstr((char *)call->output, "{\"status\":\"budget\"}]"));
    call->tenant = 0;
    call->purpose = 0;
    call->rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_KEYS;
}

static void test_purposes(void **state)
{
    (void)state;
    call->purpose = 3;
    good(CREATE, "three", "{\"type\":\"ed25519\"}"); /* that of the request */
    assert_non_null(strstr((char *)call->output, "\"purposes\":[3]"));
    good(SIGN, "three", "{\"input\":\"\"}");
    call->purpose = 0;
    refused(POLICY, SIGN, "three", "{\"input\":\"\"}");
    good(INFO, "three", "");
}

static void test_policies(void **state)
{
    (void)state;
    struct csn_wire_transit_policy good_head, head;
    struct csn_wire_transit_role good_roles[2], roles[2];
    make_policy(&good_head, good_roles);
#define BAD(change)                                                                                \
    head = good_head, memcpy(roles, good_roles, sizeof roles);                                     \
    change;                                                                                        \
    assert_int_not_equal(grant_roles(&head, roles, 2), CSN_OK)
    BAD(head.magic++);
    BAD(head.version++);
    BAD(head.reserved = 1);
    BAD(head.store = 3);
    BAD(head.store = CSN_WIRE_TRANSIT_STORE_JOURNAL); /* the host has none */
    BAD(head.store = CSN_WIRE_TRANSIT_STORE_TPM);
    BAD(head.counter = 2);
    BAD(head.counter = 1); /* and none behind the head */
    BAD(head.role_count = 33);
    BAD(head.role_count = 1);
    BAD(head.role_count = 3);
    BAD(head.key_max = 0);
    BAD(head.key_max = 129);
    BAD(head.version_max = 0);
    BAD(head.version_max = 513);
    BAD(roles[1].operations = 0);
    BAD(roles[1].operations |= 1);
    BAD(roles[1].operations |= 1u << 24);
    BAD(roles[1].purposes = 0);
    BAD(roles[1].pattern_count = 0);
    BAD(roles[1].pattern_count = 9);
    BAD(roles[1].pattern_count = 1); /* and a second one there */
    BAD(roles[1].pattern_count = 3); /* and none there */
    BAD(roles[1].patterns[0][0] = '*');
    BAD(roles[1].patterns[0][0] = '/');
    BAD(memset(roles[1].patterns[0], 'a', 64));
    assert_int_not_equal(fake_grant(call, 2, &good_head, 31), CSN_OK);
    /* who was refused has no place, or strangers could take them all */
    const struct tra_worker *worker = call->worker;
    uint32_t used = 0;
    for (uint32_t i = 0; i < TRA_STORE_COUNT; i++) {
        used += worker->stores[i].used;
    }
    assert_int_equal(used, 2);
    assert_int_equal(grant_roles(&good_head, good_roles, 2), CSN_OK);
}

/* ---- import and birth ---- */

static void test_import(void **state)
{
    (void)state;
    uint8_t secret[80];
    char sealed[512], text[700];
    memset(secret, 9, sizeof secret);
    assert_int_equal(fake_import(call, "in", "ed25519", secret, 32, ",\"max_uses\":5"),
                     CSN_WIRE_STATUS_OK);
    is("origin", "imported");
    is("max_uses", "5");
    secret[0]++;
    assert_int_equal(fake_import(call, "in", "ed25519", secret, 32, ""), CSN_WIRE_STATUS_OK);
    is("newest", "2");
    is("origin", "imported");
    assert_int_equal(fake_import(call, "in", "x25519", secret, 32, ""), CSN_WIRE_STATUS_POLICY);
    assert_int_equal(fake_import(call, "in", "ed25519", secret, 32, ",\"max_uses\":9"),
                     CSN_WIRE_STATUS_POLICY);
    good(ROTATE, "in", "{}");
    is("origin", "generated");
    /* sizes and ranges */
    assert_int_equal(fake_import(call, "no", "ed25519", secret, 31, ""), CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(fake_import(call, "no", "hmac", secret, 15, ""), CSN_WIRE_STATUS_MALFORMED);
    memset(secret, 0xff, sizeof secret);
    assert_int_equal(fake_import(call, "no", "p-256", secret, 32, ""), CSN_WIRE_STATUS_MALFORMED);
    memset(secret, 0, sizeof secret);
    assert_int_equal(fake_import(call, "no", "p-384", secret, 48, ""), CSN_WIRE_STATUS_MALFORMED);
    /* sealed for another name, another type, or changed */
    fake_sealed(call, "yes", CSN_WIRE_TRANSIT_AES_256, secret, 32, sealed);
    snprintf(text, sizeof text, "{\"type\":\"aes-256\",\"sealed\":\"%s\"}", sealed);
    refused(NOT_FOUND, IMPORT, "no", text);
    snprintf(text, sizeof text, "{\"type\":\"ff1\",\"sealed\":\"%s\"}", sealed);
    refused(NOT_FOUND, IMPORT, "yes", text);
    sealed[50] = sealed[50] == 'A' ? 'B' : 'A';
    snprintf(text, sizeof text, "{\"type\":\"aes-256\",\"sealed\":\"%s\"}", sealed);
    refused(NOT_FOUND, IMPORT, "yes", text);
    refused(MALFORMED, IMPORT, "yes", "{\"type\":\"aes-256\",\"sealed\":\"AAAA\"}");
    refused(MALFORMED, IMPORT, "yes", "{\"type\":\"aes-256\"}");
    refused(NOT_FOUND, INFO, "no", "");
}

static bool openssl_verifies(const uint8_t *message, uint32_t size, const uint8_t *signature)
{
    uint8_t public_key[32], secret[64];
    csn_ed25519_expand(call->statement_seed, public_key, secret);
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, key), 1);
    const int result = EVP_DigestVerify(context, signature, 64, message, size);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return result == 1;
}

static void test_birth(void **state)
{
    (void)state;
    uint8_t certificate[TRA_BIRTH_MAX], message[TRA_BIRTH_MAX + 16], public_key[65];
    struct csn_wire_birth birth;
    call->grant_version = 42;
    good(CREATE, "born", "{\"type\":\"p-256\",\"max_uses\":77}");
    call->grant_version = 43; /* it was born under 42 */
    good(INFO, "born", "");
    const uint32_t size = fake_bytes(call, "birth", certificate, sizeof certificate);
    assert_int_equal(size, sizeof birth + 65 + 64);
    memcpy(&birth, certificate, sizeof birth);
    assert_int_equal(birth.magic, CSN_WIRE_BIRTH_MAGIC);
    assert_int_equal(birth.version, CSN_WIRE_BIRTH_VERSION);
    assert_int_equal(birth.size, size);
    assert_int_equal(birth.key_type, CSN_WIRE_KEY_TYPE_P256);
    assert_int_equal(birth.key_version, 1);
    assert_int_equal(birth.origin, CSN_WIRE_BIRTH_GENERATED);
    assert_int_equal(birth.operations, CSN_WIRE_OPERATION_SIGN | CSN_WIRE_OPERATION_VERIFY);
    assert_int_equal(birth.flags, 0);
    assert_int_equal(birth.grant_version, 42);
    assert_int_equal(birth.records_max, 77);
    assert_string_equal(birth.name, "born");
    assert_int_equal(birth.tenant[31], 1);
    assert_int_equal(birth.boot_id[15], call->boot);
    assert_int_equal(birth.measurement[47], FAKE_MEASUREMENT);
    assert_int_equal(birth.grant_digest[31], FAKE_DIGEST);
    assert_int_equal(birth.public_size, 65);
    assert_int_equal(fake_bytes(call, "public_key", public_key, sizeof public_key), 65);
    assert_memory_equal(certificate + sizeof birth, public_key, 65);
    memcpy(message, CSN_WIRE_BIRTH_LABEL, 16);
    memcpy(message + 16, certificate, size - 64);
    assert_true(openssl_verifies(message, 16 + size - 64, certificate + size - 64));
    message[100] ^= 1;
    assert_false(openssl_verifies(message, 16 + size - 64, certificate + size - 64));
    /* the next change has the next number */
    const uint64_t change = birth.change;
    good(ROTATE, "born", "{}");
    fake_bytes(call, "birth", certificate, sizeof certificate);
    memcpy(&birth, certificate, sizeof birth);
    assert_int_equal(birth.change, change + 1);
    assert_int_equal(birth.key_version, 2);
    assert_int_equal(birth.grant_version, 43);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),   cmocka_unit_test(test_create_refusals),
        cmocka_unit_test(test_list),     cmocka_unit_test(test_versions),
        cmocka_unit_test(test_wipe),     cmocka_unit_test(test_uses),
        cmocka_unit_test(test_roles),    cmocka_unit_test(test_purposes),
        cmocka_unit_test(test_policies), cmocka_unit_test(test_import),
        cmocka_unit_test(test_birth),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
