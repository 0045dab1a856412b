/* SPDX-License-Identifier: Apache-2.0 */
/* children.h: crashes from outside: a signal to the enclave's process. */
#ifndef TESTS_HOST_CHILDREN_H
#define TESTS_HOST_CHILDREN_H

#include <stdbool.h>

/* Each child process of this one gets the signal; false where there is none (kvm). */
bool children_signal(int number);

#endif
