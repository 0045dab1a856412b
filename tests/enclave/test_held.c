/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_held.c: answers that come later, by the streams of tests/images/ticker.c: their parts in
 * each form, each under its own call, room that is missing, calls that are dropped, and what is
 * left of them.
 */
#include "../../src/enclave/held.h"
#include "../images/ticker.h"
#include "asker.h"
#include "solo.h"
#include <stdio.h>

#define TICKS 1
#define ALLOW 2

static struct asker asker;
static struct fake_tenant other;
static struct csv_sealer *sealer;
static uint8_t payload[200000];
static uint32_t payload_size;
static struct csn_wire_result result;

static int start(uint32_t flags)
{
    extern const struct cse_service cse_service;
    fake_start(&fake, &(struct fake_options){.flags = flags,
                                             .service = &cse_service,
                                             .worker_state_size = sizeof(struct ticker_state),
                                             .held_max = TICKER_COUNT,
                                             .output_scale = 16,
                                             .output_extra = 1024});
    fake_tenant_new(&tenant);
    tenant.policy = "";
    fake_grant(&fake, &tenant, 1);
    fake_tenant_new(&other);
    other.policy = "";
    fake_grant(&fake, &other, 1);
    sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return start(CSN_WIRE_FLAG_DETERMINISTIC);
}

static int end(void **state)
{
    csv_sealer_destroy(sealer);
    return solo_stop(state);
}

static struct ticker_state *kept(void)
{
    return fake.session->worker_state;
}

static uint32_t in_use(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < TICKER_COUNT; i++) {
        count += kept()->tickers[i].held != NULL;
    }
    return count;
}

static void steps(void)
{
    for (uint32_t i = 0; i < 1000 && fake_step(&fake); i++) {
    }
}

/* Answers that a record's or request's message alone brings: that it comes later. */
static void send_record(struct csv_sealer *from, const char *text)
{
    uint32_t size = solo_seal(from, TICKS, text, (uint32_t)strlen(text));
    const struct fake_message message = {record, size};
    fake_send(&fake, &message, 1);
    assert_int_equal(fake.answer_count, 1);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_HELD);
    assert_int_equal(fake.answers[0].size, 0);
    assert_false(fake.answers[0].final);
}

/* The index-th answer as a part of the record that was sealed last. */
static csn_err open_part(struct csv_sealer *to, uint32_t index)
{
    const struct fake_answer *answer = &fake.answers[index];
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    return csv_reply_open(to, answer->body, answer->size, &result, payload, &payload_size);
}

static void expect_part(uint32_t index, uint32_t part, const char *text)
{
    assert_int_equal(open_part(sealer, index), CSN_OK);
    assert_int_equal(result.part, part);
    assert_int_equal(result.status, CSN_WIRE_STATUS_OK);
    assert_int_equal(payload_size, strlen(text));
    assert_memory_equal(payload, text, payload_size);
    assert_int_equal(result.part_count, fake.answers[index].final ? part + 1 : 0);
}

/* ---- records ---- */

static void three_parts(void)
{
    send_record(sealer, "3 3 abc");
    steps();
    assert_int_equal(fake.answer_count, 5);
    expect_part(1, 0, "data: 1 abc\n\n");
    expect_part(2, 1, "data: 2 abc\n\n");
    expect_part(3, 2, "data: 3 abc\n\n");
    expect_part(4, 3, "");
    assert_true(fake.answers[4].final);
    for (uint32_t i = 1; i < 5; i++) { /* the smallest class, whatever they say */
        assert_int_equal(fake.answers[i].size, 176 + 128 + fake.session->rooms[0] + 16);
    }
    assert_int_equal(in_use(), 0);
}

static void records(void **state)
{
    (void)state;
    three_parts();
    solo_short(sealer); /* the answers' form is the full one whatever the record's is */
    three_parts();
    assert_int_equal(fake.stats.records_served, 3); /* with the hello */
    assert_int_equal(kept()->drop_count, 0);
}

