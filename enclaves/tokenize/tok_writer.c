/* SPDX-License-Identifier: Apache-2.0 */
/* tok_writer.c: text with escapes into an output that stops when it is full. */
#include "tok_state.h"

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
