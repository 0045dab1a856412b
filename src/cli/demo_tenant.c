/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_tenant.c: the tenant: verifies the evidence, grants, and produces sealed records.
 *
 * Trust: all keys are made here. The measurement that is expected is computed from the image file's
 *        bytes in this process; the signer's and the root's key are development keys, which the
 *        host made and says so: with real evidence neither comes from the host.
 */
#define _GNU_SOURCE
#include "demo.h"
#include "image/image.h"
#include <caisson/client.h>
#include <caisson/policy.h>
#include <caisson/verify.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TENANT_BATCH   32u
#define TENANT_TICK_NS UINT64_C(50000) /* open loop: from one sleep's end to the next, at least */

struct tenant_state {
    const struct demo_job *job;
    int control;
    int output;
    struct demo_records records;
    struct csv_tenant tenant;
    struct csv_consumer consumer;
    struct csv_credential credential;
    struct csv_grant grant;
    struct csv_recipient *recipient;
    uint8_t policy[CSN_WIRE_GRANT_SIZE_MAX];
    size_t policy_size;
    uint8_t message[CSN_WIRE_GRANT_SIZE_MAX];
    struct demo_message in;
    uint8_t *frames; /* room for a batch */
    uint32_t frame_size_max;
};

static void tenant_keys(struct tenant_state *state)
{
    const struct csv_rights rights = {.rights = CSN_WIRE_RIGHT_SUBMIT, .purpose_mask = 1};
    if (csv_client_init() != CSN_OK || csv_tenant_new(&state->tenant) != CSN_OK ||
        csv_tenant_add_consumer(&state->tenant, state->job->consumer, false, &state->consumer) !=
            CSN_OK ||
        csv_tenant_add_producer(&state->tenant, &rights, &state->credential) != CSN_OK) {
        demo_die(state->control, "cannot make keys");
    }
    struct csv_policy_error error;
    const char *const names[1] = {state->job->consumer};
    const struct csv_policy_consumers consumers = {.names = names, .count = 1};
    if (csv_policy_compile(state->job->policy, state->job->policy_size, &consumers, state->policy,
                           sizeof state->policy, &state->policy_size, &error) != CSN_OK) {
        demo_die(state->control, "policy, line %u, column %u: %s", error.line, error.column,
                 error.text);
    }
}

/* Just this image by just this signer, on a development machine whose key is known. */
static struct csv_policy *demo_policy(struct tenant_state *state, const uint8_t measurement[48],
                                      const struct demo_identity *identity, uint32_t version)
{
    struct csv_policy *policy = NULL;
    char signer[2 * sizeof identity->signer_key + 12];
    for (size_t i = 0; i < sizeof identity->signer_key; i++) {
        snprintf(signer + 2 * i, 3, "%02x", identity->signer_key[i]);
    }
    snprintf(signer + 2 * sizeof identity->signer_key, 12, ":%u", version);
    if (csv_policy_create(&policy) != CSN_OK ||
        csv_policy_allow(policy, "formats", "caisson") != CSN_OK ||
        csv_policy_allow(policy, "caisson.platforms", "software") != CSN_OK ||
        csv_policy_allow(policy, "caisson.insecure_dev", "true") != CSN_OK ||
        csv_policy_allow_bytes(policy, "caisson.software_roots", identity->software_root, 32) !=
            CSN_OK ||
        csv_policy_allow(policy, "caisson.signers", signer) != CSN_OK ||
        csv_policy_allow_bytes(policy, "caisson.measurements", measurement, 48) != CSN_OK) {
        demo_die(state->control, "no policy for the evidence");
    }
    return policy;
}

