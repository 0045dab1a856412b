/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_predict_snp.c: launch digests of SEV-SNP guests against published ones; firmware that lies
 * about itself; ID blocks and their signatures.
 */
#include "../verify/table.h"
#include "predict/snp_firmware.h"
#include "predict/snp_id.h"
#include <stdio.h>

static struct table_file measure_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "measure/%s", name);
    struct table_file file = table_file(path);
    assert_non_null(file.bytes);
    return file;
}

static uint8_t nibble(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void from_hex(const char *text, uint8_t *bytes, size_t size)
{
    assert_int_equal(strlen(text), 2 * size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
    }
}

/* One row of snp_launch_digest.tsv. */
struct vector {
    struct csv_snp_launch launch;
    struct table_file firmware;
    uint8_t seed[48];
    char command_line[128];
    uint8_t expected[48];
};

static void load(struct vector *vector, const struct table *table, size_t row)
{
    const char *host = table_cell(table, row, "vmm");
    const char *line = table_cell(table, row, "cmdline");
    const char *seed = table_cell(table, row, "ovmf_hash_seed");
    struct csv_snp_launch *launch = &vector->launch;
    memset(vector, 0, sizeof *vector);
    vector->firmware = measure_file(table_cell(table, row, "ovmf"));
    launch->firmware = (struct csv_bytes){vector->firmware.bytes, vector->firmware.size};
    launch->host = strcmp(host, "ec2") == 0   ? CSV_SNP_HOST_EC2
                   : strcmp(host, "gce") == 0 ? CSV_SNP_HOST_GCE
                                              : CSV_SNP_HOST_QEMU;
    launch->vcpu_count = (uint32_t)strtoul(table_cell(table, row, "vcpus"), NULL, 10);
    launch->cpuid_signature = (uint32_t)strtoul(table_cell(table, row, "vcpu_sig"), NULL, 16);
    launch->features = strtoull(table_cell(table, row, "guest_features"), NULL, 16);
    launch->kernel_given = strcmp(table_cell(table, row, "kernel"), "none") != 0;
    launch->kernel = (struct csv_bytes){(const uint8_t *)"", 0};
    launch->initrd = launch->kernel;
    if (line[0] == '"') {
        snprintf(vector->command_line, sizeof vector->command_line, "%.*s", (int)strlen(line) - 2,
                 line + 1);
        launch->command_line = vector->command_line;
    }
    if (seed[0] != 0) {
        from_hex(seed, vector->seed, 48);
        launch->firmware_digest = vector->seed;
    }
}

static void published_digests(void **state)
{
    (void)state;
    size_t count = 0;
    struct table table = table_read("measure/snp_launch_digest.tsv");
    for (size_t row = 0; row < table_rows(&table); row++) {
        static struct vector vector;
        uint8_t digest[48];
        const char *why = NULL;
        if (strcmp(table_cell(&table, row, "mode"), "SEV_SNP") != 0) {
            continue; /* SEV and SEV-ES sign nothing that is verified here */
        }
        load(&vector, &table, row);
        from_hex(table_cell(&table, row, "expected_digest"), vector.expected, 48);
        assert_true(csv_snp_launch_digest(&vector.launch, digest, &why));
        if (memcmp(digest, vector.expected, 48) != 0) {
            fail_msg("%s differs", table_cell(&table, row, "name"));
        }
        free(vector.firmware.bytes);
        count++;
    }
    printf("# %zu launch digests equal, of %zu rows\n", count, table_rows(&table));
    assert_int_equal(count, 14);
    table_free(&table);
}

static void firmware_alone(void **state)
{
    (void)state;
    uint8_t digest[48];
    uint8_t expected[48];
    char value[128];
    const char *why = NULL;
    struct table table = table_read("measure/SOURCES.tsv");
    size_t row = table_find(&table, "snp_launch_digest.tsv");
    assert_true(table_field(table_cell(&table, row, "expected_fields"), "ovmf_AmdSev_hash", value,
                            sizeof value));
    from_hex(value, expected, 48);
    struct table_file file = measure_file("ovmf_AmdSev_suffix.bin");
    assert_true(csv_snp_firmware_digest((struct csv_bytes){file.bytes, file.size}, digest, &why));
    assert_memory_equal(digest, expected, 48);
    assert_false(
        csv_snp_firmware_digest((struct csv_bytes){file.bytes, file.size - 1}, digest, &why));
    assert_false(csv_snp_firmware_digest((struct csv_bytes){file.bytes, 0}, digest, &why));
    free(file.bytes);
    table_free(&table);
}

/* Everything that goes in changes what comes out. */
static void every_input_counts(void **state)
{
    (void)state;
    static struct vector vector;
    uint8_t first[48];
    uint8_t digest[48];
    const char *why = NULL;
    struct table table = table_read("measure/snp_launch_digest.tsv");
    load(&vector, &table, table_find(&table, "snp_4vcpu"));
    assert_true(csv_snp_launch_digest(&vector.launch, first, &why));
    for (unsigned i = 0; i < 9; i++) {
        struct csv_snp_launch other = vector.launch;
        other.vcpu_count -= i == 0;
        other.cpuid_signature ^= i == 1;
        other.features ^= i == 2;
        other.kernel_given ^= i == 3;
        other.kernel.size += i == 4; /* the zero byte that ends the text */
        other.initrd.size += i == 5;
        other.command_line = i == 6 ? " " : other.command_line;
        other.host = i == 7 ? CSV_SNP_HOST_EC2 : i == 8 ? CSV_SNP_HOST_GCE : other.host;
        assert_true(csv_snp_launch_digest(&other, digest, &why));
        assert_memory_not_equal(digest, first, 48);
    }
    struct csv_snp_launch other = vector.launch;
    vector.firmware.bytes[100] ^= 1;
    assert_true(csv_snp_launch_digest(&other, digest, &why));
    assert_memory_not_equal(digest, first, 48);
    vector.firmware.bytes[100] ^= 1;
    other.vcpu_count = 0;
    assert_false(csv_snp_launch_digest(&other, digest, &why));
    other.vcpu_count = CSV_SNP_VCPU_MAX + 1;
    assert_false(csv_snp_launch_digest(&other, digest, &why));
    free(vector.firmware.bytes);
    table_free(&table);
}

/* A kernel whose hashes the firmware would not check must not look measured. */
static void kernel_without_hashes(void **state)
{
    (void)state;
    static struct vector vector;
    uint8_t digest[48];
    const char *why = NULL;
    struct table table = table_read("measure/snp_launch_digest.tsv");
    load(&vector, &table, table_find(&table, "snp_ovmfx64_nokernel"));
    assert_true(csv_snp_launch_digest(&vector.launch, digest, &why));
    vector.launch.kernel_given = true;
    assert_false(csv_snp_launch_digest(&vector.launch, digest, &why));
    assert_non_null(strstr(why, "hashes"));
    free(vector.firmware.bytes);
    table_free(&table);
}

/* Firmware with any byte of its tables changed, or cut anywhere: read or refused, no more. */
static void damaged_firmware(void **state)
{
    (void)state;
    static struct csv_snp_firmware firmware;
    const char *why = NULL;
    size_t refused = 0;
    struct table_file file = measure_file("ovmf_AmdSev_suffix.bin");
    const size_t footer = file.size - 32 - 16;
    for (size_t at = file.size - 2048; at < file.size; at++) {
        for (unsigned flip = 1; flip < 256; flip *= 2) {
            file.bytes[at] ^= (uint8_t)flip;
            bool read =
                csv_snp_firmware_read((struct csv_bytes){file.bytes, file.size}, &firmware, &why);
            assert_false(read && at >= footer && at < footer + 16);
            refused += !read;
            file.bytes[at] ^= (uint8_t)flip;
        }
        /* on the heap at its exact size, so that a read beyond it is seen */
        size_t size = file.size - at;
        uint8_t *cut = malloc(size);
        assert_non_null(cut);
        memcpy(cut, file.bytes + at, size);
        csv_snp_firmware_read((struct csv_bytes){cut, size}, &firmware, &why);
        free(cut);
    }
    assert_true(refused >= 18 * 8);
    free(file.bytes);
}

static void id_block(void **state)
{
    (void)state;
    static struct csv_snp_id id;
    char value[128];
    uint8_t expected[48];
    const char *why = NULL;
    struct table table = table_read("measure/SOURCES.tsv");
    struct table_file block = measure_file("snp-id-block.bin");
    struct table_file auth = measure_file("snp-id-auth.bin");
    const struct csv_bytes parts[2] = {{block.bytes, block.size}, {auth.bytes, auth.size}};
    assert_true(csv_snp_id_read(parts[0], parts[1], &id, &why));
    assert_true(id.block_signed && id.author_given && id.key_signed);
    assert_int_equal(id.policy, 0x30000);
    const struct {
        const char *file;
        const char *name;
        const uint8_t *got;
    } fields[] = {{"snp-id-block.bin", "launch_digest", id.measurement},
                  {"snp-id-auth.bin", "id_key_digest", id.id_key_digest},
                  {"snp-id-auth.bin", "author_key_digest", id.author_key_digest}};
    for (size_t i = 0; i < 3; i++) {
        size_t row = table_find(&table, fields[i].file);
        assert_true(table_field(table_cell(&table, row, "expected_fields"), fields[i].name, value,
                                sizeof value));
        from_hex(value, expected, 48);
        assert_memory_equal(fields[i].got, expected, 48);
    }
    const size_t all = block.size + auth.size;
    for (size_t i = 0; i < all; i += i < 256 ? 1 : 5) { /* no byte of either is free */
        uint8_t *at = i < block.size ? block.bytes + i : auth.bytes + (i - block.size);
        *at ^= 1;
        bool read = csv_snp_id_read(parts[0], parts[1], &id, &why);
        assert_false(read && i >= 80 && i < 84); /* the version */
        if (read && id.block_signed && id.author_given && id.key_signed) {
            fail_msg("byte %zu counts for nothing", i);
        }
        *at ^= 1;
    }
    auth.bytes[0x880] ^= 1; /* the author key's curve, which nobody signs */
    assert_true(csv_snp_id_read(parts[0], parts[1], &id, &why) && !id.key_signed);
    auth.bytes[0x880] ^= 1;
    assert_false(csv_snp_id_read((struct csv_bytes){block.bytes, 95}, parts[1], &id, &why));
    assert_false(csv_snp_id_read(parts[0], (struct csv_bytes){auth.bytes, 4095}, &id, &why));
    free(block.bytes);
    free(auth.bytes);
    table_free(&table);
}

static void models(void **state)
{
    (void)state;
    assert_int_equal(csv_snp_cpuid_signature("EPYC-v4"), 0x800f12);
    assert_int_equal(csv_snp_cpuid_signature("EPYC"), 0x800f12);
    assert_int_equal(csv_snp_cpuid_signature("EPYC-Rome-v2"), 0x830f10);
    assert_int_equal(csv_snp_cpuid_signature("EPYC-Milan"), 0xa00f11);
    assert_int_equal(csv_snp_cpuid_signature("EPYC-Genoa-v1"), 0xa10f10);
    assert_int_equal(csv_snp_cpuid_signature("EPYC-Milan-vx"), 0);
    assert_int_equal(csv_snp_cpuid_signature("-v1"), 0);
    assert_int_equal(csv_snp_cpuid_signature(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_digests),
        cmocka_unit_test(firmware_alone),
        cmocka_unit_test(every_input_counts),
        cmocka_unit_test(kernel_without_hashes),
        cmocka_unit_test(damaged_firmware),
        cmocka_unit_test(id_block),
        cmocka_unit_test(models),
    };
    if (table_skip()) {
        return 0;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
