/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.h: the request of the benchmarks of requests: POST /v1/echo with some bytes, as Binary
 * HTTP, and sealed to an instance's key (RFC 9458).
 *
 * Ends the program when something does not work, as sealed.h does. One thread.
 */
#ifndef CSN_BENCH_ASKED_H
#define CSN_BENCH_ASKED_H

#include "ohttp/ohttp.h"
#include <caisson/client.h>
#include <stddef.h>
#include <stdint.h>

#define ASKED_PLAIN_MAX  4096u
#define ASKED_ANSWER_MAX 8192u

/* What is asked: the content comes back, or the answer is wrong. */
struct asked {
    const uint8_t *content;
    uint32_t size;
};

/* The request for a record, whose own proof serves. Returns its size. */
uint32_t asked_write(const struct asked *asked, uint8_t plain[ASKED_PLAIN_MAX]);
/* Is that the echo's answer to it? Changes bytes. */
void asked_check(const struct asked *asked, uint8_t *plain, uint32_t size);

/* The first configuration of application/ohttp-keys. */
void asked_keys(const uint8_t *keys, uint32_t size, struct csn_ohttp_config *config);
/*
 * Seals it as message/ohttp-req with a key of its own and the credential's proof; the exchange is
 * for the answer. Returns the size of the message, at most ASKED_PLAIN_MAX.
 */
uint32_t asked_seal(const struct asked *asked, const struct csn_ohttp_config *config,
                    const struct csv_credential *credential, struct csn_ohttp_exchange *exchange,
                    uint8_t message[ASKED_PLAIN_MAX]);
/* Opens message/ohttp-res and checks what is in it. */
void asked_open(const struct asked *asked, const struct csn_ohttp_exchange *exchange,
                const uint8_t *answer, uint32_t size);

#endif
