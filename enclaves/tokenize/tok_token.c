/* SPDX-License-Identifier: Apache-2.0 */
/* tok_token.c: what a token looks like: prefix, kept characters, MAC. */
#include "tok_state.h"
#include <string.h>

static bool is_kept_kind(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

/* The first and last letters and digits; false if there are too few to keep any. */
static bool kept_characters(const struct tok_value *value, const struct tok_form *form,
                            uint8_t first[8], uint8_t last[8])
{
    uint32_t wanted = form->keep_first + form->keep_last + 4;
    uint32_t found = 0;
    for (uint32_t i = 0; i < value->size && found < wanted; i++) {
        if (is_kept_kind(value->bytes[i])) {
            if (found < form->keep_first) {
                first[found] = value->bytes[i];
            }
            found++;
        }
    }
    if (found < wanted) {
        return false;
    }
    uint32_t left = form->keep_last;
    for (uint32_t i = value->size; i > 0 && left > 0; i--) {
        if (is_kept_kind(value->bytes[i - 1])) {
            last[--left] = value->bytes[i - 1];
        }
    }
    return true;
}

void tok_put_token(struct tok_job *job, const struct csn_hmac_key *key,
                   const struct tok_value *value, const struct tok_form *form)
{
    uint8_t first[8];
    uint8_t last[8];
    const bool keeps =
        form->keep_first + form->keep_last > 0 && kept_characters(value, form, first, last);
    const uint32_t head = keeps && form->keep_first > 0 ? form->keep_first + 1 : 0;
    const uint32_t tail = keeps && form->keep_last > 0 ? form->keep_last + 1 : 0;
    const uint32_t digits = tok_mac_size(form->size);
    uint8_t *at = tok_take(&job->out, form->prefix_size + 1 + head + digits + tail);
    if (at == NULL) {
        return;
    }
    /* Pieces of a fixed size, and what is behind a piece comes after it: 16 digits at least. */
    memcpy(at, form->prefix, TOK_PREFIX_SIZE);
    at += form->prefix_size;
    *at++ = '_';
    if (head > 0) {
        memcpy(at, first, sizeof first);
        at += head;
        at[-1] = '_';
    }
    tok_queue_mac(job->queue, key, value, at, form->size);
    at += digits;
    if (tail > 0) {
        *at++ = '_';
    }
    for (uint32_t i = 1; i < tail; i++) {
        *at++ = last[i - 1];
    }
}

void tok_put_hash(struct tok_job *job, const struct csn_hmac_key *key,
                  const struct tok_value *value)
{
    uint8_t *target = tok_take(&job->out, tok_mac_size(0));
    if (target != NULL) {
        tok_queue_mac(job->queue, key, value, target, 0);
    }
}
