/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.c: evidence, verdict, grant, receipt, statement, sealer: the tenant's way in. */
#define _GNU_SOURCE
#include "sealed.h"
#include "crypto/curve.h"
#include "image/image.h"
#include "measure.h"
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <caisson/wire/message.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define WAIT_NS     UINT64_C(10000000000)
#define LOOK_NS     UINT64_C(2000000)
#define SPIN_NS     UINT64_C(10000) /* as long as the host library looks without a sleep */
#define MESSAGE_MAX 65536u
#define PAYLOAD_MAX 65536u
#define PLAIN_MIN   1024u /* of an answer without payload */

/* ---- image ---- */

void sealed_image_read(struct sealed_image *image, const char *path)
{
    struct csn_image parsed;
    uint8_t seed[32];
    long size = -1;
    FILE *file = fopen(path, "rb");
    memset(image, 0, sizeof *image);
    bench_require(file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0, path);
    rewind(file);
    image->size = (size_t)size;
    image->bytes = malloc(image->size);
    bench_require(image->bytes != NULL && fread(image->bytes, 1, image->size, file) == image->size,
                  path);
    fclose(file);
    bench_require(csn_image_measure_file(image->bytes, image->size, &parsed, image->measurement,
                                         NULL) == CSN_OK &&
                      getrandom(seed, sizeof seed, 0) == (ssize_t)sizeof seed,
                  "the image is not one");
    struct csn_wire_signature signature;
    csn_signature_make(&signature, &parsed, image->measurement, seed);
    _Static_assert(sizeof signature == sizeof image->signature_file, "size");
    memcpy(image->signature_file, &signature, sizeof signature);
    memcpy(image->signer_key, signature.signer_key, sizeof image->signer_key);
    memcpy(image->signature, signature.signature, sizeof image->signature);
}

void sealed_folder(char folder[PATH_MAX])
{
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    bench_require(size > 0, "cannot tell where this program lies");
    program[size] = 0;
    *strrchr(program, '/') = 0;
    memcpy(folder, program, strlen(program) + 1);
}

void sealed_image_find(struct sealed_image *image, const char *name)
{
    char folder[PATH_MAX];
    char path[PATH_MAX + 64];
    sealed_folder(folder);
    snprintf(path, sizeof path, "%s/%s.elf", folder, name);
    if (access(path, R_OK) != 0) {
        snprintf(path, sizeof path, "%s/../enclaves/%s.elf", folder, name);
    }
    sealed_image_read(image, path);
}

void sealed_image_free(struct sealed_image *image)
{
    free(image->bytes);
    memset(image, 0, sizeof *image);
}

/* ---- tenant ---- */

static struct csv_policy *make_policy(const struct sealed_tenant *tenant,
                                      const struct sealed_image *image)
{
    struct csv_policy *policy = NULL;
    bench_require(
        csv_policy_create(&policy) == CSN_OK &&
            csv_policy_allow(policy, "formats", "caisson") == CSN_OK &&
            csv_policy_allow(policy, "caisson.platforms", "software") == CSN_OK &&
            csv_policy_allow(policy, "caisson.insecure_dev", "true") == CSN_OK &&
            csv_policy_allow_bytes(policy, "caisson.software_roots", tenant->root_key, 32) ==
                CSN_OK &&
            csv_policy_allow_bytes(policy, "caisson.signers", image->signer_key, 32) == CSN_OK &&
            csv_policy_allow_bytes(policy, "caisson.measurements", image->measurement, 48) ==
                CSN_OK,
        "no policy");
    return policy;
}

void sealed_tenant_new(struct sealed_tenant *tenant, const struct sealed_image *image, bool replies)
{
    const struct csv_rights rights = {.rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_REQUEST,
                                      .consumer = replies ? CSN_WIRE_CONSUMER_NONE : 0,
                                      .purpose_mask = 1};
    memset(tenant, 0, sizeof *tenant);
    bench_require(
        csv_client_init() == CSN_OK && csv_tenant_new(&tenant->keys) == CSN_OK &&
            csv_tenant_add_consumer(&tenant->keys, "sink", false, &tenant->consumer) == CSN_OK &&
            csv_tenant_add_producer(&tenant->keys, &rights, &tenant->producer) == CSN_OK &&
            getrandom(tenant->root_seed, 32, 0) == 32,
        "no tenant");
    csn_ed25519_public(tenant->root_key, tenant->root_seed);
    tenant->policy = make_policy(tenant, image);
}

void sealed_tenant_free(struct sealed_tenant *tenant)
{
    csv_policy_free(tenant->policy);
    memset(tenant, 0, sizeof *tenant);
}

/* ---- evidence and grant ---- */

