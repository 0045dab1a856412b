/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenize_handler.c: how fast is the tokenize handler alone, without sealing, rings or waiting?
 *
 * usage: tokenize_handler [RECORDS [POLICY.json]]; generated card records,
 * examples/policies/card.json. Prints records per CPU second over 15 slices (min, median, max),
 * and what the JSON scan alone takes. No assertion: a number from one machine in one moment.
 */
#include "crypto/cpu.h"
#include "reference/generator.h"
#include "tokenize/fake.h"
#include "json/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE_COUNT 15u
#define BATCH       32u
#define OUTPUT_MAX  2048u

/* Seconds of this thread on a CPU: other programs on the machine do not count. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static void report(const char *name, double rates[SLICE_COUNT])
{
    qsort(rates, SLICE_COUNT, sizeof rates[0], ascending);
    printf("%-10s records per CPU second: min %.0f, median %.0f, max %.0f (%u slices)\n", name,
           rates[0], rates[SLICE_COUNT / 2], rates[SLICE_COUNT - 1], SLICE_COUNT);
}

/* As the session does: outputs of a batch side by side, scratch wiped after each record. */
static void run_batch(struct cse_call *call, const struct csr_record *records, uint32_t count)
{
    static uint8_t outputs[BATCH][OUTPUT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = 0;
        cse_status status = fake_begin(call, 1, records[i].text, (uint32_t)records[i].size,
                                       outputs[i], sizeof outputs[i], &size);
        if (status != CSN_WIRE_STATUS_OK) {
            printf("record %u of a batch: status %d\n", i, (int)status);
            exit(1);
        }
        memset(call->scratch, 0, call->scratch_used);
    }
    fake_complete(call);
}

static void measure_handler(struct cse_call *call, const struct csr_record *records, uint32_t count)
{
    double rates[SLICE_COUNT];
    for (uint32_t slice = 0; slice < SLICE_COUNT; slice++) {
        double begin = now();
        for (uint32_t i = 0; i < count; i += BATCH) {
            run_batch(call, records + i, count - i < BATCH ? count - i : BATCH);
        }
        rates[slice] = count / (now() - begin);
    }
    report("tokenize", rates);
}

static void measure_scan(struct cse_call *call, const struct csr_record *records, uint32_t count)
{
    double rates[SLICE_COUNT];
    for (uint32_t slice = 0; slice < SLICE_COUNT; slice++) {
        double begin = now();
        for (uint32_t i = 0; i < count; i++) {
            const uint8_t *text = (const uint8_t *)records[i].text;
            struct csn_json json = {.text = text, .size = (uint32_t)records[i].size, .seed = 1};
            json.node_max = csn_json_bound(text, json.size);
            json.nodes = (struct csn_json_node *)(void *)call->scratch;
            json.hashes = (uint32_t *)(void *)(json.nodes + json.node_max);
            json.owners = json.hashes + json.node_max;
            if (csn_json_scan(&json) != CSN_JSON_OK) {
                exit(1);
            }
        }
        rates[slice] = count / (now() - begin);
    }
    report("json scan", rates);
}

int main(int argc, char **argv)
{
    static char policy[CSV_POLICY_TEXT_SIZE_MAX + 1];
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
    const char *path = argc > 2 ? argv[2] : "examples/policies/card.json";
    struct csv_policy_error why = {0};
    uint64_t features = 0;
    FILE *file = fopen(path, "rb");
    struct csr_record *records = calloc(count, sizeof *records);
    struct cse_call *call = fake_new(7, 9);
    if (file == NULL || records == NULL || call == NULL) {
        fprintf(stderr, "cannot read %s (or no memory)\n", path);
        return 1;
    }
    fread(policy, 1, sizeof policy - 1, file);
    fclose(file);
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_select(features) != CSN_OK ||
        fake_grant(call, policy, &why) != CSN_OK) {
        fprintf(stderr, "%s:%u:%u: %s\n", path, why.line, why.column, why.text);
        return 1;
    }
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        csr_generate(1, i, &records[i]);
        bytes += records[i].size;
    }
    printf("%u records of %.0f bytes on average\n", count, (double)bytes / count);
    measure_scan(call, records, count);
    measure_handler(call, records, count);
    fake_free(call);
    free(records);
    return 0;
}
