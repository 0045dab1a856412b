/* SPDX-License-Identifier: Apache-2.0 */
/* authorize.c: proofs of a credential in sealed requests. */
#include "authorize.h"
#include "base64url.h"
#include <core/bytes.h>
#include <crypto/sha2.h>

#define BEARER_LABEL  "caisson-bearer-v1"
#define KEY_LABEL     "caisson-request-key-v1"
#define REQUEST_LABEL "caisson-request-v1"

/* What stands behind the scheme. */
struct triple {
    uint8_t tenant[32];
    uint8_t credential[8];
    uint8_t proof[32];
};
_Static_assert(sizeof(struct triple) / 3 * 4 == CSN_AUTHORIZE_TEXT_SIZE, "size");

static const char schemes[3][9] = {"", "Caisson ", "Bearer "};

static bool is_authorization(const struct csn_bhttp_field *field)
{
    return csn_bhttp_is_name(&field->name, "authorization");
}

/* The scheme in any case, one blank, 96 digits. */
static bool read_value(const struct csn_bhttp_text *value, enum csn_authorize_way way,
                       struct csn_authorization *authorization)
{
    uint32_t scheme_size = csn_bhttp_text(schemes[way]).size;
    if (value->size != scheme_size + CSN_AUTHORIZE_TEXT_SIZE) {
        return false;
    }
    struct csn_bhttp_text scheme = {value->bytes, scheme_size};
    struct triple triple;
    if (!csn_bhttp_is_name(&scheme, schemes[way]) ||
        !csn_base64url_read(value->bytes + scheme_size, CSN_AUTHORIZE_TEXT_SIZE,
                            (uint8_t *)&triple)) {
        return false;
    }
    authorization->way = way;
    authorization->credential = csn_load_u64(triple.credential);
    __builtin_memcpy(authorization->tenant, triple.tenant, 32);
    __builtin_memcpy(authorization->proof, triple.proof, 32);
    csn_wipe(&triple, sizeof triple);
    return true;
}

csn_err csn_authorize_read(const struct csn_bhttp_message *message,
                           struct csn_authorization *authorization)
{
    const struct csn_bhttp_text *value = NULL;
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (!is_authorization(&message->fields[i])) {
            continue;
        }
        if (value != NULL) {
            return CSN_ERR_FORMAT;
        }
        value = &message->fields[i].value;
    }
    if (value == NULL) {
        return CSN_ERR_UNKNOWN;
    }
    bool read = read_value(value, CSN_AUTHORIZE_REQUEST, authorization) ||
                read_value(value, CSN_AUTHORIZE_BEARER, authorization);
    return read ? CSN_OK : CSN_ERR_FORMAT;
}

/* ---- proofs ---- */

static void add_number(struct csn_hmac *mac, uint32_t value)
{
    csn_hmac_update(mac, &value, sizeof value);
}

static void add_text(struct csn_hmac *mac, const struct csn_bhttp_text *text)
{
    add_number(mac, text->size);
    csn_hmac_update(mac, text->bytes, text->size);
}

/* In lower case, a block at a time: byte by byte a long name would cost more than it hashes. */
static void add_name(struct csn_hmac *mac, const struct csn_bhttp_text *name)
{
    uint8_t lower[64];
    add_number(mac, name->size);
    for (uint32_t at = 0; at < name->size; at += sizeof lower) {
        const uint32_t left = name->size - at;
        const uint32_t part = left < sizeof lower ? left : (uint32_t)sizeof lower;
        for (uint32_t i = 0; i < part; i++) {
            lower[i] = csn_bhttp_lower(name->bytes[at + i]);
        }
        csn_hmac_update(mac, lower, part);
    }
}

static void add_message(struct csn_hmac *mac, const struct csn_bhttp_message *message)
{
    const uint32_t count = message->header_count + message->trailer_count;
    uint32_t bound = 0;
    add_text(mac, &message->method);
    add_text(mac, &message->scheme);
    add_text(mac, &message->authority);
    add_text(mac, &message->path);
    for (uint32_t i = 0; i < count; i++) {
        bound += !is_authorization(&message->fields[i]);
    }
    add_number(mac, bound);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_authorization(&message->fields[i])) {
            add_name(mac, &message->fields[i].name);
            add_text(mac, &message->fields[i].value);
        }
    }
    add_text(mac, &message->content);
}

/* HMAC(secret, label | tenant | credential) */
static void derive(const struct csn_authorization *authorization, const uint8_t secret[32],
                   const char *label, uint8_t derived[32])
{
    struct csn_hmac_key key;
    struct csn_hmac mac;
    csn_hmac_key_init(&key, secret, 32);
    csn_hmac_init(&mac, &key);
    csn_hmac_update(&mac, label, csn_bhttp_text(label).size);
    csn_hmac_update(&mac, authorization->tenant, 32);
    csn_hmac_update(&mac, &authorization->credential, sizeof authorization->credential);
    csn_hmac_final(&mac, derived);
    csn_wipe(&key, sizeof key);
    csn_wipe(&mac, sizeof mac);
}

static void prove(const struct csn_authorization *authorization,
                  const struct csn_bhttp_message *message, const uint8_t encapsulation[32],
                  const uint8_t secret[32], uint8_t proof[32])
{
    if (authorization->way == CSN_AUTHORIZE_BEARER) {
        derive(authorization, secret, BEARER_LABEL, proof);
        return;
    }
    struct csn_hmac_key key;
    struct csn_hmac mac;
    uint8_t request_key[32];
    derive(authorization, secret, KEY_LABEL, request_key);
    csn_hmac_key_init(&key, request_key, sizeof request_key);
    csn_hmac_init(&mac, &key);
    csn_hmac_update(&mac, REQUEST_LABEL, sizeof REQUEST_LABEL - 1);
    csn_hmac_update(&mac, encapsulation, 32);
    add_message(&mac, message);
    csn_hmac_final(&mac, proof);
    csn_wipe(request_key, sizeof request_key);
    csn_wipe(&key, sizeof key);
    csn_wipe(&mac, sizeof mac);
}

csn_err csn_authorize_check(const struct csn_authorization *authorization,
                            const struct csn_bhttp_message *message,
                            const uint8_t encapsulation[32], const uint8_t secret[32])
{
    uint8_t proof[32];
    prove(authorization, message, encapsulation, secret, proof);
    bool genuine = csn_equal_ct(proof, authorization->proof, sizeof proof);
    csn_wipe(proof, sizeof proof);
    return genuine ? CSN_OK : CSN_ERR_AUTH;
}

uint32_t csn_authorize_write(struct csn_authorization *authorization,
                             const struct csn_bhttp_message *message,
                             const uint8_t encapsulation[32], const uint8_t secret[32], char *value)
{
    struct triple triple;
    const uint32_t scheme_size = csn_bhttp_text(schemes[authorization->way]).size;
    prove(authorization, message, encapsulation, secret, authorization->proof);
    __builtin_memcpy(triple.tenant, authorization->tenant, 32);
    csn_store_u64(triple.credential, authorization->credential);
    __builtin_memcpy(triple.proof, authorization->proof, 32);
    __builtin_memcpy(value, schemes[authorization->way], scheme_size);
    csn_base64url_write((const uint8_t *)&triple, sizeof triple, value + scheme_size);
    csn_wipe(&triple, sizeof triple);
    return scheme_size + CSN_AUTHORIZE_TEXT_SIZE;
}
