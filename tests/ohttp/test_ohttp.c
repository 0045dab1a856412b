/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ohttp.c: RFC 9458's example, the chunked draft's, and what Firefox and three JavaScript
 * libraries sealed; then both ends against each other, and everything that must be refused.
 */
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <ohttp/bhttp.h>
#include <ohttp/ohttp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include "../crypto/vectors.h"
#include <cmocka.h>

#define ROOM 40000u

static cJSON *load(const char *name)
{
    cJSON *root = vector_load(name);
    if (root == NULL) {
        printf("# skipped: %s is not there (CAISSON_SHARED)\n", name);
        skip();
    }
    return root;
}

static struct csn_ohttp_key key_of(const cJSON *vector, const char *secret, const char *id)
{
    struct csn_ohttp_key key = {.key_id = (uint8_t)vector_number(vector, id)};
    struct vector_bytes bytes = vector_hex(vector, secret);
    assert_int_equal(bytes.size, 32);
    memcpy(key.secret_key, bytes.bytes, 32);
    csn_x25519_public(key.public_key, key.secret_key);
    vector_free(&bytes);
    return key;
}

static void expect(const uint8_t *bytes, size_t size, const cJSON *vector, const char *name)
{
    struct vector_bytes wanted = vector_hex(vector, name);
    assert_int_equal(size, wanted.size);
    assert_memory_equal(bytes, wanted.bytes, size);
    vector_free(&wanted);
}

/* ---- whole messages ---- */

/* Opens a foreign request as a gateway, then the foreign gateway's answer as that client. */
static void check_exchange(const cJSON *vector, const char *request, const char *response)
{
    struct csn_ohttp_key key = key_of(vector, "skR", "key_id");
    struct vector_bytes sealed = vector_hex(vector, "encapsulated_request");
    struct vector_bytes reply = vector_hex(vector, "encapsulated_response");
    struct csn_ohttp_exchange exchange;
    struct csn_ohttp_answer answer;
    static uint8_t plain[ROOM];
    uint32_t size = (uint32_t)sealed.size - CSN_OHTTP_HEAD_SIZE;
    assert_int_equal(csn_ohttp_receive(&exchange, &key, CSN_OHTTP_WHOLE, sealed.bytes), CSN_OK);
    assert_int_equal(
        csn_ohttp_open(&exchange, true, sealed.bytes + CSN_OHTTP_HEAD_SIZE, size, plain), CSN_OK);
    expect(plain, size - CSN_OHTTP_TAG_SIZE, vector, request);
    uint32_t nonce_size = csn_ohttp_nonce_size(&exchange);
    size = (uint32_t)reply.size - nonce_size;
    csn_ohttp_answer(&exchange, reply.bytes, &answer);
    assert_int_equal(csn_ohttp_answer_open(&answer, true, reply.bytes + nonce_size, size, plain),
                     CSN_OK);
    expect(plain, size - CSN_OHTTP_TAG_SIZE, vector, response);
    csn_ohttp_answer(&exchange, reply.bytes, &answer); /* and we make the same bytes */
    static uint8_t made[ROOM];
    assert_int_equal(csn_ohttp_answer_seal(&answer, true, plain, size - CSN_OHTTP_TAG_SIZE, made),
                     CSN_OK);
    assert_memory_equal(made, reply.bytes + nonce_size, size);
    vector_free(&sealed), vector_free(&reply);
}

