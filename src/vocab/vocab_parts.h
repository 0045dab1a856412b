/* SPDX-License-Identifier: Apache-2.0 */
/* vocab_parts.h: what the files of a vocabulary share. */
#ifndef CSN_VOCAB_PARTS_H
#define CSN_VOCAB_PARTS_H

#include "../core/bytes.h"
#include "vocab.h"

/* ---- vocab_letters.c: made by scripts/letters.mjs ---- */
/* Where another class begins: code point << 2 | class. */
extern const uint32_t csn_vocab_letters[];
extern const uint32_t csn_vocab_letter_count;

/* ---- vocab_words.c ---- */
enum vocab_class {
    VOCAB_OTHER,
    VOCAB_LETTER,
    VOCAB_NUMBER,
    VOCAB_SPACE,
    VOCAB_LAST, /* behind the text */
};
/* Bytes of the sequence at *bytes, of a text that is UTF-8. */
static inline uint32_t csn_vocab_step(const uint8_t *bytes)
{
    const uint8_t first = *bytes;
    return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
/* The end of the word that begins at `at`, of a text that is UTF-8. */
uint32_t csn_vocab_word(enum csn_vocab_split split, const uint8_t *text, uint32_t size,
                        uint32_t at);
bool csn_vocab_is_utf8(const uint8_t *text, uint32_t size);

/* ---- vocab_merge.c: neighbours become one, the best pair first ---- */
struct vocab_symbol {
    uint32_t previous;
    uint32_t next;
    uint32_t begin; /* SPM: of its text */
    uint32_t size;  /* SPM; 0: it is part of the one before */
    uint32_t token; /* BPE */
    uint32_t key;   /* of it and the next: the smallest is merged first */
    uint32_t result;
    uint32_t place; /* in the heap; CSN_VOCAB_NONE: the two do not merge */
};

struct vocab_job {
    const struct csn_vocab *vocab;
    uint8_t *text; /* SPM: with its spaces marked; BPE: a word in the file's letters */
    struct vocab_symbol *symbols;
    uint32_t *heap;
    uint32_t *marks; /* per byte of the text: the control token that begins there */
    uint32_t symbol_count;
    uint32_t heap_count;
    uint32_t *tokens;
    uint32_t token_max;
    uint32_t token_count;
};

/* symbols[0..count) in order, with text or token. False: the two do not merge. */
typedef bool (*vocab_pair)(const struct vocab_job *job, const struct vocab_symbol *left,
                           const struct vocab_symbol *right, uint32_t *key, uint32_t *result);
void csn_vocab_merge_all(struct vocab_job *job, uint32_t count, vocab_pair pair);

/* ---- vocab_open.c ---- */
static inline uint64_t csn_vocab_round(uint64_t size)
{
    return (size + 63) / 64 * 64;
}
/* The place of a pair, or the free one where it would go. */
struct csn_vocab_merge *csn_vocab_merge_place(const struct csn_vocab *vocab, uint32_t left,
                                              uint32_t right);
/* A byte as BPE files write it: a letter of one or two bytes. Returns its size. */
uint32_t csn_vocab_byte_letter(uint8_t byte, uint8_t letter[2]);
/* And back: the byte that the letter at *text stands for, or -1. */
int csn_vocab_letter_byte(const uint8_t *text, uint32_t size);

#endif
