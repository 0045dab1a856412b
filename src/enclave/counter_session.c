/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter_session.c: TPM 2.0 commands in an HMAC session (TPM 2.0 Library, part 1: sessions, KDFa,
 * KDFe, ECDH secret sharing; part 3: the commands).
 *
 * The salt is agreed with the endorsement key by an ephemeral key of our own; the session's key is
 * made of it and of both first nonces. Nonces are new in each command and each response.
 */
#include "../core/bytes.h"
#include "../crypto/aes.h"
#include "../crypto/ecdsa.h"
#include "../crypto/sha2.h"
#include "counter.h"
#include <caisson/wire/stop.h>

#define TPM_NO_SESSIONS   UINT32_C(0x8001)
#define TPM_SESSIONS      UINT32_C(0x8002)
#define TPM_HEAD          10u
#define TPM_START_SESSION UINT32_C(0x176)
#define TPM_FLUSH         UINT32_C(0x165)
#define TPM_RH_NULL       UINT32_C(0x40000007)
#define TPM_HMAC_SESSION  0u
#define TPM_ALG_AES       UINT32_C(0x06)
#define TPM_ALG_CFB       UINT32_C(0x43)
#define TPM_ALG_SHA256    UINT32_C(0x0b)
#define TPM_CONTINUE      0x01u          /* session attributes: it goes on behind this command; */
#define TPM_DECRYPT       0x20u          /* its first parameter is encrypted */
#define TPM_HMAC_TYPE     UINT32_C(0x02) /* first byte of a session's handle */

#define COMMAND_MAX 256u
#define HMAC_SIZE   32u
#define POINT_SIZE  32u
#define KEY_SIZE    16u
#define BLOCK_SIZE  16u
#define NAME_SIZE   34u

/* ---- bytes ---- */

void cse_tpm_put(struct cse_tpm_bytes *to, const void *bytes, uint32_t size)
{
    if (to->failed || size > to->size - to->at) {
        to->failed = true;
    } else if (size != 0) {
        __builtin_memcpy(to->bytes + to->at, bytes, size);
        to->at += size;
    }
}

void cse_tpm_put_number(struct cse_tpm_bytes *to, uint64_t value, uint32_t size)
{
    uint8_t bytes[8];
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
    cse_tpm_put(to, bytes, size);
}

static void put_sized(struct cse_tpm_bytes *to, const void *bytes, uint32_t size)
{
    cse_tpm_put_number(to, size, 2);
    cse_tpm_put(to, bytes, size);
}

const uint8_t *cse_tpm_take(struct cse_tpm_bytes *from, uint32_t size)
{
    if (from->failed || size > from->size - from->at) {
        from->failed = true;
        return NULL;
    }
    from->at += size;
    return from->bytes + (from->at - size);
}

