/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_fpe.c: format-preserving encryption of the symbols of a value; separators stay in place.
 *
 * Constant time in the numerals. Which characters are symbols and how many there are shows.
 * The rule of a million values is enforced for each value by csn_ff1_*, whatever the policy said.
 */
#include "core/bytes.h"
#include "crypto/ff1.h"
#include "tok_state.h"
#include <string.h>

struct symbols {
    uint32_t count;
    uint16_t numerals[TOK_SYMBOL_MAX];
};

static bool is_separator(uint8_t byte)
{
    return byte == ' ' || byte == '-' || byte == '.' || byte == '/' || byte == '(' || byte == ')' ||
           byte == '+';
}

/* False: another character, or more than 256 symbols. */
static bool read_symbols(struct symbols *symbols, const struct tok_field *field,
                         const struct tok_value *value)
{
    symbols->count = 0;
    for (uint32_t i = 0; i < value->size; i++) {
        uint16_t numeral = tok_numeral(&field->alphabet, value->bytes[i]);
        if (numeral == TOK_NONE) {
            if (!is_separator(value->bytes[i])) {
                return false;
            }
        } else if (symbols->count == TOK_SYMBOL_MAX) {
            return false;
        } else {
            symbols->numerals[symbols->count++] = numeral;
        }
    }
    return true;
}

static void hash_kept(struct csn_sha256 *hash, const struct tok_field *field,
                      const uint16_t *numerals, uint32_t count)
{
    uint8_t kept[4 + UINT8_MAX];
    csn_store_u32(kept, count);
    for (uint32_t i = 0; i < count; i++) {
        kept[4 + i] = tok_character(&field->alphabet, numerals[i]);
    }
    csn_sha256_update(hash, kept, 4 + count);
}

static void make_tweak(const struct tok_field *field, const struct symbols *symbols,
                       uint8_t tweak[8])
{
    if (field->keep_first == 0 && field->keep_last == 0) {
        memcpy(tweak, field->plain_tweak, 8);
        return;
    }
    uint8_t digest[32];
    struct csn_sha256 hash = field->tweak;
    hash_kept(&hash, field, symbols->numerals, field->keep_first);
    hash_kept(&hash, field, symbols->numerals + symbols->count - field->keep_last,
              field->keep_last);
    csn_sha256_final(&hash, digest);
    memcpy(tweak, digest, 8);
}

static void write_value(struct tok_writer *out, const struct tok_field *field,
                        const struct tok_value *value, const struct symbols *symbols)
{
    uint8_t chunk[256];
    uint32_t filled = 0;
    uint32_t next = 0;
    tok_put_byte(out, '"');
    for (uint32_t i = 0; i < value->size; i++) {
        uint8_t byte = value->bytes[i];
        if (tok_numeral(&field->alphabet, byte) != TOK_NONE) {
            byte = tok_character(&field->alphabet, symbols->numerals[next++]);
        }
        chunk[filled++] = byte;
        if (filled == sizeof chunk) {
            tok_put_text(out, chunk, filled);
            filled = 0;
        }
    }
    tok_put_text(out, chunk, filled);
    tok_put_byte(out, '"');
}

bool tok_put_fpe(struct tok_writer *out, const struct tok_field *field,
                 const struct tok_value *value, bool inverse)
{
    struct symbols symbols;
    uint8_t tweak[8];
    uint32_t kept = (uint32_t)field->keep_first + field->keep_last;
    if (!read_symbols(&symbols, field, value) || symbols.count < kept + 1) {
        return false;
    }
    uint32_t free_count = symbols.count - kept - field->luhn;
    if (field->luhn != 0 && !tok_luhn_holds(symbols.numerals, symbols.count)) {
        return false;
    }
    make_tweak(field, &symbols, tweak);
    uint16_t *middle = symbols.numerals + field->keep_first;
    struct csn_ff1_plan plan;
    if (csn_ff1_plan_init(&plan, &field->aes, field->alphabet.radix, free_count, sizeof tweak) !=
        CSN_OK) {
        return false; /* fewer than a million values, or nothing free at all */
    }
    struct csn_ff1_item item = {.plan = &plan, .tweak = tweak, .input = middle, .output = middle};
    if (inverse) {
        csn_ff1_decrypt_batch(&item, 1);
    } else {
        csn_ff1_encrypt_batch(&item, 1);
    }
    if (item.result != CSN_OK) {
        return false;
    }
    if (field->luhn != 0) {
        uint32_t at = field->keep_first + free_count;
        symbols.numerals[at] = tok_luhn_digit(symbols.numerals, symbols.count, at);
    }
    write_value(out, field, value, &symbols);
    return true;
}
