/* SPDX-License-Identifier: Apache-2.0 */
/* llm_rig.h: a model from a file, and a context; what fails ends the program. */
#ifndef CSN_TESTS_LLM_RIG_H
#define CSN_TESTS_LLM_RIG_H

#include "llm/llm.h"

struct llm_rig {
    struct csn_llm_model *model;
    struct csn_llm *llm;
    void *bytes;
    uint64_t size;
    void *memory;
};

/* Those of this machine; without AVX-512 if it is not wanted. */
uint64_t rig_features(bool is_wide);
bool rig_is_wide(void); /* whether there is AVX-512 with VNNI */

/* A whole file in aligned memory. */
void *rig_read(const char *path, uint64_t *size);
/* Opens and arranges what is in rig->bytes, then begins a context. */
void rig_begin(struct llm_rig *rig, const struct csn_llm_options *options);
void rig_open(struct llm_rig *rig, const char *path, const struct csn_llm_options *options);
void rig_close(struct llm_rig *rig);

#endif