uint64_t cse_tpm_take_number(struct cse_tpm_bytes *from, uint32_t size)
{
    const uint8_t *bytes = cse_tpm_take(from, size);
    uint64_t value = 0;
    for (uint32_t i = 0; bytes != NULL && i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* Exactly size bytes with their length before them. */
static bool take_sized(struct cse_tpm_bytes *from, uint8_t *target, uint32_t size)
{
    const bool is_size = cse_tpm_take_number(from, 2) == size;
    const uint8_t *bytes = is_size ? cse_tpm_take(from, size) : NULL;
    if (bytes == NULL) {
        from->failed = true;
        return false;
    }
    __builtin_memcpy(target, bytes, size);
    return true;
}

/* ---- one exchange ---- */

/* command: TPM_HEAD bytes are left for the head. response: behind its head. */
static csn_err exchange(struct cse_outside *outside, uint32_t tag, uint32_t code,
                        struct cse_tpm_bytes *command, struct cse_tpm_bytes *response)
{
    struct cse_tpm_bytes head = {.bytes = command->bytes, .size = TPM_HEAD};
    cse_tpm_put_number(&head, tag, 2);
    cse_tpm_put_number(&head, command->at, 4);
    cse_tpm_put_number(&head, code, 4);
    if (command->failed || head.failed) {
        return CSN_ERR_INTERNAL; /* longer than any command here */
    }
    *response = (struct cse_tpm_bytes){.bytes = NULL};
    CSN_TRY(
        cse_outside_tpm(outside, command->bytes, command->at, &response->bytes, &response->size));
    const uint64_t response_tag = cse_tpm_take_number(response, 2);
    const uint64_t size = cse_tpm_take_number(response, 4);
    const uint64_t failure = cse_tpm_take_number(response, 4);
    if (response->failed || size != response->size) {
        return CSN_ERR_AUTH;
    }
    if (failure != 0) {
        return CSN_ERR_SYSTEM;
    }
    return response_tag == tag ? CSN_OK : CSN_ERR_AUTH;
}

csn_err cse_tpm_plain(struct cse_outside *outside, uint32_t code, const struct cse_tpm_bytes *body,
                      struct cse_tpm_bytes *response)
{
    uint8_t room[COMMAND_MAX];
    struct cse_tpm_bytes command = {.bytes = room, .size = sizeof room, .at = TPM_HEAD};
    cse_tpm_put(&command, body->bytes, body->at);
    return exchange(outside, TPM_NO_SESSIONS, code, &command, response);
}

void cse_tpm_drop(struct cse_counter *counter, struct cse_outside *outside)
{
    uint8_t room[4];
    struct cse_tpm_bytes body = {.bytes = room, .size = sizeof room};
    struct cse_tpm_bytes response;
    if (counter->open) {
        counter->open = false;
        cse_tpm_put_number(&body, counter->session, 4);
        csn_err result = cse_tpm_plain(outside, TPM_FLUSH, &body, &response);
        (void)result; /* the host ends what is left */
    }
    csn_wipe(counter->session_key, sizeof counter->session_key);
}

/* ---- a session ---- */

static void random_or_panic(struct cse_outside *outside, uint8_t *bytes, uint32_t size)
{
    if (csn_random_fill(outside->options.random, bytes, size) != CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ENTROPY);
    }
}

/* KDFe: point is the ephemeral public key, salt what only the two keys' holders know. */
static csn_err make_salt(const struct csn_wire_counter *pin, struct cse_outside *outside,
                         uint8_t point[1 + 2 * POINT_SIZE], uint8_t salt[32])
{
    static const uint8_t first[4] = {0, 0, 0, 1};
    uint8_t secret[POINT_SIZE];
    uint8_t shared[POINT_SIZE];
    uint8_t key[1 + 2 * POINT_SIZE] = {4};
    struct csn_sha256 hash;
    __builtin_memcpy(key + 1, pin->key, sizeof pin->key);
    csn_err result = csn_ec_generate(CSN_EC_P256, outside->options.random, secret, point);
    if (result == CSN_OK) {
        result = csn_ec_agree(CSN_EC_P256, secret, key, sizeof key, shared);
    }
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, first, sizeof first);
    csn_sha256_update(&hash, shared, sizeof shared);
    csn_sha256_update(&hash, "SECRET", sizeof "SECRET"); /* with its end */
    csn_sha256_update(&hash, point + 1, POINT_SIZE);
    csn_sha256_update(&hash, key + 1, POINT_SIZE);
    csn_sha256_final(&hash, salt);
    csn_wipe(secret, sizeof secret);
    csn_wipe(shared, sizeof shared);
    csn_wipe(&hash, sizeof hash);
    return result == CSN_ERR_AUTH ? CSN_ERR_POLICY : result; /* what is pinned is not a key */
}

struct kdf {
    const uint8_t *key; /* 32 bytes */
    const char *label;
    uint32_t label_size; /* with its end */
    const uint8_t *first;
    const uint8_t *second; /* nonces */
};

/* KDFa: one block of SHA-256. */
static void derive(const struct kdf *kdf, uint8_t output[32])
{
    static const uint8_t one[4] = {0, 0, 0, 1};
    static const uint8_t bits[4] = {0, 0, 1, 0};
    struct csn_hmac_key key;
    struct csn_hmac mac;
    csn_hmac_key_init(&key, kdf->key, 32);
    csn_hmac_init(&mac, &key);
    csn_hmac_update(&mac, one, sizeof one);
    csn_hmac_update(&mac, kdf->label, kdf->label_size);
    csn_hmac_update(&mac, kdf->first, CSE_TPM_NONCE_SIZE);
    csn_hmac_update(&mac, kdf->second, CSE_TPM_NONCE_SIZE);
    csn_hmac_update(&mac, bits, sizeof bits);
    csn_hmac_final(&mac, output);
    csn_wipe(&key, sizeof key);
    csn_wipe(&mac, sizeof mac);
}

