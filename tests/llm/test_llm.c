/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_llm.c: does a model give what its definition says, the same to the last bit however its
 * tokens come, and nothing of a session when that is over? What llama.cpp gives is compare.py's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "llm/llm_kernel.h"
#include "llm/llm_math.h"
#include "llm_rig.h"
#include "made.h"
#include "plain.h"
#include "skip.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS 40u

static const uint32_t types[] = {CSN_GGUF_F32,  CSN_GGUF_F16,  CSN_GGUF_Q8_0,
                                 CSN_GGUF_Q4_0, CSN_GGUF_Q4_K, CSN_GGUF_Q6_K};
#define TYPE_COUNT (sizeof types / sizeof types[0])

/* Rows that are no whole groups, heads that share keys, matrices of other types. */
static const struct made_options shapes[] = {
    {.output_type = MADE_SAME,
     .value_type = MADE_SAME,
     .layers = 2,
     .width = 256,
     .inner = 512,
     .heads = 8,
     .kv_heads = 2,
     .vocab = 301},
    {.output_type = MADE_TIED,
     .value_type = CSN_GGUF_F16,
     .layers = 3,
     .width = 256,
     .inner = 256,
     .heads = 5,
     .kv_heads = 5,
     .head_size = 256,
     .vocab = 64,
     .has_factors = true},
    {.output_type = CSN_GGUF_F32,
     .layers = 1,
     .width = 512,
     .inner = 256,
     .heads = 16,
     .kv_heads = 1,
     .vocab = 90},
};
#define SHAPE_COUNT (sizeof shapes / sizeof shapes[0])

static const struct csn_llm_options usual = {
    .slot_count = 4, .position_max = TOKENS + 8, .batch_max = TOKENS, .logits_max = TOKENS};

static void make(struct llm_rig *rig, struct made_options made, uint32_t type, uint64_t seed)
{
    made.type = type;
    made.seed = seed;
    rig->size = made_gguf(&made, NULL, 0);
    rig->bytes = aligned_alloc(64, (rig->size + 63) / 64 * 64);
    assert_non_null(rig->bytes);
    assert_int_equal(made_gguf(&made, rig->bytes, rig->size), rig->size);
}

static void begin(struct llm_rig *rig, struct made_options made, uint32_t type, bool is_wide)
{
    struct csn_llm_options options = usual;
    options.features = rig_features(is_wide);
    make(rig, made, type, 7);
    rig_begin(rig, &options);
}

static uint32_t token_at(const struct llm_rig *rig, uint32_t session, uint32_t position)
{
    return (position * 31 + session * 17 + position * position) % rig->model->config.vocab_count;
}

/* Tokens of a session from where its slot stands, `batch` at a time; logits of each one. */
static void read_session(struct llm_rig *rig, uint32_t session, uint32_t slot, uint32_t count,
                         uint32_t batch, float *logits)
{
    struct csn_llm_item items[TOKENS];
    const size_t vocab = rig->model->config.vocab_count;
    for (uint32_t at = csn_llm_position(rig->llm, slot); at < count; at += batch) {
        const uint32_t size = count - at < batch ? count - at : batch;
        for (uint32_t i = 0; i < size; i++) {
            items[i] = (struct csn_llm_item){slot, at + i, token_at(rig, session, at + i), true};
        }
        assert_int_equal(csn_llm_eval(rig->llm, items, size), CSN_OK);
        for (uint32_t i = 0; i < size; i++) {
            memcpy(logits + (at + i) * vocab, csn_llm_logits(rig->llm, i), vocab * sizeof(float));
        }
    }
}

static float *logits_room(const struct llm_rig *rig)
{
    float *room = calloc((size_t)TOKENS * rig->model->config.vocab_count, sizeof *room);
    assert_non_null(room);
    return room;
}

/* ---- is it right? ---- */

