/* SPDX-License-Identifier: Apache-2.0 */
/* llm_eval.c: a batch of tokens through all layers. */
#include "core/bytes.h"
#include "llm_state.h"

#define LANES CSN_LLM_LANES

/* ---- parts ---- */

/* New inputs for the matrices that follow: they are prepared when one asks for them. */
static void give(struct csn_llm *llm, const float *source, uint32_t columns, uint32_t count)
{
    llm->scratch.inputs.form = CSN_LLM_NONE;
    llm->scratch.inputs.column_count = columns;
    llm->scratch.inputs.token_count = count;
    llm->scratch.given = source;
}

/* The rows behind the last whole group, in a group that is filled up with zeros. */
static void multiply_tail(struct csn_llm *llm, const struct csn_llm_matrix *matrix, float *target)
{
    const struct csn_llm_inputs *inputs = &llm->scratch.inputs;
    const uint32_t first = matrix->row_count / LANES * LANES;
    const uint32_t count = matrix->row_count - first;
    const uint8_t *rows =
        matrix->bytes + (size_t)first * csn_llm_row_size(matrix->type, matrix->column_count);
    csn_llm_arrange_group(matrix->type, rows, count, matrix->column_count, llm->scratch.group);
    llm->kernels.matrix->multiply(matrix->type, llm->scratch.group, 1, inputs, llm->scratch.tail,
                                  LANES);
    for (uint32_t token = 0; token < inputs->token_count; token++) {
        __builtin_memcpy(target + (size_t)token * matrix->row_count + first,
                         llm->scratch.tail + (size_t)token * LANES, count * sizeof(float));
    }
}

static void multiply(struct csn_llm *llm, const struct csn_llm_matrix *matrix, float *target)
{
    struct csn_llm_inputs *inputs = &llm->scratch.inputs;
    const enum csn_llm_form form = csn_llm_form_of(matrix->type);
    if (inputs->form != form) {
        llm->kernels.matrix->prepare(inputs, form, llm->scratch.given, inputs->column_count);
    }
    llm->kernels.matrix->multiply(matrix->type, matrix->bytes, matrix->row_count / LANES, inputs,
                                  target, matrix->row_count);
    if (matrix->row_count % LANES != 0) {
        multiply_tail(llm, matrix, target);
    }
}

/* The row of a token, as floats. */
static void embed(const struct csn_llm *llm, uint32_t token, float *target)
{
    const struct csn_llm_matrix *matrix = &llm->model->embedding;
    const uint32_t columns = csn_gguf_block_count(matrix->type);
    const size_t row_size = csn_llm_row_size(matrix->type, matrix->column_count);
    const uint8_t *group = matrix->bytes + (size_t)(token / LANES * LANES) * row_size;
    const bool is_tail = token >= matrix->row_count / LANES * LANES;
    uint8_t block[CSN_LLM_BLOCK_SIZE_MAX];
    for (uint32_t i = 0; i < matrix->column_count / columns; i++) {
        if (is_tail) {
            const size_t at = i * (size_t)csn_gguf_block_size(matrix->type);
            __builtin_memcpy(block, group + (token % LANES) * row_size + at,
                             csn_gguf_block_size(matrix->type));
        } else {
            csn_llm_collect_block(matrix->type, group, token % LANES, i, block);
        }
        csn_llm_block_floats(matrix->type, block, target + (size_t)i * columns);
    }
}

static void norm(struct csn_llm *llm, const float *source, const uint8_t *weights, uint32_t count)
{
    const struct csn_llm_config *config = &llm->model->config;
    for (uint32_t i = 0; i < count; i++) {
        llm->kernels.row->norm(source + (size_t)i * config->width, weights, config->width,
                               config->epsilon, llm->scratch.normed + (size_t)i * config->width);
    }
    give(llm, llm->scratch.normed, config->width, count);
}

/* Of the stream and of what was attended to, the items that want logits move to the front. */
static uint32_t keep_wanted(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count)
{
    const struct csn_llm_config *config = &llm->model->config;
    const size_t width = config->width;
    const size_t queries = (size_t)config->head_count * config->head_size;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < count; i++) {
        llm->logits_rows[i] = CSN_LLM_NO_LOGITS;
        if (items[i].wants_logits) {
            __builtin_memmove(llm->scratch.stream + wanted * width, llm->scratch.stream + i * width,
                              width * sizeof(float));
            __builtin_memmove(llm->scratch.attended + wanted * queries,
                              llm->scratch.attended + i * queries, queries * sizeof(float));
            llm->logits_rows[i] = wanted++;
        }
    }
    return wanted;
}

