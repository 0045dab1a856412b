/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_token.c: keyed tokens and keyed hashes of typed values.
 *
 * Base32 and hex are written by arithmetic: the MAC is no secret once it is a token, but before it
 * is cut it is.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include <string.h>

void tok_typed_mac(const struct csn_hmac_key *key, const struct tok_value *value, uint8_t mac[32])
{
    uint8_t head[5 + 128];
    csn_store_u32(head, value->size + 1);
    head[4] = value->type;
    if (value->size <= 128) { /* one call for what is usual */
        memcpy(head + 5, value->bytes, value->size);
        csn_hmac(key, head, 5 + value->size, mac);
        return;
    }
    struct csn_hmac state;
    csn_hmac_init(&state, key);
    csn_hmac_update(&state, head, 5);
    csn_hmac_update(&state, value->bytes, value->size);
    csn_hmac_final(&state, mac);
}

/* a-z, then 2-7 */
static uint8_t base32_digit(uint32_t five)
{
    return (uint8_t)('a' + five - (('a' + 26 - '2') & (0 - ((25 - five) >> 31))));
}

static uint32_t put_base32(uint8_t *target, const uint8_t *bytes, uint32_t size)
{
    uint32_t written = 0;
    uint32_t bits = 0;
    uint32_t waiting = 0; /* bits */
    for (uint32_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        waiting += 8;
        while (waiting >= 5) {
            waiting -= 5;
            target[written++] = base32_digit(bits >> waiting & 31);
        }
    }
    if (waiting > 0) {
        target[written++] = base32_digit(bits << (5 - waiting) & 31);
    }
    return written;
}

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

void tok_put_token(struct tok_writer *out, const struct csn_hmac_key *key,
                   const struct tok_value *value, const struct tok_form *form)
{
    uint8_t mac[32];
    uint8_t text[TOK_PREFIX_SIZE + 1 + 8 + 1 + 52 + 1 + 8];
    uint8_t first[8];
    uint8_t last[8];
    uint32_t size = form->prefix_size;
    bool keeps =
        form->keep_first + form->keep_last > 0 && kept_characters(value, form, first, last);
    tok_typed_mac(key, value, mac);
    memcpy(text, form->prefix, size);
    text[size++] = '_';
    if (keeps && form->keep_first > 0) {
        memcpy(text + size, first, form->keep_first);
        size += form->keep_first;
        text[size++] = '_';
    }
    size += put_base32(text + size, mac, form->size);
    if (keeps && form->keep_last > 0) {
        text[size++] = '_';
        memcpy(text + size, last, form->keep_last);
        size += form->keep_last;
    }
    tok_put(out, text, size);
    csn_wipe(mac, sizeof mac);
}

static uint8_t hex_digit(uint32_t four)
{
    return (uint8_t)('0' + four + (('a' - 10 - '0') & (0 - ((9 - four) >> 31))));
}

void tok_put_hash(struct tok_writer *out, const struct csn_hmac_key *key,
                  const struct tok_value *value)
{
    uint8_t mac[32];
    uint8_t text[64];
    tok_typed_mac(key, value, mac);
    for (uint32_t i = 0; i < sizeof mac; i++) {
        text[2 * i] = hex_digit(mac[i] >> 4);
        text[2 * i + 1] = hex_digit(mac[i] & 15);
    }
    tok_put(out, text, sizeof text);
}
