/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h: threads of the library that help for a moment: they leave all signals to the program's
 * own. The caller joins them before it returns.
 */
#ifndef CSN_BACKEND_THREAD_H
#define CSN_BACKEND_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* False: it cannot be had, and the caller does the work itself. */
bool csn_thread_start(pthread_t *thread, void *(*work)(void *), void *argument);

#endif
