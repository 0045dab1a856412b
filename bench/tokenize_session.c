/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenize_session.c: what one card record costs the enclave's core, all but the rings, beside the
 * sum of its parts: opening, scanning, FF1, MACs and sealing, each alone, in one run.
 *
 * usage: tokenize_session [POLICY.json]; the real session and handlers in this process, batches of
 * 32 sealed records, examples/policies/card.json. Slices of all of them alternate; times are of
 * this thread on a CPU. No assertion: the ratio holds for one machine and one moment.
 */
#include "../enclaves/tokenize/tok_state.h"
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "enclave/fake.h"
#include "reference/generator.h"
#include <caisson/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORDS     512u
#define BATCH       32u
#define SLICES      25u
#define ROUNDS      4u /* over all records, in one slice */
#define MACS        8u /* of a card record: seven tokens and hashes, one offset */
#define RECORD_MAX  2048u
#define CARD_DIGITS 15u /* of 16, one is the check digit */

struct bench {
    struct fake fake;
    struct fake_tenant tenant;
    struct csr_record records[RECORDS];
    uint8_t sealed[RECORDS][RECORD_MAX];
    struct fake_message messages[RECORDS];
    uint32_t plain_size; /* of the last input and of its answer */
    uint32_t answer_size;
};

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "tokenize_session: %s\n", what);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- what is measured: every record once ---- */
static void run_session(struct bench *bench)
{
    for (uint32_t i = 0; i < RECORDS; i += BATCH) {
        fake_send(&bench->fake, &bench->messages[i], BATCH);
        require(bench->fake.answer_count == BATCH && bench->fake.answers[0].code == CSN_WIRE_DONE,
                "a batch was not served");
        bench->answer_size = bench->fake.answers[0].size;
    }
}

static void run_aead(const struct bench *bench, uint32_t size, bool opening)
{
    static uint8_t text[BATCH][2 * RECORD_MAX];
    static uint8_t tags[BATCH][16];
    static struct csn_gcm_item items[BATCH];
    static struct csn_gcm_key key;
    static const uint8_t secret[32] = {5};
    csn_gcm_key_init(&key, secret);
    for (uint32_t i = 0; i < BATCH; i++) {
        items[i] = (struct csn_gcm_item){.key = &key,
                                         .aad = bench->sealed[i],
                                         .aad_size = sizeof(struct csn_wire_record),
                                         .size = size,
                                         .input = text[i],
                                         .output = text[i],
                                         .tag = tags[i]};
    }
    for (uint32_t i = 0; i < RECORDS; i += BATCH) {
        if (opening) {
            csn_gcm_open_batch(items, BATCH); /* of any text: the tag is wrong, the work the same */
        } else {
            csn_gcm_seal_batch(items, BATCH);
        }
    }
}

static void run_open(struct bench *bench)
{
    run_aead(bench, bench->plain_size, true);
}

static void run_seal(struct bench *bench)
{
    run_aead(bench,
             bench->answer_size - (uint32_t)sizeof(struct csn_wire_record) - CSN_WIRE_TAG_SIZE,
             false);
}

static void run_scan(struct bench *bench)
{
    static struct csn_json_node nodes[RECORD_MAX];
    static uint32_t tables[2][RECORD_MAX];
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct csn_json json = {.text = (const uint8_t *)bench->records[i].text,
                                .size = (uint32_t)bench->records[i].size,
                                .seed = 1,
                                .nodes = nodes,
                                .hashes = tables[0],
                                .owners = tables[1],
                                .node_max = RECORD_MAX};
        require(csn_json_scan(&json) == CSN_JSON_OK, "a record is not JSON");
    }
}

static void run_ff1(struct bench *bench)
{
    static const uint8_t secret[32] = {6};
    static uint16_t numerals[BATCH][CARD_DIGITS];
    static struct csn_aes_key key;
    static struct csn_ff1_plan plan;
    static struct csn_ff1_item items[BATCH];
    (void)bench;
    if (plan.count == 0) {
        require(csn_aes_key_init(&key, secret, sizeof secret) == CSN_OK &&
                    csn_ff1_plan_init(&plan, &key, 10, CARD_DIGITS, 8) == CSN_OK,
                "no FF1 plan");
    }
    for (uint32_t i = 0; i < RECORDS; i += BATCH) {
        for (uint32_t k = 0; k < BATCH; k++) {
            items[k] = (struct csn_ff1_item){
                .plan = &plan, .tweak = secret, .input = numerals[k], .output = numerals[k]};
        }
        csn_ff1_encrypt_batch(items, BATCH);
    }
}

