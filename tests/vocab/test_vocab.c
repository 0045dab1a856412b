/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vocab.c: are vocabularies that lack something refused, does every text have tokens that give
 * it back, and do limits hold? What tokens a text has, by another's program, is test_vocab.py's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vocab/vocab_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRINGS_MAX 16384u
#define COUNT_MAX   400u

/* A source in the making. */
struct made {
    struct csn_vocab_source source;
    uint8_t tokens[STRINGS_MAX];
    uint8_t merges[STRINGS_MAX];
    float scores[COUNT_MAX];
    uint32_t types[COUNT_MAX];
};

static void add_string(struct csn_vocab_strings *strings, uint8_t *bytes, const void *text,
                       uint64_t size)
{
    memcpy(bytes + strings->size, &size, 8);
    memcpy(bytes + strings->size + 8, text, size);
    strings->size += 8 + size;
    strings->bytes = bytes;
    strings->count++;
}

static void add_token(struct made *made, const char *text, float score, uint32_t type)
{
    made->scores[made->source.tokens.count] = score;
    made->types[made->source.tokens.count] = type;
    add_string(&made->source.tokens, made->tokens, text, strlen(text));
}

static void begin(struct made *made, enum csn_vocab_kind kind)
{
    memset(made, 0, sizeof *made);
    made->source = (struct csn_vocab_source){
        .kind = kind,
        .scores = (const uint8_t *)made->scores,
        .types = (const uint8_t *)made->types,
        .begin = CSN_VOCAB_NONE,
        .ends = {CSN_VOCAB_NONE, CSN_VOCAB_NONE, CSN_VOCAB_NONE},
        .add_space = kind == CSN_VOCAB_SPM,
    };
}

/* 256 bytes, but `without`; then "a" to "z" alone in SPM. */
static void make_without(struct made *made, enum csn_vocab_kind kind, uint32_t without)
{
    begin(made, kind);
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint8_t text[8] = {0};
        if (kind == CSN_VOCAB_SPM) {
            static const char digits[] = "0123456789ABCDEF";
            memcpy(text, "<0x__>", 6);
            text[3] = (uint8_t)digits[byte / 16];
            text[4] = (uint8_t)digits[byte % 16];
        } else {
            csn_vocab_byte_letter((uint8_t)byte, text);
        }
        if (byte != without) {
            add_token(made, (const char *)text, 0, kind == CSN_VOCAB_SPM ? CSN_VOCAB_BYTE : 1);
        }
    }
}

static void add_merge(struct made *made, const char *pair)
{
    add_string(&made->source.merges, made->merges, pair, strlen(pair));
}

static void make_spm(struct made *made)
{
    make_without(made, CSN_VOCAB_SPM, 256);
    add_token(made, "<stop>", 0, CSN_VOCAB_CONTROL); /* 256 */
    add_token(made, "<<u>>", 0, CSN_VOCAB_USER_DEFINED);
    add_token(made, "a", -5, 1); /* 258 */
    add_token(made, "aa", 1, 1);
    add_token(made, "ab", 2.5f, 1); /* 260 */
    add_token(made, "aab", -3, 1);
    add_token(made, "b", -5, 1);
    add_token(made, "\xe2\x96\x81", -5, 1); /* 263 */
    add_token(made,
              "\xe2\x96\x81"
              "a",
              -9, 1);
    add_token(made, "bc", -6, 1); /* 265 */
    add_token(made, "de", -7, 1);
    add_token(made, "bcde", -8, 1);
    add_token(made, "bb", 1, 1);
    add_token(made, "<stop", 0, CSN_VOCAB_CONTROL); /* the longer one goes first */
    made->source.ends[0] = 256;
}

static void make_bpe(struct made *made)
{
    make_without(made, CSN_VOCAB_BPE, 256);
    add_token(made, "aa", 0, 1); /* 256 */
    add_token(made, "ab", 0, 1);
    add_token(made, "aab", 0, 1);
    add_token(made, "<stop>", 0, CSN_VOCAB_CONTROL); /* 259 */
    add_token(made, "<|im_end|>", 0, CSN_VOCAB_CONTROL);
    add_token(made, "bc", 0, 1); /* 261 */
    add_token(made, "de", 0, 1);
    add_token(made, "bcde", 0, 1);
    add_merge(made, "a b");
    add_merge(made, "a a");
    add_merge(made, "a ab");
    add_merge(made, "b c");
    add_merge(made, "d e");
    add_merge(made, "bc de");
    made->source.ends[0] = 259;
}

