/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_rig.c: a tenant's way in through the gateway, and the bodies that are sent. */
#define _GNU_SOURCE
#include "gateway_rig.h"
#include "children.h"
#include "measure.h"
#include "web_peers.h"
#include <caisson/verify.h>
#include <caisson/wire/message.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define MESSAGE_MAX   65536u
#define PLAIN_MIN     1024u /* of an answer without payload */
#define READY_NS      UINT64_C(20000000000)
#define RETRY_NS      20000000L
#define RECORDS_TYPE  "Content-Type: application/vnd.caisson.records"
#define REQUEST_TYPE  "Content-Type: message/ohttp-req"
#define RECORDS_PATH  "/records/" GATEWAY_RIG_SERVICE
#define GATEWAY_PATH  "/gateway/" GATEWAY_RIG_SERVICE
#define EVIDENCE_PATH "/.well-known/caisson/evidence?service=" GATEWAY_RIG_SERVICE "&nonce="

/* ---- the gateway ---- */

static void write_files(const struct gateway_rig *rig, const struct sealed_image *image,
                        const char *backend)
{
    uint8_t root[40] = "CSNROOT1";
    char *text = NULL;
    memcpy(root + 8, rig->tenant->root_seed, 32);
    children_write("root.key", root, sizeof root);
    children_write("echo.elf", image->bytes, image->size);
    children_write("echo.elf.sig", image->signature_file, sizeof image->signature_file);
    int size = asprintf(
        &text,
        "{\"listeners\": [{\"port\": %u}, {\"port\": %u, \"certificate\": \"%s\", \"key\": "
        "\"%s\"}],\n"
        " \"services\": [{\"name\": \"%s\", \"image\": \"echo.elf\", \"signature\": "
        "\"echo.elf.sig\",\n"
        "   \"backend\": \"%s\", \"control\": \"control.socket\", \"grants\": 0,\n"
        "   \"evidence\": {\"name\": \"software\", \"root\": \"root.key\"}}]}\n",
        rig->clear, rig->tls, WEB_PEERS_CERTIFICATE, WEB_PEERS_KEY, GATEWAY_RIG_SERVICE, backend);
    bench_require(size > 0, "no memory");
    children_write("serve.json", text, (size_t)size);
    free(text);
}

static void start_gateway(struct gateway_rig *rig)
{
    char folder[PATH_MAX];
    char program[PATH_MAX + 16];
    sealed_folder(folder);
    snprintf(program, sizeof program, "%s/../caisson", folder);
    const char *const argv[] = {program, "serve", children_path("serve.json"), NULL};
    rig->pid = children_start("serve", argv);
    children_await(rig->pid, rig->clear, "serve");
}

/* ---- a tenant's way in ---- */

static void ask(const struct gateway_rig *rig, const char *path, const char *type, const void *body,
                size_t size, struct web_answer *answer)
{
    struct web_request request = {
        .port = rig->clear, .path = path, .fields = {type}, .body = body, .size = size};
    if (body != NULL && rig->worker[0] != 0) {
        request.fields[1] = rig->worker;
    }
    web_ask(&request, answer);
}

static void require_ok(const struct web_answer *answer, const char *what)
{
    if (answer->status != 200) {
        fprintf(stderr, "%s: %s\n%.*s\n", what, answer->head, (int)answer->size,
                (const char *)answer->body);
        exit(1);
    }
}

static void put_size(uint8_t *bytes, uint32_t size)
{
    memcpy(bytes, &size, sizeof size); /* little-endian, as all that we run on */
}