static void test_rfc9458(void **state)
{
    (void)state;
    cJSON *vector = load("ohttp/rfc9458-appendix-a.json");
    struct vector_bytes config_bytes = vector_hex(vector, "key_config");
    struct vector_bytes ephemeral = vector_hex(vector, "skE");
    struct vector_bytes request = vector_hex(vector, "request_bhttp");
    struct csn_ohttp_config config;
    struct csn_ohttp_exchange exchange;
    uint8_t sealed[200];
    assert_int_equal(
        csn_ohttp_config_read(config_bytes.bytes, (uint32_t)config_bytes.size, &config), CSN_OK);
    assert_int_equal(config.key_id, 1);
    assert_int_equal(config.aeads, 1 << CSN_AEAD_AES_128_GCM | 1 << CSN_AEAD_CHACHA20_POLY1305);
    assert_int_equal(csn_ohttp_send(&exchange, &config, CSN_AEAD_AES_256_GCM, CSN_OHTTP_WHOLE,
                                    ephemeral.bytes, sealed),
                     CSN_ERR_SUITE); /* not offered */
    assert_int_equal(csn_ohttp_send(&exchange, &config, CSN_AEAD_AES_128_GCM, CSN_OHTTP_WHOLE,
                                    ephemeral.bytes, sealed),
                     CSN_OK);
    assert_int_equal(csn_ohttp_seal(&exchange, true, request.bytes, (uint32_t)request.size,
                                    sealed + CSN_OHTTP_HEAD_SIZE),
                     CSN_OK);
    expect(sealed, CSN_OHTTP_HEAD_SIZE + request.size + CSN_OHTTP_TAG_SIZE, vector,
           "encapsulated_request");
    check_exchange(vector, "request_bhttp", "response_bhttp");
    vector_free(&config_bytes), vector_free(&ephemeral), vector_free(&request);
    cJSON_Delete(vector);
}

static void check_bhttp(const cJSON *vector, const char *name)
{
    struct vector_bytes bytes = vector_hex(vector, name);
    struct csn_bhttp_message message;
    uint32_t fault;
    assert_int_equal(csn_bhttp_read(bytes.bytes, (uint32_t)bytes.size, &message, &fault), CSN_OK);
    vector_free(&bytes);
}

static int run_exchanges(const char *file)
{
    cJSON *root = load(file);
    const cJSON *vector;
    int count = 0;
    cJSON_ArrayForEach(vector, cJSON_GetObjectItemCaseSensitive(root, "vectors"))
    {
        check_exchange(vector, "request_bhttp", "response_bhttp");
        check_bhttp(vector, "request_bhttp");
        check_bhttp(vector, "response_bhttp");
        count++;
    }
    cJSON_Delete(root);
    printf("# %s: %d exchanges\n", file, count);
    return count;
}

static void test_firefox(void **state)
{
    (void)state;
    assert_int_equal(run_exchanges("ohttp/firefox-esr-exchanges.json"), 12);
}

static void test_npm(void **state)
{
    (void)state;
    assert_int_equal(run_exchanges("ohttp/ohttp-interop-npm-hpke.json"), 32);
}

/* ---- chunks ---- */

/* Opens all chunks of a body; returns the bytes of plaintext. */
static uint32_t open_chunks(struct csn_ohttp_exchange *exchange, struct csn_ohttp_answer *answer,
                            const uint8_t *body, uint32_t size, uint8_t *plain, int *count)
{
    struct csn_ohttp_chunk chunk = {0};
    uint32_t done = 0;
    for (*count = 0; !chunk.final; (*count)++) {
        assert_int_equal(csn_ohttp_chunk_find(body, size, chunk.end, true, ROOM, &chunk), CSN_OK);
        const uint8_t *sealed = body + chunk.offset;
        csn_err result =
            exchange != NULL
                ? csn_ohttp_open(exchange, chunk.final, sealed, chunk.size, plain + done)
                : csn_ohttp_answer_open(answer, chunk.final, sealed, chunk.size, plain + done);
        assert_int_equal(result, CSN_OK);
        done += chunk.size - CSN_OHTTP_TAG_SIZE;
    }
    return done;
}

