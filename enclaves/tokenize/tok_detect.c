/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_detect.c: replaces what is found in free text; what lies between is copied.
 *
 * Most bytes cannot begin a match, and a look at the byte and the one before it tells. Not
 * constant time: the branches follow the text.
 */
#include "tok_find.h"
#include "tok_look.h"
#include "tok_state.h"

struct kind {
    uint8_t bit;
    uint8_t name_size;
    char name[TOK_PREFIX_SIZE];
    uint32_t (*find)(const uint8_t *text, uint32_t size, uint32_t p);
};

static const struct kind kinds[] = {
    {CSN_WIRE_DETECT_EMAIL, 5, "email", tok_find_email},
    {CSN_WIRE_DETECT_IBAN, 4, "iban", tok_find_iban},
    {CSN_WIRE_DETECT_CARD, 4, "card", tok_find_card},
    {CSN_WIRE_DETECT_ID, 2, "id", tok_find_id},
    {CSN_WIRE_DETECT_PHONE, 5, "phone", tok_find_phone},
};

/*
 * Kinds of which a match can begin here, by this byte and the two behind it; e-mail is looked for
 * in its own way.
 */
static uint8_t kinds_for(const struct tok_value *value, uint32_t p)
{
    const uint8_t *at = value->bytes + p;
    if (tok_is_digit(at[0])) {
        return CSN_WIRE_DETECT_CARD | CSN_WIRE_DETECT_ID | CSN_WIRE_DETECT_PHONE;
    }
    if (!tok_is_letter(at[0])) {
        return at[0] == '+' || at[0] == '(' ? CSN_WIRE_DETECT_PHONE : 0;
    }
    if (value->size - p < 3 || (tok_is_letter(at[1]) && tok_is_letter(at[2]))) {
        return 0; /* most words: an IBAN and an ID are longer and have no three letters there */
    }
    return CSN_WIRE_DETECT_IBAN | (tok_is_upper(at[0]) ? CSN_WIRE_DETECT_ID : 0);
}

#define NO_LOOK 0x80000000u /* search.base before the first look: far from any position */

/* Where the search stands. */
struct search {
    const struct tok_value *value;
    uint64_t starts; /* bit i: something can begin at base + i */
    uint32_t base;
    uint32_t email; /* the next position where an address can begin */
    uint8_t wanted; /* kinds */
    uint8_t before; /* the byte before p */
};

/* Size of the match at p, 0 = none. */
static uint32_t match_at(struct search *search, uint32_t p, const struct kind **found)
{
    const struct tok_value *value = search->value;
    uint8_t wanted = 0;
    if (p > search->email) {
        search->email = tok_next_email(value->bytes, value->size, p);
    }
    if (p == search->email) {
        wanted |= CSN_WIRE_DETECT_EMAIL;
    }
    if (!tok_is_word(search->before)) {
        wanted |= kinds_for(value, p);
    }
    wanted &= search->wanted;
    for (uint32_t i = 0; wanted != 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((wanted & kinds[i].bit) != 0) {
            uint32_t size = kinds[i].find(value->bytes, value->size, p);
            if (size != 0) {
                *found = &kinds[i];
                return size;
            }
        }
    }
    return 0;
}

#define MATCH_MAX 512u /* the longest match is an e-mail address: 64 + 1 + 255 */

/* Sixteen bytes in lower case; bit i of what is returned: byte i is neither letter nor digit. */
static inline uint32_t lower_16(const uint8_t *from, uint8_t *to)
{
    const __m128i bytes = tok_look_16(from);
    const __m128i letter = tok_letters(bytes);
    const __m128i fold = _mm_and_si128(letter, _mm_set1_epi8(0x20));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(bytes, fold));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(letter, tok_digits(bytes))) ^ 0xffff;
}

/*
 * A match in lower case; true if it has letters and digits alone. No byte of it is above 0x7f.
 * left: bytes of the text from the match on.
 */
