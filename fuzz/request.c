/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c: hostile requests over HTTP against a live session.
 *
 * First byte, modulo 4: 0: the rest is the body of a ring message behind its kind. 1, 2: the rest
 * is a request that is sealed well, whole or in chunks; 3: the payload of a record. Its second byte
 * odd: the rest is a list of edits (offset u16, value u8, xor) of a genuine request with a bearer
 * token; even: it is the request. Oracle: what did not come sealed is never answered; what did, by
 * one response that opens, reads, and is as long as the size of the request says.
 */
#include "../src/enclave/request.h"
#include "../src/ohttp/authorize.h"
#include "../tests/enclave/fake.c"
#include "check.h"

#define PLAIN_MAX 4096u

static struct fake fake;
static struct fake_tenant tenant;
static struct csv_sealer *sealer;
static struct csn_ohttp_config config;
static uint8_t genuine[1024];
static uint32_t genuine_size;
static uint8_t answer_bytes[FAKE_RECORD_MAX];

static void write_genuine(void)
{
    char token[CSV_BEARER_SIZE];
    char value[CSV_BEARER_SIZE + 8];
    const struct csn_bhttp_message message = {
        .method = csn_bhttp_text("POST"),
        .scheme = csn_bhttp_text("https"),
        .authority = csn_bhttp_text("a"),
        .path = csn_bhttp_text("/json"),
        .fields = {{csn_bhttp_text("content-type"), csn_bhttp_text("application/json")},
                   {csn_bhttp_text("caisson-purpose"), csn_bhttp_text("1")},
                   {csn_bhttp_text("authorization"), {(const uint8_t *)value, 103}}},
        .header_count = 3,
        .content = csn_bhttp_text("{\"a\":1}"),
    };
    csv_credential_bearer(&tenant.bearer, token);
    snprintf(value, sizeof value, "Bearer %s", token);
    CHECK(csn_bhttp_write(&message, genuine, sizeof genuine, &genuine_size) == CSN_OK);
}

static void start(void)
{
    uint32_t offset = 0;
    CHECK(csv_client_init() == CSN_OK);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    const struct csv_sealer_options options = {.recipient = &tenant.recipient,
                                               .credential = &tenant.replier};
    CHECK(csv_sealer_create(&options, &sealer) == CSN_OK);
    CHECK(csn_ohttp_keys_next(fake.made->ohttp_keys, fake.made->ohttp_keys_size, &offset,
                              &config) == CSN_OK);
    write_genuine();
}

/* The request that the data stand for: at most PLAIN_MAX bytes. */
static uint32_t make_request(const uint8_t *data, size_t size, uint8_t *plain)
{
    if ((data[0] & 1) == 0) {
        memcpy(plain, data + 1, size - 1);
        return (uint32_t)size - 1;
    }
    memcpy(plain, genuine, genuine_size);
    for (size_t at = 1; at + 3 <= size; at += 3) {
        plain[(data[at] | data[at + 1] << 8) % genuine_size] ^= data[at + 2];
    }
    return genuine_size;
}

static void expect_response(uint8_t *bytes, uint32_t size)
{
    struct csn_bhttp_message response;
    uint32_t fault;
    CHECK(csn_bhttp_read(bytes, size, &response, &fault) == CSN_OK && response.is_response);
    CHECK(response.status == 200 || (response.status >= 400 && response.status <= 500));
}

/* Each output is one chunk of room plain bytes, or the whole; nonce_size: in front of the first. */
static void open_answer(struct csn_ohttp_answer *answer, uint32_t nonce_size, uint32_t room)
{
    const bool chunked = answer->form == CSN_OHTTP_CHUNKED;
    uint32_t total = 0;
    CHECK(fake.answer_count == 1 || (fake.answer_count == 2 && chunked));
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        const struct fake_answer *got = &fake.answers[i];
        const bool final = i + 1 == fake.answer_count;
        uint8_t head[8];
        uint32_t before = i == 0 ? nonce_size : 0;
        before += chunked ? csn_ohttp_chunk_head(room + CSN_OHTTP_TAG_SIZE, final, head) : 0;
        CHECK(got->code == CSN_WIRE_ANSWERED);
        CHECK(got->size == before + room + CSN_OHTTP_TAG_SIZE);
        CHECK(csn_ohttp_answer_open(answer, final, got->body + before, room + CSN_OHTTP_TAG_SIZE,
                                    answer_bytes + total) == CSN_OK);
        total += room;
    }
    expect_response(answer_bytes, total);
}