static void test_draft(void **state)
{
    (void)state;
    cJSON *root = load("ohttp/chunked-ohttp-draft08-appendix-a.json");
    const cJSON *vector = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "vectors"), 0),
                *entry;
    struct csn_ohttp_key key = key_of(vector, "skR", "keyId");
    struct vector_bytes ephemeral = vector_hex(vector, "skE");
    struct csn_ohttp_config config = {.key_id = key.key_id, .aeads = 1 << CSN_AEAD_AES_128_GCM};
    struct csn_ohttp_exchange client, gateway;
    struct csn_ohttp_answer answer;
    uint8_t made[400], plain[400];
    uint32_t size = CSN_OHTTP_HEAD_SIZE;
    int count;
    memcpy(config.public_key, key.public_key, 32);
    assert_int_equal(csn_ohttp_send(&client, &config, CSN_AEAD_AES_128_GCM, CSN_OHTTP_CHUNKED,
                                    ephemeral.bytes, made),
                     CSN_OK);
    /* The file's plaintexts of chunks are not those of its ciphertexts; the sizes of these are. */
    struct vector_bytes request = vector_hex(vector, "request");
    uint32_t taken = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(vector, "requestChunks"))
    {
        struct vector_bytes cipher = vector_hex(entry, "ciphertext");
        bool final = cJSON_HasObjectItem(entry, "final");
        struct vector_bytes text = {request.bytes + taken, cipher.size - 1 - 16};
        size += csn_ohttp_chunk_head((uint32_t)text.size + 16, final, made + size);
        assert_int_equal(
            csn_ohttp_seal(&client, final, text.bytes, (uint32_t)text.size, made + size), CSN_OK);
        size += (uint32_t)text.size + 16;
        taken += (uint32_t)text.size;
        vector_free(&cipher);
    }
    vector_free(&request);
    expect(made, size, vector, "encapsulatedRequest");
    assert_int_equal(csn_ohttp_receive(&gateway, &key, CSN_OHTTP_CHUNKED, made), CSN_OK);
    uint32_t done = open_chunks(&gateway, NULL, made + CSN_OHTTP_HEAD_SIZE,
                                size - CSN_OHTTP_HEAD_SIZE, plain, &count);
    assert_int_equal(count, 3);
    expect(plain, done, vector, "request");
    struct vector_bytes reply = vector_hex(vector, "encapsulatedResponse");
    uint32_t nonce_size = csn_ohttp_nonce_size(&client);
    csn_ohttp_answer(&client, reply.bytes, &answer);
    done = open_chunks(NULL, &answer, reply.bytes + nonce_size, (uint32_t)reply.size - nonce_size,
                       plain, &count);
    assert_int_equal(count, 3);
    expect(plain, done, vector, "response");
    vector_free(&ephemeral), vector_free(&reply);
    cJSON_Delete(root);
}

static void check_content(uint8_t *plain, uint32_t size, const cJSON *vector, const char *byte,
                          const char *count)
{
    struct csn_bhttp_message message;
    uint32_t fault;
    assert_int_equal(csn_bhttp_read(plain, size, &message, &fault), CSN_OK);
    assert_int_equal(message.content.size, vector_number(vector, count));
    for (uint32_t i = 0; i < message.content.size; i++) {
        assert_int_equal(message.content.bytes[i], vector_text(vector, byte)[0]);
    }
}

static void check_foreign_chunks(const cJSON *vector)
{
    struct csn_ohttp_key key = key_of(vector, "skR", "key_id");
    struct vector_bytes sealed = vector_hex(vector, "encapsulated_request");
    struct vector_bytes reply = vector_hex(vector, "encapsulated_response");
    struct csn_ohttp_exchange exchange;
    struct csn_ohttp_answer answer;
    static uint8_t plain[ROOM];
    int count;
    assert_int_equal(csn_ohttp_receive(&exchange, &key, CSN_OHTTP_CHUNKED, sealed.bytes), CSN_OK);
    uint32_t size = open_chunks(&exchange, NULL, sealed.bytes + CSN_OHTTP_HEAD_SIZE,
                                (uint32_t)sealed.size - CSN_OHTTP_HEAD_SIZE, plain, &count);
    check_content(plain, size, vector, "body_byte", "body_len");
    uint32_t nonce_size = csn_ohttp_nonce_size(&exchange);
    csn_ohttp_answer(&exchange, reply.bytes, &answer);
    size = open_chunks(NULL, &answer, reply.bytes + nonce_size, (uint32_t)reply.size - nonce_size,
                       plain, &count);
    check_content(plain, size, vector, "response_body_byte", "response_body_len");
    vector_free(&sealed), vector_free(&reply);
}

