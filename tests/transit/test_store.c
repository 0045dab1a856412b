/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_store.c: what survives: a restart at any point, a host that fails, lies, or gives an older
 * copy, another tenant's, or none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../enclaves/transit/tra_log.h"
#include "fake.h"
#include <caisson/wire/birth.h>
#include <stdio.h>
#include <stdlib.h>

#define OP(name) CSN_WIRE_TRANSIT_##name

static struct store_double store;
static struct cse_call *call;

#define good(operation, name, text)                                                                \
    assert_int_equal(fake_json(call, OP(operation), name, text), CSN_WIRE_STATUS_OK)
#define refused(status, operation, name, text)                                                     \
    assert_int_equal(fake_json(call, OP(operation), name, text), CSN_WIRE_STATUS_##status)

static int begin(void **state)
{
    (void)state;
    store_double_start(&store);
    call = fake_boot(&store);
    return fake_grant(call, 0, NULL, 0) == CSN_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    fake_free(call);
    store_double_stop(&store);
    return 0;
}

/* The enclave is gone, and another one has the grant. */
static csn_err restart(void)
{
    fake_free(call);
    call = fake_boot(&store);
    return fake_grant(call, 0, NULL, 0);
}

static void is(const char *member, const char *expected)
{
    char text[100];
    assert_true(fake_text(call, member, text, sizeof text));
    assert_string_equal(text, expected);
}

static void keep(char *text, uint32_t max)
{
    assert_true(call->output_size < max);
    memcpy(text, call->output, call->output_size + 1);
}

static void test_restart(void **state)
{
    (void)state;
    char before[6000], sealed[300], text[400];
    uint8_t secret[32] = {9};
    assert_string_equal(call->claim, "journal");
    good(CREATE, "p", "{\"type\":\"p-384\",\"max_uses\":1000,\"deletable\":true}");
    good(CREATE, "e", "{\"type\":\"ed25519\"}");
    good(CREATE, "k", "{\"type\":\"ml-kem-768\"}");
    good(CREATE, "gone", "{\"type\":\"hmac\",\"deletable\":true}");
    good(CREATE, "a", "{\"type\":\"aes-256\",\"derived\":true}");
    assert_int_equal(fake_import(call, "in", "x25519", secret, 32, ""), CSN_WIRE_STATUS_OK);
    good(ENCRYPT, "a", "{\"plaintext\":\"AAAA\",\"context\":\"AA==\"}");
    assert_true(fake_text(call, "ciphertext", sealed, sizeof sealed));
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\",\"context\":\"AA==\"}", sealed);
    good(DELETE, "gone", "{}");
    good(ROTATE, "a", "{}");
    good(ROTATE, "a", "{}");
    good(CONFIG, "a", "{\"min_version\":1}");
    static const char *const names[] = {"p", "e", "k", "a", "in"};
    for (int i = 0; i < 5; i++) {
        good(INFO, names[i], "");
        keep(before, sizeof before);
        assert_int_equal(restart(), CSN_OK);
        good(INFO, names[i], "");
        assert_string_equal(before, (char *)call->output);
    }
    refused(NOT_FOUND, INFO, "gone", "");
    good(DECRYPT, "a", text);
    is("plaintext", "AAAA");
    good(LIST, NULL, "");
    assert_string_equal((char *)call->output,
                        "{\"keys\":[\"p\",\"e\",\"k\",\"a\",\"in\"],\"more\":false}");
    good(CONFIG, "a", "{\"min_version\":3,\"trim\":true}");
    assert_int_equal(restart(), CSN_OK);
    refused(NOT_FOUND, DECRYPT, "a", text);
    good(INFO, "a", "");
    is("oldest", "3");
}

