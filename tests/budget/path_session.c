/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_session.c: whole ways of a record: sealed by the client library, opened, handled and sealed
 * by the session of the enclave, opened by the client library. All but rings and waiting.
 *
 * The services are those of the images: echo, and tokenize with examples/policies/card.json.
 */
#include "../../enclaves/tokenize/tok_state.h"
#include "../enclave/fake_policy.h"
#include "client/sealer.h"
#include "ohttp/bhttp.h"
#include "paths.h"
#include "reference/generator.h"
#include <caisson/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS (BUDGET_BATCH * BUDGET_BATCHES)

extern const struct cse_service echo_service; /* enclaves/echo/echo.c under another name */

struct session {
    bool short_form;    /* both ways: answers are replies */
    uint16_t operation; /* of each record */
    struct fake fake;
    struct fake_tenant tenant;
    struct csv_sealer *sealer;
    struct csv_opener *opener;
    uint8_t payloads[BUDGET_PAYLOADS][CSR_RECORD_SIZE_MAX];
    struct csv_seal_item sealed[RECORDS];
    struct csv_open_item opened[RECORDS];
    uint8_t records[RECORDS][BUDGET_SIZE_MAX];
    _Alignas(8) uint8_t outputs[RECORDS][BUDGET_SIZE_MAX];
    uint8_t plain[BUDGET_BATCH][BUDGET_SIZE_MAX];
    uint32_t next;
};

/* ---- what is counted ---- */
static uint32_t next_batch(struct session *session)
{
    const uint32_t first = session->next;
    session->next += BUDGET_BATCH;
    budget_require(session->next <= RECORDS, "more batches than were made");
    return first;
}

static void serve(struct session *session, uint32_t first)
{
    struct fake_message messages[BUDGET_BATCH];
    bool done = true;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        messages[i] = (struct fake_message){session->records[first + i],
                                            session->sealed[first + i].record_size};
    }
    fake_send(&session->fake, messages, BUDGET_BATCH);
    for (uint32_t i = 0; i < session->fake.answer_count; i++) {
        done &= session->fake.answers[i].code == CSN_WIRE_DONE;
    }
    budget_require(done && session->fake.answer_count == BUDGET_BATCH, "a record was not served");
}

void session_batch(void *state)
{
    struct session *session = state;
    serve(session, next_batch(session));
}

void client_seal_batch(void *state)
{
    struct session *session = state;
    const uint32_t first = next_batch(session);
    budget_require(csv_seal_batch(session->sealer, &session->sealed[first], BUDGET_BATCH) ==
                           CSN_OK &&
                       session->sealed[first + BUDGET_BATCH - 1].result == CSN_OK,
                   "a record was not sealed");
}

static csn_err open_items(struct session *session, struct csv_open_item *items)
{
    return session->short_form ? csv_reply_open_batch(session->sealer, items, BUDGET_BATCH)
                               : csv_open_batch(session->opener, items, BUDGET_BATCH);
}

static void open_batch(struct session *session, uint32_t first)
{
    bool done = open_items(session, &session->opened[first]) == CSN_OK;
    for (uint32_t i = first; i < first + BUDGET_BATCH; i++) {
        done &= session->opened[i].result == CSN_OK &&
                session->opened[i].header.status == CSN_WIRE_STATUS_OK;
    }
    budget_require(done, "a result was not opened");
}

void client_open_batch(void *state)
{
    struct session *session = state;
    open_batch(session, next_batch(session));
}

/* ---- set-up ---- */
static void take_outputs(struct session *session, uint32_t first)
{
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        const struct fake_answer *answer = &session->fake.answers[i];
        budget_require(answer->size <= BUDGET_SIZE_MAX, "an output is too large");
        memcpy(session->outputs[first + i], answer->body, answer->size);
        session->opened[first + i] = (struct csv_open_item){.record = session->outputs[first + i],
                                                            .size = answer->size,
                                                            .payload = session->plain[i]};
    }
}

/*
 * Seals everything. Of client_open_batch()'s records the results are made as well; the last of
 * them is opened, so that what is counted is known to be service and not refusal.
 */
static void fill(struct session *session)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        session->sealed[i].operation = session->operation;
        session->sealed[i].record = session->records[i];
        session->sealed[i].record_size_max = BUDGET_SIZE_MAX;
    }
    for (uint32_t i = 0; i < RECORDS; i += BUDGET_BATCH) {
        client_seal_batch(session);
        serve(session, i);
        take_outputs(session, i);
    }
    open_batch(session, RECORDS - BUDGET_BATCH);
    csv_opener_destroy(session->opener);
    session->opener = NULL;
    session->sealer->replies.window = (struct csn_window){0}; /* it is to be opened again */
    session->next = 0;
}

