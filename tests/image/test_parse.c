/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_parse.c: is a file that differs from an image in any way refused, and for the right reason?
 *
 * Each refusal starts from a good image (build/tests/images/idle.elf) and changes one thing. The
 * text of the refusal is compared, so a check that goes missing is noticed even where another one
 * catches the file later; tests/image/mutants.py proves that by taking each check out in turn.
 */
#include "image/elf64.h"
#include "image/image.h"
#include "support/elf.h"
#include <caisson/wire/map.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE CSN_MAP_PAGE_SIZE

static struct elf_file good;

static struct elf64_header *header(struct elf_file *file)
{
    return (struct elf64_header *)file->bytes;
}

/* The image's program headers: 0 text, 1 constants, 2 data, 3 note. */
static struct elf64_segment *segment(struct elf_file *file, uint32_t index)
{
    return (struct elf64_segment *)(file->bytes + sizeof(struct elf64_header)) + index;
}

static struct elf64_section *section(struct elf_file *file, uint32_t index)
{
    return (struct elf64_section *)(file->bytes + header(file)->sections_offset) + index;
}

static struct csn_wire_manifest *manifest(struct elf_file *file)
{
    return (struct csn_wire_manifest *)(file->bytes + segment(file, 3)->offset + 20);
}

typedef void (*change)(struct elf_file *file);

struct refusal {
    const char *what; /* part of the text */
    change change;
};

static void expect_refusal(const struct refusal *refusal)
{
    struct elf_file file = elf_copy(&good);
    struct csn_image image;
    struct csn_image untouched;
    struct csn_image_fault fault = {NULL, 0};
    memset(&image, 0x5a, sizeof image);
    untouched = image;
    refusal->change(&file);
    csn_err err = csn_image_parse(file.bytes, file.size, &image, &fault);
    if (err != CSN_ERR_FORMAT || fault.what == NULL || strstr(fault.what, refusal->what) == NULL) {
        fail_msg("wanted refusal '%s', got %s '%s'", refusal->what, csn_err_name(err),
                 fault.what == NULL ? "" : fault.what);
    }
    assert_memory_equal(&image, &untouched, sizeof image);
    assert_int_equal(csn_image_parse(file.bytes, file.size, &image, NULL), CSN_ERR_FORMAT);
    elf_free(&file);
}

/* One line per change: a function named after it. */
#define CHANGE(name, statement)                                                                    \
    static void name(struct elf_file *f)                                                           \
    {                                                                                              \
        statement;                                                                                 \
    }