static void test_uses(void **state)
{
    (void)state;
    good(CREATE, "u", "{\"type\":\"ed25519\",\"max_uses\":80}");
    good(SIGN, "u", "{\"input\":\"\"}");
    assert_int_equal(restart(), CSN_OK);
    good(INFO, "u", "");
    is("uses", "10"); /* the block that was begun */
    for (int i = 0; i < 7; i++) {
        good(SIGN, "u", "{\"input\":\"\"}");
        assert_int_equal(restart(), CSN_OK);
    }
    refused(BUDGET, SIGN, "u", "{\"input\":\"\"}");
    /* no use leaves before its block is in the store */
    good(CREATE, "v", "{\"type\":\"ed25519\",\"max_uses\":8}");
    for (int i = 0; i < 8; i++) {
        good(SIGN, "v", "{\"input\":\"\"}");
        assert_int_equal(restart(), CSN_OK);
    }
    refused(BUDGET, SIGN, "v", "{\"input\":\"\"}");
}

/* The host fails at any one of its tasks: no change that was not acknowledged, and none lost. */
static void test_failures(void **state)
{
    (void)state;
    good(CREATE, "base", "{\"type\":\"hmac\"}");
    for (uint64_t at = 1; at < 12; at++) {
        char name[20];
        snprintf(name, sizeof name, "try-%u", (unsigned)at);
        store.fail_at = store.asks + at;
        store.fail_status = CSN_WIRE_OUTSIDE_FAILED;
        const cse_status made = fake_json(call, OP(CREATE), name, "{\"type\":\"hmac\"}");
        assert_true(made == CSN_WIRE_STATUS_OK || made == CSN_WIRE_STATUS_UNAVAILABLE);
        store.fail_at = 0;
        /* what was refused may be there or not once it is asked again; what was not is there */
        const cse_status there = fake_json(call, OP(INFO), name, "");
        assert_true(there == CSN_WIRE_STATUS_OK ||
                    (there == CSN_WIRE_STATUS_NOT_FOUND && made != CSN_WIRE_STATUS_OK));
        assert_int_equal(restart(), CSN_OK);
        assert_int_equal(fake_json(call, OP(INFO), name, ""), there);
        good(INFO, "base", "");
    }
    /* full: what is there is served, nothing is made */
    store.fail_at = store.asks + 1;
    store.fail_on = true;
    store.fail_operation = CSN_WIRE_OUTSIDE_APPEND;
    store.fail_status = CSN_WIRE_OUTSIDE_FULL;
    refused(UNAVAILABLE, CREATE, "full", "{\"type\":\"hmac\"}");
    good(INFO, "base", "");
    refused(UNAVAILABLE, CREATE, "full", "{\"type\":\"hmac\"}");
    store.fail_at = 0;
    store.fail_on = false;
    store.fail_operation = 0;
    good(CREATE, "full", "{\"type\":\"hmac\"}");
}

static void test_older_copy(void **state)
{
    (void)state;
    struct store_double old;
    good(CREATE, "first", "{\"type\":\"hmac\"}");
    store_double_start(&old);
    store_double_copy(&old, &store);
    good(CREATE, "second", "{\"type\":\"hmac\"}");
    /* while the enclave lives, the older one is refused */
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        if (old.objects[i].name[0] != 0) {
            store_double_put(&store, old.objects[i].name, old.objects[i].bytes,
                             old.objects[i].size);
        }
    }
    store.fail_at = store.asks + 1; /* so that it looks */
    store.fail_status = CSN_WIRE_OUTSIDE_FAILED;
    refused(UNAVAILABLE, CREATE, "third", "{\"type\":\"hmac\"}");
    store.fail_at = 0;
    refused(UNAVAILABLE, INFO, "first", "");
    assert_int_not_equal(fake_grant(call, 0, NULL, 0), CSN_OK);
    store_double_stop(&old);
}

