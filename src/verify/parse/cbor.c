/* SPDX-License-Identifier: Apache-2.0 */
/* cbor.c: see cbor.h. */
#include "verify/parse/cbor.h"

/* Major type and argument, in the shortest form; simple values are false, true and null. */
static bool read_head(struct csv_reader *reader, uint8_t *kind, uint64_t *number)
{
    uint64_t first = csv_read_be(reader, 1);
    unsigned info = first & 31;
    *kind = (uint8_t)(first >> 5);
    *number = info;
    if (reader->failed) {
        return false;
    }
    if (*kind == CSV_CBOR_SIMPLE) {
        return info >= CSV_CBOR_FALSE && info <= CSV_CBOR_NULL;
    }
    if (info < 24) {
        return true;
    }
    if (info > 27) {
        return false; /* reserved, or an indefinite length */
    }
    unsigned size = 1u << (info - 24);
    *number = csv_read_be(reader, size);
    uint64_t least = size == 1 ? 24 : UINT64_C(1) << (4 * size);
    return !reader->failed && *number >= least;
}

size_t csv_cbor_head(unsigned kind, uint64_t number, uint8_t head[9])
{
    unsigned code = 0; /* 1 to 4: an argument of 1, 2, 4 or 8 bytes */
    while (code < 4 && number >= 24 && (code == 0 || number >> (4u << code) != 0)) {
        code++;
    }
    size_t size = code == 0 ? 0 : (size_t)1 << (code - 1);
    head[0] = (uint8_t)(kind << 5 | (code == 0 ? (unsigned)number : 23 + code));
    for (size_t i = 0; i < size; i++) {
        head[1 + i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    return 1 + size;
}

static bool is_string(uint8_t kind)
{
    return kind == CSV_CBOR_BYTES || kind == CSV_CBOR_TEXT;
}

/* How many items stand right inside one with this head. */
static bool count_inside(uint8_t kind, uint64_t number, size_t left, uint64_t *count)
{
    *count = kind == CSV_CBOR_ARRAY ? number
             : kind == CSV_CBOR_TAG ? 1
             : kind == CSV_CBOR_MAP ? number * 2
                                    : 0;
    /* Each takes a byte at least; a count that overflows is far beyond that as well. */
    return number <= left || (kind != CSV_CBOR_ARRAY && kind != CSV_CBOR_MAP);
}

/* Over count items and all that is in them. */
static bool skip(struct csv_reader *reader, uint64_t count)
{
    while (count != 0) {
        uint8_t kind;
        uint64_t number;
        uint64_t inside;
        if (!read_head(reader, &kind, &number) ||
            !count_inside(kind, number, reader->left, &inside)) {
            return false;
        }
        if (is_string(kind) && (number > reader->left || csv_read_bytes(reader, number) == NULL)) {
            return false;
        }
        count += inside - 1;
        if (count > reader->left) {
            return false;
        }
    }
    return true;
}

bool csv_cbor_next(struct csv_reader *reader, struct csv_cbor *item)
{
    const uint8_t *start = reader->at;
    uint64_t inside = 0;
    *item = (struct csv_cbor){0};
    bool good = read_head(reader, &item->kind, &item->number) &&
                count_inside(item->kind, item->number, reader->left, &inside);
    const uint8_t *content = reader->at;
    if (good && is_string(item->kind)) {
        good = item->number <= reader->left && csv_read_bytes(reader, item->number) != NULL;
    } else {
        good = good && skip(reader, inside);
    }
    if (!good) {
        reader->failed = true;
        return false;
    }
    item->bytes = (struct csv_bytes){content, (size_t)(reader->at - content)};
    item->whole = (struct csv_bytes){start, (size_t)(reader->at - start)};
    return true;
}

/* Size of the UTF-8 sequence that starts here; 0: not one (Unicode, table 3-7). */
static size_t utf8_size(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 1) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4 || left < size) {
        return 0;
    }
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    bool good = at[1] >= low && at[1] <= high;
    for (size_t i = 2; i < size; i++) {
        good = good && (at[i] & 0xc0) == 0x80;
    }
    return good ? size : 0;
}

static bool is_utf8(struct csv_bytes text)
{
    while (text.size != 0) {
        size_t size = utf8_size(text.at, text.size);
        if (size == 0) {
            return false;
        }
        text.at += size;
        text.size -= size;
    }
    return true;
}

