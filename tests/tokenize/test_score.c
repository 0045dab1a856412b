/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_score.c: the score of a record by the tenant's model (docs/TOKENIZE.md section 7).
 *
 * A model by hand, whose sums tell which leaves were reached, is sealed, given to the enclave from
 * a store in memory, and asked through records: features by path, categories, numbers as text, what
 * is missing, where the member goes. Then what a grant may not say of a score, numbers against
 * libc's, and 2,000 random records against a walk of the test's own. Seeded bugs: mutant_score_*.
 */
#include "../../enclaves/tokenize/tok_state.h"
#include "../enclave/store_double.h"
#include "../trees/trees_made.h"
#include "../weights/weights_made.h"
#include "fake.h"
#include <crypto/cpu.h>
#include <import/import.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weights/weights_load.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define POOL UINT64_C(0x40000)

/* x0 amount, x1 a number in text, x2 a category, x3 a flag: LIGHTGBM of trees_made.h */
#define FEATURES                                                                                   \
    "[\"amount\",\"card.limit\",{\"path\":\"card.kind\",\"categories\":[\"a\",\"b\",\"\",\"d\"]}," \
    "\"card.new\"]"

static struct {
    struct store_double store;
    struct csn_wire_manifest manifest;
    struct csn_pool pool;
    void *memory;
    struct cse_call *call;
    void *image;
    size_t image_size;
    struct weights_made made;
} rig;

static void seal(const void *image, size_t size)
{
    char name[65];
    weights_make(&rig.made, image, size, CSN_WIRE_WEIGHTS_TREES);
    cse_weights_name(rig.made.ref.digest, name);
    store_double_put(&rig.store, name, rig.made.file, rig.made.size);
    memcpy(rig.call->weights_key, rig.made.ref.key, 32);
}

static void import(const char *text)
{
    struct csn_import_fault fault = {0};
    csn_err err = csn_import_lightgbm(text, strlen(text), &rig.image, &rig.image_size, &fault);
    assert_string_equal(fault.place, "");
    assert_int_equal(err, CSN_OK);
}

static void begin(const char *model)
{
    store_double_start(&rig.store);
    rig.manifest = (struct csn_wire_manifest){.flags = CSN_WIRE_FLAG_STORE,
                                              .input_line_count = 16384,
                                              .output_line_count = 256,
                                              .input_size_max = CSE_WEIGHTS_INPUT_MIN,
                                              .output_size_max = 4096};
    rig.store.manifest = &rig.manifest;
    rig.memory = aligned_alloc(64, POOL);
    csn_pool_init(&rig.pool, rig.memory, POOL);
    const struct cse_outside_options options = {.manifest = &rig.manifest,
                                                .port = store_double_port(&rig.store)};
    rig.call = fake_new(1, 2);
    assert_int_equal(cse_outside_init(&rig.call->outside, &rig.pool, &options), CSN_OK);
    import(model);
    seal(rig.image, rig.image_size);
}

static void end(void)
{
    weights_discard(&rig.made);
    free(rig.image);
    fake_free(rig.call);
    free(rig.memory);
    store_double_stop(&rig.store);
}

/* A policy that keeps what it does not name, with `more` in the score. */
static void policy_of(char text[4096], const char *fields, const char *features, const char *more)
{
    char digest[65];
    cse_weights_name(rig.made.ref.digest, digest);
    snprintf(text, 4096,
             "{\"version\":1,\"default\":\"keep\",\"domains\":{\"d\":{\"version\":1}},"
             "\"fields\":[%s],\"score\":{\"model\":\"%s\",\"name\":\"risk\",\"features\":%s%s}}",
             fields, digest, features, more);
}

static csn_err grant(const char *fields, const char *features, const char *more)
{
    char text[4096];
    struct csv_policy_error why = {0};
    policy_of(text, fields, features, more);
    return fake_grant(rig.call, text, &why);
}

