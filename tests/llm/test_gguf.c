/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gguf.c: does the reader give every value that a file has, and refuse every file whose
 * counts, sizes or offsets lead out of it or overlap?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "llm/gguf.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536u

/* A file that grows. */
struct made {
    uint8_t bytes[FILE_MAX];
    size_t size;
};

static void put(struct made *made, const void *bytes, size_t size)
{
    assert_true(size <= FILE_MAX - made->size);
    memcpy(made->bytes + made->size, bytes, size);
    made->size += size;
}

static void put_u32(struct made *made, uint32_t value)
{
    put(made, &value, sizeof value);
}

static void put_u64(struct made *made, uint64_t value)
{
    put(made, &value, sizeof value);
}

static void put_text(struct made *made, const char *text)
{
    put_u64(made, strlen(text));
    put(made, text, strlen(text));
}

static void put_head(struct made *made, uint64_t tensors, uint64_t keys)
{
    made->size = 0;
    put(made, "GGUF", 4);
    put_u32(made, 3);
    put_u64(made, tensors);
    put_u64(made, keys);
}

static void put_key(struct made *made, const char *key, uint32_t type, const void *value,
                    size_t size)
{
    put_text(made, key);
    put_u32(made, type);
    put(made, value, size);
}

static void put_array(struct made *made, const char *key, uint32_t element, uint64_t count)
{
    put_key(made, key, CSN_GGUF_ARRAY, &element, sizeof element);
    put_u64(made, count);
}

static void put_tensor(struct made *made, const char *name, uint32_t columns, uint32_t rows,
                       uint32_t type, uint64_t offset)
{
    put_text(made, name);
    put_u32(made, 2);
    put_u64(made, columns);
    put_u64(made, rows);
    put_u32(made, type);
    put_u64(made, offset);
}

static void put_data(struct made *made, size_t size)
{
    static const uint8_t zeros[FILE_MAX];
    put(made, zeros, -made->size % 32);
    put(made, zeros, size);
}

static csn_err open_made(const struct made *made, struct csn_gguf *file)
{
    uint64_t offset = UINT64_MAX;
    csn_err err = csn_gguf_open(file, made->bytes, made->size, &offset);
    assert_true(offset <= made->size);
    return err;
}

static struct made made;
static struct csn_gguf file;

/* ---- values ---- */

static const int8_t minus = -5;
static const uint64_t large = UINT64_C(1) << 63;
static const float third = 1.0f / 3;
static const double ninth = 1.0 / 9;

static void put_values(void)
{
    const int64_t far_below = INT64_MIN;
    const int16_t low = -300;
    const uint8_t yes = 1;
    put_head(&made, 0, 13);
    put_key(&made, "u8", CSN_GGUF_UINT8, "\xff", 1);
    put_key(&made, "i8", CSN_GGUF_INT8, &minus, 1);
    put_key(&made, "u16", CSN_GGUF_UINT16, "\x02\x01", 2);
    put_key(&made, "i16", CSN_GGUF_INT16, &low, 2);
    put_key(&made, "u32", CSN_GGUF_UINT32, "\xff\xff\xff\xff", 4);
    put_key(&made, "i32", CSN_GGUF_INT32, "\xff\xff\xff\xff", 4);
    put_key(&made, "f32", CSN_GGUF_FLOAT32, &third, 4);
    put_key(&made, "bool", CSN_GGUF_BOOL, &yes, 1);
    put_key(&made, "text", CSN_GGUF_STRING, "\3\0\0\0\0\0\0\0abc", 11);
    put_key(&made, "u64", CSN_GGUF_UINT64, &large, 8);
    put_key(&made, "i64", CSN_GGUF_INT64, &far_below, 8);
    put_key(&made, "f64", CSN_GGUF_FLOAT64, &ninth, 8);
    put_array(&made, "words", CSN_GGUF_STRING, 3);
    put_text(&made, "one");
    put_text(&made, "");
    put_text(&made, "three");
}

static void expect_integer(const char *key, int64_t expected)
{
    struct csn_gguf_value value;
    int64_t number = 0;
    double real;
    assert_true(csn_gguf_find(&file, key, &value));
    assert_true(csn_gguf_integer(&value, &number));
    assert_true(number == expected);
    assert_false(csn_gguf_float(&value, &real));
}

