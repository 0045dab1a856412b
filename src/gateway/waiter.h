/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiter.h: the sleep of one channel, for a loop that sleeps on descriptors: a thread that waits in
 * csn_enclave_wait() when it is asked to, and writes an eventfd when the wait is over.
 *
 * Threads:  all functions are the loop's. While csn_waiter_is_busy(), the thread is the channel's
 *           receiving thread and the loop must not receive from it; submitting is allowed.
 */
#ifndef CSN_GATEWAY_WAITER_H
#define CSN_GATEWAY_WAITER_H

#include <caisson/host.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct csn_waiter {
    struct csn_enclave *enclave;
    uint32_t channel;
    int event_fd; /* the loop's; written when a wait is over */
    pthread_t thread;
    sem_t asked;
    uint32_t is_busy;  /* shared */
    uint32_t is_ended; /* shared */
};

CSN_MUST_USE csn_err csn_waiter_init(struct csn_waiter *waiter, struct csn_enclave *enclave,
                                     uint32_t channel, int event_fd);
/* Ends the thread. The enclave must have stopped, or the wait ends a slice later by itself. */
void csn_waiter_end(struct csn_waiter *waiter);
/* Begins a wait; not while one is under way. */
void csn_waiter_ask(struct csn_waiter *waiter);

static inline bool csn_waiter_is_busy(const struct csn_waiter *waiter)
{
    return __atomic_load_n(&waiter->is_busy, __ATOMIC_ACQUIRE) != 0;
}

#endif
