/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_grant.c: the loop's half of a control socket: evidence, and a grant to each worker.
 *
 * A receipt tells the host nothing: accepted or refused, it looks the same. Evidence does tell (its
 * configuration digest moves with each grant), so that is what counts.
 */
#include "control_server.h"
#include <caisson/wire/message.h>
#include <stdlib.h>
#include <string.h>

#define START_NS_MAX UINT64_C(20000000000) /* for an enclave that is to come */

/* ---- the box ---- */

static void answer(struct csn_control_server *server, uint32_t type)
{
    pthread_mutex_lock(&server->lock);
    server->reply_type = type;
    server->box = CSN_CONTROL_ANSWERED;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static bool append(struct csn_control_server *server, const void *bytes, uint32_t size)
{
    uint8_t *larger = size <= CSN_CONTROL_SIZE_MAX - server->reply_size
                          ? realloc(server->reply, (size_t)server->reply_size + size + 1)
                          : NULL;
    if (larger == NULL) {
        return false;
    }
    memcpy(larger + server->reply_size, bytes, size);
    server->reply = larger;
    server->reply_size += size;
    return true;
}

static void refuse(struct csn_control_server *server, const char *why)
{
    server->reply_size = 0;
    (void)append(server, why, (uint32_t)strlen(why));
    answer(server, CSN_CONTROL_ERROR);
}

/* ---- evidence ---- */

static void take_evidence(struct csn_unit_nonce *nonce)
{
    struct csn_control_server *server = nonce->state;
    if (nonce->bundle == NULL) {
        refuse(server, nonce->detail.text);
    } else if (append(server, nonce->bundle, (uint32_t)nonce->bundle_size)) {
        answer(server, CSN_CONTROL_EVIDENCE);
    } else {
        refuse(server, "the bundle is too large");
    }
    free(nonce->bundle);
}

static void ask_evidence(struct csn_control_server *server, struct csn_unit *unit)
{
    server->unit_serial = unit->serial;
    server->nonce.done = take_evidence;
    server->nonce.state = server;
    memcpy(server->nonce.nonce, server->bytes, sizeof server->nonce.nonce);
    if (!csn_unit_ask_evidence(unit, &server->nonce, UINT32_MAX)) { /* one at a time: no limit */
        refuse(server, "too many ask for evidence");
    }
}

/* ---- grants ---- */

static bool read_digest(const struct csn_unit *unit, uint8_t digest[32])
{
    static struct csn_wire_boot_made made;
    if (csn_enclave_made(unit->enclave, &made) != CSN_OK) {
        return false;
    }
    memcpy(digest, made.config_digest, 32);
    return true;
}

static void finish_grant(struct csn_control_server *server)
{
    struct csn_unit *unit = csn_fleet_by_serial(server->fleet, server->unit_serial);
    uint8_t digest[32];
    bool accepted = unit != NULL && server->grant_authentic == server->grant_sent &&
                    csn_unit_is_up(unit) && read_digest(unit, digest) &&
                    memcmp(digest, server->config_before, sizeof digest) != 0;
    if (unit != NULL) {
        unit->grant_count += accepted ? 1 : 0;
        csn_unit_read_grants(unit);
        server->say(server->say_state, unit,
                    accepted ? "accepted a grant" : "refused a grant (the tenant knows why)");
    }
    answer(server, CSN_CONTROL_GRANT);
}

static void take_receipt(void *state, const uint8_t *bytes, uint32_t size, bool final)
{
    struct csn_control_server *server = state;
    struct csn_wire_answer head;
    uint32_t begin;
    if (csn_wire_answer_read(bytes, size, &head, &begin) && append(server, bytes, size)) {
        server->grant_authentic += head.code == CSN_WIRE_GRANTED ? 1 : 0;
    }
    server->grant_left -= final ? 1 : 0;
    if (server->grant_left == 0) {
        finish_grant(server);
    }
}

static void lose_receipt(void *state)
{
    struct csn_control_server *server = state;
    if (--server->grant_left == 0) {
        refuse(server, "the enclave stopped before it answered; it is started again: ask for new "
                       "evidence");
    }
}

static const struct csn_pump_asker receipts = {take_receipt, lose_receipt};

/* The grant goes to each worker; nothing is shared between them. All have room, or none gets it. */
static void send_grant(struct csn_control_server *server)
{
    /* That which this connection was told of. */
    struct csn_unit *unit = server->unit_serial != 0
                                ? csn_fleet_by_serial(server->fleet, server->unit_serial)
                                : csn_fleet_newest(server->fleet, server->slot);
    void *places[CSN_MAP_WORKER_COUNT_MAX];
    csn_err err = CSN_OK;
    uint32_t count = 0;
    if (unit == NULL || !csn_unit_is_up(unit) || !read_digest(unit, server->config_before)) {
        refuse(server, "ask for evidence first: that enclave is not running any more");
        return;
    }
    while (err == CSN_OK && count < unit->worker_count) {
        err = csn_pump_has_backlog(&unit->pumps[count])
                  ? CSN_AGAIN
                  : csn_pump_reserve(&unit->pumps[count], server->size, &places[count]);
        count += err == CSN_OK ? 1 : 0;
    }
    if (err != CSN_OK) {
        while (count-- != 0) {
            csn_pump_abandon(&unit->pumps[count]);
        }
        refuse(server, err == CSN_ERR_SPACE ? "the enclave does not take a message of this size"
                                            : "the enclave is busy; try again");
        return;
    }
    server->unit_serial = unit->serial;
    server->grant_sent = server->grant_left = count;
    server->grant_authentic = 0;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(places[i], server->bytes, server->size);
        csn_pump_hand_over(&unit->pumps[i], server->size, &receipts, server);
    }
}

/* Takes the request, unless it is for evidence of an enclave that is still to come. */
static bool take_request(struct csn_control_server *server, struct csn_unit *unit, uint64_t now_ns)
{
    pthread_mutex_lock(&server->lock);
    bool asked = server->box == CSN_CONTROL_ASKED;
    if (asked && server->asked_ns == 0) {
        server->asked_ns = now_ns;
    }
    if (asked && unit == NULL && server->type == CSN_CONTROL_EVIDENCE &&
        now_ns - server->asked_ns < START_NS_MAX) {
        asked = false;
    }
    if (asked) {
        server->box = CSN_CONTROL_BUSY;
        server->reply_size = 0;
        server->asked_ns = 0;
    }
    pthread_mutex_unlock(&server->lock);
    return asked;
}

void csn_control_server_take(struct csn_control_server *server, uint64_t now_ns)
{
    struct csn_unit *unit = csn_fleet_newest(server->fleet, server->slot);
    if (!take_request(server, unit, now_ns)) {
        return;
    }
    if (server->is_new_peer) {
        server->unit_serial = 0;
    }
    if (server->type == CSN_CONTROL_GRANT) {
        send_grant(server);
    } else if (server->type != CSN_CONTROL_EVIDENCE) {
        refuse(server, "no such request");
    } else if (server->size != CSN_CONTROL_NONCE_SIZE) {
        refuse(server, "a nonce has 32 bytes");
    } else if (unit == NULL) {
        refuse(server, "no enclave is running; it is being started");
    } else {
        ask_evidence(server, unit);
    }
}
