/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.c: one block for each buffer, which doubles; what is left moves to its front first.
 *
 * Blocks of CSN_BLOCK_SIZE go round: bodies and answers come and go by the hundred thousand a
 * second, and a heap that cuts and joins its free pieces each time takes longer than the copies.
 */
#include "buffer.h"
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN   1024u
#define SPARES_MAX 256u

struct csn_block {
    struct csn_block *next;
};

bool csn_account_take(struct csn_account *account, uint64_t size)
{
    for (struct csn_account *at = account; at != NULL; at = at->parent) {
        if (size > at->max || at->used > at->max - size) {
            return false;
        }
    }
    for (struct csn_account *at = account; at != NULL; at = at->parent) {
        at->used += size;
    }
    return true;
}

void csn_account_give(struct csn_account *account, uint64_t size)
{
    for (struct csn_account *at = account; at != NULL; at = at->parent) {
        at->used -= size;
    }
}

void csn_account_end(struct csn_account *account)
{
    while (account->spares != NULL) {
        struct csn_block *block = account->spares;
        account->spares = block->next;
        free(block);
    }
    account->spare_count = 0;
}

/* ---- blocks ---- */

static struct csn_account *root_of(struct csn_account *account)
{
    while (account != NULL && account->parent != NULL) {
        account = account->parent;
    }
    return account;
}

static uint8_t *take_block(struct csn_account *account, size_t room)
{
    struct csn_account *root = root_of(account);
    if (room != CSN_BLOCK_SIZE || root == NULL || root->spares == NULL) {
        return malloc(room);
    }
    struct csn_block *block = root->spares;
    root->spares = block->next;
    root->spare_count--;
    return (uint8_t *)block;
}

static void give_block(struct csn_account *account, uint8_t *bytes, size_t room)
{
    struct csn_account *root = root_of(account);
    if (room != CSN_BLOCK_SIZE || root == NULL || root->spare_count == SPARES_MAX) {
        free(bytes);
        return;
    }
    struct csn_block *block = (struct csn_block *)(void *)bytes;
    block->next = root->spares;
    root->spares = block;
    root->spare_count++;
}

/* ---- buffers ---- */

static void move_to_front(struct csn_buffer *buffer)
{
    if (buffer->start != 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, csn_buffer_size(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
}

/* What the buffer holds, at the front of a larger block, which replaces its own; NULL: as it was.
 */
static uint8_t *larger_block(struct csn_buffer *buffer, size_t room)
{
    size_t held = csn_buffer_size(buffer);
    if (buffer->room > CSN_BLOCK_SIZE) { /* the heap may have a way without a copy */
        move_to_front(buffer);
        return realloc(buffer->bytes, room);
    }
    uint8_t *bytes = take_block(buffer->account, room);
    if (bytes != NULL && held != 0) {
        memcpy(bytes, buffer->bytes + buffer->start, held);
    }
    if (bytes != NULL) {
        give_block(buffer->account, buffer->bytes, buffer->room);
    }
    return bytes;
}

bool csn_buffer_reserve(struct csn_buffer *buffer, size_t size)
{
    if (buffer->room - buffer->end >= size) {
        return true;
    }
    size_t held = csn_buffer_size(buffer);
    if (size > SIZE_MAX / 4 - held) {
        return false;
    }
    if (buffer->room >= held + size && buffer->start >= held) { /* each byte moves once */
        move_to_front(buffer);
        return true;
    }
    size_t wanted = held + size;
    size_t room = buffer->room == 0 ? wanted : 2 * buffer->room;
    room = buffer->room_max != 0 && room > buffer->room_max ? buffer->room_max : room;
    room = room < wanted ? wanted : room;
    room = room <= ROOM_MIN ? ROOM_MIN : room < CSN_BLOCK_SIZE ? CSN_BLOCK_SIZE : room;
    if (!csn_account_take(buffer->account, room - buffer->room)) {
        return false;
    }
    uint8_t *bytes = larger_block(buffer, room);
    if (bytes == NULL) {
        csn_account_give(buffer->account, room - buffer->room);
        return false;
    }
    buffer->bytes = bytes;
    buffer->start = 0;
    buffer->end = held;
    buffer->room = room;
    return true;
}

bool csn_buffer_add(struct csn_buffer *buffer, const void *bytes, size_t size)
{
    if (!csn_buffer_reserve(buffer, size)) {
        return false;
    }
    if (size != 0) {
        memcpy(buffer->bytes + buffer->end, bytes, size);
        buffer->end += size;
    }
    return true;
}

void csn_buffer_take(struct csn_buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start == buffer->end) {
        csn_buffer_drop(buffer);
    }
}

void csn_buffer_drop(struct csn_buffer *buffer)
{
    give_block(buffer->account, buffer->bytes, buffer->room);
    csn_account_give(buffer->account, buffer->room);
    *buffer = (struct csn_buffer){.account = buffer->account, .room_max = buffer->room_max};
}
