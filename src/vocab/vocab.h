/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab.h: a model's vocabulary, from text to tokens and back, as its GGUF file says.
 *
 * Trust:    the vocabulary is checked once when it is opened; texts are anybody's, and what is not
 *           UTF-8 is refused. A text can ask for a control token only where the caller allows it.
 * Threads:  an opened vocabulary is read only; each thread brings its own scratch.
 * Memory:   no allocation: the caller gives what csn_vocab_memory() and csn_vocab_scratch() say.
 *           The source's bytes stay the caller's and must outlive the vocabulary.
 * Time:     depends on the text. n log n in its length, whatever it is.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_VOCAB_H
#define CSN_VOCAB_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_VOCAB_NONE      UINT32_MAX
#define CSN_VOCAB_TOKEN_MAX 0x100000u /* tokens, and merges */
#define CSN_VOCAB_PIECE_MAX 1024u     /* bytes of a token */
#define CSN_VOCAB_TEXT_MAX  0x100000u /* bytes of a text */

enum csn_vocab_kind {
    CSN_VOCAB_SPM, /* pieces with scores, unknown characters as bytes */
    CSN_VOCAB_BPE, /* words of bytes, merged by rank */
};

/* How a text is cut into words before it is merged: BPE alone. */
enum csn_vocab_split {
    CSN_VOCAB_GPT2,
    CSN_VOCAB_LLAMA3,
    CSN_VOCAB_QWEN2,
    CSN_VOCAB_SMOLLM, /* as GPT2, and each digit for itself */
};

/* Types of tokens, as in GGUF. */
enum csn_vocab_type {
    CSN_VOCAB_NORMAL = 1,
    CSN_VOCAB_UNKNOWN = 2,
    CSN_VOCAB_CONTROL = 3,
    CSN_VOCAB_USER_DEFINED = 4,
    CSN_VOCAB_UNUSED = 5,
    CSN_VOCAB_BYTE = 6,
};

/* Strings as they lie in GGUF: eight bytes of length before each, little-endian. */
struct csn_vocab_strings {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t count;
};

struct csn_vocab_source {
    enum csn_vocab_kind kind;
    enum csn_vocab_split split;
    struct csn_vocab_strings tokens;
    struct csn_vocab_strings merges; /* BPE: "left right", the first goes first */
    const uint8_t *scores;           /* SPM: a float each, unaligned */
    const uint8_t *types;            /* 32 bits each, unaligned; NULL: all are normal */
    uint32_t begin;                  /* token before a text, or CSN_VOCAB_NONE */
    uint32_t ends[3];                /* tokens that end one, or CSN_VOCAB_NONE */
    bool add_begin;
    bool add_space;   /* SPM: a space before a text that has none before it */
    bool whole_words; /* BPE: a word that is a token is not merged */
};

struct csn_vocab_span {
    uint32_t offset; /* in the bytes of the strings */
    uint32_t size;
};

/* Two neighbours that become one. */
struct csn_vocab_merge {
    uint32_t left;
    uint32_t right;
    uint32_t rank; /* CSN_VOCAB_NONE: a free place */
    uint32_t result;
};

#define CSN_VOCAB_END_MAX 12u
struct csn_vocab {
    struct csn_vocab_source source;
    uint32_t count;
    uint32_t piece_max; /* bytes of the longest token */
    struct csn_vocab_span *spans;
    uint32_t *places; /* hash table of tokens by text: one more than the token, 0 = free */
    uint32_t place_mask;
    struct csn_vocab_merge *merges; /* hash table by pair */
    uint32_t merge_mask;
    uint32_t bytes[256];                                  /* token of each single byte */
    uint64_t special_sizes[CSN_VOCAB_PIECE_MAX / 64 + 1]; /* a bit per size that one has */
    uint64_t special_firsts[4];                           /* a bit per byte that one begins with */
    uint32_t end_count;
    uint32_t ends[CSN_VOCAB_END_MAX];
};

/* Bytes that csn_vocab_open() takes, 64-byte aligned; 0: the source is beyond the limits. */
uint64_t csn_vocab_memory(const struct csn_vocab_source *source);
/*
 * CSN_ERR_LIMIT: too many or too long; CSN_ERR_FORMAT: not a vocabulary; *offset then is the index
 * of the token or merge at fault.
 */
CSN_MUST_USE csn_err csn_vocab_open(struct csn_vocab *vocab, const struct csn_vocab_source *source,
                                    void *memory, uint64_t size, uint32_t *index);

struct csn_vocab_text {
    const uint8_t *bytes;
    uint32_t size;
    bool is_first; /* nothing, or a control token, stands before it: SPM puts a space there */
    bool specials; /* the text may name control tokens */
};

/* Bytes of scratch, 64-byte aligned, for a text of size bytes. Wiping it is the caller's. */
uint64_t csn_vocab_scratch(const struct csn_vocab *vocab, uint32_t size);
/*
 * The tokens of a text, without the one that begins it. CSN_ERR_FORMAT: no UTF-8;
 * CSN_ERR_LIMIT: too long; CSN_ERR_SPACE: more than token_max tokens.
 */
CSN_MUST_USE csn_err csn_vocab_encode(const struct csn_vocab *vocab,
                                      const struct csn_vocab_text *text, void *scratch,
                                      uint32_t *tokens, uint32_t token_max, uint32_t *count);

/* The bytes of a token, at most CSN_VOCAB_PIECE_MAX; of control tokens none. Returns how many. */
uint32_t csn_vocab_piece(const struct csn_vocab *vocab, uint32_t token, uint8_t *target);
/* True if a model that says so has said all. */
bool csn_vocab_is_end(const struct csn_vocab *vocab, uint32_t token);
/* The token whose text in the file is this, or CSN_VOCAB_NONE. */
uint32_t csn_vocab_find(const struct csn_vocab *vocab, const uint8_t *text, uint32_t size);
enum csn_vocab_type csn_vocab_type_of(const struct csn_vocab *vocab, uint32_t token);

#endif
