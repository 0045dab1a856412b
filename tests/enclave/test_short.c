/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_short.c: answers in the short form, from both ends: what they say, and what a host may do to
 * them (docs/WIRE.md section 4).
 */
#include "../../src/client/sealer.h"
#include "../../src/enclave/state.h"
#include "solo.h"

#define ROOM(size)                                                                                 \
    (16 + 16 + (size) + 16) /* an answer's bytes; fake: class 80 has room for 272                  \
                             */
#define ANSWER ROOM(272)

static uint8_t opened[4096];
static uint8_t untouched[4096];
static struct csn_wire_result result;
static uint32_t opened_size;

/* What a sealer makes of bytes; what is refused changes nothing of the caller's. */
static csn_err open_bytes(struct csv_sealer *sealer, const void *bytes, uint32_t size)
{
    memset(opened, 0xaa, sizeof opened);
    csn_err error = csv_reply_open(sealer, bytes, size, &result, opened, &opened_size);
    if (error != CSN_OK) {
        assert_memory_equal(opened, untouched, sizeof opened);
    }
    return error;
}

static struct csv_sealer *begin_short(struct fake_tenant *owner)
{
    struct csv_sealer *sealer = solo_sealer(owner, &owner->replier, NULL);
    solo_short(sealer);
    return sealer;
}

/* Asks, and keeps the answer. */
static uint32_t ask(struct csv_sealer *sealer, uint16_t operation, uint8_t answer[1024])
{
    uint32_t size = solo_seal(sealer, operation, "abc", 3);
    assert_int_equal(size, 16 + 80 + 16);
    const struct fake_answer *got = fake_one(&fake, record, size);
    assert_int_equal(got->code, CSN_WIRE_DONE);
    assert_true(got->alone && got->size <= 1024);
    memcpy(answer, got->body, got->size);
    return got->size;
}

static struct cse_context *cached(uint32_t index)
{
    struct cse_context *context = &fake.session->tenants[0].contexts[index];
    assert_true(context->used && context->replier.used);
    return context;
}

/* ---- what they say ---- */

static void served_and_refused(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t answer[1024];
    for (uint32_t i = 0; i < 40; i++) {
        bool fails = i % 3 == 2;
        assert_int_equal(ask(sealer, fails ? FAKE_FAIL : FAKE_ECHO, answer), ANSWER);
        struct csn_wire_short head;
        memcpy(&head, answer, sizeof head);
        assert_int_equal(head.handle, CSN_WIRE_SHORT);
        assert_int_equal(head.sequence, i);
        assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_OK);
        assert_int_equal(result.sequence, i);
        assert_int_equal(result.status, fails ? CSN_WIRE_STATUS_MALFORMED : CSN_WIRE_STATUS_OK);
        assert_int_equal(result.flags, fails ? CSN_WIRE_RESULT_TOMBSTONE : 0);
        assert_int_equal(result.detail, fails ? 7 : 0);
        assert_int_equal(opened_size, fails ? 0 : 3);
        assert_true(fails || memcmp(opened, "abc", 3) == 0);
        assert_int_equal(result.part_count, 1);
        assert_true(result.credential == tenant.replier.id);
        assert_int_equal(result.grant_version, 1);
        assert_memory_equal(result.grant_digest, tenant.grant.digest, 32);
        assert_memory_equal(result.stream, cached(0)->stream, 16);
    }
    csv_sealer_destroy(sealer);
}