static void expect(const char *input, const char *wanted)
{
    static uint8_t output[FAKE_OUTPUT_MAX];
    uint32_t size = 0;
    cse_status status =
        fake_run(rig.call, 1, input, (uint32_t)strlen(input), output, FAKE_OUTPUT_MAX, &size);
    assert_int_equal(status, CSN_WIRE_STATUS_OK);
    output[size] = 0;
    assert_string_equal((const char *)output, wanted);
}

static void test_member(void **state)
{
    (void)state;
    begin(LIGHTGBM("objective=regression\n"));
    assert_int_equal(grant("", FEATURES, ",\"check\":true"), CSN_OK);
    assert_memory_equal(rig.call->claim, rig.made.ref.digest, 32);
    /* Behind the last member, before the space; each text of several has its own. */
    expect("{\"amount\":-1}", "{\"amount\":-1,\"risk\":11240.000000}");
    expect("{ \"amount\" : -1 \n}", "{ \"amount\" : -1,\"risk\":11240.000000 \n}");
    expect("{}", "{\"risk\":11240.000000}");
    expect("{\"amount\":1}\n{\"amount\":-1}\n",
           "{\"amount\":1,\"risk\":11210.000000}\n{\"amount\":-1,\"risk\":11240.000000}\n");
    /* Roots that are no object have no member. */
    expect("[{\"amount\":1}]", "[{\"amount\":1}]");
    expect("7", "7");
    /* Nothing keeps its name, wherever it stands. */
    expect("{\"risk\":0,\"amount\":1,\"x\":{\"risk\":2}}",
           "{\"amount\":1,\"x\":{\"risk\":2},\"risk\":11210.000000}");
    expect("{\"r\\u0069sk\":{\"a\":1}}", "{\"risk\":11240.000000}");
    end();
}

static void test_features(void **state)
{
    (void)state;
    begin(LIGHTGBM("objective=regression\n"));
    assert_int_equal(grant("", FEATURES, ""), CSN_OK);
    expect("{\"amount\":\"-1e0\",\"card\":{\"limit\":\"5\",\"kind\":\"b\",\"new\":true}}",
           "{\"amount\":\"-1e0\",\"card\":{\"limit\":\"5\",\"kind\":\"b\",\"new\":true},"
           "\"risk\":11120.000000}");
    /* In another order, the name in escapes, a member of that name elsewhere. */
    expect("{\"kind\":\"b\",\"card\":{\"kin\\u0064\":\"\\u0062\",\"limit\":5},\"amount\":-1}",
           "{\"kind\":\"b\",\"card\":{\"kin\\u0064\":\"\\u0062\",\"limit\":5},\"amount\":-1,"
           "\"risk\":11120.000000}");
    /* No category, an unknown one, a number, a flag; a flag as a number; null; containers. */
    expect("{\"card\":{\"kind\":\"c\",\"limit\":5}}",
           "{\"card\":{\"kind\":\"c\",\"limit\":5},\"risk\":11220.000000}");
    expect("{\"card\":{\"kind\":1,\"limit\":5}}",
           "{\"card\":{\"kind\":1,\"limit\":5},\"risk\":11220.000000}");
    expect("{\"card\":{\"kind\":true,\"limit\":true}}",
           "{\"card\":{\"kind\":true,\"limit\":true},\"risk\":11220.000000}");
    expect("{\"card\":{\"new\":1.5,\"limit\":null}}",
           "{\"card\":{\"new\":1.5,\"limit\":null},\"risk\":12240.000000}");
    expect("{\"card\":{\"new\":[2],\"limit\":{\"x\":1}}}",
           "{\"card\":{\"new\":[2],\"limit\":{\"x\":1}},\"risk\":11240.000000}");
    expect("{\"kind\":\"b\",\"limit\":5,\"new\":2}",
           "{\"kind\":\"b\",\"limit\":5,\"new\":2,\"risk\":11240.000000}");
    expect("{\"card\":[{\"limit\":1}]}", "{\"card\":[{\"limit\":1}],\"risk\":11240.000000}");
    expect("{\"card\":{\"limit\":\"1x\",\"new\":\"2\"}}",
           "{\"card\":{\"limit\":\"1x\",\"new\":\"2\"},\"risk\":12240.000000}");
    end();
}

