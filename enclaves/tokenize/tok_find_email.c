/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_email.c: local part, `@`, and a domain whose last label is letters. */
#include "tok_find.h"
#include <emmintrin.h>

#define LOCAL_MAX  64u
#define DOMAIN_MAX 255u

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

uint32_t tok_find_email(const uint8_t *text, uint32_t size, uint32_t p)
{
    if (p > 0 && (is_local(text[p - 1]) || text[p - 1] == '@')) {
        return 0;
    }
    uint32_t at = p;
    while (at < size && at - p <= LOCAL_MAX && is_local(text[at])) {
        at++;
    }
    if (at == p || at - p > LOCAL_MAX || at == size || text[at] != '@') {
        return 0;
    }
    uint32_t domain = ++at;
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

uint32_t tok_next_email(const uint8_t *text, uint32_t size, uint32_t p)
{
    for (uint32_t at = find_at_sign(text, size, p); at < size;
         at = find_at_sign(text, size, at + 1)) {
        uint32_t begin = at;
        while (begin > p && at - begin <= LOCAL_MAX && is_local(text[begin - 1])) {
            begin--;
        }
        if (begin < at && at - begin <= LOCAL_MAX) {
            return begin;
        }
    }
    return UINT32_MAX;
}
