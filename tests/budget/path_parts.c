/* SPDX-License-Identifier: Apache-2.0 */
/* path_parts.c: GCM, FF1, HMAC, JSON scan and a stranger's request, each alone. */
#include "crypto/aead.h"
#include "crypto/ff1.h"
#include "crypto/sha2.h"
#include "ohttp/authorize.h"
#include "paths.h"
#include "reference/generator.h"
#include "json/json.h"
#include <stdlib.h>
#include <string.h>

#define DIGITS    16u
#define NODE_MAX  2048u
#define NAME_SIZE 4096u

/* ---- AES-256-GCM: a record of 256 bytes with the associated data of a header ---- */
struct gcm {
    struct csn_gcm_key key;
    struct csn_gcm_item items[2][BUDGET_BATCH]; /* to seal, to open */
    uint8_t aad[48];
    uint8_t plain[BUDGET_BATCH][BUDGET_SIZE];
    uint8_t sealed[BUDGET_BATCH][BUDGET_SIZE];
    uint8_t opened[BUDGET_BATCH][BUDGET_SIZE];
    uint8_t tags[BUDGET_BATCH][16];
};

void *gcm_begin(void)
{
    static const uint8_t secret[32] = {1};
    struct gcm *gcm = budget_make(sizeof *gcm);
    csn_gcm_key_init(&gcm->key, secret);
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        memset(gcm->plain[i], (int)i, BUDGET_SIZE);
        gcm->items[0][i] = (struct csn_gcm_item){.key = &gcm->key,
                                                 .nonce = {(uint8_t)i},
                                                 .aad = gcm->aad,
                                                 .aad_size = sizeof gcm->aad,
                                                 .size = BUDGET_SIZE,
                                                 .input = gcm->plain[i],
                                                 .output = gcm->sealed[i],
                                                 .tag = gcm->tags[i]};
        gcm->items[1][i] = gcm->items[0][i];
        gcm->items[1][i].input = gcm->sealed[i];
        gcm->items[1][i].output = gcm->opened[i];
    }
    csn_gcm_seal_batch(gcm->items[0], BUDGET_BATCH);
    csn_gcm_open_batch(gcm->items[1], BUDGET_BATCH);
    budget_require(memcmp(gcm->plain, gcm->opened, sizeof gcm->plain) == 0, "GCM lost a record");
    return gcm;
}

void gcm_seal_batch(void *state)
{
    struct gcm *gcm = state;
    csn_gcm_seal_batch(gcm->items[0], BUDGET_BATCH);
}

void gcm_seal_one(void *state)
{
    struct gcm *gcm = state;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        csn_gcm_seal_batch(&gcm->items[0][i], 1);
    }
}

void gcm_open_batch(void *state)
{
    struct gcm *gcm = state;
    csn_err failed = CSN_OK;
    csn_gcm_open_batch(gcm->items[1], BUDGET_BATCH);
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        failed |= gcm->items[1][i].result;
    }
    budget_require(failed == CSN_OK, "GCM refused a record");
}

/* ---- FF1: 16 digits, a tweak of 8 bytes ---- */
struct ff1 {
    struct csn_aes_key key;
    struct csn_ff1_plan plan;
    struct csn_ff1_item items[BUDGET_BATCH];
    uint16_t numerals[BUDGET_BATCH][DIGITS];
};

void *ff1_begin(void)
{
    static const uint8_t secret[32] = {2};
    struct ff1 *ff1 = budget_make(sizeof *ff1);
    budget_require(csn_aes_key_init(&ff1->key, secret, sizeof secret) == CSN_OK &&
                       csn_ff1_plan_init(&ff1->plan, &ff1->key, 10, DIGITS, 8) == CSN_OK,
                   "no FF1 plan");
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        ff1->items[i] = (struct csn_ff1_item){.plan = &ff1->plan,
                                              .tweak = secret,
                                              .input = ff1->numerals[i],
                                              .output = ff1->numerals[i]};
    }
    return ff1;
}

