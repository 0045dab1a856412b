/* SPDX-License-Identifier: Apache-2.0 */
/* test_client.c: what the tenant's side refuses: forged answers, clones, damaged files. */
#include "../enclave/solo.h"
#include <sys/wait.h>
#include <unistd.h>

static uint32_t seal(struct csv_sealer *sealer)
{
    return solo_seal(sealer, FAKE_ECHO, "payload", 7);
}

/* A producer cloned by fork: parent and child never share a key, so no nonce repeats under one. */
static void fork_clone(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csn_wire_record parent[4];
    struct csn_wire_record child[4];
    int pipes[2];
    seal(sealer);
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct csv_seal_item item = {.payload = pid == 0 ? "child" : "parent",
                                     .payload_size = 5,
                                     .operation = FAKE_ECHO,
                                     .record = record,
                                     .record_size_max = sizeof record};
        bool sealed = csv_seal_batch(sealer, &item, 1) == CSN_OK && item.result == CSN_OK;
        memcpy(&parent[i], record, sizeof parent[i]);
        parent[i].kind = sealed ? parent[i].kind : 0;
    }
    if (pid == 0) {
        ssize_t written = write(pipes[1], parent, sizeof parent);
        _exit(written == sizeof parent ? 0 : 1);
    }
    assert_int_equal(read(pipes[0], child, sizeof child), sizeof child);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(parent[i].kind, CSN_WIRE_RECORD);
        assert_int_equal(child[i].kind, CSN_WIRE_RECORD);
        for (uint32_t k = 0; k < 4; k++) {
            /* The pair (key, nonce) is (encapsulation, salt; sequence). */
            bool same_key = memcmp(parent[i].encapsulation, child[k].encapsulation, 32) == 0 &&
                            memcmp(parent[i].salt, child[k].salt, 16) == 0;
            assert_false(same_key);
        }
    }
    close(pipes[0]);
    close(pipes[1]);
    csv_sealer_destroy(sealer);
}

/* A new salt at least every 2^20 records, for a producer that never starts anew. */
static void salt_has_an_end(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csn_wire_record first;
    struct csn_wire_record last;
    seal(sealer);
    memcpy(&first, record, sizeof first);
    for (uint32_t sealed = 1; sealed < CSN_WIRE_SALT_RECORDS_MAX;) {
        static struct csv_seal_item items[64];
        uint32_t count = sealed == 1 ? 63 : 64;
        for (uint32_t i = 0; i < count; i++) {
            items[i] = (struct csv_seal_item){
                .operation = FAKE_ECHO, .record = record + (size_t)i * 512, .record_size_max = 512};
        }
        assert_int_equal(csv_seal_batch(sealer, items, count), CSN_OK);
        sealed += count;
    }
    memcpy(&last, record + (size_t)63 * 512, sizeof last);
    assert_memory_equal(first.salt, last.salt, sizeof last.salt);
    seal(sealer);
    memcpy(&last, record, sizeof last);
    assert_memory_not_equal(first.salt, last.salt, sizeof last.salt);
    assert_memory_equal(first.encapsulation, last.encapsulation, 32);
    csv_sealer_destroy(sealer);
}

/* Every single-bit flip of an output is refused and leaves the caller's buffer as it was. */
static void forged_outputs(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    static uint8_t text[900] = "payload";
    static uint8_t payload[8192];
    static uint8_t untouched[8192];
    memset(payload, 0xaa, sizeof payload);
    memset(untouched, 0xaa, sizeof untouched);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, text, sizeof text);
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_true(answer->size * 8 > 9000);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    struct csv_open_item item = {.record = answer->body, .size = answer->size, .payload = payload};
    for (uint32_t bit = 0; bit < answer->size * 8; bit++) {
        answer->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
        assert_int_not_equal(item.result, CSN_OK);
        assert_memory_equal(payload, untouched, sizeof payload);
        answer->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (item.size = 0; item.size < answer->size; item.size++) {
        assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
        assert_int_not_equal(item.result, CSN_OK);
    }
    assert_memory_equal(payload, untouched, sizeof payload);
    item.size = answer->size;
    assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_OK);
    assert_memory_equal(payload, text, sizeof text);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

/* A host with the consumer's public key but no credential makes up an output. */
static void made_up_output(void **state)
{
    (void)state;
    struct fake_tenant *host = calloc(1, sizeof *host);
    uint8_t payload[4096];
    assert_non_null(host);
    fake_tenant_new(host);
    struct csn_wire_consumer *wire = &host->tenant.consumers[0];
    wire->credential = tenant.consumer.credential;
    memcpy(wire->public_key, tenant.consumer.public_key, 32);
    memset(wire->secret_key, 0, 32);
    fake_grant(&fake, host, 1); /* the host's own tenant, our consumer's key, a made-up secret */
    struct csv_sealer *sealer = solo_sealer(host, &host->producer, NULL);
    const struct fake_answer *answer = fake_one(&fake, record, seal(sealer));
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    struct csv_open_item item = solo_open(opener, answer, payload);
    assert_int_equal(item.result, CSN_ERR_UNKNOWN);
    memcpy(((struct csn_wire_record *)(void *)answer->body)->tenant, tenant.tenant.id, 32);
    assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_ERR_AUTH);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
    free(host);
}

