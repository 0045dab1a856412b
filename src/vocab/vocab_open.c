/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_open.c: the one check of a vocabulary, and its tables: tokens by text, merges by pair.
 *
 * Strict where other readers let things pass: every byte must have a token, every merge must name
 * tokens and make one, so that no text is left without tokens. Of two tokens with one text the
 * last counts.
 */
#include "vocab_parts.h"

#define LENGTH_SIZE 8u /* before each string */

static uint32_t power_above(uint64_t count)
{
    uint32_t power = 16;
    while (power < 2 * count) {
        power *= 2;
    }
    return power;
}

static bool is_within(const struct csn_vocab_source *source)
{
    const uint64_t size_max = UINT32_MAX;
    return source->tokens.count > 0 && source->tokens.count <= CSN_VOCAB_TOKEN_MAX &&
           source->merges.count <= 2 * CSN_VOCAB_TOKEN_MAX && source->tokens.size <= size_max &&
           source->merges.size <= size_max;
}

uint64_t csn_vocab_memory(const struct csn_vocab_source *source)
{
    if (!is_within(source)) {
        return 0;
    }
    const bool merges = source->kind == CSN_VOCAB_BPE;
    return csn_vocab_round(source->tokens.count * sizeof(struct csn_vocab_span)) +
           csn_vocab_round(power_above(source->tokens.count) * sizeof(uint32_t)) +
           (merges ? power_above(source->merges.count) * sizeof(struct csn_vocab_merge) : 0);
}

/* The string at *offset, which goes behind it. False: it ends too early. */
static bool next_string(const struct csn_vocab_strings *strings, uint64_t *offset,
                        struct csn_vocab_span *span)
{
    if (strings->size - *offset < LENGTH_SIZE) {
        return false;
    }
    const uint64_t size = csn_load_u64(strings->bytes + *offset);
    *offset += LENGTH_SIZE;
    if (size > strings->size - *offset || size > UINT32_MAX) {
        return false;
    }
    *span = (struct csn_vocab_span){(uint32_t)*offset, (uint32_t)size};
    *offset += size;
    return true;
}

/* ---- tokens by text ---- */

