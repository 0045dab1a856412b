/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.h: bytes that wait, in order: what is taken leaves at the front, what is added comes at
 * the back. It owns memory only while it holds something, and all of it is on an account.
 *
 * Threads:  one. Lifetime: zeroed is empty; drop before it is forgotten.
 */
#ifndef CSN_GATEWAY_BUFFER_H
#define CSN_GATEWAY_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much memory bodies take, in all and of one client. */
struct csn_account {
    uint64_t used;
    uint64_t max;
    struct csn_account *parent; /* NULL: none above, and: */
    struct csn_block *spares;   /* small blocks that go round, in nobody's use */
    uint32_t spare_count;
};

/* Frees them; for the one above all. */
void csn_account_end(struct csn_account *account);

/* False, and nothing is taken, if it or one above it has not that much left. */
bool csn_account_take(struct csn_account *account, uint64_t size);
void csn_account_give(struct csn_account *account, uint64_t size);

#define CSN_BLOCK_SIZE 4096u /* for whatever fits and is not tiny */

struct csn_buffer {
    uint8_t *bytes;
    size_t start; /* the bytes are from start to end */
    size_t end;
    size_t room;
    size_t room_max; /* where the doubling ends, if more is not to come; 0: nowhere */
    struct csn_account *account;
};

static inline size_t csn_buffer_size(const struct csn_buffer *buffer)
{
    return buffer->end - buffer->start;
}

/*
 * Room for so many more bytes in one piece at the back; false if the account or the heap has none.
 * A body of a known size above CSN_BLOCK_SIZE takes its size exactly, if the buffer had none.
 */
bool csn_buffer_reserve(struct csn_buffer *buffer, size_t size);
bool csn_buffer_add(struct csn_buffer *buffer, const void *bytes, size_t size);
/* Takes size bytes off the front; when the last one has gone, so has the memory. */
void csn_buffer_take(struct csn_buffer *buffer, size_t size);
void csn_buffer_drop(struct csn_buffer *buffer);

#endif
