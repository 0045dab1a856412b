/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greedy_llama.c: the most likely tokens after a prompt, by llama.cpp on one thread; arguments and
 * results as those of greedy.c. Built by compare.py where llama.cpp can be had, against its header.
 *
 *     greedy_llama MODEL LOGITS COUNT BATCH FOLDER TOKEN ...
 */
#include "ggml-backend.h"
#include "llama.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOKENS_MAX 4096

static void quiet(enum ggml_log_level level, const char *text, void *data)
{
    (void)data;
    if (level >= GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int largest(const float *logits, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    return best;
}

static struct llama_context *begin(const char *path, int positions, int batch, int *vocab)
{
    struct llama_model_params model_params = llama_model_default_params();
    struct llama_context_params params = llama_context_default_params();
    struct llama_model *model = llama_model_load_from_file(path, model_params);
    if (model == NULL) {
        exit(2);
    }
    params.n_ctx = (uint32_t)positions;
    params.n_batch = params.n_ubatch = (uint32_t)batch;
    params.n_threads = params.n_threads_batch = 1;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    *vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    return llama_init_from_model(model, params);
}

int main(int argc, char **argv)
{
    static llama_token tokens[TOKENS_MAX];
    if (argc < 7 || argc - 6 > TOKENS_MAX) {
        return 2;
    }
    const int count = atoi(argv[3]);
    const int batch = atoi(argv[4]);
    const int prompt = argc - 6;
    int vocab = 0;
    for (int i = 0; i < prompt; i++) {
        tokens[i] = atoi(argv[6 + i]);
    }
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(argv[5]);
    struct llama_context *context = begin(argv[1], prompt + count, batch, &vocab);
    FILE *out = fopen(argv[2], "wb");
    if (context == NULL || out == NULL) {
        return 2;
    }
    double start = cpu_seconds();
    for (int at = 0; at < prompt; at += batch) {
        int size = prompt - at < batch ? prompt - at : batch;
        if (llama_decode(context, llama_batch_get_one(tokens + at, size)) != 0) {
            return 1;
        }
    }
    double read = cpu_seconds();
    for (int i = 0; i < count; i++) {
        const float *logits = llama_get_logits_ith(context, -1);
        llama_token token = largest(logits, vocab);
        if (fwrite(logits, 4, (size_t)vocab, out) != (size_t)vocab) {
            return 1;
        }
        printf("%d\n", token);
        if (llama_decode(context, llama_batch_get_one(&token, 1)) != 0) {
            return 1;
        }
    }
    double done = cpu_seconds();
    fprintf(stderr, "%.6f %.6f\n", read - start, done - read);
    return fclose(out);
}