/* The verdict, whose keys are the only ones that anything is sealed to. */
static struct csv_verdict *tenant_appraise(struct tenant_state *state, const void *image,
                                           size_t image_size)
{
    struct csn_image parsed;
    struct csn_image_fault fault = {0};
    struct demo_identity identity;
    uint8_t nonce[CSV_NONCE_SIZE];
    uint8_t measurement[48];
    if (csn_image_measure_file(image, image_size, &parsed, measurement, &fault) != CSN_OK) {
        demo_die(state->control, "the image: %s", fault.what ? fault.what : "unreadable");
    }
    if (!demo_expect(state->control, "host", DEMO_IDENTITY, sizeof identity, &state->in) ||
        getrandom(nonce, sizeof nonce, 0) != sizeof nonce) {
        demo_die(state->control, "no nonce");
    }
    memcpy(&identity, state->in.bytes, sizeof identity);
    struct csv_policy *policy =
        demo_policy(state, measurement, &identity, parsed.manifest.security_version);
    struct csv_verdict *verdict = NULL;
    if (!demo_send(state->control, DEMO_NONCE, nonce, sizeof nonce) ||
        !demo_expect(state->control, "host", DEMO_EVIDENCE, 0, &state->in)) {
        demo_die(state->control, "no evidence");
    }
    csn_err result = csv_appraise_bundle(policy, state->in.bytes, state->in.size, nonce, &verdict);
    csv_policy_free(policy);
    if (result != CSN_OK) {
        const struct csv_finding *bad = NULL;
        for (size_t i = 0; verdict != NULL && i < csv_verdict_finding_count(verdict); i++) {
            const struct csv_finding *finding = csv_verdict_finding(verdict, i);
            bad = bad == NULL && finding->outcome != CSV_PASSED ? finding : bad;
        }
        demo_die(state->control, "evidence refused (%s): %s, expected %s, got %s",
                 csn_err_name(result), bad ? bad->id : "", bad ? bad->expected : "",
                 bad ? bad->got : "");
    }
    return verdict;
}

static void tenant_grant(struct tenant_state *state, const struct csv_verdict *verdict)
{
    const struct csv_recipient *instance = csv_verdict_instance(verdict);
    const struct csv_grant_options options = {.tenant = &state->tenant,
                                              .instance = instance,
                                              .version = 1,
                                              .policy = state->policy,
                                              .policy_size = (uint32_t)state->policy_size};
    uint32_t size = 0;
    csn_err result =
        csv_grant_build(&options, state->message, sizeof state->message, &size, &state->grant);
    if (result != CSN_OK || !demo_send(state->control, DEMO_GRANT, state->message, size) ||
        !demo_expect(state->control, "host", DEMO_ANSWER, 0, &state->in)) {
        demo_die(state->control, "no grant (%s)", csn_err_name(result));
    }
    struct csn_wire_answer answer = {0};
    struct csn_wire_result status;
    struct csn_wire_receipt receipt;
    if (state->in.size >= sizeof answer) {
        memcpy(&answer, state->in.bytes, sizeof answer);
    }
    if (state->in.size < sizeof answer || answer.code != CSN_WIRE_GRANTED ||
        csv_receipt_open(&state->grant, state->in.bytes + sizeof answer,
                         state->in.size - (uint32_t)sizeof answer, &status, &receipt) != CSN_OK ||
        status.status != CSN_WIRE_STATUS_OK) {
        demo_die(state->control, "the enclave did not take the grant (code %u)", answer.code);
    }
    struct csv_statement statement;
    if (csv_statement_build(&state->tenant, instance, 1, &statement) != CSN_OK ||
        csv_statement_open(&statement, sizeof statement, state->tenant.id, &state->recipient) !=
            CSN_OK) {
        demo_die(state->control, "no statement for the producer");
    }
}

static void tenant_fork_consumer(struct tenant_state *state, const struct demo_links *links)
{
    const struct demo_consumer_setup setup = {.job = state->job,
                                              .records = &state->records,
                                              .tenant = &state->tenant,
                                              .consumer = &state->consumer,
                                              .grant_digest = state->grant.digest,
                                              .control = links->consumer[1],
                                              .outputs = links->outputs[1]};
    pid_t child = fork();
    if (child < 0) {
        demo_die(state->control, "cannot fork the consumer");
    }
    if (child == 0) {
        demo_die_with_parent();
        close(links->tenant[1]);
        close(links->records[1]);
        demo_consumer(&setup);
    }
    close(links->consumer[1]);
    close(links->outputs[1]);
}

static void put_frame(uint8_t *frame, uint32_t size)
{
    memcpy(frame, &size, 4);
}

