/* SPDX-License-Identifier: Apache-2.0 */
/* elf64.h: the few ELF structures that an image may use, from the System V gABI. */
#ifndef CSN_IMAGE_ELF64_H
#define CSN_IMAGE_ELF64_H

#include <stdint.h>

struct elf64_header {
    uint8_t ident[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t segments_offset;
    uint64_t sections_offset;
    uint32_t flags;
    uint16_t header_size;
    uint16_t segment_size;
    uint16_t segment_count;
    uint16_t section_size;
    uint16_t section_count;
    uint16_t section_names;
};
_Static_assert(sizeof(struct elf64_header) == 64, "size");

struct elf64_segment {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};
_Static_assert(sizeof(struct elf64_segment) == 56, "size");

struct elf64_section {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t address;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint32_t info;
    uint64_t alignment;
    uint64_t entry_size;
};
_Static_assert(sizeof(struct elf64_section) == 64, "size");

#define ELF64_TYPE_EXECUTABLE 2u
#define ELF64_MACHINE_X86_64  62u
#define ELF64_SEGMENT_LOAD    1u
#define ELF64_SEGMENT_NOTE    4u

/* Section types that a linked image may still carry: everything else is refused by name. */
#define ELF64_SECTION_NULL     0u
#define ELF64_SECTION_PROGBITS 1u
#define ELF64_SECTION_SYMTAB   2u
#define ELF64_SECTION_STRTAB   3u
#define ELF64_SECTION_NOTE     7u
#define ELF64_SECTION_NOBITS   8u

#endif
