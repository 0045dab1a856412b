/* SPDX-License-Identifier: Apache-2.0 */
/* tok_token.c: what a token looks like: prefix, kept characters, MAC. */
#include "tok_state.h"

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

static void put_kept(struct tok_writer *out, const uint8_t kept[8], uint32_t count)
{
    uint8_t *target = tok_take(out, count);
    for (uint32_t i = 0; target != NULL && i < count; i++) {
        target[i] = kept[i];
    }
}

void tok_put_token(struct tok_job *job, const struct csn_hmac_key *key,
                   const struct tok_value *value, const struct tok_form *form)
{
    uint8_t first[8];
    uint8_t last[8];
    bool keeps =
        form->keep_first + form->keep_last > 0 && kept_characters(value, form, first, last);
    tok_put(&job->out, form->prefix, form->prefix_size);
    tok_put_byte(&job->out, '_');
    if (keeps && form->keep_first > 0) {
        put_kept(&job->out, first, form->keep_first);
        tok_put_byte(&job->out, '_');
    }
    tok_put_mac(job, key, value, form->size);
    if (keeps && form->keep_last > 0) {
        tok_put_byte(&job->out, '_');
        put_kept(&job->out, last, form->keep_last);
    }
}

void tok_put_hash(struct tok_job *job, const struct csn_hmac_key *key,
                  const struct tok_value *value)
{
    tok_put_mac(job, key, value, 0);
}
