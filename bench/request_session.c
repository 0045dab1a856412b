/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_session.c: what one request costs the enclave's session, all but the rings, in this
 * process: with a fresh exchange of its own, against OpenSSL's X25519; and in a record of a warm
 * context, against a record that does the same without HTTP.
 *
 * usage: request_session [CONTENT [ROUNDS]]; prints the medians of the thread's CPU time in
 * alternating slices. For instruction counts, which do not depend on the moment:
 *   valgrind --tool=callgrind --toggle-collect=cse_session_batch request_session 1024 1
 */
#include "enclave/asker.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH       32u
#define ROUNDS_MAX  1000u
#define CONTENT_MAX 65000u

static struct fake fake;
static struct fake_tenant tenant;
static struct asker askers[BATCH];
static uint8_t records[2][BATCH][FAKE_RECORD_MAX]; /* plain, with a request */
static uint8_t content[CONTENT_MAX];
static uint8_t plain[FAKE_RECORD_MAX];

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "request_session: %s\n", what);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return ((double)time.tv_sec + (double)time.tv_nsec * 1e-9) * 1e9 / BATCH;
}

static int by_value(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* A batch in the session: ns of one message. */
static double serve(const struct fake_message messages[BATCH], uint32_t code)
{
    double before = now();
    fake_send(&fake, messages, BATCH);
    double spent = now() - before;
    require(fake.answer_count == BATCH && fake.answers[BATCH - 1].code == code,
            "a batch is not served");
    return spent;
}

/* As `openssl speed` does it: the keys are set up before. */
static EVP_PKEY_CTX *set_up(void)
{
    EVP_PKEY *mine = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
    require(context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, other) == 1,
            "no keys");
    EVP_PKEY_free(mine);
    EVP_PKEY_free(other);
    return context;
}

/* As many shared secrets as there are requests in a batch: ns of one. */
static double derive(EVP_PKEY_CTX *context)
{
    uint8_t secret[32];
    double before = now();
    for (uint32_t i = 0; i < BATCH; i++) {
        size_t size = sizeof secret;
        require(EVP_PKEY_derive(context, secret, &size) == 1, "no shared secret");
    }
    return now() - before;
}

static void fresh(uint32_t size, enum csn_aead aead, uint32_t rounds)
{
    static double ours[ROUNDS_MAX], theirs[ROUNDS_MAX];
    EVP_PKEY_CTX *context = set_up();
    const struct ask ask = {.path = "/echo",
                            .content = content,
                            .content_size = size,
                            .credential = &tenant.asker,
                            .aead = aead};
    struct fake_message messages[BATCH];
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            asker_seal(&askers[i], &fake, &ask);
            messages[i] = (struct fake_message){askers[i].message, askers[i].size};
        }
        ours[round] = serve(messages, CSN_WIRE_ANSWERED);
        theirs[round] = derive(context);
    }
    asker_open(&askers[BATCH - 1], &fake, BATCH - 1);
    require(askers[BATCH - 1].response.status == 200, "an answer is not what was asked for");
    double request = median(ours, rounds);
    double secret = median(theirs, rounds);
    printf("fresh, AEAD %d, %u bytes: %.0f ns a request; OpenSSL's X25519 %.0f ns: %.2f of its "
           "rate\n",
           aead, size, request, secret, secret / request);
    EVP_PKEY_CTX_free(context);
}

static struct csv_sealer *warm_up(void)
{
    struct csv_sealer *sealer = NULL;
    struct csn_wire_result result;
    uint32_t size = 0;
    const struct csv_sealer_options options = {.recipient = &tenant.recipient,
                                               .credential = &tenant.replier};
    require(csv_sealer_create(&options, &sealer) == CSN_OK &&
                csv_seal_hello(sealer, records[0][0], FAKE_RECORD_MAX, &size) == CSN_OK,
            "no sealer");
    const struct fake_answer *answer = fake_one(&fake, records[0][0], size);
    require(csv_reply_open(sealer, answer->body, answer->size, &result, plain, &size) == CSN_OK,
            "no handle");
    csv_sealer_short(sealer, result.handle);
    return sealer;
}

static void warm(uint32_t size, uint32_t rounds)
{
    static double spent[2][ROUNDS_MAX];
    struct csv_sealer *sealer = warm_up();
    const struct ask ask = {.path = "/echo", .content = content, .content_size = size};
    uint32_t request_size = asker_write(&ask, NULL, plain, sizeof plain);
    struct fake_message messages[BATCH];
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t way = 0; way < 2; way++) {
            struct csv_seal_item items[BATCH];
            for (uint32_t i = 0; i < BATCH; i++) {
                items[i] = (struct csv_seal_item){.payload = plain, /* as long: the same class */
                                                  .payload_size = request_size,
                                                  .operation = way == 0 ? FAKE_ECHO
                                                                        : CSN_WIRE_OPERATION_HTTP,
                                                  .record = records[way][i],
                                                  .record_size_max = FAKE_RECORD_MAX};
            }
            require(csv_seal_batch(sealer, items, BATCH) == CSN_OK, "a batch is not sealed");
            for (uint32_t i = 0; i < BATCH; i++) {
                messages[i] = (struct fake_message){records[way][i], items[i].record_size};
            }
            spent[way][round] = serve(messages, CSN_WIRE_DONE);
        }
    }
    double bare = median(spent[0], rounds);
    double http = median(spent[1], rounds);
    printf("warm, %u bytes: %.0f ns a record, %.0f ns with HTTP: %.0f more\n", size, bare, http,
           http - bare);
    csv_sealer_destroy(sealer);
}

int main(int count, char **arguments)
{
    uint32_t size = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1024;
    uint32_t rounds = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 100;
    require(size <= CONTENT_MAX && rounds != 0 && rounds <= ROUNDS_MAX &&
                csv_client_init() == CSN_OK,
            "usage");
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .output_scale = 16}); /* as echo */
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    for (enum csn_aead aead = CSN_AEAD_AES_128_GCM; aead <= CSN_AEAD_CHACHA20_POLY1305; aead++) {
        fresh(size, aead, rounds);
    }
    warm(size, rounds);
    fake_stop(&fake);
    return 0;
}
