/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_json.c: strict RFC 8259 reader that keeps source offsets, and the string escapes.
 *
 * Recursive, because depth is bounded at 64 and this is not trusted code. Faults are found in byte
 * order: the first one decides the status.
 */
#include "reference/reference_parts.h"

#include <stdlib.h>
#include <string.h>

static int32_t read_value(struct csr_json *json, unsigned depth);

void csr_bytes_put(struct csr_bytes *bytes, const void *data, size_t size)
{
    if (bytes->failed) {
        return;
    }
    if (bytes->size + size > bytes->capacity) {
        size_t capacity = (bytes->size + size) * 2 + 64;
        uint8_t *grown = realloc(bytes->data, capacity);
        if (grown == NULL) {
            bytes->failed = true;
            return;
        }
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    if (size > 0) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
}

void csr_bytes_put_text(struct csr_bytes *bytes, const char *text)
{
    csr_bytes_put(bytes, text, strlen(text));
}

void csr_bytes_free(struct csr_bytes *bytes)
{
    if (bytes->data != NULL) {
        OPENSSL_cleanse(bytes->data, bytes->capacity);
    }
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

static int32_t fail(struct csr_json *json, enum csn_wire_status status, size_t offset)
{
    if (json->status == CSN_WIRE_STATUS_OK) {
        json->status = status;
        json->offset = offset;
    }
    return -1;
}

static int32_t malformed(struct csr_json *json)
{
    return fail(json, CSN_WIRE_STATUS_MALFORMED, json->offset);
}

bool csr_json_skip(struct csr_json *json)
{
    bool line_feed = false;
    while (json->offset < json->size && strchr(" \t\r\n", json->text[json->offset]) != NULL &&
           json->text[json->offset] != 0) {
        line_feed = line_feed || json->text[json->offset] == '\n';
        json->offset++;
    }
    return line_feed;
}

/* ---- strings ---- */
static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Four hex digits at offset, or -1. */
static int32_t hex_unit(const uint8_t *text, size_t size, size_t offset)
{
    int32_t unit = 0;
    for (size_t index = 0; index < 4; index++) {
        int digit = offset + index < size ? hex_value(text[offset + index]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static void put_code_point(struct csr_bytes *target, uint32_t point)
{
    uint8_t out[4];
    size_t size = 0;
    if (point < 0x80) {
        out[size++] = (uint8_t)point;
    } else if (point < 0x800) {
        out[size++] = (uint8_t)(0xc0 | point >> 6);
        out[size++] = (uint8_t)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        out[size++] = (uint8_t)(0xe0 | point >> 12);
        out[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[size++] = (uint8_t)(0x80 | (point & 0x3f));
    } else {
        out[size++] = (uint8_t)(0xf0 | point >> 18);
        out[size++] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        out[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[size++] = (uint8_t)(0x80 | (point & 0x3f));
    }
    csr_bytes_put(target, out, size);
}

/* The escape at offset (its backslash): bytes used, 0 = not valid. */
static size_t decode_escape(const uint8_t *text, size_t size, size_t offset,
                            struct csr_bytes *target)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    if (offset + 1 >= size) {
        return 0;
    }
    if (text[offset + 1] != 'u') {
        const char *letter = text[offset + 1] == 0 ? NULL : strchr(letters, text[offset + 1]);
        if (letter == NULL) {
            return 0;
        }
        csr_bytes_put(target, &values[letter - letters], 1);
        return 2;
    }
    int32_t unit = hex_unit(text, size, offset + 2);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff)) {
        return 0;
    }
    if (unit < 0xd800 || unit > 0xdbff) {
        put_code_point(target, (uint32_t)unit);
        return 6;
    }
    if (offset + 7 >= size || text[offset + 6] != '\\' || text[offset + 7] != 'u') {
        return 0;
    }
    int32_t low = hex_unit(text, size, offset + 8);
    if (low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    put_code_point(target, 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
    return 12;
}

/* Bytes of the well-formed UTF-8 sequence at offset (Unicode table 3-7), 0 = none. */
static size_t utf8_size(const uint8_t *text, size_t size, size_t offset)
{
    uint8_t first = text[offset];
    if (first < 0x80) {
        return 1;
    }
    size_t count = first >= 0xc2 && first <= 0xdf   ? 2
                   : first >= 0xe0 && first <= 0xef ? 3
                   : first >= 0xf0 && first <= 0xf4 ? 4
                                                    : 0;
    if (count == 0 || offset + count > size) {
        return 0;
    }
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[offset + 1] < low || text[offset + 1] > high) {
        return 0;
    }
    for (size_t index = 2; index < count; index++) {
        if (text[offset + index] < 0x80 || text[offset + index] > 0xbf) {
            return 0;
        }
    }
    return count;
}

size_t csr_json_decode(const uint8_t *text, size_t size, size_t begin, struct csr_bytes *target,
                       size_t *fault)
{
    size_t offset = begin + 1;
    while (offset < size && text[offset] != '"') {
        size_t used = 0;
        if (text[offset] == '\\') {
            used = decode_escape(text, size, offset, target);
        } else if (text[offset] >= 0x20) {
            used = utf8_size(text, size, offset);
            csr_bytes_put(target, text + offset, used);
        }
        if (used == 0) {
            *fault = offset;
            return 0;
        }
        offset += used;
    }
    if (offset >= size) {
        *fault = size;
        return 0;
    }
    return offset + 1;
}

void csr_json_encode(struct csr_bytes *target, const uint8_t *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    csr_bytes_put_text(target, "\"");
    for (size_t index = 0; index < size; index++) {
        const char *found = text[index] == 0 ? NULL : strchr(special, text[index]);
        if (found != NULL) {
            char escape[2] = {'\\', letters[found - special]};
            csr_bytes_put(target, escape, 2);
        } else if (text[index] < 0x20) {
            char escape[6] = {
                '\\', 'u', '0', '0', digits[text[index] >> 4], digits[text[index] & 15]};
            csr_bytes_put(target, escape, 6);
        } else {
            csr_bytes_put(target, text + index, 1);
        }
    }
    csr_bytes_put_text(target, "\"");
}

/* ---- values ---- */
static int32_t add_value(struct csr_json *json, enum csr_kind kind)
{
    if (json->value_count == json->value_capacity) {
        uint32_t capacity = json->value_capacity * 2 + 64;
        struct csr_value *grown = realloc(json->values, capacity * sizeof *grown);
        if (grown == NULL) {
            return fail(json, CSN_WIRE_STATUS_INTERNAL, json->offset);
        }
        json->values = grown;
        json->value_capacity = capacity;
    }
    struct csr_value *value = &json->values[json->value_count];
    memset(value, 0, sizeof *value);
    value->kind = kind;
    value->begin = (uint32_t)json->offset;
    value->first_child = -1;
    value->next = -1;
    return (int32_t)json->value_count++;
}

static bool at(const struct csr_json *json, char byte)
{
    return json->offset < json->size && json->text[json->offset] == (uint8_t)byte;
}

static size_t skip_digits(struct csr_json *json)
{
    size_t begin = json->offset;
    while (json->offset < json->size && json->text[json->offset] >= '0' &&
           json->text[json->offset] <= '9') {
        json->offset++;
    }
    return json->offset - begin;
}

static int32_t read_number(struct csr_json *json)
{
    int32_t index = add_value(json, CSR_NUMBER);
    if (at(json, '-')) {
        json->offset++;
    }
    if (at(json, '0')) {
        json->offset++;
    } else if (skip_digits(json) == 0) {
        return malformed(json);
    }
    if (at(json, '.')) {
        json->offset++;
        if (skip_digits(json) == 0) {
            return malformed(json);
        }
    }
    if (at(json, 'e') || at(json, 'E')) {
        json->offset++;
        if (at(json, '+') || at(json, '-')) {
            json->offset++;
        }
        if (skip_digits(json) == 0) {
            return malformed(json);
        }
    }
    return index;
}

static int32_t read_word(struct csr_json *json, enum csr_kind kind, const char *word)
{
    size_t size = strlen(word);
    if (json->size - json->offset < size || memcmp(json->text + json->offset, word, size) != 0) {
        return malformed(json);
    }
    int32_t index = add_value(json, kind);
    json->offset += size;
    return index;
}

static int32_t read_string(struct csr_json *json)
{
    int32_t index = add_value(json, CSR_STRING);
    size_t mark = json->names.size;
    size_t fault = 0;
    size_t end = csr_json_decode(json->text, json->size, json->offset, &json->names, &fault);
    json->names.size = mark;
    if (end == 0) {
        return fail(json, CSN_WIRE_STATUS_MALFORMED, fault);
    }
    json->offset = end;
    return index;
}

static uint32_t hash_name(const uint8_t *name, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t index = 0; index < size; index++) {
        hash = (hash ^ name[index]) * 16777619u;
    }
    return hash;
}

/* Reads `"name" :` into *member; the name must be new among the children from first on. */
static bool read_name(struct csr_json *json, int32_t first, struct csr_value *member)
{
    size_t begin = json->offset;
    size_t fault = 0;
    if (!at(json, '"')) {
        malformed(json);
        return false;
    }
    member->name = (uint32_t)json->names.size;
    size_t end = csr_json_decode(json->text, json->size, begin, &json->names, &fault);
    if (end == 0) {
        fail(json, CSN_WIRE_STATUS_MALFORMED, fault);
        return false;
    }
    member->name_size = (uint32_t)(json->names.size - member->name);
    const uint8_t *name = json->names.data + member->name;
    member->name_hash = hash_name(name, member->name_size);
    for (int32_t index = first; index >= 0; index = json->values[index].next) {
        const struct csr_value *other = &json->values[index];
        if (other->name_hash == member->name_hash && other->name_size == member->name_size &&
            (member->name_size == 0 ||
             memcmp(json->names.data + other->name, name, member->name_size) == 0)) {
            fail(json, CSN_WIRE_STATUS_MALFORMED, begin);
            return false;
        }
    }
    json->offset = end;
    csr_json_skip(json);
    if (!at(json, ':')) {
        malformed(json);
        return false;
    }
    json->offset++;
    return true;
}

/* One member or element; links it after *last. */
static bool read_item(struct csr_json *json, int32_t container, int32_t *last, unsigned depth)
{
    bool object = json->values[container].kind == CSR_OBJECT;
    struct csr_value member = {.item = (uint32_t)json->offset};
    csr_json_skip(json);
    if (object && !read_name(json, json->values[container].first_child, &member)) {
        return false;
    }
    int32_t index = read_value(json, depth + 1);
    if (index < 0) {
        return false;
    }
    struct csr_value *value = &json->values[index];
    value->item = member.item;
    value->name = member.name;
    value->name_size = member.name_size;
    value->name_hash = member.name_hash;
    if (*last < 0) {
        json->values[container].first_child = index;
    } else {
        json->values[*last].next = index;
    }
    *last = index;
    return true;
}

static int32_t read_container(struct csr_json *json, unsigned depth)
{
    bool object = at(json, '{');
    char close = object ? '}' : ']';
    if (depth >= CSR_DEPTH_MAX) {
        return fail(json, CSN_WIRE_STATUS_LIMIT, json->offset);
    }
    int32_t index = add_value(json, object ? CSR_OBJECT : CSR_ARRAY);
    if (index < 0) {
        return -1;
    }
    size_t inside = ++json->offset;
    csr_json_skip(json);
    if (at(json, close)) {
        json->offset++;
        return index;
    }
    json->offset = inside;
    for (int32_t last = -1;;) {
        if (!read_item(json, index, &last, depth)) {
            return -1;
        }
        csr_json_skip(json);
        if (at(json, close)) {
            json->offset++;
            return index;
        }
        if (!at(json, ',')) {
            return malformed(json);
        }
        json->offset++;
    }
}

static int32_t read_value(struct csr_json *json, unsigned depth)
{
    csr_json_skip(json);
    if (json->offset >= json->size) {
        return malformed(json);
    }
    int32_t index = -1;
    switch (json->text[json->offset]) {
    case '{':
    case '[':
        index = read_container(json, depth);
        break;
    case '"':
        index = read_string(json);
        break;
    case 't':
        index = read_word(json, CSR_BOOLEAN, "true");
        break;
    case 'f':
        index = read_word(json, CSR_BOOLEAN, "false");
        break;
    case 'n':
        index = read_word(json, CSR_NULL, "null");
        break;
    default:
        index = read_number(json);
        break;
    }
    if (index >= 0) {
        json->values[index].end = (uint32_t)json->offset;
    }
    return index;
}

int32_t csr_json_read(struct csr_json *json)
{
    return read_value(json, 0);
}
