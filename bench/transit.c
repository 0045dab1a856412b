/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transit.c: goals 23 to 25: what a key operation costs the transit enclave's core.
 *
 * Through the ring (23, 25): a worker finds sealed requests of the binary form in its ring
 * (block.h), each a batch, does them, and every answer is opened and looked at. Beside it, the same
 * operation in this process: by the library that the image links, and by OpenSSL. Handlers alone
 * (24): the image's handlers in this process, with a stand-in for the runtime, so that neither the
 * record around a batch nor its copies count.
 */
#include "../tests/transit/fake.h"
#include "block.h"
#include "crypto/cpu.h"
#include "crypto/curve.h"
#include "crypto/ecdsa.h"
#include "crypto/sha2.h"
#include "measure.h"
#include <caisson/wire/message.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH       32u
#define TEXT_SIZE   64u
#define AES_BATCH   48u
#define AES_TEXT    1024u
#define RECORDS_MAX 12u
#define REQUEST_MAX 65536u
#define ANSWER_SIZE 14400u /* of the class that a batch of signatures is in, padding and all */
#define SLICE_NS    UINT64_C(10000000)
#define SETTLE_NS   400000L
#define ROUND       8u

static const char help[] =
    "usage: transit [--json] [--seconds N] [--ordinary]\n\n"
    "Key operations of the transit enclave, by its core's time: signatures in batches of 32 "
    "through\n"
    "the ring, beside the library alone and OpenSSL in process (goals 23 and 25); AES-256-GCM of\n"
    "1 KiB in batches of 48 by its handlers, beside EVP (goal 24).\n\n";

static void require(bool done, const char *what)
{
    bench_require(done, what);
}

/* ---- requests of the binary form ---- */

struct request {
    uint32_t size;
    uint8_t bytes[REQUEST_MAX];
};

static void begin_request(struct request *request, uint16_t operation, const char *name,
                          uint32_t count)
{
    struct csn_wire_transit_request head = {.version = CSN_WIRE_TRANSIT_VERSION,
                                            .operation = operation,
                                            .item_count = count,
                                            .name_size = (uint8_t)strlen(name)};
    memcpy(head.name, name, strlen(name));
    memcpy(request->bytes, &head, sizeof head);
    request->size = sizeof head;
}

static void put_item(struct request *request, const void *input, uint32_t size)
{
    const struct csn_wire_transit_item item = {.input_size = size};
    memcpy(request->bytes + request->size, &item, sizeof item);
    request->size += (uint32_t)sizeof item;
    memcpy(request->bytes + request->size, input, size);
    request->size = (request->size + size + 7) / 8 * 8;
}

static void make_batch(struct request *request, uint16_t operation, const char *name,
                       uint32_t count, uint32_t size)
{
    uint8_t text[AES_TEXT];
    memset(request, 0, sizeof *request);
    begin_request(request, operation, name, count);
    for (uint32_t i = 0; i < count; i++) {
        memset(text, (int)i, size);
        put_item(request, text, size);
    }
}

static void make_create(struct request *request, const char *name, uint16_t type)
{
    const struct csn_wire_transit_create create = {.type = type};
    memset(request, 0, sizeof *request);
    begin_request(request, CSN_WIRE_TRANSIT_CREATE, name, 1);
    put_item(request, &create, sizeof create);
}

/* Every item was done, and gave `size` bytes. */
static void check_answer(const uint8_t *answer, uint32_t answer_size, uint32_t count, uint32_t size)
{
    uint32_t at = sizeof(struct csn_wire_transit_answer);
    for (uint32_t i = 0; i < count; i++) {
        struct csn_wire_transit_result result;
        require(at + sizeof result <= answer_size, "an answer is cut");
        memcpy(&result, answer + at, sizeof result);
        require(result.status == CSN_WIRE_STATUS_OK && (size == 0 || result.output_size == size),
                "an item is not done");
        at += (uint32_t)sizeof result;
        at = (at + result.output_size + result.second_size + 7) / 8 * 8;
    }
    require(at == answer_size, "an answer is too long");
}

/* ---- through the ring ---- */

struct ring {
    struct sealed_image image;
    struct sealed_tenant tenant;
    struct sealed sealed;
    struct request request;
    uint32_t items, output_size; /* of the request's answer */
};
static struct ring ring;

