/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_request.c: see sealed_request.h. */
#include "sealed_request.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool sealed_request_make(struct sealed_request *request, const uint8_t *keys, uint32_t keys_size,
                         const char *path, const char *token, const void *content,
                         uint32_t content_size)
{
    struct csn_ohttp_config config;
    struct csn_bhttp_message message = {.method = csn_bhttp_text("POST"),
                                        .scheme = csn_bhttp_text("https"),
                                        .authority = csn_bhttp_text("enclave.example"),
                                        .path = csn_bhttp_text(path),
                                        .content = {content, content_size}};
    char bearer[128];
    uint8_t ephemeral[32];
    uint32_t offset = 0;
    uint32_t size = 0;
    uint8_t *plain = request->bytes + CSN_OHTTP_HEAD_SIZE;
    if (token != NULL) {
        snprintf(bearer, sizeof bearer, "Bearer %s", token);
        message.fields[message.header_count++] =
            (struct csn_bhttp_field){csn_bhttp_text("authorization"), csn_bhttp_text(bearer)};
    }
    if (csn_ohttp_keys_next(keys, keys_size, &offset, &config) != CSN_OK ||
        getrandom(ephemeral, sizeof ephemeral, 0) != (ssize_t)sizeof ephemeral ||
        csn_ohttp_send(&request->exchange, &config, CSN_AEAD_AES_128_GCM, CSN_OHTTP_WHOLE,
                       ephemeral, request->bytes) != CSN_OK ||
        csn_bhttp_write(&message, plain,
                        SEALED_REQUEST_ROOM - CSN_OHTTP_HEAD_SIZE - CSN_OHTTP_TAG_SIZE,
                        &size) != CSN_OK) {
        return false;
    }
    request->size = CSN_OHTTP_HEAD_SIZE + size + CSN_OHTTP_TAG_SIZE;
    return csn_ohttp_seal(&request->exchange, true, plain, size, plain) == CSN_OK;
}

bool sealed_request_open(const struct sealed_request *request, uint8_t *answer, uint32_t size,
                         struct csn_bhttp_message *message)
{
    struct csn_ohttp_answer opened;
    uint32_t nonce_size = csn_ohttp_nonce_size(&request->exchange);
    uint32_t fault = 0;
    if (size < nonce_size + CSN_OHTTP_TAG_SIZE) {
        return false;
    }
    csn_ohttp_answer(&request->exchange, answer, &opened);
    return csn_ohttp_answer_open(&opened, true, answer + nonce_size, size - nonce_size,
                                 answer + nonce_size) == CSN_OK &&
           csn_bhttp_read(answer + nonce_size, size - nonce_size - CSN_OHTTP_TAG_SIZE, message,
                          &fault) == CSN_OK &&
           message->is_response;
}