/* What attention adds to the stream, and what the part after it does. */
static void eval_rest(struct csn_llm *llm, const struct csn_llm_layer *layer, uint32_t count)
{
    const struct csn_llm_config *config = &llm->model->config;
    struct csn_llm_scratch *scratch = &llm->scratch;
    give(llm, scratch->attended, config->head_count * config->head_size, count);
    multiply(llm, &layer->merge, scratch->added);
    llm->kernels.row->add(scratch->stream, scratch->added, count * config->width);
    norm(llm, scratch->stream, layer->inner_norm, count);
    multiply(llm, &layer->gate, scratch->gates);
    multiply(llm, &layer->up, scratch->ups);
    llm->kernels.row->gate(scratch->gates, scratch->ups, count * config->inner);
    give(llm, scratch->gates, config->inner, count);
    multiply(llm, &layer->down, scratch->added);
    llm->kernels.row->add(scratch->stream, scratch->added, count * config->width);
}

/* All layers; in the last one, what comes after attention is for those that want logits only. */
static uint32_t eval_layers(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count)
{
    const uint32_t layer_count = llm->model->config.layer_count;
    struct csn_llm_scratch *scratch = &llm->scratch;
    uint32_t left = count;
    for (uint32_t index = 0; index < layer_count; index++) {
        const struct csn_llm_layer *layer = &llm->model->layers[index];
        norm(llm, scratch->stream, layer->attention_norm, count);
        multiply(llm, &layer->query, scratch->queries);
        multiply(llm, &layer->key, scratch->keys);
        multiply(llm, &layer->value, scratch->values);
        csn_llm_attend(llm, index, items, count);
        left = index + 1 == layer_count ? keep_wanted(llm, items, count) : count;
        if (left > 0) {
            eval_rest(llm, layer, left);
        }
    }
    return left;
}

/* ---- what is called ---- */

/* Counts up the positions of slots; on an item that is out of order, counts those before it down.
 */
static csn_err take_positions(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count)
{
    const struct csn_llm_options *options = &llm->options;
    uint32_t taken = 0;
    while (taken < count && items[taken].slot < options->slot_count &&
           items[taken].token < llm->model->config.vocab_count &&
           items[taken].position < options->position_max &&
           items[taken].position == llm->positions[items[taken].slot]) {
        llm->positions[items[taken].slot]++;
        taken++;
    }
    if (taken == count) {
        return CSN_OK;
    }
    while (taken > 0) {
        llm->positions[items[--taken].slot]--;
    }
    return CSN_ERR_ARGUMENT;
}

csn_err csn_llm_eval(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count)
{
    const struct csn_llm_config *config = &llm->model->config;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < count && i < llm->options.batch_max; i++) {
        wanted += items[i].wants_logits ? 1 : 0;
    }
    if (count > llm->options.batch_max || wanted > llm->options.logits_max) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(take_positions(llm, items, count));
    for (uint32_t i = 0; i < count; i++) {
        embed(llm, items[i].token, llm->scratch.stream + (size_t)i * config->width);
    }
    csn_llm_turns(llm, items, count);
    wanted = eval_layers(llm, items, count);
    if (wanted > 0) {
        norm(llm, llm->scratch.stream, llm->model->norm, wanted);
        multiply(llm, &llm->model->output, llm->scratch.logits);
    }
    llm->count = count;
    return CSN_OK;
}

const float *csn_llm_logits(const struct csn_llm *llm, uint32_t item)
{
    if (item >= llm->count || llm->logits_rows[item] == CSN_LLM_NO_LOGITS) {
        return NULL;
    }
    return llm->scratch.logits + (size_t)llm->logits_rows[item] * llm->model->config.vocab_count;
}

uint32_t csn_llm_position(const struct csn_llm *llm, uint32_t slot)
{
    return slot < llm->options.slot_count ? llm->positions[slot] : 0;
}

void csn_llm_rewind(struct csn_llm *llm, uint32_t slot, uint32_t position)
{
    if (slot < llm->options.slot_count && position < llm->positions[slot]) {
        llm->positions[slot] = position;
    }
}

void csn_llm_forget(struct csn_llm *llm, uint32_t slot)
{
    if (slot >= llm->options.slot_count) {
        return;
    }
    const uint64_t planes = 2 * (uint64_t)llm->model->config.layer_count;
    csn_wipe(csn_llm_plane(llm, slot, 0, false), planes * llm->plane_size * sizeof *llm->cache);
    csn_wipe(llm->scratch_first, llm->scratch_size);
    llm->positions[slot] = 0;
    llm->count = 0;
}