static uint32_t seal_request(const struct block *block, uint32_t index, uint8_t *message)
{
    (void)index;
    struct csv_seal_item item = {.payload = ring.request.bytes,
                                 .payload_size = ring.request.size,
                                 .operation = CSN_WIRE_TRANSIT_OPERATION,
                                 .record = message,
                                 .record_size_max = BLOCK_RECORD_MAX};
    require(csv_seal_batch(block->sealed->sealer, &item, 1) == CSN_OK && item.result == CSN_OK,
            "no seal");
    return item.record_size;
}

static void open_answer(const struct block *block, uint32_t index, uint8_t *answer, uint32_t size)
{
    static uint8_t plain[BLOCK_RECORD_MAX * 2];
    struct csn_wire_result result;
    uint32_t plain_size = 0;
    (void)index;
    require(size <= sizeof plain &&
                csv_reply_open(block->sealed->sealer, answer, size, &result, plain, &plain_size) ==
                    CSN_OK &&
                result.status == CSN_WIRE_STATUS_OK,
            "an answer does not open");
    check_answer(plain, plain_size, ring.items, ring.output_size);
}

static const struct block_form form = {seal_request, CSN_WIRE_DONE, open_answer};

/* The image serves no record twice: a sealer in the window mode, which wants a challenge. */
static void renew_sealer(void)
{
    const uint32_t kind = CSN_WIRE_CHALLENGE;
    struct csn_wire_challenge challenge;
    uint32_t size = 0;
    require(csn_enclave_submit(ring.sealed.enclave, 0, ++ring.sealed.tag, &kind, sizeof kind) ==
                    CSN_OK &&
                csn_enclave_flush(ring.sealed.enclave, 0) == CSN_OK,
            "no challenge asked for");
    const uint8_t *answer = sealed_receive(&ring.sealed, CSN_WIRE_CHALLENGED, &size);
    require(size == sizeof challenge, "no challenge");
    memcpy(&challenge, answer, sizeof challenge);
    csv_sealer_destroy(ring.sealed.sealer);
    const struct csv_sealer_options options = {.recipient = ring.sealed.recipient,
                                               .credential = &ring.tenant.producer,
                                               .challenge = &challenge};
    require(csv_sealer_create(&options, &ring.sealed.sealer) == CSN_OK, "no sealer");
    sealed_short(&ring.sealed);
}

static void once(struct block *block)
{
    block_fill(block, 1);
    block_publish(block);
    block_wait(block);
    block_drain(block);
}

static void create_key(const char *name, uint16_t type)
{
    struct block block = {.sealed = &ring.sealed, .form = &form};
    make_create(&ring.request, name, type);
    ring.items = 1;
    ring.output_size = 0;
    once(&block);
}

static void ring_start(void)
{
    sealed_image_find(&ring.image, "transit");
    sealed_tenant_new(&ring.tenant, &ring.image, true);
    ring.tenant.keys.credentials[0].rights |= CSN_WIRE_RIGHT_KEYS;
    sealed_start(&ring.sealed, &ring.image, &ring.tenant, NULL);
    renew_sealer();
    create_key("ed", CSN_WIRE_TRANSIT_ED25519);
    create_key("p256", CSN_WIRE_TRANSIT_P256);
    create_key("p384", CSN_WIRE_TRANSIT_P384);
}

/* The enclave's core time for an item, ns: see request_core.c. */
static double ring_slice(struct block *block, uint32_t records, bool *real_time)
{
    const struct timespec settle = {.tv_nsec = SETTLE_NS};
    block_fill(block, records);
    *real_time = bench_real_time(true);
    uint64_t begin = block_core_ns();
    block_publish(block);
    block_wait(block);
    nanosleep(&settle, NULL);
    uint64_t spent = block_core_ns() - begin;
    bench_real_time(false);
    block_drain(block);
    return (double)spent / ((double)records * ring.items);
}

/* ---- in this process ---- */

struct signer {
    uint32_t curve; /* 0: Ed25519 */
    uint8_t secret[64];
    uint8_t hedge[CSN_ECDSA_HEDGE_SIZE];
    EVP_PKEY *key;
    EVP_MD_CTX *context;
};

