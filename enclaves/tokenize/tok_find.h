/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_find.h: what is found in free text (docs/TOKENIZE.md section 4). One file per kind.
 *
 * Each function looks at position p and returns the size of the match there, 0 = none. p < size;
 * the byte before p is no word byte (e-mail checks that itself). No state; time follows the text.
 */
#ifndef TOK_FIND_H
#define TOK_FIND_H

#include <stdbool.h>
#include <stdint.h>

uint32_t tok_find_email(const uint8_t *text, uint32_t size, uint32_t p);
uint32_t tok_find_iban(const uint8_t *text, uint32_t size, uint32_t p);
uint32_t tok_find_card(const uint8_t *text, uint32_t size, uint32_t p);
uint32_t tok_find_id(const uint8_t *text, uint32_t size, uint32_t p);
uint32_t tok_find_phone(const uint8_t *text, uint32_t size, uint32_t p);

/*
 * The first position from p on where an e-mail address can begin, UINT32_MAX = none: only one
 * position belongs to each `@`, so that nobody has to try the others.
 */
uint32_t tok_next_email(const uint8_t *text, uint32_t size, uint32_t p);

static inline bool tok_is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') < 10;
}
static inline bool tok_is_upper(uint8_t byte)
{
    return (uint8_t)(byte - 'A') < 26;
}
static inline bool tok_is_letter(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}
#define TOK_WORD   1u /* tok_classes: part of a word */
#define TOK_LOCAL  2u /* may stand before the `@` of an address */
#define TOK_START  4u /* a match other than an address can begin with it */
#define TOK_DOMAIN 8u /* may stand behind the `@` */
extern const uint8_t tok_classes[256];

static inline bool tok_is_word(uint8_t byte)
{
    return (tok_classes[byte] & TOK_WORD) != 0;
}
/* No word byte stands at end. */
static inline bool tok_ends_at(const uint8_t *text, uint32_t size, uint32_t end)
{
    return end == size || !tok_is_word(text[end]);
}

#endif
