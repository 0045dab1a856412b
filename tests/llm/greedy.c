/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greedy.c: the most likely tokens after a prompt, by src/llm.
 *
 *     greedy MODEL LOGITS COUNT BATCH avx2|avx512 TOKEN ...
 *
 * Prints COUNT tokens, to stderr the CPU seconds of the prompt and of these, and puts the logits
 * that each came from into a file, as floats. The prompt is read in batches of BATCH. Without
 * arguments: exit code 3 where there is AVX-512 with VNNI, else 4.
 */
#include "llm/llm.h"
#include "llm_rig.h"
#include <caisson/wire/boot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKENS_MAX 4096u

static uint32_t largest(const float *logits, uint32_t count)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    return best;
}

/* Reads a prompt; returns the logits after its last token. */
static const float *read_prompt(struct csn_llm *llm, const uint32_t *tokens, uint32_t count,
                                uint32_t batch)
{
    struct csn_llm_item items[CSN_LLM_BATCH_MAX];
    const float *logits = NULL;
    for (uint32_t at = 0; at < count;) {
        uint32_t size = count - at < batch ? count - at : batch;
        for (uint32_t i = 0; i < size; i++) {
            items[i] = (struct csn_llm_item){0, at + i, tokens[at + i], at + i + 1 == count};
        }
        if (csn_llm_eval(llm, items, size) != CSN_OK) {
            return NULL;
        }
        logits = csn_llm_logits(llm, size - 1);
        at += size;
    }
    return logits;
}

static int generate(struct csn_llm *llm, const struct csn_llm_config *config, const float *logits,
                    uint32_t position, uint32_t count, FILE *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (logits == NULL || fwrite(logits, 4, config->vocab_count, out) != config->vocab_count) {
            return 1;
        }
        uint32_t token = largest(logits, config->vocab_count);
        printf("%u\n", token);
        struct csn_llm_item item = {0, position + i, token, true};
        if (csn_llm_eval(llm, &item, 1) != CSN_OK) {
            return 1;
        }
        logits = csn_llm_logits(llm, 0);
    }
    return 0;
}

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    static uint32_t tokens[TOKENS_MAX];
    struct llm_rig rig;
    if (argc == 1) {
        return rig_is_wide() ? 3 : 4;
    }
    if (argc < 7 || (uint32_t)argc - 6 > TOKENS_MAX) {
        return 2;
    }
    const uint32_t count = (uint32_t)atoi(argv[3]);
    const uint32_t batch = (uint32_t)atoi(argv[4]);
    const uint32_t prompt = (uint32_t)argc - 6;
    for (uint32_t i = 0; i < prompt; i++) {
        tokens[i] = (uint32_t)atoi(argv[6 + i]);
    }
    struct csn_llm_options options = {.features = rig_features(strcmp(argv[5], "avx512") == 0),
                                      .slot_count = 1,
                                      .position_max = prompt + count,
                                      .batch_max = batch,
                                      .logits_max = 1};
    rig_open(&rig, argv[1], &options);
    FILE *out = fopen(argv[2], "wb");
    if (out == NULL) {
        return 2;
    }
    const double start = cpu_seconds();
    const float *logits = read_prompt(rig.llm, tokens, prompt, batch);
    const double read = cpu_seconds();
    int failed = generate(rig.llm, &rig.model->config, logits, prompt, count, out);
    fprintf(stderr, "%.6f %.6f\n", read - start, cpu_seconds() - read);
    failed |= fclose(out);
    rig_close(&rig);
    return failed;
}
