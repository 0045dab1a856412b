/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c: one block for each buffer, which doubles; what is left moves to its front first. */
#include "buffer.h"
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 1024u

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

static void move_to_front(struct csn_buffer *buffer)
{
    if (buffer->start != 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, csn_buffer_size(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
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
    room = room < ROOM_MIN ? ROOM_MIN : room;
    if (!csn_account_take(buffer->account, room - buffer->room)) {
        return false;
    }
    move_to_front(buffer);
    uint8_t *bytes = realloc(buffer->bytes, room);
    if (bytes == NULL) {
        csn_account_give(buffer->account, room - buffer->room);
        return false;
    }
    buffer->bytes = bytes;
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
    free(buffer->bytes);
    csn_account_give(buffer->account, buffer->room);
    *buffer = (struct csn_buffer){.account = buffer->account, .room_max = buffer->room_max};
}
