/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train_network.c: a llama, forwards and backwards: RMSNorm, RoPE over neighbours, grouped-query
 * attention, SwiGLU; the embedding serves as output as well.
 */
#include "train.h"
#include <math.h>
#include <string.h>

#define EPSILON   1e-5f
#define ROPE_BASE 10000.0

struct train_layout train_lay_out(const struct train_shape *s)
{
    const size_t square = (size_t)s->width * s->width;
    const size_t shared = square / s->heads * s->kv_heads;
    const size_t wide = (size_t)s->width * s->inner;
    struct train_layout l = {.embedding = 0};
    l.norm = (size_t)s->vocab * s->width;
    l.layer = l.norm + s->width;
    l.attention_norm = 0;
    l.query = l.attention_norm + s->width;
    l.key = l.query + square;
    l.value = l.key + shared;
    l.merge = l.value + shared;
    l.inner_norm = l.merge + square;
    l.gate = l.inner_norm + s->width;
    l.up = l.gate + wide;
    l.down = l.up + wide;
    l.layer_size = l.down + wide;
    l.size = l.layer + s->layers * l.layer_size;
    return l;
}

/* What a layer keeps from the way there for the way back; then what is needed in between. */
struct kept {
    float *in, *normed, *query, *key, *value, *shares, *mixed, *middle, *inner, *gate, *up, *hidden;
};

struct sizes {
    size_t rows; /* tokens of all sequences */
    size_t wide; /* rows times width */
    size_t narrow;
    size_t inner;
    size_t shares;
    size_t logits;
    size_t turned; /* the largest matrix, transposed */
};

static struct sizes sizes_of(const struct train_shape *s, uint32_t sequences)
{
    const size_t rows = (size_t)s->context * sequences;
    const size_t most = s->vocab > s->inner ? s->vocab : s->inner;
    struct sizes z = {.rows = rows, .wide = rows * s->width, .inner = rows * s->inner};
    z.narrow = z.wide / s->heads * s->kv_heads;
    z.shares = rows * s->context * s->heads;
    z.logits = rows * s->vocab;
    z.turned = most * (s->width > rows ? s->width : rows);
    return z;
}

static size_t layer_floats(const struct sizes *z)
{
    return 6 * z->wide + 2 * z->narrow + z->shares + 3 * z->inner;
}

size_t train_lane_floats(const struct train_shape *shape, uint32_t sequences)
{
    const struct sizes z = sizes_of(shape, sequences);
    return shape->layers * layer_floats(&z) + 7 * z.wide + 2 * z.narrow + 3 * z.inner + z.logits +
           z.turned;
}

struct work {
    struct train_lane *lane;
    struct sizes z;
    float *at;            /* the next free float */
    float *last, *normed; /* behind the layers */
    float *d_wide, *d_normed, *d_query, *d_key, *d_value, *d_mixed;
    float *d_gate, *d_up, *d_hidden;
    float *logits, *turned;
};

static float *carve(struct work *work, size_t count)
{
    float *taken = work->at;
    work->at += count;
    return taken;
}

static struct kept kept_of(struct work *work)
{
    const struct sizes *z = &work->z;
    struct kept kept;
    kept.in = carve(work, z->wide);
    kept.normed = carve(work, z->wide);
    kept.query = carve(work, z->wide);
    kept.key = carve(work, z->narrow);
    kept.value = carve(work, z->narrow);
    kept.shares = carve(work, z->shares);
    kept.mixed = carve(work, z->wide);
    kept.middle = carve(work, z->wide);
    kept.inner = carve(work, z->wide);
    kept.gate = carve(work, z->inner);
    kept.up = carve(work, z->inner);
    kept.hidden = carve(work, z->inner);
    return kept;
}

static void begin_work(struct work *work, struct train_lane *lane)
{
    work->lane = lane;
    work->z = sizes_of(&lane->shape, lane->sequences);
    work->at = lane->memory + lane->shape.layers * layer_floats(&work->z);
    work->last = carve(work, work->z.wide);
    work->normed = carve(work, work->z.wide);
    work->d_wide = carve(work, work->z.wide);
    work->d_normed = carve(work, work->z.wide);
    work->d_query = carve(work, work->z.wide);
    work->d_mixed = carve(work, work->z.wide);
    work->d_key = carve(work, work->z.narrow);
    work->d_value = carve(work, work->z.narrow);
    work->d_gate = carve(work, work->z.inner);
    work->d_up = carve(work, work->z.inner);
    work->d_hidden = carve(work, work->z.inner);
    work->logits = carve(work, work->z.logits);
    work->turned = work->at;
    work->at = lane->memory;
}

