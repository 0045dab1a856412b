/* SPDX-License-Identifier: Apache-2.0 */
/* train.c: from a seed to a GGUF file: train_harbour FILE [options]; see usage(). */
#include "train.h"
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES     2u /* whatever the threads: sums are made in the same order */
#define PIECES    512u
#define TEXT_SIZE 200000u

void *train_take(size_t size)
{
    const size_t rounded = (size + 127) / 64 * 64;
    void *memory = aligned_alloc(64, rounded);
    if (memory == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", size);
        exit(1);
    }
    memset(memory, 0, rounded);
    return memory;
}

/* ---- numbers ---- */

static uint64_t next(struct train_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word = random->state;
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

uint32_t train_below(struct train_random *random, uint32_t bound)
{
    return (uint32_t)((next(random) >> 32) * bound >> 32);
}

float train_normal(struct train_random *random)
{
    float sum = -6; /* of twelve uniform ones: near enough */
    for (uint32_t i = 0; i < 12; i++) {
        sum += (float)(next(random) >> 40) / 16777216.0f;
    }
    return sum;
}

/* ---- training ---- */

struct options {
    const char *path;
    struct train_shape shape;
    uint32_t steps, sequences, threads;
    float rate;
    uint64_t seed;
    enum train_type type;
    bool check;
};

struct trainer {
    const struct options *options;
    struct train_layout layout;
    struct train_pieces pieces;
    struct train_random random;
    struct train_lane lanes[LANES];
    float *weights, *gradient, *first, *second;
    uint32_t *tokens;
    double loss; /* per token, of the last step */
};

/* Texts one after the other, each begun and ended; a sequence is cut where it is full. */
static void fill(struct trainer *trainer, uint32_t *tokens, uint32_t count)
{
    uint32_t used = 0;
    while (used < count) {
        static char text[TRAIN_TEXT_MAX];
        uint32_t made[TRAIN_TEXT_MAX + 2] = {TRAIN_BEGIN};
        const uint32_t size = train_text(&trainer->random, text);
        uint32_t made_count =
            1 + train_tokens(&trainer->pieces, text, size, made + 1, TRAIN_TEXT_MAX);
        made[made_count++] = TRAIN_END;
        for (uint32_t i = 0; i < made_count && used < count; i++) {
            tokens[used++] = made[i];
        }
    }
}

static void begin_weights(struct trainer *trainer)
{
    const struct train_shape *s = &trainer->options->shape;
    const struct train_layout *l = &trainer->layout;
    for (size_t i = 0; i < l->size; i++) {
        trainer->weights[i] = 0.02f * train_normal(&trainer->random);
    }
    for (uint32_t k = 0; k < s->width; k++) {
        trainer->weights[l->norm + k] = 1;
        for (uint32_t i = 0; i < s->layers; i++) {
            float *layer = trainer->weights + l->layer + i * l->layer_size;
            layer[l->attention_norm + k] = layer[l->inner_norm + k] = 1;
        }
    }
}

static void begin_pieces(struct trainer *trainer)
{
    char *text = train_take(TEXT_SIZE + TRAIN_TEXT_MAX);
    uint32_t size = 0;
    while (size < TEXT_SIZE) {
        const uint32_t added = train_text(&trainer->random, text + size);
        for (uint32_t i = 0; i < added; i++) { /* the marks of talk are pieces already */
            text[size + i] = text[size + i] == '|' ? '\n' : text[size + i];
        }
        size += added;
    }
    train_pieces(&trainer->pieces, text, size, trainer->options->shape.vocab);
    free(text);
}

static void begin(struct trainer *trainer, const struct options *options)
{
    *trainer = (struct trainer){.options = options, .random = {options->seed}};
    begin_pieces(trainer);
    const size_t size = (trainer->layout = train_lay_out(&options->shape)).size;
    const uint32_t own = options->sequences / LANES;
    trainer->weights = train_take(size * sizeof(float));
    trainer->gradient = train_take(LANES * size * sizeof(float));
    trainer->first = train_take(size * sizeof(float));
    trainer->second = train_take(size * sizeof(float));
    trainer->tokens =
        train_take(options->sequences * (options->shape.context + 1) * sizeof(uint32_t));
    begin_weights(trainer);
    for (uint32_t i = 0; i < LANES; i++) {
        trainer->lanes[i] = (struct train_lane){
            .shape = options->shape,
            .layout = trainer->layout,
            .sequences = own,
            .weights = trainer->weights,
            .gradient = trainer->gradient + i * size,
            .tokens = trainer->tokens + i * own * (options->shape.context + 1),
            .memory = train_take(train_lane_floats(&options->shape, own) * sizeof(float)),
        };
    }
}

static void *run_lane(void *state)
{
    struct train_lane *lane = state;
    train_step(lane, (float)(lane->sequences * LANES * lane->shape.context));
    return NULL;
}

static void run_lanes(struct trainer *trainer)
{
    pthread_t thread;
    const bool has_thread = trainer->options->threads > 1 &&
                            pthread_create(&thread, NULL, run_lane, &trainer->lanes[1]) == 0;
    run_lane(&trainer->lanes[0]);
    if (has_thread) {
        pthread_join(thread, NULL);
    } else {
        run_lane(&trainer->lanes[1]);
    }
    trainer->loss = (trainer->lanes[0].loss + trainer->lanes[1].loss) /
                    (trainer->options->sequences * trainer->options->shape.context);
}

/* Adam, with the gradient cut to a length of 1. */
static void move(struct trainer *trainer, uint32_t step, float rate)
{
    const size_t size = trainer->layout.size;
    const float fade_first = 1 - powf(0.9f, (float)step + 1);
    const float fade_second = 1 - powf(0.99f, (float)step + 1);
    double length = 0;
    for (size_t i = 0; i < size; i++) {
        trainer->gradient[i] += trainer->gradient[size + i];
        length += (double)trainer->gradient[i] * trainer->gradient[i];
    }
    const float cut = length > 1 ? (float)(1 / sqrt(length)) : 1;
    for (size_t i = 0; i < size; i++) {
        const float g = trainer->gradient[i] * cut;
        trainer->first[i] += 0.1f * (g - trainer->first[i]);
        trainer->second[i] += 0.01f * (g * g - trainer->second[i]);
        trainer->weights[i] -= rate * (trainer->first[i] / fade_first) /
                               (sqrtf(trainer->second[i] / fade_second) + 1e-8f);
    }
    memset(trainer->gradient, 0, LANES * size * sizeof(float));
}

static void train(struct trainer *trainer)
{
    const struct options *options = trainer->options;
    for (uint32_t step = 0; step < options->steps; step++) {
        const float warm = step < 20 ? (float)(step + 1) / 20 : 1;
        const float part = (float)step / (float)options->steps;
        const float rate = options->rate * warm * (0.55f + 0.45f * cosf(3.14159265f * part));
        fill(trainer, trainer->tokens, options->sequences * (options->shape.context + 1));
        run_lanes(trainer);
        move(trainer, step, rate);
        if (step % 10 == 0 || step + 1 == options->steps) {
            printf("step %u loss %.4f\n", step, trainer->loss);
            fflush(stdout);
        }
    }
}

/* The gradient held against differences of the loss, for weights all over the model. */
static int check(struct trainer *trainer)
{
    const struct train_shape *s = &trainer->options->shape;
    const size_t size = trainer->layout.size;
    double worst = 0;
    for (size_t i = 0; i < size; i++) { /* larger than at the start, so that all parts matter */
        trainer->weights[i] += 0.2f * train_normal(&trainer->random);
    }
    fill(trainer, trainer->tokens, trainer->options->sequences * (s->context + 1));
    run_lanes(trainer);
    float *gradient = train_take(size * sizeof(float));
    for (size_t i = 0; i < size; i++) {
        gradient[i] = trainer->gradient[i] + trainer->gradient[size + i];
    }
    for (uint32_t i = 0; i < 200; i++) {
        const size_t at =
            trainer->layout.norm - s->width * 20 +
            train_below(&trainer->random, (uint32_t)(size - trainer->layout.norm + s->width * 20));
        const float old = trainer->weights[at];
        trainer->weights[at] = old + 0.01f;
        run_lanes(trainer);
        const double above = trainer->loss;
        trainer->weights[at] = old - 0.01f;
        run_lanes(trainer);
        trainer->weights[at] = old;
        const double slope = (above - trainer->loss) / 0.02;
        const double apart = fabs(slope - gradient[at]) / (0.001 + fabs(slope));
        worst = apart > worst ? apart : worst;
    }
    printf("gradient and differences are at most %.4f apart\n", worst);
    return worst < 0.05 ? 0 : 1;
}

/* ---- options ---- */

static void usage(void)
{
    printf("train_harbour [options] FILE.gguf\n"
           "  --steps N       600\n"
           "  --sequences N   8, even: in each step\n"
           "  --context N     256 tokens\n"
           "  --width N       256, --inner N 512, --layers N 4, --heads N 4, --kv-heads N 2\n"
           "  --rate X        0.003\n"
           "  --seed N        1\n"
           "  --threads N     1 or 2\n"
           "  --type T        f32, f16 or q8_0\n"
           "  --check         hold the gradient against differences; FILE is not written\n");
}

static bool read_option(struct options *o, int option)
{
    const uint32_t number = (uint32_t)strtoul(optarg == NULL ? "0" : optarg, NULL, 10);
    switch (option) {
    case 's':
        o->steps = number;
        break;
    case 'b':
        o->sequences = number;
        break;
    case 'c':
        o->shape.context = number;
        break;
    case 'w':
        o->shape.width = number;
        break;
    case 'i':
        o->shape.inner = number;
        break;
    case 'l':
        o->shape.layers = number;
        break;
    case 'h':
        o->shape.heads = number;
        break;
    case 'k':
        o->shape.kv_heads = number;
        break;
    case 'r':
        o->rate = strtof(optarg, NULL);
        break;
    case 'e':
        o->seed = strtoull(optarg, NULL, 10);
        break;
    case 't':
        o->threads = number;
        break;
    case 'C':
        o->check = true;
        break;
    case 'T':
        o->type = strcmp(optarg, "f32") == 0   ? TRAIN_F32
                  : strcmp(optarg, "f16") == 0 ? TRAIN_F16
                                               : TRAIN_Q8_0;
        break;
    default:
        return false;
    }
    return true;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"steps", 1, NULL, 's'}, {"sequences", 1, NULL, 'b'}, {"context", 1, NULL, 'c'},
        {"width", 1, NULL, 'w'}, {"inner", 1, NULL, 'i'},     {"layers", 1, NULL, 'l'},
        {"heads", 1, NULL, 'h'}, {"kv-heads", 1, NULL, 'k'},  {"rate", 1, NULL, 'r'},
        {"seed", 1, NULL, 'e'},  {"threads", 1, NULL, 't'},   {"type", 1, NULL, 'T'},
        {"check", 0, NULL, 'C'}, {NULL, 0, NULL, 0},
    };
    const struct train_shape *s = &o->shape;
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!read_option(o, option)) {
            return false;
        }
    }
    o->path = argv[optind];
    return o->path != NULL && o->steps > 0 && o->sequences > 0 && o->sequences % LANES == 0 &&
           s->context >= 8 && s->context <= 1024 && s->layers > 0 && s->layers <= 32 &&
           s->heads > 0 && s->kv_heads > 0 && s->heads % s->kv_heads == 0 &&
           s->width % (32 * s->heads) == 0 && s->inner % 32 == 0 && s->inner > 0 && s->width > 0;
}

int main(int argc, char **argv)
{
    struct options options = {
        .shape = {PIECES, 256, 512, 4, 4, 2, 256},
        .steps = 600,
        .sequences = 8,
        .threads = 2,
        .rate = 0.003f,
        .seed = 1,
        .type = TRAIN_F16,
    };
    static struct trainer trainer;
    if (!read_options(&options, argc, argv)) {
        usage();
        return 2;
    }
    begin(&trainer, &options);
    if (options.check) {
        return check(&trainer);
    }
    train(&trainer);
    if (train_write(options.path, &options.shape, trainer.weights, &trainer.pieces, options.type) !=
        0) {
        perror(options.path);
        return 1;
    }
    return 0;
}
