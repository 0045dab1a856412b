/* SPDX-License-Identifier: Apache-2.0 */
/* vocab_encode.c: from text to tokens, and a token's text. */
#include "vocab_parts.h"

#define SPACE_MARK      "\xe2\x96\x81" /* what SPM writes for a space */
#define SPACE_MARK_SIZE 3u

static bool emit(struct vocab_job *job, uint32_t token)
{
    if (job->token_count == job->token_max) {
        return false;
    }
    job->tokens[job->token_count++] = token;
    return true;
}

/* ---- SPM ---- */

/* A float as a number that is the smaller the greater it is. */
static uint32_t key_of(uint32_t bits)
{
    bits = bits == 0x80000000u ? 0 : bits;
    return (bits & 0x80000000u) != 0 ? bits : ~(bits | 0x80000000u);
}

static bool pair_spm(const struct vocab_job *job, const struct vocab_symbol *left,
                     const struct vocab_symbol *right, uint32_t *key, uint32_t *result)
{
    *result = csn_vocab_find(job->vocab, job->text + left->begin, left->size + right->size);
    if (*result == CSN_VOCAB_NONE) {
        return false;
    }
    *key = key_of(csn_load_u32(job->vocab->source.scores + (uint64_t)*result * 4));
    return true;
}

static bool emit_spm(struct vocab_job *job, const struct vocab_symbol *symbol)
{
    const uint8_t *text = job->text + symbol->begin;
    const uint32_t token = csn_vocab_find(job->vocab, text, symbol->size);
    if (token != CSN_VOCAB_NONE) {
        return emit(job, token);
    }
    for (uint32_t i = 0; i < symbol->size; i++) {
        if (!emit(job, job->vocab->bytes[text[i]])) {
            return false;
        }
    }
    return true;
}

static bool encode_spm(struct vocab_job *job, const uint8_t *text, uint32_t size, bool is_first)
{
    uint32_t used = 0;
    uint32_t count = 0;
    if (is_first && job->vocab->source.add_space) {
        __builtin_memcpy(job->text, SPACE_MARK, SPACE_MARK_SIZE);
        used = SPACE_MARK_SIZE;
        job->symbols[count++] = (struct vocab_symbol){.size = used};
    }
    for (uint32_t at = 0; at < size;) {
        const uint32_t step = csn_vocab_step(text + at);
        const bool is_space = text[at] == ' ';
        const uint32_t written = is_space ? SPACE_MARK_SIZE : step;
        __builtin_memcpy(job->text + used, is_space ? (const uint8_t *)SPACE_MARK : text + at,
                         written);
        job->symbols[count++] = (struct vocab_symbol){.begin = used, .size = written};
        used += written;
        at += step;
    }
    csn_vocab_merge_all(job, count, pair_spm);
    for (uint32_t i = 0; i < count; i++) {
        if (job->symbols[i].size != 0 && !emit_spm(job, &job->symbols[i])) {
            return false;
        }
    }
    return true;
}

/* ---- BPE ---- */

static bool pair_bpe(const struct vocab_job *job, const struct vocab_symbol *left,
                     const struct vocab_symbol *right, uint32_t *key, uint32_t *result)
{
    const struct csn_vocab_merge *merge =
        csn_vocab_merge_place(job->vocab, left->token, right->token);
    *key = merge->rank;
    *result = merge->result;
    return merge->rank != CSN_VOCAB_NONE;
}

/* The token that a word is as a whole, or CSN_VOCAB_NONE. */
static uint32_t whole_word(struct vocab_job *job, const uint8_t *word, uint32_t size)
{
    uint32_t used = 0;
    if (!job->vocab->source.whole_words || size > job->vocab->piece_max) {
        return CSN_VOCAB_NONE;
    }
    for (uint32_t i = 0; i < size; i++) {
        used += csn_vocab_byte_letter(word[i], job->text + used);
    }
    return csn_vocab_find(job->vocab, job->text, used);
}

