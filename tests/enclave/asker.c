/* SPDX-License-Identifier: Apache-2.0 */
/* asker.c: see asker.h. */
#include "asker.h"
#include "../../src/enclave/request.h"
#include "test.h"
#include <openssl/rand.h>

static struct csn_bhttp_field field_of(const char *name, const char *value)
{
    return (struct csn_bhttp_field){csn_bhttp_text(name), csn_bhttp_text(value)};
}

uint32_t asker_write(const struct ask *ask, const uint8_t *encapsulation, uint8_t *bytes,
                     uint32_t room)
{
    char value[CSN_AUTHORIZE_SIZE_MAX];
    uint32_t size;
    struct csn_bhttp_message message = {
        .method = csn_bhttp_text(ask->method != NULL ? ask->method : "POST"),
        .scheme = csn_bhttp_text("https"),
        .authority = csn_bhttp_text("enclave.example"),
        .path = csn_bhttp_text(ask->path),
        .content = {ask->content, ask->content_size}};
    for (uint32_t i = 0; i < 8 && ask->headers[i] != NULL; i += 2) {
        message.fields[message.header_count++] = field_of(ask->headers[i], ask->headers[i + 1]);
    }
    if (encapsulation != NULL && ask->way != ASK_ANONYMOUS) {
        struct csn_authorization shown = {.way = ask->way != 0 ? ask->way : CSN_AUTHORIZE_REQUEST,
                                          .credential = ask->credential->id};
        memcpy(shown.tenant, ask->credential->tenant, 32);
        struct csn_bhttp_field *field = &message.fields[message.header_count++];
        *field = field_of("authorization", "");
        field->value.size =
            csn_authorize_write(&shown, &message, encapsulation, ask->credential->secret, value);
        field->value.bytes = (const uint8_t *)value;
    }
    assert_int_equal(csn_bhttp_write(&message, bytes, room, &size), CSN_OK);
    if (ask->plain_size != 0) {
        assert_true(size <= ask->plain_size && ask->plain_size <= room);
        memset(bytes + size, 0, ask->plain_size - size);
        size = ask->plain_size;
    }
    return size;
}

static void seal_chunks(struct asker *asker, const uint8_t *plain, uint32_t chunk_size)
{
    uint32_t at = 0;
    bool final = false;
    while (!final) {
        uint32_t left = asker->plain_size - at;
        final = chunk_size == 0 || left <= chunk_size;
        uint32_t part = final ? left : chunk_size;
        asker->size +=
            csn_ohttp_chunk_head(part + CSN_OHTTP_TAG_SIZE, final, asker->message + asker->size);
        assert_true(asker->size + part + CSN_OHTTP_TAG_SIZE <= sizeof asker->message);
        assert_int_equal(
            csn_ohttp_seal(&asker->exchange, final, plain + at, part, asker->message + asker->size),
            CSN_OK);
        asker->size += part + CSN_OHTTP_TAG_SIZE;
        at += part;
    }
}

void asker_seal(struct asker *asker, const struct fake *fake, const struct ask *ask)
{
    static uint8_t plain[FAKE_RECORD_MAX];
    struct csn_ohttp_config config;
    uint8_t ephemeral[32];
    uint32_t offset = 0;
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = (uint16_t)ask->form};
    uint8_t keys[CSN_OHTTP_KEYS_SIZE];
    csn_ohttp_keys_write(&fake->instance.request_key, keys);
    assert_int_equal(csn_ohttp_keys_next(keys, sizeof keys, &offset, &config), CSN_OK);
    assert_int_equal(RAND_bytes(ephemeral, sizeof ephemeral), 1);
    memcpy(asker->message, &head, sizeof head);
    assert_int_equal(csn_ohttp_send(&asker->exchange, &config,
                                    ask->aead != 0 ? ask->aead : CSN_AEAD_AES_128_GCM, ask->form,
                                    ephemeral, asker->message + sizeof head),
                     CSN_OK);
    asker->size = sizeof head + CSN_OHTTP_HEAD_SIZE;
    asker->plain_size = asker_write(ask, asker->exchange.encapsulation, plain, sizeof plain);
    if (ask->form == CSN_OHTTP_CHUNKED) {
        seal_chunks(asker, plain, ask->chunk_size);
        return;
    }
    assert_int_equal(csn_ohttp_seal(&asker->exchange, true, plain, asker->plain_size,
                                    asker->message + asker->size),
                     CSN_OK);
    asker->size += asker->plain_size + CSN_OHTTP_TAG_SIZE;
}

