/* SPDX-License-Identifier: Apache-2.0 */
/* llm_rig.c: see llm_rig.h. */
#define _GNU_SOURCE
#include "llm_rig.h"
#include "crypto/cpu.h"
#include <caisson/wire/boot.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_SIZE (UINT64_C(1) << 21)

static void need(bool is_so, const char *what)
{
    if (!is_so) {
        fprintf(stderr, "llm_rig: %s\n", what);
        exit(2);
    }
}

uint64_t rig_features(bool is_wide)
{
    uint64_t features = 0;
    need(csn_cpu_features(&features) == CSN_OK, "what the CPU can do is unknown");
    return is_wide ? features : features & ~CSN_WIRE_FEATURE_VNNI;
}

bool rig_is_wide(void)
{
    const uint64_t wide = CSN_WIRE_FEATURE_AVX512 | CSN_WIRE_FEATURE_VNNI;
    return (rig_features(true) & wide) == wide;
}

static void *room(uint64_t size)
{
    size = (size + HUGE_SIZE - 1) / HUGE_SIZE * HUGE_SIZE;
    void *memory = aligned_alloc(HUGE_SIZE, size);
    need(memory != NULL, "no memory");
    (void)madvise(memory, size, MADV_HUGEPAGE); /* as an enclave's pool is */
    return memory;
}

void *rig_read(const char *path, uint64_t *size)
{
    FILE *stream = fopen(path, "rb");
    need(stream != NULL && fseek(stream, 0, SEEK_END) == 0, path);
    *size = (uint64_t)ftell(stream);
    void *bytes = room(*size + 1);
    rewind(stream);
    need(fread(bytes, 1, *size, stream) == *size, path);
    fclose(stream);
    return bytes;
}

void rig_begin(struct llm_rig *rig, const struct csn_llm_options *options)
{
    struct csn_llm_fault fault;
    rig->model = malloc(sizeof *rig->model);
    need(rig->model != NULL, "no memory");
    if (csn_llm_open(rig->model, rig->bytes, rig->size, &fault) != CSN_OK) {
        fprintf(stderr, "%s: %s, at %llu\n", csn_llm_reason_text(fault.reason),
                fault.key == NULL ? "" : fault.key, (unsigned long long)fault.offset);
        exit(2);
    }
    if (!rig->model->is_arranged) {
        const uint64_t scratch_size = csn_llm_arrange_size(rig->model);
        void *scratch = room(scratch_size);
        need(csn_llm_arrange(rig->model, rig->bytes, scratch, scratch_size) == CSN_OK,
             "cannot be arranged");
        free(scratch);
    }
    const uint64_t size = csn_llm_memory(&rig->model->config, options);
    need(size > 0, "options out of range");
    rig->memory = room(size);
    need(csn_llm_begin(&rig->llm, rig->model, options, rig->memory, size) == CSN_OK,
         "cannot begin");
}

void rig_open(struct llm_rig *rig, const char *path, const struct csn_llm_options *options)
{
    rig->bytes = rig_read(path, &rig->size);
    rig_begin(rig, options);
}

void rig_close(struct llm_rig *rig)
{
    free(rig->memory);
    free(rig->bytes);
    free(rig->model);
}