/* A part of its own class, and one that no class of the record has room for. */
static void sizes(void **state)
{
    (void)state;
    char text[1000];
    const uint32_t room = fake.session->rooms[0];
    snprintf(text, sizeof text, "1 1 %0300d", 0);
    send_record(sealer, text);
    steps();
    assert_int_equal(fake.answers[1].size, 176 + 128 + room + 16);
    kept()->tickers[0] = (struct ticker){.held = NULL};
    snprintf(text, sizeof text, "2 2 %0900d", 0);
    send_record(sealer, text);
    struct cse_held *held = kept()->tickers[0].held;
    assert_int_equal(cse_held_part_max(held), fake.session->rooms[3]);
    kept()->tickers[0].text_size = 10;
    steps();
    assert_int_equal(fake.answers[1].size, 176 + 128 + room + 16);
}

/* Nothing comes before it is allowed: one part is there before the next one is made. */
static void paced(void **state)
{
    (void)state;
    send_record(sealer, "2 0 abc");
    steps();
    assert_int_equal(fake.answer_count, 1);
    struct csv_sealer *second = solo_sealer(&tenant, &tenant.replier, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        fake_one(&fake, record, solo_seal(second, ALLOW, "1", 1));
        assert_int_equal(fake.answer_count, 1);
        steps();
        assert_int_equal(fake.answer_count, i == 0 ? 2 : 3);
        expect_part(1, i, i == 0 ? "data: 1 abc\n\n" : "data: 2 abc\n\n");
    }
    expect_part(2, 2, "");
    csv_sealer_destroy(second);
}

/* Several at a time: each part opens for its own call, and for no other. */
static void interleaved(void **state)
{
    (void)state;
    struct csv_sealer *second = solo_sealer(&other, &other.replier, NULL);
    uint8_t records[3][512];
    const char *const texts[3] = {"2 2 first", "2 2 secnd", "2 2 third"};
    struct fake_message messages[3];
    for (uint32_t i = 0; i < 3; i++) { /* two of them in one context */
        messages[i].size = solo_seal(i == 2 ? second : sealer, TICKS, texts[i], 9);
        messages[i].bytes = records[i];
        memcpy(records[i], record, messages[i].size);
    }
    fake_send(&fake, messages, 3);
    steps();
    assert_int_equal(fake.answer_count, 3 + 9);
    for (uint32_t i = 3; i < fake.answer_count; i++) {
        const uint64_t tag = fake.answers[i].tag;
        assert_int_not_equal(open_part(tag == 2 ? sealer : second, i), CSN_OK);
        assert_int_equal(open_part(tag == 2 ? second : sealer, i), CSN_OK);
        assert_int_equal(result.sequence, tag == 2 ? 0 : tag);
        assert_int_equal(result.part, (i - 3) / 3);
        if (!fake.answers[i].final) {
            assert_memory_equal(payload + 8, texts[tag] + 4, 5);
        }
    }
    csv_sealer_destroy(second);
}

/* A stream in window mode: each record is held once, and counts as served. */
static void window(void **state)
{
    (void)state;
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct csv_sealer *once = solo_sealer(&tenant, &tenant.replier, &challenge);
    struct csn_wire_fin fin;
    uint32_t size = solo_seal(once, TICKS, "1 1 abc", 7);
    assert_int_equal(fake_one(&fake, record, 0)->code, CSN_WIRE_REJECT_FRAMING);
    fake_send(&fake, &(struct fake_message){record, size}, 1);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_HELD);
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_DONE); /* a replay's tombstone */
    assert_int_equal(in_use(), 1);
    assert_int_equal(csv_seal_fin(once, record, sizeof record, &size), CSN_OK);
    fake_one(&fake, record, size);
    assert_int_equal(open_part(once, 0), CSN_OK);
    memcpy(&fin, payload, sizeof fin);
    assert_int_equal(fin.served, 1);
    assert_int_equal(fin.refused, 0);
    csv_sealer_destroy(once);
}

/* ---- requests ---- */

static struct ask ask_for(const char *text)
{
    return (struct ask){.path = "/v1/ticks",
                        .content = text,
                        .content_size = (uint32_t)strlen(text),
                        .credential = &tenant.asker,
                        .plain_size = 528};
}

static void send_request(const struct ask *ask)
{
    asker_seal(&asker, &fake, ask);
    fake_send(&fake, &(struct fake_message){asker.message, asker.size}, 1);
    assert_int_equal(fake.answer_count, 1);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_HELD);
}

/* The answers but the first, which says that they come later. */
static uint32_t read_response(void)
{
    fake.answers[0].tag = UINT64_MAX;
    asker_open(&asker, &fake, 0);
    return asker.response.status;
}