static void check_forward(const struct made_options *shape, uint32_t type, double apart_max)
{
    struct llm_rig rig;
    struct csn_llm_model *plain = malloc(sizeof *plain);
    struct csn_llm_fault fault;
    uint32_t tokens[TOKENS];
    make(&rig, *shape, type, 7);
    void *copy = malloc(rig.size);
    assert_non_null(copy);
    memcpy(copy, rig.bytes, rig.size);
    assert_int_equal(csn_llm_open(plain, copy, rig.size, &fault), CSN_OK);
    free(rig.bytes);
    begin(&rig, *shape, type, true);
    const size_t count = (size_t)TOKENS * plain->config.vocab_count;
    double *expected = malloc(count * sizeof *expected);
    float *logits = logits_room(&rig);
    for (uint32_t i = 0; i < TOKENS; i++) {
        tokens[i] = token_at(&rig, 0, i);
    }
    plain_logits(plain, tokens, TOKENS, expected);
    read_session(&rig, 0, 1, TOKENS, 16, logits);
    double wrong = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        wrong += pow((double)logits[i] - expected[i], 2);
        size += pow(expected[i], 2);
    }
    assert_true(sqrt(wrong / size) < apart_max);
    free(copy), free(plain), free(expected), free(logits);
    rig_close(&rig);
}

/* Keys and values are halves; with weights that are whole numbers, inputs have 7 bits. */
static void test_forward(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        check_forward(&shapes[i], CSN_GGUF_F32, 2e-3);
    }
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        check_forward(&shapes[2], types[i], 0.05);
    }
}

/* ---- kernels, with inputs that are whole numbers up to 127, so that rounding changes nothing ----
 */

#define ROWS    32u
#define COLUMNS 768u
#define BATCH   70u /* more than floats are summed for at once */

struct product {
    float source[BATCH * COLUMNS];
    uint8_t rows[ROWS * COLUMNS * 4];
    uint8_t groups[ROWS * COLUMNS * 4];
    float results[BATCH * ROWS];
    float values[BATCH * COLUMNS];
    int8_t bytes[BATCH * COLUMNS];
    float scales[BATCH * COLUMNS / 32];
    int32_t sums[BATCH * COLUMNS / 16];
    int16_t pairs[BATCH * COLUMNS / 32];
};

/* Floats have no blocks, and so they may have a number of columns that no block has. */
static uint32_t columns_of(uint32_t type)
{
    return type == CSN_GGUF_F32 || type == CSN_GGUF_F16 ? COLUMNS - 16 : COLUMNS;
}

static void fill_product(struct product *product, uint32_t type)
{
    const uint32_t columns = columns_of(type);
    struct made_options made = {.type = type,
                                .output_type = MADE_TIED,
                                .layers = 0,
                                .width = columns,
                                .inner = 32,
                                .heads = 1,
                                .kv_heads = 1,
                                .vocab = ROWS,
                                .seed = 3};
    const uint32_t size = csn_llm_row_size(type, columns);
    uint8_t *file = malloc(made_gguf(&made, NULL, 0));
    struct csn_gguf gguf;
    struct csn_gguf_tensor tensor;
    uint64_t offset, cursor = 0;
    assert_non_null(file);
    const uint64_t file_size = made_gguf(&made, NULL, 0);
    made_gguf(&made, file, file_size);
    assert_int_equal(csn_gguf_open(&gguf, file, file_size, &offset), CSN_OK);
    assert_true(csn_gguf_tensor(&gguf, &cursor, &tensor));
    memcpy(product->rows, file + tensor.offset, (size_t)ROWS * size);
    for (uint32_t i = 0; type == CSN_GGUF_Q4_K && i < ROWS * size; i++) {
        product->rows[i] ^= i % 144 >= 4 && i % 144 < 16 ? (uint8_t)(i * 2654435761u >> 24) : 0;
    }
    for (uint32_t i = 0; i < ROWS / 16; i++) {
        csn_llm_arrange_group(type, product->rows + (size_t)i * 16 * size, 16, columns,
                              product->groups + (size_t)i * 16 * size);
    }
    for (uint32_t i = 0; i < BATCH * COLUMNS; i++) {
        const int32_t value = (int32_t)(i * 2654435761u >> 24) - 128;
        product->source[i] = i % 32 == 5 ? 127 : value < -127 ? -127 : (float)value;
    }
    free(file);
}

