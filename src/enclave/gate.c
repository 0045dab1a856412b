/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c: the calls out, at the fixed addresses of the backend's gate page. Images only. */
#include "gate.h"
#include <caisson/wire/map.h>

typedef void (*cse_gate_event)(struct csn_shared *event, uint32_t value);
typedef void (*cse_gate_code)(uint32_t code);

void cse_gate_park(struct csn_shared *event, uint32_t seen)
{
    ((cse_gate_event)CSN_GATE_PARK)(event, seen);
}

void cse_gate_wake(struct csn_shared *event, uint32_t channel)
{
    ((cse_gate_event)CSN_GATE_WAKE)(event, channel);
}

void cse_gate_stop(uint32_t code)
{
    ((cse_gate_code)CSN_GATE_STOP)(code);
    /* A gate that returns is broken; nothing of the image may run after a stop. */
    __builtin_trap();
}
