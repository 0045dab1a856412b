/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pack.c MODEL.gguf: is a language model packed only where an enclave would take it, and so
 * that an enclave need not arrange it?
 *
 * What comes out is held to csn_llm_arrange() on a copy of the test's own; what is packed once more
 * stays as it is. One text of the file is replaced by another of the same length, for each check
 * that reads it; the file is cut at many places. Seeded bugs: mutant_model_pack_*.
 */
#include <llm/llm.h>
#include <pack/pack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static const char *path;
static uint8_t *file;
static size_t file_size;

static uint8_t *copy_of(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static int read_file(void **state)
{
    (void)state;
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    file_size = (size_t)ftell(stream);
    rewind(stream);
    file = malloc(file_size);
    assert_non_null(file);
    assert_int_equal(fread(file, 1, file_size, stream), file_size);
    fclose(stream);
    return 0;
}

static int free_file(void **state)
{
    (void)state;
    free(file);
    return 0;
}

static void expect_arranged(const void *bytes, size_t size, bool is_arranged)
{
    struct csn_llm_model *model = malloc(sizeof *model);
    struct csn_llm_fault fault;
    assert_non_null(model);
    assert_int_equal(csn_llm_open(model, bytes, size, &fault), CSN_OK);
    assert_int_equal(model->is_arranged, is_arranged);
    free(model);
}

/* The bytes that an enclave has after it has loaded the file as it is. */
static uint8_t *arranged_alone(void)
{
    struct csn_llm_model *model = malloc(sizeof *model);
    struct csn_llm_fault fault;
    uint8_t *copy = copy_of(file, file_size);
    assert_non_null(model);
    assert_int_equal(csn_llm_open(model, copy, file_size, &fault), CSN_OK);
    const uint64_t size = csn_llm_arrange_size(model);
    void *scratch = malloc(size);
    assert_int_equal(csn_llm_arrange(model, copy, scratch, size), CSN_OK);
    free(scratch);
    free(model);
    return copy;
}

static void test_arranged(void **state)
{
    (void)state;
    struct csn_pack_content content = {0}, again = {0};
    struct csn_import_fault fault;
    uint8_t *before = copy_of(file, file_size);
    uint8_t *expected = arranged_alone();
    expect_arranged(file, file_size, false);
    assert_int_equal(csn_pack_content(file, file_size, &content, &fault), CSN_OK);
    assert_memory_equal(file, before, file_size);
    assert_int_equal(content.kind, CSN_WIRE_WEIGHTS_GGUF);
    assert_int_equal(content.size, file_size);
    expect_arranged(content.bytes, content.size, true);
    assert_memory_equal(content.bytes, expected, file_size);

    assert_int_equal(csn_pack_content(content.bytes, content.size, &again, &fault), CSN_OK);
    assert_int_equal(again.size, file_size);
    assert_memory_equal(again.bytes, expected, file_size);
    free(again.made);
    free(content.made);
    free(expected);
    free(before);
}

/* One text for another, once. */
struct change {
    const char *before, *after;
    csn_err err;
    enum csn_import_reason reason;
    const char *place; /* how it begins */
};
#define KEY_TEXT    "a key that is missing, of another type or out of range: "
#define TENSOR_TEXT "a tensor that a llama does not have, or has once only, offset "
static const struct change changes[] = {
    {"GGUF\3", "GGUF\4", CSN_ERR_FORMAT, CSN_IMPORT_SHAPE, "no sound GGUF file, offset 8"},
    {"llama.block_count", "llama.block_kount", CSN_ERR_FORMAT, CSN_IMPORT_SHAPE,
     KEY_TEXT "llama.block_count"},
    {"llama.attention.layer_norm_rms_epsilon", "llama.attention.layer_norm_rms_epsiloN",
     CSN_ERR_FORMAT, CSN_IMPORT_SHAPE, KEY_TEXT "llama.attention.layer_norm_rms_epsilon"},
    {"general.architecture", "general.Architecture", CSN_ERR_UNKNOWN, CSN_IMPORT_UNSUPPORTED,
     "another architecture than llama: general.architecture"},
    {"blk.1.attn_q.weight", "blk.1.attn_Q.weight", CSN_ERR_FORMAT, CSN_IMPORT_SHAPE, TENSOR_TEXT},
    {"tokenizer.ggml.model", "tokenizer.ggml.Model", CSN_ERR_FORMAT, CSN_IMPORT_SHAPE,
     "vocabulary, tokenizer.ggml.model"},
    {"tokenizer.ggml.scores", "tokenizer.ggml.Scores", CSN_ERR_FORMAT, CSN_IMPORT_SHAPE,
     "vocabulary, tokenizer.ggml.scores"},
    {"<0x41>", "<0xzz>", CSN_ERR_FORMAT, CSN_IMPORT_SHAPE, "vocabulary, token, byte or merge 65"},
};

static uint8_t *changed(const char *before, const char *after)
{
    const size_t size = strlen(before);
    uint8_t *made = copy_of(file, file_size);
    uint8_t *place = memmem(made, file_size, before, size);
    assert_int_equal(strlen(after), size);
    assert_non_null(place);
    memcpy(place, after, size);
    return made;
}

static void expect_refused(const uint8_t *bytes, size_t size, const struct change *change)
{
    static const struct csn_pack_content none;
    struct csn_pack_content content = none;
    struct csn_import_fault fault;
    assert_int_equal(csn_pack_content(bytes, size, &content, &fault), change->err);
    assert_memory_equal(&content, &none, sizeof none);
    assert_int_equal(fault.reason, change->reason);
    if (strncmp(fault.place, change->place, strlen(change->place)) != 0) {
        fail_msg("%s instead of %s", fault.place, change->place);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t *made = changed(changes[i].before, changes[i].after);
        expect_refused(made, file_size, &changes[i]);
        free(made);
    }
}

/* A vocabulary of a kind that is not here; more keys than a file may have. */
static void test_values(void **state)
{
    (void)state;
    static const struct change model = {.err = CSN_ERR_UNKNOWN,
                                        .reason = CSN_IMPORT_UNSUPPORTED,
                                        .place = "vocabulary, tokenizer.ggml.model"};
    static const struct change count = {
        .err = CSN_ERR_LIMIT, .reason = CSN_IMPORT_LIMIT, .place = "no sound GGUF file, offset 24"};
    static const char key[] = "tokenizer.ggml.model";
    uint8_t *made = copy_of(file, file_size);
    uint8_t *place = memmem(made, file_size, key, sizeof key - 1);
    assert_non_null(place);
    place += sizeof key - 1 + 4 + 8;
    assert_memory_equal(place, "llama", 5);
    memcpy(place, "plamo", 5);
    expect_refused(made, file_size, &model);
    memcpy(place, "llama", 5);
    made[17] = 0xff; /* as many keys */
    expect_refused(made, file_size, &count);
    free(made);
}

static void test_cut(void **state)
{
    (void)state;
    static const struct change change = {
        .err = CSN_ERR_FORMAT, .reason = CSN_IMPORT_SHAPE, .place = "no sound GGUF file, offset "};
    for (size_t size = 4; size < file_size - 64; size += 1 + size / 16) {
        uint8_t *cut = copy_of(file, size); /* so that a sanitizer sees what is read behind it */
        expect_refused(cut, size, &change);
        free(cut);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arranged),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_cut),
    };
    if (argc != 2) {
        return 2;
    }
    path = argv[1];
    return cmocka_run_group_tests_name("pack", tests, read_file, free_file);
}
