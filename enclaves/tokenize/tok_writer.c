/* SPDX-License-Identifier: Apache-2.0 */
/* tok_writer.c: output that stops when it is full; what was written stays where it is. */
#include "tok_state.h"
#include <string.h>

uint8_t *tok_take(struct tok_writer *out, uint32_t size)
{
    if (out->full || size > out->max - out->size) {
        out->full = true;
        return NULL;
    }
    out->size += size;
    return out->bytes + out->size - size;
}

void tok_put(struct tok_writer *out, const void *bytes, uint32_t size)
{
    uint8_t *target = tok_take(out, size);
    if (target != NULL) {
        memcpy(target, bytes, size);
    }
}

void tok_put_byte(struct tok_writer *out, uint8_t byte)
{
    tok_put(out, &byte, 1);
}

void tok_put_text(struct tok_writer *out, const uint8_t *bytes, uint32_t size)
{
    if (out->full) {
        return;
    }
    uint32_t room = out->max - out->size;
    uint32_t needed = csn_json_encode(bytes, size, out->bytes + out->size, room);
    if (needed > room) {
        out->full = true;
        return;
    }
    out->size += needed;
}
