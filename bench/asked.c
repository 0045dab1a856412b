/* SPDX-License-Identifier: Apache-2.0 */
/* asked.c: see asked.h. */
#include "asked.h"
#include "measure.h"
#include "ohttp/authorize.h"
#include <string.h>
#include <sys/random.h>

/* encapsulation: of the seal around it, for the proof; NULL: none. */
static uint32_t write_plain(const struct asked *asked, const struct csv_credential *credential,
                            const uint8_t *encapsulation, uint8_t *plain, uint32_t room)
{
    char value[CSN_AUTHORIZE_SIZE_MAX];
    uint32_t size = 0;
    struct csn_bhttp_message message = {.method = csn_bhttp_text("POST"),
                                        .scheme = csn_bhttp_text("https"),
                                        .authority = csn_bhttp_text("caisson.invalid"),
                                        .path = csn_bhttp_text("/v1/echo"),
                                        .content = {asked->content, asked->size}};
    if (encapsulation != NULL) {
        struct csn_authorization shown = {.way = CSN_AUTHORIZE_REQUEST,
                                          .credential = credential->id};
        memcpy(shown.tenant, credential->tenant, sizeof shown.tenant);
        message.header_count = 1;
        message.fields[0].name = csn_bhttp_text("authorization");
        message.fields[0].value = (struct csn_bhttp_text){(const uint8_t *)value, 0};
        message.fields[0].value.size =
            csn_authorize_write(&shown, &message, encapsulation, credential->secret, value);
    }
    bench_require(csn_bhttp_write(&message, plain, room, &size) == CSN_OK, "no request");
    return size;
}

uint32_t asked_write(const struct asked *asked, uint8_t plain[ASKED_PLAIN_MAX])
{
    return write_plain(asked, NULL, NULL, plain, ASKED_PLAIN_MAX);
}

void asked_check(const struct asked *asked, uint8_t *plain, uint32_t size)
{
    struct csn_bhttp_message message;
    uint32_t fault = 0;
    bench_require(csn_bhttp_read(plain, size, &message, &fault) == CSN_OK && message.is_response &&
                      message.status == 200 && message.content.size == asked->size &&
                      memcmp(message.content.bytes, asked->content, asked->size) == 0,
                  "another response than expected");
}

void asked_keys(const uint8_t *keys, uint32_t size, struct csn_ohttp_config *config)
{
    uint32_t offset = 0;
    bench_require(csn_ohttp_keys_next(keys, size, &offset, config) == CSN_OK,
                  "no key for requests: the image has no routes");
}

uint32_t asked_seal(const struct asked *asked, const struct csn_ohttp_config *config,
                    const struct csv_credential *credential, struct csn_ohttp_exchange *exchange,
                    uint8_t message[ASKED_PLAIN_MAX])
{
    uint8_t ephemeral[32];
    uint8_t *plain = message + CSN_OHTTP_HEAD_SIZE;
    bench_require(getrandom(ephemeral, sizeof ephemeral, 0) == (ssize_t)sizeof ephemeral &&
                      csn_ohttp_send(exchange, config, CSN_AEAD_AES_128_GCM, CSN_OHTTP_WHOLE,
                                     ephemeral, message) == CSN_OK,
                  "no exchange");
    uint32_t size = write_plain(asked, credential, exchange->encapsulation, plain,
                                ASKED_PLAIN_MAX - CSN_OHTTP_HEAD_SIZE - CSN_OHTTP_TAG_SIZE);
    bench_require(csn_ohttp_seal(exchange, true, plain, size, plain) == CSN_OK, "no seal");
    return CSN_OHTTP_HEAD_SIZE + size + CSN_OHTTP_TAG_SIZE;
}

void asked_open(const struct asked *asked, const struct csn_ohttp_exchange *exchange,
                const uint8_t *answer, uint32_t size)
{
    static uint8_t plain[ASKED_ANSWER_MAX];
    struct csn_ohttp_answer opener;
    const uint32_t nonce_size = csn_ohttp_nonce_size(exchange);
    bench_require(size > nonce_size + CSN_OHTTP_TAG_SIZE && size <= sizeof plain,
                  "an answer of another size");
    csn_ohttp_answer(exchange, answer, &opener);
    bench_require(csn_ohttp_answer_open(&opener, true, answer + nonce_size, size - nonce_size,
                                        plain) == CSN_OK,
                  "an answer does not open");
    asked_check(asked, plain, size - nonce_size - CSN_OHTTP_TAG_SIZE);
}