static void test_values(void **state)
{
    (void)state;
    struct csn_gguf_value value, word;
    int64_t number;
    double real;
    bool truth = false;
    put_values();
    assert_int_equal(open_made(&made, &file), CSN_OK);
    expect_integer("u8", 255);
    expect_integer("i8", -5);
    expect_integer("u16", 0x102);
    expect_integer("i16", -300);
    expect_integer("u32", UINT32_MAX);
    expect_integer("i32", -1);
    expect_integer("i64", INT64_MIN);
    assert_true(csn_gguf_find(&file, "u64", &value));
    assert_false(csn_gguf_integer(&value, &number)); /* does not fit */
    assert_true(csn_gguf_find(&file, "f32", &value));
    assert_true(csn_gguf_float(&value, &real) && real == (double)third);
    assert_false(csn_gguf_integer(&value, &number));
    assert_true(csn_gguf_find(&file, "f64", &value));
    assert_true(csn_gguf_float(&value, &real) && real == ninth);
    assert_false(csn_gguf_bool(&value, &truth));
    assert_true(csn_gguf_find(&file, "bool", &value));
    assert_true(csn_gguf_bool(&value, &truth) && truth);
    assert_true(csn_gguf_find(&file, "text", &value));
    assert_true(csn_gguf_is(&value, "abc"));
    assert_false(csn_gguf_is(&value, "ab"));
    assert_false(csn_gguf_is(&value, "abd"));
    assert_false(csn_gguf_next(&value, &word));
    assert_false(csn_gguf_find(&file, "tex", &value));
    assert_false(csn_gguf_find(&file, "text2", &value));
    assert_true(csn_gguf_find(&file, "words", &value));
    assert_int_equal(value.count, 3);
    assert_true(csn_gguf_next(&value, &word) && csn_gguf_is(&word, "one"));
    assert_true(csn_gguf_next(&value, &word) && csn_gguf_is(&word, ""));
    assert_true(csn_gguf_next(&value, &word) && csn_gguf_is(&word, "three"));
    assert_false(csn_gguf_next(&value, &word));
}

static void test_numbers_in_arrays(void **state)
{
    (void)state;
    struct csn_gguf_value array, value;
    int64_t number;
    put_head(&made, 0, 1);
    put_array(&made, "list", CSN_GGUF_INT16, 500);
    for (int16_t i = 0; i < 500; i++) {
        put(&made, &i, sizeof i);
    }
    assert_int_equal(open_made(&made, &file), CSN_OK);
    assert_true(csn_gguf_find(&file, "list", &array));
    for (int64_t i = 0; i < 500; i++) {
        assert_true(csn_gguf_next(&array, &value) && csn_gguf_integer(&value, &number));
        assert_true(number == i);
    }
    assert_false(csn_gguf_next(&array, &value));
}

/* ---- tensors ---- */

/* F32 of 3 x 5, Q8_0 of 32 x 2, Q4_K of 256 x 1. */
static void put_tensors(void)
{
    put_head(&made, 3, 0);
    put_tensor(&made, "first", 3, 5, CSN_GGUF_F32, 0);
    put_tensor(&made, "second", 32, 2, CSN_GGUF_Q8_0, 64);
    put_tensor(&made, "third", 256, 1, CSN_GGUF_Q4_K | CSN_GGUF_ARRANGED, 160);
    put_data(&made, 160 + 144);
}

static void test_tensors(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {60, 68, 144};
    struct csn_gguf_tensor tensor;
    uint64_t cursor = 0;
    put_tensors();
    assert_int_equal(open_made(&made, &file), CSN_OK);
    uint64_t end = file.data;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t type;
        assert_true(csn_gguf_tensor(&file, &cursor, &tensor));
        assert_int_equal(tensor.size, sizes[i]);
        assert_true(tensor.offset >= end && tensor.offset % 32 == 0);
        memcpy(&type, made.bytes + tensor.type_offset, sizeof type);
        assert_int_equal(type, tensor.type);
        end = tensor.offset + tensor.size;
    }
    assert_false(csn_gguf_tensor(&file, &cursor, &tensor));
    assert_int_equal(end, made.size);
}

/* ---- what is refused ---- */

static void test_prefixes(void **state)
{
    (void)state;
    put_values();
    for (size_t size = made.size; made.size-- > 0; size--) {
        assert_int_equal(open_made(&made, &file), CSN_ERR_FORMAT);
    }
    put_tensors();
    while (made.size-- > 0) {
        assert_int_equal(open_made(&made, &file), CSN_ERR_FORMAT);
    }
}

