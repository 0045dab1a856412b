/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack_gguf.c: a language model's file, looked into as an enclave does that loads it
 * (enclaves/model/mod_open.c), and laid out for the kernels, so that no enclave has to.
 */
#include "llm/llm.h"
#include "pack.h"
#include "vocab/vocab_gguf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static csn_err fail(struct csn_import_fault *fault, csn_err err)
{
    fault->reason = err == CSN_ERR_LIMIT     ? CSN_IMPORT_LIMIT
                    : err == CSN_ERR_UNKNOWN ? CSN_IMPORT_UNSUPPORTED
                    : err == CSN_ERR_MEMORY  ? CSN_IMPORT_MEMORY
                                             : CSN_IMPORT_SHAPE;
    return err;
}

static csn_err check_model(struct csn_llm_model *model, const void *bytes, size_t size,
                           struct csn_import_fault *fault)
{
    struct csn_llm_fault found;
    csn_err err = csn_llm_open(model, bytes, size, &found);
    if (err == CSN_OK) {
        return CSN_OK;
    }
    const char *text = csn_llm_reason_text(found.reason);
    if (found.key != NULL) {
        snprintf(fault->place, sizeof fault->place, "%s: %s", text, found.key);
    } else {
        snprintf(fault->place, sizeof fault->place, "%s, offset %llu", text,
                 (unsigned long long)found.offset);
    }
    return fail(fault, err);
}

/* That it has as many tokens as the model is among what csn_llm_open() holds. */
static csn_err check_vocab(const struct csn_llm_model *model, struct csn_import_fault *fault)
{
    struct csn_vocab_source source;
    struct csn_vocab vocab;
    const char *key;
    uint32_t index = 0;
    csn_err err = csn_vocab_source_gguf(&model->file, &source, &key);
    if (err != CSN_OK) {
        snprintf(fault->place, sizeof fault->place, "vocabulary, %s", key);
        return fail(fault, err);
    }
    const uint64_t size = csn_vocab_memory(&source);
    void *memory = size != 0 ? aligned_alloc(64, (size + 63) / 64 * 64) : NULL;
    err = memory == NULL && size != 0 ? CSN_ERR_MEMORY
                                      : csn_vocab_open(&vocab, &source, memory, size, &index);
    free(memory);
    if (err != CSN_OK) {
        snprintf(fault->place, sizeof fault->place, "vocabulary, token, byte or merge %u", index);
        return fail(fault, err);
    }
    return CSN_OK;
}

static csn_err arrange(struct csn_llm_model *model, uint8_t *bytes, struct csn_import_fault *fault)
{
    const uint64_t size = csn_llm_arrange_size(model);
    void *scratch = malloc(size);
    csn_err err = scratch != NULL ? csn_llm_arrange(model, bytes, scratch, size) : CSN_ERR_MEMORY;
    free(scratch);
    return err == CSN_OK ? CSN_OK : fail(fault, err);
}

static csn_err check(struct csn_llm_model *model, uint8_t *bytes, size_t size,
                     struct csn_import_fault *fault)
{
    CSN_TRY(check_model(model, bytes, size, fault));
    CSN_TRY(check_vocab(model, fault));
    return model->is_arranged ? CSN_OK : arrange(model, bytes, fault);
}

csn_err csn_pack_gguf(const void *bytes, size_t size, void **made, struct csn_import_fault *fault)
{
    struct csn_llm_model *model = malloc(sizeof *model);
    uint8_t *copy = malloc(size);
    csn_err err = CSN_ERR_MEMORY;
    snprintf(fault->place, sizeof fault->place, "all of it");
    if (model == NULL || copy == NULL) {
        fail(fault, err);
    } else {
        memcpy(copy, bytes, size);
        err = check(model, copy, size, fault);
    }
    free(model);
    if (err == CSN_OK) {
        *made = copy;
    } else {
        free(copy);
    }
    return err;
}
