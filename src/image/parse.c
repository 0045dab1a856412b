/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.c: an ELF file is an image only if every field is one that our own linker script makes.
 *
 * Trust:   every byte is hostile. Tables are copied into locals before they are looked at, sums
 *          are checked, and nothing is read beyond size. What is not known is refused.
 * Threads: pure function over a private copy.
 */
#include "../core/bytes.h"
#include "elf64.h"
#include "image.h"
#include <caisson/wire/map.h>
#include <stdbool.h>

#define IMAGE_SECTION_COUNT_MAX 64u

struct parser {
    const uint8_t *bytes;
    uint64_t size;
    struct elf64_header header;
    struct csn_image image;
    struct elf64_segment note;
    uint32_t note_count;
    struct csn_image_fault fault;
};

static csn_err refuse(struct parser *parser, const char *what, uint64_t where)
{
    parser->fault.what = what;
    parser->fault.where = where;
    return CSN_ERR_FORMAT;
}

/* [offset, offset + size) lies inside the file. */
static bool inside(const struct parser *parser, uint64_t offset, uint64_t size)
{
    uint64_t end;
    return csn_add_u64(offset, size, &end) && end <= parser->size;
}

static csn_err parse_header(struct parser *parser)
{
    static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    struct elf64_header *header = &parser->header;
    if (parser->size < sizeof *header) {
        return refuse(parser, "shorter than an ELF header", parser->size);
    }
    __builtin_memcpy(header, parser->bytes, sizeof *header);
    for (uint32_t i = 0; i < sizeof ident; i++) {
        if (header->ident[i] != ident[i]) {
            return refuse(parser, "not a 64-bit little-endian System V ELF file", i);
        }
    }
    if (header->type != ELF64_TYPE_EXECUTABLE) {
        return refuse(parser, "not a fixed-address executable", 16);
    }
    if (header->machine != ELF64_MACHINE_X86_64) {
        return refuse(parser, "not for x86-64", 18);
    }
    if (header->version != 1 || header->flags != 0 || header->header_size != sizeof *header) {
        return refuse(parser, "ELF header version, flags or size", 20);
    }
    if (header->segment_size != sizeof(struct elf64_segment) || header->segment_count == 0 ||
        header->segment_count > CSN_IMAGE_SEGMENT_COUNT_MAX) {
        return refuse(parser, "size or count of program headers", 54);
    }
    if (header->segments_offset != sizeof *header ||
        !inside(parser, header->segments_offset,
                (uint64_t)header->segment_count * sizeof(struct elf64_segment))) {
        return refuse(parser, "program headers do not follow the ELF header", 32);
    }
    return CSN_OK;
}

/* One PT_LOAD; segments must come in ascending order, so that overlap is a look at the last one. */
static csn_err parse_load(struct parser *parser, const struct elf64_segment *load, uint64_t where)
{
    struct csn_image *image = &parser->image;
    const uint64_t page_mask = CSN_MAP_PAGE_SIZE - 1;
    uint64_t end;
    if ((load->flags & ~(CSN_IMAGE_READ | CSN_IMAGE_WRITE | CSN_IMAGE_EXECUTE)) != 0 ||
        (load->flags & CSN_IMAGE_READ) == 0) {
        return refuse(parser, "segment with unknown permissions", where);
    }
    if ((load->flags & CSN_IMAGE_WRITE) != 0 && (load->flags & CSN_IMAGE_EXECUTE) != 0) {
        return refuse(parser, "segment both writable and executable", where);
    }
    if (load->alignment != CSN_MAP_PAGE_SIZE || (load->address & page_mask) != 0 ||
        (load->offset & page_mask) != 0) {
        return refuse(parser, "segment not aligned to pages", where);
    }
    if (load->memory_size == 0 || load->file_size > load->memory_size) {
        return refuse(parser, "segment empty, or larger in the file than in memory", where);
    }
    if (!inside(parser, load->offset, load->file_size)) {
        return refuse(parser, "segment beyond the end of the file", where);
    }
    if (!csn_add_u64(load->address, load->memory_size, &end) || load->address < CSN_MAP_IMAGE ||
        end > CSN_MAP_IMAGE_END) {
        return refuse(parser, "segment outside the range of images", where);
    }
    if (image->segment_count > 0) {
        const struct csn_image_segment *last = &image->segments[image->segment_count - 1];
        uint64_t free = (last->address + last->memory_size + page_mask) & ~page_mask;
        if (load->address < free) {
            return refuse(parser, "segments overlap or are out of order", where);
        }
    }
    image->segments[image->segment_count++] = (struct csn_image_segment){
        .address = load->address,
        .memory_size = load->memory_size,
        .file_offset = load->offset,
        .file_size = load->file_size,
        .permissions = load->flags,
    };
    return CSN_OK;
}

static csn_err parse_segments(struct parser *parser)
{
    for (uint32_t i = 0; i < parser->header.segment_count; i++) {
        struct elf64_segment segment;
        uint64_t where = parser->header.segments_offset + (uint64_t)i * sizeof segment;
        __builtin_memcpy(&segment, parser->bytes + where, sizeof segment);
        if (segment.type == ELF64_SEGMENT_LOAD) {
            CSN_TRY(parse_load(parser, &segment, where));
        } else if (segment.type == ELF64_SEGMENT_NOTE) {
            parser->note = segment;
            parser->note_count++;
        } else {
            return refuse(parser, "program header that is neither segment nor note", where);
        }
    }
    if (parser->image.segment_count == 0) {
        return refuse(parser, "no segment to load", parser->header.segments_offset);
    }
    return CSN_OK;
}

