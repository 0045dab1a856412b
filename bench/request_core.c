/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_core.c: goals 15 and 16: what a sealed request over HTTP costs inside the enclave, on one
 * core, without any network: a worker finds requests of 1 KiB in its ring (block.h), serves them
 * through the route of the echo image, and all answers are opened and compared.
 *
 * Warm:  records in the short form, whose context is there: goal 15, in microseconds.
 * Fresh: oblivious requests, each with a key exchange of its own, all distinct: goal 16, beside
 *        OpenSSL's X25519 alone, which is the least that such a request can cost.
 * Slices are in the real-time class where that is allowed (measure.h).
 */
#define _GNU_SOURCE
#include "asked.h"
#include "block.h"
#include "measure.h"
#include <caisson/wire/message.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONTENT_SIZE 1024u
#define COUNT_MAX    512u /* requests in a block; some 20 ms of them if fresh */
#define SLICE_NS     UINT64_C(20000000)
#define WARM_NS_MAX  5000.0
#define WARM_BLOCKS  10u /* in a slice: some 6 ms of them */
#define DERIVE_COUNT 300u
#define SETTLE_NS    400000L

struct core {
    struct sealed sealed;
    struct csn_ohttp_config config;
    const struct csv_credential *credential;
    struct csn_ohttp_exchange *exchanges; /* of the fresh requests in a block */
    struct asked asked;
};

/* ---- warm: records ---- */

static uint32_t make_warm(const struct block *block, uint32_t index, uint8_t *message)
{
    uint8_t plain[ASKED_PLAIN_MAX];
    const struct core *core = block->form_state;
    (void)index;
    struct csv_seal_item item = {.payload = plain,
                                 .payload_size = asked_write(&core->asked, plain),
                                 .operation = CSN_WIRE_OPERATION_HTTP,
                                 .record = message,
                                 .record_size_max = BLOCK_RECORD_MAX};
    bench_require(csv_seal_batch(block->sealed->sealer, &item, 1) == CSN_OK &&
                      item.result == CSN_OK,
                  "no seal");
    return item.record_size;
}

static void open_warm(struct csv_sealer *sealer, const struct asked *asked, const uint8_t *answer,
                      uint32_t size)
{
    uint8_t plain[ASKED_ANSWER_MAX];
    struct csn_wire_result result;
    uint32_t plain_size = 0;
    bench_require(size <= sizeof plain &&
                      csv_reply_open(sealer, answer, size, &result, plain, &plain_size) == CSN_OK &&
                      result.status == CSN_WIRE_STATUS_OK,
                  "an answer does not open");
    asked_check(asked, plain, plain_size);
}

static void check_warm(const struct block *block, uint32_t index, uint8_t *answer, uint32_t size)
{
    const struct core *core = block->form_state;
    (void)index;
    open_warm(block->sealed->sealer, &core->asked, answer, size);
}

/* ---- fresh: oblivious requests ---- */

static uint32_t make_fresh(const struct block *block, uint32_t index, uint8_t *message)
{
    const struct core *core = block->form_state;
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = CSN_OHTTP_WHOLE};
    memcpy(message, &head, sizeof head);
    return (uint32_t)sizeof head + asked_seal(&core->asked, &core->config, core->credential,
                                              &core->exchanges[index], message + sizeof head);
}

static void check_fresh(const struct block *block, uint32_t index, uint8_t *answer, uint32_t size)
{
    const struct core *core = block->form_state;
    asked_open(&core->asked, &core->exchanges[index], answer, size);
}

static const struct block_form warm = {make_warm, CSN_WIRE_DONE, check_warm};
static const struct block_form fresh = {make_fresh, CSN_WIRE_ANSWERED, check_fresh};

/* ---- slices ---- */

/*
 * Core time of the enclave for a request of some blocks, ns. A thread's time is only told up to the
 * last tick while it runs: it is read when the worker sleeps again, and that look and that sleep
 * are in it.
 */
static double slice(struct block *block, uint32_t count, uint32_t blocks, bool *real_time)
{
    const struct timespec settle = {.tv_nsec = SETTLE_NS};
    uint64_t spent = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        block_fill(block, count);
        *real_time = bench_real_time(true);
        uint64_t begin = block_core_ns();
        block_publish(block);
        block_wait(block);
        nanosleep(&settle, NULL);
        spent += block_core_ns() - begin;
        bench_real_time(false);
        block_drain(block);
    }
    return (double)spent / ((double)count * blocks);
}

/* OpenSSL's X25519, as often as it likes with the same two keys. */
struct derive {
    EVP_PKEY *own;
    EVP_PKEY *peer;
    EVP_PKEY_CTX *context;
};

static void derive_begin(struct derive *derive)
{
    *derive = (struct derive){.own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
                              .peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};
    derive->context = EVP_PKEY_CTX_new(derive->own, NULL);
    bench_require(derive->peer != NULL && derive->context != NULL &&
                      EVP_PKEY_derive_init(derive->context) == 1 &&
                      EVP_PKEY_derive_set_peer(derive->context, derive->peer) == 1,
                  "OpenSSL has no X25519");
}

static void derive_end(struct derive *derive)
{
    EVP_PKEY_CTX_free(derive->context);
    EVP_PKEY_free(derive->own);
    EVP_PKEY_free(derive->peer);
}