static void test_ohttp_ts(void **state)
{
    (void)state;
    cJSON *root = load("ohttp/ohttp-ts-exchanges.json");
    const cJSON *vector;
    int whole = 0, chunked = 0;
    cJSON_ArrayForEach(vector, cJSON_GetObjectItemCaseSensitive(root, "vectors"))
    {
        if (strcmp(vector_text(vector, "kind"), "chunked") == 0) {
            check_foreign_chunks(vector);
            chunked++;
        } else {
            check_exchange(vector, "request", "response");
            whole++;
        }
    }
    printf("# ohttp-ts: %d whole, %d chunked\n", whole, chunked);
    assert_int_equal(whole, 8);
    assert_int_equal(chunked, 8);
    cJSON_Delete(root);
}

/* ---- refusals ---- */

struct pair {
    struct csn_ohttp_key key;
    struct csn_ohttp_config config;
    struct csn_ohttp_exchange client, gateway;
    uint8_t head[CSN_OHTTP_HEAD_SIZE];
};

static void start_pair(struct pair *pair, enum csn_aead aead, enum csn_ohttp_form form)
{
    uint8_t ephemeral[32] = {9, 8, 7};
    uint8_t config[CSN_OHTTP_CONFIG_SIZE];
    *pair = (struct pair){.key = {.key_id = 0xa7, .secret_key = {1, 2, 3}}};
    csn_x25519_public(pair->key.public_key, pair->key.secret_key);
    csn_ohttp_config_write(pair->key.key_id, pair->key.public_key, config);
    assert_int_equal(csn_ohttp_config_read(config, sizeof config, &pair->config), CSN_OK);
    assert_int_equal(pair->config.aeads, 0x0e);
    assert_int_equal(
        csn_ohttp_send(&pair->client, &pair->config, aead, form, ephemeral, pair->head), CSN_OK);
}

static void test_heads(void **state)
{
    (void)state;
    struct pair pair;
    static const struct {
        uint32_t at;
        uint8_t flip;
        csn_err expected;
    } cases[] = {
        {0, 1, CSN_ERR_UNKNOWN}, {1, 1, CSN_ERR_SUITE}, {2, 0x10, CSN_ERR_SUITE},
        {3, 1, CSN_ERR_SUITE},   {4, 3, CSN_ERR_SUITE}, {5, 1, CSN_ERR_SUITE},
        {6, 6, CSN_ERR_SUITE}, /* AEAD 4 */
    };
    start_pair(&pair, CSN_AEAD_AES_256_GCM, CSN_OHTTP_WHOLE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t head[CSN_OHTTP_HEAD_SIZE];
        memcpy(head, pair.head, sizeof head);
        head[cases[i].at] ^= cases[i].flip;
        assert_int_equal(csn_ohttp_receive(&pair.gateway, &pair.key, CSN_OHTTP_WHOLE, head),
                         cases[i].expected);
    }
    memset(pair.head + 7, 0, 32); /* a low-order point */
    assert_int_equal(csn_ohttp_receive(&pair.gateway, &pair.key, CSN_OHTTP_WHOLE, pair.head),
                     CSN_ERR_AUTH);
    memset(pair.config.public_key, 0, 32);
    uint8_t ephemeral[32] = {5};
    assert_int_equal(csn_ohttp_send(&pair.client, &pair.config, CSN_AEAD_AES_128_GCM,
                                    CSN_OHTTP_WHOLE, ephemeral, pair.head),
                     CSN_ERR_AUTH);
}