/* What becomes of the fields is one thing, what the model sees another: the values of the record.
 */
static void test_beside_fields(void **state)
{
    (void)state;
    begin(LIGHTGBM("objective=binary sigmoid:1\n"));
    assert_int_equal(grant("{\"path\":\"amount\",\"action\":\"redact\"},"
                           "{\"path\":\"card\",\"action\":\"drop\"}",
                           FEATURES, ""),
                     CSN_OK);
    expect("{\"amount\":-1,\"card\":{\"kind\":\"b\"}}",
           "{\"amount\":\"[redacted]\",\"risk\":1.000000}");
    /* Objects that are descended into have none, nor have arrays. */
    assert_int_equal(grant("{\"path\":\"card.kind\",\"action\":\"redact\"},"
                           "{\"path\":\"[*].amount\",\"action\":\"redact\"}",
                           FEATURES, ""),
                     CSN_OK);
    expect("{\"card\":{\"kind\":\"b\"},\"x\":{}}",
           "{\"card\":{\"kind\":\"[redacted]\"},\"x\":{},\"risk\":1.000000}");
    expect("[{\"amount\":1}]", "[{\"amount\":\"[redacted]\"}]");
    end();
}

/* Detokenizing leaves the record as it is. */
static void test_not_back(void **state)
{
    (void)state;
    uint8_t output[256] = {0};
    uint32_t size = 0;
    const char *input = "{\"amount\":1,\"risk\":3}";
    begin(LIGHTGBM("objective=regression\n"));
    assert_int_equal(grant("{\"path\":\"c\",\"action\":\"fpe\",\"alphabet\":\"digits\","
                           "\"domain\":\"d\"}",
                           FEATURES, ""),
                     CSN_OK);
    assert_int_equal(fake_run(rig.call, 2, input, (uint32_t)strlen(input), output, 200, &size),
                     CSN_WIRE_STATUS_OK);
    assert_string_equal((char *)output, input);
    end();
}

/* Output of a class; its number and the model's features are held to the model. */
static void test_models(void **state)
{
    (void)state;
    char text[4096];
    const char *one = LIGHTGBM("objective=regression\n");
    const char *classes = strstr(one, "num_class=1\nnum_tree_per_iteration=1");
    snprintf(text, sizeof text, "%.*snum_class=2\nnum_tree_per_iteration=2%s", (int)(classes - one),
             one, classes + strlen("num_class=1\nnum_tree_per_iteration=1"));
    begin(text);
    assert_int_equal(grant("", FEATURES, ""), CSN_OK);
    expect("{\"amount\":1}", "{\"amount\":1,\"risk\":1010.000000}");
    assert_int_equal(grant("", FEATURES, ",\"output\":1"), CSN_OK);
    expect("{\"amount\":1}", "{\"amount\":1,\"risk\":10200.000000}");
    assert_int_equal(grant("", FEATURES, ",\"output\":2"), CSN_ERR_POLICY);
    assert_int_equal(grant("", "[\"amount\",\"a\",\"b\"]", ""), CSN_ERR_POLICY);
    assert_int_equal(grant("", "[\"amount\",\"a\",\"b\",\"c\",\"d\"]", ""), CSN_ERR_POLICY);
    end();
}

/* ---- what a compiled policy may not say ---- */

static _Alignas(8) uint8_t compiled[CSN_WIRE_POLICY_SIZE_MAX];

static void *score_part(uint32_t offset)
{
    const struct csn_wire_policy *head = (const void *)compiled;
    return compiled + sizeof *head + head->domain_count * sizeof(struct csn_wire_domain) +
           head->field_count * sizeof(struct csn_wire_field) +
           head->step_count * sizeof(struct csn_wire_step) + offset;
}

#define SCORE   ((struct csn_wire_score *)score_part(0))
#define FEATURE ((struct csn_wire_feature *)score_part(sizeof(struct csn_wire_score)))
#define CATEGORY                                                                                   \
    ((struct csn_wire_span *)score_part(sizeof(struct csn_wire_score) +                            \
                                        4 * sizeof(struct csn_wire_feature)))