static void check_product(struct product *product, uint32_t type,
                          const struct csn_llm_matrix_kernel *kernel, uint32_t batch)
{
    const uint32_t columns = columns_of(type);
    const struct csn_llm_matrix matrix = {product->rows, type, ROWS, columns};
    struct csn_llm_inputs inputs = {.token_count = batch,
                                    .column_count = columns,
                                    .values = product->values,
                                    .bytes = product->bytes,
                                    .scales = product->scales,
                                    .sums = product->sums,
                                    .pairs = product->pairs};
    double weights[COLUMNS];
    kernel->prepare(&inputs, csn_llm_form_of(type), product->source, columns);
    kernel->multiply(type, product->groups, ROWS / 16, &inputs, product->results, ROWS);
    for (uint32_t row = 0; row < ROWS; row++) {
        plain_row(&matrix, row, weights);
        for (uint32_t token = 0; token < batch; token++) {
            double sum = 0, size = 0;
            for (uint32_t i = 0; i < columns; i++) {
                const double part = weights[i] * (double)product->source[token * columns + i];
                sum += part;
                size += fabs(part);
            }
            assert_true(fabs(sum - (double)product->results[token * ROWS + row]) < 2e-6 * size);
        }
    }
}

static void test_products(void **state)
{
    (void)state;
    struct product *product = calloc(1, sizeof *product);
    assert_non_null(product);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        fill_product(product, types[i]);
        for (uint32_t batch = 1; batch <= BATCH; batch += batch == 13 ? BATCH - 13 : 1) {
            check_product(product, types[i], &csn_llm_matrix_avx2, batch);
            if (rig_is_wide()) {
                check_product(product, types[i], &csn_llm_matrix_avx512, batch);
            }
        }
    }
    free(product);
}

/* The extreme weights and inputs, which sums of fewer bits would not hold. */
static void test_extremes(void **state)
{
    (void)state;
    struct product *product = calloc(1, sizeof *product);
    assert_non_null(product);
    for (size_t i = 2; i < TYPE_COUNT; i++) {
        for (uint32_t fill = 0; fill < 3; fill++) {
            const uint32_t size = csn_llm_row_size(types[i], COLUMNS);
            const uint32_t block = csn_gguf_block_size(types[i]);
            const uint16_t one = 0x3c00;
            memset(product->rows, fill == 0 ? 0xff : fill == 1 ? 0x80 : 0x7f, ROWS * size);
            for (uint32_t at = 0; at < ROWS * size; at += block) {
                memcpy(product->rows + at + (types[i] == CSN_GGUF_Q6_K ? 208 : 0), &one, 2);
                memcpy(product->rows + at + (types[i] == CSN_GGUF_Q4_K ? 2 : block - 2),
                       types[i] >= CSN_GGUF_Q4_K ? (const void *)&one
                                                 : product->rows + at + block - 2,
                       2);
            }
            for (uint32_t group = 0; group < ROWS / 16; group++) {
                csn_llm_arrange_group(types[i], product->rows + group * 16 * size, 16, COLUMNS,
                                      product->groups + group * 16 * size);
            }
            for (uint32_t at = 0; at < BATCH * COLUMNS; at++) {
                product->source[at] = at / COLUMNS % 2 == 0 ? 127 : -127;
            }
            check_product(product, types[i], &csn_llm_matrix_avx2, 3);
            if (rig_is_wide()) {
                check_product(product, types[i], &csn_llm_matrix_avx512, 3);
            }
        }
    }
    free(product);
}

/* ---- is it the same, however tokens come? ---- */

