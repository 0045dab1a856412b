/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_oblivious.c: calls as Oblivious HTTP (RFC 9458): a key exchange for each with the key that
 * the evidence names, the credential's proof inside, padded to a size class.
 */
#include "../core/bytes.h"
#include "caller.h"
#include "sealed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_TYPE  "message/ohttp-req"
#define RESPONSE_TYPE "message/ohttp-res"
#define PARTS_TYPE    "message/ohttp-chunked-req"
#define RESPONSE_MAX  (4u << 20)
#define CHUNK_HEAD    1u /* of the only chunk: it is the last one */

static void add_field(struct csn_bhttp_message *message, const char *name, const char *value,
                      uint32_t value_size)
{
    message->fields[message->header_count++] = (struct csn_bhttp_field){
        .name = {(const uint8_t *)name, (uint32_t)strlen(name)},
        .value = {(const uint8_t *)value, value_size},
    };
}

/* The strongest that the key offers and the image's own suite of records. */
static enum csn_aead pick_aead(const struct csn_ohttp_config *config)
{
    static const enum csn_aead order[] = {CSN_AEAD_AES_256_GCM, CSN_AEAD_CHACHA20_POLY1305};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if ((config->aeads >> order[i] & 1) != 0) {
            return order[i];
        }
    }
    return CSN_AEAD_AES_128_GCM;
}

static csn_err begin(const struct csv_caller *caller, struct csv_trip *trip,
                     uint8_t head[CSN_OHTTP_HEAD_SIZE])
{
    uint8_t ephemeral[32];
    CSN_TRY(csv_random(ephemeral, sizeof ephemeral));
    csn_err err =
        csn_ohttp_send(&trip->exchange, &caller->config, pick_aead(&caller->config),
                       trip->in_parts ? CSN_OHTTP_CHUNKED : CSN_OHTTP_WHOLE, ephemeral, head);
    csn_wipe(ephemeral, sizeof ephemeral);
    return err;
}

static csn_err seal(const struct csv_caller *caller, struct csv_trip *trip)
{
    const struct csv_call *call = trip->call;
    struct csn_bhttp_message message = call->message;
    uint8_t head[CSN_OHTTP_HEAD_SIZE];
    char challenge[2 * sizeof call->challenge + 1];
    char purpose[12];
    char value[CSN_AUTHORIZE_SIZE_MAX];
    uint32_t size = 0;
    CSN_TRY(begin(caller, trip, head));
    if (call->challenged) {
        for (size_t i = 0; i < sizeof call->challenge; i++) {
            (void)snprintf(challenge + 2 * i, 3, "%02x", ((const uint8_t *)&call->challenge)[i]);
        }
        add_field(&message, "caisson-challenge", challenge, sizeof challenge - 1);
    }
    if (call->purpose != 0) {
        int digits = snprintf(purpose, sizeof purpose, "%u", call->purpose);
        add_field(&message, "caisson-purpose", purpose, (uint32_t)digits);
    }
    struct csn_authorization authorization = {.way = CSN_AUTHORIZE_REQUEST,
                                              .credential = caller->credential.id};
    memcpy(authorization.tenant, caller->credential.tenant, sizeof authorization.tenant);
    uint32_t value_size = csn_authorize_write(
        &authorization, &message, trip->exchange.encapsulation, caller->credential.secret, value);
    add_field(&message, "authorization", value, value_size);
    csn_err err = csn_bhttp_write(&message, NULL, 0, &size);
    if (err != CSN_ERR_SPACE) {
        return err == CSN_OK ? CSN_ERR_INTERNAL : err;
    }
    uint32_t plain_size = csv_call_padded(call, size);
    uint32_t before = CSN_OHTTP_HEAD_SIZE + (trip->in_parts ? CHUNK_HEAD : 0);
    if (!csv_trip_body(trip, before + (size_t)plain_size + CSN_OHTTP_TAG_SIZE)) {
        return CSN_ERR_MEMORY;
    }
    uint8_t *plain = trip->body + before;
    memcpy(trip->body, head, sizeof head);
    CSN_TRY(csn_bhttp_write(&message, plain, plain_size, &size));
    return csn_ohttp_seal(&trip->exchange, true, plain, plain_size, plain);
}

struct csv_trip *csv_oblivious_next(struct csv_caller *caller)
{
    struct csv_call *call = caller->waiting.first;
    if (memcmp(call->challenge.boot_id, caller->pin.boot_id, sizeof caller->pin.boot_id) != 0) {
        call->challenged = false; /* it came before the last verification, of another boot */
    }
    if (caller->once && !call->challenged) {
        return csv_records_challenge(caller, CSV_TRIP_CALL_CHALLENGE, call);
    }
    struct csv_trip *trip = csv_trip_new(caller, CSV_TRIP_OBLIVIOUS, call);
    if (trip == NULL) {
        return NULL;
    }
    trip->in_parts = call->in_parts;
    csn_err err = seal(caller, trip);
    if (err != CSN_OK) {
        if (trip->body != NULL) {
            csn_wipe(trip->body, trip->body_size); /* it may hold the request in clear */
        }
        csv_trip_fail(trip, &csv_fault_memory, "not sealed: %s", csn_err_name(err));
        csv_trip_free(trip);
        return NULL;
    }
    csv_trip_path(trip, caller, "/gateway");
    trip->sealed = true;
    trip->once = call->challenged;
    if (call->challenged) {
        memcpy(trip->worker, call->challenge_worker, sizeof trip->worker);
    }
    trip->content_type = trip->in_parts ? PARTS_TYPE : REQUEST_TYPE;
    trip->accept = trip->in_parts ? CSV_OBLIVIOUS_PARTS_TYPE : RESPONSE_TYPE;
    trip->answer_size_max = trip->in_parts ? SIZE_MAX / 2 : RESPONSE_MAX;
    return trip;
}

void csv_oblivious_take(struct csv_caller *caller, struct csv_trip *trip,
                        const struct csv_fetched *fetched)
{
    uint32_t nonce_size = csn_ohttp_nonce_size(&trip->exchange);
    struct csn_ohttp_answer answer;
    if (fetched->status != 200) {
        csv_trip_refused(caller, trip, fetched);
        return;
    }
    if (!csv_fetched_is(fetched, RESPONSE_TYPE) ||
        fetched->body_size < nonce_size + CSN_OHTTP_TAG_SIZE) {
        csv_trip_fail(trip, &csv_fault_protocol, "the answer is not " RESPONSE_TYPE);
        return;
    }
    const uint8_t *sealed = (const uint8_t *)fetched->body + nonce_size;
    uint32_t sealed_size = (uint32_t)(fetched->body_size - nonce_size);
    uint8_t *plain = malloc(sealed_size);
    if (plain == NULL) {
        csv_trip_fail(trip, &csv_fault_memory, "out of memory");
        return;
    }
    csn_ohttp_answer(&trip->exchange, fetched->body, &answer);
    csn_err err = csn_ohttp_answer_open(&answer, true, sealed, sealed_size, plain);
    csn_wipe(&answer, sizeof answer);
    if (err != CSN_OK) {
        free(plain); /* what did not authenticate was wiped */
        csv_trip_fail(trip, &csv_fault_answer, "the answer does not open: %s", csn_err_name(err));
        return;
    }
    csv_trip_answer(trip, plain, sealed_size - CSN_OHTTP_TAG_SIZE);
}
