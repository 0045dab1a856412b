/* SPDX-License-Identifier: Apache-2.0 */
/* ohttp_request.c: encapsulated requests, whole or in chunks (RFC 9458 section 4.3). */
#include "ohttp.h"
#include <core/bytes.h>

static const char labels[2][32] = {"message/bhttp request", "message/bhttp chunked request"};
static const uint8_t final_aad[] = {'f', 'i', 'n', 'a', 'l'};

struct info {
    uint8_t bytes[sizeof labels[0] + 1 + 7];
    uint32_t size;
};

/* The label, a zero byte, and the head without the encapsulation. */
static struct info make_info(enum csn_ohttp_form form, const uint8_t head[CSN_OHTTP_HEAD_SIZE])
{
    struct info info = {.size = 0};
    const char *label = labels[form];
    while (label[info.size] != 0) {
        info.bytes[info.size] = (uint8_t)label[info.size];
        info.size++;
    }
    info.bytes[info.size++] = 0;
    __builtin_memcpy(info.bytes + info.size, head, 7);
    info.size += 7;
    return info;
}

csn_err csn_ohttp_send(struct csn_ohttp_exchange *exchange, const struct csn_ohttp_config *config,
                       enum csn_aead aead, enum csn_ohttp_form form,
                       const uint8_t ephemeral_secret[32], uint8_t head[CSN_OHTTP_HEAD_SIZE])
{
    if (csn_aead_key_size(aead) == 0 || (config->aeads >> aead & 1) == 0) {
        return CSN_ERR_SUITE;
    }
    const uint8_t start[7] = {config->key_id, 0, CSN_OHTTP_KEM, 0, CSN_OHTTP_KDF, 0, (uint8_t)aead};
    __builtin_memcpy(head, start, sizeof start);
    const struct info info = make_info(form, head);
    const struct csn_hpke_setup setup = {.aead = aead, .info = info.bytes, .info_size = info.size};
    CSN_TRY(csn_hpke_sender(&exchange->hpke, exchange->encapsulation, config->public_key,
                            ephemeral_secret, &setup));
    __builtin_memcpy(head + 7, exchange->encapsulation, 32);
    exchange->form = form;
    exchange->is_ended = false;
    return CSN_OK;
}

csn_err csn_ohttp_receive(struct csn_ohttp_exchange *exchange, const struct csn_ohttp_key *key,
                          enum csn_ohttp_form form, const uint8_t head[CSN_OHTTP_HEAD_SIZE])
{
    if (head[0] != key->key_id) {
        return CSN_ERR_UNKNOWN;
    }
    uint32_t aead = (uint32_t)head[5] << 8 | head[6];
    if (head[1] != 0 || head[2] != CSN_OHTTP_KEM || head[3] != 0 || head[4] != CSN_OHTTP_KDF ||
        csn_aead_key_size(aead) == 0) {
        return CSN_ERR_SUITE;
    }
    const struct info info = make_info(form, head);
    const struct csn_hpke_setup setup = {
        .aead = (enum csn_aead)aead, .info = info.bytes, .info_size = info.size};
    CSN_TRY(csn_hpke_receiver(&exchange->hpke, head + 7, key->secret_key, key->public_key, &setup));
    __builtin_memcpy(exchange->encapsulation, head + 7, 32);
    exchange->form = form;
    exchange->is_ended = false;
    return CSN_OK;
}

/* Only the last of several chunks is marked; a whole request has no associated data. */
static uint32_t aad_size(const struct csn_ohttp_exchange *exchange, bool final)
{
    return exchange->form == CSN_OHTTP_CHUNKED && final ? sizeof final_aad : 0;
}

csn_err csn_ohttp_seal(struct csn_ohttp_exchange *exchange, bool final, const uint8_t *plain,
                       uint32_t size, uint8_t *sealed)
{
    if (exchange->is_ended) {
        return CSN_ERR_STATE;
    }
    if (size > UINT32_MAX - CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(csn_hpke_seal(&exchange->hpke, final_aad, aad_size(exchange, final), plain, size,
                          sealed, sealed + size));
    exchange->is_ended = final || exchange->form == CSN_OHTTP_WHOLE;
    return CSN_OK;
}

csn_err csn_ohttp_open(struct csn_ohttp_exchange *exchange, bool final, const uint8_t *sealed,
                       uint32_t sealed_size, uint8_t *plain)
{
    if (exchange->is_ended) {
        return CSN_ERR_STATE;
    }
    if (sealed_size < CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    uint32_t size = sealed_size - CSN_OHTTP_TAG_SIZE;
    CSN_TRY(csn_hpke_open(&exchange->hpke, final_aad, aad_size(exchange, final), sealed, size,
                          sealed + size, plain));
    exchange->is_ended = final || exchange->form == CSN_OHTTP_WHOLE;
    return CSN_OK;
}