static void check_batches(uint32_t type, const struct made_options *shape)
{
    struct llm_rig rig, narrow;
    begin(&rig, *shape, type, true);
    begin(&narrow, *shape, type, false);
    const size_t size = (size_t)TOKENS * rig.model->config.vocab_count * sizeof(float);
    float *alone = logits_room(&rig);
    float *other = logits_room(&rig);
    read_session(&rig, 0, 0, TOKENS, 1, alone);
    read_session(&narrow, 0, 0, TOKENS, 1, other);
    assert_memory_equal(alone, other, size);
    for (uint32_t batch = 2; batch <= TOKENS; batch += batch < 9 ? 1 : 13) {
        csn_llm_rewind(rig.llm, 0, 0);
        csn_llm_rewind(narrow.llm, 0, 0);
        memset(other, 0, size);
        read_session(&rig, 0, 0, TOKENS, batch, other);
        assert_memory_equal(alone, other, size);
        memset(other, 0, size);
        read_session(&narrow, 0, 0, TOKENS, batch, other);
        assert_memory_equal(alone, other, size);
    }
    rig_close(&rig);
    rig_close(&narrow);
    free(alone), free(other);
}

static void test_batches(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        check_batches(types[i], &shapes[i % SHAPE_COUNT]);
    }
}

/* Sessions in turns that change, in slots that change, some reading and some going on. */
static void test_sessions(void **state)
{
    (void)state;
    struct llm_rig rig;
    begin(&rig, shapes[0], CSN_GGUF_Q4_0, true);
    const size_t vocab = rig.model->config.vocab_count;
    float *alone[4];
    for (uint32_t session = 0; session < 4; session++) {
        alone[session] = logits_room(&rig);
        read_session(&rig, session, 0, TOKENS, 1, alone[session]);
        csn_llm_forget(rig.llm, 0);
    }
    uint32_t at[4] = {0};
    for (uint32_t round = 0; round < 60; round++) {
        struct csn_llm_item items[TOKENS];
        uint32_t count = 0;
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t session = (i + round) % 4;
            const uint32_t steps = round % (session + 2) == 0 ? 1 + (round + i) % 7 : session == 0;
            for (uint32_t j = 0; j < steps && at[session] < TOKENS; j++, at[session]++) {
                items[count++] =
                    (struct csn_llm_item){3 - session, at[session],
                                          token_at(&rig, session, at[session]), (i + j) % 3 != 1};
            }
        }
        assert_int_equal(csn_llm_eval(rig.llm, items, count), CSN_OK);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(csn_llm_logits(rig.llm, i) != NULL, items[i].wants_logits);
            if (items[i].wants_logits) {
                assert_memory_equal(csn_llm_logits(rig.llm, i),
                                    alone[3 - items[i].slot] + items[i].position * vocab,
                                    vocab * sizeof(float));
            }
        }
    }
    for (uint32_t session = 0; session < 4; session++) {
        assert_int_equal(at[session], TOKENS);
        free(alone[session]);
    }
    rig_close(&rig);
}

/* ---- what is left of a session ---- */

static void test_forget(void **state)
{
    (void)state;
    struct llm_rig rig;
    begin(&rig, shapes[0], CSN_GGUF_Q8_0, true);
    struct csn_llm_options options = usual;
    const uint64_t size = csn_llm_memory(&rig.model->config, &options);
    uint8_t *before = malloc(size);
    float *logits = logits_room(&rig);
    assert_non_null(before);
    csn_llm_forget(rig.llm, 2); /* scratch is as after any session */
    read_session(&rig, 1, 0, 9, 4, logits);
    csn_llm_forget(rig.llm, 3);
    memcpy(before, rig.memory, size);
    read_session(&rig, 3, 2, TOKENS, 7, logits);
    assert_int_equal(csn_llm_position(rig.llm, 2), TOKENS);
    assert_memory_not_equal(before, rig.memory, size);
    csn_llm_forget(rig.llm, 2);
    assert_int_equal(csn_llm_position(rig.llm, 2), 0);
    assert_null(csn_llm_logits(rig.llm, 0));
    /* All of it is as it was, but which logits the last items had, which is public. */
    uint64_t different = 0;
    for (uint64_t i = 0; i < size; i++) {
        different += before[i] != ((uint8_t *)rig.memory)[i];
    }
    assert_true(different <= TOKENS * sizeof(uint32_t) + 64);
    assert_int_equal(csn_llm_position(rig.llm, 0), 9);
    free(before), free(logits);
    rig_close(&rig);
}

