/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_iban.c: a country with its length, single spaces allowed, ISO 7064 mod 97. */
#include "core/bytes.h"
#include "tok_find.h"
#include "tok_look.h"

#define IBAN_MAX 34u

/* Length by country, 0 = none; detection follows the text anyway (tok_classes.c). */
#define OF(first, second, length) [(first) - 'A'][(second) - 'A'] = (length)
static const uint8_t lengths[26][26] = {
    OF('A', 'D', 24), OF('A', 'E', 23), OF('A', 'L', 28), OF('A', 'T', 20), OF('A', 'Z', 28),
    OF('B', 'A', 20), OF('B', 'E', 16), OF('B', 'G', 22), OF('B', 'H', 22), OF('B', 'R', 29),
    OF('B', 'Y', 28), OF('C', 'H', 21), OF('C', 'R', 22), OF('C', 'Y', 28), OF('C', 'Z', 24),
    OF('D', 'E', 22), OF('D', 'K', 18), OF('D', 'O', 28), OF('E', 'E', 20), OF('E', 'G', 29),
    OF('E', 'S', 24), OF('F', 'I', 18), OF('F', 'O', 18), OF('F', 'R', 27), OF('G', 'B', 22),
    OF('G', 'E', 22), OF('G', 'I', 23), OF('G', 'L', 18), OF('G', 'R', 27), OF('G', 'T', 28),
    OF('H', 'R', 21), OF('H', 'U', 28), OF('I', 'E', 22), OF('I', 'L', 23), OF('I', 'Q', 23),
    OF('I', 'S', 26), OF('I', 'T', 27), OF('J', 'O', 30), OF('K', 'W', 30), OF('K', 'Z', 20),
    OF('L', 'B', 28), OF('L', 'C', 32), OF('L', 'I', 21), OF('L', 'T', 20), OF('L', 'U', 20),
    OF('L', 'V', 21), OF('M', 'C', 27), OF('M', 'D', 24), OF('M', 'E', 22), OF('M', 'K', 19),
    OF('M', 'R', 27), OF('M', 'T', 31), OF('M', 'U', 30), OF('N', 'L', 18), OF('N', 'O', 15),
    OF('P', 'K', 24), OF('P', 'L', 28), OF('P', 'S', 29), OF('P', 'T', 25), OF('Q', 'A', 29),
    OF('R', 'O', 24), OF('R', 'S', 22), OF('S', 'A', 24), OF('S', 'C', 31), OF('S', 'E', 24),
    OF('S', 'I', 19), OF('S', 'K', 24), OF('S', 'M', 27), OF('S', 'T', 25), OF('S', 'V', 28),
    OF('T', 'L', 23), OF('T', 'N', 24), OF('T', 'R', 26), OF('U', 'A', 29), OF('V', 'A', 22),
    OF('V', 'G', 24), OF('X', 'K', 20),
};
#undef OF

#define LOOK  32u
#define GROUP 8u /* characters between divisions: 97 * 100^8 is below 2^60 */

/* Appends what characters stand for: 0..9, or A = 10 to Z = 35; returns the number modulo 97. */
static uint32_t mod_97(uint32_t number, const uint8_t *characters, uint32_t count)
{
    uint64_t rest = number;
    for (uint32_t at = 0; at < count;) {
        const uint32_t end = count - at < GROUP ? count : at + GROUP;
        for (; at < end; at++) {
            const uint8_t character = characters[at];
            const bool digit = tok_is_digit(character);
            rest = rest * (digit ? 10 : 100) +
                   (uint32_t)(digit ? character - '0' : (character & 0xdf) - 'A' + 10);
        }
        rest %= 97;
    }
    return (uint32_t)rest;
}

/* The next character, one space before it allowed; 0 = neither letter nor digit. */
static inline uint8_t next_character(const uint8_t *text, uint32_t size, uint32_t *at)
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

/* Eight digits as a number: neighbours become one by a product each, three times. */
static uint32_t eight_digits(const uint8_t *digits)
{
    uint64_t word = csn_load_u64(digits) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    word = (word * (10 << 8 | 1)) >> 8 & UINT64_C(0x00ff00ff00ff00ff);
    word = (word * (100 << 16 | 1)) >> 16 & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)((word * (UINT64_C(10000) << 32 | 1)) >> 32);
}

/* An IBAN without spaces whose account is all digits, 32 bytes in sight: most of them. */
static bool plain_iban(const uint8_t *text, uint32_t length)
{
    const uint8_t *end = text + length;
    const uint8_t *at = text + 4;
    uint64_t rest = 0;
    for (; end - at >= 8; at += 8) {
        rest = (rest * 100000000 + eight_digits(at)) % 97;
    }
    for (; at < end; at++) {
        rest = rest * 10 + (uint32_t)(*at - '0'); /* up to seven of them */
    }
    return mod_97((uint32_t)(rest % 97), text, 4) == 1;
}

uint32_t tok_find_iban(const uint8_t *text, uint32_t size, uint32_t p)
{
    uint8_t characters[IBAN_MAX];
    uint32_t at = p + 1;
    if (size - p < 15 || (tok_is_letter(text[p + 1]) && tok_is_letter(text[p + 2]))) {
        return 0; /* most words, at once: the third character is a digit, 15 is the least */
    }
    if (size - p >= LOOK && tok_is_letter(text[p]) && tok_is_letter(text[p + 1])) {
        const uint32_t length = lengths[(text[p] & 0xdf) - 'A'][(text[p + 1] & 0xdf) - 'A'];
        if (length != 0 && length <= LOOK) {
            const uint32_t wanted = ~UINT32_C(0) >> (LOOK - length) & ~UINT32_C(3);
            if ((tok_mask_32(text + p, tok_digits) & wanted) == wanted) {
                const bool valid = plain_iban(text + p, length);
                return valid && tok_ends_at(text, size, p + length) ? length : 0;
            }
        }
    }
    characters[0] = text[p];
    for (uint32_t i = 1; i < 4; i++) {
        characters[i] = next_character(text, size, &at);
    }
    if (!tok_is_letter(characters[0]) || !tok_is_letter(characters[1]) ||
        !tok_is_digit(characters[2]) || !tok_is_digit(characters[3])) {
        return 0;
    }
    const uint32_t length = lengths[(characters[0] & 0xdf) - 'A'][(characters[1] & 0xdf) - 'A'];
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
