/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skip.h: a whole program that cannot run here. Meson 1.0 takes cmocka's "not ok # SKIP" for a
 * failure, so the program says so before any test, and returns this.
 */
#ifndef CSN_TEST_SKIP_H
#define CSN_TEST_SKIP_H

#include <stdio.h>
#include <stdlib.h>

/* For a seeded bug, which is expected to fail, 0 would look like a pass: mutant_env has another. */
static inline int test_skip(const char *reason)
{
    const char *status = getenv("CAISSON_SKIP_STATUS");
    printf("1..0 # SKIP %s\n", reason);
    return status != NULL ? atoi(status) : 0;
}

#endif
