/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget_paths.c: does each path N times and 2 N times, for scripts/budget.py, which runs it under
 * callgrind and takes the difference: what is done once does not count.
 *
 * usage: budget_paths [PATH...]; prints a path and N a line. A mark before, between and after the
 * two rounds is where callgrind writes down its count.
 */
#include "crypto/cpu.h"
#include "paths.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND (BUDGET_PAYLOADS / BUDGET_BATCH) /* batches of the first round: N records */
_Static_assert(4 * ROUND == BUDGET_BATCHES, "one round to get warm, one, and two");

#define EXIT_SKIP 77

static const struct path paths[] = {
    {"ring_64", ring_64_begin, ring_one_batch, free},
    {"ring_64_trusting", twin_64_begin, twin_one_batch, free},
    {"ring_burst_64", ring_64_begin, ring_burst_batch, free},
    {"ring_burst_64_trusting", twin_64_begin, twin_burst_batch, free},
    {"ring_1024", ring_1024_begin, ring_one_batch, free},
    {"ring_1024_trusting", twin_1024_begin, twin_one_batch, free},
    {"gcm_seal_256", gcm_begin, gcm_seal_batch, free},
    {"gcm_open_256", gcm_begin, gcm_open_batch, free},
    {"gcm_seal_one_256", gcm_begin, gcm_seal_one, free},
    {"ff1_batch", ff1_begin, ff1_batch, free},
    {"ff1_one", ff1_begin, ff1_one, free},
    {"hmac_batch", hmac_begin, hmac_batch, free},
    {"hmac_one", hmac_begin, hmac_one, free},
    {"json_card", json_begin, json_batch, free},
    {"request_name_4096", named_begin, named_batch, free},
    {"session_echo_256", echo_begin, session_batch, session_end},
    {"session_card", card_begin, session_batch, session_end},
    {"client_seal_256", echo_begin, client_seal_batch, session_end},
    {"client_open_256", echo_begin, client_open_batch, session_end},
    {"short_session_256", short_begin, session_batch, session_end},
    {"http_session_256", http_begin, session_batch, session_end},
    {"short_client_seal_256", short_begin, client_seal_batch, session_end},
    {"short_client_open_256", short_begin, client_open_batch, session_end},
};

void budget_require(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "budget_paths: %s\n", what);
        exit(1);
    }
}

void *budget_make(size_t size)
{
    void *state = aligned_alloc(64, (size + 63) / 64 * 64);
    budget_require(state != NULL, "no memory");
    memset(state, 0, size);
    return state;
}

void budget_mark(void);
__attribute__((noinline)) void budget_mark(void)
{
    __asm__ volatile("" ::: "memory");
}

static void run(const struct path *path)
{
    static const uint32_t rounds[] = {ROUND, ROUND, 2 * ROUND};
    void *state = path->begin();
    budget_require(state != NULL, "no memory");
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < rounds[round]; i++) {
            path->batch(state);
        }
        budget_mark();
    }
    path->end(state);
    printf("%s %u\n", path->name, BUDGET_PAYLOADS);
}

int main(int argc, char **argv)
{
    uint64_t features = 0;
    int found = 1;
    if (csn_cpu_features(&features) != CSN_OK) {
        puts("no AES-NI, PCLMULQDQ and SSSE3 here, or valgrind does not know them");
        return EXIT_SKIP;
    }
    budget_require(csn_cpu_select(0) == CSN_OK, "a kernel fails its self-test");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        bool wanted = argc == 1;
        for (int k = 1; k < argc; k++) {
            wanted |= strcmp(argv[k], paths[i].name) == 0;
        }
        if (wanted) {
            run(&paths[i]);
            found++;
        }
    }
    budget_require(argc == 1 || found == argc, "no such path");
    return 0;
}
