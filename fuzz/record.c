/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c: hostile records against a live session.
 *
 * First byte even: the rest is a message as it is. Odd: the rest is a list of edits (offset u16,
 * value u8, xor) of a genuine record in full or short form. Oracle: a record that differs from the
 * genuine one is never served, and every message gets exactly one final answer.
 */
#include "../tests/enclave/fake.c"
#include "check.h"

static struct fake fake;
static struct fake_tenant tenant;
static uint8_t full_record[2048];
static uint32_t full_size;
static uint8_t short_record[2048];
static uint32_t short_size;

static void make(struct csv_sealer *sealer, uint8_t *record, uint32_t *size)
{
    struct csv_seal_item item = {.payload = "fuzz",
                                 .payload_size = 4,
                                 .operation = FAKE_ECHO,
                                 .record = record,
                                 .record_size_max = sizeof full_record};
    CHECK(csv_seal_batch(sealer, &item, 1) == CSN_OK && item.result == CSN_OK);
    *size = item.record_size;
}

static void start(void)
{
    struct csv_sealer *sealer = NULL;
    struct csn_wire_result result;
    uint8_t payload[2048];
    uint32_t size;
    CHECK(csv_client_init() == CSN_OK);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    fake_tenant_new(&tenant);
    tenant.tenant.open_failures_max = UINT64_MAX / 2;
    fake_grant(&fake, &tenant, 1);
    const struct csv_sealer_options options = {.recipient = &tenant.recipient,
                                               .credential = &tenant.replier};
    CHECK(csv_sealer_create(&options, &sealer) == CSN_OK);
    CHECK(csv_seal_hello(sealer, full_record, sizeof full_record, &size) == CSN_OK);
    const struct fake_answer *answer = fake_one(&fake, full_record, size);
    CHECK(csv_reply_open(sealer, answer->body, answer->size, &result, payload, &size) == CSN_OK);
    make(sealer, full_record, &full_size);
    csv_sealer_short(sealer, result.handle);
    make(sealer, short_record, &short_size);
    csv_sealer_destroy(sealer);
}

static void edited(const uint8_t *data, size_t size)
{
    const uint8_t *genuine = (data[0] & 2) != 0 ? short_record : full_record;
    uint32_t record_size = (data[0] & 2) != 0 ? short_size : full_size;
    uint8_t record[2048];
    memcpy(record, genuine, record_size);
    for (size_t at = 1; at + 3 <= size; at += 3) {
        record[(data[at] | data[at + 1] << 8) % record_size] ^= data[at + 2];
    }
    bool same = memcmp(record, genuine, record_size) == 0;
    uint32_t code = fake_one(&fake, record, record_size)->code;
    CHECK((code == CSN_WIRE_DONE) == same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        start();
        started = true;
    }
    if (size == 0 || size > 8192) {
        return 0;
    }
    if ((data[0] & 1) != 0) {
        edited(data, size);
        return 0;
    }
    uint32_t code = fake_one(&fake, data + 1, (uint32_t)size - 1)->code;
    CHECK(fake.answer_count == 1 && code != CSN_WIRE_DONE && code != CSN_WIRE_GRANTED);
    return 0;
}
