/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h: the run loop of one worker, in steps, for the loop itself and for hosted tests.
 *
 * Waiting: a worker that finds nothing spins for CSE_LOOP_SPIN_ROUNDS rounds, about as long as a
 * sleep and a wake would cost; then it arms its event, looks once more and parks. A parked worker
 * costs nothing; a doorbell that lies costs one look at every channel.
 */
#ifndef CSN_ENCLAVE_LOOP_H
#define CSN_ENCLAVE_LOOP_H

#include "worker.h"
#include <stdbool.h>

#define CSE_LOOP_SPIN_ROUNDS 4000u /* looks at all channels before parking */

/* Take one batch, answer it, publish the answers. False: there was nothing that could be taken. */
bool cse_loop_step(struct cse_worker *worker);
/* One idle round: spin, or, after enough of them, arm, look again and park. */
void cse_loop_idle(struct cse_worker *worker);

#endif
