/* SPDX-License-Identifier: Apache-2.0 */
/* unit_thread.h: the slow half of a unit, for unit.c. */
#ifndef CSN_GATEWAY_UNIT_THREAD_H
#define CSN_GATEWAY_UNIT_THREAD_H

#include "unit.h"

/* Thread body; state: the struct csn_unit. Ends when the box says so. */
void *csn_unit_thread(void *state);
void csn_unit_nonces_add(struct csn_unit_nonces *list, struct csn_unit_nonce *nonce);

#endif
