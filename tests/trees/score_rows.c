/* SPDX-License-Identifier: Apache-2.0 */
/*
 * score_rows.c: a model's scores for rows that a script made.
 * usage: FORMAT MODEL ROWS SCORES; rows and scores are raw floats. Exit 1 with the fault on stderr.
 */
#include "import/import.h"
#include "trees/trees.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *read_file(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    char *bytes = NULL;
    *size = 0;
    if (stream == NULL) {
        exit(2);
    }
    for (size_t got = 1; got != 0; *size += got) {
        bytes = realloc(bytes, *size + 65536);
        got = bytes == NULL ? 0 : fread(bytes + *size, 1, 65536, stream);
    }
    fclose(stream);
    return bytes;
}

static csn_err import(const char *format, const char *text, size_t text_size, void **image,
                      size_t *size, struct csn_import_fault *fault)
{
    if (strcmp(format, "json") == 0) {
        return csn_import_xgboost_json(text, text_size, image, size, fault);
    }
    if (strcmp(format, "ubjson") == 0) {
        return csn_import_xgboost_ubjson(text, text_size, image, size, fault);
    }
    if (strcmp(format, "lightgbm") == 0) {
        return csn_import_lightgbm(text, text_size, image, size, fault);
    }
    exit(2);
}

int main(int count, char **arguments)
{
    if (count != 5) {
        return 2;
    }
    struct csn_import_fault fault = {0};
    struct csn_trees model;
    void *image = NULL;
    size_t size = 0;
    size_t offset = 0;
    char *text = read_file(arguments[2], &size);
    if (import(arguments[1], text, size, &image, &size, &fault) != CSN_OK) {
        fprintf(stderr, "%s: %s\n", csn_import_reason_name(fault.reason), fault.place);
        return 1;
    }
    if (csn_trees_open(image, size, &model, &offset) != CSN_OK) {
        return 3;
    }
    float *rows = read_file(arguments[3], &size);
    size_t row_count = size / sizeof *rows / model.header->feature_count;
    float *scores = calloc(row_count * model.header->output_count, sizeof *scores);
    float *scratch = calloc(csn_trees_scratch_count(&model), sizeof *scratch);
    FILE *target = fopen(arguments[4], "wb");
    if (scores == NULL || scratch == NULL || target == NULL) {
        return 2;
    }
    csn_trees_score(&model, rows, row_count, scratch, scores);
    size_t score_count = row_count * model.header->output_count;
    bool is_written = fwrite(scores, sizeof *scores, score_count, target) == score_count;
    free(text);
    free(image);
    free(rows);
    free(scores);
    free(scratch);
    return fclose(target) == 0 && is_written ? 0 : 2;
}