static bool encode_word(struct vocab_job *job, const uint8_t *word, uint32_t size)
{
    const uint32_t whole = whole_word(job, word, size);
    if (whole != CSN_VOCAB_NONE) {
        return emit(job, whole);
    }
    for (uint32_t i = 0; i < size; i++) {
        job->symbols[i] = (struct vocab_symbol){.size = 1, .token = job->vocab->bytes[word[i]]};
    }
    csn_vocab_merge_all(job, size, pair_bpe);
    for (uint32_t i = 0; i < size; i++) {
        if (job->symbols[i].size != 0 && !emit(job, job->symbols[i].token)) {
            return false;
        }
    }
    return true;
}

static bool encode_bpe(struct vocab_job *job, const uint8_t *text, uint32_t size)
{
    uint32_t at = 0;
    while (at < size) {
        const uint32_t end = csn_vocab_word(job->vocab->source.split, text, size, at);
        if (!encode_word(job, text + at, end - at)) {
            return false;
        }
        at = end;
    }
    return true;
}

/* ---- control tokens ---- */

/* The token that stands for itself at these bytes of a text, or CSN_VOCAB_NONE. */
static uint32_t special_at(const struct csn_vocab *vocab, const struct csn_vocab_text *text,
                           uint32_t at, uint32_t size)
{
    const uint8_t first = text->bytes[at];
    if ((vocab->special_firsts[first / 64] >> first % 64 & 1) == 0) {
        return CSN_VOCAB_NONE;
    }
    const uint32_t token = csn_vocab_find(vocab, text->bytes + at, size);
    if (token == CSN_VOCAB_NONE) {
        return CSN_VOCAB_NONE;
    }
    const enum csn_vocab_type type = csn_vocab_type_of(vocab, token);
    const bool counts =
        type == CSN_VOCAB_USER_DEFINED ||
        (text->specials && (type == CSN_VOCAB_CONTROL || type == CSN_VOCAB_UNKNOWN));
    return counts ? token : CSN_VOCAB_NONE;
}

/* marks[i]: one more than the token that begins there, 0: none; UINT32_MAX: inside of one. */
#define INSIDE UINT32_MAX
static void mark_size(const struct vocab_job *job, const struct csn_vocab_text *text, uint32_t size)
{
    uint32_t free_size = 0; /* bytes before `end` that nothing has taken */
    for (uint32_t end = 0; end < text->size; end++) {
        free_size = job->marks[end] == 0 ? free_size + 1 : 0;
        if (free_size < size) {
            continue;
        }
        const uint32_t at = end + 1 - size;
        const uint32_t token = special_at(job->vocab, text, at, size);
        if (token != CSN_VOCAB_NONE) {
            __builtin_memset(job->marks + at, 0xff, size * sizeof *job->marks);
            job->marks[at] = token + 1;
            free_size = 0;
        }
    }
}

/* The longest first, wherever they stand. */
static void mark_specials(const struct vocab_job *job, const struct csn_vocab_text *text)
{
    __builtin_memset(job->marks, 0, text->size * sizeof *job->marks);
    for (uint32_t size = job->vocab->piece_max; size > 0; size--) {
        if ((job->vocab->special_sizes[size / 64] >> size % 64 & 1) != 0) {
            mark_size(job, text, size);
        }
    }
}

static bool encode_parts(struct vocab_job *job, const struct csn_vocab_text *text)
{
    bool is_first = text->is_first;
    uint32_t at = 0;
    while (at < text->size) {
        uint32_t end = at;
        if (job->marks[at] != 0) {
            if (!emit(job, job->marks[at] - 1)) {
                return false;
            }
            end++;
            while (end < text->size && job->marks[end] == INSIDE) {
                end++;
            }
            is_first = true;
        } else {
            while (end < text->size && job->marks[end] == 0) {
                end++;
            }
            const bool fits = job->vocab->source.kind == CSN_VOCAB_SPM
                                  ? encode_spm(job, text->bytes + at, end - at, is_first)
                                  : encode_bpe(job, text->bytes + at, end - at);
            if (!fits) {
                return false;
            }
            is_first = false;
        }
        at = end;
    }
    return true;
}

