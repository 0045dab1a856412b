/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.c: both ends of src/ohttp as a filter, for clients and gateways that are not ours: one
 * command a line, one answer a line, bytes in hexadecimal. Who carries them is not its business.
 *
 *   keys                       the list of its one configuration (application/ohttp-keys)
 *   token                      a bearer token that it takes
 *   answer REQUEST             a gateway: opens the request, echoes its content, seals the answer
 *   send CONFIG AEAD MESSAGE   a client: seals a Binary HTTP message; its answer is opened next
 *   open RESPONSE              a client: the Binary HTTP message of the answer
 *
 * "ok BYTES", or "no NAME" with the name of the error. Keys and secrets are the test's own.
 */
#include <core/bytes.h>
#include <crypto/cpu.h>
#include <ohttp/authorize.h>
#include <ohttp/ohttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SIZE_MAX_HERE 131072u /* of a message */
#define KEY_ID        7u

struct peer {
    struct csn_ohttp_key key;
    struct csn_ohttp_exchange sent; /* the last one, as a client */
    uint8_t in[SIZE_MAX_HERE];
    uint8_t out[SIZE_MAX_HERE];
};

static const uint8_t secret[32] = {0x73, 0x65, 0x63};
static const uint8_t tenant[32] = {0x74, 0x65, 0x6e};
#define CREDENTIAL 5u

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static csn_err read_hex(const char *text, uint8_t *bytes, uint32_t *size)
{
    size_t length = text == NULL ? 1 : strlen(text);
    if (length % 2 != 0 || length / 2 > SIZE_MAX_HERE - 256) {
        return CSN_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < length; i += 2) {
        if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) {
            return CSN_ERR_ARGUMENT;
        }
        bytes[i / 2] = (uint8_t)(digit(text[i]) << 4 | digit(text[i + 1]));
    }
    *size = (uint32_t)(length / 2);
    return CSN_OK;
}

