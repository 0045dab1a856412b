/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h: a service whose state is a list of payloads in a journal outside: what it can do. */
#ifndef CSN_TEST_KEEPER_H
#define CSN_TEST_KEEPER_H

#include <stdint.h>

#define KEEPER_PUT   1 /* keeps the payload and gives it back */
#define KEEPER_STATE 2 /* gives struct keeper_state */
#define KEEPER_GET   3 /* the payload back, nothing kept: served whether or not there is space */

#define KEEPER_TENANTS        2u
#define KEEPER_SNAPSHOT_AFTER 65536u

struct keeper_state {
    uint64_t count;  /* of payloads kept */
    uint64_t digest; /* over all of them, in order */
    uint64_t opened; /* replays in this boot */
};

/* Policy of a grant: nothing, or a struct csn_wire_counter. */
#define KEEPER_STATE_SIZE (KEEPER_TENANTS * (UINT64_C(2048) + 64))

/* What a payload makes of a digest. */
static inline uint64_t keeper_digest(uint64_t digest, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return (digest ^ size) * UINT64_C(0x100000001b3);
}

#endif
