/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_work.h: a model with random weights in memory, and tokens for it to read: the same code in a
 * program and in an image (llm_image.c). Without a library.
 */
#ifndef CSN_BENCH_LLM_WORK_H
#define CSN_BENCH_LLM_WORK_H

#include "llm/llm.h"

#define LLM_WORK_SIZE                                                                              \
    UINT64_C(0xa000000) /* bytes of memory that the inside and the outside have                    \
                         */
#define LLM_SESSIONS 8u
#define LLM_BATCH    64u

struct llm_work {
    struct csn_llm_model model;
    struct csn_llm *llm;
    uint8_t *file; /* the model */
    uint64_t file_size;
    uint64_t weights_size; /* bytes that a token reads */
};

/* What a record to the image says. */
struct llm_task {
    uint32_t type;   /* of weights, on the first record */
    uint32_t layers; /* likewise */
    uint32_t tokens; /* of one session, one after the other */
};

/* Bytes of memory that a model of this type takes, work and all. */
uint64_t llm_work_size(uint32_t type, uint32_t layers);
/* Makes it; memory is aligned to 64 bytes. */
bool llm_work_begin(struct llm_work *work, const struct llm_task *task, uint64_t features,
                    uint8_t *memory, uint64_t size);
/*
 * count times: a token of each of the first `sessions` sessions in one batch, with logits. Sessions
 * begin anew where they are full.
 */
bool llm_work_decode(struct llm_work *work, uint32_t sessions, uint32_t count);
/* LLM_BATCH tokens of a prompt, in batches of `batch`, of which the last has logits. */
bool llm_work_read(struct llm_work *work, uint32_t batch);

#endif