/* The content without lines that begin with a colon. */
static uint32_t strip(char *text)
{
    uint32_t size = 0;
    bool comment = false;
    for (uint32_t i = 0; i < asker.response.content.size; i++) {
        char byte = (char)asker.response.content.bytes[i];
        comment |= byte == ':' && (i == 0 || asker.response.content.bytes[i - 1] == '\n');
        if (!comment) {
            text[size++] = byte;
        }
        comment &= byte != '\n';
    }
    text[size] = 0;
    return size;
}

static void chunked(void **state)
{
    (void)state;
    static char text[10000];
    for (enum csn_aead aead = CSN_AEAD_AES_128_GCM; aead <= CSN_AEAD_CHACHA20_POLY1305; aead++) {
        struct ask ask = ask_for("3 3 abc");
        ask.form = CSN_OHTTP_CHUNKED;
        ask.aead = aead;
        send_request(&ask);
        steps();
        assert_int_equal(fake.answer_count, 5);
        assert_int_equal(fake.answers[2].size, fake.answers[3].size);
        assert_true(fake.answers[4].size > fake.session->rooms[0]); /* the empty last one, too */
        assert_int_equal(read_response(), 200);
        assert_int_equal(asker.chunk_count, 4);
        assert_string_equal(asker_header(&asker, "content-type"), "text/event-stream");
        strip(text);
        assert_string_equal(text, "data: 1 abc\n\ndata: 2 abc\n\ndata: 3 abc\n\n");
    }
    struct ask plain = ask_for("2 2 plain");
    plain.form = CSN_OHTTP_CHUNKED;
    send_request(&plain);
    steps();
    assert_int_equal(read_response(), 200);
    assert_string_equal(asker_header(&asker, "content-type"), "text/plain");
    assert_int_equal(asker.response.content.size, 2 * 15);
}

/* Parts of every length up to a class: the comment fills it, whatever is missing. */
static void padded(void **state)
{
    (void)state;
    static char text[10000];
    char line[700];
    uint32_t first = 0;
    for (uint32_t size = 0; size < 600; size++) {
        snprintf(line, sizeof line, "2 2 %0600d", 0);
        line[4 + size] = 0;
        struct ask ask = ask_for(line);
        ask.plain_size = 1040;
        ask.form = CSN_OHTTP_CHUNKED;
        send_request(&ask);
        kept()->tickers[0].text_size = size;
        steps();
        first = size == 0 ? fake.answers[2].size : first;
        assert_int_equal(fake.answers[2].size, first);
        assert_int_equal(read_response(), 200);
        assert_int_equal(strip(text), 2 * (10 + size));
    }
}

static void whole(void **state)
{
    (void)state;
    struct ask ask = ask_for("3 3 abc");
    send_request(&ask);
    const uint32_t room = fake.session->rooms[2] + 256;
    steps();
    assert_int_equal(fake.answer_count, 2);
    assert_int_equal(fake.answers[1].size, 16 + room + 16);
    assert_int_equal(read_response(), 200);
    assert_string_equal(asker_header(&asker, "content-type"), "text/event-stream");
    assert_true(asker_says(&asker, "data: 1 abc\n\ndata: 2 abc\n\ndata: 3 abc\n\n"));
    assert_int_equal(asker.response.content.size, 3 * 13);
    ask = ask_for("200 200 abc"); /* more than one answer of its class holds */
    send_request(&ask);
    steps();
    assert_int_equal(fake.answers[1].size, 16 + room + 16);
    assert_int_equal(read_response(), 413);
}

/* A request as the payload of a record: the parts together are the response. */
static void in_a_record(void **state)
{
    (void)state;
    static uint8_t plain[2000];
    struct ask ask = ask_for("3 3 abc");
    uint32_t fault;
    uint32_t used = 0;
    uint32_t size = asker_write(&ask, NULL, plain, sizeof plain);
    size = solo_seal(sealer, CSN_WIRE_OPERATION_HTTP, plain, size);
    fake_send(&fake, &(struct fake_message){record, size}, 1);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_HELD);
    steps();
    assert_int_equal(fake.answer_count, 5);
    for (uint32_t i = 1; i < 5; i++) {
        assert_int_equal(open_part(sealer, i), CSN_OK);
        assert_int_equal(fake.answers[i].size, fake.answers[1].size);
        memcpy(plain + used, payload, payload_size);
        used += payload_size;
    }
    assert_int_equal(csn_bhttp_read(plain, used, &asker.response, &fault), CSN_OK);
    assert_int_equal(asker.response.status, 200);
    assert_string_equal(asker_header(&asker, "content-type"), "text/event-stream");
    assert_true(asker_says(&asker, "data: 1 abc\n\ndata: 2 abc\n\ndata: 3 abc\n\n"));
}