void ff1_batch(void *state)
{
    struct ff1 *ff1 = state;
    csn_ff1_encrypt_batch(ff1->items, BUDGET_BATCH);
}

void ff1_one(void *state)
{
    struct ff1 *ff1 = state;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        csn_ff1_encrypt_batch(&ff1->items[i], 1);
    }
}

/* ---- HMAC-SHA-256: 32 bytes under one key ---- */
struct hmac {
    struct csn_hmac_key key;
    struct csn_hmac_item items[BUDGET_BATCH];
    uint8_t messages[BUDGET_BATCH][32];
    uint8_t tags[BUDGET_BATCH][32];
};

void *hmac_begin(void)
{
    struct hmac *hmac = budget_make(sizeof *hmac);
    csn_hmac_key_init(&hmac->key, "secret", 6);
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        hmac->items[i] = (struct csn_hmac_item){
            .key = &hmac->key, .bytes = hmac->messages[i], .size = 32, .tag = hmac->tags[i]};
    }
    return hmac;
}

void hmac_batch(void *state)
{
    struct hmac *hmac = state;
    csn_hmac_batch(hmac->items, BUDGET_BATCH);
}

void hmac_one(void *state)
{
    struct hmac *hmac = state;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        csn_hmac(&hmac->key, hmac->messages[i], 32, hmac->tags[i]);
    }
}

/* ---- the scan of a card record ---- */
struct json {
    struct csr_record records[BUDGET_PAYLOADS];
    struct csn_json_node nodes[NODE_MAX];
    uint32_t tables[2][NODE_MAX];
    uint32_t next;
};

void *json_begin(void)
{
    struct json *json = budget_make(sizeof *json);
    for (uint32_t i = 0; i < BUDGET_PAYLOADS; i++) {
        csr_generate(1, i, &json->records[i]);
    }
    return json;
}

void json_batch(void *state)
{
    struct json *json = state;
    struct csn_json_shape shape = {.count = 0}; /* as the enclave has it: one a batch */
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        const struct csr_record *record = &json->records[json->next++ % BUDGET_PAYLOADS];
        struct csn_json scan = {.text = (const uint8_t *)record->text,
                                .size = (uint32_t)record->size,
                                .seed = 1,
                                .nodes = json->nodes,
                                .hashes = json->tables[0],
                                .owners = json->tables[1],
                                .node_max = NODE_MAX,
                                .shape = &shape};
        budget_require(csn_json_scan(&scan) == CSN_JSON_OK, "a record is not JSON");
    }
}

/* ---- a request that is all name, which a stranger may send: read, and its proof looked at ---- */
struct named {
    struct csn_authorization authorization;
    uint8_t bytes[NAME_SIZE + 64];
    uint32_t size;
};

void *named_begin(void)
{
    static uint8_t name[NAME_SIZE];
    struct named *named = budget_make(sizeof *named);
    const struct csn_bhttp_message message = {.method = csn_bhttp_text("GET"),
                                              .scheme = csn_bhttp_text("https"),
                                              .path = csn_bhttp_text("/"),
                                              .fields[0].name = {name, sizeof name},
                                              .header_count = 1};
    memset(name, '~', sizeof name);
    budget_require(csn_bhttp_write(&message, named->bytes, sizeof named->bytes, &named->size) ==
                       CSN_OK,
                   "no request");
    named->authorization.way = CSN_AUTHORIZE_REQUEST;
    return named;
}

void named_batch(void *state)
{
    static const uint8_t zeros[32];
    struct named *named = state;
    struct csn_bhttp_message message;
    uint32_t fault;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        budget_require(csn_bhttp_read(named->bytes, named->size, &message, &fault) == CSN_OK &&
                           csn_authorize_check(&named->authorization, &message, zeros, zeros) ==
                               CSN_ERR_AUTH,
                       "a proof of nothing");
    }
}
