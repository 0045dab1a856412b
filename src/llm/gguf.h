/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.h: a reader of GGUF files (versions 2 and 3, little-endian) in private memory.
 *
 * Trust:    the bytes are a tenant's and may be anything, but do not change while they are read.
 *           csn_gguf_open() checks every count, size and offset of the whole file once, so that
 *           what follows cannot leave it. Values are not judged: that is their user's.
 * Threads:  an opened file is read only.
 * Memory:   no allocation, no recursion: arrays of arrays are refused. Every loop is bounded by
 *           the size of the file. Values point into it.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_GGUF_H
#define CSN_GGUF_H

#include <caisson/base.h>
#include <stdbool.h>

#define CSN_GGUF_KEY_MAX       256u /* keys in a file */
#define CSN_GGUF_KEY_SIZE_MAX  128u
#define CSN_GGUF_TENSOR_MAX    4096u
#define CSN_GGUF_NAME_SIZE_MAX 63u
#define CSN_GGUF_ALIGNMENT_MAX 4096u

/* Types of values, as in the file. */
enum csn_gguf_type {
    CSN_GGUF_UINT8,
    CSN_GGUF_INT8,
    CSN_GGUF_UINT16,
    CSN_GGUF_INT16,
    CSN_GGUF_UINT32,
    CSN_GGUF_INT32,
    CSN_GGUF_FLOAT32,
    CSN_GGUF_BOOL,
    CSN_GGUF_STRING,
    CSN_GGUF_ARRAY,
    CSN_GGUF_UINT64,
    CSN_GGUF_INT64,
    CSN_GGUF_FLOAT64,
    CSN_GGUF_TYPE_COUNT,
};

/*
 * Types of tensors, as in the file. Those from CSN_GGUF_ARRANGED on are ours: the same tensor with
 * its rows laid out for the kernels (llm_arrange.c), same size.
 */
#define CSN_GGUF_F32      0u
#define CSN_GGUF_F16      1u
#define CSN_GGUF_Q4_0     2u
#define CSN_GGUF_Q8_0     8u
#define CSN_GGUF_Q4_K     12u
#define CSN_GGUF_Q6_K     14u
#define CSN_GGUF_ARRANGED 0x43530000u

struct csn_gguf {
    const uint8_t *bytes;
    uint64_t size;
    uint32_t key_count;
    uint32_t tensor_count;
    uint64_t keys[CSN_GGUF_KEY_MAX]; /* where each key begins */
    uint64_t tensors, tensors_end;   /* where tensors are described */
    uint64_t data;                   /* where the tensors' bytes begin */
};

/* A value in the file; strings without a final zero, numbers unaligned. */
struct csn_gguf_value {
    enum csn_gguf_type type;
    enum csn_gguf_type element; /* of an array */
    uint64_t count;             /* elements of an array, else 1 */
    const uint8_t *bytes;       /* of a string: its text; of an array: its first element */
    uint64_t size;
};

struct csn_gguf_tensor {
    const uint8_t *name;
    uint32_t name_size;
    uint32_t dimension_count;
    uint64_t dimensions[4]; /* the first is that of a row; 1 beyond the count */
    uint32_t type;
    uint64_t type_offset; /* in the file, where the type stands */
    uint64_t offset;      /* in the file */
    uint64_t size;
};

/*
 * CSN_ERR_FORMAT for what is no GGUF file, CSN_ERR_LIMIT for one beyond the limits above, with the
 * offset at which it is wrong. Tensors must follow each other as writers put them, in order,
 * without gaps but alignment, up to the end of the file; no key twice.
 */
CSN_MUST_USE csn_err csn_gguf_open(struct csn_gguf *file, const void *bytes, uint64_t size,
                                   uint64_t *offset);

/* The value of a key, such as "tokenizer.ggml.tokens"; false: there is none. */
bool csn_gguf_find(const struct csn_gguf *file, const char *key, struct csn_gguf_value *value);

/* Keys by index, for who wants to see all of them. */
void csn_gguf_key(const struct csn_gguf *file, uint32_t index, const uint8_t **key, uint64_t *size,
                  struct csn_gguf_value *value);

/*
 * Takes the first element off an array; false at its end. Strings, numbers and booleans alike:
 *
 *     while (csn_gguf_next(&tokens, &token)) { use(token.bytes, token.size); }
 */
bool csn_gguf_next(struct csn_gguf_value *array, struct csn_gguf_value *element);

/* A number of any integer type, if it fits; a boolean; a number of either float type. */
bool csn_gguf_integer(const struct csn_gguf_value *value, int64_t *number);
bool csn_gguf_bool(const struct csn_gguf_value *value, bool *truth);
bool csn_gguf_float(const struct csn_gguf_value *value, double *number);
/* Whether the value is this string. */
bool csn_gguf_is(const struct csn_gguf_value *value, const char *text);

/* Tensors in order: *cursor is 0 at first; false at the end. */
bool csn_gguf_tensor(const struct csn_gguf *file, uint64_t *cursor, struct csn_gguf_tensor *tensor);

/* Weights in a block of a type, and the bytes that it takes; 0: a type that we do not know. */
uint32_t csn_gguf_block_count(uint32_t type);
uint32_t csn_gguf_block_size(uint32_t type);

#endif