static bool lower(const uint8_t *match, uint32_t size, uint32_t left, uint8_t target[MATCH_MAX])
{
    uint32_t others = 0;
    if (size >= 16) {
        for (uint32_t at = 0; at < size - 16; at += 16) {
            others |= lower_16(match + at, target + at);
        }
        return (others | lower_16(match + size - 16, target + size - 16)) == 0;
    }
    if (left >= 16) {
        return (lower_16(match, target) & ((1u << size) - 1)) == 0;
    }
    for (uint32_t at = 0; at < size; at++) {
        const bool letter = tok_is_letter(match[at]);
        target[at] = letter ? match[at] | 0x20 : match[at];
        others |= !letter && !tok_is_digit(match[at]);
    }
    return others == 0;
}

/* Letters and digits in lower case; of an e-mail address everything. Returns the size. */
static uint32_t canonical(const struct kind *kind, const uint8_t *match, uint32_t size,
                          uint32_t left, uint8_t target[MATCH_MAX])
{
    uint32_t written = 0;
    if (lower(match, size, left, target) || kind->bit == CSN_WIRE_DETECT_EMAIL) {
        return size;
    }
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t byte = target[i];
        target[written] = byte;
        written += (uint8_t)(byte - 'a') < 26 || tok_is_digit(byte);
    }
    return written;
}

static void put_match(struct tok_job *job, const struct tok_field *field, const struct kind *kind,
                      const uint8_t *match, uint32_t size, uint32_t left)
{
    uint8_t text[MATCH_MAX];
    if (field->then == CSN_WIRE_ACTION_TOKEN) {
        const struct tok_value value = {
            .bytes = text, .size = canonical(kind, match, size, left, text), .type = 's'};
        const struct tok_form form = {
            .prefix = (const uint8_t *)kind->name, .prefix_size = kind->name_size, .size = 12};
        tok_put_token(job, &field->mac, &value, &form);
    } else if (field->then == CSN_WIRE_ACTION_MASK) {
        for (uint32_t i = 0; i < size; i++) {
            text[i] = tok_is_digit(match[i]) || tok_is_letter(match[i]) ? '*' : match[i];
        }
        tok_put(&job->out, text, size); /* no match has a byte that needs an escape */
    } else {
        tok_put_byte(&job->out, '[');
        tok_put(&job->out, kind->name, kind->name_size);
        tok_put_byte(&job->out, ']');
    }
}

#define LOOK      64u /* bytes that are looked at together: the one before, then positions */
#define LOOK_ON   4u  /* bytes behind a position that say whether something can begin there */
#define POSITIONS (LOOK - 1 - LOOK_ON)
#define MATCH_MIN 9u /* "+12345678", "AB123456C": nothing but an address is shorter */

/* Bit i: what byte i of a look is. */
struct classes {
    uint64_t letters;
    uint64_t digits;
    uint64_t spaces;
    uint64_t signs; /* plus and opening parenthesis */
    uint64_t words; /* letters, digits, and all from 0x80 up */
};

static inline struct classes classes_of(const uint8_t *bytes)
{
    struct classes classes = {0};
#pragma GCC unroll 4
    for (uint32_t i = 0; i < LOOK; i += 16) {
        const __m128i here = tok_look_16(bytes + i);
        const __m128i letter = tok_letters(here);
        const __m128i digit = tok_digits(here);
        const __m128i sign = _mm_or_si128(tok_are(here, '+'), tok_are(here, '('));
        const __m128i space = tok_are(here, ' ');
        const __m128i word = _mm_or_si128(_mm_or_si128(letter, digit), here);
        classes.letters |= (uint64_t)(uint32_t)_mm_movemask_epi8(letter) << i;
        classes.digits |= (uint64_t)(uint32_t)_mm_movemask_epi8(digit) << i;
        classes.spaces |= (uint64_t)(uint32_t)_mm_movemask_epi8(space) << i;
        classes.signs |= (uint64_t)(uint32_t)_mm_movemask_epi8(sign) << i;
        classes.words |= (uint64_t)(uint32_t)_mm_movemask_epi8(word) << i;
    }
    return classes;
}