/* One ring message there, one back: its body. */
static const uint8_t *exchange(struct gateway_rig *rig, const uint8_t *message, uint32_t size,
                               uint32_t code, uint32_t *answer_size)
{
    static uint8_t framed[MESSAGE_MAX + 4];
    struct web_answer answer;
    struct csn_wire_answer head = {0};
    uint32_t framed_size = 0;
    uint32_t begin = 0;
    put_size(framed, size);
    memcpy(framed + 4, message, size);
    ask(rig, RECORDS_PATH, RECORDS_TYPE, framed, size + 4u, &answer);
    require_ok(&answer, "the gateway does not take a message");
    if (answer.size > 4) {
        memcpy(&framed_size, answer.body, sizeof framed_size);
    }
    bench_require(framed_size == answer.size - 4 &&
                      csn_wire_answer_read(answer.body + 4, framed_size, &head, &begin) &&
                      head.code == code,
                  "another answer than expected");
    if (rig->worker[0] == 0) {
        int prefix = snprintf(rig->worker, sizeof rig->worker, "Caisson-Worker: ");
        bench_require(web_field(&answer, "Caisson-Worker", rig->worker + prefix,
                                sizeof rig->worker - (size_t)prefix),
                      "the gateway does not say which worker it was");
    }
    *answer_size = head.size;
    return answer.body + 4 + begin;
}

/* Until the enclave is up: the gateway serves before that. */
static void get_evidence(const struct gateway_rig *rig, const uint8_t nonce[32],
                         struct web_answer *answer)
{
    const struct timespec pause = {.tv_nsec = RETRY_NS};
    char path[sizeof EVIDENCE_PATH + 64];
    int size = snprintf(path, sizeof path, EVIDENCE_PATH);
    for (size_t i = 0; i < 32; i++) {
        size += snprintf(path + size, sizeof path - (size_t)size, "%02x", nonce[i]);
    }
    uint64_t until = bench_wall_ns() + READY_NS;
    do {
        ask(rig, path, NULL, NULL, 0, answer);
        if (answer->status != 503) {
            break;
        }
        nanosleep(&pause, NULL);
    } while (bench_wall_ns() < until);
    require_ok(answer, "no evidence");
}

static void grant(struct gateway_rig *rig)
{
    static uint8_t message[MESSAGE_MAX];
    struct web_answer answer;
    struct csv_verdict *verdict = NULL;
    struct csv_statement statement;
    struct csv_grant kept;
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    uint8_t nonce[32];
    uint32_t size = 0;
    bench_require(getrandom(nonce, sizeof nonce, 0) == (ssize_t)sizeof nonce, "no nonce");
    get_evidence(rig, nonce, &answer);
    bench_require(csv_appraise_bundle(rig->tenant->policy, answer.body, answer.size, nonce,
                                      &verdict) == CSN_OK,
                  "the evidence is not accepted");
    const struct csv_recipient *instance = csv_verdict_instance(verdict);
    const struct csv_grant_options options = {.tenant = &rig->tenant->keys,
                                              .instance = instance,
                                              .version = 1,
                                              .security_version_min = 1};
    bench_require(csv_grant_build(&options, message, sizeof message, &size, &kept) == CSN_OK,
                  "no grant");
    const uint8_t *record = exchange(rig, message, size, CSN_WIRE_GRANTED, &size);
    bench_require(csv_receipt_open(&kept, record, size, &result, &receipt) == CSN_OK &&
                      result.status == CSN_WIRE_STATUS_OK &&
                      csv_statement_build(&rig->tenant->keys, instance, 1, &statement) == CSN_OK &&
                      csv_statement_open(&statement, sizeof statement, rig->tenant->keys.id,
                                         &rig->recipient) == CSN_OK,
                  "the grant is not taken");
    csv_verdict_free(verdict);
}

/* A context, and its handle. */
static void warm_up(struct gateway_rig *rig)
{
    uint8_t record[MESSAGE_MAX];
    uint8_t none[PLAIN_MIN];
    struct csn_wire_result result;
    uint32_t size = 0;
    uint32_t none_size = 0;
    const struct csv_sealer_options options = {.recipient = rig->recipient,
                                               .credential = &rig->tenant->producer};
    bench_require(csv_sealer_create(&options, &rig->sealer) == CSN_OK &&
                      csv_seal_hello(rig->sealer, record, sizeof record, &size) == CSN_OK,
                  "no hello");
    const uint8_t *answer = exchange(rig, record, size, CSN_WIRE_DONE, &size);
    bench_require(csv_plain_size(size) <= sizeof none &&
                      csv_reply_open(rig->sealer, answer, size, &result, none, &none_size) ==
                          CSN_OK &&
                      (result.flags & CSN_WIRE_RESULT_SHORT) != 0,
                  "no handle for the short form");
    csv_sealer_short(rig->sealer, result.handle);
}