/* clang-format off */
CHANGE(empty_file, f->size = 0)
CHANGE(short_file, f->size = 63)
CHANGE(bad_magic, f->bytes[0] = 'X')
CHANGE(class_32, f->bytes[4] = 1)
CHANGE(big_endian, f->bytes[5] = 2)
CHANGE(other_os, f->bytes[7] = 3)
CHANGE(ident_padding, f->bytes[15] = 1)
CHANGE(type_dynamic, header(f)->type = 3)
CHANGE(type_object, header(f)->type = 1)
CHANGE(machine_i386, header(f)->machine = 3)
CHANGE(version_two, header(f)->version = 2)
CHANGE(header_flags, header(f)->flags = 1)
CHANGE(header_size, header(f)->header_size = 65)
CHANGE(segment_size, header(f)->segment_size = 55)
CHANGE(no_segments, header(f)->segment_count = 0)
CHANGE(many_segments, header(f)->segment_count = CSN_IMAGE_SEGMENT_COUNT_MAX + 1)
CHANGE(segments_moved, header(f)->segments_offset = 65)
CHANGE(segments_far, header(f)->segments_offset = UINT64_MAX - 8)
CHANGE(segments_cut, f->size = 64 + 4 * 56 - 1)
CHANGE(sections_far, header(f)->sections_offset = UINT64_MAX - 63)
CHANGE(sections_earlier, header(f)->sections_offset -= 64)
CHANGE(section_size, header(f)->section_size = 63)
CHANGE(no_sections, header(f)->section_count = 0)
CHANGE(many_sections, header(f)->section_count = 65)
CHANGE(one_byte_more, f->size += 1)
CHANGE(one_byte_less, f->size -= 1)
CHANGE(section_rela, section(f, 4)->type = 4)
CHANGE(section_rel, section(f, 4)->type = 9)
CHANGE(section_dynamic, section(f, 4)->type = 6)
CHANGE(section_dynsym, section(f, 4)->type = 11)
CHANGE(section_init_array, section(f, 4)->type = 14)
CHANGE(section_beyond, section(f, 1)->size = f->size)
CHANGE(section_overflow, section(f, 1)->size = UINT64_MAX)
CHANGE(interpreter, segment(f, 3)->type = 3)
CHANGE(dynamic, segment(f, 3)->type = 2)
CHANGE(thread_local_data, segment(f, 3)->type = 7)
CHANGE(gnu_stack, segment(f, 3)->type = 0x6474e551)
CHANGE(no_load, for (int i = 0; i < 3; i++) { *segment(f, (uint32_t)i) = *segment(f, 3); })
CHANGE(write_execute_text, segment(f, 0)->flags = 7)
CHANGE(write_execute_data, segment(f, 2)->flags = 7)
CHANGE(execute_only, segment(f, 0)->flags = 1)
CHANGE(write_only, segment(f, 2)->flags = 2)
CHANGE(no_permission, segment(f, 2)->flags = 0)
CHANGE(unknown_permission, segment(f, 2)->flags = 6 | 8)
CHANGE(unaligned_address, segment(f, 2)->address += 8)
CHANGE(unaligned_offset, segment(f, 2)->offset += 8)
CHANGE(other_alignment, segment(f, 2)->alignment = 0x200000)
CHANGE(empty_segment, segment(f, 2)->memory_size = 0; segment(f, 2)->file_size = 0)
CHANGE(file_over_memory, segment(f, 2)->memory_size = segment(f, 2)->file_size - 1)
CHANGE(beyond_file, segment(f, 2)->offset = (f->size + PAGE) & ~(PAGE - 1))
CHANGE(offset_overflow, segment(f, 2)->offset = UINT64_MAX - PAGE + 1)
CHANGE(size_overflow, segment(f, 2)->memory_size = UINT64_MAX)
CHANGE(size_wraps_to_zero, segment(f, 2)->memory_size = 0 - segment(f, 2)->address)
CHANGE(below_range, segment(f, 0)->address = CSN_MAP_IMAGE - PAGE)
CHANGE(page_zero, segment(f, 0)->address = 0)
CHANGE(above_range, segment(f, 2)->address = CSN_MAP_IMAGE_END)
CHANGE(over_the_end, segment(f, 2)->memory_size = CSN_MAP_IMAGE_END - segment(f, 2)->address + 1)
CHANGE(kernel_address, segment(f, 2)->address = UINT64_C(0xffffffff80000000))
CHANGE(same_address, segment(f, 1)->address = segment(f, 0)->address)
CHANGE(overlap_by_a_byte, segment(f, 0)->memory_size = PAGE + 1)
CHANGE(order, struct elf64_segment s = *segment(f, 0); *segment(f, 0) = *segment(f, 2);
       *segment(f, 2) = s)
CHANGE(entry_in_constants, header(f)->entry = segment(f, 1)->address)
CHANGE(entry_in_data, header(f)->entry = segment(f, 2)->address)
CHANGE(entry_after_text, header(f)->entry = segment(f, 0)->address + segment(f, 0)->file_size)
CHANGE(entry_before_text, header(f)->entry = segment(f, 0)->address - 1)
CHANGE(entry_zero, header(f)->entry = 0)
CHANGE(no_executable, segment(f, 0)->flags = 4)
CHANGE(no_note, header(f)->segment_count = 3)
CHANGE(two_notes, *segment(f, 2) = *segment(f, 3))
CHANGE(note_long, segment(f, 3)->file_size += 1)
CHANGE(note_short, segment(f, 3)->file_size -= 1)
CHANGE(note_memory, segment(f, 3)->memory_size += 4)
CHANGE(note_writable, segment(f, 3)->flags = 6)
CHANGE(note_in_text, segment(f, 3)->address = segment(f, 0)->address;
       segment(f, 3)->offset = segment(f, 0)->offset)