#define STEP(i)                                                                                    \
    ((struct csn_wire_step *)score_part(0) -                                                       \
     ((const struct csn_wire_policy *)(void *)compiled)->step_count + (i))
#define FIELD                                                                                      \
    ((struct csn_wire_field *)(void *)(compiled + sizeof(struct csn_wire_policy) +                 \
                                       sizeof(struct csn_wire_domain)))

/* A grant with a model that is not there, or not it, is refused; a policy before stays out. */
static void test_no_model(void **state)
{
    (void)state;
    begin(LIGHTGBM("objective=regression\n"));
    struct cse_outside *outside = rig.call->outside;
    rig.call->outside = NULL;
    assert_int_equal(grant("", FEATURES, ""), CSN_ERR_MISSING);
    rig.call->outside = outside;
    rig.call->weights_key[0] ^= 1;
    assert_int_equal(grant("", FEATURES, ""), CSN_ERR_AUTH);
    rig.call->weights_key[0] ^= 1;
    rig.made.ref.digest[0] ^= 1;
    assert_int_equal(grant("", FEATURES, ""), CSN_ERR_UNKNOWN);
    rig.made.ref.digest[0] ^= 1;
    assert_int_equal(grant("", FEATURES, ""), CSN_OK);
    /* Sealed, but no packed image. */
    weights_discard(&rig.made);
    seal("CSNTREE1", 8);
    assert_int_equal(grant("", FEATURES, ""), CSN_ERR_FORMAT);
    weights_discard(&rig.made);
    /* Trees that were sealed as something else, whatever the policy says. */
    weights_make(&rig.made, rig.image, rig.image_size, CSN_WIRE_WEIGHTS_GGUF);
    char name[65];
    cse_weights_name(rig.made.ref.digest, name);
    store_double_put(&rig.store, name, rig.made.file, rig.made.size);
    memcpy(rig.call->weights_key, rig.made.ref.key, 32);
    assert_int_equal(grant("", FEATURES, ""), CSN_ERR_POLICY);
    char text[4096];
    size_t size = 0;
    struct csv_policy_error why;
    policy_of(text, "", FEATURES, "");
    const struct csv_policy_consumers consumers = {.weights_key = rig.call->weights_key};
    csn_err err =
        csv_policy_compile(text, strlen(text), &consumers, compiled, sizeof compiled, &size, &why);
    assert_int_equal(err, CSN_OK);
    SCORE->model.kind = CSN_WIRE_WEIGHTS_GGUF;
    assert_int_equal(fake_grant_binary(rig.call, compiled, (uint32_t)size), CSN_ERR_POLICY);
    weights_discard(&rig.made);
    uint8_t *large = calloc(1, TOK_MODEL_MAX + 1);
    seal(large, TOK_MODEL_MAX + 1);
    free(large);
    assert_int_equal(grant("", FEATURES, ""), CSN_ERR_SPACE);
    end();
}

#define REFUSED(change)                                                                            \
    do {                                                                                           \
        memcpy(compiled, good, size);                                                              \
        change;                                                                                    \
        assert_int_not_equal(fake_grant_binary(rig.call, compiled, (uint32_t)size), CSN_OK);       \
        const struct tok_state *built = rig.call->state;                                           \
        assert_int_equal(built->ready, 0);                                                         \
    } while (0)

