/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_detect.c: replaces what is found in free text; what lies between is copied.
 *
 * Most bytes cannot begin a match, and a look at the byte and the one before it tells. Not
 * constant time: the branches follow the text.
 */
#include "tok_find.h"
#include "tok_state.h"
#include <emmintrin.h>

struct kind {
    uint8_t bit;
    uint8_t name_size;
    char name[6];
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

/* Where the search stands. */
struct search {
    const struct tok_value *value;
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

/* Letters and digits in lower case; of an e-mail address everything. Returns the size. */
static uint32_t canonical(const struct kind *kind, const uint8_t *match, uint32_t size,
                          uint8_t *target)
{
    uint32_t written = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = match[i];
        bool letter = tok_is_letter(byte);
        target[written] = letter ? byte | 0x20 : byte;
        written += letter || tok_is_digit(byte) || kind->bit == CSN_WIRE_DETECT_EMAIL;
    }
    return written;
}

#define MATCH_MAX 512u /* the longest match is an e-mail address: 64 + 1 + 255 */

static void put_match(struct tok_job *job, const struct tok_field *field, const struct kind *kind,
                      const uint8_t *match, uint32_t size)
{
    uint8_t text[MATCH_MAX];
    if (field->then == CSN_WIRE_ACTION_TOKEN) {
        const struct tok_value value = {
            .bytes = text, .size = canonical(kind, match, size, text), .type = 's'};
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

/* 0xff where a byte, less low, is at most last. */
static inline __m128i within(__m128i bytes, char low, char last)
{
    __m128i distance = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(last)), distance);
}

static inline __m128i letters(__m128i bytes)
{
    return within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
}

static inline __m128i digits(__m128i bytes)
{
    return within(bytes, '0', 9);
}

static inline __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

#define STARTS_SIZE 18u /* bytes that are looked at, and the one before them */

/* Bit i of 16: kinds_for() says that something can begin at at[i], and no word byte is before. */
static inline uint32_t starts_of_16(const uint8_t *at)
{
    const __m128i here = load(at);
    const __m128i before = load(at - 1);
    const __m128i next = load(at + 1);
    const __m128i word = _mm_and_si128(letters(next), letters(load(at + 2)));
    __m128i start = _mm_andnot_si128(word, letters(here));
    start = _mm_or_si128(start, _mm_cmpeq_epi8(here, _mm_set1_epi8('+')));
    start = _mm_or_si128(start, _mm_cmpeq_epi8(here, _mm_set1_epi8('(')));
    start = _mm_or_si128(start, digits(here));
    /* From 0x80 up a byte is part of a word: the mask takes the top bit. */
    const __m128i inside = _mm_or_si128(_mm_or_si128(letters(before), digits(before)), before);
    return (uint32_t)(_mm_movemask_epi8(start) & ~_mm_movemask_epi8(inside));
}

/* The next position where something can begin; addresses begin at `email` only. p is not 0. */
static uint32_t next_start(const struct tok_value *value, uint32_t p, uint32_t email)
{
    const uint32_t end = email < value->size ? email : value->size;
    if (p >= end) {
        return p;
    }
    while (p < end && value->size - p >= STARTS_SIZE) {
        uint32_t starts = starts_of_16(value->bytes + p);
        if (starts != 0) {
            p += (uint32_t)__builtin_ctz(starts);
            return p < end ? p : end;
        }
        p += 16;
    }
    while (p < end &&
           (tok_is_word(value->bytes[p - 1]) || (tok_classes[value->bytes[p]] & TOK_START) == 0)) {
        p++;
    }
    return p < end ? p : end;
}

void tok_put_detect(struct tok_job *job, const struct tok_field *field,
                    const struct csn_json_node *node)
{
    struct tok_value value;
    tok_value_of(job, node, TOK_ROOM_VALUE, &value);
    struct search search = {.value = &value, .email = UINT32_MAX, .wanted = field->kinds};
    if ((field->kinds & CSN_WIRE_DETECT_EMAIL) != 0) {
        search.email = tok_next_email(value.bytes, value.size, 0);
    }
    uint32_t copied = 0; /* everything before it is written */
    bool any = false;
    for (uint32_t p = 0; p < value.size;) {
        const struct kind *kind = NULL;
        uint32_t size = match_at(&search, p, &kind);
        if (size != 0) {
            tok_put(&job->out, "\"", any ? 0 : 1);
            any = true;
            tok_put_text(&job->out, value.bytes + copied, p - copied);
            put_match(job, field, kind, value.bytes + p, size);
            copied = p + size;
        }
        p += size != 0 ? size : 1;
        if (size == 0) {
            p = next_start(&value, p, search.email);
        }
        search.before = value.bytes[p - 1];
    }
    if (!any) {
        tok_put_source(job, node);
        return;
    }
    tok_put_text(&job->out, value.bytes + copied, value.size - copied);
    tok_put_byte(&job->out, '"');
}