/* ---- failures ---- */

static void failures(void **state)
{
    (void)state;
    send_record(sealer, "1 1 fail");
    steps();
    assert_int_equal(fake.answer_count, 3);
    assert_int_equal(open_part(sealer, 2), CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_INTERNAL);
    assert_int_equal(result.flags, CSN_WIRE_RESULT_TOMBSTONE);
    assert_int_equal(result.part, 1);
    assert_int_equal(result.part_count, 2);
    for (uint32_t form = CSN_OHTTP_WHOLE; form <= CSN_OHTTP_CHUNKED; form++) {
        struct ask ask = ask_for("0 0 fail");
        ask.form = (enum csn_ohttp_form)form;
        send_request(&ask);
        steps();
        assert_int_equal(read_response(), 500);
        assert_true(asker_says(&asker, "\"status\":500"));
    }
    struct ask late = ask_for("1 1 fail"); /* a part has left: the rest is cut off */
    late.form = CSN_OHTTP_CHUNKED;
    send_request(&late);
    steps();
    assert_int_equal(fake.answer_count, 3);
    assert_int_equal(fake.answers[1].code, CSN_WIRE_ANSWERED);
    assert_int_equal(fake.answers[2].code, CSN_WIRE_DROPPED);
    assert_int_equal(fake.answers[2].size, 0);
    assert_true(fake.answers[2].final);
    assert_int_equal(kept()->drop_count, 0);
    assert_int_equal(in_use(), 0);
}

/* A handler that answers at once after all, and places that are all taken. */
static void busy(void **state)
{
    (void)state;
    uint32_t size = solo_seal(sealer, TICKS, "x", 1);
    fake_one(&fake, record, size);
    assert_int_equal(open_part(sealer, 0), CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_MALFORMED);
    size = solo_seal(sealer, TICKS, "1 1 regret", 10); /* it held the call before it refused */
    fake_one(&fake, record, size);
    assert_int_equal(open_part(sealer, 0), CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_POLICY);
    assert_int_equal(fake.session->held_count, 0);
    assert_int_equal(kept()->drop_count, 0);
    struct csv_sealer *to_sink = solo_sealer(&other, &other.producer, NULL);
    struct csv_opener *opener = solo_opener(&other.consumer);
    size = solo_seal(to_sink, TICKS, "1 0 abc", 7); /* a consumer's outputs are whole */
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_int_equal(solo_open(opener, answer, payload).header.status, CSN_WIRE_STATUS_BUSY);
    csv_opener_destroy(opener);
    csv_sealer_destroy(to_sink);
    for (uint32_t i = 0; i < TICKER_COUNT; i++) {
        send_record(sealer, "1 0 abc");
    }
    size = solo_seal(sealer, TICKS, "1 0 abc", 7);
    fake_one(&fake, record, size);
    assert_int_equal(open_part(sealer, 0), CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_BUSY);
    struct ask ask = ask_for("1 0 abc");
    assert_int_equal(asker_ask(&asker, &fake, &ask), 503);
}

/* ---- room ---- */

static void room(void **state)
{
    (void)state;
    fake.room = 0;
    send_record(sealer, "2 2 abc");
    assert_false(fake_has_waited(&fake));
    assert_false(fake_step(&fake));
    assert_int_equal(fake.answer_count, 1);
    assert_int_equal(kept()->tickers[0].done, 0);
    assert_false(fake_has_waited(&fake));
    fake.room = 1;
    assert_true(fake_has_waited(&fake));
    assert_true(fake_step(&fake));
    assert_false(fake_step(&fake)); /* the second one has no room */
    assert_int_equal(fake.answer_count, 2);
    fake.room = 1;
    steps(); /* the second one, and the end, which waits */
    assert_int_equal(fake.answer_count, 3);
    assert_int_equal(in_use(), 0);
    assert_false(fake_has_waited(&fake));
    for (uint32_t i = 0; i < TICKER_COUNT - 1; i++) { /* its place is not free yet */
        send_record(sealer, "1 0 abc");
        assert_int_not_equal(cse_held_index(kept()->tickers[i + 1].held), 0);
    }
    assert_int_equal(fake.session->held_count, TICKER_COUNT);
    fake.room = 1;
    assert_true(fake_has_waited(&fake));
    (void)fake_step(&fake);
    assert_int_equal(fake.session->held_count, TICKER_COUNT - 1);
    assert_true(fake.answers[fake.answer_count - 1].final);
}

