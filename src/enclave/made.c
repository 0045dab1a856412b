/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.c: one writer at a time for the list of keys in the boot region.
 *
 * Threads: any worker; the lock is private to the image and is taken only when a grant changes
 *          something. The launcher reads with key_version, as a sequence lock.
 */
#include "start.h"
#include <stdatomic.h>

#define CSE_MADE_SPINS UINT64_C(4000000000) /* some tens of seconds: then a worker is lost */

static _Atomic uint32_t made_lock;

struct csn_wire_boot_made *cse_made_begin(struct cse_worker *worker)
{
    uint32_t free = 0;
    /* Pairs with the release in cse_made_end(). */
    for (uint64_t spins = 0; !atomic_compare_exchange_weak_explicit(
             &made_lock, &free, 1, memory_order_acquire, memory_order_relaxed);
         spins++) {
        if (spins == CSE_MADE_SPINS) {
            cse_panic(CSN_WIRE_STOP_ASSERT);
        }
        free = 0;
        __builtin_ia32_pause();
    }
    struct csn_wire_boot_made *made = &worker->boot->made;
    __atomic_store_n(&made->key_version, made->key_version + 1, __ATOMIC_RELAXED);
    /* The odd version is visible before any of the writes that follow. */
    atomic_thread_fence(memory_order_release);
    return made;
}

void cse_made_end(struct cse_worker *worker)
{
    struct csn_wire_boot_made *made = &worker->boot->made;
    __atomic_store_n(&made->key_version, made->key_version + 1, __ATOMIC_RELEASE);
    atomic_store_explicit(&made_lock, 0, memory_order_release);
}
