/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.c: both ends of src/ohttp for clients and gateways that are not ours (lines.h). Who carries
 * the bytes is not its business.
 *
 *   keys                       the list of its one configuration (application/ohttp-keys)
 *   token                      an Authorization that it takes
 *   answer REQUEST             a gateway: opens the request, echoes its content, seals the answer
 *   send CONFIG AEAD MESSAGE   a client: seals a Binary HTTP message; its answer is opened next
 *   open RESPONSE              a client: the Binary HTTP message of the answer
 *
 * Keys and secrets are the test's own.
 */
#include "lines.h"
#include <core/bytes.h>
#include <crypto/cpu.h>
#include <ohttp/authorize.h>
#include <ohttp/ohttp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KEY_ID 7u

static struct csn_ohttp_key key;
static struct csn_ohttp_exchange sent; /* the last one, as a client */
static uint8_t in[LINES_BYTES_MAX];

static const uint8_t secret[32] = {0x73, 0x65, 0x63};
static const uint8_t tenant[32] = {0x74, 0x65, 0x6e};
#define CREDENTIAL 5u

/* The status that a route of ours would have: who asks first, then what for. */
static uint32_t status_of(const struct csn_bhttp_message *request, const uint8_t encapsulation[32])
{
    struct csn_authorization authorization;
    if (csn_authorize_read(request, &authorization) != CSN_OK ||
        authorization.credential != CREDENTIAL ||
        !csn_equal_ct(authorization.tenant, tenant, sizeof tenant) ||
        csn_authorize_check(&authorization, request, encapsulation, secret) != CSN_OK) {
        return 401;
    }
    if (!csn_bhttp_is(&request->path, "/v1/echo")) {
        return 404;
    }
    const struct csn_bhttp_text *type = csn_bhttp_header(request, "content-type");
    return type != NULL && csn_bhttp_is(type, "application/octet-stream") ? 200 : 415;
}

/* The sealed answer to the request that is in `in`; what fails has no answer. */
static csn_err answer(uint32_t given, uint8_t *out, uint32_t *size)
{
    struct csn_ohttp_exchange exchange;
    struct csn_bhttp_message request, response = {.is_response = true};
    struct csn_ohttp_answer sealing;
    uint32_t fault, written;
    uint8_t *plain = in + CSN_OHTTP_HEAD_SIZE;
    if (given < CSN_OHTTP_HEAD_SIZE + CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    const uint32_t sealed_size = given - CSN_OHTTP_HEAD_SIZE;
    CSN_TRY(csn_ohttp_receive(&exchange, &key, CSN_OHTTP_WHOLE, in));
    CSN_TRY(csn_ohttp_open(&exchange, true, plain, sealed_size, plain));
    CSN_TRY(csn_bhttp_read(plain, sealed_size - CSN_OHTTP_TAG_SIZE, &request, &fault));
    response.status = status_of(&request, exchange.encapsulation);
    if (response.status == 200) {
        response.content = request.content;
        response.fields[0] = (struct csn_bhttp_field){csn_bhttp_text("content-type"),
                                                      csn_bhttp_text("application/octet-stream")};
        response.header_count = 1;
    }
    const uint32_t nonce_size = csn_ohttp_nonce_size(&exchange);
    uint8_t *sealed = out + nonce_size;
    if (getrandom(out, nonce_size, 0) != (ssize_t)nonce_size) {
        return CSN_ERR_ENTROPY;
    }
    CSN_TRY(csn_bhttp_write(&response, sealed, LINES_BYTES_MAX - nonce_size - CSN_OHTTP_TAG_SIZE,
                            &written));
    csn_ohttp_answer(&exchange, out, &sealing);
    CSN_TRY(csn_ohttp_answer_seal(&sealing, true, sealed, written, sealed));
    *size = nonce_size + written + CSN_OHTTP_TAG_SIZE;
    return CSN_OK;
}

static csn_err send_message(const char *words[5], uint8_t *out, uint32_t *size)
{
    struct csn_ohttp_config config;
    uint8_t ephemeral[32];
    uint32_t given;
    CSN_TRY(lines_hex(words[1], in, &given));
    CSN_TRY(csn_ohttp_config_read(in, given, &config));
    CSN_TRY(lines_hex(words[3], in, &given));
    *size = CSN_OHTTP_HEAD_SIZE + given + CSN_OHTTP_TAG_SIZE;
    if (*size > LINES_BYTES_MAX || getrandom(ephemeral, 32, 0) != 32) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(csn_ohttp_send(&sent, &config, (enum csn_aead)atoi(words[2]), CSN_OHTTP_WHOLE,
                           ephemeral, out));
    return csn_ohttp_seal(&sent, true, in, given, out + CSN_OHTTP_HEAD_SIZE);
}

static csn_err open_answer(uint32_t given, uint8_t *out, uint32_t *size)
{
    struct csn_ohttp_answer opening;
    const uint32_t nonce_size = csn_ohttp_nonce_size(&sent);
    if (given < nonce_size + CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    csn_ohttp_answer(&sent, in, &opening);
    *size = given - nonce_size - CSN_OHTTP_TAG_SIZE;
    return csn_ohttp_answer_open(&opening, true, in + nonce_size, given - nonce_size, out);
}

static csn_err run(const char *words[5], uint8_t *out, uint32_t *size)
{
    uint32_t given;
    if (strcmp(words[0], "keys") == 0) {
        csn_ohttp_keys_write(&key, out);
        *size = CSN_OHTTP_KEYS_SIZE;
        return CSN_OK;
    }
    if (strcmp(words[0], "token") == 0) {
        struct csn_authorization mine = {.way = CSN_AUTHORIZE_BEARER, .credential = CREDENTIAL};
        const struct csn_bhttp_message none = {.header_count = 0};
        memcpy(mine.tenant, tenant, sizeof tenant);
        *size = csn_authorize_write(&mine, &none, key.public_key, secret, (char *)out);
        return CSN_OK;
    }
    if (strcmp(words[0], "send") == 0) {
        return send_message(words, out, size);
    }
    CSN_TRY(lines_hex(words[1], in, &given));
    return strcmp(words[0], "answer") == 0 ? answer(given, out, size)
           : strcmp(words[0], "open") == 0 ? open_answer(given, out, size)
                                           : CSN_ERR_ARGUMENT;
}

int main(void)
{
    uint64_t features;
    key.key_id = KEY_ID;
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_select(features) != CSN_OK ||
        csn_hpke_derive_key_pair(key.secret_key, key.public_key, secret, sizeof secret) != CSN_OK) {
        return EXIT_FAILURE;
    }
    return lines_serve(run);
}