/* In their shortest form equal keys are equal bytes. */
static const char *keys_fault(const struct csv_cbor *map)
{
    struct csv_bytes keys[CSV_CBOR_KEYS_MAX];
    struct csv_reader reader = csv_cbor_inside(map);
    if (map->number > CSV_CBOR_KEYS_MAX) {
        return "a map with too many keys";
    }
    for (size_t i = 0; i < map->number; i++) {
        struct csv_cbor key;
        struct csv_cbor value;
        if (!csv_cbor_next(&reader, &key) || !csv_cbor_next(&reader, &value)) {
            return "not CBOR";
        }
        if (key.kind > CSV_CBOR_TEXT) {
            return "a map key that is neither integer nor string";
        }
        keys[i] = key.whole;
        for (size_t k = 0; k < i; k++) {
            if (keys[k].size == keys[i].size && memcmp(keys[k].at, keys[i].at, keys[i].size) == 0) {
                return "a map has the same key twice";
            }
        }
    }
    return NULL;
}

/* One item, without what is in it. */
static const char *item_fault(const struct csv_cbor *item)
{
    if (item->kind == CSV_CBOR_TEXT && !is_utf8(item->bytes)) {
        return "text that is not UTF-8";
    }
    return item->kind == CSV_CBOR_MAP ? keys_fault(item) : NULL;
}

/* All items inside, down to the depth allowed. */
static const char *inside_fault(const struct csv_cbor *root)
{
    struct csv_reader open[CSV_CBOR_DEPTH_MAX];
    size_t depth = 0;
    struct csv_cbor item = *root;
    for (;;) {
        const char *fault = item_fault(&item);
        if (fault != NULL) {
            return fault;
        }
        if (item.kind == CSV_CBOR_ARRAY || item.kind == CSV_CBOR_MAP || item.kind == CSV_CBOR_TAG) {
            if (depth == CSV_CBOR_DEPTH_MAX) {
                return "too many containers in each other";
            }
            open[depth++] = csv_cbor_inside(&item);
        }
        while (depth != 0 && open[depth - 1].left == 0) {
            depth--;
        }
        if (depth == 0) {
            return NULL;
        }
        if (!csv_cbor_next(&open[depth - 1], &item)) {
            return "not CBOR";
        }
    }
}

bool csv_cbor_open(struct csv_bytes document, struct csv_cbor *item, const char **why)
{
    struct csv_reader reader = csv_read(document);
    *why = NULL;
    if (!csv_cbor_next(&reader, item)) {
        *why = "not CBOR with definite lengths in their shortest form";
    } else if (reader.left != 0) {
        *why = "something follows";
    } else {
        *why = inside_fault(item);
    }
    return *why == NULL;
}

/* Is this key of a map the one sought? */
typedef bool key_match(const struct csv_cbor *key, const void *sought);

static bool find(const struct csv_cbor *map, key_match *match, const void *sought,
                 struct csv_cbor *value)
{
    struct csv_reader reader = csv_cbor_inside(map);
    *value = (struct csv_cbor){0};
    for (uint64_t i = 0; map->kind == CSV_CBOR_MAP && i < map->number; i++) {
        struct csv_cbor key;
        if (!csv_cbor_next(&reader, &key) || !csv_cbor_next(&reader, value)) {
            return false;
        }
        if (match(&key, sought)) {
            return true;
        }
    }
    return false;
}

static bool match_number(const struct csv_cbor *key, const void *sought)
{
    int64_t number;
    return csv_cbor_integer(key, &number) && number == *(const int64_t *)sought;
}

static bool match_text(const struct csv_cbor *key, const void *sought)
{
    return csv_cbor_says(key, sought);
}

bool csv_cbor_at(const struct csv_cbor *map, int64_t key, struct csv_cbor *value)
{
    return find(map, match_number, &key, value);
}

bool csv_cbor_named(const struct csv_cbor *map, const char *key, struct csv_cbor *value)
{
    return find(map, match_text, key, value);
}

bool csv_cbor_integer(const struct csv_cbor *item, int64_t *number)
{
    if (item->kind > CSV_CBOR_NINT || item->number > INT64_MAX) {
        return false;
    }
    *number = item->kind == CSV_CBOR_UINT ? (int64_t)item->number : -1 - (int64_t)item->number;
    return true;
}

bool csv_cbor_says(const struct csv_cbor *item, const char *text)
{
    return item->kind == CSV_CBOR_TEXT && item->bytes.size == strlen(text) &&
           memcmp(item->bytes.at, text, item->bytes.size) == 0;
}
