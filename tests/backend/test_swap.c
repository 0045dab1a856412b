/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_swap.c: an image whose bytes change while it is loaded: what is measured is the private copy
 * that runs, whichever it became.
 *
 * Usage: test_swap BACKEND. Reads $CAISSON_BUILD.
 */
#define _GNU_SOURCE
#include "../skip.h"
#include "harness.h"
#include "image/image.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MARK   "the byte that is told:"
#define FIRST  'd'
#define ROUNDS 60u

static const struct csn_backend *backend;

struct swapper {
    uint8_t *place;
    atomic_bool stop;
};

/* Either value for about as long as the other, in runs of different lengths. */
static void *swap(void *argument)
{
    struct swapper *swapper = argument;
    for (uint32_t i = 0; !atomic_load_explicit(&swapper->stop, memory_order_relaxed); i++) {
        __atomic_store_n(swapper->place, (uint8_t)(FIRST + (i * 2654435761u >> 31)),
                         __ATOMIC_RELAXED);
    }
    return NULL;
}

static void what_runs_is_measured(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_image image;
    struct swapper swapper = {.stop = false};
    pthread_t thread;
    uint8_t expected[2][48];
    uint32_t seen[2] = {0};
    assert_int_equal(harness_prepare(&harness, backend, "told"), CSN_OK);
    uint8_t *mark = memmem(harness.image, harness.image_size, MARK, sizeof MARK - 1);
    assert_non_null(mark);
    swapper.place = mark + sizeof MARK - 1;
    for (uint32_t i = 0; i < 2; i++) {
        *swapper.place = (uint8_t)(FIRST + i);
        assert_int_equal(
            csn_image_measure_file(harness.image, harness.image_size, &image, expected[i], NULL),
            CSN_OK);
    }
    assert_memory_not_equal(expected[0], expected[1], 48);
    assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
    uint32_t wrong = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct csn_fate fate = {.kind = CSN_FATE_RUNNING};
        csn_err result = harness_create(&harness, 0);
        if (result == CSN_OK) {
            harness_fate(&harness, &fate);
            backend->destroy(harness.instance);
            harness.instance = NULL;
        }
        uint32_t which = fate.code - FIRST;
        bool told = result == CSN_OK && fate.kind == CSN_FATE_PANIC && which < 2;
        wrong += !told || memcmp(harness.report.measurement, expected[which], 48) != 0;
        seen[told ? which : 0] += told;
    }
    atomic_store(&swapper.stop, true);
    pthread_join(thread, NULL);
    harness_stop(&harness);
    printf("# %u and %u of %u starts ran the one and the other\n", seen[0], seen[1], ROUNDS);
    assert_int_equal(wrong, 0);
    assert_true(seen[0] > 0 && seen[1] > 0); /* else nothing was swapped */
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_runs_is_measured)};
    struct csn_detail detail = {""};
    if (count != 2) {
        return 2;
    }
    backend = strcmp(arguments[1], "kvm") == 0 ? &csn_backend_kvm : &csn_backend_process;
    if (backend->probe(&detail) != CSN_OK) {
        return test_skip(detail.text);
    }
    return cmocka_run_group_tests_name("swapped image", tests, NULL, NULL);
}
