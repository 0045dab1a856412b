/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c: what this machine can do: one line per backend, then what each backend found. */
#include "../backend/backend.h"
#include "../backend/capability.h"

/* Each lists the protections and devices that its backend needs. */
static uint32_t (*const doctor_sources[])(struct csn_capability *, uint32_t) = {
    csn_kvm_capabilities,
    csn_process_capabilities,
};

uint32_t csn_doctor(struct csn_capability *capabilities, uint32_t count_max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; csn_backends[i] != NULL && count < count_max; i++) {
        struct csn_capability *line = &capabilities[count++];
        *line = (struct csn_capability){.name = csn_backends[i]->name};
        line->works = csn_backends[i]->probe(&line->detail) == CSN_OK;
    }
    for (size_t i = 0; i < sizeof doctor_sources / sizeof *doctor_sources; i++) {
        uint32_t room = count_max - count;
        uint32_t found = doctor_sources[i](capabilities + count, room);
        count += found < room ? found : room;
    }
    return count;
}