/* Refused, or as an older state: a host may always give one of those. */
static void test_damage(void **state)
{
    (void)state;
    struct store_double whole;
    uint32_t refusals = 0, tried = 0;
    good(CREATE, "first", "{\"type\":\"hmac\"}");
    good(CREATE, "second", "{\"type\":\"hmac\"}");
    store_double_start(&whole);
    store_double_copy(&whole, &store);
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        for (uint64_t at = 0; whole.objects[i].name[0] != 0 && at < whole.objects[i].size;
             at += 13, tried++) {
            store_double_put(&store, whole.objects[i].name, whole.objects[i].bytes,
                             whole.objects[i].size);
            store_double_find(&store, whole.objects[i].name)->bytes[at] ^= 1;
            if (restart() != CSN_OK) {
                refusals++;
                continue;
            }
            const bool first = fake_json(call, OP(INFO), "first", "") == CSN_WIRE_STATUS_OK;
            const bool second = fake_json(call, OP(INFO), "second", "") == CSN_WIRE_STATUS_OK;
            assert_true(first || !second);
        }
        if (whole.objects[i].name[0] != 0) {
            store_double_put(&store, whole.objects[i].name, whole.objects[i].bytes,
                             whole.objects[i].size);
        }
    }
    printf("# %u of %u refused\n", refusals, tried);
    assert_true(refusals > tried / 3);
    assert_int_equal(restart(), CSN_OK);
    good(INFO, "second", "");
    store_double_stop(&whole);
}

/* A journal under another tenant's name is not his. */
static void test_other_tenant(void **state)
{
    (void)state;
    struct store_double before;
    char names[2][CSN_WIRE_OBJECT_NAME_MAX + 1];
    uint32_t count = 0;
    good(CREATE, "mine", "{\"type\":\"hmac\"}");
    store_double_start(&before);
    store_double_copy(&before, &store);
    assert_int_equal(fake_grant(call, 1, NULL, 0), CSN_OK);
    call->tenant = 1;
    refused(NOT_FOUND, INFO, "mine", "");
    good(CREATE, "theirs", "{\"type\":\"hmac\"}");
    call->tenant = 0;
    refused(NOT_FOUND, INFO, "theirs", "");
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS && count < 2; i++) {
        if (store.objects[i].name[0] != 0) {
            strcpy(names[count++], store.objects[i].name);
        }
    }
    assert_int_equal(count, 2);
    struct store_object *first = store_double_find(&store, names[0]);
    struct store_object *second = store_double_find(&store, names[1]);
    strcpy(first->name, names[1]);
    strcpy(second->name, names[0]);
    fake_free(call);
    call = fake_boot(&store);
    for (uint32_t tenant = 0; tenant < 2; tenant++) {
        call->tenant = tenant;
        /* Refused, or as good as none: a host may always give none. */
        if (fake_grant(call, tenant, NULL, 0) == CSN_OK) {
            refused(NOT_FOUND, INFO, "mine", "");
            refused(NOT_FOUND, INFO, "theirs", "");
        }
    }
    store_double_stop(&before);
}

static uint64_t stored(void)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        size += store.objects[i].name[0] != 0 ? store.objects[i].size : 0;
    }
    return size;
}

/* More changes than a log holds: a snapshot stands for them. */
static void test_snapshot(void **state)
{
    (void)state;
    char before[6000];
    good(CREATE, "s", "{\"type\":\"ed25519\",\"max_uses\":7}");
    good(SIGN, "s", "{\"input\":\"\"}");
    good(ROTATE, "s", "{}");
    good(ROTATE, "s", "{}");
    good(CREATE, "t", "{\"type\":\"p-256\"}");
    struct tra_store *ours = ((struct tra_grant *)call->states[0])->store;
    uint64_t size = 0;
    /* To the end of a snapshot, so that there is nothing behind it. */
    for (uint32_t i = 0; i < 9000 && (i < 6000 || stored() >= size); i++) {
        size = stored();
        if (i % 40 == 1) {
            good(CREATE, "x", "{\"type\":\"hmac\",\"deletable\":true}");
            good(DELETE, "x", "{}");
        }
        good(CONFIG, "t", "{\"min_version\":1}");
    }
    const uint64_t change = ours->change;
    size = stored();
    printf("# %llu changes, %llu bytes\n", (unsigned long long)change, (unsigned long long)size);
    assert_true(size < 1200000); /* 6,300 changes of 290 bytes and more */
    good(INFO, "s", "");
    keep(before, sizeof before);
    assert_int_equal(restart(), CSN_OK);
    ours = ((struct tra_grant *)call->states[0])->store;
    assert_int_equal(ours->change, change);
    good(INFO, "s", "");
    assert_string_equal(before, (char *)call->output);
    good(SIGN, "s", "{\"input\":\"\"}");
}