static uint32_t open_chunks(struct asker *asker, struct csn_ohttp_answer *answer, uint32_t start)
{
    struct csn_ohttp_chunk chunk = {.end = start};
    uint32_t size = 0;
    do {
        assert_int_equal(csn_ohttp_chunk_find(asker->answer, asker->answer_size, chunk.end, true,
                                              sizeof asker->answer, &chunk),
                         CSN_OK);
        uint8_t *sealed = asker->answer + chunk.offset;
        assert_int_equal(csn_ohttp_answer_open(answer, chunk.final, sealed, chunk.size, sealed),
                         CSN_OK);
        memmove(asker->answer + size, sealed, chunk.size - CSN_OHTTP_TAG_SIZE);
        size += chunk.size - CSN_OHTTP_TAG_SIZE;
        asker->chunk_count++;
    } while (!chunk.final);
    return size;
}

void asker_open(struct asker *asker, const struct fake *fake, uint64_t tag)
{
    struct csn_ohttp_answer answer;
    uint32_t nonce_size = csn_ohttp_nonce_size(&asker->exchange);
    uint32_t fault;
    bool final = false;
    asker->answer_size = 0;
    asker->chunk_count = 0;
    for (uint32_t i = 0; i < fake->answer_count; i++) {
        const struct fake_answer *part = &fake->answers[i];
        if (part->tag != tag) {
            continue;
        }
        assert_int_equal(part->code, CSN_WIRE_ANSWERED);
        assert_false(final);
        assert_true(asker->answer_size + part->size <= sizeof asker->answer);
        memcpy(asker->answer + asker->answer_size, part->body, part->size);
        asker->answer_size += part->size;
        final = part->final;
    }
    assert_true(final && asker->answer_size > nonce_size);
    uint32_t size = asker->answer_size - nonce_size - CSN_OHTTP_TAG_SIZE;
    csn_ohttp_answer(&asker->exchange, asker->answer, &answer);
    if (asker->exchange.form == CSN_OHTTP_CHUNKED) {
        size = open_chunks(asker, &answer, nonce_size);
    } else {
        uint8_t *sealed = asker->answer + nonce_size;
        assert_int_equal(
            csn_ohttp_answer_open(&answer, true, sealed, size + CSN_OHTTP_TAG_SIZE, sealed),
            CSN_OK);
        memmove(asker->answer, sealed, size);
    }
    assert_int_equal(csn_bhttp_read(asker->answer, size, &asker->response, &fault), CSN_OK);
    assert_true(asker->response.is_response);
}

uint32_t asker_ask(struct asker *asker, struct fake *fake, const struct ask *ask)
{
    asker_seal(asker, fake, ask);
    const struct fake_message message = {asker->message, asker->size};
    fake_send(fake, &message, 1);
    for (uint32_t i = 0; i < fake->answer_count; i++) { /* what the run loop counts on */
        assert_true(sizeof(struct csn_wire_answer) + fake->answers[i].size <=
                    cse_request_bound(&fake->manifest, asker->size));
    }
    asker_open(asker, fake, 0);
    return asker->response.status;
}

bool asker_says(const struct asker *asker, const char *text)
{
    const struct csn_bhttp_text *content = &asker->response.content;
    return memmem(content->bytes, content->size, text, strlen(text)) != NULL;
}

const char *asker_header(const struct asker *asker, const char *name)
{
    static char value[256];
    const struct csn_bhttp_text *text = csn_bhttp_header(&asker->response, name);
    if (text == NULL) {
        return NULL;
    }
    assert_true(text->size < sizeof value);
    memcpy(value, text->bytes, text->size);
    value[text->size] = 0;
    return value;
}