/* ---- bodies ---- */

static void make_warm(struct gateway_rig *rig)
{
    uint8_t plain[ASKED_PLAIN_MAX];
    struct csv_seal_item item = {.payload = plain,
                                 .payload_size = asked_write(&rig->asked, plain),
                                 .operation = CSN_WIRE_OPERATION_HTTP,
                                 .record = rig->warm.bytes + 4,
                                 .record_size_max = GATEWAY_RIG_ROOM - 4};
    bench_require(csv_seal_batch(rig->sealer, &item, 1) == CSN_OK && item.result == CSN_OK,
                  "no seal");
    put_size(rig->warm.bytes, item.record_size);
    rig->warm.size = item.record_size + 4u;
}

static void make_fresh(struct gateway_rig *rig)
{
    struct web_answer answer;
    ask(rig, GATEWAY_PATH, NULL, NULL, 0, &answer);
    require_ok(&answer, "no keys for oblivious requests");
    asked_keys(answer.body, (uint32_t)answer.size, &rig->config);
    rig->fresh.size = asked_seal(&rig->asked, &rig->config, &rig->tenant->producer, &rig->exchange,
                                 rig->fresh.bytes);
}

struct web_request gateway_rig_warm(const struct gateway_rig *rig)
{
    return (struct web_request){.port = rig->clear,
                                .path = RECORDS_PATH,
                                .fields = {RECORDS_TYPE, rig->worker},
                                .body = rig->warm.bytes,
                                .size = rig->warm.size};
}

struct web_request gateway_rig_fresh(const struct gateway_rig *rig)
{
    return (struct web_request){.port = rig->clear,
                                .path = GATEWAY_PATH,
                                .fields = {REQUEST_TYPE},
                                .body = rig->fresh.bytes,
                                .size = rig->fresh.size};
}

static void check_warm(struct gateway_rig *rig)
{
    static uint8_t plain[GATEWAY_RIG_ROOM];
    struct web_answer answer;
    struct csn_wire_answer head = {0};
    struct csn_wire_result result;
    uint32_t begin = 0;
    uint32_t size = 0;
    const struct web_request request = gateway_rig_warm(rig);
    web_ask(&request, &answer);
    require_ok(&answer, "a record is not answered");
    bench_require(
        answer.size > 4 && answer.size <= sizeof plain &&
            csn_wire_answer_read(answer.body + 4, (uint32_t)answer.size - 4, &head, &begin) &&
            csv_reply_open(rig->sealer, answer.body + 4 + begin, head.size, &result, plain,
                           &size) == CSN_OK &&
            result.status == CSN_WIRE_STATUS_OK,
        "an answer does not open");
    asked_check(&rig->asked, plain, size);
    rig->warm.answer_size = answer.size;
}

static void check_fresh(struct gateway_rig *rig)
{
    struct web_answer answer;
    const struct web_request request = gateway_rig_fresh(rig);
    web_ask(&request, &answer);
    require_ok(&answer, "an oblivious request is not answered");
    asked_open(&rig->asked, &rig->exchange, answer.body, (uint32_t)answer.size);
    rig->fresh.answer_size = answer.size;
}

void gateway_rig_check(struct gateway_rig *rig)
{
    check_warm(rig);
    check_fresh(rig);
}

void gateway_rig_start(struct gateway_rig *rig, const struct sealed_image *image,
                       const struct sealed_tenant *tenant, const char *backend,
                       const struct asked *asked)
{
    *rig = (struct gateway_rig){
        .tenant = tenant, .asked = *asked, .clear = children_port(), .tls = children_port()};
    write_files(rig, image, backend);
    start_gateway(rig);
    grant(rig);
    warm_up(rig);
    make_warm(rig);
    make_fresh(rig);
    gateway_rig_check(rig);
}

void gateway_rig_stop(struct gateway_rig *rig)
{
    children_end(rig->pid);
    csv_sealer_destroy(rig->sealer);
    csv_recipient_destroy(rig->recipient);
    rig->sealer = NULL;
    rig->recipient = NULL;
}