static double derive_slice(const struct derive *derive)
{
    uint8_t secret[32];
    const uint64_t count = bench_scaled(DERIVE_COUNT);
    (void)bench_real_time(true);
    uint64_t begin = bench_thread_ns();
    for (uint64_t i = 0; i < count; i++) {
        size_t size = sizeof secret;
        bench_require(EVP_PKEY_derive(derive->context, secret, &size) == 1, "derive");
    }
    uint64_t spent = bench_thread_ns() - begin;
    bench_real_time(false);
    return (double)spent / (double)count;
}

/* What a client pays for a warm request: it seals one and opens its answer. */
struct client {
    struct core *core;
    struct block *block;
};

static uint64_t seal_side(void *state)
{
    static uint8_t message[BLOCK_RECORD_MAX];
    const struct client *client = state;
    (void)make_warm(client->block, 0, message);
    return 1;
}

static uint64_t derive_side(void *state)
{
    uint8_t secret[32];
    size_t size = sizeof secret;
    const struct derive *derive = state;
    bench_require(EVP_PKEY_derive(derive->context, secret, &size) == 1, "derive");
    return 1;
}

/* ---- rows ---- */

static uint32_t count_of(const struct block *block)
{
    uint32_t count = (uint32_t)bench_scaled(COUNT_MAX);
    return count < block->count_max ? count : block->count_max;
}

static void take_samples(struct block *blocks, const struct derive *derive,
                         struct bench_samples *warm_samples, struct bench_samples *fresh_samples)
{
    size_t count = bench_pairs(SLICE_NS);
    warm_samples->count = fresh_samples->count = count;
    for (size_t i = 0; i < 2; i++) { /* pages of the rings, caches */
        (void)slice(&blocks[i], count_of(&blocks[i]), 1, &warm_samples->real_time);
    }
    for (size_t i = 0; i < count; i++) {
        fresh_samples->other[i] = derive_slice(derive);
        fresh_samples->ours[i] =
            slice(&blocks[1], count_of(&blocks[1]), 1, &fresh_samples->real_time);
        warm_samples->other[i] = WARM_NS_MAX;
        warm_samples->ours[i] =
            slice(&blocks[0], count_of(&blocks[0]), WARM_BLOCKS, &warm_samples->real_time);
    }
}

static void start_core(struct core *core, const struct sealed_image *image,
                       const struct sealed_tenant *tenant, const char *backend)
{
    struct csn_wire_boot_made made;
    bench_real_time(true); /* what it starts inherits it */
    sealed_start(&core->sealed, image, tenant, backend);
    bench_real_time(false);
    sealed_short(&core->sealed);
    core->credential = &tenant->producer;
    bench_require(csn_enclave_made(core->sealed.enclave, &made) == CSN_OK, "no keys");
    asked_keys(made.ohttp_keys, made.ohttp_keys_size, &core->config);
}

static void run(struct core *core, const struct derive *derive, const char *backend)
{
    static struct bench_samples warm_samples, fresh_samples;
    struct block blocks[2];
    char what[2][64];
    snprintf(what[0], sizeof what[0], "1 KiB request, warm, %s", backend);
    snprintf(what[1], sizeof what[1], "1 KiB request, fresh, %s", backend);
    const struct bench_row rows[] = {
        {15, what[0], "enclave, core time", "5 us", BENCH_COST, 1},
        {16, what[1], "enclave, core time", "OpenSSL X25519 alone", BENCH_FASTER, 0.8},
    };
    block_init_form(&blocks[0], &core->sealed, CONTENT_SIZE, &warm, core);
    block_init_form(&blocks[1], &core->sealed, CONTENT_SIZE, &fresh, core);
    take_samples(blocks, derive, &warm_samples, &fresh_samples);
    bench_report(&rows[0], &warm_samples);
    bench_report(&rows[1], &fresh_samples);
}

/* The client is the same on all backends. */
static void run_client(struct core *core, struct derive *derive)
{
    const struct bench_row row = {
        0, "1 KiB request, warm: client", "seals it", "OpenSSL X25519 alone", BENCH_FASTER, 0};
    struct block block = {.sealed = &core->sealed, .form_state = core};
    struct client client = {core, &block};
    bench_pair_of(&row, seal_side, &client, derive_side, derive);
}

static const char help[] =
    "usage: request_core [--json] [--seconds N]\n\n"
    "Goals 15 and 16: core time of an enclave for a sealed HTTP request of 1 KiB: in a context\n"
    "that is there, and with a key exchange of its own, beside OpenSSL's X25519.\n\n";

int main(int argc, char **argv)
{
    static const char *const backends[] = {"process", "kvm"};
    static const uint8_t content[CONTENT_SIZE] = {'c', 'a', 'i', 's', 's', 'o', 'n'};
    static struct sealed_image image;
    static struct sealed_tenant tenant;
    struct derive derive;
    bench_begin(argc, argv, help);
    sealed_image_find(&image, "echo");
    derive_begin(&derive);
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        struct core core = {.asked = {content, sizeof content}};
        if (i == 1 && access("/dev/kvm", R_OK | W_OK) != 0) {
            fprintf(stderr, "request_core: no /dev/kvm: its rows are left out\n");
            continue;
        }
        core.exchanges = calloc(COUNT_MAX, sizeof *core.exchanges);
        bench_require(core.exchanges != NULL, "no memory");
        sealed_tenant_new(&tenant, &image, true);
        start_core(&core, &image, &tenant, backends[i]);
        run(&core, &derive, backends[i]);
        if (i == 0) {
            run_client(&core, &derive);
        }
        sealed_stop(&core.sealed);
        sealed_tenant_free(&tenant);
        free(core.exchanges);
    }
    derive_end(&derive);
    sealed_image_free(&image);
    return 0;
}