/*
 * Bit i: something other than an address can begin at byte i + 1. That is a digit or a sign; or a
 * letter before a digit (NIE); or two letters before a digit (IBAN, NINO), in which one space may
 * stand anywhere. Behind POSITIONS a start whose rest is not in sight is missed, but then no bit
 * above it is set either: up to the end of sight there are only its own letters and spaces.
 */
static uint64_t starts_of(const uint8_t *bytes)
{
    const struct classes is = classes_of(bytes);
    const uint64_t number = is.digits | (is.spaces & is.digits >> 1);
    const uint64_t rest = is.letters & number >> 1;
    const uint64_t behind_letter = is.digits | rest | (is.spaces & rest >> 1);
    const uint64_t start = is.digits | is.signs | (is.letters & behind_letter >> 1);
    return (start & ~(is.words << 1)) >> 1;
}

/* Looks at positions from p on (the last ones of a text from before p on). p is not 0. */
static void look_from(struct search *search, uint32_t p)
{
    const uint32_t last = search->value->size - (LOOK - 1);
    search->base = p < last ? p : last;
    search->starts = starts_of(search->value->bytes + search->base - 1);
}

/* The next position where something can begin; addresses begin at `email` only. p is not 0. */
static uint32_t next_start(struct search *search, uint32_t p)
{
    const struct tok_value *value = search->value;
    const uint32_t end = search->email < value->size ? search->email : value->size;
    const uint32_t last = value->size < MATCH_MIN ? 0 : value->size - MATCH_MIN + 1;
    if (p >= end) {
        return p;
    }
    while (value->size >= LOOK && p < last && p < end) {
        if (p - search->base >= POSITIONS) { /* NO_LOOK is, too */
            look_from(search, p);
        }
        const uint64_t starts = search->starts >> (p - search->base);
        if (starts != 0) {
            p += (uint32_t)__builtin_ctzll(starts);
            return p < last && p < end ? p : end;
        }
        p = search->base + POSITIONS;
    }
    while (p < last && p < end &&
           (tok_is_word(value->bytes[p - 1]) || (tok_classes[value->bytes[p]] & TOK_START) == 0)) {
        p++;
    }
    return p < last && p < end ? p : end;
}

/* What lies between matches: without escapes it was written as it is to be written. */
static void put_between(struct tok_job *job, const struct csn_json_node *node, const uint8_t *bytes,
                        uint32_t size)
{
    if ((node->flags & CSN_JSON_ESCAPED) == 0) {
        tok_put(&job->out, bytes, size);
    } else {
        tok_put_text(&job->out, bytes, size);
    }
}

void tok_put_detect(struct tok_job *job, const struct tok_field *field,
                    const struct csn_json_node *node)
{
    struct tok_value value;
    tok_value_of(job, node, TOK_ROOM_VALUE, &value);
    struct search search = {
        .value = &value, .base = NO_LOOK, .email = UINT32_MAX, .wanted = field->kinds};
    if ((field->kinds & CSN_WIRE_DETECT_EMAIL) != 0) {
        search.email = tok_next_email(value.bytes, value.size, 0);
    }
    uint32_t copied = 0; /* everything before it is written */
    bool any = false;
    for (uint32_t p = 0; p < value.size;) {
        const struct kind *kind = NULL;
        uint32_t size = match_at(&search, p, &kind);
        if (size != 0) {
            if (!any) {
                tok_put_byte(&job->out, '"');
            }
            any = true;
            put_between(job, node, value.bytes + copied, p - copied);
            put_match(job, field, kind, value.bytes + p, size, value.size - p);
            copied = p + size;
        }
        p += size != 0 ? size : 1;
        if (size == 0) {
            p = next_start(&search, p);
        }
        search.before = value.bytes[p - 1];
    }
    if (!any) {
        tok_put_source(job, node);
        return;
    }
    put_between(job, node, value.bytes + copied, value.size - copied);
    tok_put_byte(&job->out, '"');
}