uint64_t csn_vocab_scratch(const struct csn_vocab *vocab, uint32_t size)
{
    const uint64_t count = (uint64_t)size + 1;
    const uint64_t text = SPACE_MARK_SIZE * count;
    const uint64_t word = 2 * ((uint64_t)vocab->piece_max + 1);
    return csn_vocab_round(text > word ? text : word) +
           csn_vocab_round(count * sizeof(struct vocab_symbol)) +
           2 * csn_vocab_round(count * sizeof(uint32_t));
}

csn_err csn_vocab_encode(const struct csn_vocab *vocab, const struct csn_vocab_text *text,
                         void *scratch, uint32_t *tokens, uint32_t token_max, uint32_t *count)
{
    *count = 0;
    if (text->size > CSN_VOCAB_TEXT_MAX) {
        return CSN_ERR_LIMIT;
    }
    if (!csn_vocab_is_utf8(text->bytes, text->size)) {
        return CSN_ERR_FORMAT;
    }
    const uint64_t symbol_count = (uint64_t)text->size + 1;
    uint8_t *symbols = scratch;
    uint8_t *heap = symbols + csn_vocab_round(symbol_count * sizeof(struct vocab_symbol));
    uint8_t *marks = heap + csn_vocab_round(symbol_count * sizeof(uint32_t));
    struct vocab_job job = {
        .vocab = vocab,
        .symbols = (struct vocab_symbol *)symbols,
        .heap = (uint32_t *)heap,
        .marks = (uint32_t *)marks,
        .text = marks + csn_vocab_round(symbol_count * sizeof(uint32_t)),
        .tokens = tokens,
        .token_max = token_max,
    };
    mark_specials(&job, text);
    if (!encode_parts(&job, text)) {
        return CSN_ERR_SPACE;
    }
    *count = job.token_count;
    return CSN_OK;
}

/* ---- and back ---- */

static uint32_t piece_spm(const uint8_t *text, uint32_t size, uint8_t *target)
{
    uint32_t used = 0;
    for (uint32_t at = 0; at < size; used++) {
        const bool is_space = size - at >= SPACE_MARK_SIZE &&
                              __builtin_memcmp(text + at, SPACE_MARK, SPACE_MARK_SIZE) == 0;
        target[used] = is_space ? ' ' : text[at];
        at += is_space ? SPACE_MARK_SIZE : 1;
    }
    return used;
}

/* Letters that stand for no byte are copied. */
static uint32_t piece_bpe(const uint8_t *text, uint32_t size, uint8_t *target)
{
    uint32_t used = 0;
    for (uint32_t at = 0; at < size; used++) {
        const int byte = csn_vocab_letter_byte(text + at, size - at);
        target[used] = byte < 0 ? text[at] : (uint8_t)byte;
        at += byte < 0 || text[at] < 0x80 ? 1 : 2;
    }
    return used;
}

static uint8_t digit_of(uint8_t digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

uint32_t csn_vocab_piece(const struct csn_vocab *vocab, uint32_t token, uint8_t *target)
{
    const struct csn_vocab_span *span = &vocab->spans[token];
    const uint8_t *text = vocab->source.tokens.bytes + span->offset;
    switch (csn_vocab_type_of(vocab, token)) {
    case CSN_VOCAB_USER_DEFINED:
        __builtin_memcpy(target, text, span->size);
        return span->size;
    case CSN_VOCAB_BYTE:
        if (span->size != 6) {
            return 0;
        }
        target[0] = (uint8_t)(digit_of(text[3]) << 4 | digit_of(text[4]));
        return 1;
    case CSN_VOCAB_NORMAL:
        return vocab->source.kind == CSN_VOCAB_SPM ? piece_spm(text, span->size, target)
                                                   : piece_bpe(text, span->size, target);
    case CSN_VOCAB_UNKNOWN:
    case CSN_VOCAB_CONTROL:
    case CSN_VOCAB_UNUSED:
        break;
    }
    return 0;
}