static void test_rewind(void **state)
{
    (void)state;
    struct llm_rig rig;
    begin(&rig, shapes[1], CSN_GGUF_F16, true);
    const size_t size = (size_t)TOKENS * rig.model->config.vocab_count * sizeof(float);
    float *first = logits_room(&rig);
    float *second = logits_room(&rig);
    read_session(&rig, 0, 0, TOKENS, 5, first);
    memcpy(second, first, size);
    csn_llm_rewind(rig.llm, 0, 18);
    csn_llm_rewind(rig.llm, 0, 19); /* not forwards */
    csn_llm_rewind(rig.llm, 4, 0);
    assert_int_equal(csn_llm_position(rig.llm, 0), 18);
    read_session(&rig, 2, 0, 30, 5, second);
    csn_llm_rewind(rig.llm, 0, 18);
    read_session(&rig, 0, 0, TOKENS, 3, second);
    assert_memory_equal(first, second, size);
    free(first), free(second);
    rig_close(&rig);
}

/* ---- what is refused ---- */

static void test_refused_items(void **state)
{
    (void)state;
    struct llm_rig rig;
    begin(&rig, shapes[0], CSN_GGUF_F32, true);
    struct csn_llm_item many[TOKENS + 1] = {{0}};
    float *logits = logits_room(&rig);
    read_session(&rig, 0, 1, 5, 5, logits);
    const struct csn_llm_item wrong[] = {
        {4, 0, 0, false}, {0, 1, 0, false},   {1, 4, 0, false},
        {1, 6, 0, false}, {0, 0, 301, false}, {1, TOKENS + 8, 0, false},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct csn_llm_item items[3] = {{1, 5, 2, true}, {2, 0, 3, false}, wrong[i]};
        items[2].position += wrong[i].slot == 1 && wrong[i].position == 6 ? 1 : 0;
        assert_int_equal(csn_llm_eval(rig.llm, items, 3), CSN_ERR_ARGUMENT);
        assert_int_equal(csn_llm_position(rig.llm, 1), 5);
        assert_int_equal(csn_llm_position(rig.llm, 2), 0);
        assert_non_null(csn_llm_logits(rig.llm, 4)); /* those of before */
    }
    for (uint32_t i = 0; i <= TOKENS; i++) {
        many[i].position = i;
    }
    assert_int_equal(csn_llm_eval(rig.llm, many, TOKENS + 1), CSN_ERR_LIMIT);
    assert_int_equal(csn_llm_eval(rig.llm, many, TOKENS), CSN_OK);
    assert_null(csn_llm_logits(rig.llm, 0));
    assert_null(csn_llm_logits(rig.llm, TOKENS));
    for (uint32_t i = 0; i < 8; i++) {
        const struct csn_llm_item item = {0, TOKENS + i, 0, false};
        assert_int_equal(csn_llm_eval(rig.llm, &item, 1), CSN_OK);
    }
    const struct csn_llm_item beyond = {0, TOKENS + 8, 0, false};
    assert_int_equal(csn_llm_eval(rig.llm, &beyond, 1), CSN_ERR_ARGUMENT);
    free(logits);
    rig_close(&rig);
}

