/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain.h: the same model in doubles, one token after the other, without batches, caches of halves
 * or rounded inputs: from the definitions, to compare with. Weights by csn_llm_block_floats().
 */
#ifndef CSN_TESTS_LLM_PLAIN_H
#define CSN_TESTS_LLM_PLAIN_H

#include "llm/llm.h"

/* Logits after each of count tokens; the model is one that is not arranged. */
void plain_logits(const struct csn_llm_model *model, const uint32_t *tokens, uint32_t count,
                  double *logits);
/* A row of a matrix as it is in a file. */
void plain_row(const struct csn_llm_matrix *matrix, uint32_t row, double *target);

#endif