static uint32_t hash_of(const uint8_t *text, uint32_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < size; i++) {
        hash = (hash ^ text[i]) * UINT64_C(0x100000001b3);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* Where a text stands, or would. There is always a free place. */
static uint32_t place_of(const struct csn_vocab *vocab, const uint8_t *text, uint32_t size)
{
    uint32_t place = hash_of(text, size) & vocab->place_mask;
    for (; vocab->places[place] != 0; place = (place + 1) & vocab->place_mask) {
        const struct csn_vocab_span *span = &vocab->spans[vocab->places[place] - 1];
        if (span->size == size &&
            __builtin_memcmp(vocab->source.tokens.bytes + span->offset, text, size) == 0) {
            break;
        }
    }
    return place;
}

uint32_t csn_vocab_find(const struct csn_vocab *vocab, const uint8_t *text, uint32_t size)
{
    if (size > vocab->piece_max) {
        return CSN_VOCAB_NONE;
    }
    return vocab->places[place_of(vocab, text, size)] - 1; /* a free place: CSN_VOCAB_NONE */
}

enum csn_vocab_type csn_vocab_type_of(const struct csn_vocab *vocab, uint32_t token)
{
    const uint8_t *types = vocab->source.types;
    return types == NULL ? CSN_VOCAB_NORMAL
                         : (enum csn_vocab_type)csn_load_u32(types + (uint64_t)token * 4);
}

static void note_special(struct csn_vocab *vocab, uint32_t token)
{
    const struct csn_vocab_span *span = &vocab->spans[token];
    const enum csn_vocab_type type = csn_vocab_type_of(vocab, token);
    if (span->size != 0 && (type == CSN_VOCAB_CONTROL || type == CSN_VOCAB_USER_DEFINED ||
                            type == CSN_VOCAB_UNKNOWN)) {
        const uint8_t first = vocab->source.tokens.bytes[span->offset];
        vocab->special_sizes[span->size / 64] |= UINT64_C(1) << span->size % 64;
        vocab->special_firsts[first / 64] |= UINT64_C(1) << first % 64;
    }
}

static bool is_number(const uint8_t *score)
{
    return (csn_load_u32(score) & 0x7f800000u) != 0x7f800000u;
}

static csn_err read_tokens(struct csn_vocab *vocab, uint32_t *index)
{
    const struct csn_vocab_source *source = &vocab->source;
    uint64_t offset = 0;
    for (*index = 0; *index < vocab->count; ++*index) {
        struct csn_vocab_span *span = &vocab->spans[*index];
        if (!next_string(&source->tokens, &offset, span)) {
            return CSN_ERR_FORMAT;
        }
        if (span->size > CSN_VOCAB_PIECE_MAX) {
            return CSN_ERR_LIMIT;
        }
        const enum csn_vocab_type type = csn_vocab_type_of(vocab, *index);
        if (type < CSN_VOCAB_NORMAL || type > CSN_VOCAB_BYTE ||
            (source->kind == CSN_VOCAB_SPM && !is_number(source->scores + *index * 4))) {
            return CSN_ERR_FORMAT;
        }
        vocab->piece_max = span->size > vocab->piece_max ? span->size : vocab->piece_max;
        if (span->size != 0) {
            const uint8_t *text = source->tokens.bytes + span->offset;
            vocab->places[place_of(vocab, text, span->size)] = *index + 1;
        }
        note_special(vocab, *index);
    }
    return offset == source->tokens.size ? CSN_OK : CSN_ERR_FORMAT;
}

/* ---- bytes ---- */

/* Bytes that are printed as they are; the others follow from U+0100 on, in order. */
static bool is_plain(uint32_t byte)
{
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

uint32_t csn_vocab_byte_letter(uint8_t byte, uint8_t letter[2])
{
    uint32_t code = byte;
    if (!is_plain(byte)) { /* 0 to 0x20, 0x7f to 0xa0, 0xad */
        code = 0x100u + (byte <= 0x20 ? byte : byte == 0xad ? 0x43u : byte - 0x7fu + 0x21u);
    }
    if (code < 0x80) {
        letter[0] = (uint8_t)code;
        return 1;
    }
    letter[0] = (uint8_t)(0xc0 | code >> 6);
    letter[1] = (uint8_t)(0x80 | (code & 0x3f));
    return 2;
}

int csn_vocab_letter_byte(const uint8_t *text, uint32_t size)
{
    if (text[0] < 0x80) {
        return is_plain(text[0]) ? text[0] : -1;
    }
    if (size < 2 || (text[0] & 0xe0) != 0xc0) {
        return -1;
    }
    const uint32_t code = (uint32_t)(text[0] & 0x1f) << 6 | (text[1] & 0x3f);
    if (code < 0x100) {
        return is_plain(code) ? (int)code : -1;
    }
    const uint32_t place = code - 0x100;
    if (place > 0x43) {
        return -1;
    }
    return place <= 0x20 ? (int)place : place == 0x43 ? 0xad : (int)(place - 0x21 + 0x7f);
}

/* SPM writes them "<0x0A>". */
static uint32_t byte_text(const struct csn_vocab *vocab, uint8_t byte, uint8_t text[6])
{
    static const char digits[] = "0123456789ABCDEF";
    if (vocab->source.kind == CSN_VOCAB_BPE) {
        return csn_vocab_byte_letter(byte, text);
    }
    __builtin_memcpy(text, "<0x", 3);
    text[3] = (uint8_t)digits[byte >> 4];
    text[4] = (uint8_t)digits[byte & 15];
    text[5] = '>';
    return 6;
}

static csn_err read_bytes(struct csn_vocab *vocab, uint32_t *index)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint8_t text[6];
        const uint32_t size = byte_text(vocab, (uint8_t)byte, text);
        *index = byte;
        vocab->bytes[byte] = csn_vocab_find(vocab, text, size);
        if (vocab->bytes[byte] == CSN_VOCAB_NONE) {
            return CSN_ERR_FORMAT;
        }
    }
    return CSN_OK;
}

/* ---- merges ---- */

struct csn_vocab_merge *csn_vocab_merge_place(const struct csn_vocab *vocab, uint32_t left,
                                              uint32_t right)
{
    const uint64_t mixed = ((uint64_t)left << 32 | right) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t place = (uint32_t)(mixed >> 32) & vocab->merge_mask;
    struct csn_vocab_merge *merge = &vocab->merges[place];
    while (merge->rank != CSN_VOCAB_NONE && (merge->left != left || merge->right != right)) {
        place = (place + 1) & vocab->merge_mask;
        merge = &vocab->merges[place];
    }
    return merge;
}

