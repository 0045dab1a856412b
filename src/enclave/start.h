/* SPDX-License-Identifier: Apache-2.0 */
/* start.h: what the files of the start-up share among themselves; see worker.h for the rest. */
#ifndef CSN_ENCLAVE_START_H
#define CSN_ENCLAVE_START_H

#include "worker.h"
#include <caisson/base.h>
#include <stdint.h>

/* Called by entry.S on the worker's own stack. */
CSN_NORETURN void cse_start(struct csn_wire_boot *boot, uint32_t index);
/* Ends the start with a reason: wipes the instance key, tells the launcher, stops. */
CSN_NORETURN void cse_refuse(uint32_t code);

/* Fill the unused part of the caller's stack with paint, once, at start. */
void cse_stack_paint(uint32_t worker);

/* The worker on whose stack the caller runs, or NULL before it was laid out. */
struct cse_worker *cse_worker_here(void);
/* Overwrites what this worker holds: its pool, generator and scratch, and the instance key. */
void cse_worker_wipe(struct cse_worker *worker);

#endif
