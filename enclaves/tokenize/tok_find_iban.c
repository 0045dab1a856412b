/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_iban.c: a country with its length, single spaces allowed, ISO 7064 mod 97. */
#include "tok_find.h"

#define IBAN_MAX 34u

struct country {
    char code[2];
    uint8_t length;
};

static const struct country countries[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20},
    {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"MC", 27}, {"MD", 24},
    {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24}, {"SC", 31},
    {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24},
    {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
};

static uint32_t length_of(uint8_t first, uint8_t second)
{
    for (uint32_t i = 0; i < sizeof countries / sizeof countries[0]; i++) {
        if (countries[i].code[0] == (first & 0xdf) && countries[i].code[1] == (second & 0xdf)) {
            return countries[i].length;
        }
    }
    return 0;
}

/* Appends what characters stand for: 0..9, or A = 10 to Z = 35; returns the number modulo 97. */
static uint32_t mod_97(uint32_t number, const uint8_t *characters, uint32_t count)
{
    uint64_t rest = number;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t character = characters[i];
        if (tok_is_digit(character)) {
            rest = rest * 10 + character - '0';
        } else {
            rest = rest * 100 + (uint32_t)(character & 0xdf) - 'A' + 10;
        }
        if (rest > UINT64_MAX / 101) { /* room for one more */
            rest %= 97;
        }
    }
    return (uint32_t)(rest % 97);
}

/* The next character, one space before it allowed; 0 = neither letter nor digit. */
static uint8_t next_character(const uint8_t *text, uint32_t size, uint32_t *at)
{
    uint32_t here = *at;
    if (here < size && text[here] == ' ') {
        here++;
    }
    if (here == size || !(tok_is_letter(text[here]) || tok_is_digit(text[here]))) {
        return 0;
    }
    *at = here + 1;
    return text[here];
}

uint32_t tok_find_iban(const uint8_t *text, uint32_t size, uint32_t p)
{
    uint8_t characters[IBAN_MAX];
    uint32_t at = p + 1;
    if (size - p < 15 || (tok_is_letter(text[p + 1]) && tok_is_letter(text[p + 2]))) {
        return 0; /* most words, at once: the third character is a digit, 15 is the least */
    }
    characters[0] = text[p];
    for (uint32_t i = 1; i < 4; i++) {
        characters[i] = next_character(text, size, &at);
    }
    if (!tok_is_letter(characters[0]) || !tok_is_letter(characters[1]) ||
        !tok_is_digit(characters[2]) || !tok_is_digit(characters[3])) {
        return 0;
    }
    uint32_t length = length_of(characters[0], characters[1]);
    for (uint32_t i = 4; i < length; i++) {
        characters[i] = next_character(text, size, &at);
        if (characters[i] == 0) {
            return 0;
        }
    }
    if (length < 4) {
        return 0; /* no such country */
    }
    uint32_t rest = mod_97(mod_97(0, characters + 4, length - 4), characters, 4);
    return rest == 1 && tok_ends_at(text, size, at) ? at - p : 0;
}