static void test_refused_contexts(void **state)
{
    (void)state;
    struct llm_rig rig;
    begin(&rig, shapes[0], CSN_GGUF_Q4_K, true);
    struct csn_llm *llm = NULL;
    struct csn_llm_options options = usual;
    options.features = rig_features(true);
    const uint64_t size = csn_llm_memory(&rig.model->config, &options);
    assert_int_equal(csn_llm_begin(&llm, rig.model, &options, rig.memory, size - 1), CSN_ERR_SPACE);
    assert_int_equal(csn_llm_begin(&llm, rig.model, &options, (uint8_t *)rig.memory + 32, size),
                     CSN_ERR_ARGUMENT);
    options.features &= ~CSN_LLM_FEATURES;
    assert_int_equal(csn_llm_begin(&llm, rig.model, &options, rig.memory, size), CSN_ERR_MISSING);
    options.features = rig_features(true);
    assert_int_equal(csn_llm_arrange(rig.model, rig.bytes, NULL, 0), CSN_ERR_STATE);
    rig.model->is_arranged = false;
    assert_int_equal(csn_llm_arrange(rig.model, rig.bytes, NULL, 0), CSN_ERR_SPACE);
    assert_int_equal(csn_llm_begin(&llm, rig.model, &options, rig.memory, size), CSN_ERR_STATE);
    uint32_t *const fields[] = {&options.slot_count, &options.position_max, &options.batch_max,
                                &options.logits_max};
    const uint32_t above[] = {CSN_LLM_SLOT_MAX + 1, CSN_LLM_POSITION_MAX + 1, CSN_LLM_BATCH_MAX + 1,
                              TOKENS + 1};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        options = usual;
        *fields[i] = 0;
        assert_int_equal(csn_llm_memory(&rig.model->config, &options), 0);
        *fields[i] = above[i];
        assert_int_equal(csn_llm_memory(&rig.model->config, &options), 0);
    }
    rig_close(&rig);
}

/* A file in which the first of some bytes are others, of the same size. */
static void check_edit(const char *bytes, const char *instead, size_t size,
                       enum csn_llm_reason reason)
{
    struct llm_rig rig;
    struct csn_llm_fault fault;
    struct csn_llm_model *model = malloc(sizeof *model);
    struct made_options shape = shapes[0];
    shape.head_size = 32;
    make(&rig, shape, CSN_GGUF_Q8_0, 7);
    uint8_t *at = memmem(rig.bytes, rig.size, bytes, size);
    assert_non_null(at);
    memcpy(at, instead, size);
    assert_int_not_equal(csn_llm_open(model, rig.bytes, rig.size, &fault), CSN_OK);
    assert_int_equal(fault.reason, reason);
    assert_true(fault.offset <= rig.size);
    free(model);
    free(rig.bytes);
}
#define EDIT(bytes, instead, reason)                                                               \
    _Static_assert(sizeof(bytes) == sizeof(instead), "same size");                                 \
    check_edit(bytes, instead, sizeof(bytes) - 1, reason)