struct opened {
    struct csn_vocab vocab;
    void *memory;
    uint32_t index;
};

static csn_err open_made(const struct made *made, struct opened *opened)
{
    const uint64_t size = csn_vocab_memory(&made->source);
    opened->memory = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
    assert_non_null(opened->memory);
    return csn_vocab_open(&opened->vocab, &made->source, opened->memory, size, &opened->index);
}

static void expect_refused(const struct made *made, csn_err expected, uint32_t index)
{
    struct opened opened = {.index = 0};
    assert_int_equal(open_made(made, &opened), expected);
    assert_int_equal(opened.index, index);
    free(opened.memory);
}

/* Encodes with scratch of exactly the size that was asked for. */
static csn_err encode(const struct csn_vocab *vocab, const struct csn_vocab_text *text,
                      uint32_t *tokens, uint32_t token_max, uint32_t *count)
{
    const uint64_t size = csn_vocab_scratch(vocab, text->size);
    uint8_t *scratch = aligned_alloc(64, size + 64);
    assert_non_null(scratch);
    memset(scratch + size, 0x5a, 64);
    const csn_err result = csn_vocab_encode(vocab, text, scratch, tokens, token_max, count);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(scratch[size + i], 0x5a);
    }
    free(scratch);
    return result;
}

static void expect_tokens(const struct csn_vocab *vocab, const char *text, bool specials,
                          const uint32_t *expected, uint32_t expected_count)
{
    uint32_t tokens[64];
    uint32_t count = 0;
    const struct csn_vocab_text given = {(const uint8_t *)text, (uint32_t)strlen(text), false,
                                         specials};
    assert_int_equal(encode(vocab, &given, tokens, 64, &count), CSN_OK);
    assert_int_equal(count, expected_count);
    assert_memory_equal(tokens, expected, count * sizeof *tokens);
}
#define EXPECT(vocab, text, specials, ...)                                                         \
    do {                                                                                           \
        const uint32_t expected_[] = {__VA_ARGS__};                                                \
        expect_tokens(vocab, text, specials, expected_, sizeof expected_ / sizeof expected_[0]);   \
    } while (0)

/* ---- tests ---- */

static void test_spm(void **state)
{
    (void)state;
    static struct made made;
    struct opened opened;
    make_spm(&made);
    assert_int_equal(open_made(&made, &opened), CSN_OK);
    const struct csn_vocab *vocab = &opened.vocab;
    EXPECT(vocab, "aab", false, 261); /* "ab" is better than "aa", then all of it */
    EXPECT(vocab, "abb", false, 260, 262);
    EXPECT(vocab, "aaab", false, 259, 260); /* "a" "a" "ab", "aa" before "aab" */
    EXPECT(vocab, "aaaa", false, 259, 259); /* the leftmost of equal ones */
    EXPECT(vocab, "b\xc3\xa9", false, 262, 0xc3, 0xa9);
    EXPECT(vocab, " a", false, 264);
    EXPECT(vocab, "bcde", false, 267); /* what was merged is the neighbour of what is next */
    EXPECT(vocab, "<stop>", false, '<', 's', 't', 'o', 'p', '>');
    EXPECT(vocab, "a<stop>b", true, 258, 256, 263, 262); /* a space after a control token */
    EXPECT(vocab, "<<<u>>>", false, '<', 257, 263, '>');
    assert_true(csn_vocab_is_end(vocab, 256));
    assert_false(csn_vocab_is_end(vocab, 257));
    free(opened.memory);
}

static void test_bpe(void **state)
{
    (void)state;
    static struct made made;
    struct opened opened;
    make_bpe(&made);
    assert_int_equal(open_made(&made, &opened), CSN_OK);
    const struct csn_vocab *vocab = &opened.vocab;
    EXPECT(vocab, "aab", false, 258);
    EXPECT(vocab, "aaab", false, 256, 257);
    EXPECT(vocab, "a ab", false, 'a', ' ', 257);
    EXPECT(vocab, "bcde", false, 263);
    EXPECT(vocab, "a1a", false, 'a', '1', 'a');
    EXPECT(vocab, "<stop>", true, 259);
    assert_true(csn_vocab_is_end(vocab, 259));
    assert_true(csn_vocab_is_end(vocab, 260)); /* by its name */
    assert_false(csn_vocab_is_end(vocab, 258));
    free(opened.memory);
}