static struct csv_verdict *appraise(const struct sealed *sealed, const struct sealed_image *image,
                                    const struct sealed_tenant *tenant)
{
    static struct csn_evidence_batch batch;
    static uint8_t bundle[MESSAGE_MAX];
    struct csn_wire_boot_made made;
    struct csn_enclave_report report;
    struct csv_verdict *verdict = NULL;
    uint8_t nonce[1][32];
    size_t size = 0;
    csn_enclave_report(sealed->enclave, &report);
    const struct csn_evidence_subject subject = {.manifest = csn_enclave_manifest(sealed->enclave),
                                                 .report = &report,
                                                 .made = &made,
                                                 .signer_key = image->signer_key,
                                                 .signer_signature = image->signature};
    bench_require(getrandom(nonce, sizeof nonce, 0) == (ssize_t)sizeof nonce &&
                      csn_enclave_made(sealed->enclave, &made) == CSN_OK &&
                      csn_evidence_report(&batch, &csn_evidence_software, tenant->root_seed,
                                          &subject, (const uint8_t(*)[32])nonce, 1) == CSN_OK &&
                      csn_evidence_bundle(&batch, 0, bundle, sizeof bundle, &size) == CSN_OK &&
                      csv_appraise_bundle(tenant->policy, bundle, size, nonce[0], &verdict) ==
                          CSN_OK,
                  "the evidence is not accepted");
    return verdict;
}

static void send_grant(struct sealed *sealed, const struct csv_recipient *instance,
                       const struct sealed_tenant *tenant, struct csv_grant *kept)
{
    static uint8_t message[MESSAGE_MAX];
    uint32_t size = 0;
    const struct csv_grant_options options = {
        .tenant = &tenant->keys, .instance = instance, .version = 1, .security_version_min = 1};
    bench_require(csv_grant_build(&options, message, sizeof message, &size, kept) == CSN_OK &&
                      csn_enclave_submit(sealed->enclave, sealed->channel, ++sealed->tag, message,
                                         size) == CSN_OK &&
                      csn_enclave_flush(sealed->enclave, sealed->channel) == CSN_OK,
                  "no grant");
}

static void take_receipt(struct sealed *sealed, const struct csv_grant *kept)
{
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    uint32_t size = 0;
    const uint8_t *answer = sealed_receive(sealed, CSN_WIRE_GRANTED, &size);
    bench_require(csv_receipt_open(kept, answer, size, &result, &receipt) == CSN_OK &&
                      result.status == CSN_WIRE_STATUS_OK,
                  "the grant is not taken");
}

/* What the tenant tells its producers, and a producer with it. */
static void take_statement(struct sealed *sealed, const struct csv_recipient *instance,
                           const struct sealed_tenant *tenant)
{
    struct csv_statement statement;
    bench_require(csv_statement_build(&tenant->keys, instance, 1, &statement) == CSN_OK &&
                      csv_statement_open(&statement, sizeof statement, tenant->keys.id,
                                         &sealed->recipient) == CSN_OK,
                  "no statement");
    const struct csv_sealer_options options = {.recipient = sealed->recipient,
                                               .credential = &tenant->producer};
    bench_require(csv_sealer_create(&options, &sealed->sealer) == CSN_OK, "no sealer");
}

/*
 * The enclave runs: everything from its evidence to a sealer and an opener. The statement is made
 * while the enclave takes the grant; nothing is sealed before the receipt.
 */
static void enter(struct sealed *sealed, const struct sealed_image *image,
                  const struct sealed_tenant *tenant)
{
    sealed->target = malloc(csn_enclave_manifest(sealed->enclave)->output_size_max);
    bench_require(sealed->target != NULL, "no memory");
    struct csv_verdict *verdict = appraise(sealed, image, tenant);
    const struct csv_recipient *instance = csv_verdict_instance(verdict);
    struct csv_grant kept;
    send_grant(sealed, instance, tenant, &kept);
    take_statement(sealed, instance, tenant);
    take_receipt(sealed, &kept);
    csv_verdict_free(verdict);
    if (tenant->keys.credentials[0].consumer != CSN_WIRE_CONSUMER_NONE) {
        const struct csv_opener_options opener = {.consumer = &tenant->consumer};
        bench_require(csv_opener_create(&opener, &sealed->opener) == CSN_OK, "no opener");
    }
}

void sealed_start(struct sealed *sealed, const struct sealed_image *image,
                  const struct sealed_tenant *tenant, const char *backend)
{
    sealed_start_stored(sealed, image, tenant, backend, NULL);
}

void sealed_start_stored(struct sealed *sealed, const struct sealed_image *image,
                         const struct sealed_tenant *tenant, const char *backend,
                         struct csn_store *store)
{
    struct csn_detail detail = {""};
    const struct csn_enclave_options options = {
        .image = image->bytes, .image_size = image->size, .backend = backend, .store = store};
    memset(sealed, 0, sizeof *sealed);
    bench_require(csn_enclave_create(&options, &sealed->enclave, &detail) == CSN_OK, detail.text);
    enter(sealed, image, tenant);
}