static csn_err start_session(struct cse_counter *counter, struct cse_outside *outside)
{
    uint8_t room[COMMAND_MAX];
    uint8_t caller[CSE_TPM_NONCE_SIZE];
    uint8_t point[1 + 2 * POINT_SIZE];
    uint8_t salt[32];
    struct cse_tpm_bytes body = {.bytes = room, .size = sizeof room};
    struct cse_tpm_bytes response;
    CSN_TRY(make_salt(&counter->pin, outside, point, salt));
    random_or_panic(outside, caller, sizeof caller);
    cse_tpm_put_number(&body, counter->pin.key_handle, 4);
    cse_tpm_put_number(&body, TPM_RH_NULL, 4); /* bound to nothing */
    put_sized(&body, caller, sizeof caller);
    cse_tpm_put_number(&body, 2 * (2 + POINT_SIZE), 2);
    put_sized(&body, point + 1, POINT_SIZE);
    put_sized(&body, point + 1 + POINT_SIZE, POINT_SIZE);
    cse_tpm_put_number(&body, TPM_HMAC_SESSION, 1);
    cse_tpm_put_number(&body, TPM_ALG_AES, 2);
    cse_tpm_put_number(&body, 8 * KEY_SIZE, 2);
    cse_tpm_put_number(&body, TPM_ALG_CFB, 2);
    cse_tpm_put_number(&body, TPM_ALG_SHA256, 2);
    csn_err result = cse_tpm_plain(outside, TPM_START_SESSION, &body, &response);
    if (result == CSN_OK) {
        counter->session = (uint32_t)cse_tpm_take_number(&response, 4);
        const bool is_whole = take_sized(&response, counter->nonce, sizeof counter->nonce) &&
                              response.at == response.size;
        result = is_whole && counter->session >> 24 == TPM_HMAC_TYPE ? CSN_OK : CSN_ERR_AUTH;
    }
    if (result == CSN_OK) {
        const struct kdf kdf = {.key = salt,
                                .label = "ATH",
                                .label_size = sizeof "ATH",
                                .first = counter->nonce,
                                .second = caller};
        derive(&kdf, counter->session_key);
        counter->open = true;
    }
    csn_wipe(salt, sizeof salt);
    return result;
}

/* ---- a command in it ---- */

/* Over what a command or a response is (its digest), the newer nonce and the older one. */
static void make_hmac(const struct cse_counter *counter, const uint8_t digest[32],
                      const uint8_t *newer, const uint8_t *older, uint8_t attributes,
                      uint8_t tag[HMAC_SIZE])
{
    struct csn_hmac_key key;
    struct csn_hmac mac;
    csn_hmac_key_init(&key, counter->session_key, sizeof counter->session_key);
    csn_hmac_init(&mac, &key);
    csn_hmac_update(&mac, digest, 32);
    csn_hmac_update(&mac, newer, CSE_TPM_NONCE_SIZE);
    csn_hmac_update(&mac, older, CSE_TPM_NONCE_SIZE);
    csn_hmac_update(&mac, &attributes, 1);
    csn_hmac_final(&mac, tag);
    csn_wipe(&key, sizeof key);
    csn_wipe(&mac, sizeof mac);
}

/* The index stands for itself and for who authorizes, so its name is in twice. */
static void hash_command(const struct cse_tpm_command *command, uint8_t digest[32])
{
    const uint32_t code = command->code;
    const uint8_t number[4] = {(uint8_t)(code >> 24), (uint8_t)(code >> 16), (uint8_t)(code >> 8),
                               (uint8_t)code};
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, number, sizeof number);
    csn_sha256_update(&hash, command->name, NAME_SIZE);
    csn_sha256_update(&hash, command->name, NAME_SIZE);
    if (command->body.at != 0) {
        csn_sha256_update(&hash, command->body.bytes, command->body.at);
    }
    csn_sha256_final(&hash, digest);
}

/* AES-128-CFB under a key of this command alone; what stands in body behind its first length. */
static void encrypt(const struct cse_counter *counter, const uint8_t *caller,
                    struct cse_tpm_bytes *body)
{
    const struct kdf kdf = {.key = counter->session_key,
                            .label = "CFB",
                            .label_size = sizeof "CFB",
                            .first = caller,
                            .second = counter->nonce};
    uint8_t made[KEY_SIZE + BLOCK_SIZE];
    struct csn_aes_key key;
    derive(&kdf, made);
    csn_err result = csn_aes_key_init(&key, made, KEY_SIZE);
    (void)result; /* of that size */
    uint8_t *before = made + KEY_SIZE;
    for (uint32_t at = 2; at < body->at; at += BLOCK_SIZE) {
        uint8_t stream[BLOCK_SIZE];
        csn_aes_encrypt(&key, before, stream, 1);
        for (uint32_t i = 0; i < BLOCK_SIZE && at + i < body->at; i++) {
            body->bytes[at + i] ^= stream[i];
            before[i] = body->bytes[at + i];
        }
    }
    csn_wipe(made, sizeof made);
    csn_wipe(&key, sizeof key);
}

