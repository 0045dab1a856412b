/* SPDX-License-Identifier: Apache-2.0 */
/* xcopy.c: the two accessors that are rare enough for a call; xcopy.h says what holds for all. */
#include "xcopy.h"

bool csn_shared_swap(struct csn_shared *shared, uint64_t offset, uint64_t expected, uint64_t value)
{
    return __atomic_compare_exchange_n(csn_shared_place(shared, offset), &expected, value, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void csn_shared_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