void sealed_join(struct sealed *sealed, const struct sealed *first,
                 const struct sealed_image *image, const struct sealed_tenant *tenant,
                 uint32_t channel)
{
    *sealed = (struct sealed){.enclave = first->enclave, .joined = true, .channel = channel};
    enter(sealed, image, tenant);
}

void sealed_stop(struct sealed *sealed)
{
    csv_sealer_destroy(sealed->sealer);
    csv_opener_destroy(sealed->opener);
    csv_recipient_destroy(sealed->recipient);
    if (!sealed->joined) {
        csn_enclave_destroy(sealed->enclave);
    }
    free(sealed->target);
    memset(sealed, 0, sizeof *sealed);
}

/* ---- records ---- */

/*
 * An answer is looked for before it is slept for: it is there within a millisecond, and the echo of
 * a record long before a system call would be done.
 */
const uint8_t *sealed_receive(struct sealed *sealed, uint32_t code, uint32_t *size)
{
    struct csn_output output;
    struct csn_wire_answer head = {0};
    uint32_t start = 0;
    uint64_t begin = 0; /* of looking with calls in between */
    csn_err error;
    while ((error = csn_enclave_receive(sealed->enclave, sealed->channel, sealed->target,
                                        &output)) == CSN_AGAIN) {
        if (csn_enclave_wait(sealed->enclave, sealed->channel, SPIN_NS) == CSN_OK) {
            continue;
        }
        begin = begin == 0 ? bench_wall_ns() : begin;
        if (bench_wall_ns() - begin < LOOK_NS) {
            sched_yield();
            continue;
        }
        bench_require(csn_enclave_wait(sealed->enclave, sealed->channel, WAIT_NS) == CSN_OK,
                      "no answer");
    }
    bench_require(error == CSN_OK &&
                      csn_wire_answer_read(sealed->target, output.size, &head, &start) &&
                      head.code == code,
                  "another answer than expected");
    *size = head.size;
    return sealed->target + start;
}

void sealed_short(struct sealed *sealed)
{
    static uint8_t record[MESSAGE_MAX];
    uint8_t none[PLAIN_MIN];
    struct csn_wire_result result;
    uint32_t size = 0;
    uint32_t none_size = 0;
    bench_require(csv_seal_hello(sealed->sealer, record, sizeof record, &size) == CSN_OK &&
                      csn_enclave_submit(sealed->enclave, sealed->channel, ++sealed->tag, record,
                                         size) == CSN_OK &&
                      csn_enclave_flush(sealed->enclave, sealed->channel) == CSN_OK,
                  "no hello");
    const uint8_t *answer = sealed_receive(sealed, CSN_WIRE_DONE, &size);
    bench_require(csv_plain_size(size) <= sizeof none &&
                      csv_reply_open(sealed->sealer, answer, size, &result, none, &none_size) ==
                          CSN_OK &&
                      (result.flags & CSN_WIRE_RESULT_SHORT) != 0,
                  "no handle for the short form");
    csv_sealer_short(sealed->sealer, result.handle);
}

static uint32_t open_answer(const struct sealed *sealed, const uint8_t *answer, uint32_t size,
                            uint8_t *payload)
{
    struct csv_open_item item = {.record = answer, .size = size, .payload = payload};
    struct csn_wire_result result;
    uint32_t payload_size = 0;
    if (sealed->opener == NULL) {
        bench_require(csv_reply_open(sealed->sealer, answer, size, &result, payload,
                                     &payload_size) == CSN_OK &&
                          result.status == CSN_WIRE_STATUS_OK,
                      "a reply does not open");
        return payload_size;
    }
    bench_require(csv_open_batch(sealed->opener, &item, 1) == CSN_OK && item.result == CSN_OK &&
                      item.header.status == CSN_WIRE_STATUS_OK,
                  "an answer does not open");
    return item.payload_size;
}

void sealed_echo(struct sealed *sealed, const uint8_t *payload, uint32_t size)
{
    static uint8_t record[2 * PAYLOAD_MAX];
    static uint8_t back[2 * PAYLOAD_MAX];
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = size,
                                 .operation = 1,
                                 .record = record,
                                 .record_size_max = sizeof record};
    uint32_t answer_size = 0;
    bench_require(csv_seal_batch(sealed->sealer, &item, 1) == CSN_OK && item.result == CSN_OK &&
                      csn_enclave_submit(sealed->enclave, sealed->channel, ++sealed->tag, record,
                                         item.record_size) == CSN_OK &&
                      csn_enclave_flush(sealed->enclave, sealed->channel) == CSN_OK,
                  "a record does not go out");
    const uint8_t *answer = sealed_receive(sealed, CSN_WIRE_DONE, &answer_size);
    bench_require(open_answer(sealed, answer, answer_size, back) == size &&
                      memcmp(back, payload, size) == 0,
                  "another payload came back");
}
