/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_classes.c: what each byte of free text can be. Detection follows the text anyway, so that
 * a table tells nothing more; fields with keys never come here.
 */
#include "tok_find.h"

#define BETWEEN(c, low, high) ((c) >= (low) && (c) <= (high))
#define LETTER(c)             (BETWEEN(c, 'A', 'Z') || BETWEEN(c, 'a', 'z'))
#define DIGIT(c)              BETWEEN(c, '0', '9')
#define MARK(c)               ((c) == '.' || (c) == '_' || (c) == '%' || (c) == '+' || (c) == '-')
#define CLASS(c)                                                                                   \
    ((LETTER(c) || DIGIT(c) || (c) >= 0x80 ? TOK_WORD : 0) |                                       \
     (LETTER(c) || DIGIT(c) || MARK(c) ? TOK_LOCAL : 0) |                                          \
     (LETTER(c) || DIGIT(c) || (c) == '+' || (c) == '(' ? TOK_START : 0) |                         \
     (LETTER(c) || DIGIT(c) || (c) == '.' || (c) == '-' ? TOK_DOMAIN : 0))
#define FOUR(c)    CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)

const uint8_t tok_classes[256] = {SIXTEEN(0x00), SIXTEEN(0x10), SIXTEEN(0x20), SIXTEEN(0x30),
                                  SIXTEEN(0x40), SIXTEEN(0x50), SIXTEEN(0x60), SIXTEEN(0x70),
                                  SIXTEEN(0x80), SIXTEEN(0x90), SIXTEEN(0xa0), SIXTEEN(0xb0),
                                  SIXTEEN(0xc0), SIXTEEN(0xd0), SIXTEEN(0xe0), SIXTEEN(0xf0)};
