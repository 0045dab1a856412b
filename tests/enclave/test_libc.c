/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_libc.c: do the image's own memcpy, memmove, memset, memcmp and strlen agree with the C
 * library's for every size up to a few hundred bytes, every small overlap, and nothing beyond the
 * ends?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* libc.c under other names, so that both can be called. */
void *cse_memcpy(void *target, const void *source, size_t size);
void *cse_memmove(void *target, const void *source, size_t size);
void *cse_memset(void *target, int value, size_t size);
int cse_memcmp(const void *left, const void *right, size_t size);
size_t cse_strlen(const char *text);

#define ROOM            1200u
#define SIZE_MAX_TESTED 300u /* each; beyond it in steps, past all thresholds */
#define SIZE_STEP       61u
#define SIZE_END        1000u

static size_t next(size_t size)
{
    return size < SIZE_MAX_TESTED ? size + 1 : size + SIZE_STEP;
}

static void fill(uint8_t *bytes)
{
    for (uint32_t i = 0; i < ROOM; i++) {
        bytes[i] = (uint8_t)(i * 37 + (i >> 8));
    }
}

static void test_move(void **state)
{
    uint8_t ours[ROOM];
    uint8_t theirs[ROOM];
    (void)state;
    for (size_t size = 0; size <= SIZE_END; size = next(size)) {
        for (size_t from = 64; from < 72; from++) {
            for (size_t to = 0; to < 140; to++) {
                fill(ours);
                fill(theirs);
                assert_ptr_equal(cse_memmove(ours + to, ours + from, size), ours + to);
                memmove(theirs + to, theirs + from, size);
                if (memcmp(ours, theirs, ROOM) != 0) {
                    fail_msg("move of %zu from %zu to %zu", size, from, to);
                }
            }
        }
    }
}

static void test_copy_and_set(void **state)
{
    uint8_t ours[ROOM];
    uint8_t theirs[ROOM];
    uint8_t source[ROOM];
    (void)state;
    for (size_t size = 0; size <= SIZE_END; size = next(size)) {
        for (size_t at = 0; at < 17; at++) {
            fill(source);
            memset(ours, 0xee, ROOM);
            memset(theirs, 0xee, ROOM);
            assert_ptr_equal(cse_memcpy(ours + at, source + 3, size), ours + at);
            memcpy(theirs + at, source + 3, size);
            assert_memory_equal(ours, theirs, ROOM);
            assert_ptr_equal(cse_memset(ours + at, (int)(0x100 + size), size), ours + at);
            memset(theirs + at, (int)(0x100 + size), size);
            assert_memory_equal(ours, theirs, ROOM);
        }
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void test_compare(void **state)
{
    uint8_t left[ROOM];
    uint8_t right[ROOM];
    (void)state;
    for (size_t size = 0; size <= 100; size++) {
        fill(left);
        fill(right);
        assert_int_equal(cse_memcmp(left, right, size), 0);
        right[size] ^= 0xff; /* just beyond: must not matter */
        assert_int_equal(cse_memcmp(left, right, size), 0);
        for (size_t at = 0; at < size; at++) {
            fill(right);
            right[at] ^= 0x81;
            right[size - 1] ^= 1;
            assert_int_equal(sign(cse_memcmp(left, right, size)), sign(memcmp(left, right, size)));
        }
    }
}

static void test_length(void **state)
{
    char text[ROOM];
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t size = 0; size < 100; size++) {
        text[size] = 0;
        assert_int_equal(cse_strlen(text), size);
        text[size] = 'x';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_copy_and_set),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests_name("image libc", tests, NULL, NULL);
}
