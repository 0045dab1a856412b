/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello_host.c: the whole life of a record in one file.
 * usage: hello_host IMAGE BACKEND TEXT [OTHER]     OTHER: what a lying host runs instead of IMAGE
 *
 * Trust: in earnest the parts below run on three machines. The host (struct host) carries bytes and
 *        must not be believed; the tenant, its producer and its consumer hold the keys. Only what
 *        the comments call public or sealed crosses between them.
 * Exit:  0 and the enclave's answer on stdout; 1 with what failed; 77 where BACKEND does not work.
 */
#include "crypto/curve.h"
#include "image/image.h"
#include <caisson/client.h>
#include <caisson/evidence.h>
#include <caisson/host.h>
#include <caisson/verify.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FILE_SIZE_MAX    (8u << 20)
#define MESSAGE_SIZE_MAX 65536u
#define WAIT_NS          UINT64_C(10000000000)

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the host: untrusted, sees only public and sealed bytes ---- */

struct host {
    struct csn_enclave *enclave;
    struct csn_wire_signature signature; /* of the image, by whoever built it */
    uint8_t *answer;                     /* room for the largest output of this enclave */
    uint8_t development_seed[32];        /* signs the insecure development evidence */
};

static void host_start(struct host *host, const uint8_t *image, size_t size, const char *backend)
{
    struct csn_detail detail = {""};
    const struct csn_enclave_options options = {
        .image = image, .image_size = size, .backend = backend};
    csn_err error = csn_enclave_create(&options, &host->enclave, &detail);
    if (error != CSN_OK) {
        fprintf(stderr, "%s: %s\n", backend, detail.text);
        exit(error == CSN_ERR_MISSING ? 77 : 1);
    }
    host->answer = malloc(csn_enclave_manifest(host->enclave)->output_size_max);
    NEED(host->answer != NULL);
}

/* One message in, its one answer out; the body begins behind the head. */
static const uint8_t *host_carry(struct host *host, const void *message, uint32_t size,
                                 struct csn_wire_answer *head)
{
    struct csn_output output;
    uint32_t begin;
    csn_err error;
    NEED(csn_enclave_submit(host->enclave, 0, 1, message, size) == CSN_OK);
    NEED(csn_enclave_flush(host->enclave, 0) == CSN_OK);
    while ((error = csn_enclave_receive(host->enclave, 0, host->answer, &output)) == CSN_AGAIN) {
        NEED(csn_enclave_wait(host->enclave, 0, WAIT_NS) == CSN_OK);
    }
    NEED(error == CSN_OK && csn_wire_answer_read(host->answer, output.size, head, &begin));
    return host->answer + begin;
}

/* Evidence about the running enclave, made for the nonce of whoever asks. */
static size_t host_evidence(struct host *host, const uint8_t nonce[32], uint8_t *bundle,
                            size_t capacity)
{
    static struct csn_wire_boot_made made;
    static struct csn_evidence_batch batch;
    struct csn_enclave_report report;
    size_t size = 0;
    csn_enclave_report(host->enclave, &report);
    NEED(csn_enclave_made(host->enclave, &made) == CSN_OK);
    const struct csn_evidence_subject subject = {.manifest = csn_enclave_manifest(host->enclave),
                                                 .report = &report,
                                                 .made = &made,
                                                 .signer_key = host->signature.signer_key,
                                                 .signer_signature = host->signature.signature};
    NEED(csn_evidence_report(&batch, &csn_evidence_software, host->development_seed, &subject,
                             (const uint8_t(*)[32])nonce, 1) == CSN_OK);
    NEED(csn_evidence_bundle(&batch, 0, bundle, capacity, &size) == CSN_OK);
    return size;
}

/* ---- the tenant: decides whom to trust, owns the keys ---- */