static void say(csn_err result, const uint8_t *bytes, uint32_t size)
{
    if (result != CSN_OK) {
        printf("no %s\n", csn_err_name(result));
        return;
    }
    printf("ok ");
    for (uint32_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    printf("\n");
}

static struct csn_bhttp_text text(const char *string)
{
    return (struct csn_bhttp_text){(const uint8_t *)string, (uint32_t)strlen(string)};
}

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

/* The sealed answer to the message that is in peer->in; what fails has no answer. */
static csn_err answer(struct peer *peer, uint32_t size, uint32_t *answer_size)
{
    struct csn_ohttp_exchange exchange;
    struct csn_bhttp_message request, response = {.is_response = true};
    struct csn_ohttp_answer sealing;
    uint32_t fault;
    if (size < CSN_OHTTP_HEAD_SIZE + CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    CSN_TRY(csn_ohttp_receive(&exchange, &peer->key, CSN_OHTTP_WHOLE, peer->in));
    uint8_t *plain = peer->in + CSN_OHTTP_HEAD_SIZE;
    CSN_TRY(csn_ohttp_open(&exchange, true, plain, size - CSN_OHTTP_HEAD_SIZE, plain));
    CSN_TRY(
        csn_bhttp_read(plain, size - CSN_OHTTP_HEAD_SIZE - CSN_OHTTP_TAG_SIZE, &request, &fault));
    response.status = status_of(&request, exchange.encapsulation);
    if (response.status == 200) {
        response.content = request.content;
        response.fields[0] =
            (struct csn_bhttp_field){text("content-type"), text("application/octet-stream")};
        response.header_count = 1;
    }
    uint32_t nonce_size = csn_ohttp_nonce_size(&exchange);
    uint8_t *sealed = peer->out + nonce_size;
    uint32_t written;
    if (getrandom(peer->out, nonce_size, 0) != (ssize_t)nonce_size) {
        return CSN_ERR_ENTROPY;
    }
    CSN_TRY(csn_bhttp_write(&response, sealed, SIZE_MAX_HERE - nonce_size - CSN_OHTTP_TAG_SIZE,
                            &written));
    csn_ohttp_answer(&exchange, peer->out, &sealing);
    CSN_TRY(csn_ohttp_answer_seal(&sealing, true, sealed, written, sealed));
    *answer_size = nonce_size + written + CSN_OHTTP_TAG_SIZE;
    return CSN_OK;
}

static csn_err send_message(struct peer *peer, const char *config_text, const char *aead_text,
                            const char *message, uint32_t *size)
{
    struct csn_ohttp_config config;
    uint8_t ephemeral[32];
    uint32_t config_size, plain_size;
    CSN_TRY(read_hex(config_text, peer->in, &config_size));
    CSN_TRY(csn_ohttp_config_read(peer->in, config_size, &config));
    CSN_TRY(read_hex(message, peer->in, &plain_size));
    if (aead_text == NULL || getrandom(ephemeral, sizeof ephemeral, 0) != sizeof ephemeral) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(csn_ohttp_send(&peer->sent, &config, (enum csn_aead)atoi(aead_text), CSN_OHTTP_WHOLE,
                           ephemeral, peer->out));
    *size = CSN_OHTTP_HEAD_SIZE + plain_size + CSN_OHTTP_TAG_SIZE;
    return csn_ohttp_seal(&peer->sent, true, peer->in, plain_size, peer->out + CSN_OHTTP_HEAD_SIZE);
}

static csn_err open_answer(struct peer *peer, uint32_t sealed_size, uint32_t *size)
{
    struct csn_ohttp_answer opening;
    uint32_t nonce_size = csn_ohttp_nonce_size(&peer->sent);
    if (sealed_size < nonce_size + CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    csn_ohttp_answer(&peer->sent, peer->in, &opening);
    *size = sealed_size - nonce_size - CSN_OHTTP_TAG_SIZE;
    return csn_ohttp_answer_open(&opening, true, peer->in + nonce_size, sealed_size - nonce_size,
                                 peer->out);
}

static csn_err run(struct peer *peer, char *line, uint32_t *size)
{
    char *rest = NULL;
    const char *verb = strtok_r(line, " \n", &rest);
    const char *first = strtok_r(NULL, " \n", &rest);
    uint32_t given = 0;
    if (verb == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (strcmp(verb, "keys") == 0) {
        peer->out[0] = 0;
        peer->out[1] = CSN_OHTTP_CONFIG_SIZE;
        csn_ohttp_config_write(KEY_ID, peer->key.public_key, peer->out + 2);
        *size = 2 + CSN_OHTTP_CONFIG_SIZE;
        return CSN_OK;
    }
    if (strcmp(verb, "token") == 0) {
        struct csn_authorization mine = {.way = CSN_AUTHORIZE_BEARER, .credential = CREDENTIAL};
        const struct csn_bhttp_message none = {0};
        memcpy(mine.tenant, tenant, sizeof tenant);
        *size = csn_authorize_write(&mine, &none, peer->key.public_key, secret, (char *)peer->out);
        return CSN_OK;
    }
    if (strcmp(verb, "send") == 0) {
        const char *aead = strtok_r(NULL, " \n", &rest);
        return send_message(peer, first, aead, strtok_r(NULL, " \n", &rest), size);
    }
    CSN_TRY(read_hex(first, peer->in, &given));
    return strcmp(verb, "answer") == 0 ? answer(peer, given, size)
           : strcmp(verb, "open") == 0 ? open_answer(peer, given, size)
                                       : CSN_ERR_ARGUMENT;
}

int main(void)
{
    static struct peer peer;
    static char line[2 * SIZE_MAX_HERE + 512];
    uint64_t features;
    peer.key.key_id = KEY_ID;
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_select(features) != CSN_OK ||
        csn_hpke_derive_key_pair(peer.key.secret_key, peer.key.public_key, secret, sizeof secret) !=
            CSN_OK) {
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint32_t size = 0;
        csn_err result = run(&peer, line, &size);
        say(result, peer.out, size);
        (void)fflush(stdout);
    }
    return EXIT_SUCCESS;
}