/* Byte by byte as docs/WIRE.md has it, with a key that is derived here. */
static void as_documented(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    const struct cse_context *context = cached(0);
    uint8_t answer[1024];
    uint8_t text[16 + 272];
    struct {
        char label[18];
        uint8_t direction;
        uint8_t mode;
        uint8_t tenant[32];
        uint64_t credential;
        uint8_t key_id[8];
        uint64_t challenge;
        uint8_t encapsulation[32];
        uint8_t salt[16];
    } __attribute__((packed)) id = {
        .label = "caisson-context-v1", .direction = 3, .mode = 1, .credential = tenant.replier.id};
    struct {
        char label[22];
        uint8_t id[32];
        uint64_t grant_version;
        uint8_t grant_digest[32];
        uint64_t epoch;
    } __attribute__((packed)) info = {.label = "caisson-short-reply-v2", .grant_version = 1};
    memcpy(id.tenant, tenant.tenant.id, 32);
    memcpy(id.key_id, context->binding.key_id, 8);
    memcpy(id.encapsulation, context->encapsulation, 32);
    memcpy(id.salt, context->replier.about.salt, 16);
    csn_sha256(&id, sizeof id, info.id);
    memcpy(info.grant_digest, tenant.grant.digest, 32);
    uint8_t material[44];
    struct csn_gcm_key key;
    assert_int_equal(csn_hkdf(id.salt, 16, context->secrets.reply, 32, &info, sizeof info, material,
                              sizeof material),
                     CSN_OK);
    csn_gcm_key_init(&key, material);
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t aad[48];
        assert_int_equal(ask(sealer, FAKE_ECHO, answer), ANSWER);
        memcpy(aad, answer, 16);
        memcpy(aad + 16, info.id, 32);
        struct csn_gcm_item item = {.key = &key,
                                    .aad = aad,
                                    .aad_size = sizeof aad,
                                    .size = sizeof text,
                                    .input = answer + 16,
                                    .output = text,
                                    .tag = answer + 16 + sizeof text};
        memcpy(item.nonce, material + 32, 12);
        item.nonce[11] ^= i;
        csn_gcm_open_batch(&item, 1);
        assert_int_equal(item.result, CSN_OK);
        struct csn_wire_short_result brief;
        memcpy(&brief, text, sizeof brief);
        assert_true(brief.word == i); /* the sequence alone: served, no flags */
        assert_int_equal(brief.size, 3);
        assert_int_equal(brief.part, 0);
        assert_int_equal(brief.part_count, 1);
        assert_memory_equal(text + 16, "abc", 4); /* and a zero */
    }
    csv_sealer_destroy(sealer);
}

static void several_parts(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    struct csv_open_item items[2];
    uint8_t payloads[2][1024];
    uint32_t size = solo_seal(sealer, FAKE_TWICE, "pair", 4);
    fake_one(&fake, record, size);
    assert_int_equal(fake.answer_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(fake.answers[i].size, ANSWER);
        items[i] = (struct csv_open_item){
            .record = fake.answers[i].body, .size = ANSWER, .payload = payloads[i]};
    }
    assert_int_equal(csv_reply_open_batch(sealer, items, 2), CSN_OK);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(items[i].result, CSN_OK);
        assert_int_equal(items[i].header.part, i);
        assert_int_equal(items[i].header.part_count, 2);
        assert_int_equal(items[i].payload_size, 4);
        assert_memory_equal(payloads[i], "pair", 4);
    }
    csv_sealer_destroy(sealer);
}

/* Where a credential names a consumer, answers go to it, in the full form. */
static void to_consumer(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    solo_short(sealer);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    assert_int_equal(size, 16 + 80 + 16);
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_int_equal(answer->size, 176 + 128 + 272 + 16);
    assert_int_equal(solo_open(opener, answer, opened).result, CSN_OK);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

/* The room is the manifest's rule; hello's answers and receipts have one size whatever it says. */
static void sizes_of_the_manifest(void **state)
{
    (void)state;
    static const struct {
        uint32_t scale, extra, room[3]; /* of classes 80, 272, 528 */
    } rules[] = {{16, 0, {64, 256, 512}}, {0, 33, {48, 48, 48}}, {256, 8, {1040, 4112, 8208}}};
    static uint8_t payload[512];
    for (uint32_t i = 0; i < 3; i++) {
        fake_stop(&fake);
        fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                                 .output_scale = rules[i].scale,
                                                 .output_extra = rules[i].extra});
        fake_grant(&fake, &tenant, 1);
        assert_int_equal(fake.answers[0].size, 176 + 192 + 16);
        struct csv_sealer *sealer = begin_short(&tenant);
        assert_int_equal(fake.answers[0].size, 176 + 192 + 16);
        for (uint32_t k = 0; k < 3; k++) {
            uint32_t size = solo_seal(sealer, FAKE_ECHO, payload, k == 0 ? 64 : 128u << k);
            assert_int_equal(fake_one(&fake, record, size)->size, ROOM(rules[i].room[k]));
        }
        csv_sealer_full(sealer);
        uint32_t size = solo_seal(sealer, FAKE_ECHO, payload, 64);
        assert_int_equal(fake_one(&fake, record, size)->size, 176 + 128 + rules[i].room[0] + 16);
        csv_sealer_destroy(sealer);
    }
}

