/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sample.c: are tokens drawn as often as their logits say, are top_k and top_p what a sort
 * gives, does a seed repeat, and what goes out before a stop string?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vocab/sample.h"
#include "vocab/stop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 50u
#define DRAWS 50000u

static uint32_t weights[COUNT];

/* Logits in no order, some of them equal. */
static void make_logits(float logits[COUNT])
{
    for (uint32_t i = 0; i < COUNT; i++) {
        logits[i] = (float)(i * 7919 % 23) / 4.0f - 3.0f;
    }
}

static void count_draws(const struct csn_sample_options *options, const float logits[COUNT],
                        uint32_t counts[COUNT])
{
    memset(counts, 0, COUNT * sizeof *counts);
    for (uint32_t i = 0; i < DRAWS; i++) {
        const uint32_t token = csn_sample(options, i, logits, COUNT, weights);
        assert_true(token < COUNT);
        counts[token]++;
    }
}

/* chi-square of 49 degrees: above 110 once in 10^6. */
static void test_frequencies(void **state)
{
    (void)state;
    static const float temperatures[] = {0.5f, 1.0f, 2.5f};
    for (uint32_t t = 0; t < 3; t++) {
        const struct csn_sample_options options = {temperatures[t], 1, 0, 1234 + t};
        float logits[COUNT];
        uint32_t counts[COUNT];
        double sum = 0;
        double distance = 0;
        make_logits(logits);
        count_draws(&options, logits, counts);
        for (uint32_t i = 0; i < COUNT; i++) {
            sum += exp(logits[i] / temperatures[t]);
        }
        for (uint32_t i = 0; i < COUNT; i++) {
            const double expected = DRAWS * exp(logits[i] / temperatures[t]) / sum;
            distance += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        assert_true(distance < 110);
    }
}

static void test_top_k(void **state)
{
    (void)state;
    float logits[COUNT];
    uint32_t counts[COUNT];
    make_logits(logits);
    for (uint32_t k = 1; k <= COUNT + 1; k += 3) {
        const struct csn_sample_options options = {1.5f, 1, k, 77};
        count_draws(&options, logits, counts);
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t before = 0; /* likelier, or as likely with a smaller number */
            for (uint32_t j = 0; j < COUNT; j++) {
                before += logits[j] > logits[i] || (logits[j] == logits[i] && j < i);
            }
            assert_int_equal(counts[i] > 0, before < k);
        }
    }
}

static void test_top_p(void **state)
{
    (void)state;
    static const float shares[] = {1e-6f, 0.1f, 0.5f, 0.9f, 0.99f};
    float logits[COUNT];
    uint32_t counts[COUNT];
    double sum = 0;
    make_logits(logits);
    for (uint32_t i = 0; i < COUNT; i++) {
        sum += exp(logits[i]);
    }
    for (uint32_t s = 0; s < 5; s++) {
        const struct csn_sample_options options = {1, shares[s], 0, 99};
        count_draws(&options, logits, counts);
        for (uint32_t i = 0; i < COUNT; i++) {
            double above = 0; /* of what is likelier: it must not be enough by itself */
            for (uint32_t j = 0; j < COUNT; j++) {
                above += logits[j] > logits[i] ? exp(logits[j]) / sum : 0;
            }
            assert_int_equal(counts[i] > 0, above < shares[s]);
        }
    }
}

static void test_greedy(void **state)
{
    (void)state;
    const struct csn_sample_options options = {0, 0.5f, 3, 5};
    float logits[COUNT];
    make_logits(logits);
    logits[31] = logits[17] = 50;
    assert_int_equal(csn_sample(&options, 0, logits, COUNT, weights), 17);
    const struct csn_sample_options one = {1, 1, 1, 5};
    assert_int_equal(csn_sample(&one, 0, logits, COUNT, weights), 17);
}

static void test_strange_logits(void **state)
{
    (void)state;
    static const float strange[] = {NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 0};
    static const float temperatures[] = {0, CSN_SAMPLE_TEMPERATURE_MIN, 1,
                                         CSN_SAMPLE_TEMPERATURE_MAX};
    for (uint32_t round = 0; round < 4 * 1296; round++) {
        float logits[4];
        uint32_t digits = round / 4;
        bool has_number = false;
        for (uint32_t i = 0; i < 4; i++, digits /= 6) {
            logits[i] = strange[digits % 6];
            has_number = has_number || !isnan(logits[i]);
        }
        const struct csn_sample_options options = {temperatures[round % 4], 0.9f, 0, round};
        const uint32_t token = csn_sample(&options, 0, logits, 4, weights);
        assert_true(token < 4);
        const bool is_low = isnan(logits[token]);
        bool has_high = false;
        for (uint32_t i = 0; i < 4; i++) {
            has_high = has_high || logits[i] >= 0;
        }
        assert_false(is_low && has_high && has_number);
    }
}