static void test_none(void **state)
{
    (void)state;
    struct csn_wire_transit_policy head = {.magic = CSN_WIRE_TRANSIT_POLICY_MAGIC,
                                           .version = 1,
                                           .store = CSN_WIRE_TRANSIT_STORE_JOURNAL,
                                           .key_max = 9,
                                           .version_max = 9};
    good(CREATE, "kept", "{\"type\":\"hmac\"}");
    assert_int_equal(fake_grant(call, 0, &head, sizeof head), CSN_OK);
    good(INFO, "kept", "");
    /* the host says that it has no store any more */
    store.fail_at = store.asks + 1;
    store.fail_on = true;
    store.fail_status = CSN_WIRE_OUTSIDE_NONE;
    refused(UNAVAILABLE, CREATE, "more", "{\"type\":\"hmac\"}");
    refused(UNAVAILABLE, INFO, "kept", "");
    assert_int_not_equal(fake_grant(call, 0, NULL, 0), CSN_OK);
    fake_free(call);
    call = fake_boot(&store);
    assert_int_not_equal(fake_grant(call, 0, &head, sizeof head), CSN_OK);
    assert_int_equal(fake_grant(call, 0, NULL, 0), CSN_OK); /* who does not mind */
    assert_string_equal(call->claim, "none");
    refused(NOT_FOUND, INFO, "kept", "");
    good(CREATE, "kept", "{\"type\":\"hmac\"}");
    store.fail_at = 0;
    store.fail_on = false;
}

/* A grant that is refused leaves the one in force as it was. */
static void test_refused_grant(void **state)
{
    (void)state;
    const struct csn_wire_transit_policy head = {.magic = CSN_WIRE_TRANSIT_POLICY_MAGIC,
                                                 .version = 1,
                                                 .store = CSN_WIRE_TRANSIT_STORE_TPM,
                                                 .counter = 1,
                                                 .key_max = 9,
                                                 .version_max = 9};
    uint8_t policy[sizeof head + sizeof(struct csn_wire_counter)];
    memset(policy, 7, sizeof policy);
    memcpy(policy, &head, sizeof head);
    good(CREATE, "still", "{\"type\":\"hmac\"}");
    assert_int_not_equal(fake_grant(call, 0, policy, sizeof policy), CSN_OK); /* no such TPM */
    good(INFO, "still", "");
    assert_int_equal(fake_grant(call, 0, NULL, 0), CSN_OK);
    good(INFO, "still", "");
}

static int boot_of(const char *name)
{
    uint8_t bytes[TRA_BIRTH_MAX];
    struct csn_wire_birth birth;
    good(INFO, name, "");
    assert_true(fake_bytes(call, "birth", bytes, sizeof bytes) >= sizeof birth);
    memcpy(&birth, bytes, sizeof birth);
    return birth.boot_id[7];
}

/*
 * A tenant that writes its own journal knows this boot's id, and what stands with a key that was
 * made here; no certificate then says that a secret of its own was.
 */
