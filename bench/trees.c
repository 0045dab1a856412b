/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trees.c: scores of boosted trees beside XGBoost's C interface, which trained the model: one row
 * at a time, and batches. Both on one thread, over the same rows, and the scores must agree.
 */
#include "trees/trees.h"
#include "import/import.h"
#include "measure.h"
#include "peer_trees.h"
#include "trees_pass.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: trees [--json] [--seconds N]\n\n"
    "Scores of boosted trees of several shapes beside XGBoost's C interface (prediction in place,\n"
    "one thread), one row at a time and 256 at a time; and what a score adds to a tokenize pass.\n"
    "Left out where libxgboost-dev was not there when this was built.\n\n";

#define FEATURES  30u
#define TRAINING  20000u
#define ROWS      4096u
#define BATCH     256u
#define DIFFERENT 1e-5

static struct {
    float *rows;
    float *targets;
    float *scores;
    float *scratch;
    void *image;
    struct csn_trees model;
    size_t at; /* the row whose turn it is */
} setup;

static uint32_t state = 1;

static float draw(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 16777216.0f * 2 - 1;
}

/* Card payments of a kind: what decides is a few products and steps, one value in twenty missing.
 */
static void make_rows(void)
{
    setup.rows = malloc((size_t)TRAINING * FEATURES * sizeof *setup.rows);
    setup.targets = malloc(TRAINING * sizeof *setup.targets);
    setup.scores = malloc(ROWS * sizeof *setup.scores);
    bench_require(setup.rows != NULL && setup.targets != NULL && setup.scores != NULL, "no memory");
    for (size_t i = 0; i < TRAINING; i++) {
        float *row = setup.rows + i * FEATURES;
        for (size_t k = 0; k < FEATURES; k++) {
            row[k] = draw();
        }
        const float sum = row[0] * row[1] + sinf(3 * row[2]) + (row[3] > 0.3f) * row[4] - row[5];
        setup.targets[i] = sum + 0.3f * draw() > 0.4f;
        row[(size_t)(fabsf(draw()) * FEATURES) % FEATURES] = __builtin_nanf("");
    }
}

static void make_model(unsigned trees, unsigned depth)
{
    const struct peer_trees_shape shape = {setup.rows, setup.targets, TRAINING,
                                           FEATURES,   trees,         depth};
    struct csn_import_fault fault = {0};
    const void *bytes = NULL;
    size_t bytes_size = 0;
    size_t size = 0;
    size_t offset = 0;
    free(setup.image);
    free(setup.scratch);
    setup.image = NULL;
    peer_trees_train(&shape, &bytes, &bytes_size);
    bench_require(csn_import_xgboost_ubjson(bytes, bytes_size, &setup.image, &size, &fault) ==
                          CSN_OK &&
                      csn_trees_open(setup.image, size, &setup.model, &offset) == CSN_OK,
                  fault.place);
    setup.scratch = malloc(csn_trees_scratch_count(&setup.model) * sizeof *setup.scratch);
    bench_require(setup.scratch != NULL, "no memory");
    csn_trees_score(&setup.model, setup.rows, ROWS, setup.scratch, setup.scores);
    const float *others = peer_trees_score(setup.rows, ROWS, FEATURES);
    for (size_t i = 0; i < ROWS; i++) {
        bench_require(fabsf(others[i] - setup.scores[i]) <= DIFFERENT, "scores differ");
    }
}

static const float *next_rows(size_t count)
{
    setup.at = setup.at + count > ROWS ? 0 : setup.at;
    const float *rows = setup.rows + setup.at * FEATURES;
    setup.at += count;
    return rows;
}

static uint64_t our_row(void *unused)
{
    (void)unused;
    csn_trees_score(&setup.model, next_rows(1), 1, setup.scratch, setup.scores);
    return 1;
}

static uint64_t their_row(void *unused)
{
    (void)unused;
    peer_trees_score(next_rows(1), 1, FEATURES);
    return 1;
}

static uint64_t our_batch(void *unused)
{
    (void)unused;
    csn_trees_score(&setup.model, next_rows(BATCH), BATCH, setup.scratch, setup.scores);
    return BATCH;
}

static uint64_t their_batch(void *unused)
{
    (void)unused;
    peer_trees_score(next_rows(BATCH), BATCH, FEATURES);
    return BATCH;
}

int main(int argc, char **argv)
{
    static const struct {
        unsigned trees, depth;
        struct bench_row one, many;
    } shapes[] = {
        {100,
         6,
         {20, "trees, one row", "100 of depth 6", "XGBoost", BENCH_FASTER, 25},
         {21, "trees, 256 rows", "100 of depth 6", "XGBoost", BENCH_FASTER, 2}},
        {500,
         6,
         {0, "trees, one row", "500 of depth 6", "XGBoost", BENCH_FASTER, 0},
         {0, "trees, 256 rows", "500 of depth 6", "XGBoost", BENCH_FASTER, 0}},
        {300,
         4,
         {0, "trees, one row", "300 of depth 4", "XGBoost", BENCH_FASTER, 0},
         {0, "trees, 256 rows", "300 of depth 4", "XGBoost", BENCH_FASTER, 0}},
        {100,
         10,
         {0, "trees, one row", "100 of depth 10", "XGBoost", BENCH_FASTER, 0},
         {0, "trees, 256 rows", "100 of depth 10", "XGBoost", BENCH_FASTER, 0}},
    };
    bench_begin(argc, argv, help);
    if (peer_trees_name == NULL) {
        fputs("trees: left out: all, for libxgboost-dev was not there when this was built\n",
              stderr);
        return 0;
    }
    make_rows();
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        make_model(shapes[i].trees, shapes[i].depth);
        bench_pair(&shapes[i].one, our_row, their_row, NULL);
        bench_pair(&shapes[i].many, our_batch, their_batch, NULL);
        if (i == 0) {
            trees_pass(setup.image, setup.model.header->size, FEATURES);
        }
    }
    free(setup.rows);
    free(setup.targets);
    free(setup.scores);
    free(setup.scratch);
    free(setup.image);
    return 0;
}
