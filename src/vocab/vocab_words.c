/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_words.c: where the words of a text end: what models' own files say as regular expressions,
 * of letters (L), numbers (N), white space (S) and others (O).
 *
 * GPT2:   's 't 're 've 'm 'll 'd;  ?L+;  ?N+;  ?O+; S+ before the last S; S+
 * LLAMA3: those in any case; any but \r \n N, then L+; N{1,3};  ?O+[\r\n]*; S*[\r\n]+; S+ as above
 */
#include "vocab_parts.h"

struct cursor {
    const uint8_t *text;
    uint32_t size;
    bool digits_apart; /* a number ends what stands before it */
};

static uint32_t code_of(const uint8_t *bytes)
{
    static const uint8_t masks[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const uint32_t size = csn_vocab_step(bytes);
    uint32_t code = bytes[0] & masks[size];
    for (uint32_t i = 1; i < size; i++) {
        code = code << 6 | (bytes[i] & 0x3f);
    }
    return code;
}

static enum vocab_class class_of(uint32_t code)
{
    uint32_t low = 0;
    uint32_t high = csn_vocab_letter_count; /* the last place that begins at or before code */
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (csn_vocab_letters[middle] >> 2 <= code) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (enum vocab_class)(csn_vocab_letters[low] & 3);
}

static enum vocab_class class_at(const struct cursor *cursor, uint32_t at)
{
    return at < cursor->size ? class_of(code_of(cursor->text + at)) : VOCAB_LAST;
}

/* The same of what is not the first of a word. */
static enum vocab_class class_behind(const struct cursor *cursor, uint32_t at)
{
    const enum vocab_class class = class_at(cursor, at);
    return cursor->digits_apart && class == VOCAB_NUMBER ? VOCAB_LAST : class;
}

static uint32_t run_end(const struct cursor *cursor, uint32_t at, enum vocab_class class)
{
    while (class_behind(cursor, at) == class) {
        at += csn_vocab_step(cursor->text + at);
    }
    return at;
}

static bool is_line_end(const struct cursor *cursor, uint32_t at)
{
    return at < cursor->size && (cursor->text[at] == '\r' || cursor->text[at] == '\n');
}

/* Bytes of an apostrophe and what belongs to it, or 0. */
static uint32_t contraction(const struct cursor *cursor, uint32_t at, bool any_case)
{
    const uint8_t fold = any_case ? 0x20 : 0;
    const uint32_t left = cursor->size - at;
    const uint8_t *text = cursor->text + at;
    if (left < 2 || text[0] != '\'' || text[1] >= 0x80) {
        return 0;
    }
    const uint8_t first = text[1] | fold;
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
        return 2;
    }
    if (left < 3 || text[2] >= 0x80) {
        return 0;
    }
    const uint8_t second = text[2] | fold;
    const bool is_one = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
                        (first == 'l' && second == 'l');
    return is_one ? 3 : 0;
}

/* White space that no other rule took: all of it, but the last before something else. */
static uint32_t space_end(const struct cursor *cursor, uint32_t at)
{
    uint32_t last = at;
    uint32_t end = at;
    while (class_behind(cursor, end) == VOCAB_SPACE) {
        last = end;
        end += csn_vocab_step(cursor->text + end);
    }
    return last == at || class_behind(cursor, end) == VOCAB_LAST ? end : last;
}

static uint32_t word_gpt2(const struct cursor *cursor, uint32_t at)
{
    const uint32_t short_size = contraction(cursor, at, false);
    if (short_size != 0) {
        return at + short_size;
    }
    enum vocab_class class = class_at(cursor, at);
    uint32_t from = at;
    if (cursor->digits_apart && class == VOCAB_NUMBER) {
        return at + csn_vocab_step(cursor->text + at);
    }
    if (cursor->text[at] == ' ') {
        const enum vocab_class next = class_behind(cursor, at + 1);
        from = next != VOCAB_SPACE && next != VOCAB_LAST ? at + 1 : at;
        class = from == at ? class : next;
    }
    return class == VOCAB_SPACE ? space_end(cursor, at) : run_end(cursor, from, class);
}

static uint32_t number_end(const struct cursor *cursor, uint32_t at, uint32_t count_max)
{
    for (uint32_t i = 0; i < count_max && class_at(cursor, at) == VOCAB_NUMBER; i++) {
        at += csn_vocab_step(cursor->text + at);
    }
    return at;
}

/* White space up to its last line end, or 0. */
static uint32_t lines_end(const struct cursor *cursor, uint32_t at)
{
    uint32_t end = 0;
    for (; class_at(cursor, at) == VOCAB_SPACE; at += csn_vocab_step(cursor->text + at)) {
        end = is_line_end(cursor, at) ? at + 1 : end;
    }
    return end;
}

static uint32_t word_llama3(const struct cursor *cursor, uint32_t at, uint32_t digit_max)
{
    const uint32_t short_size = contraction(cursor, at, true);
    if (short_size != 0) {
        return at + short_size;
    }
    const enum vocab_class class = class_at(cursor, at);
    const uint32_t behind = at + csn_vocab_step(cursor->text + at);
    const enum vocab_class next = class_at(cursor, behind);
    if (class == VOCAB_LETTER ||
        (class != VOCAB_NUMBER && next == VOCAB_LETTER && !is_line_end(cursor, at))) {
        return run_end(cursor, behind, VOCAB_LETTER);
    }
    if (class == VOCAB_NUMBER) {
        return number_end(cursor, at, digit_max);
    }
    if (class == VOCAB_OTHER || (cursor->text[at] == ' ' && next == VOCAB_OTHER)) {
        uint32_t end = run_end(cursor, behind, VOCAB_OTHER);
        while (is_line_end(cursor, end)) {
            end++;
        }
        return end;
    }
    const uint32_t end = lines_end(cursor, at);
    return end != 0 ? end : space_end(cursor, at);
}

uint32_t csn_vocab_word(enum csn_vocab_split split, const uint8_t *text, uint32_t size, uint32_t at)
{
    const struct cursor cursor = {text, size, split == CSN_VOCAB_SMOLLM};
    switch (split) {
    case CSN_VOCAB_LLAMA3:
        return word_llama3(&cursor, at, 3);
    case CSN_VOCAB_QWEN2:
        return word_llama3(&cursor, at, 1);
    case CSN_VOCAB_GPT2:
    case CSN_VOCAB_SMOLLM:
        break;
    }
    return word_gpt2(&cursor, at);
}

bool csn_vocab_is_utf8(const uint8_t *text, uint32_t size)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t at = 0;
    while (at < size) {
        const uint32_t step = csn_vocab_step(text + at);
        if (step > size - at || text[at] >= 0xf8 || (step == 1 && text[at] >= 0x80)) {
            return false;
        }
        for (uint32_t i = 1; i < step; i++) {
            if ((text[at + i] & 0xc0) != 0x80) {
                return false;
            }
        }
        const uint32_t code = code_of(text + at);
        if (code < least[step] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        at += step;
    }
    return true;
}
