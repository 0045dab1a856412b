/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c: see thread.h. */
#include "thread.h"
#include <signal.h>

bool csn_thread_start(pthread_t *thread, void *(*work)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(thread, NULL, work, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number == 0;
}