/* ---- linear ---- */

/* out[rows][o] = in[rows][i] * weights[o][i] */
static void linear(struct work *work, float *out, const float *in, const float *weights, size_t i,
                   size_t o)
{
    train_transpose(work->turned, weights, o, i);
    memset(out, 0, work->z.rows * o * sizeof *out);
    train_multiply(out, in, work->turned, work->z.rows, i, o);
}

/* d_in is added to. */
static void linear_back(struct work *work, const float *d_out, float *d_in, const float *in,
                        size_t offset, size_t i, size_t o)
{
    train_multiply(d_in, d_out, work->lane->weights + offset, work->z.rows, o, i);
    train_transpose(work->turned, d_out, work->z.rows, o);
    train_multiply(work->lane->gradient + offset, work->turned, in, o, work->z.rows, i);
}

/* ---- RMSNorm ---- */

static float scale_of(const float *in, size_t width)
{
    float sum = 0;
    for (size_t i = 0; i < width; i++) {
        sum += in[i] * in[i];
    }
    return 1 / sqrtf(sum / (float)width + EPSILON);
}

static void norm(const struct work *work, float *out, const float *in, const float *weights)
{
    const size_t width = work->lane->shape.width;
    for (size_t r = 0; r < work->z.rows; r++, in += width, out += width) {
        const float scale = scale_of(in, width);
        for (size_t i = 0; i < width; i++) {
            out[i] = in[i] * scale * weights[i];
        }
    }
}

/* Adds to d_in. */
static void norm_back(const struct work *work, const float *d_out, float *d_in, const float *in,
                      size_t offset)
{
    const size_t width = work->lane->shape.width;
    const float *weights = work->lane->weights + offset;
    float *gradient = work->lane->gradient + offset;
    for (size_t r = 0; r < work->z.rows; r++, in += width, d_in += width, d_out += width) {
        const float scale = scale_of(in, width);
        float dot = 0;
        for (size_t i = 0; i < width; i++) {
            dot += d_out[i] * weights[i] * in[i];
            gradient[i] += d_out[i] * in[i] * scale;
        }
        dot *= scale * scale / (float)width;
        for (size_t i = 0; i < width; i++) {
            d_in[i] += scale * (d_out[i] * weights[i] - in[i] * dot);
        }
    }
}

/* ---- RoPE; back is the turn in the other direction ---- */

static void turn(const struct work *work, float *rows, uint32_t heads, float direction)
{
    const struct train_shape *s = &work->lane->shape;
    const uint32_t size = s->width / s->heads;
    for (size_t r = 0; r < work->z.rows; r++) {
        const double position = (double)(r % s->context);
        for (uint32_t i = 0; i < size; i += 2) {
            const double angle = position * pow(ROPE_BASE, -(double)i / size);
            const float cosine = (float)cos(angle);
            const float sine = direction * (float)sin(angle);
            for (uint32_t h = 0; h < heads; h++) {
                float *pair = rows + (r * heads + h) * size + i;
                const float x = pair[0];
                pair[0] = x * cosine - pair[1] * sine;
                pair[1] = x * sine + pair[1] * cosine;
            }
        }
    }
}

/* ---- attention ---- */

struct head {
    uint32_t context, size, q_step, kv_step;
    float scale;
    size_t q, kv, shares; /* where it begins */
};

static struct head head_of(const struct train_shape *s, uint32_t sequence, uint32_t h)
{
    const uint32_t size = s->width / s->heads;
    struct head head = {s->context, size, s->width, size * s->kv_heads, 1 / sqrtf((float)size),
                        0,          0,    0};
    head.q = (size_t)sequence * s->context * head.q_step + h * size;
    head.kv = (size_t)sequence * s->context * head.kv_step + h * s->kv_heads / s->heads * size;
    head.shares = ((size_t)sequence * s->heads + h) * s->context * s->context;
    return head;
}