static void signer_begin(struct signer *signer, uint32_t curve)
{
    uint8_t public_key[32];
    const uint8_t seed[32] = {7};
    memset(signer, 0, sizeof *signer);
    signer->curve = curve;
    signer->secret[curve == 0 ? 0 : 5] = 7;
    if (curve == 0) {
        csn_ed25519_expand(seed, public_key, signer->secret);
        signer->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        signer->key = EVP_EC_gen(curve == CSN_EC_P256 ? "P-256" : "P-384");
    }
    signer->context = EVP_MD_CTX_new();
    require(signer->key != NULL && signer->context != NULL, "OpenSSL has no such key");
}

static void signer_end(struct signer *signer)
{
    EVP_PKEY_free(signer->key);
    EVP_MD_CTX_free(signer->context);
}

/* As the enclave does it: the hash of the text, a hedged nonce. */
static uint64_t library_signs(void *state)
{
    struct signer *signer = state;
    uint8_t text[TEXT_SIZE] = {1}, digest[48] = {0}, signature[CSN_ECDSA_SIZE_MAX];
    for (uint32_t i = 0; i < ROUND; i++) {
        if (signer->curve == 0) {
            csn_ed25519_sign_expanded(signature, text, sizeof text, signer->secret);
            continue;
        }
        csn_sha256(text, sizeof text, digest);
        const struct csn_ecdsa_request request = {signer->curve, signer->secret, digest,
                                                  csn_ec_size(signer->curve), signer->hedge};
        require(csn_ecdsa_sign(&request, signature) == CSN_OK, "the library does not sign");
    }
    return ROUND;
}

static uint64_t openssl_signs(void *state)
{
    struct signer *signer = state;
    uint8_t text[TEXT_SIZE] = {1}, signature[256];
    for (uint32_t i = 0; i < ROUND; i++) {
        size_t size = sizeof signature;
        const EVP_MD *hash = signer->curve == 0             ? NULL
                             : signer->curve == CSN_EC_P256 ? EVP_sha256()
                                                            : EVP_sha384();
        require(EVP_DigestSignInit(signer->context, NULL, hash, NULL, signer->key) == 1 &&
                    EVP_DigestSign(signer->context, signature, &size, text, sizeof text) == 1,
                "OpenSSL does not sign");
        EVP_MD_CTX_reset(signer->context);
    }
    return ROUND;
}

static double process_slice(bench_side *side, struct signer *signer)
{
    (void)bench_real_time(true);
    uint64_t begin = bench_thread_ns();
    uint64_t spent;
    uint64_t done = 0;
    do {
        done += side(signer);
        spent = bench_thread_ns() - begin;
    } while (spent < bench_scaled(SLICE_NS / 2));
    bench_real_time(false);
    return (double)spent / (double)done;
}

/* ---- rows ---- */

struct subject {
    const char *what, *key;
    uint32_t curve, output_size;
    struct {
        unsigned goal;
        double target;
    } library, openssl;
};

static void signature_rows(const struct subject *subject)
{
    static struct bench_samples library, openssl;
    struct signer signer;
    struct block block;
    make_batch(&ring.request, CSN_WIRE_TRANSIT_SIGN, subject->key, BATCH, TEXT_SIZE);
    ring.items = BATCH;
    ring.output_size = subject->output_size;
    signer_begin(&signer, subject->curve);
    block_init_form(&block, &ring.sealed, ANSWER_SIZE, &form, NULL);
    uint32_t records = (uint32_t)bench_scaled(RECORDS_MAX);
    records = records < 1 ? 1 : records > block.count_max ? block.count_max : records;
    library.count = openssl.count = bench_pairs(SLICE_NS);
    (void)ring_slice(&block, records, &library.real_time);
    for (size_t i = 0; i < library.count; i++) {
        library.ours[i] = ring_slice(&block, records, &library.real_time);
        openssl.ours[i] = library.ours[i];
        library.other[i] = process_slice(library_signs, &signer);
        openssl.other[i] = process_slice(openssl_signs, &signer);
    }
    openssl.real_time = library.real_time;
    const struct bench_row row = {
        .goal = subject->library.goal,
        .what = subject->what,
        .ours = "through the ring",
        .other = "the library",
        .target = subject->library.target,
    };
    const struct bench_row other = {
        .goal = subject->openssl.goal,
        .what = subject->what,
        .ours = "through the ring",
        .other = "OpenSSL",
        .target = subject->openssl.target,
    };
    bench_report(&row, &library);
    bench_report(&other, &openssl);
    signer_end(&signer);
}