/* Its two parts stand beside each other, a space (not at the start) between them. */
static bool read_merge(struct csn_vocab *vocab, const uint8_t *text, uint32_t size, uint32_t rank)
{
    uint8_t whole[CSN_VOCAB_PIECE_MAX];
    uint32_t left = 1;
    while (left < size && text[left] != ' ') {
        left++;
    }
    if (left >= size || size - 1 > sizeof whole) {
        return false;
    }
    const uint32_t right = size - left - 1;
    __builtin_memcpy(whole, text, left);
    __builtin_memcpy(whole + left, text + left + 1, right);
    const struct csn_vocab_merge merge = {
        .left = csn_vocab_find(vocab, text, left),
        .right = csn_vocab_find(vocab, text + left + 1, right),
        .rank = rank,
        .result = csn_vocab_find(vocab, whole, left + right),
    };
    if (right == 0 || merge.left == CSN_VOCAB_NONE || merge.right == CSN_VOCAB_NONE ||
        merge.result == CSN_VOCAB_NONE) {
        return false;
    }
    struct csn_vocab_merge *place = csn_vocab_merge_place(vocab, merge.left, merge.right);
    if (place->rank == CSN_VOCAB_NONE) { /* the first of two counts */
        *place = merge;
    }
    return true;
}

static csn_err read_merges(struct csn_vocab *vocab, uint32_t *index)
{
    const struct csn_vocab_strings *merges = &vocab->source.merges;
    uint64_t offset = 0;
    for (*index = 0; *index < merges->count; ++*index) {
        struct csn_vocab_span span;
        if (!next_string(merges, &offset, &span) ||
            !read_merge(vocab, merges->bytes + span.offset, span.size, *index)) {
            return CSN_ERR_FORMAT;
        }
    }
    return offset == merges->size ? CSN_OK : CSN_ERR_FORMAT;
}

/* ---- ends ---- */

static void add_end(struct csn_vocab *vocab, uint32_t token)
{
    if (token < vocab->count && vocab->end_count < CSN_VOCAB_END_MAX &&
        !csn_vocab_is_end(vocab, token)) {
        vocab->ends[vocab->end_count++] = token;
    }
}

/* Those that the file names, and those that models are known to end a turn with. */
static void read_ends(struct csn_vocab *vocab)
{
    static const char *const known[] = {"<|eot_id|>",    "<|im_end|>",    "<|end|>",
                                        "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>"};
    for (uint32_t i = 0; i < sizeof vocab->source.ends / sizeof vocab->source.ends[0]; i++) {
        add_end(vocab, vocab->source.ends[i]);
    }
    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const uint32_t token =
            csn_vocab_find(vocab, (const uint8_t *)known[i], (uint32_t)__builtin_strlen(known[i]));
        if (token != CSN_VOCAB_NONE && csn_vocab_type_of(vocab, token) == CSN_VOCAB_CONTROL) {
            add_end(vocab, token);
        }
    }
}

bool csn_vocab_is_end(const struct csn_vocab *vocab, uint32_t token)
{
    for (uint32_t i = 0; i < vocab->end_count; i++) {
        if (vocab->ends[i] == token) {
            return true;
        }
    }
    return false;
}

/* ---- all of it ---- */

static void lay_out(struct csn_vocab *vocab, uint8_t *memory)
{
    const struct csn_vocab_source *source = &vocab->source;
    const uint32_t places = power_above(source->tokens.count);
    vocab->spans = (struct csn_vocab_span *)memory;
    memory += csn_vocab_round(source->tokens.count * sizeof(struct csn_vocab_span));
    vocab->places = (uint32_t *)memory;
    vocab->place_mask = places - 1;
    __builtin_memset(vocab->places, 0, places * sizeof(uint32_t));
    memory += csn_vocab_round(places * sizeof(uint32_t));
    if (source->kind == CSN_VOCAB_BPE) {
        const uint32_t merges = power_above(source->merges.count);
        vocab->merges = (struct csn_vocab_merge *)memory;
        vocab->merge_mask = merges - 1;
        __builtin_memset(vocab->merges, 0xff, merges * sizeof(struct csn_vocab_merge));
    }
}

csn_err csn_vocab_open(struct csn_vocab *vocab, const struct csn_vocab_source *source, void *memory,
                       uint64_t size, uint32_t *index)
{
    const uint64_t needed = csn_vocab_memory(source);
    *index = 0;
    if (needed == 0) {
        return CSN_ERR_LIMIT;
    }
    if (size < needed || ((uintptr_t)memory & 63) != 0) {
        return CSN_ERR_SPACE;
    }
    if ((source->kind == CSN_VOCAB_SPM && source->scores == NULL) ||
        (source->begin == CSN_VOCAB_NONE && source->add_begin) ||
        (source->begin != CSN_VOCAB_NONE && source->begin >= source->tokens.count)) {
        return CSN_ERR_FORMAT;
    }
    *vocab = (struct csn_vocab){.source = *source, .count = (uint32_t)source->tokens.count};
    lay_out(vocab, memory);
    CSN_TRY(read_tokens(vocab, index));
    CSN_TRY(read_bytes(vocab, index));
    if (source->kind == CSN_VOCAB_BPE) {
        CSN_TRY(read_merges(vocab, index));
    }
    read_ends(vocab);
    return CSN_OK;
}
