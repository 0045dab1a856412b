/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_batch.c: what a batch puts off ends as it would have ended record by record, whatever the
 * records between are, and a record that fails in the middle leaves nothing behind.
 * What is learnt of a record's names changes nothing for the next, and goes with the batch.
 */
#define _GNU_SOURCE /* memmem() */
#include "fake.h"
#include <crypto/cpu.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define BATCH_MAX 32u
#define TEXT_MAX  4096u
#define ROUNDS    400u

static const char policy[] =
    "{\"version\":1,\"domains\":{\"d\":{\"version\":1}},\"fields\":["
    "{\"path\":\"pan\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"luhn\":true,\"domain\":\"d\","
    "\"short\":\"token\"},"
    "{\"path\":\"code\",\"action\":\"fpe\",\"alphabet\":\"alnum\",\"domain\":\"d\","
    "\"keep_first\":1,\"length\":9},"
    "{\"path\":\"odd\",\"action\":\"fpe\",\"alphabet\":\"=\\\"\\\\-a b\",\"domain\":\"d\"},"
    "{\"path\":\"name\",\"action\":\"token\",\"domain\":\"d\"},"
    "{\"path\":\"key\",\"action\":\"hash\",\"domain\":\"d\"},"
    "{\"path\":\"memo\",\"action\":\"detect\",\"kinds\":[\"email\"],\"then\":\"token\","
    "\"domain\":\"d\"}]}";

struct record {
    char text[TEXT_MAX];
    uint32_t size;
    uint32_t room; /* for the output */
    cse_status status;
    uint8_t alone[TEXT_MAX];
    uint8_t together[TEXT_MAX];
    uint32_t alone_size;
    uint32_t together_size;
};
static struct record records[BATCH_MAX];

static void put_run(char **at, uint32_t count, const char *letters, uint32_t letter_count)
{
    for (uint32_t i = 0; i < count; i++) {
        *(*at)++ = letters[(uint32_t)rand() % letter_count];
    }
}

/* Values of many lengths, so that plans change under jobs that wait; some outputs do not fit. */
static void make(struct record *record)
{
    char *at = record->text;
    at += sprintf(at, "{\"pan\":\"");
    put_run(&at, 5 + (uint32_t)rand() % 14, "0123456789", 10);
    at += sprintf(at, "\",\"code\":\"");
    put_run(&at, 2 + (uint32_t)rand() % 60, "abcXYZ019", 9);
    at += sprintf(at, "\",\"odd\":\"");
    put_run(&at, (uint32_t)rand() % 30, "-a b", 4);
    at += sprintf(at, "\",\"name\":\"");
    put_run(&at, (uint32_t)rand() % 200, "abcdefgh", 8);
    at += sprintf(at, "\",\"key\":%d,\"memo\":\"", rand());
    for (int i = rand() % 5; i > 0; i--) {
        at += sprintf(at, "to a%d@example.org ", rand());
    }
    at += sprintf(at, "\"}");
    record->size = (uint32_t)(at - record->text);
    record->room = rand() % 4 == 0 ? (uint32_t)rand() % record->size : TEXT_MAX;
}

static uint32_t run_batch(struct cse_call *call, uint32_t count)
{
    uint32_t failed = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct record *record = &records[i];
        make(record);
        memset(record->alone, 0, TEXT_MAX);
        memset(record->together, 0, TEXT_MAX);
        record->alone_size = 0;
        record->together_size = 0;
        record->status = fake_run(call, 1, record->text, record->size, record->alone, record->room,
                                  &record->alone_size);
        failed += record->status != CSN_WIRE_STATUS_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct record *record = &records[i];
        assert_int_equal(fake_begin(call, 1, record->text, record->size, record->together,
                                    record->room, &record->together_size),
                         record->status);
        memset(record->text, '#', record->size); /* input and scratch are gone by then */
        memset(call->scratch, '#', call->scratch_used);
    }
    fake_complete(call);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(records[i].together_size, records[i].alone_size);
        assert_memory_equal(records[i].together, records[i].alone, TEXT_MAX);
        assert_true(records[i].alone_size > 0 || records[i].alone[0] == 0);
    }
    return failed;
}

static void test_batches(void **state)
{
    (void)state;
    struct csv_policy_error why = {0};
    struct cse_call *call = fake_new(3, 4);
    uint32_t failed = 0;
    assert_non_null(call);
    if (fake_grant(call, policy, &why) != CSN_OK) {
        fail_msg("%s", why.text);
    }
    srand(17);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        failed += run_batch(call, 1 + round % BATCH_MAX);
    }
    printf("# %u batches, %u records of them failed\n", ROUNDS, failed);
    assert_true(failed > ROUNDS);
    fake_free(call);
}

