/* SPDX-License-Identifier: Apache-2.0 */
/* plain.c: see plain.h. */
#include "plain.h"
#include "llm/llm_kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct plain {
    const struct csn_llm_model *model;
    double *keys, *values; /* layer by layer, position by position */
    uint32_t position_max;
};

static double *room(size_t count)
{
    double *made = calloc(count, sizeof *made);
    if (made == NULL) {
        abort();
    }
    return made;
}

void plain_row(const struct csn_llm_matrix *matrix, uint32_t row, double *target)
{
    const uint32_t per_block = csn_gguf_block_count(matrix->type);
    const uint32_t blocks = matrix->column_count / per_block;
    const uint32_t size = csn_gguf_block_size(matrix->type);
    float floats[256];
    for (uint32_t i = 0; i < blocks; i++) {
        csn_llm_block_floats(matrix->type, matrix->bytes + ((size_t)row * blocks + i) * size,
                             floats);
        for (uint32_t j = 0; j < per_block; j++) {
            target[(size_t)i * per_block + j] = (double)floats[j];
        }
    }
}

static void multiply(const struct csn_llm_matrix *matrix, const double *input, double *output)
{
    double *row = room(matrix->column_count);
    for (uint32_t i = 0; i < matrix->row_count; i++) {
        plain_row(matrix, i, row);
        output[i] = 0;
        for (uint32_t j = 0; j < matrix->column_count; j++) {
            output[i] += row[j] * input[j];
        }
    }
    free(row);
}

static double weight(const uint8_t *vector, uint32_t at)
{
    float value;
    memcpy(&value, vector + 4 * at, sizeof value);
    return (double)value;
}

static void norm(const struct csn_llm_config *config, const double *input, const uint8_t *vector,
                 double *output)
{
    double sum = 0;
    for (uint32_t i = 0; i < config->width; i++) {
        sum += input[i] * input[i];
    }
    const double scale = 1 / sqrt(sum / config->width + (double)config->epsilon);
    for (uint32_t i = 0; i < config->width; i++) {
        output[i] = input[i] * scale * weight(vector, i);
    }
}

static void turn(const struct csn_llm_model *model, double *heads, uint32_t count,
                 uint32_t position)
{
    const struct csn_llm_config *config = &model->config;
    for (uint32_t head = 0; head < count; head++, heads += config->head_size) {
        for (uint32_t i = 0; i < config->rope_size; i += 2) {
            double angle = position * (double)config->rope_scale *
                           pow((double)config->rope_base, -(double)i / config->rope_size);
            angle /= model->rope_factors != NULL ? weight(model->rope_factors, i / 2) : 1;
            const double first = heads[i];
            heads[i] = first * cos(angle) - heads[i + 1] * sin(angle);
            heads[i + 1] = first * sin(angle) + heads[i + 1] * cos(angle);
        }
    }
}

static void attend(const struct plain *plain, uint32_t layer, uint32_t position,
                   const double *queries, double *output)
{
    const struct csn_llm_config *config = &plain->model->config;
    const uint32_t size = config->head_size;
    const size_t key_size = (size_t)config->kv_head_count * size;
    double *shares = room(position + 1);
    for (uint32_t head = 0; head < config->head_count; head++) {
        const size_t shared = head / (config->head_count / config->kv_head_count) * size;
        double sum = 0;
        for (uint32_t at = 0; at <= position; at++) {
            const size_t row = ((size_t)layer * plain->position_max + at) * key_size + shared;
            double score = 0;
            for (uint32_t i = 0; i < size; i++) {
                score += queries[head * size + i] * plain->keys[row + i];
            }
            shares[at] = exp(score / sqrt(size));
            sum += shares[at];
        }
        for (uint32_t i = 0; i < size; i++) {
            output[head * size + i] = 0;
            for (uint32_t at = 0; at <= position; at++) {
                const size_t row = ((size_t)layer * plain->position_max + at) * key_size + shared;
                output[head * size + i] += shares[at] / sum * plain->values[row + i];
            }
        }
    }
    free(shares);
}

static void layer_of(const struct plain *plain, uint32_t index, uint32_t position, double *stream)
{
    const struct csn_llm_config *config = &plain->model->config;
    const struct csn_llm_layer *layer = &plain->model->layers[index];
    const size_t queries_size = (size_t)config->head_count * config->head_size;
    const size_t row = ((size_t)index * plain->position_max + position) * config->kv_head_count *
                       config->head_size;
    double *normed = room(config->width), *added = room(config->width);
    double *queries = room(queries_size), *attended = room(queries_size);
    double *gates = room(config->inner), *ups = room(config->inner);
    norm(config, stream, layer->attention_norm, normed);
    multiply(&layer->query, normed, queries);
    multiply(&layer->key, normed, plain->keys + row);
    multiply(&layer->value, normed, plain->values + row);
    turn(plain->model, queries, config->head_count, position);
    turn(plain->model, plain->keys + row, config->kv_head_count, position);
    attend(plain, index, position, queries, attended);
    multiply(&layer->merge, attended, added);
    for (uint32_t i = 0; i < config->width; i++) {
        stream[i] += added[i];
    }
    norm(config, stream, layer->inner_norm, normed);
    multiply(&layer->gate, normed, gates);
    multiply(&layer->up, normed, ups);
    for (uint32_t i = 0; i < config->inner; i++) {
        gates[i] = gates[i] / (1 + exp(-gates[i])) * ups[i];
    }
    multiply(&layer->down, gates, added);
    for (uint32_t i = 0; i < config->width; i++) {
        stream[i] += added[i];
    }
    free(normed), free(added), free(queries), free(attended), free(gates), free(ups);
}

void plain_logits(const struct csn_llm_model *model, const uint32_t *tokens, uint32_t count,
                  double *logits)
{
    const struct csn_llm_config *config = &model->config;
    const size_t cached =
        (size_t)config->layer_count * count * config->kv_head_count * config->head_size;
    const struct plain plain = {model, room(cached), room(cached), count};
    double *stream = room(config->width);
    for (uint32_t position = 0; position < count; position++) {
        plain_row(&model->embedding, tokens[position], stream);
        for (uint32_t layer = 0; layer < config->layer_count; layer++) {
            layer_of(&plain, layer, position, stream);
        }
        norm(config, stream, model->norm, stream);
        multiply(&model->output, stream, logits + (size_t)position * config->vocab_count);
    }
    free(stream), free(plain.keys), free(plain.values);
}
