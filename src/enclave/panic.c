/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic.c: the end of an enclave from inside, after a check of our own has failed.
 *
 * Nothing is printed and nothing of the state leaves but a number. Only the panicking worker's own
 * memory is wiped: wiping under a worker that still runs would have it seal under a zero key.
 */
#include "gate.h"
#include "start.h"

void cse_panic(uint32_t code)
{
    cse_worker_wipe();
    cse_gate_stop(code);
}

/* What the compiler calls when a canary has changed. */
CSN_NORETURN void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    cse_panic(CSN_WIRE_STOP_STACK);
}
