/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.h: a counter in a TPM's NV memory, over a host that carries bytes and may carry others.
 *
 * Trust:    commands and responses are authenticated by a session whose salt only the TPM with the
 *           pinned endorsement key can read; the index is the one with the pinned name.
 * Threads:  one worker. Memory: the caller's.
 */
#ifndef CSE_ENCLAVE_COUNTER_H
#define CSE_ENCLAVE_COUNTER_H

#include "outside.h"

struct cse_counter {
    bool used;
    struct csn_wire_counter pin;
};

/* pin: NULL for none. */
CSN_MUST_USE csn_err cse_counter_begin(struct cse_counter *counter,
                                       const struct csn_wire_counter *pin);
CSN_MUST_USE csn_err cse_counter_read(struct cse_counter *counter, struct cse_outside *outside,
                                      uint64_t *value);
/* One up. CSN_ERR_REPLAY: it is not at `wanted` then: somebody else counted as well. */
CSN_MUST_USE csn_err cse_counter_step(struct cse_counter *counter, struct cse_outside *outside,
                                      uint64_t wanted);

#endif