/* Whatever is changed, also the AEAD or the form that both sides think of, does not open. */
static void test_forgeries(void **state)
{
    (void)state;
    struct pair pair;
    uint8_t sealed[3 + 16], plain[3];
    start_pair(&pair, CSN_AEAD_CHACHA20_POLY1305, CSN_OHTTP_WHOLE);
    assert_int_equal(csn_ohttp_seal(&pair.client, true, (const uint8_t *)"abc", 3, sealed), CSN_OK);
    assert_int_equal(csn_ohttp_seal(&pair.client, true, (const uint8_t *)"abc", 3, plain),
                     CSN_ERR_STATE); /* a request is one message */
    for (uint32_t i = 0; i < sizeof sealed; i++) {
        assert_int_equal(csn_ohttp_receive(&pair.gateway, &pair.key, CSN_OHTTP_WHOLE, pair.head),
                         CSN_OK);
        sealed[i] ^= 1;
        assert_int_equal(csn_ohttp_open(&pair.gateway, true, sealed, sizeof sealed, plain),
                         CSN_ERR_AUTH);
        sealed[i] ^= 1;
    }
    assert_int_equal(csn_ohttp_open(&pair.gateway, true, sealed, 15, plain), CSN_ERR_FORMAT);
    assert_int_equal(csn_ohttp_receive(&pair.gateway, &pair.key, CSN_OHTTP_CHUNKED, pair.head),
                     CSN_OK);
    assert_int_equal(csn_ohttp_open(&pair.gateway, false, sealed, sizeof sealed, plain),
                     CSN_ERR_AUTH); /* a whole request is no chunk */
    pair.head[6] = CSN_AEAD_AES_256_GCM;
    assert_int_equal(csn_ohttp_receive(&pair.gateway, &pair.key, CSN_OHTTP_WHOLE, pair.head),
                     CSN_OK);
    assert_int_equal(csn_ohttp_open(&pair.gateway, true, sealed, sizeof sealed, plain),
                     CSN_ERR_AUTH);
}

