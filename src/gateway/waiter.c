/* SPDX-License-Identifier: Apache-2.0 */
/* waiter.c: see waiter.h. */
#include "waiter.h"
#include <errno.h>
#include <unistd.h>

#define SLICE_NS UINT64_C(100000000) /* from one look at is_ended to the next */

static bool is_ended(const struct csn_waiter *waiter)
{
    return __atomic_load_n(&waiter->is_ended, __ATOMIC_ACQUIRE) != 0;
}

static void *wait_when_asked(void *state)
{
    static const uint64_t one = 1;
    struct csn_waiter *waiter = state;
    while (!is_ended(waiter)) {
        while (sem_wait(&waiter->asked) != 0 && errno == EINTR) {
        }
        csn_err err = is_ended(waiter) ? CSN_OK : CSN_AGAIN;
        while (err == CSN_AGAIN && !is_ended(waiter)) {
            err = csn_enclave_wait(waiter->enclave, waiter->channel, SLICE_NS);
        }
        __atomic_store_n(&waiter->is_busy, 0, __ATOMIC_RELEASE);
        /* A full counter wakes the loop as well. */
        ssize_t written = write(waiter->event_fd, &one, sizeof one);
        (void)written;
    }
    return NULL;
}

csn_err csn_waiter_init(struct csn_waiter *waiter, struct csn_enclave *enclave, uint32_t channel,
                        int event_fd)
{
    *waiter = (struct csn_waiter){.enclave = enclave, .channel = channel, .event_fd = event_fd};
    if (sem_init(&waiter->asked, 0, 0) != 0) {
        return CSN_ERR_SYSTEM;
    }
    if (pthread_create(&waiter->thread, NULL, wait_when_asked, waiter) != 0) {
        sem_destroy(&waiter->asked);
        return CSN_ERR_SYSTEM;
    }
    return CSN_OK;
}

void csn_waiter_end(struct csn_waiter *waiter)
{
    __atomic_store_n(&waiter->is_ended, 1, __ATOMIC_RELEASE);
    sem_post(&waiter->asked);
    pthread_join(waiter->thread, NULL);
    sem_destroy(&waiter->asked);
}

void csn_waiter_ask(struct csn_waiter *waiter)
{
    __atomic_store_n(&waiter->is_busy, 1, __ATOMIC_RELEASE);
    sem_post(&waiter->asked);
}
