/* SPDX-License-Identifier: Apache-2.0 */
/* solo.c: see solo.h. */
#include "solo.h"

struct fake fake;
struct fake_tenant tenant;
uint8_t record[FAKE_RECORD_MAX];

int solo_start(void **state)
{
    (void)state;
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    return 0;
}

int solo_stop(void **state)
{
    (void)state;
    fake_stop(&fake);
    return 0;
}

struct csv_sealer *solo_sealer(const struct fake_tenant *owner,
                               const struct csv_credential *credential,
                               const struct csn_wire_challenge *challenge)
{
    struct csv_sealer *sealer = NULL;
    const struct csv_sealer_options options = {
        .recipient = &owner->recipient, .credential = credential, .challenge = challenge};
    assert_int_equal(csv_sealer_create(&options, &sealer), CSN_OK);
    return sealer;
}

struct csn_wire_challenge solo_challenge(struct fake *asked)
{
    const uint32_t kind = CSN_WIRE_CHALLENGE;
    struct csn_wire_challenge challenge;
    const struct fake_answer *answer = fake_one(asked, &kind, sizeof kind);
    assert_int_equal(answer->code, CSN_WIRE_CHALLENGED);
    assert_int_equal(answer->size, sizeof challenge);
    memcpy(&challenge, answer->body, sizeof challenge);
    return challenge;
}

struct csv_opener *solo_opener(const struct csv_consumer *consumer)
{
    struct csv_opener *opener = NULL;
    const struct csv_opener_options options = {.consumer = consumer, .grant_version_min = 1};
    assert_int_equal(csv_opener_create(&options, &opener), CSN_OK);
    return opener;
}

uint32_t solo_seal(struct csv_sealer *sealer, uint16_t operation, const void *payload,
                   uint32_t size)
{
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = size,
                                 .operation = operation,
                                 .record = record,
                                 .record_size_max = sizeof record};
    assert_int_equal(csv_seal_batch(sealer, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_OK);
    return item.record_size;
}

void solo_short(struct csv_sealer *sealer)
{
    struct csn_wire_result result;
    uint8_t payload[1024];
    uint32_t size;
    assert_int_equal(csv_seal_hello(sealer, record, sizeof record, &size), CSN_OK);
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_int_equal(csv_reply_open(sealer, answer->body, answer->size, &result, payload, &size),
                     CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_OK);
    assert_true((result.flags & CSN_WIRE_RESULT_SHORT) != 0);
    assert_int_equal(size, 0);
    csv_sealer_short(sealer, result.handle);
}

struct csv_open_item solo_open(struct csv_opener *opener, const struct fake_answer *answer,
                               uint8_t *payload)
{
    struct csv_open_item item = {.record = answer->body, .size = answer->size, .payload = payload};
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_int_equal(csv_open_batch(opener, &item, 1), CSN_OK);
    return item;
}
