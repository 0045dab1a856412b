/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenize_rows.c: what one card record costs the enclave's core, all but the rings: the real
 * session and handlers in this process, batches of 32 sealed records, examples/policies/card.json.
 *
 * Beside it, in the same slices: opening, scanning, FF1, MACs and sealing, each alone (the sum of
 * the parts), and a loop of one process that does the same work with OpenSSL and cJSON
 * (src/reference). The copies into private memory and out of it are the rings' and not counted.
 */
#include "../enclaves/tokenize/tok_state.h"
#include "../tests/enclave/fake_policy.h"
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "measure.h"
#include "reference/generator.h"
#include "reference/reference.h"
#include "rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS      512u
#define BATCH        32u
#define LOOP_RECORDS 64u /* of the loop with OpenSSL and cJSON, in one slice */
#define MACS         9u  /* of a card record: eight tokens and hashes, one offset */
#define RECORD_MAX   2048u
#define CARD_DIGITS  15u /* of 16, one is the check digit */

struct bench {
    struct fake fake;
    struct fake_tenant tenant;
    struct csr_record records[RECORDS];
    char texts[RECORDS][RECORD_MAX]; /* with room behind each for who reads ahead */
    uint64_t text_bytes;
    const struct bench_json_peer *peer; /* or NULL */
    struct csr_policy *policy;
    struct csr_loop *loop;
    uint64_t loop_number;
    uint8_t sealed[RECORDS][RECORD_MAX];
    uint32_t sizes[RECORDS];
    _Alignas(64) uint8_t inputs[RECORDS][RECORD_MAX];
    uint32_t served;
    uint32_t plain_size; /* of the last input and of its answer */
    uint32_t answer_size;
};

static void require(bool holds, const char *what)
{
    bench_require(holds, what);
}

/* ---- what is measured: every record once ---- */
static void sink(void *state, uint32_t channel, uint64_t tag, bool final,
                 const struct csn_ring_piece pieces[2])
{
    struct bench *bench = state;
    struct csn_wire_answer head;
    (void)channel, (void)tag, (void) final;
    memcpy(&head, pieces[0].bytes, sizeof head);
    bench->served += head.code == CSN_WIRE_DONE;
    bench->answer_size = head.size;
}

static void run_session(struct bench *bench)
{
    bench->served = 0;
    for (uint32_t i = 0; i < RECORDS; i += BATCH) {
        struct cse_input inputs[BATCH];
        for (uint32_t k = 0; k < BATCH; k++) {
            inputs[k] = (struct cse_input){
                .tag = k, .bytes = bench->inputs[i + k], .size = bench->sizes[i + k]};
        }
        cse_session_batch(bench->fake.session, inputs, BATCH, sink, bench);
    }
    require(bench->served == RECORDS, "tokenize_rows: a record was not served");
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
    static struct csn_json_shape shape;
    for (uint32_t i = 0; i < RECORDS; i++) {
        shape.count = i % BATCH == 0 ? 0 : shape.count; /* as the enclave has it: one a batch */
        struct csn_json json = {.text = (const uint8_t *)bench->records[i].text,
                                .size = (uint32_t)bench->records[i].size,
                                .seed = 1,
                                .nodes = nodes,
                                .hashes = tables[0],
                                .owners = tables[1],
                                .node_max = RECORD_MAX,
                                .shape = &shape};
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

static void run_peer(struct bench *bench)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        require(bench->peer->scan(bench->texts[i], bench->records[i].size), "the peer refused");
    }
}

static void run_loop(struct bench *bench)
{
    for (uint32_t i = 0; i < LOOP_RECORDS; i++) {
        require(csr_loop_step(bench->loop, bench->policy, bench->loop_number++),
                "the loop refused a record");
    }
}

/* ---- set-up ---- */
static void take_policy(const char *text, size_t size, struct bench *bench)
{
    static const uint8_t secret[32] = {9};
    static char error[CSR_ERROR_SIZE];
    fake_policy(&bench->tenant, text, size);
    bench->policy = csr_policy_load(text, size, secret, secret, error);
    require(bench->policy != NULL, error);
    require(csr_loop_new(1, &bench->loop) == CSN_OK, "tokenize_rows: no loop");
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
        bench->sizes[i] = item.record_size;
        memcpy(bench->texts[i], bench->records[i].text, bench->records[i].size);
        bench->text_bytes += bench->records[i].size;
        bench->plain_size =
            item.record_size - (uint32_t)sizeof(struct csn_wire_record) - CSN_WIRE_TAG_SIZE;
    }
    csv_sealer_destroy(sealer);
}

