/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_manifest.c: what the image says about itself: sizes are sums, one line per consumer.
 *
 * One worker: a tenant's keys have one owner. It is not deterministic, so a host that delivers a
 * request twice has it served once.
 */
#include "tra_state.h"
#include "json/json.h"

/* The largest sealed record with the longest route, in and out. */
#define INPUT_MAX    (176u + CSN_WIRE_ROUTE_SIZE_MAX + CSN_WIRE_CLASS_LARGEST + CSN_WIRE_TAG_SIZE)
#define OUTPUT_SCALE 32u   /* base64 of what base64 held, with its head and tag, in small items */
#define OUTPUT_EXTRA 6144u /* a key with its public half, twice, and certificate */
#define OUTPUT_MAX                                                                                 \
    (8u + 176u + CSN_WIRE_ROUTE_SIZE_MAX + 128u + CSN_WIRE_PAYLOAD_MAX / 16u * OUTPUT_SCALE +      \
     OUTPUT_EXTRA + CSN_WIRE_TAG_SIZE)

#define SCRATCH_SIZE                                                                               \
    (8192u * 40u                                           /* nodes and name tables */             \
     + CSN_WIRE_TRANSIT_ITEM_MAX * sizeof(struct tra_item) /* what they become */                  \
     + 2u * CSN_WIRE_PAYLOAD_MAX                           /* strings, unescaped and decoded */    \
     + 2u * CSN_WIRE_PAYLOAD_MAX + OUTPUT_EXTRA            /* what comes of them */                \
     + CSN_WIRE_PAYLOAD_MAX                                /* associated data */                   \
     + CSN_WIRE_TRANSIT_ITEM_MAX *                         /* and what stands before it */         \
           (sizeof(struct csn_wire_transit_bound) + 256u) +                                        \
     0x10000u) /* alignment of each take */

#define STATE_SIZE  ((sizeof(struct tra_grant) + 63u) / 64u * 64u)
#define WORKER_SIZE ((sizeof(struct tra_worker) + 63u) / 64u * 64u)
#define POLICY_MAX  ((uint32_t)CSN_WIRE_TRANSIT_POLICY_SIZE_MAX)

#define POOL_SIZE                                                                                  \
    (UINT64_C(17) * (STATE_SIZE + POLICY_MAX) /* 16 tenants, and the grant that is checked */      \
     + UINT64_C(16) * 0x20000                 /* contexts, credentials, consumers, ledgers */      \
     + SCRATCH_SIZE                           /* per record */                                     \
     + WORKER_SIZE                            /* every tenant's keys */                            \
     + UINT64_C(0x100000)                     /* batch: inputs, outputs, crypto items */           \
     + UINT64_C(0x200000))                    /* session, tenant table, alignment */

CSE_MANIFEST(.name = "transit", .security_version = 1, .flags = CSN_WIRE_FLAG_STORE,
             .stack_size = 0x20000, .pool_size = (POOL_SIZE + 0xfff) / 0x1000 * 0x1000,
             .worker_count = 1, .channel_count = 6, .input_line_count = 8192,
             .output_line_count = 16384, .input_size_max = INPUT_MAX, .output_size_max = OUTPUT_MAX,
             .outputs_per_input_max = 1, .tenant_count_max = TRA_STORE_COUNT,
             .context_count_max = 64, .credential_count_max = 32, .consumer_count_max = 4,
             .policy_size_max = POLICY_MAX, .tenant_state_size = STATE_SIZE,
             .scratch_size = (SCRATCH_SIZE + 0xfff) / 0x1000 * 0x1000, .output_scale = OUTPUT_SCALE,
             .output_extra = OUTPUT_EXTRA, .worker_state_size = WORKER_SIZE);