/* ---- what a host may try ---- */

static void every_bit(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t answer[1024];
    assert_int_equal(ask(sealer, FAKE_ECHO, answer), ANSWER);
    for (uint32_t bit = 0; bit < ANSWER * 8; bit++) {
        answer[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(open_bytes(sealer, answer, ANSWER), CSN_OK);
        answer[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (uint32_t size = 0; size < ANSWER + 32; size++) {
        if (size != ANSWER) {
            assert_int_not_equal(open_bytes(sealer, answer, size), CSN_OK);
        }
    }
    assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_OK);
    csv_sealer_destroy(sealer);
}

/* Each once, in any order within the window, none behind it. */
static void repeated_and_reordered(void **state)
{
    (void)state;
    static uint8_t answers[1100][ANSWER];
    struct csv_sealer *sealer = begin_short(&tenant);
    for (uint32_t i = 0; i < 1100; i++) {
        uint8_t answer[1024];
        assert_int_equal(ask(sealer, FAKE_ECHO, answer), ANSWER);
        memcpy(answers[i], answer, ANSWER);
    }
    const struct {
        uint32_t index;
        csn_err error;
    } steps[] = {{50, CSN_OK},         {3, CSN_OK},           {3, CSN_ERR_REPLAY},
                 {50, CSN_ERR_REPLAY}, {1099, CSN_OK},        {75, CSN_ERR_REPLAY},
                 {60, CSN_ERR_REPLAY}, {76, CSN_OK},          {76, CSN_ERR_REPLAY},
                 {1098, CSN_OK},       {1099, CSN_ERR_REPLAY}};
    for (uint32_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(open_bytes(sealer, answers[steps[i].index], ANSWER), steps[i].error);
    }
    /* In one batch as well. */
    uint8_t payloads[3][1024];
    struct csv_open_item items[3];
    for (uint32_t i = 0; i < 3; i++) {
        items[i] = (struct csv_open_item){
            .record = answers[i == 1 ? 500 : 501], .size = ANSWER, .payload = payloads[i]};
    }
    assert_int_equal(csv_reply_open_batch(sealer, items, 3), CSN_OK);
    assert_int_equal(items[0].result, CSN_OK);
    assert_int_equal(items[1].result, CSN_OK);
    assert_int_equal(items[2].result, CSN_ERR_REPLAY);
    csv_sealer_destroy(sealer);
}

/* The answer to one context is nothing to another, whatever handle a host writes over it. */
static void of_another_context(void **state)
{
    (void)state;
    static struct fake_tenant second;
    uint8_t answer[1024];
    fake_tenant_new(&second);
    fake_grant(&fake, &second, 1);
    struct csv_sealer *asker = begin_short(&tenant);
    struct csv_sealer *others[2] = {begin_short(&tenant), begin_short(&second)};
    const uint32_t handles[2] = {1, fake.manifest.context_count_max};
    for (uint32_t i = 0; i < 2; i++) {
        ask(others[i], FAKE_ECHO, answer); /* so that it has asked for something */
        assert_int_equal(ask(asker, FAKE_ECHO, answer), ANSWER);
        assert_int_equal(open_bytes(others[i], answer, ANSWER), CSN_ERR_UNKNOWN);
        struct csn_wire_short head;
        memcpy(&head, answer, sizeof head);
        head.handle = CSN_WIRE_SHORT | handles[i];
        memcpy(answer, &head, sizeof head);
        assert_int_equal(open_bytes(others[i], answer, ANSWER), CSN_ERR_AUTH);
    }
    for (uint32_t i = 0; i < 2; i++) {
        csv_sealer_destroy(others[i]);
    }
    csv_sealer_destroy(asker);
}

/* A request is no answer and an answer is no request. */
static void reflected(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t answer[1024];
    static uint8_t payload[256];
    uint32_t size = solo_seal(sealer, FAKE_ECHO, payload, sizeof payload);
    assert_int_equal(open_bytes(sealer, record, size), CSN_ERR_AUTH);
    /* With scale 16 a class's answer is as long as the class: nothing but the key tells. */
    csv_sealer_destroy(sealer);
    fake_stop(&fake);
    fake_start(&fake,
               &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC, .output_scale = 16});
    fake_grant(&fake, &tenant, 1);
    sealer = begin_short(&tenant);
    assert_int_equal(ask(sealer, FAKE_ECHO, answer), 16 + 80 + 16);
    assert_int_equal(fake_one(&fake, answer, 16 + 80 + 16)->code, CSN_WIRE_REJECT_AUTH);
    assert_int_equal(open_bytes(sealer, answer, 16 + 80 + 16), CSN_OK);
    csv_sealer_destroy(sealer);
}

/* A second hello ends the first's key; what an older hello brought changes nothing any more. */
static void second_hello(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    static uint8_t hellos[3][1024];
    static uint8_t first_answer[1024];
    uint8_t before[1024];
    uint8_t after[1024];
    uint8_t salt[16];
    uint32_t size = 0;
    assert_int_equal(csv_seal_hello(sealer, hellos[0], 1024, &size), CSN_OK);
    const struct fake_answer *answer = fake_one(&fake, hellos[0], size);
    uint32_t answer_size = answer->size;
    memcpy(first_answer, answer->body, answer_size);
    assert_int_equal(open_bytes(sealer, first_answer, answer_size), CSN_OK);
    csv_sealer_short(sealer, result.handle);
    assert_int_equal(open_bytes(sealer, first_answer, answer_size), CSN_ERR_REPLAY);
    ask(sealer, FAKE_ECHO, before);
    assert_int_equal(open_bytes(sealer, before, ANSWER), CSN_OK);
    memcpy(salt, cached(0)->replier.about.salt, 16);
    solo_short(sealer);
    assert_memory_not_equal(salt, cached(0)->replier.about.salt, 16);
    assert_int_equal(cached(0)->replier.counter, 0);
    ask(sealer, FAKE_ECHO, after); /* counter 0 again, under another key */
    assert_int_equal(open_bytes(sealer, before, ANSWER), CSN_ERR_AUTH);
    assert_int_equal(open_bytes(sealer, first_answer, answer_size), CSN_ERR_REPLAY);
    assert_int_equal(open_bytes(sealer, after, ANSWER), CSN_OK);
    assert_int_equal(open_bytes(sealer, after, ANSWER), CSN_ERR_REPLAY);
    /* The host says the first hello again: a new key there, which nobody takes for the current. */
    answer = fake_one(&fake, hellos[0], size);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_int_equal(open_bytes(sealer, answer->body, answer->size), CSN_ERR_REPLAY);
    solo_short(sealer);
    ask(sealer, FAKE_ECHO, after);
    assert_int_equal(open_bytes(sealer, after, ANSWER), CSN_OK);
    csv_sealer_destroy(sealer);
}

/* A record that the host delivers twice is answered twice, under two counters. */
static void delivered_twice(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t first[1024];
    ask(sealer, FAKE_ECHO, first);
    const struct fake_answer *answer = fake_one(&fake, record, 16 + 80 + 16);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_memory_not_equal(first, answer->body, 16);
    assert_memory_not_equal(first + 16, answer->body + 16, 32);
    assert_int_equal(open_bytes(sealer, first, ANSWER), CSN_OK);
    assert_int_equal(open_bytes(sealer, answer->body, ANSWER), CSN_OK);
    assert_int_equal(result.sequence, 0);
    csv_sealer_destroy(sealer);
}

/* A grant ends handles; after the next hello nothing of the old one opens. */
static void after_a_grant(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t before[1024];
    uint8_t after[1024];
    ask(sealer, FAKE_ECHO, before);
    fake_grant(&fake, &tenant, 2);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_REJECT_KEY);
    /* A full record brings the context back, but no handle. */
    csv_sealer_full(sealer);
    uint32_t full = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    assert_int_equal(fake_one(&fake, record, full)->code, CSN_WIRE_DONE);
    csv_sealer_short(sealer, 0);
    size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_REJECT_KEY);
    solo_short(sealer);
    ask(sealer, FAKE_ECHO, after);
    assert_int_equal(open_bytes(sealer, before, ANSWER), CSN_ERR_AUTH);
    assert_int_equal(open_bytes(sealer, after, ANSWER), CSN_OK);
    assert_int_equal(result.grant_version, 2);
    assert_memory_equal(result.grant_digest, tenant.grant.digest, 32);
    csv_sealer_destroy(sealer);
}

