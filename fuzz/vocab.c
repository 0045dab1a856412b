/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab.c: two bytes of size, a text of that size, then a GGUF file with a vocabulary in it. What
 * opens must cut any text into tokens of its own, in memory of exactly its size; tokens of a text
 * in which all are normal ones must give it back.
 */
#include "check.h"
#include "vocab/stop.h"
#include "vocab/vocab_gguf.h"
#include <string.h>

static void *take(uint64_t size)
{
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    CHECK(memory != NULL);
    return memory;
}

static bool all_normal(const struct csn_vocab *vocab, const uint32_t *tokens, uint32_t count)
{
    bool normal = true;
    for (uint32_t i = 0; i < count; i++) {
        normal = normal && csn_vocab_type_of(vocab, tokens[i]) == CSN_VOCAB_NORMAL;
    }
    return normal;
}

static void encode(const struct csn_vocab *vocab, const struct csn_vocab_text *text)
{
    static uint32_t tokens[65536 + 2];
    static uint8_t back[(65536 + 2) * 8];
    uint8_t piece[CSN_VOCAB_PIECE_MAX];
    uint32_t count = 0;
    uint32_t size = 0;
    void *scratch = take(csn_vocab_scratch(vocab, text->size));
    const csn_err err =
        csn_vocab_encode(vocab, text, scratch, tokens, sizeof tokens / sizeof tokens[0], &count);
    free(scratch);
    CHECK(err == CSN_OK || (err == CSN_ERR_FORMAT && count == 0) || err == CSN_ERR_SPACE);
    if (err != CSN_OK) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        CHECK(tokens[i] < vocab->count);
        const uint32_t got = csn_vocab_piece(vocab, tokens[i], piece);
        CHECK(got <= CSN_VOCAB_PIECE_MAX);
        if (size + got <= sizeof back) {
            memcpy(back + size, piece, got);
        }
        size += got;
    }
    if (vocab->source.kind == CSN_VOCAB_BPE && all_normal(vocab, tokens, count)) {
        CHECK(size == text->size && memcmp(back, text->bytes, size) == 0);
    }
}

/* Whatever goes out, nothing of it is a stop string, and nothing is lost. */
static void stop(const uint8_t *bytes, uint32_t size)
{
    struct csn_stop stop = {.count = 1, .sizes = {size < 3 ? 1 : 2}};
    uint32_t out;
    uint32_t total = 0;
    if (size < 2) {
        return;
    }
    memcpy(stop.strings[0], bytes, stop.sizes[0]);
    uint32_t first = 0; /* where it stands; behind all if nowhere */
    while (first + stop.sizes[0] <= size - 2 &&
           memcmp(bytes + 2 + first, bytes, stop.sizes[0]) != 0) {
        first++;
    }
    const bool is_there = first + stop.sizes[0] <= size - 2;
    for (uint32_t at = 2; at < size; at++) {
        const bool ends = csn_stop_add(&stop, bytes + at, 1, &out);
        CHECK(out <= stop.held_size && stop.held_size <= CSN_STOP_SIZE_MAX + 4);
        CHECK(memcmp(stop.held, bytes + 2 + total, stop.held_size) == 0);
        if (ends) {
            CHECK(is_there && total + out == first);
            return;
        }
        csn_stop_take(&stop, out);
        total += out;
    }
    CHECK(!is_there && total + stop.held_size == size - 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct csn_gguf file;
    struct csn_vocab_source source;
    struct csn_vocab vocab;
    uint64_t offset;
    uint32_t index;
    const char *key;
    if (size < 2 || size - 2 < (size_t)(bytes[0] | bytes[1] << 8)) {
        return 0;
    }
    const uint32_t text_size = (uint32_t)(bytes[0] | bytes[1] << 8);
    stop(bytes + 2, text_size);
    void *copy = take(size);
    memcpy(copy, bytes + 2 + text_size, size - 2 - text_size);
    if (csn_gguf_open(&file, copy, size - 2 - text_size, &offset) == CSN_OK &&
        csn_vocab_source_gguf(&file, &source, &key) == CSN_OK && csn_vocab_memory(&source) != 0) {
        const uint64_t needed = csn_vocab_memory(&source);
        void *memory = needed < 0x1000000 ? take(needed) : NULL;
        if (memory != NULL && csn_vocab_open(&vocab, &source, memory, needed, &index) == CSN_OK) {
            for (uint32_t i = 0; i < 4; i++) {
                const struct csn_vocab_text text = {bytes + 2, text_size, (i & 1) != 0, i > 1};
                encode(&vocab, &text);
            }
        }
        free(memory);
    }
    free(copy);
    return 0;
}