/* What is not the service's any more, or not its turn, sends nothing. */
static void out_of_turn(void **state)
{
    (void)state;
    send_record(sealer, "1 0 abc");
    struct cse_held *held = kept()->tickers[0].held;
    assert_int_equal(cse_held_emit(held, (const uint8_t *)"x", 1), CSN_ERR_STATE);
    assert_false(cse_held_room(held));
    const struct cse_outlet outlet = {.state = &fake};
    fake.session->outlet = &outlet; /* in a step, but larger than its class */
    assert_int_equal(cse_held_emit(held, payload, cse_held_part_max(held) + 1), CSN_ERR_SPACE);
    fake.session->outlet = NULL;
    kept()->tickers[0].left = 0;
    steps();
    assert_int_equal(fake.answer_count, 2);
    assert_true(fake.answers[1].final);
    fake.session->outlet = &outlet;
    assert_int_equal(cse_held_emit(held, (const uint8_t *)"x", 1), CSN_ERR_STATE);
    fake.session->outlet = NULL;
    assert_int_equal(fake.answer_count, 2);
}

/* ---- dropped ---- */

static void cancel(uint64_t tag)
{
    const struct csn_wire_cancel message = {.kind = CSN_WIRE_CANCEL, .tag = tag};
    struct csn_wire_cancel wrong = message;
    wrong.reserved = 1;
    const struct fake_message messages[3] = {
        {&wrong, sizeof wrong}, {&message, sizeof message - 1}, {&message, sizeof message}};
    fake_send(&fake, messages, 2);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_REJECT_FRAMING);
    assert_int_equal(fake.answers[1].code, CSN_WIRE_REJECT_FRAMING);
    fake_send(&fake, messages + 2, 1);
    assert_int_equal(fake.answer_count, 1);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_CANCELLED);
}

static void cancelled(void **state)
{
    (void)state;
    send_record(sealer, "2 1 abc");
    steps();
    expect_part(1, 0, "data: 1 abc\n\n");
    cancel(1);
    assert_int_equal(in_use(), 1);
    cancel(0);
    assert_int_equal(in_use(), 0);
    assert_int_equal(kept()->drop_count, 1);
    steps();
    assert_int_equal(fake.answer_count, 2);
    assert_int_equal(fake.answers[1].code, CSN_WIRE_DROPPED);
    assert_int_equal(fake.answers[1].tag, 0);
    assert_true(fake.answers[1].final);
    assert_int_equal(fake.session->held_count, 0);
    cancel(0); /* once more is harmless */
    assert_int_equal(kept()->drop_count, 1);
    three_parts();
    send_record(sealer, "1 1 abc"); /* one whose last part waits */
    fake.room = 1;
    steps();
    assert_int_equal(in_use(), 0);
    cancel(0);
    assert_int_equal(kept()->drop_count, 1);
    fake.room = FAKE_ROOM;
    steps();
    assert_int_equal(fake.answers[1].code, CSN_WIRE_DROPPED);
}

/* A new grant ends the tenant's calls, and nobody else's. */
static void granted_anew(void **state)
{
    (void)state;
    struct csv_sealer *second = solo_sealer(&other, &other.replier, NULL);
    send_record(second, "1 0 abc");
    send_record(sealer, "1 0 abc");
    fake_grant(&fake, &tenant, 2);
    assert_int_equal(in_use(), 1);
    assert_int_equal(kept()->drop_count, 1);
    assert_int_equal(fake.answers[0].code, CSN_WIRE_GRANTED);
    steps();
    assert_int_equal(fake.answer_count, 2);
    assert_int_equal(fake.answers[1].code, CSN_WIRE_DROPPED);
    kept()->tickers[0].allowed = 1;
    steps();
    assert_int_equal(fake.answer_count, 4);
    assert_int_equal(open_part(second, 2), CSN_OK);
    csv_sealer_destroy(second);
}

