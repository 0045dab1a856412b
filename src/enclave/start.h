/* SPDX-License-Identifier: Apache-2.0 */
/* start.h: what the files of the start-up share among themselves; see worker.h for the rest. */
#ifndef CSN_ENCLAVE_START_H
#define CSN_ENCLAVE_START_H

#include "worker.h"
#include <caisson/base.h>
#include <stdint.h>

/* Called by entry.S on the worker's own stack. */
CSN_NORETURN void cse_start(struct csn_wire_boot *boot, uint32_t index);
/* Ends the start with a reason: wipes what was made, tells the launcher, stops. */
CSN_NORETURN void cse_refuse(uint32_t code);

/* Fill the unused part of the caller's stack with paint, once, at start. */
void cse_stack_paint(uint32_t worker);

/*
 * Overwrites what the worker holds on whose stack the caller runs: its pool and generator. With
 * the last worker to stop go the instance's keys too; they are wiped here in any case, because all
 * that they can still be used for is to open grants and requests.
 */
void cse_worker_wipe(void);

#endif