static void hash_response(uint32_t code, const struct cse_tpm_bytes *parameters, uint8_t digest[32])
{
    const uint8_t head[8] = {0,
                             0,
                             0,
                             0, /* no error */
                             (uint8_t)(code >> 24),
                             (uint8_t)(code >> 16),
                             (uint8_t)(code >> 8),
                             (uint8_t)code};
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, head, sizeof head);
    csn_sha256_update(&hash, parameters->bytes, parameters->size);
    csn_sha256_final(&hash, digest);
}

static csn_err check_response(struct cse_counter *counter, uint32_t code, const uint8_t *caller,
                              struct cse_tpm_bytes *response, struct cse_tpm_bytes *parameters)
{
    uint8_t nonce[CSE_TPM_NONCE_SIZE];
    uint8_t shown[HMAC_SIZE];
    uint8_t tag[HMAC_SIZE];
    uint8_t digest[32];
    const uint32_t size = (uint32_t)cse_tpm_take_number(response, 4);
    const uint8_t *begin = cse_tpm_take(response, size);
    const bool has_nonce = take_sized(response, nonce, sizeof nonce);
    const uint8_t attributes = (uint8_t)cse_tpm_take_number(response, 1);
    const bool has_tag = take_sized(response, shown, sizeof shown);
    if (begin == NULL || !has_nonce || !has_tag || response->at != response->size) {
        return CSN_ERR_AUTH;
    }
    *parameters = (struct cse_tpm_bytes){.bytes = (uint8_t *)(uintptr_t)begin, .size = size};
    hash_response(code, parameters, digest);
    make_hmac(counter, digest, nonce, caller, attributes, tag);
    if (!csn_equal_ct(tag, shown, sizeof tag) || (attributes & TPM_CONTINUE) == 0) {
        return CSN_ERR_AUTH;
    }
    __builtin_memcpy(counter->nonce, nonce, sizeof nonce);
    return CSN_OK;
}

csn_err cse_tpm_ask(struct cse_counter *counter, struct cse_outside *outside,
                    struct cse_tpm_command *command, struct cse_tpm_bytes *parameters)
{
    uint8_t room[COMMAND_MAX];
    uint8_t caller[CSE_TPM_NONCE_SIZE];
    uint8_t digest[32];
    uint8_t tag[HMAC_SIZE];
    const uint8_t attributes = TPM_CONTINUE | (command->is_secret ? TPM_DECRYPT : 0);
    struct cse_tpm_bytes bytes = {.bytes = room, .size = sizeof room, .at = TPM_HEAD};
    struct cse_tpm_bytes response;
    if (!counter->open) {
        CSN_TRY(start_session(counter, outside));
    }
    random_or_panic(outside, caller, sizeof caller);
    if (command->is_secret) {
        encrypt(counter, caller, &command->body);
    }
    hash_command(command, digest);
    make_hmac(counter, digest, caller, counter->nonce, attributes, tag);
    cse_tpm_put_number(&bytes, command->index, 4);
    cse_tpm_put_number(&bytes, command->index, 4);
    cse_tpm_put_number(&bytes, 4 + 2 + sizeof caller + 1 + 2 + sizeof tag, 4);
    cse_tpm_put_number(&bytes, counter->session, 4);
    put_sized(&bytes, caller, sizeof caller);
    cse_tpm_put_number(&bytes, attributes, 1);
    put_sized(&bytes, tag, sizeof tag);
    cse_tpm_put(&bytes, command->body.bytes, command->body.at);
    csn_err result = exchange(outside, TPM_SESSIONS, command->code, &bytes, &response);
    if (result == CSN_OK) {
        result = check_response(counter, command->code, caller, &response, parameters);
    }
    if (result != CSN_OK) {
        cse_tpm_drop(counter, outside); /* the nonces may have moved on one side alone */
    }
    return result;
}