static void test_forged_birth(void **state)
{
    (void)state;
    struct tra_store *mine = ((struct tra_grant *)call->states[0])->store;
    good(CREATE, "real", "{\"type\":\"ed25519\"}");
    assert_int_equal(boot_of("real"), call->boot);
    struct tra_log log = {.size = 0};
    const struct tra_key *real = tra_find(mine, "real", 4);
    struct tra_policy_of_key policy = real->is;
    struct tra_version version = mine->versions[real->newest_at];
    memset(version.secret, 0x21, sizeof version.secret);
    assert_int_equal(version.birth.boot_id[7], call->boot);
    strcpy(policy.name, "ours");
    policy.id[0] ^= 1;
    tra_log_key(&log, mine, &policy);
    tra_log_version(&log, mine, &policy, &version);
    assert_int_equal(tra_log_apply(mine, log.bytes, log.size), CSN_OK);
    assert_int_equal(boot_of("ours"), 0);
    /* the secret alone, with all else as it was */
    log.size = 0;
    policy = real->is;
    tra_log_drop(&log, mine, policy.id, 0);
    tra_log_key(&log, mine, &policy);
    tra_log_version(&log, mine, &policy, &version);
    assert_int_equal(tra_log_apply(mine, log.bytes, log.size), CSN_OK);
    assert_int_equal(boot_of("real"), 0);
    /* what comes back in the same boot has its own */
    assert_int_equal(cse_journal_reopen((struct cse_journal *)(void *)mine->journal), CSN_OK);
    assert_int_equal(boot_of("real"), call->boot);
    refused(NOT_FOUND, INFO, "ours", "");
    const int before = call->boot;
    assert_int_equal(restart(), CSN_OK);
    assert_int_not_equal(call->boot, before);
    assert_int_equal(boot_of("real"), before);
}

/* Entries that no change of ours would write. */
static void test_entries(void **state)
{
    (void)state;
    static struct tra_store target;
    struct tra_log log = {.size = 0};
    struct tra_policy_of_key policy = {
        .name = "key", .type = CSN_WIRE_TRANSIT_HMAC, .min_version = 1};
    struct tra_version version = {.number = 1, .secret_size = 32};
    tra_log_key(&log, &target, &policy);
    const uint32_t key_size = log.size;
    tra_log_version(&log, &target, &policy, &version);
    assert_int_equal(tra_log_apply(&target, log.bytes, log.size), CSN_OK);
    assert_int_equal(target.key_count, 1);
    /* the version again, one of another key, a name that is taken, a type that changes */
    assert_int_not_equal(tra_log_apply(&target, log.bytes + key_size, log.size - key_size), CSN_OK);
    log.bytes[key_size + 4] = 2; /* its number */
    log.bytes[key_size + 16] ^= 1;
    assert_int_not_equal(tra_log_apply(&target, log.bytes + key_size, log.size - key_size), CSN_OK);
    log.bytes[key_size + 16] ^= 1;
    log.bytes[16] ^= 1;
    assert_int_not_equal(tra_log_apply(&target, log.bytes, key_size), CSN_OK);
    log.bytes[32 + 64] ^= 1;
    assert_int_not_equal(tra_log_apply(&target, log.bytes, key_size), CSN_OK);
    log.bytes[16] ^= 1;
    log.bytes[32 + 64] ^= 1;
    log.bytes[32 + 80]++;
    assert_int_not_equal(tra_log_apply(&target, log.bytes, key_size), CSN_OK);
    log.bytes[32 + 80]--;
    for (uint32_t size = 1; size < log.size; size++) {
        if (size != key_size) {
            assert_int_not_equal(tra_log_apply(&target, log.bytes, size), CSN_OK);
        }
    }
    /* the newest version is not dropped without its key */
    struct tra_log drop = {.size = 0};
    tra_log_drop(&drop, &target, policy.id, 1);
    assert_int_not_equal(tra_log_apply(&target, drop.bytes, drop.size), CSN_OK);
    drop.size = 0;
    tra_log_drop(&drop, &target, policy.id, 0);
    assert_int_equal(tra_log_apply(&target, drop.bytes, drop.size), CSN_OK);
    assert_int_equal(target.key_count, 0);
    assert_int_equal(target.version_count, 0);
    assert_int_not_equal(tra_log_apply(&target, drop.bytes, drop.size), CSN_OK);
    drop.bytes[0] = 9;
    assert_int_not_equal(tra_log_apply(&target, drop.bytes, drop.size), CSN_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_restart),  TEST(test_uses),         TEST(test_failures),
        TEST(test_damage),   TEST(test_other_tenant), TEST(test_older_copy),
        TEST(test_none),     TEST(test_entries),      TEST(test_refused_grant),
        TEST(test_snapshot), TEST(test_forged_birth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
