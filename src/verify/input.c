/* SPDX-License-Identifier: Apache-2.0 */
/* input.c: see verify.h and input.h. */
#include "verify/input.h"
#include <stdlib.h>
#include <string.h>

csn_err csv_input_create(struct csv_input **input)
{
    if (input == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    *input = calloc(1, sizeof **input);
    return *input != NULL ? CSN_OK : CSN_ERR_MEMORY;
}

void csv_input_free(struct csv_input *input)
{
    free(input);
}

csn_err csv_input_add(struct csv_input *input, uint32_t part, const char *name, const void *bytes,
                      size_t size)
{
    if (input == NULL || bytes == NULL || part < CSV_PART_EVIDENCE || part > CSV_PART_TD_QUOTE) {
        return CSN_ERR_ARGUMENT;
    }
    if (input->part_count == CSV_PART_COUNT_MAX || size > CSV_PART_SIZE_MAX) {
        return CSN_ERR_LIMIT;
    }
    input->parts[input->part_count++] =
        (struct csv_part){.kind = part, .name = name, .bytes = {bytes, size}};
    return CSN_OK;
}

void csv_input_set_time(struct csv_input *input, int64_t unix_seconds)
{
    input->time_given = true;
    input->time = unix_seconds;
}

csn_err csv_input_set_nonce(struct csv_input *input, const void *nonce, size_t size)
{
    if (input == NULL || nonce == NULL || size == 0 || size > sizeof input->nonce) {
        return CSN_ERR_ARGUMENT;
    }
    memcpy(input->nonce, nonce, size);
    input->nonce_size = size;
    return CSN_OK;
}

csn_err csv_input_set_report_data(struct csv_input *input, const void *report_data, size_t size)
{
    if (input == NULL || report_data == NULL || size != sizeof input->report_data) {
        return CSN_ERR_ARGUMENT;
    }
    memcpy(input->report_data, report_data, size);
    input->report_data_given = true;
    return CSN_OK;
}

csn_err csv_input_trust_test_root_insecure(struct csv_input *input, const uint8_t spki_sha256[32])
{
    if (input == NULL || spki_sha256 == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (input->test_root_count == CSV_TEST_ROOT_COUNT_MAX) {
        return CSN_ERR_LIMIT;
    }
    memcpy(input->test_roots[input->test_root_count++], spki_sha256, 32);
    return CSN_OK;
}

const struct csv_part *csv_part(const struct csv_input *input, uint32_t kind, size_t index)
{
    for (size_t i = 0; i < input->part_count; i++) {
        if (input->parts[i].kind == kind && index-- == 0) {
            return &input->parts[i];
        }
    }
    return NULL;
}

const struct csv_part *csv_part_named(const struct csv_input *input, uint32_t kind,
                                      const char *name)
{
    for (size_t i = 0; i < input->part_count; i++) {
        const struct csv_part *part = &input->parts[i];
        if (part->kind == kind && part->name != NULL && strcmp(part->name, name) == 0) {
            return part;
        }
    }
    return NULL;
}
