/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_policy.c: does the grant hook refuse every compiled policy that is not exactly right?
 *
 * A good policy with every action is changed in one place at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include <stdlib.h>
#include <string.h>

static const char source[] =
    "{\"version\":1,\"default\":\"redact\",\"domains\":{\"d\":{\"version\":1},\"people-2\":"
    "{\"version\":9}},\"fields\":["
    "{\"path\":\"f.a\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"luhn\":true,\"domain\":\"d\","
    "\"tweak\":\"x\",\"short\":\"token\"},"
    "{\"path\":\"f.b\",\"action\":\"token\",\"domain\":\"people-2\"},"
    "{\"path\":\"f.c[*].x\",\"action\":\"mask\",\"keep_last\":2},"
    "{\"path\":\"f.c[*].y\",\"action\":\"detect\",\"kinds\":[\"card\"],\"then\":\"token\","
    "\"domain\":\"d\"},"
    "{\"path\":\"f.d\",\"action\":\"shift\",\"days\":200,\"subject\":\"f.b\",\"domain\":\"d\"},"
    "{\"path\":\"g\",\"action\":\"hash\",\"domain\":\"d\"},"
    "{\"path\":\"h\",\"action\":\"encrypt\",\"consumer\":\"fraud\"},"
    "{\"path\":\"i\",\"action\":\"redact\"},{\"path\":\"j\",\"action\":\"drop\"},"
    "{\"path\":\"k\",\"action\":\"keep\"},"
    "{\"path\":\"l\",\"action\":\"detect\",\"kinds\":[\"id\"],\"then\":\"mask\"}]}";
enum { FPE, TOKEN, MASK, DETECT, SHIFT, HASH, ENCRYPT, REDACT, DROP, KEEP, FIND, FIELD_COUNT };

static _Alignas(8) uint8_t good[CSN_WIRE_POLICY_SIZE_MAX];
static uint32_t good_size;
static _Alignas(8) uint8_t bytes[CSN_WIRE_POLICY_SIZE_MAX + 8];
static struct cse_call *call;

static struct csn_wire_policy *head(void)
{
    return (struct csn_wire_policy *)(void *)bytes;
}
static struct csn_wire_domain *domain(uint32_t index)
{
    return (struct csn_wire_domain *)(void *)(bytes + sizeof(struct csn_wire_policy)) + index;
}
static struct csn_wire_field *field(uint32_t index)
{
    return (struct csn_wire_field *)(void *)(domain(2)) + index;
}
static struct csn_wire_step *step(uint32_t index)
{
    return (struct csn_wire_step *)(void *)(field(FIELD_COUNT)) + index;
}

static csn_err try_size(uint32_t size)
{
    return fake_grant_binary(call, bytes, size);
}

static int set_up(void **state)
{
    static const char *const names[] = {"fraud", "archive"};
    static const struct csv_policy_consumers consumers = {.names = names, .count = 2};
    struct csv_policy_error why = {0};
    size_t size = 0;
    (void)state;
    call = fake_new(1, 2);
    if (call == NULL || csv_policy_compile(source, sizeof source - 1, &consumers, good, sizeof good,
                                           &size, &why) != CSN_OK) {
        return -1;
    }
    good_size = (uint32_t)size;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_free(call);
    return 0;
}

static void reset(void)
{
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, good, good_size);
}

/* The state of a refused policy serves nothing. */
static void expect_refused(uint32_t size)
{
    uint8_t output[64];
    uint32_t output_size = 0;
    assert_int_not_equal(try_size(size), CSN_OK);
    assert_int_equal(fake_run(call, 1, "{}", 2, output, sizeof output, &output_size),
                     CSN_WIRE_STATUS_POLICY);
}

#define REFUSED(change)                                                                            \
    do {                                                                                           \
        reset();                                                                                   \
        change;                                                                                    \
        expect_refused(good_size);                                                                 \
    } while (0)
#define TAKEN(change)                                                                              \
    do {                                                                                           \
        reset();                                                                                   \
        change;                                                                                    \
        assert_int_equal(try_size(good_size), CSN_OK);                                             \
    } while (0)