/* Whatever one byte becomes, nothing that is found is outside the file. */
static void test_bytes(void **state)
{
    (void)state;
    static const uint8_t others[] = {0, 1, 2, 9, 31, 0x7f, 0x80, 0xff};
    uint32_t opened = 0;
    for (uint32_t which = 0; which < 2; which++) {
        which == 0 ? put_values() : put_tensors();
        for (size_t at = 0; at < made.size; at++) {
            const uint8_t before = made.bytes[at];
            for (size_t i = 0; i < sizeof others; i++) {
                struct csn_gguf_tensor tensor;
                uint64_t cursor = 0;
                made.bytes[at] = others[i];
                if (open_made(&made, &file) != CSN_OK) {
                    continue;
                }
                opened++;
                while (csn_gguf_tensor(&file, &cursor, &tensor)) {
                    assert_true(tensor.offset <= made.size);
                    assert_true(tensor.size <= made.size - tensor.offset);
                }
            }
            made.bytes[at] = before;
        }
    }
    assert_true(opened > 100);
}

static void refuse(csn_err expected)
{
    assert_int_equal(open_made(&made, &file), expected);
}

static void one_key(const char *key, uint32_t type, const void *value, size_t size)
{
    put_head(&made, 0, 1);
    put_key(&made, key, type, value, size);
}

static void test_keys(void **state)
{
    (void)state;
    char key[CSN_GGUF_KEY_SIZE_MAX + 2];
    memset(key, 'k', sizeof key);
    key[CSN_GGUF_KEY_SIZE_MAX + 1] = '\0';
    one_key("", CSN_GGUF_UINT8, "1", 1), refuse(CSN_ERR_FORMAT);
    one_key(key, CSN_GGUF_UINT8, "1", 1), refuse(CSN_ERR_FORMAT);
    one_key(key + 1, CSN_GGUF_UINT8, "1", 1), refuse(CSN_OK);
    one_key("a", CSN_GGUF_BOOL, "\2", 1), refuse(CSN_ERR_FORMAT);
    one_key("a", CSN_GGUF_TYPE_COUNT, "12345678", 8), refuse(CSN_ERR_FORMAT);
    one_key("a", CSN_GGUF_STRING, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, 2); /* a key twice */
    put_key(&made, "a", CSN_GGUF_UINT8, "1", 1);
    put_key(&made, "a", CSN_GGUF_UINT8, "1", 1);
    refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, 1); /* arrays: of arrays, of unknown, too long in two ways, of no truths */
    put_array(&made, "a", CSN_GGUF_ARRAY, 0), refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, 1);
    put_array(&made, "a", CSN_GGUF_TYPE_COUNT, 0), refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, 1);
    put_array(&made, "a", CSN_GGUF_UINT64, UINT64_C(1) << 61), refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, 1);
    put_array(&made, "a", CSN_GGUF_STRING, UINT64_MAX), refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, 1);
    put_array(&made, "a", CSN_GGUF_BOOL, 2), put(&made, "\1\2", 2), refuse(CSN_ERR_FORMAT);
    put_head(&made, 0, CSN_GGUF_KEY_MAX + 1), refuse(CSN_ERR_LIMIT);
    put_head(&made, 0, 0), put_data(&made, 0), refuse(CSN_OK);
    put_head(&made, 0, 0), put_data(&made, 1), refuse(CSN_ERR_FORMAT); /* something behind it */
}

static void test_heads(void **state)
{
    (void)state;
    for (uint32_t version = 0; version < 6; version++) {
        put_head(&made, 0, 0);
        memcpy(made.bytes + 4, &version, sizeof version);
        refuse(version == 2 || version == 3 ? CSN_OK : CSN_ERR_FORMAT);
    }
    put_head(&made, 0, 0), made.bytes[0] = 'g', refuse(CSN_ERR_FORMAT);
    put_head(&made, CSN_GGUF_TENSOR_MAX + 1, 0), refuse(CSN_ERR_LIMIT);
}

static void one_tensor(const char *name, uint32_t columns, uint32_t rows, uint32_t type,
                       uint64_t offset, size_t size)
{
    put_head(&made, 1, 0);
    put_tensor(&made, name, columns, rows, type, offset);
    put_data(&made, size);
}

