/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_random.c: does every failure model of the entropy source refuse to start?
 *
 * A healthy model with the same harness is the control: it starts. A source that breaks later is
 * refused too, and nothing of the output stays.
 */
#include <crypto/random.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

struct model {
    const char *name;
    bool (*next)(struct model *model, uint64_t *word);
    uint64_t count; /* words asked for */
    uint64_t seed;
};

/* splitmix64: stands for a healthy source */
static uint64_t mixed(struct model *model)
{
    uint64_t z = model->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool healthy(struct model *model, uint64_t *word)
{
    *word = mixed(model);
    return true;
}

static bool failing(struct model *model, uint64_t *word)
{
    *word = mixed(model);
    return false;
}

static bool stuck_zero(struct model *model, uint64_t *word)
{
    (void)model;
    *word = 0;
    return true;
}

static bool stuck_ones(struct model *model, uint64_t *word)
{
    (void)model;
    *word = UINT64_MAX;
    return true;
}

static bool stuck_value(struct model *model, uint64_t *word)
{
    (void)model;
    *word = UINT64_C(0x0123456789abcdef);
    return true;
}

static bool period_two(struct model *model, uint64_t *word)
{
    struct model again = {.seed = model->seed + (model->count & 1)};
    *word = mixed(&again);
    return true;
}

static bool period_four(struct model *model, uint64_t *word)
{
    struct model again = {.seed = model->seed + (model->count & 3)};
    *word = mixed(&again);
    return true;
}

static bool few_bytes(struct model *model, uint64_t *word)
{
    *word = mixed(model) & UINT64_C(0x1111111111111111);
    return true;
}

static bool fails_later(struct model *model, uint64_t *word)
{
    *word = mixed(model);
    return model->count < 500;
}

static bool fails_alternately(struct model *model, uint64_t *word)
{
    *word = mixed(model);
    return (model->count & 1) == 0;
}

static bool counter(struct model *model, uint64_t *word)
{
    *word = model->seed + model->count;
    return true;
}

static bool wide_counter(struct model *model, uint64_t *word)
{
    *word = model->seed + model->count * UINT64_C(0x9e3779b97f4a7c15);
    return true;
}

static bool high_half_zero(struct model *model, uint64_t *word)
{
    *word = mixed(model) >> 32;
    return true;
}

static bool zero_as_success(struct model *model, uint64_t *word)
{
    *word = model->count % 100 == 99 ? 0 : mixed(model);
    return true;
}

static bool one_bit_stuck(struct model *model, uint64_t *word)
{
    *word = mixed(model) | UINT64_C(1) << 41;
    return true;
}

static bool one_bit_toggles(struct model *model, uint64_t *word)
{
    *word = (mixed(model) & ~UINT64_C(1)) | (model->count & 1);
    return true;
}

static bool biased(struct model *model, uint64_t *word)
{
    uint64_t first = mixed(model);
    *word = first & mixed(model); /* a quarter of the bits are ones */
    return true;
}

static bool source(void *state, uint64_t *word)
{
    struct model *model = state;
    bool good = model->next(model, word);
    model->count++;
    return good;
}

#define MODEL(function)                                                                            \
    {                                                                                              \
        .name = #function, .next = function                                                        \
    }

static void test_models(void **state)
{
    (void)state;
    static const struct model models[] = {
        MODEL(failing),         MODEL(stuck_zero),    MODEL(stuck_ones),
        MODEL(stuck_value),     MODEL(period_two),    MODEL(period_four),
        MODEL(few_bytes),       MODEL(fails_later),   MODEL(fails_alternately),
        MODEL(counter),         MODEL(wide_counter),  MODEL(high_half_zero),
        MODEL(zero_as_success), MODEL(one_bit_stuck), MODEL(one_bit_toggles),
        MODEL(biased),
    };
    const size_t model_count = sizeof models / sizeof models[0];
    struct csn_random random;
    uint8_t output[64];
    for (size_t i = 0; i < model_count; i++) {
        for (uint64_t start = 0; start < 100; start++) {
            struct model model = models[i];
            model.seed = start * 1000003;
            csn_err err = csn_random_init(&random, source, &model);
            if (err != CSN_ERR_ENTROPY) {
                print_error("%s started\n", model.name);
            }
            assert_int_equal(err, CSN_ERR_ENTROPY);
            assert_int_equal(csn_random_fill(&random, output, sizeof output), CSN_ERR_ENTROPY);
        }
    }
    printf("# %zu failure models refused, 100 starts each\n", model_count);
}

static void test_healthy(void **state)
{
    (void)state;
    struct csn_random random, twin;
    uint8_t output[3000], other[3000];
    for (uint64_t start = 0; start < 300; start++) {
        struct model model = {.next = healthy, .seed = start * 7919};
        assert_int_equal(csn_random_init(&random, source, &model), CSN_OK);
        assert_int_equal(csn_random_fill(&random, output, sizeof output), CSN_OK);
        model = (struct model){.next = healthy, .seed = start * 7919 + 1};
        assert_int_equal(csn_random_init(&twin, source, &model), CSN_OK);
        assert_int_equal(csn_random_fill(&twin, other, sizeof other), CSN_OK);
        assert_memory_not_equal(output, other, 32);
        for (int i = 0; i + 32 < 3000; i += 32) { /* no block of the stream comes twice */
            assert_memory_not_equal(output + i, output + 2968, 32);
        }
    }
    assert_int_equal(csn_random_init(&random, csn_random_rdrand, NULL), CSN_OK);
    assert_int_equal(csn_random_init(&random, csn_random_system, NULL), CSN_OK);
}

/* Healthy until the start tests are over: what follows is found at the next reseed. */
#define START_WORDS 1024u

static bool is_late(const struct model *model)
{
    return model->count >= START_WORDS + 3; /* in the middle of the first reseed */
}

static bool late_zero(struct model *model, uint64_t *word)
{
    uint64_t value = mixed(model);
    *word = is_late(model) && model->count % 2 == 0 ? 0 : value;
    return true;
}

static bool late_ones(struct model *model, uint64_t *word)
{
    uint64_t value = mixed(model);
    *word = is_late(model) && model->count % 2 == 0 ? UINT64_MAX : value;
    return true;
}

static bool late_repeat(struct model *model, uint64_t *word)
{
    struct model before = *model;
    bool again = is_late(model) && model->count % 4 == 0;
    before.seed -= UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = again ? mixed(&before) : mixed(model);
    model->seed += again ? UINT64_C(0x9e3779b97f4a7c15) : 0;
    *word = value;
    return true;
}

static bool late_counter(struct model *model, uint64_t *word)
{
    *word = is_late(model) ? model->count * UINT64_C(0x9e3779b97f4a7c15) : mixed(model);
    return true;
}

static bool late_failure(struct model *model, uint64_t *word)
{
    *word = mixed(model);
    return !is_late(model);
}

static void test_later(void **state)
{
    (void)state;
    static uint8_t output[1 << 16], zero[1 << 16];
    static const struct model models[] = {
        MODEL(late_zero),    MODEL(late_ones),    MODEL(late_repeat),
        MODEL(late_counter), MODEL(late_failure),
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct csn_random random;
        struct model model = models[i];
        csn_err err = CSN_OK;
        model.seed = 4;
        assert_int_equal(csn_random_init(&random, source, &model), CSN_OK);
        for (uint32_t tries = 0; tries < 2 && err == CSN_OK; tries++) {
            err = csn_random_fill(&random, output, sizeof output);
        }
        if (err != CSN_ERR_ENTROPY) {
            print_error("%s goes on\n", model.name);
        }
        assert_int_equal(err, CSN_ERR_ENTROPY);
        assert_memory_equal(output, zero, sizeof output);
        assert_int_equal(csn_random_fill(&random, output, 1), CSN_ERR_ENTROPY); /* sticky */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_healthy),
        cmocka_unit_test(test_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
