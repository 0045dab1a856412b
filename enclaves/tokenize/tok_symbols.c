/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_symbols.c: characters to numerals and back by arithmetic over runs of neighbours, without an
 * index that depends on the character: a table look-up would leave a trace in the cache.
 */
#include "tok_state.h"

bool tok_alphabet_build(struct tok_alphabet *alphabet, const uint8_t *characters, uint32_t count)
{
    bool seen[128] = {false};
    alphabet->radix = count;
    alphabet->run_count = 0;
    alphabet->escapes = false;
    if (count < 2 || count > CSN_WIRE_POLICY_ALPHABET_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t character = characters[i];
        if (character < 0x20 || character > 0x7e || seen[character]) {
            return false;
        }
        seen[character] = true;
        alphabet->escapes |= character == '"' || character == '\\';
        if (i > 0 && character == characters[i - 1] + 1) {
            alphabet->runs[alphabet->run_count - 1].count++;
        } else {
            alphabet->runs[alphabet->run_count++] =
                (struct tok_run){.low = character, .count = 1, .first = (uint8_t)i};
        }
    }
    return true;
}

uint16_t tok_numeral_of_runs(const struct tok_alphabet *alphabet, uint8_t character)
{
    uint32_t numeral = TOK_NONE;
    for (uint32_t i = 0; i < alphabet->run_count; i++) {
        const struct tok_run *run = &alphabet->runs[i];
        uint32_t distance = (uint32_t)character - run->low; /* wraps below low: caught by & */
        uint32_t inside = tok_below(distance & 0xffff, run->count);
        numeral = (numeral & ~inside) | ((run->first + distance) & inside);
    }
    return (uint16_t)numeral;
}

uint8_t tok_character_of_runs(const struct tok_alphabet *alphabet, uint16_t numeral)
{
    uint32_t character = 0;
    for (uint32_t i = 0; i < alphabet->run_count; i++) {
        const struct tok_run *run = &alphabet->runs[i];
        uint32_t distance = (uint32_t)numeral - run->first;
        uint32_t inside = tok_below(distance & 0xffff, run->count);
        character |= (run->low + distance) & inside;
    }
    return (uint8_t)character;
}