CHANGE(note_elsewhere_in_file, segment(f, 3)->offset = segment(f, 0)->offset)
CHANGE(note_not_loaded, segment(f, 3)->address += PAGE * 16)
CHANGE(note_below, segment(f, 3)->address -= 8; segment(f, 3)->offset -= 8)
CHANGE(note_over_the_end, segment(f, 1)->file_size = segment(f, 3)->file_size - 1)
CHANGE(note_home_writable, segment(f, 1)->flags = 6)
CHANGE(note_name, f->bytes[segment(f, 3)->offset + 12] = 'c')
CHANGE(note_name_end, f->bytes[segment(f, 3)->offset + 19] = '!')
CHANGE(note_name_size, f->bytes[segment(f, 3)->offset] = 9)
CHANGE(note_desc_size, f->bytes[segment(f, 3)->offset + 4] = 0xe9)
CHANGE(note_type, f->bytes[segment(f, 3)->offset + 8] = 2)
CHANGE(m_magic, manifest(f)->magic ^= 1)
CHANGE(m_abi, manifest(f)->abi_version = 2)
CHANGE(m_name_empty, memset(manifest(f)->name, 0, CSN_WIRE_NAME_SIZE))
CHANGE(m_name_full, memset(manifest(f)->name, 'a', CSN_WIRE_NAME_SIZE))
CHANGE(m_name_upper, manifest(f)->name[0] = 'A')
CHANGE(m_name_slash, manifest(f)->name[1] = '/')
CHANGE(m_name_tail, manifest(f)->name[31] = 'x')
CHANGE(m_name_hole, manifest(f)->name[8] = 'x')
CHANGE(m_flags, manifest(f)->flags = 16)
CHANGE(m_flags_high, manifest(f)->flags = UINT32_C(0x80000000))
CHANGE(m_stack_small, manifest(f)->stack_size = 0x3000)
CHANGE(m_stack_large, manifest(f)->stack_size = CSN_MAP_STACK_SIZE_MAX + PAGE)
CHANGE(m_stack_odd, manifest(f)->stack_size = 0x4001)
CHANGE(m_pool_zero, manifest(f)->pool_size = 0)
CHANGE(m_pool_odd, manifest(f)->pool_size += 8)
CHANGE(m_pool_large, manifest(f)->pool_size = CSN_MAP_POOL_SIZE_MAX + PAGE)
CHANGE(m_workers_zero, manifest(f)->worker_count = 0)
CHANGE(m_workers_many, manifest(f)->worker_count = CSN_MAP_WORKER_COUNT_MAX + 1)
CHANGE(m_channels_zero, manifest(f)->channel_count = 0)
CHANGE(m_channels_many, manifest(f)->channel_count = 65)
CHANGE(m_input_zero, manifest(f)->input_size_max = 0)
CHANGE(m_input_huge, manifest(f)->input_size_max = 0x1000000)
CHANGE(m_input_wrap, manifest(f)->input_size_max = UINT32_MAX)
CHANGE(m_output_zero, manifest(f)->output_size_max = 0)
CHANGE(m_output_huge, manifest(f)->output_size_max = 0x1000000)
CHANGE(m_outputs_zero, manifest(f)->outputs_per_input_max = 0)
CHANGE(m_outputs_many, manifest(f)->outputs_per_input_max = 1025)
CHANGE(m_tenants_zero, manifest(f)->tenant_count_max = 0)
CHANGE(m_tenants_many, manifest(f)->tenant_count_max = 65537)
CHANGE(m_contexts_zero, manifest(f)->context_count_max = 0)
CHANGE(m_contexts_many, manifest(f)->context_count_max = 1048577)
CHANGE(m_credentials_zero, manifest(f)->credential_count_max = 0)
CHANGE(m_credentials_many, manifest(f)->credential_count_max = 65)
CHANGE(m_consumers_many, manifest(f)->consumer_count_max = 17)
CHANGE(m_policy_large, manifest(f)->policy_size_max = 65537)
CHANGE(m_state_large, manifest(f)->tenant_state_size = UINT64_MAX)
CHANGE(m_worker_state_large, manifest(f)->worker_state_size = UINT64_MAX)
CHANGE(m_held_many, manifest(f)->held_max = CSN_WIRE_HELD_MAX + 1)
CHANGE(m_scratch_large, manifest(f)->scratch_size = UINT64_MAX)
CHANGE(m_reserved, manifest(f)->reserved[0] = 1)
CHANGE(m_reserved_end, manifest(f)->reserved[83] = 1)
CHANGE(m_scale_large, manifest(f)->output_scale = CSN_WIRE_OUTPUT_SCALE_MAX + 1)
CHANGE(m_scale_wraps, manifest(f)->output_scale = UINT32_MAX)
CHANGE(m_extra_large, manifest(f)->output_extra = CSN_WIRE_OUTPUT_EXTRA_MAX + 1)
CHANGE(m_room_none, manifest(f)->output_scale = 0)
CHANGE(m_room_small, manifest(f)->output_scale = 4) /* 16 bytes */
CHANGE(m_input_ring_odd, manifest(f)->input_line_count = 96)
CHANGE(m_input_ring_zero, manifest(f)->input_line_count = 0)
CHANGE(m_input_ring_small, manifest(f)->input_line_count = 32)
CHANGE(m_input_ring_huge, manifest(f)->input_line_count = UINT32_C(1) << 27)
CHANGE(m_output_ring_odd, manifest(f)->output_line_count = 65)
CHANGE(m_output_ring_small, manifest(f)->output_line_count = 32)
CHANGE(m_output_ring_outputs, manifest(f)->outputs_per_input_max = 4)
CHANGE(m_ping, manifest(f)->input_size_max = 1081)
CHANGE(m_sum_scratch, manifest(f)->scratch_size = manifest(f)->pool_size / 2;
       manifest(f)->worker_count = 4)