static void test_shapes(void **state)
{
    (void)state;
    static const uint32_t two_to_31 = UINT32_C(1) << 31;
    char name[CSN_GGUF_NAME_SIZE_MAX + 2];
    memset(name, 'n', sizeof name);
    name[CSN_GGUF_NAME_SIZE_MAX + 1] = '\0';
    one_tensor(name + 1, 32, 2, CSN_GGUF_Q8_0, 0, 68), refuse(CSN_OK);
    one_tensor(name, 32, 2, CSN_GGUF_Q8_0, 0, 68), refuse(CSN_ERR_FORMAT);
    one_tensor("", 32, 2, CSN_GGUF_Q8_0, 0, 68), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 31, 2, CSN_GGUF_Q8_0, 0, 68), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 33, 2, CSN_GGUF_Q8_0, 0, 68), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 0, 2, CSN_GGUF_Q8_0, 0, 0), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 32, 2, 3, 0, 68), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 32, 2, CSN_GGUF_Q8_0, 32, 100), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 32, 2, CSN_GGUF_Q8_0, 1, 69), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 32, 2, CSN_GGUF_Q8_0, UINT64_MAX - 31, 68), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 32, 2, CSN_GGUF_Q8_0, 0, 67), refuse(CSN_ERR_FORMAT);
    one_tensor("a", 32, 2, CSN_GGUF_Q8_0, 0, 96), refuse(CSN_OK); /* padded */
    one_tensor("a", 32, 2, CSN_GGUF_Q8_0, 0, 97), refuse(CSN_ERR_FORMAT);
    one_tensor("a", two_to_31, two_to_31, CSN_GGUF_F32, 0, 0), refuse(CSN_ERR_FORMAT);
    for (uint32_t dimensions = 0; dimensions < 6; dimensions++) {
        put_head(&made, 1, 0);
        put_text(&made, "a");
        put_u32(&made, dimensions);
        for (uint32_t i = 0; i < dimensions; i++) {
            put_u64(&made, 2);
        }
        put_u32(&made, CSN_GGUF_F32);
        put_u64(&made, 0);
        put_data(&made, 4u << dimensions);
        refuse(dimensions >= 1 && dimensions <= 4 ? CSN_OK : CSN_ERR_FORMAT);
    }
}

/* Five dimensions, of which the last looks like the type of four; an end beyond 2^64, which is 0.
 */
static void test_false_ends(void **state)
{
    (void)state;
    put_head(&made, 1, 0);
    put_text(&made, "a");
    put_u32(&made, 5);
    for (uint32_t i = 0; i < 5; i++) {
        put_u64(&made, i < 4 ? 2 : 0);
    }
    put_u32(&made, CSN_GGUF_F32);
    put_u64(&made, 0);
    put_data(&made, 64);
    refuse(CSN_ERR_FORMAT);
    put_head(&made, 2, 0);
    put_tensor(&made, "a", 4, 4, CSN_GGUF_F32, 0);
    put_text(&made, "b");
    put_u32(&made, 3);
    put_u64(&made, 16);
    put_u64(&made, (1u << 29) - 1);
    put_u64(&made, (1u << 29) + 1);
    put_u32(&made, CSN_GGUF_F32);
    put_u64(&made, 64);
    put_data(&made, 0);
    refuse(CSN_ERR_FORMAT);
}

/* The second tensor overlaps the first one, or leaves a gap. */
static void test_neighbours(void **state)
{
    (void)state;
    for (uint64_t offset = 0; offset < 256; offset += 32) {
        put_head(&made, 2, 0);
        put_tensor(&made, "a", 32, 2, CSN_GGUF_Q8_0, 0);
        put_tensor(&made, "b", 32, 2, CSN_GGUF_Q8_0, offset);
        put_data(&made, 96 + 68);
        refuse(offset == 96 ? CSN_OK : CSN_ERR_FORMAT);
    }
}

static void test_alignment(void **state)
{
    (void)state;
    for (uint32_t alignment = 0; alignment < 20000; alignment += alignment < 40 ? 1 : alignment) {
        const bool is_sound = alignment >= 8 && alignment <= CSN_GGUF_ALIGNMENT_MAX &&
                              (alignment & (alignment - 1)) == 0;
        one_key("general.alignment", CSN_GGUF_UINT32, &alignment, sizeof alignment);
        if (is_sound) {
            uint64_t one = 1;
            memcpy(made.bytes + 8, &one, sizeof one);
            put_tensor(&made, "a", 32, 2, CSN_GGUF_Q8_0, 0);
            made.size = (made.size + alignment - 1) / alignment * alignment + 68;
        }
        refuse(is_sound ? CSN_OK : CSN_ERR_FORMAT);
    }
    one_key("general.alignment", CSN_GGUF_UINT16, "\x20", 2), refuse(CSN_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_numbers_in_arrays),
        cmocka_unit_test(test_tensors),    cmocka_unit_test(test_keys),
        cmocka_unit_test(test_heads),      cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_neighbours), cmocka_unit_test(test_false_ends),
        cmocka_unit_test(test_alignment),  cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