static void test_refused_files(void **state)
{
    (void)state;
    EDIT("GGUF", "GGUf", CSN_LLM_FILE);
    EDIT("llama\x11", "llamb\x11", CSN_LLM_ARCHITECTURE);
    EDIT("llama.block_count", "llama.block_counu", CSN_LLM_KEY);
    EDIT("block_count\x04\0\0\0\x02", "block_count\x04\0\0\0\x81", CSN_LLM_KEY);
    EDIT("embedding_length\x04", "embedding_length\x06", CSN_LLM_KEY);
    EDIT("embedding_length\x04\0\0\0\x00\x01", "embedding_length\x04\0\0\0\x08\x01", CSN_LLM_KEY);
    EDIT("forward_length\x04\0\0\0\x00\x02", "forward_length\x04\0\0\0\x08\x02", CSN_LLM_KEY);
    EDIT("head_count\x04\0\0\0\x08", "head_count\x04\0\0\0\x00", CSN_LLM_KEY);
    EDIT("head_count_kv\x04\0\0\0\x02", "head_count_kv\x04\0\0\0\x03", CSN_LLM_KEY);
    EDIT("key_length\x04\0\0\0\x20", "key_length\x04\0\0\0\x28", CSN_LLM_KEY);
    EDIT("key_length\x04\0\0\0\x20", "key_length\x04\0\0\0\x30", CSN_LLM_TENSOR_SHAPE);
    EDIT("layer_norm_rms_epsilon", "layer_norm_rms_epsilom", CSN_LLM_KEY);
    EDIT("blk.1.ffn_up.weight", "blk.1.ffn_uq.weight", CSN_LLM_TENSOR);
    EDIT("blk.1.ffn_up.weight", "blk.0.ffn_up.weight", CSN_LLM_TENSOR);
    EDIT("blk.1.ffn_up.weight", "blk.2.ffn_up.weight", CSN_LLM_TENSOR);
    EDIT("blk.1.attn_norm.weight", "blk.01.ffn_gate.weight", CSN_LLM_TENSOR);
    EDIT("output_norm.weight", "output_morn.weight", CSN_LLM_TENSOR);
    EDIT("blk.1.attn_q.weight", "blk.1.attn_k.weight", CSN_LLM_TENSOR_SHAPE);
    /* The last tensor of all, as one that is no longer there: another one twice. */
    EDIT("output.weight\x02", "outpux.weight\x02", CSN_LLM_TENSOR);
    /* A vector in another type, a matrix that alone is arranged. */
    EDIT("token_embd.weight\x02\0\0\0\x00\x01\0\0\0\0\0\0\x2d\x01\0\0\0\0\0\0\x08\0\0\0",
         "token_embd.weight\x02\0\0\0\x00\x01\0\0\0\0\0\0\x2d\x01\0\0\0\0\0\0\x08\0\x53\x43",
         CSN_LLM_MIXED);
    EDIT("blk.0.ffn_norm.weight\x01\0\0\0\x00\x01\0\0\0\0\0\0\x00",
         "blk.0.ffn_norm.weight\x01\0\0\0\x00\x01\0\0\0\0\0\0\x01", CSN_LLM_FILE);
}

/* What is missing is found by leaving out what a layer more would have. */
static void test_missing(void **state)
{
    (void)state;
    struct llm_rig rig;
    struct csn_llm_fault fault;
    struct csn_llm_model *model = malloc(sizeof *model);
    make(&rig, shapes[0], CSN_GGUF_F16, 7);
    uint8_t *at = memmem(rig.bytes, rig.size, "block_count\x04\0\0\0\x02", 16);
    assert_non_null(at);
    at[15] = 3;
    assert_int_equal(csn_llm_open(model, rig.bytes, rig.size, &fault), CSN_ERR_FORMAT);
    assert_int_equal(fault.reason, CSN_LLM_MISSING);
    assert_string_equal(fault.key, "attn_norm.weight");
    free(model);
    free(rig.bytes);
}

static void test_math(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        const double angle = i < 10000 ? i * 0.001 : (i - 10000) * 104.857;
        double cosine, sine;
        csn_llm_turn(angle, &cosine, &sine);
        assert_true(fabs(cosine - cos(angle)) < 1e-9 && fabs(sine - sin(angle)) < 1e-9);
    }
    for (uint32_t i = 1; i < 200; i++) {
        const double base = pow(1.2, i);
        for (double exponent = -2; exponent <= 2; exponent += 0.03) {
            const double expected = pow(base, exponent);
            assert_true(fabs(csn_llm_power(base, exponent) / expected - 1) < 1e-12);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),         cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_forward),          cmocka_unit_test(test_batches),
        cmocka_unit_test(test_sessions),         cmocka_unit_test(test_forget),
        cmocka_unit_test(test_rewind),           cmocka_unit_test(test_refused_items),
        cmocka_unit_test(test_refused_contexts), cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_missing),          cmocka_unit_test(test_math),
    };
    if ((rig_features(true) & CSN_LLM_FEATURES) != CSN_LLM_FEATURES) {
        return test_skip("no AVX2 or FMA");
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
