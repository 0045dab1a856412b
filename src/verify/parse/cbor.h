/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cbor.h: strict CBOR (RFC 8949), read in place.
 *
 * A document is checked as a whole before anything of it is used: one item with nothing behind it,
 * definite lengths, arguments in their shortest form, text in UTF-8, at most CSV_CBOR_DEPTH_MAX
 * containers in each other, map keys that are integers or strings and unlike each other. Floats and
 * simple values other than false, true and null are refused: no evidence has them. Keys may stand
 * in any order: real documents sort them in none.
 *
 * Items are borrowed bytes. Every function checks bounds by itself, too.
 */
#ifndef CSV_VERIFY_CBOR_H
#define CSV_VERIFY_CBOR_H

#include "verify/parse/read.h"

#define CSV_CBOR_DEPTH_MAX 8
#define CSV_CBOR_KEYS_MAX  64 /* in one map */

enum csv_cbor_kind { /* the major types */
                     CSV_CBOR_UINT = 0,
                     CSV_CBOR_NINT = 1,
                     CSV_CBOR_BYTES = 2,
                     CSV_CBOR_TEXT = 3,
                     CSV_CBOR_ARRAY = 4,
                     CSV_CBOR_MAP = 5,
                     CSV_CBOR_TAG = 6,
                     CSV_CBOR_SIMPLE = 7,
};

#define CSV_CBOR_FALSE 20
#define CSV_CBOR_TRUE  21
#define CSV_CBOR_NULL  22

struct csv_cbor {
    uint8_t kind;           /* enum csv_cbor_kind */
    uint64_t number;        /* NINT: of -1 - number; strings: bytes; ARRAY, MAP: items, pairs */
    struct csv_bytes bytes; /* strings: what they hold; ARRAY, MAP, TAG: the items inside */
    struct csv_bytes whole; /* the item as it stands in the document */
};

/* The one item of a document, and all in it, checked. *why (static) says what is wrong. */
bool csv_cbor_open(struct csv_bytes document, struct csv_cbor *item, const char **why);

/* The next item of a run of them; false, and the reader failed, if there is none. */
bool csv_cbor_next(struct csv_reader *reader, struct csv_cbor *item);
/* The items inside an array, a map (key, value, key, …) or a tag. */
static inline struct csv_reader csv_cbor_inside(const struct csv_cbor *container)
{
    return csv_read(container->bytes);
}

/* The value of a map's key; false: not a map, or no such key. */
bool csv_cbor_at(const struct csv_cbor *map, int64_t key, struct csv_cbor *value);
bool csv_cbor_named(const struct csv_cbor *map, const char *key, struct csv_cbor *value);

/* Writes the head of an item of this kind: 1 to 9 bytes, in the shortest form. Returns how many. */
size_t csv_cbor_head(unsigned kind, uint64_t number, uint8_t head[9]);

/* An integer that fits. */
bool csv_cbor_integer(const struct csv_cbor *item, int64_t *number);
/* A text that is this one. */
bool csv_cbor_says(const struct csv_cbor *item, const char *text);
static inline bool csv_cbor_is_null(const struct csv_cbor *item)
{
    return item->kind == CSV_CBOR_SIMPLE && item->number == CSV_CBOR_NULL;
}

#endif