/* ---- AES-256-GCM, handlers alone ---- */

struct sealing {
    struct cse_call *call;
    cse_handler handler; /* of the binary form */
    struct request request;
    EVP_CIPHER_CTX *evp;
    uint8_t text[AES_TEXT], output[AES_TEXT], aad[sizeof(struct csn_wire_transit_bound)];
};

static uint64_t handler_seals(void *state)
{
    struct sealing *sealing = state;
    struct cse_call *call = sealing->call;
    call->scratch_used = 0;
    require(sealing->handler(call, sealing->request.bytes, sealing->request.size, call->output,
                             call->output_max, &call->output_size) == CSN_WIRE_STATUS_OK,
            "the handler does not seal");
    return AES_BATCH;
}

static uint64_t evp_seals(void *state)
{
    struct sealing *sealing = state;
    uint8_t tag[16], nonce[12] = {1};
    int size = 0;
    for (uint32_t i = 0; i < AES_BATCH; i++) {
        nonce[0] = (uint8_t)i;
        require(EVP_EncryptInit_ex(sealing->evp, NULL, NULL, NULL, nonce) == 1 &&
                    EVP_EncryptUpdate(sealing->evp, NULL, &size, sealing->aad,
                                      (int)sizeof sealing->aad) == 1 &&
                    EVP_EncryptUpdate(sealing->evp, sealing->output, &size, sealing->text,
                                      (int)sizeof sealing->text) == 1 &&
                    EVP_EncryptFinal_ex(sealing->evp, sealing->output + size, &size) == 1 &&
                    EVP_CIPHER_CTX_ctrl(sealing->evp, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1,
                "EVP does not seal");
    }
    return AES_BATCH;
}

static void sealing_rows(void)
{
    static struct sealing sealing;
    static const uint8_t secret[32] = {3};
    sealing.call = fake_new();
    for (uint32_t i = 0; i < cse_service.operation_count; i++) {
        if (cse_service.operations[i].id == CSN_WIRE_TRANSIT_OPERATION) {
            sealing.handler = cse_service.operations[i].handler;
        }
    }
    require(sealing.handler != NULL, "no binary form");
    make_create(&sealing.request, "data", CSN_WIRE_TRANSIT_AES_256);
    (void)handler_seals(&sealing);
    make_batch(&sealing.request, CSN_WIRE_TRANSIT_ENCRYPT, "data", AES_BATCH, AES_TEXT);
    (void)handler_seals(&sealing);
    check_answer(sealing.call->output, sealing.call->output_size, AES_BATCH,
                 AES_TEXT + CSN_WIRE_TRANSIT_SEALED_BESIDE);
    sealing.evp = EVP_CIPHER_CTX_new();
    require(sealing.evp != NULL &&
                EVP_EncryptInit_ex(sealing.evp, EVP_aes_256_gcm(), NULL, secret, NULL) == 1,
            "EVP has no AES-256-GCM");
    const struct bench_row row = {24, "encrypt 1 KiB, batch of 48", "handlers", "EVP", BENCH_FASTER,
                                  3.0};
    bench_pair(&row, handler_seals, evp_seals, &sealing);
    EVP_CIPHER_CTX_free(sealing.evp);
    fake_free(sealing.call);
}

int main(int argc, char **argv)
{
    static const struct subject subjects[] = {
        {"Ed25519 sign, batch of 32", "ed", 0, 64, {0, 0}, {23, 1.3}},
        {"P-256 sign, batch of 32", "p256", CSN_EC_P256, 64, {25, 0.8}, {0, 0}},
        {"P-384 sign, batch of 32", "p384", CSN_EC_P384, 96, {0, 0}, {0, 0}},
    };
    uint64_t features = 0;
    bench_begin(argc, argv, help);
    require(csn_cpu_features(&features) == CSN_OK && csn_cpu_begin(features) == CSN_OK,
            "a self-test failed");
    sealing_rows();
    ring_start();
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        signature_rows(&subjects[i]);
    }
    sealed_stop(&ring.sealed);
    sealed_tenant_free(&ring.tenant);
    sealed_image_free(&ring.image);
    return 0;
}
