/* SPDX-License-Identifier: Apache-2.0 */
/* elf.c: loading and copying an ELF file for tests. */
#include "elf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELF_SIZE_MAX (64u << 20)

int elf_load(struct elf_file *file, const char *path)
{
    char full[4096];
    const char *build = getenv("CAISSON_BUILD");
    snprintf(full, sizeof full, "%s/%s", build == NULL ? "build" : build, path);
    FILE *stream = fopen(full, "rb");
    if (stream == NULL) {
        fprintf(stderr, "cannot open %s\n", full);
        return -1;
    }
    file->bytes = malloc(ELF_SIZE_MAX);
    file->size = fread(file->bytes, 1, ELF_SIZE_MAX - 1, stream);
    file->bytes[file->size] = 0;
    file->bytes = realloc(file->bytes, file->size + 1);
    fclose(stream);
    return 0;
}

struct elf_file elf_copy(const struct elf_file *file)
{
    struct elf_file copy = {malloc(file->size + 1), file->size};
    memcpy(copy.bytes, file->bytes, file->size);
    copy.bytes[copy.size] = 0;
    return copy;
}

void elf_free(struct elf_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
    file->size = 0;
}