static struct cse_call *granted(uint8_t tenant, const char *text)
{
    struct csv_policy_error why = {0};
    struct cse_call *call = fake_new(tenant, 4);
    assert_non_null(call);
    if (fake_grant(call, text, &why) != CSN_OK) {
        fail_msg("%s", why.text);
    }
    return call;
}

static void begin(struct cse_call *call, const char *text, struct record *record)
{
    memset(record, 0, sizeof *record);
    assert_int_equal(fake_begin(call, 1, text, (uint32_t)strlen(text), record->together, TEXT_MAX,
                                &record->together_size),
                     CSN_WIRE_STATUS_OK);
}

/* A name means what it means where it is, also if a record before has the same names in this order
 * elsewhere. */
static void test_same_names_elsewhere(void **state)
{
    static const char *const texts[] = {
        "{\"p\":[{\"a\":[{\"b\":1}]}],\"x\":\"%s\"}",
        "{\"p\":[{\"a\":1},[[{\"b\":2}]]],\"x\":\"%s\"}",
    };
    static const char *const wanted[] = {
        "{\"p\":[{\"a\":[{\"b\":1}]}]}",
        "{\"p\":[{},[[{\"b\":\"[redacted]\"}]]]}",
    };
    char filler[100];
    struct cse_call *call =
        granted(3, "{\"version\":1,\"fields\":[{\"path\":\"p[*].a[*].b\",\"action\":\"keep\"},"
                   "{\"path\":\"p[*][*][*].b\",\"action\":\"redact\"}]}");
    (void)state;
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (uint32_t i = 0; i < 4; i++) {
        char text[256];
        snprintf(text, sizeof text, texts[i % 2], filler);
        begin(call, text, &records[0]);
        assert_string_equal((char *)records[0].together, wanted[i % 2]);
    }
    fake_complete(call);
    fake_free(call);
}

/* Lines of one record with other names each. */
static void test_other_lines(void **state)
{
    char text[512];
    char filler[100];
    struct cse_call *call =
        granted(3, "{\"version\":1,\"fields\":[{\"path\":\"b\",\"action\":\"keep\"},"
                   "{\"path\":\"c\",\"action\":\"redact\"}]}");
    (void)state;
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    snprintf(text, sizeof text, "{\"a\":1,\"b\":2,\"z\":\"%s\"}\n{\"a\":1,\"c\":3,\"z\":\"%s\"}",
             filler, filler);
    for (uint32_t i = 0; i < 2; i++) {
        begin(call, text, &records[0]);
        assert_string_equal((char *)records[0].together, "{\"b\":2}\n{\"c\":\"[redacted]\"}");
    }
    fake_complete(call);
    fake_free(call);
}

/* Records of two tenants in one batch: neither sees the other's names, hashes or steps. */
static void test_two_tenants(void **state)
{
    static const char text[] =
        "{\"name\":\"abcdefghijklmnopqrstuvwxyz\",\"other\":\"a value that is "
        "long enough for a look\",\"last\":\"and another one for the end\"}";
    struct cse_call *calls[2] = {
        granted(3, "{\"version\":1,\"fields\":[{\"path\":\"name\",\"action\":\"keep\"}]}"),
        granted(5, "{\"version\":1,\"fields\":[{\"path\":\"other\",\"action\":\"redact\"}]}"),
    };
    void *own = calls[1]->batch;
    (void)state;
    calls[1]->batch = calls[0]->batch;
    for (uint32_t i = 0; i < 4; i++) {
        begin(calls[i % 2], text, &records[0]);
        assert_string_equal((char *)records[0].together,
                            i % 2 == 0 ? "{\"name\":\"abcdefghijklmnopqrstuvwxyz\"}"
                                       : "{\"other\":\"[redacted]\"}");
    }
    fake_complete(calls[0]);
    calls[1]->batch = own;
    fake_free(calls[0]);
    fake_free(calls[1]);
}

/* What was learnt of records goes with their batch. */
static void test_names_are_gone(void **state)
{
    static const char text[] =
        "{\"somebodys name\":\"abcdefghijklmnopqrstuvwxyz, and so on and on\"}";
    struct cse_call *call = granted(3, policy);
    (void)state;
    begin(call, text, &records[0]);
    assert_non_null(memmem(call->batch, cse_service.batch_size, "somebodys", 9));
    fake_complete(call);
    assert_null(memmem(call->batch, cse_service.batch_size, "somebodys", 9));
    fake_free(call);
}

int main(void)
{
    uint64_t features = 0;
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_select(features) != CSN_OK) {
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),        cmocka_unit_test(test_same_names_elsewhere),
        cmocka_unit_test(test_other_lines),    cmocka_unit_test(test_two_tenants),
        cmocka_unit_test(test_names_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