/* A merge that the cut into words forbids: what begins with a line's end holds no letter. */
static void test_line_end(void **state)
{
    (void)state;
    static struct made made;
    struct opened opened;
    make_bpe(&made);
    add_token(&made,
              "\xc4\x8a"
              "a",
              0, 1); /* 264: "\n" as a letter, and "a" */
    add_merge(&made, "\xc4\x8a a");
    made.source.split = CSN_VOCAB_LLAMA3;
    assert_int_equal(open_made(&made, &opened), CSN_OK);
    EXPECT(&opened.vocab, "\na", false, '\n', 'a');
    EXPECT(&opened.vocab, "!a", false, '!', 'a');
    free(opened.memory);
}

/* Each byte by itself has a token whose bytes are that byte. */
static void test_bytes(void **state)
{
    (void)state;
    static struct made made;
    for (int kind = 0; kind < 2; kind++) {
        struct opened opened;
        if (kind == CSN_VOCAB_SPM) {
            make_spm(&made);
        } else {
            make_bpe(&made);
        }
        assert_int_equal(open_made(&made, &opened), CSN_OK);
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint8_t piece[CSN_VOCAB_PIECE_MAX];
            assert_int_equal(csn_vocab_piece(&opened.vocab, opened.vocab.bytes[byte], piece), 1);
            assert_int_equal(piece[0], byte);
        }
        free(opened.memory);
    }
}

static void test_byte_missing(void **state)
{
    (void)state;
    static struct made made;
    for (uint32_t byte = 0; byte < 256; byte += 15) {
        make_without(&made, CSN_VOCAB_SPM, byte);
        expect_refused(&made, CSN_ERR_FORMAT, byte);
        make_without(&made, CSN_VOCAB_BPE, byte);
        expect_refused(&made, CSN_ERR_FORMAT, byte);
    }
}

static void test_merges_refused(void **state)
{
    (void)state;
    static struct made made;
    static const char *const bad[] = {"ab",   "a ",   " a",          "",           "a c", "a  b",
                                      "xx a", "a xx", "< |im_end|>", "<|im_end| >"};
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make_bpe(&made);
        add_merge(&made, bad[i]);
        expect_refused(&made, CSN_ERR_FORMAT, 6);
    }
}

static void test_sources_refused(void **state)
{
    (void)state;
    static struct made made;
    make_spm(&made);
    made.scores[7] = NAN;
    expect_refused(&made, CSN_ERR_FORMAT, 7);
    make_spm(&made);
    made.scores[8] = -INFINITY;
    expect_refused(&made, CSN_ERR_FORMAT, 8);
    make_spm(&made);
    made.types[3] = 0;
    expect_refused(&made, CSN_ERR_FORMAT, 3);
    make_spm(&made);
    made.types[4] = 7;
    expect_refused(&made, CSN_ERR_FORMAT, 4);
    make_spm(&made);
    made.source.scores = NULL;
    expect_refused(&made, CSN_ERR_FORMAT, 0);
    make_spm(&made);
    made.source.add_begin = true;
    expect_refused(&made, CSN_ERR_FORMAT, 0);
    made.source.begin = (uint32_t)made.source.tokens.count;
    expect_refused(&made, CSN_ERR_FORMAT, 0);
    make_spm(&made);
    made.source.tokens.count = CSN_VOCAB_TOKEN_MAX + 1;
    assert_int_equal(csn_vocab_memory(&made.source), 0);
    made.source.tokens.count = 0;
    assert_int_equal(csn_vocab_memory(&made.source), 0);
}

/* Strings that are cut anywhere, or have something behind them. */
static void test_strings_cut(void **state)
{
    (void)state;
    static struct made made;
    struct opened opened;
    make_bpe(&made);
    const struct csn_vocab_source whole = made.source;
    for (uint64_t size = 0; size <= whole.tokens.size + 1; size++) {
        made.source.tokens.size = size;
        assert_int_equal(open_made(&made, &opened),
                         size == whole.tokens.size ? CSN_OK : CSN_ERR_FORMAT);
        free(opened.memory);
    }
    made.source = whole;
    for (uint64_t size = 0; size <= whole.merges.size + 1; size++) {
        made.source.merges.size = size;
        assert_int_equal(open_made(&made, &opened),
                         size == whole.merges.size ? CSN_OK : CSN_ERR_FORMAT);
        free(opened.memory);
    }
    made.source = whole;
    const uint64_t huge_size = 0x7fffffff;
    memcpy(made.tokens, &huge_size, 8);
    expect_refused(&made, CSN_ERR_FORMAT, 0);
    const uint64_t long_size = CSN_VOCAB_PIECE_MAX + 1;
    memcpy(made.tokens, &long_size, 8);
    expect_refused(&made, CSN_ERR_LIMIT, 0);
}

