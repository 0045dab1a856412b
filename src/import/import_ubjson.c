/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_ubjson.c: XGBoost's document from UBJSON. What XGBoost does not write (characters, big
 * numbers, no-ops, objects with a count, lists of nothing) is refused. A number that is NaN becomes
 * an empty string, as in import_json.c.
 */
#include "import_xgboost.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  0x40000000u
#define DEPTH_MAX 32u

/* An open list or object. */
struct level {
    cJSON *container;
    size_t left; /* items to come, of a list with a count */
    bool is_counted;
    uint8_t type; /* of all its items; 0: each says its own */
};

struct reader {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    struct level levels[DEPTH_MAX];
    uint32_t depth;
};

/* Bytes of a number of this type; 0: no number. */
static size_t number_size(uint8_t type)
{
    switch (type) {
    case 'i':
    case 'U':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static bool read_byte(struct reader *reader, uint8_t *byte)
{
    if (reader->at == reader->size) {
        return false;
    }
    *byte = reader->bytes[reader->at++];
    return true;
}

static bool take(struct reader *reader, uint8_t byte)
{
    bool is_there = reader->at < reader->size && reader->bytes[reader->at] == byte;
    reader->at += is_there;
    return is_there;
}

static bool read_number(struct reader *reader, uint8_t type, double *number)
{
    const size_t size = number_size(type);
    uint64_t bits = 0;
    if (size == 0 || reader->size - reader->at < size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | reader->bytes[reader->at++];
    }
    if (type == 'd') {
        float single;
        const uint32_t low = (uint32_t)bits;
        memcpy(&single, &low, sizeof single);
        *number = single;
    } else if (type == 'D') {
        memcpy(number, &bits, sizeof *number);
    } else if (type == 'U') {
        *number = (double)bits;
    } else { /* the sign is the highest of its bits */
        const unsigned spare = 64 - 8 * (unsigned)size;
        *number = (double)((int64_t)(bits << spare) >> spare);
    }
    return true;
}

/* A length or a count: an integer with its type before it, of things of at least one byte. */
static bool read_length(struct reader *reader, size_t item_size, size_t *length)
{
    uint8_t type = 0;
    double number = 0;
    if (!read_byte(reader, &type) || type == 'd' || type == 'D' ||
        !read_number(reader, type, &number) || number < 0 ||
        number > (double)((reader->size - reader->at) / item_size)) {
        return false;
    }
    *length = (size_t)number;
    return true;
}

/* A string with its end; NULL also for one with a zero byte in it. */
static char *read_string(struct reader *reader)
{
    size_t length = 0;
    if (!read_length(reader, 1, &length) || memchr(reader->bytes + reader->at, 0, length) != NULL) {
        return NULL;
    }
    char *text = malloc(length + 1);
    if (text != NULL) {
        memcpy(text, reader->bytes + reader->at, length);
        text[length] = '\0';
        reader->at += length;
    }
    return text;
}

static cJSON *make_string(struct reader *reader)
{
    char *text = read_string(reader);
    cJSON *item = text != NULL ? cJSON_CreateString(text) : NULL;
    free(text);
    return item;
}

/* What stands behind [ or {, up to its first item. */
static cJSON *open_container(struct reader *reader, uint8_t type)
{
    struct level level = {0};
    if (reader->depth == DEPTH_MAX) {
        return NULL;
    }
    if (type == '[' && take(reader, '$') &&
        (!read_byte(reader, &level.type) || number_size(level.type) == 0 ||
         reader->at == reader->size || reader->bytes[reader->at] != '#')) {
        return NULL;
    }
    if (type == '[' && take(reader, '#')) {
        const size_t item_size = level.type != 0 ? number_size(level.type) : 1;
        level.is_counted = true;
        if (!read_length(reader, item_size, &level.left)) {
            return NULL;
        }
    }
    level.container = type == '[' ? cJSON_CreateArray() : cJSON_CreateObject();
    if (level.container != NULL) {
        reader->levels[reader->depth++] = level;
    }
    return level.container;
}

static cJSON *read_value(struct reader *reader, uint8_t type)
{
    double number = 0;
    switch (type) {
    case '[':
    case '{':
        return open_container(reader, type);
    case 'S':
        return make_string(reader);
    case 'T':
        return cJSON_CreateTrue();
    case 'F':
        return cJSON_CreateFalse();
    case 'Z':
        return cJSON_CreateNull();
    default:
        if (!read_number(reader, type, &number)) {
            return NULL;
        }
        return isnan(number) ? cJSON_CreateString("") : cJSON_CreateNumber(number);
    }
}

static bool is_at_end(struct reader *reader, struct level *level)
{
    if (level->is_counted) {
        return level->left == 0;
    }
    return take(reader, cJSON_IsArray(level->container) ? ']' : '}');
}

/* One item of the innermost container. What it opens becomes the innermost. */
static bool read_item(struct reader *reader, struct level *level)
{
    cJSON *container = level->container;
    char *name = cJSON_IsObject(container) ? read_string(reader) : NULL;
    uint8_t type = level->type;
    cJSON *item = NULL;
    level->left -= level->is_counted;
    if ((name != NULL) == cJSON_IsObject(container) && (type != 0 || read_byte(reader, &type))) {
        item = read_value(reader, type);
    }
    bool is_added = item != NULL && (name != NULL ? cJSON_AddItemToObject(container, name, item)
                                                  : cJSON_AddItemToArray(container, item));
    if (item != NULL && !is_added) {
        cJSON_Delete(item);
    }
    free(name);
    return is_added;
}

/* All of the bytes, which are one object; in any case what was read, for the caller to delete. */
static bool read_document(struct reader *reader, cJSON **root)
{
    if (!take(reader, '{')) {
        return false;
    }
    *root = open_container(reader, '{');
    if (*root == NULL) {
        return false;
    }
    while (reader->depth != 0) {
        struct level *level = &reader->levels[reader->depth - 1];
        if (is_at_end(reader, level)) {
            reader->depth--;
        } else if (!read_item(reader, level)) {
            return false;
        }
    }
    return reader->at == reader->size;
}

csn_err csn_import_xgboost_ubjson(const void *bytes, size_t bytes_size, void **image, size_t *size,
                                  struct csn_import_fault *fault)
{
    struct csn_import import = {.fault = fault};
    struct reader reader = {.bytes = bytes, .size = bytes_size};
    cJSON *root = NULL;
    csn_err err = CSN_OK;
    if (bytes_size > TEXT_MAX) {
        err = csn_import_fail(&import, CSN_IMPORT_LIMIT, "size of the text");
    } else if (!read_document(&reader, &root)) {
        err = csn_import_fail(&import, CSN_IMPORT_SYNTAX, "offset %zu", reader.at);
    } else {
        err = csn_import_xgboost_document(&import, root);
    }
    if (err == CSN_OK) {
        err = csn_import_finish(&import, image, size);
    }
    cJSON_Delete(root);
    csn_import_wipe(&import);
    return err;
}