CHANGE(m_sum_states, manifest(f)->tenant_state_size = manifest(f)->pool_size / 2;
       manifest(f)->tenant_count_max = 3)
CHANGE(m_sum_worker, manifest(f)->worker_state_size = manifest(f)->pool_size / 2 + 1;
       manifest(f)->worker_count = 2)
CHANGE(m_sum_wraps, manifest(f)->pool_size = UINT64_C(1) << 38;
       manifest(f)->tenant_state_size = UINT64_C(1) << 38; manifest(f)->tenant_count_max = 65536)
CHANGE(m_rings, manifest(f)->input_line_count = 1 << 26; manifest(f)->channel_count = 64)

static const struct refusal refusals[] = {
    {"shorter than an ELF header", empty_file}, {"shorter than an ELF header", short_file},
    {"not a 64-bit", bad_magic}, {"not a 64-bit", class_32}, {"not a 64-bit", big_endian},
    {"not a 64-bit", other_os}, {"not a 64-bit", ident_padding},
    {"not a fixed-address", type_dynamic}, {"not a fixed-address", type_object},
    {"not for x86-64", machine_i386}, {"ELF header version", version_two},
    {"ELF header version", header_flags}, {"ELF header version", header_size},
    {"count of program headers", segment_size}, {"count of program headers", no_segments},
    {"count of program headers", many_segments}, {"do not follow", segments_moved},
    {"do not follow", segments_far}, {"do not follow", segments_cut},
    {"does not end with", sections_far},
    {"does not end with", sections_earlier}, {"count of section headers", section_size},
    {"count of section headers", no_sections}, {"count of section headers", many_sections},
    {"does not end with", one_byte_more}, {"does not end with", one_byte_less},
    {"that an image has not", section_rela}, {"that an image has not", section_rel},
    {"that an image has not", section_dynamic}, {"that an image has not", section_dynsym},
    {"that an image has not", section_init_array}, {"section beyond", section_beyond},
    {"section beyond", section_overflow}, {"neither segment nor note", interpreter},
    {"neither segment nor note", dynamic}, {"neither segment nor note", thread_local_data},
    {"neither segment nor note", gnu_stack}, {"no segment to load", no_load},
    {"both writable and executable", write_execute_text},
    {"both writable and executable", write_execute_data},
    {"unknown permissions", execute_only}, {"unknown permissions", write_only},
    {"unknown permissions", no_permission}, {"unknown permissions", unknown_permission},
    {"not aligned to pages", unaligned_address}, {"not aligned to pages", unaligned_offset},
    {"not aligned to pages", other_alignment}, {"segment empty", empty_segment},
    {"larger in the file", file_over_memory}, {"segment beyond the end", beyond_file},
    {"segment beyond the end", offset_overflow}, {"outside the range", size_overflow},
    {"outside the range", size_wraps_to_zero}, {"outside the range", below_range},
    {"outside the range", page_zero}, {"outside the range", above_range},
    {"outside the range", over_the_end}, {"outside the range", kernel_address},
    {"overlap or are out of order", same_address}, {"overlap or", overlap_by_a_byte},
    {"overlap or are out of order", order}, {"entry point", entry_in_constants},
    {"entry point", entry_in_data}, {"entry point", entry_after_text},
    {"entry point", entry_before_text}, {"entry point", entry_zero},
    {"entry point", no_executable}, {"not exactly one manifest", no_note},
    {"not exactly one manifest", two_notes}, {"note of another size", note_long},
    {"note of another size", note_short}, {"note of another size", note_memory},
    {"not read-only", note_writable}, {"not inside a read-only", note_in_text},
    {"not inside a read-only", note_elsewhere_in_file}, {"not inside a read-only", note_not_loaded},
    {"not inside a read-only", note_below}, {"not inside a read-only", note_over_the_end},
    {"not inside a read-only", note_home_writable}, {"note is not a manifest", note_name},
    {"note is not a manifest", note_name_end}, {"note is not a manifest", note_name_size},
    {"note is not a manifest", note_desc_size}, {"note is not a manifest", note_type},
    {"manifest magic", m_magic}, {"another ABI", m_abi}, {"manifest name", m_name_empty},
    {"manifest name", m_name_full}, {"manifest name", m_name_upper},
    {"manifest name", m_name_slash}, {"manifest name", m_name_tail},
    {"manifest name", m_name_hole}, {"flag that is not defined", m_flags},
    {"flag that is not defined", m_flags_high}, {"manifest stack", m_stack_small},
    {"manifest stack", m_stack_large}, {"manifest stack", m_stack_odd},
    {"manifest pool size", m_pool_zero}, {"manifest pool size", m_pool_odd},
    {"manifest pool size", m_pool_large}, {"manifest worker count", m_workers_zero},
    {"manifest worker count", m_workers_many}, {"manifest channel count", m_channels_zero},
    {"manifest channel count", m_channels_many}, {"manifest largest input", m_input_zero},
    {"manifest largest input", m_input_huge}, {"manifest largest input", m_input_wrap},
    {"manifest largest output", m_output_zero}, {"manifest largest output", m_output_huge},
    {"outputs per input", m_outputs_zero}, {"outputs per input", m_outputs_many},
    {"manifest tenant count", m_tenants_zero}, {"manifest tenant count", m_tenants_many},
    {"manifest context count", m_contexts_zero}, {"manifest context count", m_contexts_many},
    {"manifest credential count", m_credentials_zero},
    {"manifest credential count", m_credentials_many},
    {"manifest consumer count", m_consumers_many}, {"manifest policy size", m_policy_large},
    {"manifest tenant state size", m_state_large}, {"manifest scratch size", m_scratch_large},
    {"manifest output scale", m_scale_large}, {"manifest output scale", m_scale_wraps},
    {"manifest output extra", m_extra_large}, {"manifest output room", m_room_none},
    {"manifest output room", m_room_small},
    {"manifest reserved", m_reserved}, {"manifest reserved", m_reserved_end},
    {"input ring", m_input_ring_odd}, {"input ring", m_input_ring_zero},
    {"input ring", m_input_ring_small}, {"input ring", m_input_ring_huge},
    {"output ring", m_output_ring_odd}, {"output ring", m_output_ring_small},
    {"output ring", m_output_ring_outputs}, {"answer to a ping", m_ping},
    {"pool too small", m_sum_scratch}, {"pool too small", m_sum_states},
    {"manifest worker state size", m_worker_state_large}, {"manifest held calls", m_held_many},
    {"pool too small", m_sum_worker}, {"pool too small", m_sum_wraps}, {"rings larger", m_rings},
};
/* clang-format on */

