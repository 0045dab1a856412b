/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm.c: goals 17 to 19: tokens of a language model with random weights, larger than any cache.
 *
 * One session: beside one thread that only reads the bytes of the weights. Several in a batch, and
 * a prompt in batches: beside one token after the other. Inside an enclave: beside the same code
 * outside, in memory of the same kind. What llama.cpp does with such files is tests/llm/compare.py
 * speed.
 */
#define _GNU_SOURCE
#include "backend/memory.h"
#include "block.h"
#include "llm_work.h"
#include "measure.h"
#include <crypto/cpu.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] = "usage: llm [--json] [--seconds N]\n\n"
                           "Tokens of a language model: beside reading its weights, in batches, "
                           "and inside an enclave.\n\n";

#define INSIDE 4u /* tokens that a record asks for */

struct type {
    const char *name;
    uint32_t type;
    uint32_t layers;
};
static const struct type types[] = {{"F32", CSN_GGUF_F32, 1},
                                    {"F16", CSN_GGUF_F16, 2},
                                    {"Q8_0", CSN_GGUF_Q8_0, 4},
                                    {"Q4_0", CSN_GGUF_Q4_0, 7},
                                    {"Q4_K", CSN_GGUF_Q4_K, 7}};
#define TYPE_COUNT (sizeof types / sizeof types[0])

static struct llm_work work;
static uint64_t features;
static volatile uint64_t kept;

static struct llm_task task_of(const struct type *type)
{
    /* In a run that only shows that it works, the model is small too. */
    const uint64_t layers = bench_scaled(type->layers);
    return (struct llm_task){type->type, layers == 0 ? 1 : (uint32_t)layers, INSIDE};
}

/* ---- sides ---- */

/* Reads what a token reads, as fast as one thread can: wide loads, several sums. */
__attribute__((target("avx2"))) static uint64_t read_weights(void *state)
{
    typedef uint64_t wide __attribute__((vector_size(32), aligned(32), may_alias));
    wide sums[4] = {{0}, {0}, {0}, {0}};
    (void)state;
    for (uint64_t at = 0; at + 256 <= work.weights_size; at += 256) {
        const wide *from = (const wide *)(work.file + at);
        for (int i = 0; i < 8; i++) {
            sums[i % 4] += from[i];
        }
    }
    sums[0] += sums[1] + sums[2] + sums[3];
    kept = sums[0][0] + sums[0][1] + sums[0][2] + sums[0][3];
    return 1;
}

static uint64_t decode(void *state)
{
    const uint32_t sessions = *(const uint32_t *)state;
    bench_require(llm_work_decode(&work, sessions, 1), "no token");
    return sessions;
}

static uint64_t read_prompt(void *state)
{
    (void)state;
    bench_require(llm_work_read(&work, LLM_BATCH), "no prompt");
    return LLM_BATCH;
}

/* ---- rows ---- */

static void measure_type(const struct type *type)
{
    static const uint32_t counts[] = {1, 2, 4, 8};
    const struct llm_task task = task_of(type);
    struct csn_memory memory = {0};
    struct csn_detail detail;
    char what[64];
    bench_require(csn_memory_map(llm_work_size(task.type, task.layers), &memory, &detail) == CSN_OK,
                  "no memory");
    bench_require(llm_work_begin(&work, &task, features, memory.base, memory.size), "no model");
    snprintf(what, sizeof what, "a token, %s", type->name);
    bench_pair_of(&(struct bench_row){17, what, "decode", "reading the weights", BENCH_FASTER, 0.7},
                  decode, (void *)(uintptr_t)&counts[0], read_weights, NULL);
    for (uint32_t i = 1; i < 4; i++) {
        snprintf(what, sizeof what, "%s, %u sessions in a batch", type->name, counts[i]);
        bench_pair_of(&(struct bench_row){i == 1 ? 18 : 0, what, "a token of these", "one alone",
                                          BENCH_FASTER, i == 1 ? 1.0 : 0},
                      decode, (void *)(uintptr_t)&counts[i], decode, (void *)(uintptr_t)&counts[0]);
    }
    snprintf(what, sizeof what, "%s, a prompt of %u", type->name, LLM_BATCH);
    bench_pair_of(&(struct bench_row){0, what, "a token of it", "one alone", BENCH_FASTER, 0},
                  read_prompt, NULL, decode, (void *)(uintptr_t)&counts[0]);
    csn_memory_unmap(&memory);
}

/* ---- inside ---- */

static double inside(struct sealed *sealed, const struct llm_task *task)
{
    uint8_t payload[64] = {0};
    memcpy(payload, task, sizeof *task);
    const uint64_t start = block_core_ns();
    sealed_echo(sealed, payload, sizeof payload);
    return (double)(block_core_ns() - start) / task->tokens;
}

static double outside(const struct llm_task *task)
{
    const uint64_t start = bench_thread_ns();
    bench_require(llm_work_decode(&work, 1, task->tokens), "no token");
    return (double)(bench_thread_ns() - start) / task->tokens;
}

static void measure_inside(const struct type *type, const char *backend)
{
    static struct bench_samples samples;
    struct sealed_image image;
    struct sealed_tenant tenant;
    struct sealed sealed;
    struct csn_memory memory = {0};
    struct csn_detail detail;
    char what[64];
    const struct llm_task task = task_of(type);
    sealed_image_find(&image, "llm_image");
    sealed_tenant_new(&tenant, &image, true);
    sealed_start(&sealed, &image, &tenant, backend);
    bench_require(csn_memory_map(LLM_WORK_SIZE, &memory, &detail) == CSN_OK, "no memory");
    bench_require(llm_work_begin(&work, &task, features, memory.base, memory.size), "no model");
    (void)inside(&sealed, &task);
    samples = (struct bench_samples){0};
    const double usual = outside(&task);
    samples.count = bench_pairs((uint64_t)(usual * task.tokens));
    for (size_t i = 0; i < samples.count; i++) {
        samples.ours[i] = inside(&sealed, &task);
        samples.other[i] = outside(&task);
    }
    snprintf(what, sizeof what, "a token, %s, %s", type->name, backend);
    bench_report(&(struct bench_row){19, what, "inside", "outside", BENCH_FASTER, 0.98}, &samples);
    csn_memory_unmap(&memory);
    sealed_stop(&sealed);
    sealed_tenant_free(&tenant);
    sealed_image_free(&image);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, help);
    bench_require(csn_cpu_select((csn_cpu_features(&features) == CSN_OK) ? features : 0) == CSN_OK,
                  "no CPU");
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        measure_type(&types[i]);
    }
    measure_inside(&types[2], "process");
    measure_inside(&types[3], "process");
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        measure_inside(&types[3], "kvm");
    }
    return 0;
}
