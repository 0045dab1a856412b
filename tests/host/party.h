/* SPDX-License-Identifier: Apache-2.0 */
/*
 * party.h: the people around one enclave: a site that runs it and vouches for it with development
 * evidence, and tenants who verify that, grant, seal and open.
 *
 * A tenant gets its keys only as the library gives them: instance key from an appraised verdict,
 * recipient key from a signed statement.
 */
#ifndef TESTS_HOST_PARTY_H
#define TESTS_HOST_PARTY_H

#include "image/image.h"
#include <caisson/client.h>
#include <caisson/host.h>
#include <caisson/verify.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PARTY_WAIT_NS UINT64_C(10000000000)

struct site {
    struct csn_enclave *enclave;
    struct csn_wire_signature signature;
    uint8_t measurement[48];
    uint8_t root_seed[32];
    uint8_t root_key[32];
    uint8_t *target; /* output_size_max bytes */
};

struct party {
    struct csv_tenant tenant;
    struct csv_consumer consumer;
    struct csv_credential producer; /* outputs go to consumer */
    struct csv_recipient *recipient;
    struct csv_grant grant;
    struct csv_sealer *sealer;
    struct csv_opener *opener;
    uint8_t message[8192]; /* the grant */
    uint32_t message_size;
    uint16_t operation; /* of the records that it seals; 1 unless set */
    const void *policy; /* of its grants; NULL: none */
    uint32_t policy_size;
};

/* One answer of the enclave: its code, and what follows (in site->target). */
struct answer {
    uint64_t tag;
    uint32_t code;
    uint32_t size;
    const uint8_t *body;
};

/* Runs the image and the backend of named.h. */
void site_start(struct site *site);
void site_stop(struct site *site);
/* Evidence for a fresh nonce, appraised. */
struct csv_verdict *site_verdict(struct site *site);
/* The next answer, waiting for it; or CSN_ERR_CRASHED. */
csn_err site_receive(struct site *site, struct answer *answer);
/* Submit and flush; AGAIN is left to the caller. */
csn_err site_submit(struct site *site, uint64_t tag, const void *bytes, uint32_t size);
/* One message and its only answer. */
struct answer site_ask(struct site *site, const void *bytes, uint32_t size);

void party_new(struct party *party);
void party_free(struct party *party);
/* Verify, build the grant; send it; read the receipt; statement; sealer if there is none yet. */
void party_grant_build(struct party *party, struct site *site, uint64_t version);
void party_grant(struct party *party, struct site *site, uint64_t version);
/* The next record of the party's stream: its payload follows from salt and sequence number. */
uint32_t party_seal(struct party *party, uint32_t salt, uint8_t *record, uint32_t record_size_max);
/* What an output is to the consumer; where CSN_OK, its payload is checked against salt. */
csn_err party_open(struct party *party, uint32_t salt, const struct answer *answer,
                   struct csn_wire_result *header);

#endif
