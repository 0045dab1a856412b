/* SPDX-License-Identifier: Apache-2.0 */
/* elf.h: an ELF file in memory, for tests that change copies of it. */
#ifndef CSN_TEST_ELF_H
#define CSN_TEST_ELF_H

#include <stddef.h>
#include <stdint.h>

struct elf_file {
    uint8_t *bytes; /* one byte more than size is there and zero, for tests that lengthen it */
    size_t size;
};

/* path is relative to the build folder ($CAISSON_BUILD). 0, or -1 with a line on stderr. */
int elf_load(struct elf_file *file, const char *path);
struct elf_file elf_copy(const struct elf_file *file);
void elf_free(struct elf_file *file);

#endif
