/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h: the system calls that an enclave process may make, as data.
 *
 * Three, each from its own instruction in the gate page and from nowhere else: futex wait (without
 * a timeout) and futex wake, both on words of the ring region, and exit_group. A wait without a
 * timeout is restarted by the kernel as the same call after SIGSTOP and SIGCONT, so
 * restart_syscall is not on the list. Anything else, and any call under the x32 or i386
 * convention, kills the process.
 *
 * Builds:   hosted (tests) and freestanding (the stub), same source. Pure.
 */
#ifndef CSN_PROCESS_FILTER_H
#define CSN_PROCESS_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_FILTER_SIZE_MAX 48u /* instructions */

/* The ring region may be at most 4 GiB, so that one comparison of each half is exact. */
#define CSN_FILTER_RINGS_SIZE_MAX UINT64_C(0x100000000)

/* Writes the program; returns its length, or 0 if rings_size is 0 or too large. */
uint32_t csn_process_filter(struct sock_filter program[CSN_FILTER_SIZE_MAX], uint64_t rings_size);

#endif