static void run_macs(struct bench *bench)
{
    static uint8_t tags[BATCH * MACS][32];
    static struct csn_hmac_item items[BATCH * MACS];
    static struct csn_hmac_key key;
    csn_hmac_key_init(&key, "secret", 6);
    for (uint32_t i = 0; i < RECORDS; i += BATCH) {
        for (uint32_t k = 0; k < BATCH * MACS; k++) {
            items[k] = (struct csn_hmac_item){
                .key = &key, .bytes = bench->sealed[i + k / MACS], .size = 32, .tag = tags[k]};
        }
        csn_hmac_batch(items, BATCH * MACS);
    }
}

/* ---- set-up ---- */
static void read_policy(const char *path, struct bench *bench)
{
    static char text[CSV_POLICY_TEXT_SIZE_MAX + 1];
    static _Alignas(8) uint8_t policy[CSN_WIRE_POLICY_SIZE_MAX];
    static const char *const names[] = {"sink"};
    static const struct csv_policy_consumers consumers = {names, 1};
    struct csv_policy_error why = {0};
    size_t size = 0;
    FILE *file = fopen(path, "rb");
    require(file != NULL, "cannot open the policy");
    size_t text_size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    require(csv_policy_compile(text, text_size, &consumers, policy, sizeof policy, &size, &why) ==
                CSN_OK,
            why.text);
    bench->tenant.policy = policy;
    bench->tenant.policy_size = (uint32_t)size;
}

static void seal_records(struct bench *bench)
{
    struct csv_sealer *sealer = NULL;
    const struct csv_sealer_options options = {.recipient = &bench->tenant.recipient,
                                               .credential = &bench->tenant.producer};
    require(csv_sealer_create(&options, &sealer) == CSN_OK, "no sealer");
    for (uint32_t i = 0; i < RECORDS; i++) {
        csr_generate(1, i, &bench->records[i]);
        struct csv_seal_item item = {.payload = (const uint8_t *)bench->records[i].text,
                                     .payload_size = (uint32_t)bench->records[i].size,
                                     .operation = 1,
                                     .record = bench->sealed[i],
                                     .record_size_max = RECORD_MAX};
        require(csv_seal_batch(sealer, &item, 1) == CSN_OK && item.result == CSN_OK,
                "a record was not sealed");
        bench->messages[i] =
            (struct fake_message){.bytes = bench->sealed[i], .size = item.record_size};
        bench->plain_size =
            item.record_size - (uint32_t)sizeof(struct csn_wire_record) - CSN_WIRE_TAG_SIZE;
    }
    csv_sealer_destroy(sealer);
}

static int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static const struct part {
    const char *name;
    void (*run)(struct bench *);
} parts[] = {{"session", run_session}, {"open", run_open}, {"scan", run_scan},
             {"FF1", run_ff1},         {"MACs", run_macs}, {"seal", run_seal}};
#define PART_COUNT (sizeof parts / sizeof parts[0])

static void measure(struct bench *bench)
{
    static double times[PART_COUNT + 1][SLICES]; /* ns for one record; last: the ratio */
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        double sum = 0;
        for (uint32_t part = 0; part < PART_COUNT; part++) {
            double begin = now();
            for (uint32_t round = 0; round < ROUNDS; round++) {
                parts[part].run(bench);
            }
            times[part][slice] = (now() - begin) * 1e9 / (ROUNDS * RECORDS);
            sum += part == 0 ? 0 : times[part][slice];
        }
        times[PART_COUNT][slice] = sum / times[0][slice];
    }
    for (uint32_t part = 0; part <= PART_COUNT; part++) {
        qsort(times[part], SLICES, sizeof times[0][0], ascending);
    }
    for (uint32_t part = 0; part < PART_COUNT; part++) {
        printf("%-8s %8.1f ns a record (%.1f to %.1f)\n", parts[part].name, times[part][SLICES / 2],
               times[part][0], times[part][SLICES - 1]);
    }
    printf("records per CPU second: median %.0f, best slice %.0f\n", 1e9 / times[0][SLICES / 2],
           1e9 / times[0][0]);
    printf("sum of the parts / session: median %.2f (%.2f to %.2f)\n",
           times[PART_COUNT][SLICES / 2], times[PART_COUNT][0], times[PART_COUNT][SLICES - 1]);
}

int main(int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    uint64_t features = 0;
    require(bench != NULL, "no memory");
    require(csn_cpu_features(&features) == CSN_OK && csn_cpu_select(features) == CSN_OK,
            "this CPU cannot");
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                         .service = &cse_service,
                                         .tenant_state_size = sizeof(struct tok_state) + 64,
                                         .scratch_size = 8u << 20};
    fake_start(&bench->fake, &options);
    fake_tenant_new(&bench->tenant);
    read_policy(argc > 1 ? argv[1] : "examples/policies/card.json", bench);
    fake_grant(&bench->fake, &bench->tenant, 1);
    seal_records(bench);
    measure(bench);
    fake_stop(&bench->fake);
    free(bench);
    return 0;
}
