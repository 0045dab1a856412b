/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.h: a test image without run loop, sessions or keys: entry.S calls its cse_start().
 *
 * raw_serving() tells the launcher that the image is up, so that what follows counts as a crash
 * while serving and not as a refused start.
 */
#ifndef CSN_TEST_RAW_H
#define CSN_TEST_RAW_H

#include "enclave/gate.h"
#include "enclave/start.h"

#define RAW_MANIFEST(image_name, workers)                                                          \
    CSE_MANIFEST(.name = image_name, .security_version = 1, .stack_size = 0x4000,                  \
                 .pool_size = 0x200000, .worker_count = workers, .channel_count = 1,               \
                 .input_line_count = 64, .output_line_count = 64, .input_size_max = 1024,          \
                 .output_size_max = 1088, .outputs_per_input_max = 1, .tenant_count_max = 1,       \
                 .context_count_max = 1, .credential_count_max = 1, .scratch_size = 0x1000,        \
                 .output_scale = 16)

static inline void raw_serving(struct csn_wire_boot *boot)
{
    __atomic_store_n(&boot->made.state, CSN_WIRE_STATE_SERVING, __ATOMIC_RELEASE);
}

/* Sleep on this worker's event word, for ever, without looking at a ring. */
CSN_NORETURN static inline void raw_idle(struct csn_wire_boot *boot, uint32_t index)
{
    struct csn_wire_manifest manifest = cse_manifest_note.manifest; /* the note is not aligned */
    uint64_t event = CSN_MAP_RINGS + csn_wire_worker_offset(&manifest, index);
    for (;;) {
        uint32_t seen = *(volatile uint32_t *)(event + CSN_WIRE_EVENT_WORD);
        boot->stats[index].parks++;
        cse_gate_park((struct csn_shared *)event, seen);
    }
}

CSN_NORETURN void cse_refuse(uint32_t code)
{
    cse_gate_stop(code);
}

CSN_NORETURN void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    cse_gate_stop(CSN_WIRE_STOP_STACK);
}

#endif
