/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac_batch.c: HMAC-SHA-256 of many messages, two at a time.
 *
 * A lane holds one message and knows its next block: whole blocks of the message, its padded end,
 * then the block of the outer hash. When it has its tag it takes the next message. Sizes are
 * public; which lane a message gets follows from them and from its place alone.
 */
#include "sha256_kernel.h"
#include "sha2.h"
#include <core/bytes.h>
#include <stdbool.h>

struct lane {
    struct csn_sha256_stream stream;
    const struct csn_hmac_item *item;
    uint32_t whole; /* blocks left in the message itself */
    uint32_t ends;  /* blocks left in end */
    bool outer;     /* the last block of all is in end */
    uint8_t end[128];
};

/* size bytes lie in end; total of the hash, with the pad block, becomes its last eight bytes. */
static void pad_end(struct lane *lane, uint32_t size, uint64_t total)
{
    lane->ends = size < 56 ? 1 : 2;
    __builtin_memset(lane->end + size, 0, 64 * lane->ends - size);
    lane->end[size] = 0x80;
    csn_store_u64(lane->end + 64 * lane->ends - 8, __builtin_bswap64(8 * total));
}

static void begin(struct lane *lane, const struct csn_hmac_item *item)
{
    uint32_t rest = item->size % 64;
    lane->item = item;
    lane->whole = item->size / 64;
    lane->outer = false;
    __builtin_memcpy(lane->stream.state, item->key->inner, sizeof lane->stream.state);
    if (rest > 0) {
        __builtin_memcpy(lane->end, item->bytes + item->size - rest, rest);
    }
    pad_end(lane, rest, UINT64_C(64) + item->size);
    lane->stream.block = lane->whole > 0 ? item->bytes : lane->end;
}

static void put_digest(const struct lane *lane, uint8_t digest[32])
{
    for (int i = 0; i < 8; i++) {
        csn_store_u32(digest + 4 * i, __builtin_bswap32(lane->stream.state[i]));
    }
}

/* After a block: the next one, or false when the tag is written. */
static bool advance(struct lane *lane)
{
    if (lane->whole > 0) {
        lane->whole--;
        lane->stream.block = lane->whole > 0 ? lane->stream.block + 64 : lane->end;
        return true;
    }
    lane->stream.block += 64;
    lane->ends--;
    if (lane->ends > 0) {
        return true;
    }
    if (lane->outer) {
        put_digest(lane, lane->item->tag);
        return false;
    }
    put_digest(lane, lane->end);
    __builtin_memcpy(lane->stream.state, lane->item->key->outer, sizeof lane->stream.state);
    pad_end(lane, 32, 96);
    lane->outer = true;
    lane->stream.block = lane->end;
    return true;
}

void csn_hmac_batch(const struct csn_hmac_item *items, uint32_t count)
{
    const struct csn_sha256_kernel *kernel = csn_sha256_active();
    struct lane lanes[2];
    uint32_t next = 0; /* item */
    bool busy[2] = {false, false};
    for (;;) {
        for (uint32_t i = 0; i < 2; i++) {
            if (!busy[i] && next < count) {
                begin(&lanes[i], &items[next++]);
                busy[i] = true;
            }
        }
        if (busy[0] && busy[1]) {
            kernel->compress_two(&lanes[0].stream, &lanes[1].stream);
            busy[0] = advance(&lanes[0]);
            busy[1] = advance(&lanes[1]);
        } else if (busy[0] || busy[1]) {
            uint32_t last = busy[0] ? 0 : 1;
            kernel->compress(lanes[last].stream.state, lanes[last].stream.block, 1);
            busy[last] = advance(&lanes[last]);
        } else {
            break;
        }
    }
    csn_wipe(lanes, sizeof lanes);
}
