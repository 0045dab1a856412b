/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_predict_sgx.c: MRENCLAVE of published SGXS streams, and what published SIGSTRUCTs say; each
 * rule of either form broken alone.
 */
#include "../verify/table.h"
#include "predict/sgx_enclave.h"
#include <stdio.h>

static const char *hex(const uint8_t *bytes, size_t size)
{
    static char text[2 * 64 + 1];
    for (size_t i = 0; i < size; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return text;
}

static void same_field(const char *fields, const char *name, const char *got)
{
    char expected[128];
    assert_true(table_field(fields, name, expected, sizeof expected));
    assert_string_equal(got, expected);
}

static struct table_file measure_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "measure/%s", name);
    struct table_file file = table_file(path);
    assert_non_null(file.bytes);
    return file;
}

static bool measure(const struct table_file *file, struct csv_sgx_enclave *enclave)
{
    const char *why = NULL;
    bool good = csv_sgx_measure((struct csv_bytes){file->bytes, file->size}, enclave, &why);
    assert_int_equal(good, why == NULL);
    return good;
}

static bool read_sigstruct(const struct table_file *file, struct csv_sgx_sigstruct *sigstruct)
{
    const char *why = NULL;
    bool good =
        csv_sgx_sigstruct_read((struct csv_bytes){file->bytes, file->size}, sigstruct, &why);
    assert_int_equal(good, why == NULL);
    return good;
}

static void streams(const struct table *sources, size_t row)
{
    struct csv_sgx_enclave enclave;
    struct table_file file = measure_file(table_cell(sources, row, "file"));
    assert_true(measure(&file, &enclave));
    same_field(table_cell(sources, row, "expected_fields"), "mrenclave",
               hex(enclave.mrenclave, 32));
    assert_true(enclave.page_count > 0 && enclave.measured > 0);
    free(file.bytes);
}

static void sigstructs(const struct table *sources, size_t row)
{
    struct csv_sgx_sigstruct is;
    char text[32];
    const char *fields = table_cell(sources, row, "expected_fields");
    struct table_file file = measure_file(table_cell(sources, row, "file"));
    assert_true(read_sigstruct(&file, &is));
    assert_true(is.is_signed);
    assert_true(is.helpers_fit);
    same_field(fields, "enclavehash", hex(is.mrenclave, 32));
    same_field(fields, "mrsigner", hex(is.mrsigner, 32));
    same_field(fields, "attributes", hex(is.attributes, 16));
    same_field(fields, "miscselect", hex(is.miscselect, 4));
    snprintf(text, sizeof text, "%08x", is.vendor);
    same_field(fields, "vendor", text);
    snprintf(text, sizeof text, "%08x", is.date);
    same_field(fields, "date", text);
    snprintf(text, sizeof text, "%u", is.isvprodid);
    same_field(fields, "isvprodid", text);
    snprintf(text, sizeof text, "%u", is.isvsvn);
    same_field(fields, "isvsvn", text);
    free(file.bytes);
}

static void published(void **state)
{
    (void)state;
    struct table sources = table_read("measure/SOURCES.tsv");
    size_t counts[2] = {0};
    for (size_t row = 0; row < table_rows(&sources); row++) {
        const char *name = table_cell(&sources, row, "file");
        if (strstr(name, ".sgxs") != NULL) {
            streams(&sources, row);
            counts[0]++;
        } else if (strstr(name, ".sigstruct.bin") != NULL) {
            sigstructs(&sources, row);
            counts[1]++;
        }
    }
    printf("# %zu streams, %zu SIGSTRUCTs\n", counts[0], counts[1]);
    assert_true(counts[0] == 2 && counts[1] == 3);
    table_free(&sources);
}

