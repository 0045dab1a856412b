/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.h: a cursor over foreign bytes. Reading beyond the end returns zeros and sets `failed` for
 * good, so that a parser reads its fields in a row and asks once.
 */
#ifndef CSV_VERIFY_READ_H
#define CSV_VERIFY_READ_H

#include "verify/input.h"
#include <string.h>

struct csv_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static inline struct csv_reader csv_read(struct csv_bytes bytes)
{
    return (struct csv_reader){.at = bytes.at, .left = bytes.size};
}

/* The next size bytes; NULL beyond the end. */
static inline const uint8_t *csv_read_bytes(struct csv_reader *reader, size_t size)
{
    if (reader->failed || size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += size;
    reader->left -= size;
    return at;
}

static inline struct csv_bytes csv_read_run(struct csv_reader *reader, size_t size)
{
    const uint8_t *at = csv_read_bytes(reader, size);
    return (struct csv_bytes){at, at != NULL ? size : 0};
}

static inline uint64_t csv_read_le(struct csv_reader *reader, unsigned size)
{
    const uint8_t *at = csv_read_bytes(reader, size);
    uint64_t value = 0;
    for (unsigned i = 0; at != NULL && i < size; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static inline uint64_t csv_read_be(struct csv_reader *reader, unsigned size)
{
    const uint8_t *at = csv_read_bytes(reader, size);
    uint64_t value = 0;
    for (unsigned i = 0; at != NULL && i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* Little-endian fields at fixed offsets of a structure whose size was checked. */
static inline uint64_t csv_le(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static inline bool csv_is_zero(const uint8_t *at, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= at[i];
    }
    return any == 0;
}

#endif