static void test_sizes(void **state)
{
    (void)state;
    TAKEN((void)0);
    for (uint32_t size = 0; size < good_size; size++) {
        reset();
        expect_refused(size);
    }
    reset();
    expect_refused(good_size + 1);
    memmove(bytes + 1, bytes, good_size);
    assert_int_not_equal(fake_grant_binary(call, bytes + 1, good_size), CSN_OK);
}

static void test_head(void **state)
{
    (void)state;
    REFUSED(head()->magic ^= 1);
    REFUSED(head()->version = 2);
    REFUSED(head()->reserved0 = 1);
    REFUSED(head()->feature_count = 1);
    REFUSED(head()->category_count = 1);
    REFUSED(head()->default_action = 0);
    REFUSED(head()->default_action = CSN_WIRE_ACTION_MASK);
    REFUSED(head()->domain_count = 1);
    REFUSED(head()->domain_count = 17);
    REFUSED(head()->domain_count = UINT32_MAX);
    REFUSED(head()->field_count = 65);
    REFUSED(head()->field_count -= 1);
    REFUSED(head()->step_count += 1);
    REFUSED(head()->step_count = UINT32_MAX / 16 + 2); /* a sum that wraps */
    REFUSED(head()->text_size += 1);
    REFUSED(head()->text_size = UINT32_MAX);
    TAKEN(head()->default_action = CSN_WIRE_ACTION_KEEP);
    TAKEN(head()->default_action = CSN_WIRE_ACTION_DROP);
}

static void test_domains(void **state)
{
    (void)state;
    REFUSED(domain(0)->version = 0);
    REFUSED(domain(0)->reserved = 1);
    REFUSED(domain(0)->name.size = 0);
    REFUSED(domain(1)->name.size = 33);
    REFUSED(domain(0)->name.offset = head()->text_size);
    REFUSED(domain(0)->name.offset = UINT32_MAX);
    REFUSED(bytes[good_size - head()->text_size + domain(1)->name.offset] = 'P');
}

static void test_fields(void **state)
{
    (void)state;
    REFUSED(field(KEEP)->action = 0);
    REFUSED(field(KEEP)->action = 11);
    REFUSED(field(FPE)->domain = 2);
    REFUSED(field(FPE)->domain = CSN_WIRE_DOMAIN_NONE);
    REFUSED(field(TOKEN)->domain = CSN_WIRE_DOMAIN_NONE);
    REFUSED(field(HASH)->domain = CSN_WIRE_DOMAIN_NONE);
    REFUSED(field(SHIFT)->domain = CSN_WIRE_DOMAIN_NONE);
    REFUSED(field(DETECT)->domain = CSN_WIRE_DOMAIN_NONE);
    REFUSED(field(KEEP)->domain = 0);
    REFUSED(field(FPE)->short_action = 0);
    REFUSED(field(FPE)->short_action = CSN_WIRE_ACTION_KEEP);
    REFUSED(field(TOKEN)->short_action = CSN_WIRE_ACTION_DROP);
    REFUSED(field(FPE)->luhn = 2);
    REFUSED(field(FPE)->alphabet.size = 9); /* luhn over other than the ten digits */
    REFUSED(field(FPE)->alphabet.size = 1);
    REFUSED(field(FPE)->alphabet = field(FPE)->path);
    REFUSED(field(TOKEN)->luhn = 1);
    REFUSED(field(TOKEN)->token_size = 9);
    REFUSED(field(TOKEN)->token_size = 33);
    REFUSED(field(TOKEN)->keep_first = 9);
    REFUSED(field(TOKEN)->keep_last = 9);
    REFUSED(field(TOKEN)->prefix.size = 0);
    REFUSED(field(TOKEN)->prefix = field(FPE)->path); /* "f.a" is no prefix */
    REFUSED(field(HASH)->keep_first = 1);
    REFUSED(field(MASK)->with = 0x1f);
    REFUSED(field(MASK)->with = 0x7f);
    REFUSED(field(HASH)->with = '*');
    REFUSED(field(DETECT)->kinds = 0);
    REFUSED(field(DETECT)->kinds = 32);
    REFUSED(field(DETECT)->then = CSN_WIRE_ACTION_KEEP);
    REFUSED(field(FIND)->then = 0);
    REFUSED(field(FIND)->domain = 0);
    REFUSED(field(KEEP)->kinds = 1);
    REFUSED(field(SHIFT)->days = 179);
    REFUSED(field(SHIFT)->days = 3651);
    REFUSED(field(KEEP)->days = 180);
    REFUSED(field(SHIFT)->subject_count = 0);
    REFUSED(field(SHIFT)->subject_count = 17);
    REFUSED(field(SHIFT)->subject_first = 0xffff);
    REFUSED(field(KEEP)->subject_count = 1);
    REFUSED(field(ENCRYPT)->consumer.size -= 1);
    REFUSED(field(ENCRYPT)->consumer.size = 0);
    REFUSED(field(KEEP)->consumer = field(ENCRYPT)->consumer);
    REFUSED(field(KEEP)->reserved = 1);
    REFUSED(field(KEEP)->path.size = 0);
    REFUSED(field(KEEP)->path.offset = head()->text_size);
    REFUSED(field(FPE)->tweak.offset = UINT32_MAX);
    REFUSED(field(FPE)->tweak.size = 257);
    TAKEN(field(FPE)->luhn = 0);
    TAKEN(field(TOKEN)->token_size = 32);
    TAKEN(field(SHIFT)->days = 3650);
}