static csn_err parse_entry(struct parser *parser)
{
    const struct csn_image *image = &parser->image;
    uint64_t entry = parser->header.entry;
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *segment = &image->segments[i];
        if ((segment->permissions & CSN_IMAGE_EXECUTE) != 0 && entry >= segment->address &&
            entry - segment->address < segment->file_size) {
            parser->image.entry = entry;
            return CSN_OK;
        }
    }
    return refuse(parser, "entry point not in an executable segment", 24);
}

/* The note must lie, byte for byte, in what a read-only segment loads: so it is measured. */
static csn_err parse_note(struct parser *parser)
{
    struct {
        uint32_t name_size;
        uint32_t desc_size;
        uint32_t type;
        uint8_t name[8];
    } head;
    const struct elf64_segment *note = &parser->note;
    const uint64_t size = sizeof head + sizeof(struct csn_wire_manifest);
    const struct csn_image_segment *home = NULL;
    if (parser->note_count != 1) {
        return refuse(parser, "not exactly one manifest note", parser->header.segments_offset);
    }
    if (note->flags != CSN_IMAGE_READ || note->file_size != size || note->memory_size != size) {
        return refuse(parser, "manifest note of another size or not read-only", note->offset);
    }
    for (uint32_t i = 0; i < parser->image.segment_count; i++) {
        const struct csn_image_segment *segment = &parser->image.segments[i];
        /* The subtractions wrap when the note lies below, which fails the comparison. */
        uint64_t into = note->address - segment->address;
        if (segment->permissions == CSN_IMAGE_READ && into <= segment->file_size &&
            segment->file_size - into >= size && note->offset - segment->file_offset == into) {
            home = segment;
        }
    }
    if (home == NULL) {
        return refuse(parser, "manifest note not inside a read-only segment", note->offset);
    }
    __builtin_memcpy(&head, parser->bytes + note->offset, sizeof head);
    if (head.name_size != sizeof head.name || head.type != CSN_WIRE_NOTE_TYPE ||
        head.desc_size != sizeof(struct csn_wire_manifest) ||
        !csn_equal_ct(head.name, CSN_WIRE_NOTE_NAME, sizeof head.name)) {
        return refuse(parser, "note is not a manifest", note->offset);
    }
    __builtin_memcpy(&parser->image.manifest, parser->bytes + note->offset + sizeof head,
                     sizeof parser->image.manifest);
    csn_err err = csn_manifest_check(&parser->image.manifest, &parser->fault);
    parser->fault.where += note->offset + sizeof head;
    return err;
}

static csn_err parse_section(struct parser *parser, const struct elf64_section *section,
                             uint64_t where)
{
    switch (section->type) {
    case ELF64_SECTION_NULL:
    case ELF64_SECTION_NOBITS:
        return CSN_OK;
    case ELF64_SECTION_PROGBITS:
    case ELF64_SECTION_SYMTAB:
    case ELF64_SECTION_STRTAB:
    case ELF64_SECTION_NOTE:
        if (!inside(parser, section->offset, section->size)) {
            return refuse(parser, "section beyond the end of the file", where);
        }
        return CSN_OK;
    default:
        return refuse(parser, "section of a kind that an image has not (relocations?)", where);
    }
}

/* Sections are not loaded, but they say whether the linker has finished, and pin the file's end. */
static csn_err parse_sections(struct parser *parser)
{
    const struct elf64_header *header = &parser->header;
    uint64_t end;
    if (header->section_size != sizeof(struct elf64_section) || header->section_count == 0 ||
        header->section_count > IMAGE_SECTION_COUNT_MAX) {
        return refuse(parser, "size or count of section headers", 58);
    }
    uint64_t size = (uint64_t)header->section_count * sizeof(struct elf64_section);
    if (!csn_add_u64(header->sections_offset, size, &end) || end != parser->size) {
        return refuse(parser, "file does not end with its section headers", 40);
    }
    for (uint32_t i = 0; i < header->section_count; i++) {
        struct elf64_section section;
        uint64_t where = header->sections_offset + (uint64_t)i * sizeof section;
        __builtin_memcpy(&section, parser->bytes + where, sizeof section);
        CSN_TRY(parse_section(parser, &section, where));
    }
    return CSN_OK;
}

static csn_err parse_all(struct parser *parser)
{
    CSN_TRY(parse_header(parser));
    CSN_TRY(parse_sections(parser));
    CSN_TRY(parse_segments(parser));
    CSN_TRY(parse_entry(parser));
    return parse_note(parser);
}

csn_err csn_image_parse(const void *bytes, size_t size, struct csn_image *image,
                        struct csn_image_fault *fault)
{
    struct parser parser = {.bytes = bytes, .size = size};
    csn_err err = parse_all(&parser);
    if (err == CSN_OK) {
        *image = parser.image;
    } else if (fault != NULL) {
        *fault = parser.fault;
    }
    return err;
}
