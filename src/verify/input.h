/* SPDX-License-Identifier: Apache-2.0 */
/* input.h: the inside of an input. Parts are borrowed bytes; all of them are hostile. */
#ifndef CSV_VERIFY_INPUT_H
#define CSV_VERIFY_INPUT_H

#include <caisson/verify.h>

#define CSV_TEST_ROOT_COUNT_MAX 8

/* A run of foreign bytes. */
struct csv_bytes {
    const uint8_t *at;
    size_t size;
};

struct csv_part {
    uint32_t kind; /* enum csv_part_kind */
    const char *name;
    struct csv_bytes bytes;
};

struct csv_input {
    size_t part_count;
    struct csv_part parts[CSV_PART_COUNT_MAX];
    bool time_given;
    int64_t time; /* seconds since 1970 */
    size_t nonce_size;
    uint8_t nonce[CSV_NONCE_SIZE_MAX];
    bool report_data_given;
    uint8_t report_data[64];
    size_t test_root_count;
    uint8_t test_roots[CSV_TEST_ROOT_COUNT_MAX][32];
};

/* The index-th part of a kind, counted from 0; NULL if there is none. */
const struct csv_part *csv_part(const struct csv_input *input, uint32_t kind, size_t index);
/* The only part of a kind with that name; NULL if there is none. */
const struct csv_part *csv_part_named(const struct csv_input *input, uint32_t kind,
                                      const char *name);

#endif
