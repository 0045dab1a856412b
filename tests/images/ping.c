/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ping.c: start-up and run loop as every enclave has them, without sessions: pings come back, every
 * other message is refused as badly framed. Two workers with two channels each.
 */
#include "core/bytes.h"
#include "enclave/worker.h"
#include <caisson/wire/message.h>

CSE_MANIFEST(.name = "ping", .security_version = 1, .stack_size = 0x8000, .pool_size = 0x400000,
             .worker_count = 2, .channel_count = 2, .input_line_count = 4096,
             .output_line_count = 4096, .input_size_max = 66560, .output_size_max = 99840,
             .outputs_per_input_max = 1, .tenant_count_max = 1, .context_count_max = 1,
             .credential_count_max = 1, .scratch_size = 0x1000, .output_scale = 16);

const struct cse_service cse_service = {.operation_count = 0};

csn_err cse_session_init(struct cse_session **session, struct csn_pool *pool,
                         const struct cse_session_options *options)
{
    *session = csn_pool_carve(pool, options->manifest->scratch_size, 64);
    return *session != NULL ? CSN_OK : CSN_ERR_MEMORY;
}

void cse_session_batch(struct cse_session *session, const struct cse_input *inputs, uint32_t count,
                       cse_sink sink, void *state)
{
    const struct csn_wire_answer answer = {.code = CSN_WIRE_REJECT_FRAMING};
    const struct csn_ring_piece pieces[2] = {{&answer, sizeof answer}, {NULL, 0}};
    (void)session;
    for (uint32_t i = 0; i < count; i++) {
        sink(state, inputs[i].channel, inputs[i].tag, true, pieces);
    }
}
