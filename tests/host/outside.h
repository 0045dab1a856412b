/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside.h: what a machine can do to an enclave from outside, on either backend, without asking
 * libcaisson: a process is stopped and killed by signals; a micro-VM loses its virtual CPUs, as the
 * descriptor that its threads run is made another file.
 *
 * One enclave at a time may be alive in the program.
 */
#ifndef TESTS_HOST_OUTSIDE_H
#define TESTS_HOST_OUTSIDE_H

#include <caisson/host.h>

/* From here on it takes no further input. Waits until it has nothing left to do. */
void outside_hold(struct csn_enclave *enclave);
/* Ends it, wherever it is, held or not; returns when libcaisson sees it ended. */
void outside_end(struct csn_enclave *enclave);
/* Its fate must be an end from outside, in the words that the backend has for it. */
void outside_check_fate(const struct csn_enclave *enclave);

#endif