static void test_good_image(void **state)
{
    struct csn_image image;
    struct csn_image_fault fault = {"untouched", 7};
    (void)state;
    assert_int_equal(csn_image_parse(good.bytes, good.size, &image, &fault), CSN_OK);
    assert_string_equal(fault.what, "untouched");
    assert_string_equal(image.manifest.name, "idle");
    assert_int_equal(image.segment_count, 3);
    assert_int_equal(image.entry, CSN_MAP_IMAGE);
    assert_int_equal(image.segments[0].permissions, CSN_IMAGE_READ | CSN_IMAGE_EXECUTE);
    assert_int_equal(image.segments[1].permissions, CSN_IMAGE_READ);
    assert_int_equal(image.segments[2].permissions, CSN_IMAGE_READ | CSN_IMAGE_WRITE);
    assert_int_equal(image.segments[0].address, CSN_MAP_IMAGE);
}

static void test_every_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        expect_refusal(&refusals[i]);
    }
}

static void test_every_prefix(void **state)
{
    struct csn_image image;
    (void)state;
    for (size_t size = 0; size < good.size; size++) {
        /* A copy of exactly that size, so that a read beyond it is seen by the sanitizers. */
        uint8_t *prefix = malloc(size + 1);
        memcpy(prefix, good.bytes, size);
        csn_err err = csn_image_parse(prefix, size, &image, NULL);
        free(prefix);
        assert_int_equal(err, CSN_ERR_FORMAT);
    }
}