/* Seals records first .. first + count - 1 (modulo what there is) and writes them as one piece. */
static void tenant_batch(struct tenant_state *state, struct csv_sealer *sealer, uint64_t first,
                         uint32_t count)
{
    struct csv_seal_item items[TENANT_BATCH];
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t record = (first + i) % state->records.count;
        size_t offset = state->records.offset[record];
        uint32_t size = (uint32_t)(state->records.offset[record + 1] - offset);
        items[i] = (struct csv_seal_item){.payload = state->records.text + offset,
                                          .payload_size = size,
                                          .operation = 1,
                                          .record_size_max = csv_record_size(size, 0),
                                          .record = state->frames + used + 4};
        put_frame(state->frames + used, items[i].record_size_max);
        used += items[i].record_size_max + 4;
    }
    if (csv_seal_batch(sealer, items, count) != CSN_OK) {
        demo_die(state->control, "cannot seal");
    }
    for (uint32_t i = 0; i < count; i++) {
        /* No short form is asked for, so that each record fills its frame. */
        if (items[i].result != CSN_OK || items[i].record_size != items[i].record_size_max) {
            demo_die(state->control, "cannot seal a record: %s", csn_err_name(items[i].result));
        }
    }
    if (!cli_write_exactly(state->output, state->frames, used)) {
        _exit(1); /* the host is gone: nobody to tell */
    }
}

/* It sleeps: a producer that spins would take a core of the machine that it measures. */
static void wait_until(uint64_t time_ns)
{
    const struct timespec until = {.tv_sec = (time_t)(time_ns / 1000000000),
                                   .tv_nsec = (long)(time_ns % 1000000000)};
    while (cli_now_ns() < time_ns) {
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}

/* Open loop: what is due by now goes out, whatever became of the records before it. */
static void tenant_produce(struct tenant_state *state, const struct demo_go *go)
{
    struct csv_sealer *sealer = NULL;
    const struct csv_sealer_options options = {.recipient = state->recipient,
                                               .credential = &state->credential};
    if (csv_sealer_create(&options, &sealer) != CSN_OK) {
        demo_die(state->control, "cannot make a sealer");
    }
    uint64_t tick = 0;
    for (uint64_t done = 0; done < go->count;) {
        uint64_t due = go->count;
        if (go->interval_ps != 0) {
            uint64_t next = go->start_ns + done * go->interval_ps / 1000;
            if (cli_now_ns() < next) {
                wait_until(next > tick ? next : tick);
                tick = cli_now_ns() + TENANT_TICK_NS;
            }
            due = (cli_now_ns() - go->start_ns) * 1000 / go->interval_ps + 1;
            due = due < go->count ? due : go->count;
            due = due > done ? due : done + 1;
        }
        uint32_t count = due - done < TENANT_BATCH ? (uint32_t)(due - done) : TENANT_BATCH;
        tenant_batch(state, sealer, go->first + done, count);
        done += count;
    }
    uint32_t size = 0;
    if (csv_seal_fin(sealer, state->frames + 4, state->frame_size_max, &size) != CSN_OK) {
        demo_die(state->control, "cannot seal the end of the stream");
    }
    put_frame(state->frames, size);
    if (!cli_write_exactly(state->output, state->frames, size + 4)) {
        _exit(1);
    }
    csv_sealer_destroy(sealer);
}

void demo_tenant(const struct demo_job *job, const struct demo_links *links, const void *image,
                 size_t image_size)
{
    struct tenant_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        demo_die(links->tenant[1], "out of memory");
    }
    state->job = job;
    state->control = links->tenant[1];
    state->output = links->records[1];
    tenant_keys(state);
    if (!demo_records_make(job, &state->records) || state->records.count == 0) {
        demo_die(state->control, "no records");
    }
    uint32_t largest = csv_record_size(state->records.size_max, 0);
    uint32_t smallest = csv_record_size(64, 0);
    state->frame_size_max = largest > smallest ? largest : smallest;
    state->frames = malloc((size_t)TENANT_BATCH * (state->frame_size_max + 4));
    if (largest == 0 || state->frames == NULL) {
        demo_die(state->control, "records too large");
    }
    struct csv_verdict *verdict = tenant_appraise(state, image, image_size);
    tenant_grant(state, verdict);
    tenant_fork_consumer(state, links);
    uint64_t count = state->records.count;
    if (!demo_send(state->control, DEMO_READY, &count, sizeof count)) {
        _exit(1);
    }
    struct demo_go go;
    while (cli_read_exactly(state->control, state->in.bytes, 8) &&
           cli_read_exactly(state->control, &go, sizeof go)) {
        tenant_produce(state, &go); /* the host says nothing but GO from here on */
    }
    csv_verdict_free(verdict);
    _exit(0);
}
