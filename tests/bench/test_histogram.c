/* SPDX-License-Identifier: Apache-2.0 */
/* test_histogram.c: percentiles of bench/histogram.c beside those of the sorted durations. */
#include "../../bench/histogram.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define COUNT 100000u

static struct bench_histogram histogram;
static double values[COUNT];

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Never below the duration at that rank, and above it by 1 part in 64 at most. */
static void check_shares(void)
{
    static const double shares[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    bench_histogram_clear(&histogram);
    for (size_t i = 0; i < COUNT; i++) {
        bench_histogram_add(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof values[0], compare);
    assert_int_equal(histogram.count, COUNT);
    assert_true(histogram.max == values[COUNT - 1]);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        double exact = values[(size_t)ceil(shares[i] * COUNT - 1e-6) - 1];
        double found = bench_histogram_at(&histogram, shares[i]);
        assert_true(found >= exact && found <= exact * (1 + 1.0 / 64) + 1e-9);
    }
}

/* From 1 ns to 10 s, each decade as often as the next. */
static void decades(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        values[i] = pow(10, 10 * (double)(seed >> 11) / (double)(UINT64_C(1) << 53));
    }
    check_shares();
}

/* A few ns, as a record in a burst takes: where coarse steps would show. */
static void small(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = 1 + 4 * (double)i / COUNT;
    }
    check_shares();
}

/* One in a thousand waits: seen by p99.99, not by p99.9. */
static void tail(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = i % 1000 == 999 ? 50000 : 100;
    }
    check_shares();
    assert_true(bench_histogram_at(&histogram, 0.999) < 102);
    assert_true(bench_histogram_at(&histogram, 0.9999) > 49999);
}

/* Beyond the last bucket the largest is still exact. */
static void beyond(void **state)
{
    (void)state;
    bench_histogram_clear(&histogram);
    bench_histogram_add(&histogram, 0);
    bench_histogram_add(&histogram, 1e14);
    assert_int_equal(histogram.count, 2);
    assert_true(bench_histogram_at(&histogram, 0.5) < 0.1);
    assert_true(histogram.max == 1e14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decades),
        cmocka_unit_test(small),
        cmocka_unit_test(tail),
        cmocka_unit_test(beyond),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