static void test_chunk_order(void **state)
{
    (void)state;
    struct pair pair;
    uint8_t sealed[3][1 + 16], plain[1];
    start_pair(&pair, CSN_AEAD_AES_256_GCM, CSN_OHTTP_CHUNKED);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(
            csn_ohttp_seal(&pair.client, i == 2, (const uint8_t *)"abc" + i, 1, sealed[i]), CSN_OK);
    }
    struct csn_ohttp_exchange *gateway = &pair.gateway;
    assert_int_equal(csn_ohttp_receive(gateway, &pair.key, CSN_OHTTP_CHUNKED, pair.head), CSN_OK);
    assert_int_equal(csn_ohttp_open(gateway, false, sealed[1], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_open(gateway, true, sealed[0], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_open(gateway, false, sealed[0], 17, plain), CSN_OK);
    assert_int_equal(csn_ohttp_open(gateway, false, sealed[0], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_open(gateway, false, sealed[1], 17, plain), CSN_OK);
    assert_int_equal(csn_ohttp_open(gateway, false, sealed[2], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_open(gateway, true, sealed[2], 17, plain), CSN_OK);
    assert_int_equal(plain[0], 'c');
    assert_int_equal(csn_ohttp_open(gateway, true, sealed[2], 17, plain), CSN_ERR_STATE);

    struct csn_ohttp_answer answers[2];
    const uint8_t nonce[32] = {4, 5, 6};
    csn_ohttp_answer(&pair.client, nonce, &answers[0]);
    csn_ohttp_answer(gateway, nonce, &answers[1]);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(
            csn_ohttp_answer_seal(&answers[1], i == 2, (const uint8_t *)"xyz" + i, 1, sealed[i]),
            CSN_OK);
    }
    assert_int_equal(csn_ohttp_answer_seal(&answers[1], true, plain, 1, sealed[0]), CSN_ERR_STATE);
    assert_int_equal(csn_ohttp_answer_open(&answers[0], false, sealed[1], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_answer_open(&answers[0], true, sealed[0], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_answer_open(&answers[0], false, sealed[0], 17, plain), CSN_OK);
    assert_int_equal(csn_ohttp_answer_open(&answers[0], false, sealed[1], 17, plain), CSN_OK);
    assert_int_equal(csn_ohttp_answer_open(&answers[0], false, sealed[2], 17, plain), CSN_ERR_AUTH);
    assert_int_equal(csn_ohttp_answer_open(&answers[0], true, sealed[2], 17, plain), CSN_OK);
    assert_int_equal(plain[0], 'z');
    assert_int_equal(csn_ohttp_answer_open(&answers[0], true, sealed[2], 17, plain), CSN_ERR_STATE);
    answers[0] = (struct csn_ohttp_answer){.aead = CSN_AEAD_AES_256_GCM, .counter = UINT64_MAX};
    assert_int_equal(csn_ohttp_answer_seal(&answers[0], true, plain, 1, sealed[0]), CSN_ERR_LIMIT);
}

/* An answer opens for the exchange that asked, under its own nonce, and for no other. */
static void test_answers_of_others(void **state)
{
    (void)state;
    struct pair pair;
    struct csn_ohttp_exchange other;
    struct csn_ohttp_answer answer;
    uint8_t nonce[32] = {1}, sealed[2 + 16], plain[2], head[CSN_OHTTP_HEAD_SIZE];
    uint8_t ephemeral[32] = {77};
    start_pair(&pair, CSN_AEAD_AES_128_GCM, CSN_OHTTP_WHOLE);
    assert_int_equal(csn_ohttp_nonce_size(&pair.client), 16);
    assert_int_equal(csn_ohttp_receive(&pair.gateway, &pair.key, CSN_OHTTP_WHOLE, pair.head), 0);
    csn_ohttp_answer(&pair.gateway, nonce, &answer);
    assert_int_equal(csn_ohttp_answer_seal(&answer, true, (const uint8_t *)"ok", 2, sealed), 0);
    assert_int_equal(csn_ohttp_send(&other, &pair.config, CSN_AEAD_AES_128_GCM, CSN_OHTTP_WHOLE,
                                    ephemeral, head),
                     CSN_OK);
    csn_ohttp_answer(&other, nonce, &answer);
    assert_int_equal(csn_ohttp_answer_open(&answer, true, sealed, sizeof sealed, plain),
                     CSN_ERR_AUTH);
    nonce[15] ^= 1;
    csn_ohttp_answer(&pair.client, nonce, &answer);
    assert_int_equal(csn_ohttp_answer_open(&answer, true, sealed, sizeof sealed, plain),
                     CSN_ERR_AUTH);
    nonce[15] ^= 1;
    csn_ohttp_answer(&pair.client, nonce, &answer);
    assert_int_equal(csn_ohttp_answer_open(&answer, true, sealed, 15, plain), CSN_ERR_FORMAT);
    assert_int_equal(csn_ohttp_answer_open(&answer, true, sealed, sizeof sealed, plain), CSN_OK);
    assert_memory_equal(plain, "ok", 2);
}

static void test_configs(void **state)
{
    (void)state;
    uint8_t list[2 * (2 + CSN_OHTTP_CONFIG_SIZE)], *config = list + 2;
    const uint8_t public_key[32] = {3, 1, 4};
    struct csn_ohttp_config read;
    uint32_t offset = 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *at = list + i * (2 + CSN_OHTTP_CONFIG_SIZE);
        at[0] = 0, at[1] = CSN_OHTTP_CONFIG_SIZE;
        csn_ohttp_config_write((uint8_t)(i + 1), public_key, at + 2);
    }
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(csn_ohttp_keys_next(list, sizeof list, &offset, &read), CSN_OK);
        assert_int_equal(read.key_id, i + 1);
        assert_memory_equal(read.public_key, public_key, 32);
    }
    assert_int_equal(csn_ohttp_keys_next(list, sizeof list, &offset, &read), CSN_AGAIN);
    for (uint32_t size = 1; size < sizeof list; size++) { /* cut anywhere but between two */
        csn_err result = CSN_OK;
        uint32_t count = 0;
        for (offset = 0; result == CSN_OK; count += result == CSN_OK) {
            result = csn_ohttp_keys_next(list, size, &offset, &read);
        }
        assert_int_equal(count, size / (2 + CSN_OHTTP_CONFIG_SIZE));
        assert_int_equal(result, size == 2 + CSN_OHTTP_CONFIG_SIZE ? CSN_AGAIN : CSN_ERR_FORMAT);
    }
    config[2] = 0x10; /* P-256: skipped, and the next one is found */
    offset = 0;
    assert_int_equal(csn_ohttp_keys_next(list, sizeof list, &offset, &read), CSN_ERR_SUITE);
    assert_int_equal(csn_ohttp_keys_next(list, sizeof list, &offset, &read), CSN_OK);
    config[2] = 0x20;
    config[36] = 11; /* pairs that do not fill it */
    assert_int_equal(csn_ohttp_config_read(config, CSN_OHTTP_CONFIG_SIZE, &read), CSN_ERR_FORMAT);
    config[36] = 12;
    assert_int_equal(csn_ohttp_config_read(config, 2, &read), CSN_ERR_FORMAT);
    assert_int_equal(csn_ohttp_config_read(config, 34, &read), CSN_ERR_FORMAT);
    for (uint32_t i = 0; i < 3; i++) {
        config[38 + 4 * i] = 2; /* HKDF-SHA384 */
    }
    assert_int_equal(csn_ohttp_config_read(config, CSN_OHTTP_CONFIG_SIZE, &read), CSN_ERR_SUITE);
    config[42] = 1; /* the middle one is ours again */
    assert_int_equal(csn_ohttp_config_read(config, CSN_OHTTP_CONFIG_SIZE, &read), CSN_OK);
    assert_int_equal(read.aeads, 1 << CSN_AEAD_AES_256_GCM);
}

static void test_chunk_framing(void **state)
{
    (void)state;
    uint8_t body[64] = {16}; /* one chunk of 16 bytes, then the final one of 20 */
    struct csn_ohttp_chunk chunk;
    const uint32_t size = 1 + 16 + 1 + 20;
    assert_int_equal(csn_ohttp_chunk_find(body, size, 0, true, 64, &chunk), CSN_OK);
    assert_true(chunk.offset == 1 && chunk.size == 16 && chunk.end == 17 && !chunk.final);
    assert_int_equal(csn_ohttp_chunk_find(body, size, 17, false, 64, &chunk), CSN_AGAIN);
    assert_int_equal(csn_ohttp_chunk_find(body, size, 17, true, 64, &chunk), CSN_OK);
    assert_true(chunk.offset == 18 && chunk.size == 20 && chunk.end == size && chunk.final);
    assert_int_equal(csn_ohttp_chunk_find(body, size, 17, true, 19, &chunk), CSN_ERR_LIMIT);
    assert_int_equal(csn_ohttp_chunk_find(body, size, 17, false, 19, &chunk), CSN_ERR_LIMIT);
    assert_int_equal(csn_ohttp_chunk_find(body, size, 0, true, 15, &chunk), CSN_ERR_LIMIT);
    assert_int_equal(csn_ohttp_chunk_find(body, 16, 0, false, 64, &chunk), CSN_AGAIN);
    assert_int_equal(csn_ohttp_chunk_find(body, 16, 0, true, 64, &chunk), CSN_ERR_FORMAT);
    assert_int_equal(csn_ohttp_chunk_find(body, 17, 17, true, 64, &chunk), CSN_ERR_FORMAT);
    assert_int_equal(csn_ohttp_chunk_find(body, 17, 17, false, 64, &chunk), CSN_AGAIN);
    assert_int_equal(csn_ohttp_chunk_find(body, 18 + 15, 17, true, 64, &chunk), CSN_ERR_FORMAT);
    body[0] = 15; /* no room for a tag */
    assert_int_equal(csn_ohttp_chunk_find(body, size, 0, true, 64, &chunk), CSN_ERR_FORMAT);
    body[0] = 0xff; /* 2^62 - 1 and more */
    memset(body + 1, 0xff, 7);
    assert_int_equal(csn_ohttp_chunk_find(body, size, 0, true, UINT32_MAX, &chunk), CSN_ERR_LIMIT);
}

int main(void)
{
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t count = vector_kernels(kernels);
    if (count == 0 || csn_cpu_select(kernels[count - 1]) != CSN_OK) {
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc9458),       cmocka_unit_test(test_firefox),
        cmocka_unit_test(test_npm),           cmocka_unit_test(test_draft),
        cmocka_unit_test(test_ohttp_ts),      cmocka_unit_test(test_heads),
        cmocka_unit_test(test_forgeries),     cmocka_unit_test(test_chunk_order),
        cmocka_unit_test(test_configs),       cmocka_unit_test(test_answers_of_others),
        cmocka_unit_test(test_chunk_framing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