/* Seals an answer with the context's own key, as a faulty enclave might. */
static void forge(uint64_t counter, const struct csn_wire_short_result *brief, uint8_t last,
                  uint8_t answer[ANSWER])
{
    const struct cse_replier *replier = &cached(0)->replier;
    struct csn_wire_short_aad aad = {
        .header = {.handle = CSN_WIRE_SHORT, .cipher_size = 16 + 272, .sequence = counter}};
    memcpy(aad.context_id, replier->about.id, 32);
    memset(answer, 0, ANSWER);
    memcpy(answer, &aad.header, 16);
    memcpy(answer + 16, brief, 16);
    answer[16 + 16 + 272 - 1] = last;
    struct csn_gcm_item item = {.key = &replier->key.key,
                                .aad = (const uint8_t *)&aad,
                                .aad_size = sizeof aad,
                                .size = 16 + 272,
                                .input = answer + 16,
                                .output = answer + 16,
                                .tag = answer + 16 + 16 + 272};
    csn_aead_nonce(replier->key.iv, counter, item.nonce);
    csn_gcm_seal_batch(&item, 1);
}

static void made_up(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t answer[ANSWER];
    ask(sealer, FAKE_ECHO, opened); /* sequence 0 was sent; 1 was not */
    const struct {
        uint64_t word;
        uint32_t size;
        uint16_t part, part_count;
        csn_err error;
    } made[] = {
        {csn_wire_short_word(0, 0, 4), 0, 0, 1, CSN_ERR_FORMAT}, /* flags that short answers lack */
        {csn_wire_short_word(0, 0, 0x80), 0, 0, 1, CSN_ERR_FORMAT},
        {csn_wire_short_word(0, 1, 3), 0, 0, 1, CSN_ERR_FORMAT}, /* a FIN that is a tombstone */
        {csn_wire_short_word(0, 1, 0), 0, 0, 1, CSN_ERR_FORMAT}, /* refused, and no tombstone */
        {csn_wire_short_word(0, 0, 2), 0, 0, 1,
         CSN_ERR_FORMAT}, /* a tombstone of what was served */
        {csn_wire_short_word(0, CSN_WIRE_STATUS_LAST + 1, 2), 0, 0, 1, CSN_ERR_FORMAT},
        {csn_wire_short_word(0, 0xff, 2), 0, 0, 1, CSN_ERR_FORMAT},
        {0, 273, 0, 1, CSN_ERR_FORMAT},
        {0, UINT32_MAX, 0, 1, CSN_ERR_FORMAT},
        {0, 0, 0, 0, CSN_ERR_FORMAT},
        {0, 0, 1, 1, CSN_ERR_FORMAT},
        {1, 0, 0, 1, CSN_ERR_UNKNOWN},
        {UINT64_C(1) << 32, 0, 0, 1, CSN_ERR_UNKNOWN},
        {CSN_WIRE_SEQUENCE_LAST, 0, 0, 1, CSN_ERR_UNKNOWN},
        {csn_wire_short_word(0, CSN_WIRE_STATUS_LAST, 2), UINT32_MAX, 65534, 65535, CSN_OK},
        {csn_wire_short_word(0, 0, 1), 272, 0, 1, CSN_OK},
        {0, 0, 0, 1, CSN_OK},
    };
    for (uint32_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        const struct csn_wire_short_result brief = {made[i].word, made[i].size, made[i].part,
                                                    made[i].part_count};
        forge(100 + i, &brief, 0, answer);
        assert_int_equal(open_bytes(sealer, answer, ANSWER), made[i].error);
    }
    assert_int_equal(result.detail, 0);
    const struct csn_wire_short_result stone = {csn_wire_short_word(0, 4, 2), 9, 0, 1};
    const struct csn_wire_short_result good = {0, 271, 0, 1};
    forge(200, &stone, 0, answer);
    assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_OK);
    assert_int_equal(result.status, 4);
    assert_int_equal(result.detail, 9);
    assert_int_equal(opened_size, 0);
    forge(201, &stone, 1, answer); /* a tombstone has no payload, whatever its detail */
    assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_ERR_FORMAT);
    forge(202, &good, 1, answer); /* padding */
    assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_ERR_FORMAT);
    forge(203, &good, 0, answer);
    assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_OK);
    csv_sealer_destroy(sealer);
}