static void test_every_overlap(void **state)
{
    (void)state;
    for (uint32_t left = 0; left < 3; left++) {
        for (uint32_t right = 0; right < 3; right++) {
            struct csn_image image;
            if (left == right) {
                continue;
            }
            struct elf_file file = elf_copy(&good);
            segment(&file, left)->address = segment(&file, right)->address;
            csn_err err = csn_image_parse(file.bytes, file.size, &image, NULL);
            elf_free(&file);
            assert_int_equal(err, CSN_ERR_FORMAT);
        }
    }
}

/* Limits are inclusive: the largest allowed value of a field must still pass. */
static void test_limits_pass(void **state)
{
    struct csn_image image;
    struct csn_image_fault fault = {"", 0};
    (void)state;
    assert_int_equal(csn_image_parse(good.bytes, good.size, &image, NULL), CSN_OK);
    struct csn_wire_manifest m = image.manifest;
    m.stack_size = CSN_MAP_STACK_SIZE_MAX;
    m.pool_size = CSN_MAP_POOL_SIZE_MAX;
    m.worker_count = CSN_MAP_WORKER_COUNT_MAX;
    m.channel_count = 64;
    m.tenant_count_max = 65536;
    m.context_count_max = 1048576;
    m.credential_count_max = 64;
    m.consumer_count_max = 16;
    m.policy_size_max = 65536;
    m.output_scale = CSN_WIRE_OUTPUT_SCALE_MAX;
    m.output_extra = CSN_WIRE_OUTPUT_EXTRA_MAX;
    m.flags = CSN_WIRE_FLAGS_ALL;
    memset(m.name, 'z', CSN_WIRE_NAME_SIZE - 1);
    if (csn_manifest_check(&m, &fault) != CSN_OK) {
        fail_msg("%s", fault.what);
    }
    m.output_scale = 0; /* answers that are all alike, down to what a FIN's answer needs */
    m.output_extra = 17;
    if (csn_manifest_check(&m, &fault) != CSN_OK) {
        fail_msg("%s", fault.what);
    }
}

static int load_good(void **state)
{
    (void)state;
    return elf_load(&good, "tests/images/idle.elf");
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
        cmocka_unit_test(test_good_image),   cmocka_unit_test(test_every_refusal),
        cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_every_overlap),
        cmocka_unit_test(test_limits_pass),
    };
    return cmocka_run_group_tests_name("image parser", tests, load_good, free_good);
}