static void read_policy(struct fake_tenant *tenant)
{
    static char text[CSV_POLICY_TEXT_SIZE_MAX + 1];
    const char *source = getenv("CAISSON_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/examples/policies/card.json", source != NULL ? source : ".");
    FILE *file = fopen(path, "rb");
    budget_require(file != NULL, "cannot open the policy: set CAISSON_SOURCE");
    fake_policy(tenant, text, fread(text, 1, sizeof text - 1, file));
    fclose(file);
}

static void begin_opener(struct session *session)
{
    const struct csv_opener_options options = {.consumer = &session->tenant.consumer};
    budget_require(csv_opener_create(&options, &session->opener) == CSN_OK, "no opener");
}

static void say_hello(struct session *session)
{
    struct csn_wire_result result;
    uint32_t size = 0;
    bool done =
        csv_seal_hello(session->sealer, session->records[0], BUDGET_SIZE_MAX, &size) == CSN_OK;
    const struct fake_answer *answer = fake_one(&session->fake, session->records[0], size);
    done = done && csv_reply_open(session->sealer, answer->body, answer->size, &result,
                                  session->plain[0], &size) == CSN_OK;
    budget_require(done, "no handle");
    csv_sealer_short(session->sealer, result.handle);
}

static struct session *begin(const struct fake_options *options, bool with_policy, bool short_form)
{
    struct session *session = calloc(1, sizeof *session);
    budget_require(session != NULL, "no memory");
    session->short_form = short_form;
    session->operation = 1;
    fake_start(&session->fake, options);
    fake_tenant_new(&session->tenant);
    session->tenant.policy = ""; /* echo takes none */
    if (with_policy) {
        read_policy(&session->tenant);
    }
    fake_grant(&session->fake, &session->tenant, 1);
    const struct csv_sealer_options sealer = {.recipient = &session->tenant.recipient,
                                              .credential = short_form ? &session->tenant.replier
                                                                       : &session->tenant.producer};
    budget_require(csv_sealer_create(&sealer, &session->sealer) == CSN_OK, "no sealer");
    begin_opener(session);
    if (short_form) {
        say_hello(session);
    }
    return session;
}

/* What /v1/echo is asked for, as a client writes it. */
static uint32_t write_request(uint8_t *bytes)
{
    static const uint8_t content[BUDGET_SIZE];
    uint32_t size = 0;
    const struct csn_bhttp_message request = {
        .method = csn_bhttp_text("POST"),
        .scheme = csn_bhttp_text("http"),
        .authority = csn_bhttp_text("127.0.0.1:8080"),
        .path = csn_bhttp_text("/v1/echo"),
        .fields = {{csn_bhttp_text("content-type"), csn_bhttp_text("application/octet-stream")},
                   {csn_bhttp_text("accept"), csn_bhttp_text("*/*")}},
        .header_count = 2,
        .content = {content, sizeof content},
    };
    budget_require(csn_bhttp_write(&request, bytes, CSR_RECORD_SIZE_MAX, &size) == CSN_OK,
                   "no request");
    return size;
}

static void *begin_echo(bool short_form, bool http)
{
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                         .service = &echo_service,
                                         .output_scale = short_form ? 16 : 0}; /* as the image */
    struct session *session = begin(&options, false, short_form);
    session->operation = http ? CSN_WIRE_OPERATION_HTTP : session->operation;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t *payload = session->payloads[i % BUDGET_PAYLOADS];
        session->sealed[i].payload = payload;
        session->sealed[i].payload_size = http ? write_request(payload) : BUDGET_SIZE;
    }
    fill(session);
    begin_opener(session);
    return session;
}

void *echo_begin(void)
{
    return begin_echo(false, false);
}

void *short_begin(void)
{
    return begin_echo(true, false);
}

void *http_begin(void)
{
    return begin_echo(true, true);
}

void *card_begin(void)
{
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                         .service = &cse_service,
                                         .tenant_state_size = sizeof(struct tok_state) + 64,
                                         .scratch_size = 8u << 20};
    struct session *session = begin(&options, true, false);
    struct csr_record record;
    for (uint32_t i = 0; i < RECORDS; i++) {
        csr_generate(1, i % BUDGET_PAYLOADS, &record);
        memcpy(session->payloads[i % BUDGET_PAYLOADS], record.text, record.size);
        session->sealed[i].payload = session->payloads[i % BUDGET_PAYLOADS];
        session->sealed[i].payload_size = (uint32_t)record.size;
    }
    fill(session);
    begin_opener(session);
    return session;
}

void session_end(void *state)
{
    struct session *session = state;
    csv_sealer_destroy(session->sealer);
    csv_opener_destroy(session->opener);
    fake_stop(&session->fake);
    free(session);
}
