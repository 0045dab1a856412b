/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first_failure.c: a seeded bug is found when one test fails; those after it are not run.
 *
 * Linked with --wrap into each seeded bug's program, in place of cmocka's own runner of a group,
 * which goes on to the end. The group's set-up and tear-down are still run once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef int runner(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
                   CMFixtureFunction);
runner __real__cmocka_run_group_tests;
runner __wrap__cmocka_run_group_tests;

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
    void *state = NULL;
    int failures = set_up != NULL && set_up(&state) != 0 ? 1 : 0;
    for (size_t i = 0; i < count && failures == 0; i++) {
        struct CMUnitTest one = tests[i];
        if (one.initial_state == NULL) {
            one.initial_state = state;
        }
        failures = __real__cmocka_run_group_tests(name, &one, 1, NULL, NULL);
    }
    if (tear_down != NULL) {
        (void)tear_down(&state);
    }
    return failures;
}
