/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_time.c: run under valgrind: logits are marked undefined, so that memcheck reports every
 * branch and every address that depends on one. "leaky" is the control: it must be reported.
 */
#include <stdbool.h>
#include <string.h>
#include <valgrind/memcheck.h>
#include <vocab/sample.h>

#define TOKENS 600u

static const struct csn_sample_options options[] = {
    {.temperature = 0, .top_p = 1},
    {.temperature = 1, .top_p = 1, .seed = 1},
    {.temperature = 0.3f, .top_p = 0.9f, .seed = 2},
    {.temperature = 2, .top_p = 1, .top_k = 40, .seed = 3},
    {.temperature = 1, .top_p = 0.5f, .top_k = 7, .seed = 4},
};

/* Far apart, alike, infinite and none at all. */
static void make_logits(float *logits)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < TOKENS; i++) {
        state = state * 1664525u + 1013904223u;
        logits[i] = (float)(state >> 8) / 65536.0f - 100.0f;
    }
    memcpy(&logits[7], &(uint32_t){0x7fc00000u}, sizeof *logits);
    memcpy(&logits[11], &(uint32_t){0xff800000u}, sizeof *logits);
    logits[13] = logits[12];
}

int main(int argc, char **argv)
{
    static float logits[TOKENS];
    static uint32_t weights[TOKENS];
    const bool is_leaky = argc > 1 && strcmp(argv[1], "leaky") == 0;
    uint32_t drawn = 0;
    for (uint32_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        make_logits(logits);
        VALGRIND_MAKE_MEM_UNDEFINED(logits, sizeof logits);
        uint32_t token = csn_sample(&options[i], i, logits, TOKENS, weights);
        if (is_leaky && token % 2 == 1) {
            __asm__ volatile("");
        }
        VALGRIND_MAKE_MEM_DEFINED(&token, sizeof token);
        VALGRIND_MAKE_MEM_DEFINED(logits, sizeof logits);
        VALGRIND_MAKE_MEM_DEFINED(weights, sizeof weights);
        drawn += token < TOKENS;
    }
    return drawn == sizeof options / sizeof options[0] ? 0 : 1;
}
