/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_manifest.c: what the image says about itself: sizes are sums, one line per consumer.
 *
 * One worker: a model is there once, and all sessions go through it together. An answer has room
 * for eight times what its request has: what people ask is shorter than what they are told.
 */
#include "mod_state.h"
#include "weights/weights_load.h"

#define OUTPUT_SCALE 128u
#define OUTPUT_EXTRA 512u
#define OUTPUT_ROOM  (CSN_WIRE_PAYLOAD_MAX / 16u * OUTPUT_SCALE + OUTPUT_EXTRA)

/* The largest sealed record with the longest route, in and out; a chunk of a weights file fits. */
#define INPUT_MAX  (176u + CSN_WIRE_ROUTE_SIZE_MAX + CSN_WIRE_CLASS_LARGEST + CSN_WIRE_TAG_SIZE)
#define OUTPUT_MAX (8u + 176u + CSN_WIRE_ROUTE_SIZE_MAX + 128u + OUTPUT_ROOM + CSN_WIRE_TAG_SIZE)
_Static_assert(INPUT_MAX >= CSE_WEIGHTS_INPUT_MIN, "a chunk fits");

#define TENANTS 16u

#define SCRATCH_SIZE                                                                               \
    (CSN_WIRE_PAYLOAD_MAX * 40u   /* nodes and name tables, one value per byte at worst */         \
     + 256u * 40u                 /* and the few that are tried first */                           \
     + CSN_WIRE_PAYLOAD_MAX       /* a prompt, decoded */                                          \
     + CSN_WIRE_PAYLOAD_MAX * 43u /* its symbols, their heap and marks, its spaces */              \
     + sizeof(struct mod_session) /* the session in the making */                                  \
     + OUTPUT_ROOM                /* an answer in one piece, when it ends */                       \
     + 0x20000u)                  /* a batch, parts, alignment of each take */

#define POOL_SIZE                                                                                  \
    (MOD_WORKER_SIZE                                      /* models, sessions, what they hold */   \
     + SCRATCH_SIZE + MOD_SESSION_MAX * UINT64_C(0x90000) /* held calls */                         \
     + (TENANTS + 1) * UINT64_C(0x20000) /* contexts, credentials, consumers, ledgers */           \
     + UINT64_C(0x400000)                /* batch: inputs, outputs, crypto items */                \
     + UINT64_C(2) * OUTPUT_MAX +                                                                  \
     UINT64_C(0x200000)) /* session, tenant table, store, alignment */

CSE_MANIFEST(.name = "model", .security_version = 1, .flags = CSN_WIRE_FLAG_STORE,
             .stack_size = 0x40000, .pool_size = (POOL_SIZE + 0xfff) / 0x1000 * 0x1000,
             .worker_count = 1, .channel_count = 2, .input_line_count = 8192,
             .output_line_count = 32768, .input_size_max = INPUT_MAX, .output_size_max = OUTPUT_MAX,
             .outputs_per_input_max = 1, .tenant_count_max = TENANTS, .context_count_max = 32,
             .credential_count_max = 16, .consumer_count_max = 4,
             .policy_size_max = sizeof(struct csn_wire_model_policy),
             .tenant_state_size = (sizeof(struct mod_tenant) + 63u) / 64u * 64u,
             .scratch_size = (SCRATCH_SIZE + 0xfff) / 0x1000 * 0x1000, .output_scale = OUTPUT_SCALE,
             .output_extra = OUTPUT_EXTRA, .worker_state_size = MOD_WORKER_SIZE,
             .held_max = MOD_SESSION_MAX);
