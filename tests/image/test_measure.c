/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_measure.c: does the measurement cover all of an image's memory, and nothing beside it?
 *
 * The reference is computed here, with OpenSSL, from the description in src/image/image.h.
 */
#include "image/elf64.h"
#include "image/image.h"
#include "support/elf.h"
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct elf_file good;
static struct csn_image good_image;
static uint8_t good_measurement[48];

/* ---- the reference ---- */

static void item(EVP_MD_CTX *hash, const void *bytes, uint64_t size)
{
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(size >> (8 * i));
    }
    assert_int_equal(EVP_DigestUpdate(hash, length, 8), 1);
    assert_int_equal(EVP_DigestUpdate(hash, bytes, size), 1);
}

static uint8_t *memory_of(const struct elf_file *file, const struct csn_image_segment *segment)
{
    uint8_t *memory = calloc(1, segment->memory_size);
    memcpy(memory, file->bytes + segment->file_offset, segment->file_size);
    return memory;
}

static void reference(const struct elf_file *file, const struct csn_image *image, uint8_t *digest)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestInit_ex(hash, EVP_sha384(), NULL), 1);
    item(hash, "caisson-image-v1", 16);
    item(hash, &image->manifest.abi_version, 4);
    item(hash, &image->manifest, 232);
    item(hash, &image->entry, 8);
    item(hash, &image->segment_count, 4);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *segment = &image->segments[i];
        uint8_t *memory = memory_of(file, segment);
        item(hash, &segment->address, 8);
        item(hash, &segment->memory_size, 8);
        item(hash, &segment->permissions, 4);
        item(hash, memory, segment->memory_size);
        free(memory);
    }
    assert_int_equal(EVP_DigestFinal_ex(hash, digest, NULL), 1);
    EVP_MD_CTX_free(hash);
}

/* ---- helpers ---- */

static csn_err measure(const struct elf_file *file, struct csn_image *image, uint8_t digest[48])
{
    return csn_image_measure_file(file->bytes, file->size, image, digest, NULL);
}

/* Refused, or measured differently. True if refused. */
static bool refused_or_different(const struct elf_file *file)
{
    struct csn_image image;
    uint8_t digest[48];
    if (measure(file, &image, digest) != CSN_OK) {
        return true;
    }
    assert_memory_not_equal(digest, good_measurement, 48);
    return false;
}

static bool same_memory(const struct elf_file *file, const struct csn_image *image)
{
    bool same = image->entry == good_image.entry &&
                image->segment_count == good_image.segment_count &&
                memcmp(&image->manifest, &good_image.manifest, sizeof image->manifest) == 0;
    for (uint32_t i = 0; same && i < image->segment_count; i++) {
        const struct csn_image_segment *a = &image->segments[i];
        const struct csn_image_segment *b = &good_image.segments[i];
        same = a->address == b->address && a->memory_size == b->memory_size &&
               a->permissions == b->permissions;
        if (same) {
            uint8_t *left = memory_of(file, a);
            uint8_t *right = memory_of(&good, b);
            same = memcmp(left, right, a->memory_size) == 0;
            free(left);
            free(right);
        }
    }
    return same;
}

/* ---- tests ---- */

static void test_reference(void **state)
{
    uint8_t digest[48];
    (void)state;
    reference(&good, &good_image, digest);
    assert_memory_equal(digest, good_measurement, 48);
}

static const uint8_t *loaded(void *state, const struct csn_image_segment *segment)
{
    return ((uint8_t **)state)[segment - good_image.segments];
}

static void test_loader_measures_the_same(void **state)
{
    uint8_t *memories[CSN_IMAGE_SEGMENT_COUNT_MAX];
    uint8_t digest[48];
    (void)state;
    for (uint32_t i = 0; i < good_image.segment_count; i++) {
        memories[i] = memory_of(&good, &good_image.segments[i]);
    }
    csn_image_measure(&good_image, loaded, memories, digest);
    assert_memory_equal(digest, good_measurement, 48);
    /* One byte of memory that no file byte stands for: the zeroed end of the data. */
    uint32_t last = good_image.segment_count - 1;
    memories[last][good_image.segments[last].memory_size - 1] ^= 1;
    csn_image_measure(&good_image, loaded, memories, digest);
    assert_memory_not_equal(digest, good_measurement, 48);
    for (uint32_t i = 0; i < good_image.segment_count; i++) {
        free(memories[i]);
    }
}

static size_t manifest_offset(void)
{
    const struct elf64_segment *note =
        (const struct elf64_segment *)(good.bytes + sizeof(struct elf64_header)) + 3;
    return note->offset + 20;
}