static void sealed(const uint8_t *plain, uint32_t size, enum csn_ohttp_form form)
{
    static uint64_t count;
    static uint8_t message[2 * PLAIN_MAX];
    struct csn_ohttp_exchange exchange;
    struct csn_ohttp_answer answer;
    uint8_t ephemeral[32] = {1};
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = (uint16_t)form};
    uint32_t at = sizeof head + CSN_OHTTP_HEAD_SIZE;
    csn_store_u64(ephemeral + 8, ++count);
    memcpy(message, &head, sizeof head);
    CHECK(csn_ohttp_send(&exchange, &config, (enum csn_aead)(1 + count % 3), form, ephemeral,
                         message + sizeof head) == CSN_OK);
    if (form == CSN_OHTTP_CHUNKED && size > 100) {
        at += csn_ohttp_chunk_head(100 + CSN_OHTTP_TAG_SIZE, false, message + at);
        CHECK(csn_ohttp_seal(&exchange, false, plain, 100, message + at) == CSN_OK);
        at += 100 + CSN_OHTTP_TAG_SIZE;
        plain += 100;
        size -= 100;
    }
    at += form == CSN_OHTTP_CHUNKED ? csn_ohttp_chunk_head(0, true, message + at) : 0;
    CHECK(csn_ohttp_seal(&exchange, true, plain, size, message + at) == CSN_OK);
    at += size + CSN_OHTTP_TAG_SIZE;

    fake_one(&fake, message, at);
    csn_ohttp_answer(&exchange, fake.answers[0].body, &answer);
    open_answer(&answer, csn_ohttp_nonce_size(&exchange),
                csn_wire_output_room(&fake.manifest, cse_request_class(at)) + CSE_REQUEST_BESIDE);
}

static void in_record(const uint8_t *plain, uint32_t plain_size)
{
    static uint8_t record[2 * PLAIN_MAX];
    struct csn_wire_result result;
    uint32_t size;
    uint32_t total = 0;
    struct csv_seal_item item = {.payload = plain,
                                 .payload_size = plain_size,
                                 .operation = CSN_WIRE_OPERATION_HTTP,
                                 .purpose = 1,
                                 .record = record,
                                 .record_size_max = sizeof record};
    CHECK(csv_seal_batch(sealer, &item, 1) == CSN_OK && item.result == CSN_OK);
    fake_one(&fake, record, item.record_size);
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        const struct fake_answer *got = &fake.answers[i];
        CHECK(got->code == CSN_WIRE_DONE);
        CHECK(csv_reply_open(sealer, got->body, got->size, &result, answer_bytes + total, &size) ==
              CSN_OK);
        CHECK(result.status == CSN_WIRE_STATUS_OK); /* each class here has room for a problem */
        total += size;
    }
    expect_response(answer_bytes, total);
}

static void bare(const uint8_t *data, size_t size)
{
    uint8_t message[4 + PLAIN_MAX];
    const uint32_t kind = CSN_WIRE_REQUEST;
    memcpy(message, &kind, sizeof kind);
    memcpy(message + sizeof kind, data, size);
    uint32_t code = fake_one(&fake, message, (uint32_t)(size + sizeof kind))->code;
    CHECK(fake.answer_count == 1);
    CHECK(code >= CSN_WIRE_REJECT_FRAMING && code <= CSN_WIRE_REJECT_AUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static uint8_t plain[PLAIN_MAX];
    if (!started) {
        start();
        started = true;
    }
    if (size < 2 || size > PLAIN_MAX) {
        return 0;
    }
    if (data[0] % 4 == 0) {
        bare(data + 1, size - 1);
        return 0;
    }
    uint32_t request_size = make_request(data + 1, size - 1, plain);
    if (data[0] % 4 == 3) {
        in_record(plain, request_size);
    } else {
        sealed(plain, request_size, data[0] % 4 == 1 ? CSN_OHTTP_WHOLE : CSN_OHTTP_CHUNKED);
    }
    return 0;
}
