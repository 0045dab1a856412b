/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h: the three calls that leave an image. The instructions that leave are in the backend's
 * gate page at a fixed address; the image itself has none. Hosted tests link their own versions.
 *
 * Trust:    a park may return at once, late or never; nothing but liveness depends on it.
 */
#ifndef CSN_ENCLAVE_GATE_H
#define CSN_ENCLAVE_GATE_H

#include "../core/xcopy.h"
#include <caisson/base.h>
#include <stdint.h>

/* Sleep while the event word (first 4 bytes of the event line) equals seen. */
void cse_gate_park(struct csn_shared *event, uint32_t seen);
/* Wake whoever sleeps on the event line of this channel (index within the worker). */
void cse_gate_wake(struct csn_shared *event, uint32_t channel);
CSN_NORETURN void cse_gate_stop(uint32_t code);

#endif