/* A status that short answers have no place for becomes one that they have. */
static void any_status(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t answer[1024];
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(ask(sealer, FAKE_STATUS, answer), ANSWER);
        assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_OK);
        assert_int_equal(result.status, CSN_WIRE_STATUS_INTERNAL);
        assert_int_equal(result.flags, CSN_WIRE_RESULT_TOMBSTONE);
        assert_int_equal(result.sequence, i);
    }
    csv_sealer_destroy(sealer);
}

/* What a host makes of a body of the out ring. */
static void bodies(void **state)
{
    (void)state;
    struct csn_wire_answer answer;
    uint32_t begin;
    const uint32_t word[] = {CSN_WIRE_PONG, 4, 7, CSN_WIRE_SHORT | 5};
    assert_true(csn_wire_answer_read(word, 12, &answer, &begin));
    assert_int_equal(answer.code, CSN_WIRE_PONG);
    assert_int_equal(answer.size, 4);
    assert_int_equal(begin, 8);
    for (uint32_t size = 0; size <= 16; size++) {
        assert_true(csn_wire_answer_read(word, size, &answer, &begin) == (size == 12));
        assert_true(size == 12 || (answer.code == CSN_WIRE_REJECT_FRAMING && answer.size == 0));
    }
    assert_false(csn_wire_answer_read(word + 3, 4, &answer, &begin));
    const uint32_t alone[] = {CSN_WIRE_SHORT, 0xffffffff, 1};
    assert_true(csn_wire_answer_read(alone, 12, &answer, &begin));
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(answer.size, 12);
    assert_int_equal(begin, 0);
}