static void below_the_floor(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = NULL;
    uint8_t digest[32];
    uint8_t payload[4096];
    const struct fake_answer *answer = fake_one(&fake, record, seal(sealer));
    struct csv_open_item item = {.record = answer->body, .size = answer->size, .payload = payload};
    struct csv_opener_options options = {.consumer = &tenant.consumer, .grant_version_min = 2};
    assert_int_equal(csv_opener_create(&options, &opener), CSN_OK);
    assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_ERR_POLICY);
    csv_opener_destroy(opener);
    memcpy(digest, tenant.grant.digest, 32);
    digest[0] ^= 1;
    options.grant_version_min = 1;
    options.grant_digest = digest;
    assert_int_equal(csv_opener_create(&options, &opener), CSN_OK);
    assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_ERR_POLICY);
    csv_opener_destroy(opener);
    csv_sealer_destroy(sealer);
}

static void forged_receipts(void **state)
{
    (void)state;
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    fake_grant_build(&fake, &tenant, 2);
    struct csv_grant second = tenant.grant;
    const struct fake_answer *answer = fake_one(&fake, tenant.message, tenant.message_size);
    assert_int_equal(answer->code, CSN_WIRE_GRANTED);
    for (uint32_t bit = 0; bit < answer->size * 8; bit++) {
        answer->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(
            csv_receipt_open(&second, answer->body, answer->size, &result, &receipt), CSN_OK);
        answer->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(csv_receipt_open(&second, answer->body, answer->size, &result, &receipt),
                     CSN_OK);
    assert_memory_equal(receipt.boot_id, fake.instance.boot_id, 16);
    /* The receipt of one grant says nothing about another of the same version. */
    fake_grant_build(&fake, &tenant, 2);
    assert_int_not_equal(
        csv_receipt_open(&tenant.grant, answer->body, answer->size, &result, &receipt), CSN_OK);
    /* A policy that the service refuses: a receipt that says no, and the old grant goes on. */
    struct csv_recipient instance = fake_recipient(&fake);
    const struct csv_grant_options options = {.tenant = &tenant.tenant,
                                              .instance = &instance,
                                              .version = 3,
                                              .policy = "bad",
                                              .policy_size = 3};
    assert_int_equal(csv_grant_build(&options, tenant.message, sizeof tenant.message,
                                     &tenant.message_size, &second),
                     CSN_OK);
    answer = fake_one(&fake, tenant.message, tenant.message_size);
    assert_int_equal(answer->code, CSN_WIRE_GRANTED);
    assert_int_equal(csv_receipt_open(&second, answer->body, answer->size, &result, &receipt),
                     CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_POLICY);
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    answer = fake_one(&fake, record, seal(sealer));
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_int_equal(((struct csn_wire_record *)(void *)answer->body)->grant_version, 2);
    csv_sealer_destroy(sealer);
}

static void statements(void **state)
{
    (void)state;
    struct csv_statement statement;
    struct csv_recipient *recipient = NULL;
    struct csv_recipient instance = fake_recipient(&fake);
    uint8_t other[32] = {1};
    assert_int_equal(csv_statement_build(&tenant.tenant, &instance, 1, &statement), CSN_OK);
    uint8_t *bytes = (uint8_t *)&statement;
    for (uint32_t bit = 0; bit < sizeof statement * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(
            csv_statement_open(bytes, sizeof statement, tenant.tenant.id, &recipient), CSN_OK);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(csv_statement_open(bytes, sizeof statement, other, &recipient),
                     CSN_ERR_UNKNOWN);
    assert_null(recipient);
    assert_int_equal(csv_statement_open(bytes, sizeof statement, tenant.tenant.id, &recipient),
                     CSN_OK);
    struct csv_sealer *sealer = NULL;
    const struct csv_sealer_options options = {.recipient = recipient,
                                               .credential = &tenant.producer};
    assert_int_equal(csv_sealer_create(&options, &sealer), CSN_OK);
    assert_int_equal(fake_one(&fake, record, seal(sealer))->code, CSN_WIRE_DONE);
    csv_sealer_destroy(sealer);
    csv_recipient_destroy(recipient);
}

static void key_files(void **state)
{
    (void)state;
    static uint8_t file[CSV_TENANT_FILE_SIZE];
    struct csv_tenant tenant_read;
    struct csv_credential credential;
    struct csv_consumer consumer;
    csv_tenant_encode(&tenant.tenant, file);
    assert_int_equal(csv_tenant_decode(file, CSV_TENANT_FILE_SIZE, &tenant_read), CSN_OK);
    assert_memory_equal(&tenant_read, &tenant.tenant, sizeof tenant_read);
    for (uint32_t size = 0; size < CSV_TENANT_FILE_SIZE; size += 13) {
        assert_int_equal(csv_tenant_decode(file, size, &tenant_read), CSN_ERR_FORMAT);
    }
    csv_credential_encode(&tenant.producer, file);
    assert_int_equal(csv_credential_decode(file, CSV_CREDENTIAL_FILE_SIZE, &credential), CSN_OK);
    assert_memory_equal(&credential, &tenant.producer, sizeof credential);
    for (uint32_t bit = 0; bit < CSV_CREDENTIAL_FILE_SIZE * 8; bit++) {
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(csv_credential_decode(file, CSV_CREDENTIAL_FILE_SIZE, &credential),
                         CSN_ERR_FORMAT);
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    csv_consumer_encode(&tenant.consumer, file);
    assert_int_equal(csv_consumer_decode(file, CSV_CONSUMER_FILE_SIZE, &consumer), CSN_OK);
    assert_memory_equal(&consumer, &tenant.consumer, sizeof consumer);
    assert_int_equal(csv_credential_decode(file, CSV_CONSUMER_FILE_SIZE, &credential),
                     CSN_ERR_FORMAT);
}

/* Out of the tables, out of the file's bytes, and those behind still deliver where they did. */
static void taken_out(void **state)
{
    (void)state;
    static struct csv_tenant made;
    static const uint8_t nothing[sizeof made.credentials[0]];
    const char *const names[3] = {"one", "two", "three"};
    struct csv_consumer consumer;
    struct csv_credential producers[3];
    assert_int_equal(csv_tenant_new(&made), CSN_OK);
    for (uint32_t i = 0; i < 3; i++) {
        const struct csv_rights rights = {.rights = CSN_WIRE_RIGHT_SUBMIT,
                                          .consumer = i == 0 ? CSN_WIRE_CONSUMER_NONE : i};
        assert_int_equal(csv_tenant_add_consumer(&made, names[i], false, &consumer), CSN_OK);
        assert_int_equal(csv_tenant_add_producer(&made, &rights, &producers[i]), CSN_OK);
    }
    assert_int_equal(csv_tenant_remove_consumer(&made, "two"), CSN_ERR_STATE);
    assert_int_equal(csv_tenant_remove_consumer(&made, "tw"), CSN_ERR_UNKNOWN);
    assert_int_equal(csv_tenant_remove_producer(&made, producers[1].id ^ 1), CSN_ERR_UNKNOWN);
    assert_int_equal(made.consumer_count + made.credential_count, 6);
    assert_int_equal(csv_tenant_remove_producer(&made, producers[1].id), CSN_OK);
    assert_int_equal(csv_tenant_remove_producer(&made, producers[1].id), CSN_ERR_UNKNOWN);
    assert_int_equal(csv_tenant_remove_consumer(&made, "two"), CSN_OK);
    assert_int_equal(made.consumer_count, 2);
    assert_int_equal(made.credential_count, 2);
    assert_string_equal(made.consumers[1].name, "three");
    assert_true(made.credentials[0].id == producers[0].id);
    assert_int_equal(made.credentials[0].consumer, CSN_WIRE_CONSUMER_NONE);
    assert_true(made.credentials[1].id == producers[2].id);
    assert_int_equal(made.credentials[1].consumer, 1);
    assert_memory_equal(made.credentials[1].secret, producers[2].secret, 32);
    assert_memory_equal(&made.credentials[2], nothing, sizeof nothing);
    assert_memory_equal(&made.consumers[2], nothing, sizeof nothing);
}

/* The next grant shuts a producer out, with the context that it had open. */
static void revoked(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_sealer *other = solo_sealer(&tenant, &tenant.replier, NULL);
    assert_int_equal(fake_one(&fake, record, seal(sealer))->code, CSN_WIRE_DONE);
    assert_int_equal(csv_tenant_remove_producer(&tenant.tenant, tenant.producer.id), CSN_OK);
    assert_int_equal(fake_one(&fake, record, seal(sealer))->code, CSN_WIRE_DONE);
    fake_grant(&fake, &tenant, 2);
    assert_int_equal(fake_one(&fake, record, seal(sealer))->code, CSN_WIRE_REJECT_KEY);
    assert_int_equal(fake_one(&fake, record, seal(other))->code, CSN_WIRE_DONE);
    csv_sealer_destroy(sealer);
    csv_sealer_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fork_clone, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(salt_has_an_end, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(forged_outputs, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(made_up_output, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(below_the_floor, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(forged_receipts, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(statements, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(key_files, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(taken_out, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(revoked, solo_start, solo_stop),
    };
    if (csv_client_init() != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
