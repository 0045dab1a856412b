/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_crypto.c: AES-256-GCM, FF1, HMAC and the tokenize session in this process, beside
 * libcrypto: the rows of `make bench` that need no peer but it.
 */
#include "bench.h"
#include "bench/rows.h"
#include "cli.h"

extern const uint8_t demo_card_policy[];
extern const size_t demo_card_policy_size;

static void begin(const struct bench_options *options, unsigned rows)
{
    bench_set(options->json, (double)options->seconds / rows);
}

int bench_aead(const struct bench_options *options)
{
    begin(options, BENCH_AEAD_ROWS);
    bench_aead_rows();
    return CLI_OK;
}

int bench_ff1(const struct bench_options *options)
{
    begin(options, BENCH_FF1_ROWS);
    bench_ff1_rows();
    return CLI_OK;
}

int bench_hmac(const struct bench_options *options)
{
    begin(options, BENCH_HMAC_ROWS);
    bench_hmac_rows();
    return CLI_OK;
}

int bench_tokenize(const struct bench_options *options)
{
    begin(options, 1); /* one slice serves all of its rows */
    bench_tokenize_rows((const char *)demo_card_policy, demo_card_policy_size, NULL);
    return CLI_OK;
}
