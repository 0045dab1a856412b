/* SPDX-License-Identifier: Apache-2.0 */
/* test.h: cmocka and what it needs in front of it. */
#ifndef TESTS_ENCLAVE_TEST_H
#define TESTS_ENCLAVE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka comes last. */
#include <cmocka.h>

#endif