static void test_paths(void **state)
{
    (void)state;
    REFUSED(field(KEEP)->path_count = 0);
    REFUSED(field(KEEP)->path_count = 17);
    REFUSED(field(KEEP)->path_first = (uint16_t)head()->step_count);
    REFUSED(field(KEEP)->path_first = 0xffff);
    REFUSED(field(KEEP)->path_first = field(HASH)->path_first); /* one path twice */
    REFUSED(field(MASK)->path_count -= 1);                      /* f.c[*], and f.c[*].y below it */
    for (uint32_t i = 0; i < 11; i++) {
        REFUSED(step(i)->kind = 0);
        REFUSED(step(i)->kind = 3);
        REFUSED(step(i)->reserved = 1);
        REFUSED(step(i)->name.offset = head()->text_size + 1);
        REFUSED(step(i)->name.size = head()->text_size + 1);
    }
    REFUSED(step(field(SHIFT)->subject_first)->kind = CSN_WIRE_STEP_EVERY);
}

/* Any single byte changed: refused, or taken and then served without a fault. */
static void test_every_byte(void **state)
{
    static const char record[] = "{\"f\":{\"a\":\"4111111111111111\",\"b\":1,\"c\":[{\"x\":\"abc\","
                                 "\"y\":\"4111111111111111\"}],\"d\":\"2024-01-01\"},\"g\":1,"
                                 "\"h\":2,\"i\":3,\"j\":4,\"k\":5,\"l\":\"078-05-1120\"}";
    static uint8_t output[FAKE_OUTPUT_MAX];
    unsigned taken = 0;
    unsigned refused = 0;
    (void)state;
    for (uint32_t at = 0; at < good_size; at++) {
        for (unsigned change = 1; change < 256; change = change * 2 + 1) {
            uint32_t size = 0;
            reset();
            bytes[at] ^= (uint8_t)change;
            if (try_size(good_size) != CSN_OK) {
                refused++;
                continue;
            }
            taken++;
            assert_int_equal(
                fake_run(call, 1, record, sizeof record - 1, output, sizeof output, &size),
                CSN_WIRE_STATUS_OK);
        }
    }
    print_message("# %u changes refused, %u taken\n", refused, taken);
    assert_true(refused > taken);
}

static void test_compiled(void **state)
{
    static uint8_t output[FAKE_OUTPUT_MAX];
    static const char record[] =
        "{\"f\":{\"c\":[{\"x\":\"abc\"}]},\"i\":3,\"j\":4,\"k\":5,\"z\":1}";
    static const char wanted[] =
        "{\"f\":{\"c\":[{\"x\":\"*bc\"}]},\"i\":\"[redacted]\",\"k\":5,\"z\":\"[redacted]\"}";
    uint32_t size = 0;
    (void)state;
    reset();
    assert_int_equal(try_size(good_size), CSN_OK);
    assert_int_equal(fake_run(call, 1, record, sizeof record - 1, output, sizeof output, &size),
                     CSN_WIRE_STATUS_OK);
    assert_int_equal(size, sizeof wanted - 1);
    assert_memory_equal(output, wanted, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_head),
        cmocka_unit_test(test_domains),  cmocka_unit_test(test_fields),
        cmocka_unit_test(test_paths),    cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_compiled),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