/* Appraise: fresh for my nonce, this very image, and nothing is accepted that I did not name. */
static struct csv_verdict *tenant_appraise(struct host *host, const uint8_t measurement[48])
{
    static uint8_t bundle[CSN_WIRE_EVIDENCE_SIZE_MAX];
    struct csv_verdict *verdict = NULL;
    uint8_t nonce[32];
    uint8_t root[32];
    static char text[32768];
    struct csv_policy *policy = NULL;
    NEED(getrandom(nonce, sizeof nonce, 0) == sizeof nonce);
    size_t size = host_evidence(host, nonce, bundle, sizeof bundle);
    csn_ed25519_public(root, host->development_seed);
    NEED(csv_policy_create(&policy) == CSN_OK &&
         csv_policy_allow(policy, "formats", "caisson") == CSN_OK &&
         csv_policy_allow_bytes(policy, "caisson.measurements", measurement, 48) == CSN_OK &&
         /* for development only: the key above is in this process */
         csv_policy_allow(policy, "caisson.platforms", "software") == CSN_OK &&
         csv_policy_allow(policy, "caisson.insecure_dev", "true") == CSN_OK &&
         csv_policy_allow_bytes(policy, "caisson.software_roots", root, 32) == CSN_OK);
    csn_err result = csv_appraise_bundle(policy, bundle, size, nonce, &verdict);
    csv_policy_free(policy);
    if (result != CSN_OK) {
        csv_verdict_text(verdict, true, text, sizeof text);
        fprintf(stderr, "%s", text);
        exit(1);
    }
    return verdict;
}

/* Grant: keys and credentials, sealed to the instance key that only the verdict yields. */
static void tenant_grant(struct host *host, const struct csv_tenant *tenant,
                         const struct csv_recipient *instance, struct csv_grant *grant)
{
    static uint8_t message[MESSAGE_SIZE_MAX];
    uint32_t size = 0;
    struct csn_wire_answer head;
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    const struct csv_grant_options options = {
        .tenant = tenant, .instance = instance, .version = 1, .security_version_min = 1};
    NEED(csv_grant_build(&options, message, sizeof message, &size, grant) == CSN_OK);
    const uint8_t *body = host_carry(host, message, size, &head);
    NEED(head.code == CSN_WIRE_GRANTED);
    /* The receipt is sealed by the enclave: a host cannot make up that a grant was taken. */
    NEED(csv_receipt_open(grant, body, head.size, &result, &receipt) == CSN_OK);
    NEED(result.status == CSN_WIRE_STATUS_OK);
}

/* ---- producer and consumer: know the tenant, not the enclave ---- */

/* The producer trusts the tenant's signed statement, and seals to the key in it. */
static uint32_t producer_seal(const struct csv_statement *statement,
                              const struct csv_credential *credential, const char *text,
                              uint8_t *record)
{
    struct csv_recipient *recipient = NULL;
    struct csv_sealer *sealer = NULL;
    NEED(csv_statement_open(statement, sizeof *statement, credential->tenant, &recipient) ==
         CSN_OK);
    const struct csv_sealer_options options = {.recipient = recipient, .credential = credential};
    NEED(csv_sealer_create(&options, &sealer) == CSN_OK);
    struct csv_seal_item item = {.payload = text,
                                 .payload_size = (uint32_t)strlen(text),
                                 .operation = 1,
                                 .record = record,
                                 .record_size_max = MESSAGE_SIZE_MAX};
    NEED(csv_seal_batch(sealer, &item, 1) == CSN_OK && item.result == CSN_OK);
    csv_sealer_destroy(sealer);
    csv_recipient_destroy(recipient);
    return item.record_size;
}