static void test_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"fraud"};
    static uint8_t good[CSN_WIRE_POLICY_SIZE_MAX];
    char text[4096];
    size_t size = 0;
    struct csv_policy_error why;
    begin(LIGHTGBM("objective=regression\n"));
    policy_of(text, "", FEATURES, "");
    const struct csv_policy_consumers consumers = {names, 1, rig.call->weights_key};
    csn_err err =
        csv_policy_compile(text, strlen(text), &consumers, good, sizeof good, &size, &why);
    assert_int_equal(err, CSN_OK);
    memcpy(compiled, good, size);
    assert_int_equal(fake_grant_binary(rig.call, compiled, (uint32_t)size), CSN_OK);
    struct csn_wire_policy *head = (void *)compiled;
    REFUSED(head->feature_count = 129);
    REFUSED(head->feature_count = 3);
    REFUSED(head->category_count = 3);
    REFUSED(head->category_count = 1025);
    REFUSED(SCORE->model.kind = CSN_WIRE_WEIGHTS_GGUF);
    REFUSED(SCORE->model.flags = 2);
    REFUSED(SCORE->reserved = 1);
    REFUSED(SCORE->output = 1);
    REFUSED(SCORE->name.size = 0);
    REFUSED(SCORE->name.size = 65);
    REFUSED(SCORE->name.offset = UINT32_MAX);
    REFUSED(SCORE->name.size = 3); /* no field drops it */
    REFUSED(compiled[size - head->text_size + SCORE->name.offset] = '"');
    const uint32_t text_at = (uint32_t)size - head->text_size;
    REFUSED((compiled[text_at + SCORE->name.offset] = '"',
             compiled[text_at + STEP(FIELD->path_first)->name.offset] = '"'));
    REFUSED(FIELD->action = CSN_WIRE_ACTION_KEEP);
    REFUSED(FEATURE[0].path_count = 0);
    REFUSED(FEATURE[0].path_count = 17);
    REFUSED(FEATURE[0].path_first = UINT16_MAX);
    REFUSED(FEATURE[0].category_first = 1); /* of no categories */
    REFUSED(FEATURE[2].category_count = 5);
    REFUSED(CATEGORY[0].size = 257);
    REFUSED(CATEGORY[0].offset = UINT32_MAX);
    REFUSED((STEP(FEATURE[1].path_first)->kind = CSN_WIRE_STEP_EVERY,
             STEP(FEATURE[1].path_first)->name = (struct csn_wire_span){0, 0}));
    end();
}

/* More steps in all paths than an enclave has room for: eight features of sixteen, many times. */
static void test_many_steps(void **state)
{
    (void)state;
    char features[4096] = "[";
    for (uint32_t i = 0; i < 33; i++) {
        strcat(features, i == 0 ? "\"" : ",\"");
        strcat(features, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p\"");
    }
    strcat(features, "]");
    begin(LIGHTGBM("objective=regression\n"));
    assert_int_equal(grant("", features, ""), CSN_ERR_FORMAT); /* by the compiler */
    end();
}

/* ---- numbers ---- */

static void test_numbers(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0",
        "-0",
        "1",
        "12.5",
        "0.1",
        "1e3",
        "1E+3",
        "1e-3",
        "-7.25e2",
        "16777217",
        "3.4028235e38",
        "3.4028236e38",
        "1e39",
        "-1e400",
        "1e-46",
        "1e-999999999",
        "1e9999999999",
        "0e9999999999",
        "0.000000000000000000000000000001",
        "123456789012345678901234567890",
        "9007199254740993",
        "33554435",
        "0.30000000000000004",
        "1e22",
        "1e23",
        "4.4e-41",
    };
    static const char *const bad[] = {"",    "-",   "01", "+1", "1.",  ".5",  "1e", "1e+",  "0x1",
                                      "inf", "nan", " 1", "1 ", "1,5", "--1", "00", "1.e1", "-01"};
    char own[64];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        float number = 7;
        assert_true(tok_read_number((const uint8_t *)good[i], (uint32_t)strlen(good[i]), &number));
        const float wanted = strtof(good[i], NULL);
        assert_true(number == wanted && signbit(number) == signbit(wanted));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        float number = 7;
        assert_false(tok_read_number((const uint8_t *)bad[i], (uint32_t)strlen(bad[i]), &number));
        assert_true(number == 7);
    }
    srand(5);
    for (uint32_t i = 0; i < 20000; i++) { /* as many digits as a price has, and more */
        snprintf(own, sizeof own, "%s%d.%0*de%d", rand() % 2 ? "-" : "", rand() % 100000,
                 1 + rand() % 6, rand() % 10, rand() % 12 - 6);
        float number = 0;
        assert_true(tok_read_number((const uint8_t *)own, (uint32_t)strlen(own), &number));
        assert_true(number == strtof(own, NULL));
    }
}