static void test_room(void **state)
{
    (void)state;
    static struct made made;
    struct opened opened;
    uint32_t tokens[9];
    uint32_t count = 0;
    make_spm(&made);
    assert_int_equal(open_made(&made, &opened), CSN_OK);
    const uint64_t size = csn_vocab_memory(&made.source);
    assert_int_equal(
        csn_vocab_open(&opened.vocab, &made.source, opened.memory, size - 1, &opened.index),
        CSN_ERR_SPACE);
    assert_int_equal(csn_vocab_open(&opened.vocab, &made.source, (uint8_t *)opened.memory + 8, size,
                                    &opened.index),
                     CSN_ERR_SPACE);
    const struct csn_vocab_text text = {(const uint8_t *)"xyz<stop>ab", 11, false, true};
    for (uint32_t room = 0; room <= 6; room++) {
        tokens[room] = 77;
        assert_int_equal(encode(&opened.vocab, &text, tokens, room, &count),
                         room < 6 ? CSN_ERR_SPACE : CSN_OK);
        assert_int_equal(tokens[room], 77);
    }
    assert_int_equal(count, 6);
    free(opened.memory);
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc3(",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "a\xe2\x96\x81\xe2"};
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static struct made made;
    struct opened opened;
    uint32_t tokens[16];
    uint32_t count;
    make_bpe(&made);
    assert_int_equal(open_made(&made, &opened), CSN_OK);
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct csn_vocab_text text = {(const uint8_t *)bad[i], (uint32_t)strlen(bad[i]), 0,
                                            0};
        assert_int_equal(encode(&opened.vocab, &text, tokens, 16, &count), CSN_ERR_FORMAT);
    }
    const struct csn_vocab_text cut = {(const uint8_t *)"\xc3\xa9", 1, 0, 0};
    assert_int_equal(encode(&opened.vocab, &cut, tokens, 16, &count), CSN_ERR_FORMAT);
    for (uint32_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct csn_vocab_text text = {(const uint8_t *)good[i], (uint32_t)strlen(good[i]), 0,
                                            0};
        assert_int_equal(encode(&opened.vocab, &text, tokens, 16, &count), CSN_OK);
        assert_int_equal(count, strlen(good[i]));
    }
    free(opened.memory);
}

/* One word of the longest text: n log n of it is a moment, n^2 would be minutes. */
static void test_long(void **state)
{
    (void)state;
    static struct made made;
    static uint8_t bytes[CSN_VOCAB_TEXT_MAX + 1];
    static uint32_t tokens[CSN_VOCAB_TEXT_MAX];
    uint32_t count = 0;
    memset(bytes, 'a', sizeof bytes);
    for (int kind = 0; kind < 2; kind++) {
        struct opened opened;
        if (kind == CSN_VOCAB_SPM) {
            make_spm(&made);
        } else {
            make_bpe(&made);
        }
        assert_int_equal(open_made(&made, &opened), CSN_OK);
        struct csn_vocab_text text = {bytes, CSN_VOCAB_TEXT_MAX, false, true};
        assert_int_equal(encode(&opened.vocab, &text, tokens, CSN_VOCAB_TEXT_MAX, &count), CSN_OK);
        assert_int_equal(count, CSN_VOCAB_TEXT_MAX / 2);
        text.size++;
        assert_int_equal(encode(&opened.vocab, &text, tokens, CSN_VOCAB_TEXT_MAX, &count),
                         CSN_ERR_LIMIT);
        free(opened.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spm),
        cmocka_unit_test(test_bpe),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_byte_missing),
        cmocka_unit_test(test_merges_refused),
        cmocka_unit_test(test_line_end),
        cmocka_unit_test(test_sources_refused),
        cmocka_unit_test(test_strings_cut),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
