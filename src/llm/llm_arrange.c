/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_arrange.c: how rows lie in memory for the kernels. Sixteen rows of a matrix are a group: the
 * parts of a block are put one behind the other, and within a part a unit of each row, the next
 * unit of each row. The size stays. What is left of the rows at the end of a matrix stays as it
 * was.
 */
#include "llm_kernel.h"

#define PARTS_MAX 14u
#define BIASED    0x80808080u /* signed bytes become unsigned ones: 128 more */

struct part {
    uint16_t offset, size; /* in the block of a file */
    uint16_t unit;
    bool is_biased;
};
struct shape {
    uint32_t type;
    uint32_t part_count;
    struct part parts[PARTS_MAX];
};
static const struct shape shapes[] = {
    {CSN_GGUF_F32, 1, {{0, 4, 4, false}}},
    {CSN_GGUF_F16, 1, {{0, 2, 2, false}}},
    {CSN_GGUF_Q8_0, 2, {{0, 2, 2, false}, {2, 32, 4, true}}},
    {CSN_GGUF_Q4_0, 2, {{0, 2, 2, false}, {2, 16, 4, false}}},
    {CSN_GGUF_Q4_K,
     4,
     {{0, 2, 2, false}, {2, 2, 2, false}, {4, 12, 4, false}, {16, 128, 4, false}}},
    {CSN_GGUF_Q6_K,
     14,
     /* As its kernel reads them: scale, factors, and for each half, twice, four bits of 16 columns
        and of those 64 behind them, two bits, four bits of those 32 and 96 behind them. */
     {{208, 2, 2, false},
      {192, 16, 4, false},
      {0, 16, 4, false},
      {128, 16, 4, false},
      {32, 16, 4, false},
      {16, 16, 4, false},
      {144, 16, 4, false},
      {48, 16, 4, false},
      {64, 16, 4, false},
      {160, 16, 4, false},
      {96, 16, 4, false},
      {80, 16, 4, false},
      {176, 16, 4, false},
      {112, 16, 4, false}}},
};

static const struct shape *shape_of(uint32_t type)
{
    uint32_t at = 0;
    while (at + 1 < sizeof shapes / sizeof shapes[0] && shapes[at].type != type) {
        at++;
    }
    return &shapes[at];
}

static void move_unit(uint8_t *target, const uint8_t *source, const struct part *part)
{
    uint32_t word = 0;
    if (part->unit == 2) {
        __builtin_memcpy(target, source, 2);
        return;
    }
    __builtin_memcpy(&word, source, 4);
    word ^= part->is_biased ? BIASED : 0;
    __builtin_memcpy(target, &word, 4);
}

/* A block of one row of a group, out of the file's form into the group's or back. */
static void move_block(const struct shape *shape, uint32_t row, bool to_group, uint8_t *target,
                       const uint8_t *source)
{
    uint32_t before = 0; /* bytes of a row in the parts before */
    for (uint32_t i = 0; i < shape->part_count; i++) {
        const struct part *part = &shape->parts[i];
        for (uint32_t at = 0; at < part->size; at += part->unit) {
            const uint32_t in_group = (before + at) * CSN_LLM_LANES + row * part->unit;
            const uint32_t in_block = part->offset + at;
            move_unit(target + (to_group ? in_group : in_block),
                      source + (to_group ? in_block : in_group), part);
        }
        before += part->size;
    }
}

void csn_llm_arrange_group(uint32_t type, const uint8_t *rows, uint32_t row_count,
                           uint32_t column_count, uint8_t *group)
{
    const struct shape *shape = shape_of(type);
    const uint32_t size = csn_gguf_block_size(type);
    const uint32_t block_count = column_count / csn_gguf_block_count(type);
    if (row_count < CSN_LLM_LANES) {
        __builtin_memset(group, 0, (size_t)size * block_count * CSN_LLM_LANES);
    }
    for (uint32_t row = 0; row < row_count; row++) {
        for (uint32_t block = 0; block < block_count; block++) {
            move_block(shape, row, true, group + (size_t)block * size * CSN_LLM_LANES, rows);
            rows += size;
        }
    }
}

void csn_llm_collect_block(uint32_t type, const uint8_t *group, uint32_t row, uint32_t block,
                           uint8_t *target)
{
    const uint32_t size = csn_gguf_block_size(type);
    move_block(shape_of(type), row, false, target, group + (size_t)block * size * CSN_LLM_LANES);
}

/* ---- a whole file ---- */

static bool is_matrix(const struct csn_gguf_tensor *tensor)
{
    return tensor->dimension_count == 2;
}

static uint64_t group_size(const struct csn_gguf_tensor *tensor)
{
    return tensor->size / tensor->dimensions[1] * CSN_LLM_LANES;
}

uint64_t csn_llm_arrange_size(const struct csn_llm_model *model)
{
    struct csn_gguf_tensor tensor;
    uint64_t cursor = 0;
    uint64_t largest = 0;
    while (csn_gguf_tensor(&model->file, &cursor, &tensor)) {
        if (is_matrix(&tensor) && group_size(&tensor) > largest) {
            largest = group_size(&tensor);
        }
    }
    return largest;
}

static void arrange_tensor(const struct csn_gguf_tensor *tensor, uint8_t *bytes, uint8_t *scratch)
{
    const uint64_t size = group_size(tensor);
    const uint32_t type = tensor->type | CSN_GGUF_ARRANGED;
    uint8_t *group = bytes + tensor->offset;
    for (uint64_t i = 0; i < tensor->dimensions[1] / CSN_LLM_LANES; i++) {
        csn_llm_arrange_group(tensor->type, group, CSN_LLM_LANES, (uint32_t)tensor->dimensions[0],
                              scratch);
        __builtin_memcpy(group, scratch, size);
        group += size;
    }
    __builtin_memcpy(bytes + tensor->type_offset, &type, sizeof type);
}

csn_err csn_llm_arrange(struct csn_llm_model *model, void *bytes, void *scratch,
                        uint64_t scratch_size)
{
    struct csn_gguf_tensor tensor;
    uint64_t cursor = 0;
    if (model->is_arranged || bytes != model->file.bytes) {
        return CSN_ERR_STATE;
    }
    if (scratch_size < csn_llm_arrange_size(model)) {
        return CSN_ERR_SPACE;
    }
    while (csn_gguf_tensor(&model->file, &cursor, &tensor)) {
        if (is_matrix(&tensor)) {
            arrange_tensor(&tensor, bytes, scratch);
        }
    }
    model->is_arranged = true;
    return CSN_OK;
}