static void test_written(void **state)
{
    (void)state;
    static const struct {
        float number;
        const char *text;
    } cases[] = {
        {0, "0.000000"},
        {-0.0f, "0.000000"},
        {1, "1.000000"},
        {-2.5f, "-2.500000"},
        {4e-7f, "0.000000"},
        {-4e-7f, "0.000000"},
        {6e-7f, "0.000001"},
        {-6e-7f, "-0.000001"},
        {0.9999999f, "1.000000"},
        {123456.0f, "123456.000000"},
        {9e11f, "899999989760.000000"},
        {1.0001e12f, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[32] = {0};
        struct tok_writer out = {.bytes = bytes, .max = sizeof bytes};
        tok_put_number(&out, cases[i].number);
        bytes[out.size] = 0;
        assert_string_equal((char *)bytes, cases[i].text);
    }
}

/* ---- against a walk of our own ---- */

static float leaf_of(const struct csn_trees *model, const struct csn_trees_tree *tree,
                     const float row[4])
{
    const struct csn_trees_node *node = &model->nodes[tree->node_first];
    while (node->delta != 0) {
        const uint32_t slot = node->slot;
        bool right;
        if (slot < 8) {
            float split, value = row[slot % 4];
            memcpy(&split, &node->bits, sizeof split);
            const bool is_zero = slot % 4 == 0 && fabsf(value) <= 1e-35f;
            right = isnan(value) || is_zero ? slot >= 4 : value >= split;
        } else {
            const float value = row[(slot - 9) % 4];
            right = value == 1 || value == 40;
        }
        node += node->delta + right;
    }
    float value;
    memcpy(&value, &node->bits, sizeof value);
    return value;
}

static void test_random(void **state)
{
    (void)state;
    static const char *const amounts[] = {"-1",   "0",  "\"0.0\"", "-0.5",
                                          "null", "17", "1e-36",   "[]"};
    static const float amount_values[] = {-1, 0, 0, -0.5f, NAN, 17, 1e-36f, NAN};
    static const char *const kinds[] = {"\"a\"", "\"b\"", "\"\"", "\"d\"", "\"z\"", "3"};
    static const float kind_values[] = {0, 1, 2, 3, NAN, NAN};
    begin(LIGHTGBM("objective=regression\n"));
    assert_int_equal(grant("", FEATURES, ""), CSN_OK);
    const struct csn_trees *model = &((struct tok_state *)rig.call->state)->score.model;
    srand(9);
    for (uint32_t i = 0; i < 2000; i++) {
        const int amount = rand() % 8, kind = rand() % 6, limit = rand() % 5 - 2;
        const float row[4] = {amount_values[amount], (float)limit, kind_values[kind],
                              i % 3 == 0 ? 1 : NAN};
        float sum = 0;
        for (uint32_t t = 0; t < model->header->tree_count; t++) {
            sum += leaf_of(model, &model->trees[t], row);
        }
        char input[256], wanted[300];
        snprintf(input, sizeof input, "{\"card\":{\"kind\":%s,\"limit\":%d%s},\"amount\":%s",
                 kinds[kind], limit, i % 3 == 0 ? ",\"new\":true" : "", amounts[amount]);
        snprintf(wanted, sizeof wanted, "%s,\"risk\":%.6f}", input, (double)sum);
        strcat(input, "}");
        expect(input, wanted);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_member),        cmocka_unit_test(test_features),
        cmocka_unit_test(test_beside_fields), cmocka_unit_test(test_not_back),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_no_model),
        cmocka_unit_test(test_models),        cmocka_unit_test(test_many_steps),
        cmocka_unit_test(test_numbers),       cmocka_unit_test(test_written),
        cmocka_unit_test(test_random),
    };
    uint64_t features;
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_begin(features) != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