static void test_seeds(void **state)
{
    (void)state;
    struct csn_sample_options options = {1, 1, 0, 1};
    float logits[COUNT];
    uint32_t first[64];
    uint32_t same = 0;
    make_logits(logits);
    for (uint32_t i = 0; i < 64; i++) {
        first[i] = csn_sample(&options, i, logits, COUNT, weights);
    }
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(csn_sample(&options, i, logits, COUNT, weights), first[i]);
    }
    options.seed = 2;
    for (uint32_t i = 0; i < 64; i++) {
        same += csn_sample(&options, i, logits, COUNT, weights) == first[i];
    }
    assert_true(same < 16);
}

/* ---- stop strings ---- */

/* Adds a text in steps of `step` bytes. Returns what came out; *stopped: by a stop string. */
static uint32_t run(struct csn_stop *stop, const char *text, uint32_t step, uint8_t *out,
                    bool *stopped)
{
    uint32_t used = 0;
    *stopped = false;
    for (uint32_t at = 0; at < strlen(text) && !*stopped; at += step) {
        const uint32_t left = (uint32_t)strlen(text) - at;
        uint32_t size = 0;
        *stopped = csn_stop_add(stop, (const uint8_t *)text + at, left < step ? left : step, &size);
        memcpy(out + used, stop->held, size);
        used += size;
        csn_stop_take(stop, size);
    }
    return used;
}

static void set_stops(struct csn_stop *stop, const char *const *strings, uint32_t count)
{
    memset(stop, 0, sizeof *stop);
    stop->count = count;
    for (uint32_t i = 0; i < count; i++) {
        stop->sizes[i] = (uint32_t)strlen(strings[i]);
        memcpy(stop->strings[i], strings[i], stop->sizes[i]);
    }
}

static void test_stops(void **state)
{
    (void)state;
    static const char *const strings[] = {"END", "\n\n", "ENEND!"};
    static const struct {
        const char *text;
        const char *out;
        bool stopped;
        const char *held; /* at the end */
    } cases[] = {
        {"abcEND def", "abc", true, NULL},
        {"abc EN", "abc ", false, "EN"},
        {"abc ENx", "abc ENx", false, ""},
        {"a\n", "a", false, "\n"},
        {"a\n\n", "a", true, NULL},
        {"", "", false, ""},
        {"\n b \n c", "\n b \n c", false, ""},
        {"EEND", "E", true, NULL},
        {"xENE", "x", false, "ENE"},
        {"a\xc3", "a", false, "\xc3"},
        {"\xe2\x82", "", false, "\xe2\x82"},
        {"\xe2\x82\xac", "\xe2\x82\xac", false, ""},
        {"\xf0\x9f\x98", "", false, "\xf0\x9f\x98"},
        {"a\x80", "a\x80", false, ""},
        {"\xff", "\xff", false, ""},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t step = 1; step < 12; step++) {
            struct csn_stop stop;
            uint8_t out[64];
            bool stopped;
            set_stops(&stop, strings, 3);
            const uint32_t size = run(&stop, cases[i].text, step, out, &stopped);
            assert_int_equal(size, strlen(cases[i].out));
            assert_memory_equal(out, cases[i].out, size);
            assert_int_equal(stopped, cases[i].stopped);
            if (cases[i].held != NULL) {
                assert_int_equal(stop.held_size, strlen(cases[i].held));
                assert_memory_equal(stop.held, cases[i].held, stop.held_size);
            }
        }
    }
}

/* The longest that is held, and then as much again as may come at once. */
static void test_stop_room(void **state)
{
    (void)state;
    static uint8_t bytes[CSN_STOP_ADD_MAX];
    struct csn_stop stop = {.count = 1, .sizes = {CSN_STOP_SIZE_MAX}};
    uint32_t size;
    memset(stop.strings[0], 'a', CSN_STOP_SIZE_MAX);
    memset(bytes, 'a', sizeof bytes);
    assert_false(csn_stop_add(&stop, bytes, CSN_STOP_SIZE_MAX - 1, &size));
    assert_int_equal(size, 0);
    memset(bytes, 'b', sizeof bytes);
    assert_false(csn_stop_add(&stop, bytes, CSN_STOP_ADD_MAX, &size));
    assert_int_equal(size, CSN_STOP_SIZE_MAX - 1 + CSN_STOP_ADD_MAX);
    csn_stop_take(&stop, size);
    assert_int_equal(stop.held_size, 0);
    for (uint32_t i = 0; i < sizeof stop.held; i++) {
        assert_int_equal(stop.held[i], 0); /* what went out is wiped */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops),       cmocka_unit_test(test_stop_room),
        cmocka_unit_test(test_greedy),      cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_frequencies), cmocka_unit_test(test_top_k),
        cmocka_unit_test(test_top_p),       cmocka_unit_test(test_strange_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
