/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker.h: a client of oblivious requests: what it sends, and what it reads of the answer.
 *
 * Threads: one. Memory: the message and the answer are in static room, until the next.
 */
#ifndef TESTS_ENCLAVE_ASKER_H
#define TESTS_ENCLAVE_ASKER_H

#include "../../src/ohttp/authorize.h"
#include "../../src/ohttp/ohttp.h"
#include "fake.h"
#include <caisson/wire/message.h>

struct ask {
    const char *method; /* NULL: "POST" */
    const char *path;
    const void *content;
    uint32_t content_size;
    const char *headers[8];     /* name and value in turns, up to a NULL */
    enum csn_authorize_way way; /* 0: REQUEST; ASK_ANONYMOUS: no credential at all */
    const struct csv_credential *credential;
    enum csn_aead aead; /* 0: AES-128-GCM */
    enum csn_ohttp_form form;
    uint32_t chunk_size; /* plain bytes of each chunk but the last; 0: one chunk */
    uint32_t plain_size; /* zeros up to here; 0: none */
};
#define ASK_ANONYMOUS ((enum csn_authorize_way)99)

/* Zero at first; wiped by who cares. */
struct asker {
    struct csn_ohttp_exchange exchange;
    uint8_t message[FAKE_RECORD_MAX]; /* as it goes into a ring */
    uint32_t size;
    uint32_t plain_size; /* of the request */
    uint8_t answer[4 * FAKE_RECORD_MAX];
    uint32_t answer_size;
    uint32_t chunk_count;
    struct csn_bhttp_message response; /* points into answer */
};

/* Seals it for the fake's key: message and size. */
void asker_seal(struct asker *asker, const struct fake *fake, const struct ask *ask);
/* The plain request, with its credential if encapsulation is given: returns its size. */
uint32_t asker_write(const struct ask *ask, const uint8_t *encapsulation, uint8_t *bytes,
                     uint32_t room);
/* Opens what fake->answers has for tag: all of them, in their order. */
void asker_open(struct asker *asker, const struct fake *fake, uint64_t tag);
/* Both, with the message alone in its batch; returns the HTTP status. */
uint32_t asker_ask(struct asker *asker, struct fake *fake, const struct ask *ask);
/* True if the response's content has this text in it. */
bool asker_says(const struct asker *asker, const char *text);
/* The header's value, terminated, or NULL; good until the next call. */
const char *asker_header(const struct asker *asker, const char *name);

#endif
