/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_request.h: an encapsulated request of a client, and its answer opened again. */
#ifndef TESTS_GATEWAY_SEALED_REQUEST_H
#define TESTS_GATEWAY_SEALED_REQUEST_H

#include "ohttp/bhttp.h"
#include "ohttp/ohttp.h"
#include <stdbool.h>

#define SEALED_REQUEST_ROOM 4096u

struct sealed_request {
    struct csn_ohttp_exchange exchange;
    uint8_t bytes[SEALED_REQUEST_ROOM]; /* message/ohttp-req */
    uint32_t size;
};

/*
 * POST path with content, sealed to the one key in keys (application/ohttp-keys). token: for
 * Authorization: Bearer, or NULL. False: these keys are none, or there is too much content.
 */
bool sealed_request_make(struct sealed_request *request, const uint8_t *keys, uint32_t keys_size,
                         const char *path, const char *token, const void *content,
                         uint32_t content_size);
/* Opens the answer in place; message points into it. False: it is not the answer to this. */
bool sealed_request_open(const struct sealed_request *request, uint8_t *answer, uint32_t size,
                         struct csn_bhttp_message *message);

#endif