enum part {
    SESSION,
    OPEN,
    SCAN,
    FF1,
    MACS_ALONE,
    SEAL,
    LOOP,
    PEER,
    PART_COUNT,
};

static const struct {
    const char *name;
    void (*run)(struct bench *);
    uint32_t records;
} parts[PART_COUNT] = {
    [SESSION] = {"the session", run_session, RECORDS},
    [OPEN] = {"opening", run_open, RECORDS},
    [SCAN] = {"JSON scan", run_scan, RECORDS},
    [FF1] = {"FF1", run_ff1, RECORDS},
    [MACS_ALONE] = {"MACs", run_macs, RECORDS},
    [SEAL] = {"sealing", run_seal, RECORDS},
    [LOOP] = {"OpenSSL and cJSON", run_loop, LOOP_RECORDS},
    [PEER] = {"the peer's JSON scan", run_peer, RECORDS},
};

#define SLICE_NS 12000000u /* about what one of each takes */
#define ROUNDS   2u        /* the same slices again */

static double times[PART_COUNT][BENCH_PAIR_MAX]; /* ns for one record */

static void take_slice(struct bench *bench, enum part part, size_t slice)
{
    double best = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < RECORDS && part == SESSION; i++) {
            memcpy(bench->inputs[i], bench->sealed[i], bench->sizes[i]);
        }
        uint64_t begin = bench_thread_ns();
        parts[part].run(bench);
        double ns = (double)(bench_thread_ns() - begin) / parts[part].records;
        best = round == 0 || ns < best ? ns : best;
    }
    times[part][slice] = best;
}

static void report(const struct bench_row *row, enum part ours, const double *other, size_t count)
{
    struct bench_samples samples = {.count = count};
    memcpy(samples.ours, times[ours], count * sizeof samples.ours[0]);
    memcpy(samples.other, other, count * sizeof samples.other[0]);
    bench_report(row, &samples);
}

static void measure(struct bench *bench)
{
    static double sums[BENCH_PAIR_MAX];
    static double two_gigabytes[BENCH_PAIR_MAX];
    const size_t count = bench_pairs(SLICE_NS);
    for (size_t slice = 0; slice < count; slice++) {
        for (uint32_t part = 0; part < PART_COUNT; part++) {
            if (part != PEER || bench->peer != NULL) {
                take_slice(bench, part, slice);
            }
        }
        two_gigabytes[slice] = (double)bench->text_bytes / RECORDS / 2;
        for (uint32_t part = OPEN; part <= SEAL; part++) {
            sums[slice] += times[part][slice];
        }
    }
    report(&(struct bench_row){10, "tokenize enclave", "a card record", "the sum of its parts",
                               BENCH_FASTER, 0.6},
           SESSION, sums, count);
    report(&(struct bench_row){10, "tokenize enclave", "a card record", "OpenSSL and cJSON",
                               BENCH_FASTER, 20},
           SESSION, times[LOOP], count);
    report(&(struct bench_row){10, "JSON scan", "card records", "2 GB/s", BENCH_FASTER, 1}, SCAN,
           two_gigabytes, count);
    if (bench->peer != NULL) {
        report(
            &(struct bench_row){0, "JSON scan", "card records", bench->peer->name, BENCH_FASTER, 0},
            SCAN, times[PEER], count);
    }
    for (uint32_t part = 0; part < LOOP && !bench_json(); part++) {
        bench_sort(times[part], count);
        printf("%-12s %7.0f ns a record (%.0f to %.0f)\n", parts[part].name,
               bench_at(times[part], count, 500), bench_at(times[part], count, 100),
               bench_at(times[part], count, 900));
    }
}

void bench_tokenize_rows(const char *policy, size_t policy_size, const struct bench_json_peer *peer)
{
    struct bench *bench = calloc(1, sizeof *bench);
    uint64_t features = 0;
    require(bench != NULL, "tokenize_rows: no memory");
    require(csn_cpu_features(&features) == CSN_OK && csn_cpu_select(features) == CSN_OK,
            "this CPU cannot");
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                         .service = &cse_service,
                                         .tenant_state_size = sizeof(struct tok_state) + 64,
                                         .scratch_size = 8u << 20};
    bench->peer = peer;
    fake_start(&bench->fake, &options);
    fake_tenant_new(&bench->tenant);
    take_policy(policy, policy_size, bench);
    fake_grant(&bench->fake, &bench->tenant, 1);
    seal_records(bench);
    measure(bench);
    fake_stop(&bench->fake);
    csr_loop_free(bench->loop);
    csr_policy_free(bench->policy);
    free(bench);
}
