/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trees.c: the first byte, modulo 4, chooses: 0 any bytes as a packed image, 1 XGBoost's JSON, 2
 * its UBJSON, 3 LightGBM's text. What is taken is scored, in memory of exactly its size, a block of
 * rows and each of its rows alone: the same bits must come.
 */
#include "trees/trees.h"
#include "check.h"
#include "import/import.h"
#include <string.h>

#define ROWS       (CSN_TREES_BLOCK + 1)
#define FLOATS_MAX 0x400000u

static void score(const void *image, size_t size)
{
    struct csn_trees model;
    size_t offset = 0;
    csn_err err = csn_trees_open(image, size, &model, &offset);
    CHECK(offset <= size);
    if (err != CSN_OK) {
        return;
    }
    const float values[] = {0, 1, 2, 0.5f, -1, 40, 1e30f, __builtin_nanf(""), __builtin_inff()};
    const size_t width = model.header->feature_count;
    const size_t outputs = model.header->output_count;
    if (csn_trees_scratch_count(&model) > FLOATS_MAX) {
        return;
    }
    float *rows = malloc(ROWS * width * sizeof *rows);
    float *sums = malloc(2 * ROWS * outputs * sizeof *sums);
    float *scratch = malloc(csn_trees_scratch_count(&model) * sizeof *scratch);
    CHECK(rows != NULL && sums != NULL && scratch != NULL);
    for (size_t i = 0; i < ROWS * width; i++) {
        rows[i] = values[i * 7 % (sizeof values / sizeof values[0])];
    }
    csn_trees_sum(&model, rows, ROWS, scratch, sums);
    for (size_t row = 0; row < ROWS; row++) {
        csn_trees_sum(&model, rows + row * width, 1, scratch, sums + (ROWS + row) * outputs);
    }
    CHECK(memcmp(sums, sums + ROWS * outputs, ROWS * outputs * sizeof *sums) == 0);
    csn_trees_transform(&model, sums, ROWS);
    free(rows);
    free(sums);
    free(scratch);
}

static csn_err import(uint32_t format, const uint8_t *bytes, size_t size, void **image,
                      size_t *image_size, struct csn_import_fault *fault)
{
    return format == 3 ? csn_import_lightgbm((const char *)bytes, size, image, image_size, fault)
           : format == 1
               ? csn_import_xgboost_json((const char *)bytes, size, image, image_size, fault)
               : csn_import_xgboost_ubjson(bytes, size, image, image_size, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    void *image = NULL;
    size_t image_size = 0;
    struct csn_import_fault fault = {0};
    if (bytes[0] % 4 == 0) {
        image_size = size - 1;
        image = malloc(image_size + 1);
        CHECK(image != NULL);
        memcpy(image, bytes + 1, image_size);
    } else if (import(bytes[0] % 4, bytes + 1, size - 1, &image, &image_size, &fault) != CSN_OK) {
        CHECK(fault.reason != CSN_IMPORT_OK && fault.place[0] != '\0' && image == NULL);
        return 0;
    } else {
        struct csn_trees model;
        size_t offset = 0;
        CHECK(csn_trees_open(image, image_size, &model, &offset) == CSN_OK);
    }
    score(image, image_size);
    free(image);
    return 0;
}
