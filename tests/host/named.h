/* SPDX-License-Identifier: Apache-2.0 */
/* named.h: programs that test one image on one backend by name: PROGRAM BACKEND IMAGE. */
#ifndef TESTS_HOST_NAMED_H
#define TESTS_HOST_NAMED_H

#include <caisson/host.h>

/* What every csn_enclave_create() of the program gets. */
extern struct csn_enclave_options named_options;

/* Reads the arguments. -1: go on; else the program's result, after a TAP skip or a usage line. */
int named_begin(int count, char **arguments);

#endif