/* A last part that waits is of the old grant, and is not sealed under the new one. */
static void granted_anew_behind_the_end(void **state)
{
    (void)state;
    send_record(sealer, "0 0 abc");
    fake.room = 0;
    steps();
    assert_int_equal(in_use(), 0);
    fake_grant(&fake, &tenant, 2);
    assert_int_equal(kept()->drop_count, 0);
    fake.room = FAKE_ROOM;
    steps();
    assert_int_equal(fake.answer_count, 2);
    assert_int_equal(fake.answers[1].code, CSN_WIRE_DROPPED);
}

static void channel_lost(void **state)
{
    (void)state;
    send_record(sealer, "1 0 abc");
    send_record(sealer, "0 0 abc");
    fake.room = 0;
    steps();
    fake.tending->lost(fake.session, 1);
    assert_int_equal(fake.session->held_count, 2);
    fake.tending->lost(fake.session, 0);
    assert_int_equal(fake.session->held_count, 0);
    assert_int_equal(kept()->drop_count, 1);
    fake.room = FAKE_ROOM;
    steps();
    assert_int_equal(fake.answer_count, 1);
    three_parts();
}

/* ---- what is left ---- */

static bool memory_has(const void *bytes, uint32_t size)
{
    return memmem(fake.memory, fake.pool.used, bytes, size) != NULL;
}

/* Neither what was kept of a call nor its secrets are there when it is over. */
static void residue(void **state)
{
    (void)state;
    static const char canary[] = "2 1 canary-of-a-stream";
    uint8_t reply[32];
    for (uint32_t way = 0; way < 4; way++) {
        uint8_t request_key[16];
        struct ask ask = ask_for(canary);
        ask.form = way == 0 ? CSN_OHTTP_WHOLE : CSN_OHTTP_CHUNKED;
        send_request(&ask);
        memcpy(request_key, kept()->tickers[0].held->request.key, 16);
        steps();
        assert_true(memory_has(canary + 4, 18) && memory_has(request_key, 16));
        if (way < 2) {
            kept()->tickers[0].allowed = 1;
        } else if (way == 2) {
            cancel(0);
        } else {
            fake_grant(&fake, &tenant, 2);
        }
        steps();
        assert_int_equal(fake.session->held_count, 0);
        assert_false(memory_has(canary + 4, 18));
        assert_false(memory_has(request_key, 16));
    }
    csv_sealer_destroy(sealer);
    sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    send_record(sealer, "1 0 abc");
    struct cse_held *held = kept()->tickers[0].held;
    memcpy(reply, held->context.secrets.reply, sizeof reply);
    assert_memory_not_equal(reply, (uint8_t[32]){0}, 32);
    kept()->tickers[0].left = 0;
    steps();
    assert_memory_equal(held->context.secrets.reply, (uint8_t[32]){0}, 32);
    assert_memory_equal(held->bytes, (uint8_t[32]){0}, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records, begin, end),
        cmocka_unit_test_setup_teardown(sizes, begin, end),
        cmocka_unit_test_setup_teardown(paced, begin, end),
        cmocka_unit_test_setup_teardown(interleaved, begin, end),
        cmocka_unit_test_setup_teardown(window, begin, end),
        cmocka_unit_test_setup_teardown(chunked, begin, end),
        cmocka_unit_test_setup_teardown(padded, begin, end),
        cmocka_unit_test_setup_teardown(whole, begin, end),
        cmocka_unit_test_setup_teardown(in_a_record, begin, end),
        cmocka_unit_test_setup_teardown(failures, begin, end),
        cmocka_unit_test_setup_teardown(busy, begin, end),
        cmocka_unit_test_setup_teardown(room, begin, end),
        cmocka_unit_test_setup_teardown(out_of_turn, begin, end),
        cmocka_unit_test_setup_teardown(cancelled, begin, end),
        cmocka_unit_test_setup_teardown(granted_anew, begin, end),
        cmocka_unit_test_setup_teardown(granted_anew_behind_the_end, begin, end),
        cmocka_unit_test_setup_teardown(channel_lost, begin, end),
        cmocka_unit_test_setup_teardown(residue, begin, end),
    };
    return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
