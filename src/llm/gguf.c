/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.c: GGUF's header, keys and values. Every size is checked against what is left of the file.
 */
#include "gguf.h"

#define GGUF_MAGIC     0x46554747u /* "GGUF" */
#define ALIGNMENT_KEY  "general.alignment"
#define ALIGNMENT      32u
#define DIMENSION_MAX  UINT64_C(0x80000000)
#define DIMENSIONS_MAX 4u

/* Where in the file reading is; `at` never goes beyond the end. */
struct reader {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t at;
};

static const uint8_t type_sizes[CSN_GGUF_TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

static uint64_t number_at(const uint8_t *bytes, uint32_t size)
{
    uint64_t number = 0;
    __builtin_memcpy(&number, bytes, size <= sizeof number ? size : sizeof number);
    return number;
}

/* A number of 4 or 8 bytes. */
static bool take_number(struct reader *reader, uint32_t size, uint64_t *number)
{
    if (reader->size - reader->at < size) {
        return false;
    }
    *number = number_at(reader->bytes + reader->at, size);
    reader->at += size;
    return true;
}

static bool take_bytes(struct reader *reader, uint64_t size, const uint8_t **bytes)
{
    if (reader->size - reader->at < size) {
        return false;
    }
    *bytes = reader->bytes + reader->at;
    reader->at += size;
    return true;
}

static bool take_string(struct reader *reader, const uint8_t **text, uint64_t *size)
{
    return take_number(reader, 8, size) && take_bytes(reader, *size, text);
}

/* A string or number of a type that is known to be one. */
static bool take_scalar(struct reader *reader, enum csn_gguf_type type,
                        struct csn_gguf_value *value)
{
    *value = (struct csn_gguf_value){.type = type, .count = 1, .size = type_sizes[type]};
    if (type == CSN_GGUF_STRING) {
        return take_string(reader, &value->bytes, &value->size);
    }
    return take_bytes(reader, value->size, &value->bytes) &&
           (type != CSN_GGUF_BOOL || value->bytes[0] <= 1);
}

static bool is_scalar(uint64_t type)
{
    return type < CSN_GGUF_TYPE_COUNT && type != CSN_GGUF_ARRAY;
}

static bool take_array(struct reader *reader, struct csn_gguf_value *value)
{
    uint64_t element = 0;
    uint64_t count = 0;
    if (!take_number(reader, 4, &element) || !is_scalar(element) ||
        !take_number(reader, 8, &count)) {
        return false;
    }
    *value = (struct csn_gguf_value){.type = CSN_GGUF_ARRAY,
                                     .element = (enum csn_gguf_type)element,
                                     .count = count,
                                     .bytes = reader->bytes + reader->at};
    const uint64_t start = reader->at;
    if (element == CSN_GGUF_STRING || element == CSN_GGUF_BOOL) {
        struct csn_gguf_value each;
        for (uint64_t i = 0; i < count; i++) {
            if (!take_scalar(reader, (enum csn_gguf_type)element, &each)) {
                return false;
            }
        }
    } else {
        const uint8_t *bytes;
        if (count > reader->size / type_sizes[element] ||
            !take_bytes(reader, count * type_sizes[element], &bytes)) {
            return false;
        }
    }
    value->size = reader->at - start;
    return true;
}

static bool take_value(struct reader *reader, struct csn_gguf_value *value)
{
    uint64_t type = 0;
    if (!take_number(reader, 4, &type)) {
        return false;
    }
    return type == CSN_GGUF_ARRAY
               ? take_array(reader, value)
               : is_scalar(type) && take_scalar(reader, (enum csn_gguf_type)type, value);
}

static bool take_key(struct reader *reader, const uint8_t **key, uint64_t *size)
{
    return take_string(reader, key, size) && *size > 0 && *size <= CSN_GGUF_KEY_SIZE_MAX;
}

void csn_gguf_key(const struct csn_gguf *file, uint32_t index, const uint8_t **key, uint64_t *size,
                  struct csn_gguf_value *value)
{
    struct reader reader = {file->bytes, file->size, file->keys[index]};
    if (!take_key(&reader, key, size) || !take_value(&reader, value)) {
        *size = 0; /* cannot be: all of it was read before */
    }
}

static bool find(const struct csn_gguf *file, const uint8_t *key, uint64_t size, uint32_t *index)
{
    for (uint32_t i = 0; i < file->key_count; i++) {
        struct reader reader = {file->bytes, file->size, file->keys[i]};
        const uint8_t *other;
        uint64_t other_size;
        if (take_key(&reader, &other, &other_size) && other_size == size &&
            __builtin_memcmp(other, key, size) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* An image has no strlen(). */
static uint64_t text_size(const char *text)
{
    uint64_t size = 0;
    while (size <= CSN_GGUF_KEY_SIZE_MAX && text[size] != '\0') {
        size++;
    }
    return size;
}

bool csn_gguf_find(const struct csn_gguf *file, const char *key, struct csn_gguf_value *value)
{
    uint32_t index;
    const uint8_t *found;
    uint64_t size = text_size(key);
    if (!find(file, (const uint8_t *)key, size, &index)) {
        return false;
    }
    csn_gguf_key(file, index, &found, &size, value);
    return true;
}

bool csn_gguf_next(struct csn_gguf_value *array, struct csn_gguf_value *element)
{
    struct reader reader = {array->bytes, array->size, 0};
    if (array->type != CSN_GGUF_ARRAY || array->count == 0 ||
        !take_scalar(&reader, array->element, element)) {
        return false;
    }
    array->bytes += reader.at;
    array->size -= reader.at;
    array->count--;
    return true;
}

bool csn_gguf_integer(const struct csn_gguf_value *value, int64_t *number)
{
    const uint32_t spare = 64 - 8 * (uint32_t)(value->size & 15); /* only where it is a number */
    uint64_t bits;
    switch (value->type) {
    case CSN_GGUF_UINT8:
    case CSN_GGUF_UINT16:
    case CSN_GGUF_UINT32:
    case CSN_GGUF_UINT64:
        bits = number_at(value->bytes, (uint32_t)value->size);
        if (bits > INT64_MAX) {
            return false;
        }
        *number = (int64_t)bits;
        return true;
    case CSN_GGUF_INT8:
    case CSN_GGUF_INT16:
    case CSN_GGUF_INT32:
    case CSN_GGUF_INT64:
        bits = number_at(value->bytes, (uint32_t)value->size);
        *number = (int64_t)(bits << spare) >> spare;
        return true;
    default:
        return false;
    }
}

bool csn_gguf_bool(const struct csn_gguf_value *value, bool *truth)
{
    if (value->type != CSN_GGUF_BOOL) {
        return false;
    }
    *truth = value->bytes[0] != 0;
    return true;
}

bool csn_gguf_float(const struct csn_gguf_value *value, double *number)
{
    float single;
    if (value->type == CSN_GGUF_FLOAT64) {
        __builtin_memcpy(number, value->bytes, sizeof *number);
        return true;
    }
    if (value->type == CSN_GGUF_FLOAT32) {
        __builtin_memcpy(&single, value->bytes, sizeof single);
        *number = (double)single;
        return true;
    }
    return false;
}

bool csn_gguf_is(const struct csn_gguf_value *value, const char *text)
{
    return value->type == CSN_GGUF_STRING && value->size == text_size(text) &&
           __builtin_memcmp(value->bytes, text, value->size) == 0;
}

/* ---- tensors ---- */

struct block {
    uint32_t type;
    uint16_t count, size;
};
static const struct block blocks[] = {
    {CSN_GGUF_F32, 1, 4},    {CSN_GGUF_F16, 1, 2},      {CSN_GGUF_Q4_0, 32, 18},
    {CSN_GGUF_Q8_0, 32, 34}, {CSN_GGUF_Q4_K, 256, 144}, {CSN_GGUF_Q6_K, 256, 210},
};

static const struct block *block_of(uint32_t type)
{
    const uint32_t plain = type >= CSN_GGUF_ARRANGED ? type - CSN_GGUF_ARRANGED : type;
    for (uint32_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (blocks[i].type == plain) {
            return &blocks[i];
        }
    }
    return NULL;
}

uint32_t csn_gguf_block_count(uint32_t type)
{
    const struct block *block = block_of(type);
    return block == NULL ? 0 : block->count;
}

uint32_t csn_gguf_block_size(uint32_t type)
{
    const struct block *block = block_of(type);
    return block == NULL ? 0 : block->size;
}

static uint64_t align(uint64_t offset, uint64_t alignment)
{
    return (offset + alignment - 1) & ~(alignment - 1);
}

static bool take_dimensions(struct reader *reader, struct csn_gguf_tensor *tensor)
{
    uint64_t count = 0;
    if (!take_number(reader, 4, &count) || count == 0 || count > DIMENSIONS_MAX) {
        return false;
    }
    tensor->dimension_count = (uint32_t)count;
    for (uint32_t i = 0; i < DIMENSIONS_MAX; i++) {
        tensor->dimensions[i] = 1;
        if (i < count && (!take_number(reader, 8, &tensor->dimensions[i]) ||
                          tensor->dimensions[i] == 0 || tensor->dimensions[i] > DIMENSION_MAX)) {
            return false;
        }
    }
    return true;
}

/* The size follows from the dimensions, whole blocks to a row; of an unknown type it cannot. */
static bool set_size(struct csn_gguf_tensor *tensor)
{
    const struct block *block = block_of(tensor->type);
    if (block == NULL || tensor->dimensions[0] % block->count != 0) {
        return false;
    }
    tensor->size = tensor->dimensions[0] / block->count * block->size;
    for (uint32_t i = 1; i < DIMENSIONS_MAX; i++) {
        if (__builtin_mul_overflow(tensor->size, tensor->dimensions[i], &tensor->size)) {
            return false;
        }
    }
    return true;
}

/* One description; its offset is still that from the beginning of the data. */
static bool take_tensor(struct reader *reader, struct csn_gguf_tensor *tensor)
{
    uint64_t size = 0;
    uint64_t type = 0;
    if (!take_string(reader, &tensor->name, &size) || size == 0 || size > CSN_GGUF_NAME_SIZE_MAX ||
        !take_dimensions(reader, tensor)) {
        return false;
    }
    tensor->name_size = (uint32_t)size;
    tensor->type_offset = reader->at;
    if (!take_number(reader, 4, &type) || !take_number(reader, 8, &tensor->offset)) {
        return false;
    }
    tensor->type = (uint32_t)type;
    return set_size(tensor);
}

bool csn_gguf_tensor(const struct csn_gguf *file, uint64_t *cursor, struct csn_gguf_tensor *tensor)
{
    struct reader reader = {file->bytes, file->data, *cursor == 0 ? file->tensors : *cursor};
    /* What is left before the data is padding. */
    if (reader.at >= file->tensors_end || !take_tensor(&reader, tensor)) {
        return false;
    }
    tensor->offset += file->data;
    *cursor = reader.at;
    return true;
}

/* ---- the whole file ---- */

static bool alignment_of(const struct csn_gguf *file, uint64_t *alignment)
{
    struct csn_gguf_value value;
    int64_t number = ALIGNMENT;
    if (csn_gguf_find(file, ALIGNMENT_KEY, &value) &&
        (value.type != CSN_GGUF_UINT32 || !csn_gguf_integer(&value, &number))) {
        return false;
    }
    *alignment = (uint64_t)number;
    return number >= 8 && number <= CSN_GGUF_ALIGNMENT_MAX && (number & (number - 1)) == 0;
}

/* On failure the reader stands where the key or value begins that is wrong. */
static csn_err read_keys(struct csn_gguf *file, struct reader *reader, uint64_t count)
{
    struct csn_gguf_value value;
    const uint8_t *key;
    uint64_t size;
    uint32_t before;
    if (count > CSN_GGUF_KEY_MAX) {
        return CSN_ERR_LIMIT;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct reader ahead = *reader;
        if (!take_key(&ahead, &key, &size) || find(file, key, size, &before) ||
            !take_value(&ahead, &value)) {
            return CSN_ERR_FORMAT;
        }
        file->keys[file->key_count++] = reader->at;
        *reader = ahead;
    }
    return CSN_OK;
}

/* Each tensor begins where the one before ended, aligned; the last one ends the file. */
static csn_err read_tensors(struct csn_gguf *file, struct reader *reader, uint64_t count)
{
    struct csn_gguf_tensor tensor;
    uint64_t alignment = 0;
    uint64_t end = 0;
    if (count > CSN_GGUF_TENSOR_MAX) {
        return CSN_ERR_LIMIT;
    }
    if (!alignment_of(file, &alignment)) {
        return CSN_ERR_FORMAT;
    }
    file->tensors = reader->at;
    for (uint64_t i = 0; i < count; i++) {
        struct reader ahead = *reader;
        if (!take_tensor(&ahead, &tensor) || tensor.offset != align(end, alignment) ||
            tensor.offset > reader->size || tensor.size > reader->size - tensor.offset) {
            return CSN_ERR_FORMAT;
        }
        end = tensor.offset + tensor.size;
        *reader = ahead;
    }
    file->tensors_end = reader->at;
    file->tensor_count = (uint32_t)count;
    file->data = align(reader->at, alignment);
    reader->at = file->data < file->size ? file->data : file->size;
    const uint64_t left = file->size - reader->at;
    bool is_whole = count == 0 ? left == 0 : file->data <= file->size && left >= end;
    return is_whole && left <= align(end, alignment) ? CSN_OK : CSN_ERR_FORMAT;
}

csn_err csn_gguf_open(struct csn_gguf *file, const void *bytes, uint64_t size, uint64_t *offset)
{
    struct reader reader = {bytes, size, 0};
    uint64_t magic = 0;
    uint64_t version = 0;
    uint64_t tensors = 0;
    uint64_t keys = 0;
    __builtin_memset(file, 0, sizeof *file);
    file->bytes = bytes;
    file->size = size;
    csn_err err = CSN_ERR_FORMAT;
    if (size <= INT64_MAX && take_number(&reader, 4, &magic) && magic == GGUF_MAGIC &&
        take_number(&reader, 4, &version) && (version == 2 || version == 3) &&
        take_number(&reader, 8, &tensors) && take_number(&reader, 8, &keys)) {
        err = read_keys(file, &reader, keys);
    }
    if (err == CSN_OK) {
        err = read_tensors(file, &reader, tensors);
    }
    *offset = reader.at;
    return err;
}
