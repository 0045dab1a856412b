/* SPDX-License-Identifier: Apache-2.0 */
/* counter.c: not there yet: a grant that names a counter is refused. */
#include "counter.h"

csn_err cse_counter_begin(struct cse_counter *counter, const struct csn_wire_counter *pin)
{
    counter->used = false;
    return pin == NULL ? CSN_OK : CSN_ERR_SUITE;
}

csn_err cse_counter_read(struct cse_counter *counter, struct cse_outside *outside, uint64_t *value)
{
    (void)counter, (void)outside, (void)value;
    return CSN_ERR_SUITE;
}

csn_err cse_counter_step(struct cse_counter *counter, struct cse_outside *outside, uint64_t wanted)
{
    (void)counter, (void)outside, (void)wanted;
    return CSN_ERR_SUITE;
}