static float dot(const float *left, const float *right, uint32_t size)
{
    float sums[8] = {0};
    for (uint32_t i = 0; i + 8 <= size; i += 8) {
        for (uint32_t k = 0; k < 8; k++) {
            sums[k] += left[i + k] * right[i + k];
        }
    }
    for (uint32_t i = size / 8 * 8; i < size; i++) {
        sums[0] += left[i] * right[i];
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static void add(float *to, const float *from, float factor, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        to[i] += factor * from[i];
    }
}

static void softmax(float *row, uint32_t count)
{
    float most = row[0];
    float sum = 0;
    for (uint32_t i = 1; i < count; i++) {
        most = row[i] > most ? row[i] : most;
    }
    for (uint32_t i = 0; i < count; i++) {
        row[i] = expf(row[i] - most);
        sum += row[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        row[i] /= sum;
    }
}

static void attend(const struct head *head, const struct kept *kept)
{
    for (uint32_t t = 0; t < head->context; t++) {
        float *shares = kept->shares + head->shares + (size_t)t * head->context;
        float *mixed = kept->mixed + head->q + (size_t)t * head->q_step;
        const float *query = kept->query + head->q + (size_t)t * head->q_step;
        for (uint32_t u = 0; u <= t; u++) {
            const float *key = kept->key + head->kv + (size_t)u * head->kv_step;
            shares[u] = dot(query, key, head->size) * head->scale;
        }
        softmax(shares, t + 1);
        memset(mixed, 0, head->size * sizeof *mixed);
        for (uint32_t u = 0; u <= t; u++) {
            add(mixed, kept->value + head->kv + (size_t)u * head->kv_step, shares[u], head->size);
        }
    }
}

static void attend_back(const struct work *work, const struct head *head, const struct kept *kept)
{
    float d_shares[1024];
    for (uint32_t t = 0; t < head->context; t++) {
        const float *shares = kept->shares + head->shares + (size_t)t * head->context;
        const size_t at = head->q + (size_t)t * head->q_step;
        float sum = 0;
        for (uint32_t u = 0; u <= t; u++) {
            const size_t kv = head->kv + (size_t)u * head->kv_step;
            d_shares[u] = dot(work->d_mixed + at, kept->value + kv, head->size);
            add(work->d_value + kv, work->d_mixed + at, shares[u], head->size);
            sum += d_shares[u] * shares[u];
        }
        for (uint32_t u = 0; u <= t; u++) {
            const size_t kv = head->kv + (size_t)u * head->kv_step;
            const float factor = (d_shares[u] - sum) * shares[u] * head->scale;
            add(work->d_query + at, kept->key + kv, factor, head->size);
            add(work->d_key + kv, kept->query + at, factor, head->size);
        }
    }
}

/* ---- a layer ---- */

static void layer_there(struct work *work, const struct kept *kept, size_t base, float *out)
{
    const struct train_shape *s = &work->lane->shape;
    const struct train_layout *l = &work->lane->layout;
    const float *weights = work->lane->weights + base;
    const uint32_t narrow = s->width / s->heads * s->kv_heads;
    norm(work, kept->normed, kept->in, weights + l->attention_norm);
    linear(work, kept->query, kept->normed, weights + l->query, s->width, s->width);
    linear(work, kept->key, kept->normed, weights + l->key, s->width, narrow);
    linear(work, kept->value, kept->normed, weights + l->value, s->width, narrow);
    turn(work, kept->query, s->heads, 1);
    turn(work, kept->key, s->kv_heads, 1);
    for (uint32_t i = 0; i < work->lane->sequences * s->heads; i++) {
        const struct head head = head_of(s, i / s->heads, i % s->heads);
        attend(&head, kept);
    }
    linear(work, kept->middle, kept->mixed, weights + l->merge, s->width, s->width);
    add(kept->middle, kept->in, 1, (uint32_t)work->z.wide);
    norm(work, kept->inner, kept->middle, weights + l->inner_norm);
    linear(work, kept->gate, kept->inner, weights + l->gate, s->width, s->inner);
    linear(work, kept->up, kept->inner, weights + l->up, s->width, s->inner);
    for (size_t i = 0; i < work->z.inner; i++) {
        kept->hidden[i] = kept->gate[i] / (1 + expf(-kept->gate[i])) * kept->up[i];
    }
    linear(work, out, kept->hidden, weights + l->down, s->inner, s->width);
    add(out, kept->middle, 1, (uint32_t)work->z.wide);
}

static void gate_back(const struct work *work, const struct kept *kept)
{
    for (size_t i = 0; i < work->z.inner; i++) {
        const float share = 1 / (1 + expf(-kept->gate[i]));
        const float silu = kept->gate[i] * share;
        work->d_up[i] = work->d_hidden[i] * silu;
        work->d_gate[i] = work->d_hidden[i] * kept->up[i] * (share + silu * (1 - share));
    }
}

static void attention_back(struct work *work, const struct kept *kept, size_t base)
{
    const struct train_shape *s = &work->lane->shape;
    const struct train_layout *l = &work->lane->layout;
    const uint32_t narrow = s->width / s->heads * s->kv_heads;
    memset(work->d_mixed, 0, work->z.wide * sizeof(float));
    memset(work->d_query, 0, work->z.wide * sizeof(float));
    memset(work->d_key, 0, work->z.narrow * sizeof(float));
    memset(work->d_value, 0, work->z.narrow * sizeof(float));
    linear_back(work, work->d_wide, work->d_mixed, kept->mixed, base + l->merge, s->width,
                s->width);
    for (uint32_t i = 0; i < work->lane->sequences * s->heads; i++) {
        const struct head head = head_of(s, i / s->heads, i % s->heads);
        attend_back(work, &head, kept);
    }
    turn(work, work->d_query, s->heads, -1);
    turn(work, work->d_key, s->kv_heads, -1);
    memset(work->d_normed, 0, work->z.wide * sizeof(float));
    linear_back(work, work->d_query, work->d_normed, kept->normed, base + l->query, s->width,
                s->width);
    linear_back(work, work->d_key, work->d_normed, kept->normed, base + l->key, s->width, narrow);
    linear_back(work, work->d_value, work->d_normed, kept->normed, base + l->value, s->width,
                narrow);
    norm_back(work, work->d_normed, work->d_wide, kept->in, base + l->attention_norm);
}

/* d_wide: of its output, then of its input. */
static void layer_back(struct work *work, const struct kept *kept, size_t base)
{
    const struct train_shape *s = &work->lane->shape;
    const struct train_layout *l = &work->lane->layout;
    memset(work->d_hidden, 0, work->z.inner * sizeof(float));
    linear_back(work, work->d_wide, work->d_hidden, kept->hidden, base + l->down, s->inner,
                s->width);
    gate_back(work, kept);
    memset(work->d_normed, 0, work->z.wide * sizeof(float));
    linear_back(work, work->d_gate, work->d_normed, kept->inner, base + l->gate, s->width,
                s->inner);
    linear_back(work, work->d_up, work->d_normed, kept->inner, base + l->up, s->width, s->inner);
    norm_back(work, work->d_normed, work->d_wide, kept->middle, base + l->inner_norm);
    attention_back(work, kept, base);
}

/* ---- all of it ---- */

static uint32_t token_of(const struct train_lane *lane, size_t row, uint32_t ahead)
{
    const uint32_t context = lane->shape.context;
    return lane->tokens[row / context * (context + 1) + row % context + ahead];
}

/* Logits become their gradient. */
static void judge(struct work *work, float scale)
{
    struct train_lane *lane = work->lane;
    lane->loss = 0;
    for (size_t r = 0; r < work->z.rows; r++) {
        float *row = work->logits + r * lane->shape.vocab;
        const uint32_t wanted = token_of(lane, r, 1);
        softmax(row, lane->shape.vocab);
        lane->loss -= log((double)row[wanted] + 1e-30);
        row[wanted] -= 1;
        for (uint32_t i = 0; i < lane->shape.vocab; i++) {
            row[i] /= scale;
        }
    }
}

void train_step(struct train_lane *lane, float scale)
{
    const struct train_shape *s = &lane->shape;
    const struct train_layout *l = &lane->layout;
    struct kept kept[32];
    struct work work;
    begin_work(&work, lane);
    for (uint32_t i = 0; i < s->layers; i++) {
        kept[i] = kept_of(&work);
    }
    for (size_t r = 0; r < work.z.rows; r++) {
        memcpy(kept[0].in + r * s->width, lane->weights + (size_t)token_of(lane, r, 0) * s->width,
               s->width * sizeof(float));
    }
    for (uint32_t i = 0; i < s->layers; i++) {
        layer_there(&work, &kept[i], l->layer + i * l->layer_size,
                    i + 1 < s->layers ? kept[i + 1].in : work.last);
    }
    norm(&work, work.normed, work.last, lane->weights + l->norm);
    linear(&work, work.logits, work.normed, lane->weights + l->embedding, s->width, s->vocab);
    judge(&work, scale);
    memset(work.d_normed, 0, work.z.wide * sizeof(float));
    memset(work.d_wide, 0, work.z.wide * sizeof(float));
    linear_back(&work, work.logits, work.d_normed, work.normed, l->embedding, s->width, s->vocab);
    norm_back(&work, work.d_normed, work.d_wide, work.last, l->norm);
    for (uint32_t i = s->layers; i-- > 0;) {
        layer_back(&work, &kept[i], l->layer + i * l->layer_size);
    }
    for (size_t r = 0; r < work.z.rows; r++) {
        add(lane->gradient + (size_t)token_of(lane, r, 0) * s->width, work.d_wide + r * s->width, 1,
            s->width);
    }
}