static void test_every_manifest_bit(void **state)
{
    uint32_t refused = 0;
    struct elf_file file = elf_copy(&good);
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof(struct csn_wire_manifest); bit++) {
        uint8_t *byte = file.bytes + manifest_offset() + bit / 8;
        *byte ^= (uint8_t)(1u << bit % 8);
        refused += refused_or_different(&file);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    /* Both ways must occur, else one of them was not tested. */
    assert_true(refused > 0 && refused < 8 * sizeof(struct csn_wire_manifest));
    elf_free(&file);
}

static void test_debug_is_measured(void **state)
{
    struct csn_image image;
    uint8_t digest[48];
    struct elf_file file = elf_copy(&good);
    (void)state;
    file.bytes[manifest_offset() + offsetof(struct csn_wire_manifest, flags)] |=
        CSN_WIRE_FLAG_DEBUG;
    assert_int_equal(measure(&file, &image, digest), CSN_OK);
    assert_memory_not_equal(digest, good_measurement, 48);
    elf_free(&file);
}

static void test_every_loaded_byte(void **state)
{
    struct elf_file file = elf_copy(&good);
    (void)state;
    for (uint32_t i = 0; i < good_image.segment_count; i++) {
        const struct csn_image_segment *segment = &good_image.segments[i];
        for (uint64_t at = 0; at < segment->file_size; at++) {
            file.bytes[segment->file_offset + at] ^= 0x10;
            (void)refused_or_different(&file);
            file.bytes[segment->file_offset + at] ^= 0x10;
        }
    }
    elf_free(&file);
}

static void test_layout(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct elf_file file = elf_copy(&good);
        struct elf64_header *header = (struct elf64_header *)file.bytes;
        struct elf64_segment *segment = (struct elf64_segment *)(header + 1) + i;
        segment->memory_size += 1; /* one zero byte more */
        assert_false(refused_or_different(&file));
        segment->memory_size -= 1;
        segment->flags ^= i == 2 ? CSN_IMAGE_WRITE : CSN_IMAGE_EXECUTE;
        (void)refused_or_different(&file);
        segment->flags ^= i == 2 ? CSN_IMAGE_WRITE : CSN_IMAGE_EXECUTE;
        header->entry += 1;
        assert_false(refused_or_different(&file));
        elf_free(&file);
    }
}

/* Names and symbols are not memory: changing them changes nothing that is measured. */
static void test_file_only_bytes(void **state)
{
    struct csn_image image;
    uint8_t digest[48];
    struct elf_file file = elf_copy(&good);
    const struct elf64_header *header = (const struct elf64_header *)file.bytes;
    (void)state;
    file.bytes[header->sections_offset - 1] ^= 1; /* end of the section names */
    assert_int_equal(measure(&file, &image, digest), CSN_OK);
    assert_memory_equal(digest, good_measurement, 48);
    elf_free(&file);
}

/* Threat C9: random changes anywhere; whatever is measured equal is equal memory, and back. */
static void test_equal_measurement_equal_memory(void **state)
{
    uint32_t accepted = 0;
    uint32_t equal = 0;
    struct elf_file file = elf_copy(&good);
    (void)state;
    srand(1);
    for (int round = 0; round < 60000; round++) {
        struct csn_image image;
        uint8_t digest[48];
        memcpy(file.bytes, good.bytes, good.size);
        for (int changes = rand() % 3; changes >= 0; changes--) {
            /* Half of them in the headers, where the layout is. */
            size_t at = (size_t)rand() % (rand() % 2 ? file.size : 64 + 4 * 56);
            file.bytes[at] ^= (uint8_t)(1u << rand() % 8);
        }
        if (measure(&file, &image, digest) != CSN_OK) {
            continue;
        }
        bool same = memcmp(digest, good_measurement, 48) == 0;
        accepted++;
        equal += same;
        assert_int_equal(same, same_memory(&file, &image));
    }
    assert_true(accepted > 1000 && equal > 100 && equal < accepted);
    elf_free(&file);
}

static int load_good(void **state)
{
    (void)state;
    if (elf_load(&good, "tests/images/idle.elf") != 0) {
        return -1;
    }
    return measure(&good, &good_image, good_measurement) == CSN_OK ? 0 : -1;
}

static int free_good(void **state)
{
    (void)state;
    elf_free(&good);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_loader_measures_the_same),
        cmocka_unit_test(test_every_manifest_bit),
        cmocka_unit_test(test_debug_is_measured),
        cmocka_unit_test(test_every_loaded_byte),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_file_only_bytes),
        cmocka_unit_test(test_equal_measurement_equal_memory),
    };
    return cmocka_run_group_tests_name("image measurement", tests, load_good, free_good);
}
