/* SPDX-License-Identifier: Apache-2.0 */
/* growth_session.c: the session without rings; its records are sealed before, and repeated. */
#include "enclave/fake.h"
#include "growth.h"
#include "measure.h"
#include <stdlib.h>

#define BATCH CSN_WIRE_BATCH_COUNT_MAX

struct growth_session {
    struct fake fake;
    uint32_t count; /* of sealers */
    struct csv_sealer **sealers;
};

struct growth_stock {
    struct fake *fake;
    uint32_t count; /* a multiple of a batch */
    uint32_t next;
    uint32_t room; /* of a record */
    uint32_t record_size;
    uint8_t *records;
};

static void add_sealer(struct growth_session *session, const struct fake_tenant *tenant)
{
    static uint8_t record[FAKE_RECORD_MAX];
    static uint8_t back[FAKE_RECORD_MAX];
    struct csn_wire_result result;
    struct csv_sealer *sealer = NULL;
    uint32_t size = 0;
    const struct csv_sealer_options options = {.recipient = &tenant->recipient,
                                               .credential = &tenant->replier};
    bench_require(csv_sealer_create(&options, &sealer) == CSN_OK &&
                      csv_seal_hello(sealer, record, sizeof record, &size) == CSN_OK,
                  "no sealer");
    const struct fake_answer *answer = fake_one(&session->fake, record, size);
    bench_require(answer->code == CSN_WIRE_DONE &&
                      csv_reply_open(sealer, answer->body, answer->size, &result, back, &size) ==
                          CSN_OK,
                  "no handle");
    csv_sealer_short(sealer, result.handle);
    session->sealers[session->count++] = sealer;
}

struct growth_session *growth_session_new(uint32_t tenants, uint32_t contexts)
{
    struct growth_session *session = calloc(1, sizeof *session);
    struct fake_tenant *tenant = calloc(1, sizeof *tenant);
    bench_require(session != NULL && tenant != NULL && csv_client_init() == CSN_OK, "no memory");
    session->sealers = calloc((size_t)tenants * contexts, sizeof(struct csv_sealer *));
    bench_require(session->sealers != NULL, "no memory");
    fake_start(&session->fake,
               &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                      .tenant_count_max = tenants,
                                      .context_count_max = contexts < 4 ? 4 : contexts,
                                      .output_scale = 16}); /* as echo */
    for (uint32_t t = 0; t < tenants; t++) {
        *tenant = (struct fake_tenant){0};
        fake_tenant_new(tenant);
        fake_grant(&session->fake, tenant, 1);
        for (uint32_t c = 0; c < contexts; c++) {
            add_sealer(session, tenant);
        }
    }
    free(tenant);
    return session;
}

void growth_session_free(struct growth_session *session)
{
    for (uint32_t i = 0; i < session->count; i++) {
        csv_sealer_destroy(session->sealers[i]);
    }
    fake_stop(&session->fake);
    free(session->sealers);
    free(session);
}

struct growth_stock *growth_stock_new(struct growth_session *session, const struct growth_use *use)
{
    static const uint8_t payload[CSN_WIRE_PAYLOAD_MAX] = {1};
    struct growth_stock *stock = calloc(1, sizeof *stock);
    bench_require(stock != NULL, "no memory");
    stock->fake = &session->fake;
    stock->count = use->contexts > BATCH ? use->contexts / BATCH * BATCH : BATCH;
    stock->room = csv_record_size(use->size, 0);
    stock->records = malloc((size_t)stock->count * stock->room);
    bench_require(stock->records != NULL, "no memory");
    for (uint32_t i = 0; i < stock->count; i++) {
        struct csv_seal_item item = {.payload = payload,
                                     .payload_size = use->size,
                                     .operation = FAKE_ECHO,
                                     .record = stock->records + (size_t)i * stock->room,
                                     .record_size_max = stock->room};
        bench_require(csv_seal_batch(session->sealers[i % use->contexts], &item, 1) == CSN_OK &&
                          item.result == CSN_OK,
                      "a record does not seal");
        stock->record_size = item.record_size;
    }
    return stock;
}

void growth_stock_free(struct growth_stock *stock)
{
    free(stock->records);
    free(stock);
}

/* Repeats are served again: the session of an image that says that it is deterministic. */
double growth_session_slice(void *state)
{
    struct growth_stock *stock = state;
    struct fake_message messages[BATCH];
    uint64_t slice_ns = bench_scaled(GROWTH_SLICE_NS);
    uint64_t spent = 0;
    uint64_t count = 0;
    while (spent < slice_ns) {
        for (uint32_t i = 0; i < BATCH; i++) {
            messages[i] = (struct fake_message){
                stock->records + (size_t)(stock->next + i) * stock->room, stock->record_size};
        }
        stock->next = (stock->next + BATCH) % stock->count;
        uint64_t before = bench_thread_ns();
        fake_send(stock->fake, messages, BATCH);
        spent += bench_thread_ns() - before;
        count += BATCH;
        const struct fake_answer *last = &stock->fake->answers[BATCH - 1];
        bench_require(stock->fake->answer_count == BATCH && last->code == CSN_WIRE_DONE,
                      "a batch is not served");
    }
    return (double)spent / (double)count;
}
