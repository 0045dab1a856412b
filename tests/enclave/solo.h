/* SPDX-License-Identifier: Apache-2.0 */
/* solo.h: one session with one granted tenant, and what tests of either side of a record repeat. */
#ifndef TESTS_ENCLAVE_SOLO_H
#define TESTS_ENCLAVE_SOLO_H

#include "fake.h"
#include "test.h"

extern struct fake fake;
extern struct fake_tenant tenant; /* granted, version 1 */
extern uint8_t record[FAKE_RECORD_MAX];

/* A cmocka setup and teardown: a deterministic service. */
int solo_start(void **state);
int solo_stop(void **state);

/* challenge: NULL for an idempotent context. */
struct csv_sealer *solo_sealer(const struct fake_tenant *owner,
                               const struct csv_credential *credential,
                               const struct csn_wire_challenge *challenge);
/* Asks fake for one. */
struct csn_wire_challenge solo_challenge(struct fake *asked);
/* Takes outputs of grant version 1 and later. */
struct csv_opener *solo_opener(const struct csv_consumer *consumer);
/* Seals into record; returns its size. */
uint32_t solo_seal(struct csv_sealer *sealer, uint16_t operation, const void *payload,
                   uint32_t size);
/* A hello, its answer, and the short form from here on. */
void solo_short(struct csv_sealer *sealer);
/* Opens one output. */
struct csv_open_item solo_open(struct csv_opener *opener, const struct fake_answer *answer,
                               uint8_t *payload);

#endif
