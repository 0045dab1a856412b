/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_email.c: local part, `@`, and a domain whose last label is letters. */
#include "tok_find.h"
#include "tok_look.h"

#define LOCAL_MAX  64u
#define DOMAIN_MAX 255u
#define LOOK       32u

static bool is_local(uint8_t byte)
{
    return (tok_classes[byte] & TOK_LOCAL) != 0;
}

static bool is_domain(uint8_t byte)
{
    return (tok_classes[byte] & TOK_DOMAIN) != 0;
}

/* Labels neither empty nor with `-` at an end, more than one, the last of two letters or more. */
static bool labels_are_good(const uint8_t *domain, uint32_t size)
{
    uint32_t label = 0; /* bytes of the present label */
    uint32_t labels = 1;
    bool letters = true; /* the present label has only letters */
    for (uint32_t i = 0; i < size; i++) {
        if (domain[i] == '.') {
            if (label == 0 || domain[i - 1] == '-') {
                return false;
            }
            labels++;
            label = 0;
            letters = true;
        } else {
            if (label == 0 && domain[i] == '-') {
                return false;
            }
            letters = letters && tok_is_letter(domain[i]);
            label++;
        }
    }
    return labels > 1 && label >= 2 && letters;
}

static inline __m128i alphanumeric(__m128i bytes)
{
    return _mm_or_si128(tok_letters(bytes), tok_digits(bytes));
}

/* What is_domain() says. */
static inline __m128i of_domain(__m128i bytes)
{
    const __m128i marks = _mm_or_si128(tok_are(bytes, '.'), tok_are(bytes, '-'));
    return _mm_or_si128(alphanumeric(bytes), marks);
}

/* What is_local() says. */
static inline __m128i of_local(__m128i bytes)
{
    const __m128i marks =
        _mm_or_si128(_mm_or_si128(tok_are(bytes, '_'), tok_are(bytes, '%')), tok_are(bytes, '+'));
    return _mm_or_si128(of_domain(bytes), marks);
}

static inline __m128i dots(__m128i bytes)
{
    return tok_are(bytes, '.');
}

static inline __m128i dashes(__m128i bytes)
{
    return tok_are(bytes, '-');
}

/* A domain that ends in the LOOK bytes that are there: its size, 0 = none. False: it goes on. */
static bool short_domain(const uint8_t *text, uint32_t *found)
{
    const uint32_t run = tok_mask_32(text, of_domain);
    if (run == UINT32_MAX) {
        return false;
    }
    const uint32_t marks = tok_mask_32(text, dots) | tok_mask_32(text, dashes);
    /* What it may end with: all below the first byte that is not of it, but for the marks. */
    const uint32_t ends = (run ^ (run + 1)) >> 1 & ~marks;
    *found = 0;
    if (ends == 0) {
        return true;
    }
    const uint32_t size = 32 - (uint32_t)__builtin_clz(ends);
    const uint32_t all = UINT32_MAX >> (32 - size);
    const uint32_t label_ends = tok_mask_32(text, dots) & all;
    /* Neither at the beginning of a label nor at its end: the last one ends with none. */
    const uint32_t beside = (label_ends << 1) | (label_ends >> 1) | 1;
    if (label_ends == 0 || (beside & marks & all) != 0) {
        return true;
    }
    const uint32_t last =
        32 - (uint32_t)__builtin_clz(label_ends); /* where the last label begins */
    const uint32_t letters = tok_mask_32(text, tok_letters) >> last;
    const uint32_t label = size - last;
    if (label >= 2 && (letters & (all >> last)) == all >> last) {
        *found = size;
    }
    return true;
}

/* Bytes from p on that may stand before the `@`; up to one more than are allowed. */
static uint32_t local_size(const uint8_t *text, uint32_t size, uint32_t p)
{
    uint32_t at = p;
    while (size - at >= 16 && at - p < LOCAL_MAX) {
        const uint32_t others = tok_mask_16(text + at, of_local) ^ 0xffff;
        if (others != 0) {
            return at + (uint32_t)__builtin_ctz(others) - p;
        }
        at += 16;
    }
    while (at < size && at - p <= LOCAL_MAX && is_local(text[at])) {
        at++;
    }
    return at - p;
}

uint32_t tok_find_email(const uint8_t *text, uint32_t size, uint32_t p)
{
    if (p > 0 && (is_local(text[p - 1]) || text[p - 1] == '@')) {
        return 0;
    }
    uint32_t at = p + local_size(text, size, p);
    if (at == p || at - p > LOCAL_MAX || at == size || text[at] != '@') {
        return 0;
    }
    uint32_t domain = ++at;
    uint32_t found;
    if (size - at >= LOOK && short_domain(text + at, &found)) {
        return found != 0 && tok_ends_at(text, size, at + found) ? at + found - p : 0;
    }
    while (at < size && at - domain <= DOMAIN_MAX && is_domain(text[at])) {
        at++;
    }
    if (at - domain > DOMAIN_MAX) {
        return 0;
    }
    while (at > domain && (text[at - 1] == '.' || text[at - 1] == '-')) {
        at--;
    }
    return labels_are_good(text + domain, at - domain) && tok_ends_at(text, size, at) ? at - p : 0;
}

/* The next `@` from at on, or size. */
static uint32_t find_at_sign(const uint8_t *text, uint32_t size, uint32_t at)
{
    for (; size - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('@')));
        if (mask != 0) {
            return at + (uint32_t)__builtin_ctz((unsigned)mask);
        }
    }
    while (at < size && text[at] != '@') {
        at++;
    }
    return at;
}

/* Where the local part that ends at `end` begins, at p at the earliest; one more than LOCAL_MAX
 * bytes before it if it is too long. */
static uint32_t local_begin(const uint8_t *text, uint32_t p, uint32_t end)
{
    uint32_t begin = end;
    while (begin - p >= 16 && end - begin < LOCAL_MAX) {
        const uint32_t others = tok_mask_16(text + begin - 16, of_local) ^ 0xffff;
        if (others != 0) {
            return begin - 16 + 32 - (uint32_t)__builtin_clz(others);
        }
        begin -= 16;
    }
    while (begin > p && end - begin <= LOCAL_MAX && is_local(text[begin - 1])) {
        begin--;
    }
    return begin;
}

uint32_t tok_next_email(const uint8_t *text, uint32_t size, uint32_t p)
{
    for (uint32_t at = find_at_sign(text, size, p); at < size;
         at = find_at_sign(text, size, at + 1)) {
        const uint32_t begin = local_begin(text, p, at);
        if (begin < at && at - begin <= LOCAL_MAX) {
            return begin;
        }
    }
    return UINT32_MAX;
}