/* The consumer opens what the enclave sealed to it, made under exactly this grant. */
static void consumer_open(const struct csv_consumer *consumer, const struct csv_grant *grant,
                          const uint8_t *record, uint32_t size)
{
    struct csv_opener *opener = NULL;
    const struct csv_opener_options options = {
        .consumer = consumer, .grant_version_min = grant->version, .grant_digest = grant->digest};
    struct csv_open_item item = {
        .record = record, .size = size, .payload = calloc(1, csv_plain_size(size) + 1)};
    NEED(item.payload != NULL && csv_opener_create(&options, &opener) == CSN_OK);
    NEED(csv_open_batch(opener, &item, 1) == CSN_OK && item.result == CSN_OK);
    if (item.header.status != CSN_WIRE_STATUS_OK) {
        printf("refused: status %u\n", (unsigned)item.header.status);
    } else {
        printf("%.*s\n", (int)item.payload_size, (const char *)item.payload);
    }
    csv_opener_destroy(opener);
    free(item.payload);
}

/* The tenant's own copy of the image: what it measures here is what it will accept. */
static size_t read_image(const char *path, uint8_t *bytes, struct csn_image *image,
                         uint8_t measurement[48])
{
    struct csn_image_fault fault = {NULL, 0};
    FILE *file = fopen(path, "rb");
    NEED(file != NULL);
    size_t size = fread(bytes, 1, FILE_SIZE_MAX, file);
    fclose(file);
    if (csn_image_measure_file(bytes, size, image, measurement, &fault) != CSN_OK) {
        fprintf(stderr, "%s: %s at %llu\n", path, fault.what, (unsigned long long)fault.where);
        exit(1);
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[FILE_SIZE_MAX];
    static uint8_t record[MESSAGE_SIZE_MAX];
    static struct csv_tenant tenant;
    static struct host host;
    struct csn_image image;
    struct csn_wire_answer head;
    struct csv_credential credential;
    struct csv_consumer consumer;
    struct csv_statement statement;
    struct csv_grant grant;
    uint8_t measurement[48];
    uint8_t signer_seed[32];
    static uint8_t other[FILE_SIZE_MAX];
    struct csn_image other_image;
    uint8_t other_measurement[48];
    NEED(argc == 4 || argc == 5);
    NEED(csv_client_init() == CSN_OK);
    NEED(getrandom(signer_seed, 32, 0) == 32 && getrandom(host.development_seed, 32, 0) == 32);
    /* 1. Build and sign: the measurement is the image's name. */
    size_t size = read_image(argv[1], bytes, &image, measurement);
    csn_signature_make(&host.signature, &image, measurement, signer_seed);
    /* 2. The host starts it. */
    if (argc == 5) {
        size = read_image(argv[4], other, &other_image, other_measurement);
        csn_signature_make(&host.signature, &other_image, other_measurement, signer_seed);
    }
    host_start(&host, argc == 5 ? other : bytes, size, argv[2]);
    /* 3. The tenant makes its keys: one consumer, one producer whose outputs go to it. */
    NEED(csv_tenant_new(&tenant) == CSN_OK);
    NEED(csv_tenant_add_consumer(&tenant, "reader", false, &consumer) == CSN_OK);
    const struct csv_rights rights = {
        .rights = CSN_WIRE_RIGHT_SUBMIT, .consumer = 0, .purpose_mask = 1};
    NEED(csv_tenant_add_producer(&tenant, &rights, &credential) == CSN_OK);
    /* 4. It appraises the enclave, and only then grants; then tells its producers so. */
    struct csv_verdict *verdict = tenant_appraise(&host, measurement);
    tenant_grant(&host, &tenant, csv_verdict_instance(verdict), &grant);
    NEED(csv_statement_build(&tenant, csv_verdict_instance(verdict), 1, &statement) == CSN_OK);
    csv_verdict_free(verdict);
    /* 5. Seal, carry, open. The host learns that there was a record, and its size class. */
    uint32_t record_size = producer_seal(&statement, &credential, argv[3], record);
    const uint8_t *body = host_carry(&host, record, record_size, &head);
    NEED(head.code == CSN_WIRE_DONE);
    consumer_open(&consumer, &grant, body, head.size);
    csn_enclave_destroy(host.enclave);
    free(host.answer);
    return 0;
}