/* What the classes are: 80 and 2^k + 16 from 272 on, and the smallest that holds a size. */
static void classes(void **state)
{
    (void)state;
    uint32_t index = 0;
    assert_int_equal(csn_wire_input_class(0), 80);
    for (uint32_t i = 1; i < CSN_WIRE_CLASS_COUNT; i++) {
        assert_int_equal(csn_wire_input_class(i), (UINT32_C(1) << (i + 7)) + 16);
    }
    assert_int_equal(csn_wire_input_class(CSN_WIRE_CLASS_COUNT - 1), CSN_WIRE_CLASS_LARGEST);
    for (uint32_t size = 0; size < 70000; size++) {
        index += index < CSN_WIRE_CLASS_COUNT && size > csn_wire_input_class(index);
        assert_int_equal(csn_wire_class_for(size), index);
    }
    for (uint32_t bit = 17; bit < 32; bit++) {
        assert_int_equal(csn_wire_class_for(UINT32_C(1) << bit), CSN_WIRE_CLASS_COUNT);
    }
    assert_int_equal(csn_wire_class_for(UINT32_MAX), CSN_WIRE_CLASS_COUNT);
}

/* Without a hello no short answer opens. */
static void without_hello(void **state)
{
    (void)state;
    struct csv_sealer *asker = begin_short(&tenant);
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    uint8_t answer[1024];
    ask(asker, FAKE_ECHO, answer);
    assert_int_equal(open_bytes(sealer, answer, ANSWER), CSN_ERR_UNKNOWN);
    csv_sealer_destroy(asker);
    csv_sealer_destroy(sealer);
}

/* ---- keys that change under answers that wait ---- */

