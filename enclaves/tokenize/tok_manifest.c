/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_manifest.c: what the image says about itself: sizes are sums, one line per consumer.
 *
 * One worker, two channels. For more cores raise worker_count and pool_size with it: workers share
 * nothing, and the measurement says how many there are.
 */
#include "tok_state.h"

/* The largest sealed record with the longest route, in and out. */
#define INPUT_MAX (176u + CSN_WIRE_ROUTE_SIZE_MAX + CSN_WIRE_CLASS_LARGEST + CSN_WIRE_TAG_SIZE)
#define OUTPUT_MAX                                                                                 \
    (8u + 176u + CSN_WIRE_ROUTE_SIZE_MAX + 128u + CSN_WIRE_PAYLOAD_MAX / 16u * OUTPUT_SCALE +      \
     OUTPUT_EXTRA + CSN_WIRE_TAG_SIZE)
/* Half as much again as the class holds, and what one sealed value adds to a small record. */
#define OUTPUT_SCALE 24u
#define OUTPUT_EXTRA 176u

#define SCRATCH_SIZE                                                                               \
    (CSN_WIRE_PAYLOAD_MAX *                                                                        \
         40u  /* nodes and name tables of the record, one value per byte at worst */               \
     + 0x800u /* and the few that are tried first */                                               \
     + 2u * CSN_WIRE_PAYLOAD_MAX  /* decoded strings: value and subject */                         \
     + 4u * CSN_WIRE_PAYLOAD_MAX  /* values sealed to a consumer, or opened from one */            \
     + CSN_WIRE_PAYLOAD_MAX * 40u /* nodes and name tables of opened values */                     \
     + (sizeof(struct tok_queue) + 63u) / 64u * 64u /* kept over the records of a batch */         \
     + 0x10000u)                                    /* alignment of each take */

#define STATE_SIZE ((sizeof(struct tok_state) + 63u) / 64u * 64u)

#define POOL_SIZE                                                                                  \
    (UINT64_C(65) * STATE_SIZE /* 64 tenants with their models, and the grant that is checked */   \
     + UINT64_C(65) * CSN_WIRE_POLICY_SIZE_MAX /* their policies */                                \
     + UINT64_C(64) * 0x20000                  /* contexts, credentials, consumers, ledgers */     \
     + SCRATCH_SIZE                            /* per record */                                    \
     + UINT64_C(0x400000)                      /* batch: inputs, outputs, crypto items */          \
     + UINT64_C(0x40000)                       /* one message each way of the store */             \
     + UINT64_C(0x200000))                     /* session, tenant table, alignment */

CSE_MANIFEST(.name = "tokenize", .security_version = 1,
             .flags = CSN_WIRE_FLAG_DETERMINISTIC | CSN_WIRE_FLAG_STORE, .stack_size = 0x20000,
             .pool_size = (POOL_SIZE + 0xfff) / 0x1000 * 0x1000, .worker_count = 1,
             .channel_count = 2, .input_line_count = 8192, .output_line_count = 16384,
             .input_size_max = INPUT_MAX, .output_size_max = OUTPUT_MAX, .outputs_per_input_max = 1,
             .tenant_count_max = 64, .context_count_max = 64, .credential_count_max = 16,
             .consumer_count_max = 8, .policy_size_max = CSN_WIRE_POLICY_SIZE_MAX,
             .tenant_state_size = STATE_SIZE,
             .scratch_size = (SCRATCH_SIZE + 0xfff) / 0x1000 * 0x1000, .output_scale = OUTPUT_SCALE,
             .output_extra = OUTPUT_EXTRA);