/* A bit of each byte: under the signature, of it, of its helpers, or reserved. */
static void sigstruct_bits(void **state)
{
    (void)state;
    struct csv_sgx_sigstruct is;
    struct table_file file = measure_file("sgx-gramine.sigstruct.bin");
    for (size_t at = 0; at < file.size; at++) {
        file.bytes[at] ^= (uint8_t)(1 << at % 8);
        bool read = read_sigstruct(&file, &is);
        bool form = at < 16 || (at >= 24 && at < 40) || (at >= 44 && at < 128) ||
                    (at >= 512 && at < 516) || (at >= 910 && at < 912) ||
                    (at >= 992 && at < 1008) || (at >= 1028 && at < 1040);
        assert_int_equal(read, !form);
        bool good = read && is.is_signed && is.helpers_fit;
        if (good) {
            fail_msg("byte %zu is under no check", at);
        }
        file.bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    /* Helpers alone do not touch the signature. */
    file.bytes[1040] ^= 1;
    assert_true(read_sigstruct(&file, &is));
    assert_true(is.is_signed && !is.helpers_fit);
    file.size--;
    assert_false(read_sigstruct(&file, &is));
    free(file.bytes);
}

/* ---- streams of our own ---- */

static uint8_t made[8192];
static size_t made_size;

static void put_record(const char *tag, uint64_t first, uint64_t second)
{
    uint8_t *at = made + made_size;
    memset(at, 0, 64);
    memcpy(at, tag, strlen(tag));
    bool create = strcmp(tag, "ECREATE") == 0;
    for (size_t i = 0; i < 8; i++) {
        if (!create || i < 4) {
            at[8 + i] = (uint8_t)(first >> (8 * i));
        }
        at[(create ? 12 : 16) + i] = (uint8_t)(second >> (8 * i));
    }
    made_size += 64;
}

static void put_chunk(const char *tag, uint64_t offset)
{
    put_record(tag, offset, 0);
    memset(made + made_size, 0x5a, 256);
    made_size += 256;
}

static bool measure_made(struct csv_sgx_enclave *enclave)
{
    struct table_file file = {made, made_size};
    return measure(&file, enclave);
}

static void begin(void)
{
    made_size = 0;
    put_record("ECREATE", 1, 0x4000);
    put_record("EADD", 0x1000, 0x0203);
    put_chunk("EEXTEND", 0x1100);
}

static void stream_rules(void **state)
{
    (void)state;
    struct csv_sgx_enclave enclave;
    uint8_t plain[32];
    begin();
    assert_true(measure_made(&enclave));
    assert_true(enclave.size == 0x4000 && enclave.ssa_frame_size == 1 && enclave.page_count == 1 &&
                enclave.measured == 256);
    memcpy(plain, enclave.mrenclave, 32);
    put_chunk("UNMEASRD", 0x1200); /* content that the hash does not cover */
    assert_true(measure_made(&enclave));
    assert_memory_equal(plain, enclave.mrenclave, 32);
    put_record("ECREATE", 1, 0x4000);
    assert_false(measure_made(&enclave)); /* twice */
    static const struct {
        const char *tag;
        uint64_t first;
        uint64_t second;
    } wrong[] = {{"EADD", 0x800, 0}, {"EADD", 0x4000, 0}, {"EREMOVE", 0, 0}, {"", 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        begin();
        put_record(wrong[i].tag, wrong[i].first, wrong[i].second);
        assert_false(measure_made(&enclave));
    }
    static const uint64_t chunks[] = {0x1080, 0x2000, 0xf00};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        begin();
        put_chunk("EEXTEND", chunks[i]);
        assert_false(measure_made(&enclave));
    }
    static const uint64_t sizes[] = {0, 0x1000, 0x3000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        made_size = 0;
        put_record("ECREATE", 1, sizes[i]);
        assert_false(measure_made(&enclave));
    }
    made_size = 0;
    put_record("ECREATE", 0, 0x4000); /* no SSA frame */
    assert_false(measure_made(&enclave));
    made_size = 0;
    put_record("EADD", 0, 0); /* not the first */
    assert_false(measure_made(&enclave));
}

/* Cut anywhere but between records; and reserved bytes of each record. */
static void stream_form(void **state)
{
    (void)state;
    struct csv_sgx_enclave enclave;
    begin();
    size_t whole = made_size;
    for (made_size = 0; made_size < whole; made_size++) {
        bool between = made_size == 64 || made_size == 128;
        assert_int_equal(measure_made(&enclave), between);
    }
    static const size_t reserved[] = {20, 63, 64 + 24, 64 + 63, 128 + 16, 128 + 63};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        begin();
        made[reserved[i]] = 1;
        assert_false(measure_made(&enclave));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published),
        cmocka_unit_test(sigstruct_bits),
        cmocka_unit_test(stream_rules),
        cmocka_unit_test(stream_form),
    };
    return table_skip() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
