/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trees_pass.c: records of a card payment through the tokenize handlers, with and without a score:
 * the features are numbers of the record, a third of them one object down.
 */
#include "trees_pass.h"
#include "enclave/store_double.h"
#include "measure.h"
#include "tokenize/fake.h"
#include "weights/weights_made.h"
#include <crypto/cpu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weights/weights_load.h>

#define RECORDS  64u
#define TEXT_MAX 2048u
#define POOL     UINT64_C(0x40000)
#define FIELDS                                                                                     \
    "{\"path\":\"pan\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"luhn\":true,\"domain\":\"d\"}" \
    ","                                                                                            \
    "{\"path\":\"holder\",\"action\":\"token\",\"domain\":\"d\"}"

static struct {
    struct store_double store;
    struct csn_wire_manifest manifest;
    struct csn_pool pool;
    struct weights_made made;
    char records[RECORDS][TEXT_MAX];
    uint8_t output[FAKE_OUTPUT_MAX];
    unsigned at;
} pass;

static void make_records(unsigned feature_count)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        int size = snprintf(pass.records[i], TEXT_MAX,
                            "{\"pan\":\"4111111111111111\",\"holder\":\"Ada Byron %u\"", i);
        for (unsigned k = 0; k < feature_count; k++) {
            size += snprintf(pass.records[i] + size, TEXT_MAX - (size_t)size, ",%s\"f%u\":%d.%02u",
                             k == feature_count * 2 / 3 ? "\"history\":{" : "", k,
                             (int)(i * 7 + k * 13) % 3 - 1, (i * 31 + k * 17) % 100);
        }
        snprintf(pass.records[i] + size, TEXT_MAX - (size_t)size, "}}");
    }
}

static struct cse_call *grant(const char *score)
{
    char policy[2 * TEXT_MAX];
    struct csv_policy_error why = {0};
    struct cse_call *call = fake_new(1, 2);
    bench_require(call != NULL, "no memory");
    const struct cse_outside_options options = {.manifest = &pass.manifest,
                                                .port = store_double_port(&pass.store)};
    memcpy(call->weights_key, pass.made.ref.key, 32);
    snprintf(policy, sizeof policy,
             "{\"version\":1,\"default\":\"keep\",\"domains\":{\"d\":{\"version\":1}},"
             "\"fields\":[" FIELDS "]%s}",
             score);
    bench_require(cse_outside_init(&call->outside, &pass.pool, &options) == CSN_OK &&
                      fake_grant(call, policy, &why) == CSN_OK,
                  why.text[0] != 0 ? why.text : "no grant");
    return call;
}

static uint64_t one(void *call)
{
    const char *record = pass.records[pass.at++ % RECORDS];
    uint32_t size = 0;
    bench_require(fake_run(call, 1, record, (uint32_t)strlen(record), pass.output,
                           sizeof pass.output, &size) == CSN_WIRE_STATUS_OK,
                  "a record fails");
    return 1;
}

void trees_pass(const void *image, size_t size, unsigned feature_count)
{
    static const struct bench_row row = {
        0, "tokenize pass with a score", "100 of depth 6, 30 paths", "without it", BENCH_COST, 0};
    char name[65];
    char score[TEXT_MAX];
    uint64_t features = 0;
    void *memory = aligned_alloc(64, POOL);
    bench_require(memory != NULL && csn_cpu_features(&features) == CSN_OK &&
                      csn_cpu_begin(features) == CSN_OK,
                  "no AES-NI");
    store_double_start(&pass.store);
    pass.manifest = (struct csn_wire_manifest){.flags = CSN_WIRE_FLAG_STORE,
                                               .input_line_count = 16384,
                                               .output_line_count = 256,
                                               .input_size_max = CSE_WEIGHTS_INPUT_MIN,
                                               .output_size_max = 4096};
    csn_pool_init(&pass.pool, memory, POOL);
    weights_make(&pass.made, image, size, CSN_WIRE_WEIGHTS_TREES);
    cse_weights_name(pass.made.ref.digest, name);
    store_double_put(&pass.store, name, pass.made.file, pass.made.size);
    int used = snprintf(score, sizeof score,
                        ",\"score\":{\"model\":\"%s\",\"name\":\"risk\",\"features\":[", name);
    for (unsigned k = 0; k < feature_count; k++) {
        used += snprintf(score + used, sizeof score - (size_t)used, "%s\"%sf%u\"",
                         k == 0 ? "" : ",", k >= feature_count * 2 / 3 ? "history." : "", k);
    }
    snprintf(score + used, sizeof score - (size_t)used, "]}");
    make_records(feature_count);
    struct cse_call *with = grant(score);
    struct cse_call *without = grant("");
    bench_pair_of(&row, one, with, one, without);
    fake_free(with);
    fake_free(without);
    weights_discard(&pass.made);
    store_double_stop(&pass.store);
    free(memory);
}