/* 2^20 answers, then a key of the next epoch; what was late of the last one still opens. */
static void epochs(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    uint8_t answers[5][1024];
    uint8_t batch[3][256];
    struct fake_message messages[3];
    struct csn_wire_short head;
    cached(0)->replier.counter = CSN_WIRE_SALT_RECORDS_MAX - 3; /* a record has up to 2 answers */
    for (uint32_t i = 0; i < 3; i++) {
        messages[i] = (struct fake_message){batch[i], solo_seal(sealer, FAKE_ECHO, &i, 4)};
        memcpy(batch[i], record, messages[i].size);
    }
    fake_send(&fake, messages, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(fake.answers[i].size, ANSWER);
        memcpy(answers[i], fake.answers[i].body, ANSWER);
    }
    ask(sealer, FAKE_ECHO, answers[3]);
    memcpy(&head, answers[1], sizeof head);
    assert_int_equal(head.sequence, CSN_WIRE_SALT_RECORDS_MAX - 2);
    memcpy(&head, answers[2], sizeof head);
    assert_int_equal(head.sequence, CSN_WIRE_SALT_RECORDS_MAX);
    /* A made-up epoch moves nothing. */
    head.sequence = UINT64_C(7) << 30;
    memcpy(answers[4], answers[3], ANSWER);
    memcpy(answers[4], &head, sizeof head);
    assert_int_equal(open_bytes(sealer, answers[0], ANSWER), CSN_OK);
    assert_int_equal(open_bytes(sealer, answers[4], ANSWER), CSN_ERR_AUTH);
    assert_int_equal(sealer->replies.epoch, 0);
    assert_int_equal(open_bytes(sealer, answers[2], ANSWER), CSN_OK);
    assert_int_equal(sealer->replies.epoch, 1);
    assert_int_equal(open_bytes(sealer, answers[1], ANSWER), CSN_OK);
    assert_int_equal(sealer->replies.epoch, 1); /* a key is derived for one answer alone again */
    assert_int_equal(open_bytes(sealer, answers[1], ANSWER), CSN_ERR_REPLAY);
    assert_int_equal(open_bytes(sealer, answers[3], ANSWER), CSN_OK);
    assert_int_equal(open_bytes(sealer, answers[2], ANSWER), CSN_ERR_REPLAY);
    csv_sealer_destroy(sealer);
}

/* A hello behind short records, in their batch: they are sealed under the key that they had. */
static void hello_behind(void **state)
{
    (void)state;
    struct csv_sealer *sealer = begin_short(&tenant);
    static uint8_t batch[3][1024];
    struct fake_message messages[3];
    for (uint32_t i = 0; i < 3; i++) {
        messages[i].bytes = batch[i];
        if (i == 1) {
            assert_int_equal(csv_seal_hello(sealer, batch[i], 1024, &messages[i].size), CSN_OK);
            continue;
        }
        messages[i].size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
        memcpy(batch[i], record, messages[i].size);
    }
    fake_send(&fake, messages, 3);
    assert_int_equal(fake.answer_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(open_bytes(sealer, fake.answers[i].body, fake.answers[i].size), CSN_OK);
    }
    csv_sealer_destroy(sealer);
}

/* A context whose answer waits is evicted by records behind it: the answer opens all the same. */
static void evicted_behind(void **state)
{
    (void)state;
    static uint8_t batch[6][1024];
    struct fake_message messages[6];
    const uint32_t challenge = CSN_WIRE_CHALLENGE; /* ends a run of records */
    fake_stop(&fake);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .context_count_max = 4});
    fake_grant(&fake, &tenant, 1);
    struct csv_sealer *sealer = begin_short(&tenant);
    messages[0] = (struct fake_message){batch[0], solo_seal(sealer, FAKE_ECHO, "abc", 3)};
    memcpy(batch[0], record, messages[0].size);
    messages[1] = (struct fake_message){&challenge, sizeof challenge};
    for (uint32_t i = 2; i < 6; i++) {
        struct csv_sealer *crowd = solo_sealer(&tenant, &tenant.replier, NULL);
        messages[i] = (struct fake_message){batch[i], solo_seal(crowd, FAKE_ECHO, "abc", 3)};
        memcpy(batch[i], record, messages[i].size);
        csv_sealer_destroy(crowd);
    }
    fake_send(&fake, messages, 6);
    assert_int_equal(fake.answer_count, 6);
    assert_int_equal(open_bytes(sealer, fake.answers[0].body, fake.answers[0].size), CSN_OK);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    uint32_t code = fake_one(&fake, record, size)->code;
    assert_true(code == CSN_WIRE_REJECT_KEY || code == CSN_WIRE_REJECT_AUTH); /* it is gone */
    csv_sealer_destroy(sealer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(served_and_refused, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(as_documented, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(second_hello, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(made_up, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(any_status, solo_start, solo_stop),
        cmocka_unit_test(bodies),
        cmocka_unit_test(classes),
        cmocka_unit_test_setup_teardown(delivered_twice, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(several_parts, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(to_consumer, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(of_another_context, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(reflected, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(after_a_grant, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(without_hello, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(epochs, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(hello_behind, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(evicted_behind, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(sizes_of_the_manifest, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(every_bit, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(repeated_and_reordered, solo_start, solo_stop),
    };
    if (csv_client_init() != CSN_OK) {
        return 1;
    }
    memset(untouched, 0xaa, sizeof untouched);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
