/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train_pieces.c: the vocabulary: every byte, every character of the text, and the most frequent
 * neighbours, joined over and over.
 */
#include "train.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXED_COUNT 261u /* unknown, begin, end, 256 bytes, and two that talk is made of */

static void add_piece(struct train_pieces *pieces, const char *text, float score, uint32_t type)
{
    snprintf(pieces->texts[pieces->count], sizeof pieces->texts[0], "%s", text);
    pieces->scores[pieces->count] = score;
    pieces->types[pieces->count++] = type;
}

static void add_fixed(struct train_pieces *pieces)
{
    add_piece(pieces, "<unk>", 0, CSN_VOCAB_UNKNOWN);
    add_piece(pieces, "<s>", 0, CSN_VOCAB_CONTROL);
    add_piece(pieces, "</s>", 0, CSN_VOCAB_CONTROL);
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", byte);
        add_piece(pieces, text, 0, CSN_VOCAB_BYTE);
    }
    add_piece(pieces, "<|im_start|>", 0, CSN_VOCAB_CONTROL);
    add_piece(pieces, "<|im_end|>", 0, CSN_VOCAB_CONTROL);
}

/* A symbol is a piece's number; a line feed is a byte and joins nothing. */
static uint32_t first_symbols(struct train_pieces *pieces, const char *text, uint32_t size,
                              uint32_t *symbols)
{
    uint32_t known[256] = {0};
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)text[i];
        if (byte < ' ') {
            symbols[i] = 0;
            continue;
        }
        if (known[byte] == 0) {
            const char letter[2] = {(char)byte, 0};
            known[byte] = pieces->count;
            add_piece(pieces, byte == ' ' ? "\xe2\x96\x81" : letter, -1e6f, CSN_VOCAB_NORMAL);
        }
        symbols[i] = known[byte];
    }
    return size;
}

/* Counts neighbours; returns the most frequent pair, left << 16 | right, or 0. */
static uint32_t best_pair(const struct train_pieces *pieces, const uint32_t *symbols,
                          uint32_t count, uint32_t *counts)
{
    uint32_t best = 0;
    memset(counts, 0, (size_t)pieces->count * pieces->count * sizeof *counts);
    for (uint32_t i = 0; i + 1 < count; i++) {
        const uint32_t left = symbols[i];
        const uint32_t right = symbols[i + 1];
        const bool fits = left != 0 && right != 0 &&
                          strlen(pieces->texts[left]) + strlen(pieces->texts[right]) < 16 &&
                          strncmp(pieces->texts[right], "\xe2\x96\x81", 3) != 0;
        if (fits) {
            counts[(size_t)left * pieces->count + right]++;
        }
    }
    for (uint32_t i = 0; i < pieces->count * pieces->count; i++) {
        best = counts[i] > counts[best] ? i : best;
    }
    return counts[best] == 0 ? 0 : best / pieces->count << 16 | best % pieces->count;
}

static uint32_t join(uint32_t *symbols, uint32_t count, uint32_t pair, uint32_t joined)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++, used++) {
        const bool is_pair =
            i + 1 < count && symbols[i] == pair >> 16 && symbols[i + 1] == (pair & 0xffff);
        symbols[used] = is_pair ? joined : symbols[i];
        i += is_pair;
    }
    return used;
}

static void learn(struct train_pieces *pieces, const char *text, uint32_t size, uint32_t wanted)
{
    uint32_t *symbols = train_take(size * sizeof *symbols);
    uint32_t *counts = train_take((size_t)wanted * wanted * sizeof *counts);
    uint32_t count = first_symbols(pieces, text, size, symbols);
    float score = 0;
    while (pieces->count < wanted) {
        const uint32_t pair = best_pair(pieces, symbols, count, counts);
        char joined[64];
        if (pair == 0) {
            break;
        }
        snprintf(joined, sizeof joined, "%s%s", pieces->texts[pair >> 16],
                 pieces->texts[pair & 0xffff]);
        count = join(symbols, count, pair, pieces->count);
        add_piece(pieces, joined, score -= 1, CSN_VOCAB_NORMAL);
    }
    free(symbols);
    free(counts);
    if (pieces->count != wanted) {
        fprintf(stderr, "the text has no more than %u pieces\n", pieces->count);
        exit(1);
    }
}

/* As a GGUF file has them, for the vocabulary that the enclave uses. */
static void open_vocab(struct train_pieces *pieces)
{
    uint8_t *bytes = train_take((size_t)pieces->count * (8 + sizeof pieces->texts[0]));
    struct csn_vocab_source source = {
        .kind = CSN_VOCAB_SPM,
        .tokens = {bytes, 0, pieces->count},
        .scores = (const uint8_t *)pieces->scores,
        .types = (const uint8_t *)pieces->types,
        .begin = TRAIN_BEGIN,
        .ends = {TRAIN_END, CSN_VOCAB_NONE, CSN_VOCAB_NONE},
        .add_begin = true,
    };
    for (uint32_t i = 0; i < pieces->count; i++) {
        const uint64_t size = strlen(pieces->texts[i]);
        memcpy(bytes + source.tokens.size, &size, 8);
        memcpy(bytes + source.tokens.size + 8, pieces->texts[i], size);
        source.tokens.size += 8 + size;
    }
    const uint64_t needed = csn_vocab_memory(&source);
    uint32_t index = 0;
    if (csn_vocab_open(&pieces->vocab, &source, train_take(needed), needed, &index) != CSN_OK) {
        fprintf(stderr, "piece %u is wrong\n", index);
        exit(1);
    }
}

void train_pieces(struct train_pieces *pieces, const char *text, uint32_t size, uint32_t count)
{
    pieces->texts = train_take(count * sizeof pieces->texts[0]);
    pieces->scores = train_take(count * sizeof *pieces->scores);
    pieces->types = train_take(count * sizeof *pieces->types);
    add_fixed(pieces);
    learn(pieces, text, size, count);
    open_vocab(pieces);
}

uint32_t train_tokens(const struct train_pieces *pieces, const char *text, uint32_t size,
                      uint32_t *tokens, uint32_t token_max)
{
    const struct csn_vocab_text given = {(const uint8_t *)text, size, true, true};
    void *scratch = train_take(csn_vocab_scratch(&pieces->vocab, size));
    uint32_t count = 0;
    if (csn_vocab_encode(&pieces->vocab, &given, scratch, tokens, token_max, &count) != CSN_OK) {
        fprintf(stderr, "a text has no tokens\n");
        exit(1);
    }
    free(scratch);
    return count;
}
