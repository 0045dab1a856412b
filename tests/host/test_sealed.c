/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sealed.c: the whole sealed path over the real echo image on a named backend: evidence,
 * verdict, grant, receipt, statement, seal, ring, enclave, ring, open; and what a hostile host does
 * to it. Crashes are in test_crash.c.
 *
 * Usage: test_sealed BACKEND IMAGE
 */
#include "flow.h"
#include "named.h"
#include "outside.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS    10000u
#define TENANTS    64u
#define RECORD_MAX 4096u

static void records_come_back(void **state)
{
    (void)state;
    assert_int_equal(flow_feed(&flow, RECORDS), CSN_OK);
    while (flow.answered < RECORDS) {
        assert_int_equal(flow_take(&flow), CSN_OK);
    }
    flow_finish(&flow, 0);
}

/* ---- hostile inputs, each between two good records ---- */

struct hostile {
    const char *name;
    uint32_t code;
    uint32_t offset; /* of one byte that is changed */
    uint8_t change;  /* xor */
};

static void between_good_records(const char *name, uint32_t code, const uint8_t *bytes,
                                 uint32_t size)
{
    static uint64_t tag;
    static uint8_t record[RECORD_MAX];
    struct csn_wire_result header;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t good = i == 1 ? 0 : party_seal(&party, 1, record, sizeof record);
        assert_int_equal(csn_enclave_submit(site.enclave, 0, tag + i, i == 1 ? bytes : record,
                                            i == 1 ? size : good),
                         CSN_OK);
    }
    assert_int_equal(csn_enclave_flush(site.enclave, 0), CSN_OK);
    for (uint32_t i = 0; i < 3; i++) {
        struct answer answer;
        assert_int_equal(site_receive(&site, &answer), CSN_OK);
        assert_int_equal(answer.tag, tag + i);
        if (answer.code != (i == 1 ? code : (uint32_t)CSN_WIRE_DONE)) {
            fail_msg("%s: code %u", name, answer.code);
        }
        if (i != 1) {
            assert_int_equal(party_open(&party, 1, &answer, &header), CSN_OK);
        } else {
            assert_int_equal(answer.size, 0);
        }
    }
    tag += 3;
}

#define AT(field) (uint32_t) offsetof(struct csn_wire_record, field)

static void hostile_inputs(void **state)
{
    (void)state;
    static uint8_t genuine[RECORD_MAX];
    static uint8_t record[RECORD_MAX * 20];
    uint32_t size = party_seal(&party, 1, genuine, sizeof genuine);
    const struct hostile cases[] = {
        {"kind", CSN_WIRE_REJECT_FRAMING, AT(kind), 0x10},
        {"version", CSN_WIRE_REJECT_VERSION, AT(version), 1},
        {"suite", CSN_WIRE_REJECT_SUITE, AT(suite), 1},
        {"direction", CSN_WIRE_REJECT_MODE, AT(direction), 3},
        {"class", CSN_WIRE_REJECT_SIZE, AT(cipher_size), 1},
        {"tenant", CSN_WIRE_REJECT_TENANT, AT(tenant), 1},
        {"floor", CSN_WIRE_REJECT_STALE, AT(grant_version) + 7, 1},
        {"key id", CSN_WIRE_REJECT_KEY, AT(key_id), 1},
        {"credential", CSN_WIRE_REJECT_KEY, AT(credential), 1},
        {"sequence", CSN_WIRE_REJECT_AUTH, AT(sequence), 1},
        {"encapsulation", CSN_WIRE_REJECT_AUTH, AT(encapsulation), 1},
        {"commitment", CSN_WIRE_REJECT_AUTH, AT(commitment), 1},
        {"cipher", CSN_WIRE_REJECT_AUTH, sizeof(struct csn_wire_record), 1},
        {"tag", CSN_WIRE_REJECT_AUTH, size - 1, 0x80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(record, genuine, size);
        record[cases[i].offset] ^= cases[i].change;
        between_good_records(cases[i].name, cases[i].code, record, size);
    }
    memset(record, 0, sizeof record);
    memcpy(record, genuine, size);
    for (uint32_t cut = 4; cut < size; cut += 61) {
        between_good_records("truncated", CSN_WIRE_REJECT_FRAMING, record, cut);
    }
    between_good_records("empty", CSN_WIRE_REJECT_FRAMING, record, 0);
    between_good_records("one byte", CSN_WIRE_REJECT_FRAMING, record, 1);
    between_good_records("longer", CSN_WIRE_REJECT_FRAMING, record, size + 64);
    uint32_t most = csn_enclave_manifest(site.enclave)->input_size_max;
    assert_true(most < sizeof record);
    between_good_records("as long as can be", CSN_WIRE_REJECT_FRAMING, record, most);
    assert_int_equal(csn_enclave_submit(site.enclave, 0, 1, record, most + 1), CSN_ERR_SPACE);
}

/* A second tenant that this enclave was not granted; then one that was, under the other's name. */
static void foreign_tenant(void **state)
{
    (void)state;
    static struct party other;
    static struct site elsewhere;
    static uint8_t record[RECORD_MAX];
    site_start(&elsewhere);
    party_new(&other);
    party_grant(&other, &elsewhere, 1);
    uint32_t size = party_seal(&other, 2, record, sizeof record);
    between_good_records("not granted", CSN_WIRE_REJECT_TENANT, record, size);
    party_grant(&other, &site, 1);
    memcpy(record + AT(tenant), party.tenant.id, 32);
    between_good_records("another's name", CSN_WIRE_REJECT_KEY, record, size);
    party_free(&other);
    site_stop(&elsewhere);
}

/* ---- replay ---- */

/* Ends it, and takes what was published before. */
static void crash(void)
{
    struct answer answer;
    outside_end(site.enclave);
    while (site_receive(&site, &answer) == CSN_OK) {
    }
}

/* Served again, as its mode says, wherever the tenant is granted; dropped by the consumer. */
static void replayed_idempotent(void **state)
{
    (void)state;
    static struct site second;
    static uint8_t record[RECORD_MAX];
    struct csn_wire_result header;
    uint32_t size = party_seal(&party, 1, record, sizeof record);
    struct answer answer = site_ask(&site, record, size);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_OK);
    answer = site_ask(&site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_ERR_REPLAY);
    site_start(&second);
    assert_int_equal(site_ask(&second, record, size).code, CSN_WIRE_REJECT_TENANT);
    party_grant(&party, &second, 1);
    answer = site_ask(&second, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_ERR_REPLAY);
    site_stop(&second);
    crash();
    flow_recover(&flow, 1);
    answer = site_ask(&site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_ERR_REPLAY);
}

static void challenge(struct site *asked, struct csn_wire_challenge *target)
{
    const uint32_t kind = CSN_WIRE_CHALLENGE;
    struct answer answer = site_ask(asked, &kind, sizeof kind);
    assert_int_equal(answer.code, CSN_WIRE_CHALLENGED);
    assert_int_equal(answer.size, sizeof *target);
    memcpy(target, answer.body, sizeof *target);
}

/* Under a challenge: served once, by the instance that gave it, and by none after a restart. */
static void replayed_window(void **state)
{
    (void)state;
    static struct site second;
    static uint8_t record[RECORD_MAX];
    struct csn_wire_result header;
    struct csn_wire_challenge given;
    struct csn_wire_challenge other;
    challenge(&site, &given);
    csv_sealer_destroy(party.sealer);
    const struct csv_sealer_options options = {
        .recipient = party.recipient, .credential = &party.producer, .challenge = &given};
    assert_int_equal(csv_sealer_create(&options, &party.sealer), CSN_OK);
    uint32_t size = party_seal(&party, 1, record, sizeof record);
    struct answer answer = site_ask(&site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_OK);
    answer = site_ask(&site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE); /* the host does not learn that it is one */
    (void)party_open(&party, 1, &answer, &header);
    assert_int_equal(header.status, CSN_WIRE_STATUS_REPLAY);
    assert_true((header.flags & CSN_WIRE_RESULT_TOMBSTONE) != 0);
    site_start(&second);
    party_grant(&party, &second, 1);
    challenge(&second, &other); /* so that its counter is out as well */
    assert_int_equal(other.counter, given.counter);
    assert_int_equal(site_ask(&second, record, size).code, CSN_WIRE_REJECT_AUTH);
    site_stop(&second);
    crash();
    flow_recover(&flow, 1);
    assert_int_equal(site_ask(&site, record, size).code, CSN_WIRE_REJECT_STALE);
    challenge(&site, &other);
    assert_int_equal(site_ask(&site, record, size).code, CSN_WIRE_REJECT_AUTH);
}

static void replayed_grant(void **state)
{
    (void)state;
    static struct site second;
    static uint8_t old[sizeof party.message];
    uint32_t size = party.message_size;
    memcpy(old, party.message, size);
    assert_int_equal(site_ask(&site, old, size).code, CSN_WIRE_REJECT_STALE);
    party_grant(&party, &site, 2);
    assert_int_equal(site_ask(&site, old, size).code, CSN_WIRE_REJECT_STALE);
    site_start(&second);
    assert_int_equal(site_ask(&second, old, size).code, CSN_WIRE_REJECT_STALE);
    site_stop(&second);
    crash();
    flow_recover(&flow, 3);
    assert_int_equal(site_ask(&site, old, size).code, CSN_WIRE_REJECT_STALE);
}

/* ---- many tenants ---- */

static struct party *tenants;

static void all_pairs_are_apart(const struct answer *answer, uint32_t owner)
{
    struct csn_wire_result header;
    for (uint32_t i = 0; i < TENANTS; i++) {
        if (i != owner) {
            assert_int_not_equal(party_open(&tenants[i], i, answer, &header), CSN_OK);
        }
    }
    assert_int_equal(party_open(&tenants[owner], owner, answer, &header), CSN_OK);
}

static void many_tenants(void **state)
{
    (void)state;
    static uint8_t record[RECORD_MAX];
    static struct party late;
    struct answer answer;
    tenants = calloc(TENANTS, sizeof *tenants);
    assert_non_null(tenants);
    site_start(&site);
    for (uint32_t i = 0; i < TENANTS; i++) {
        party_new(&tenants[i]);
        party_grant(&tenants[i], &site, 1);
    }
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < TENANTS; i++) {
            uint32_t size = party_seal(&tenants[i], i, record, sizeof record);
            assert_int_equal(site_submit(&site, i, record, size), CSN_OK);
        }
        for (uint32_t i = 0; i < TENANTS; i++) {
            assert_int_equal(site_receive(&site, &answer), CSN_OK);
            assert_int_equal(answer.tag, i);
            assert_int_equal(answer.code, CSN_WIRE_DONE);
            all_pairs_are_apart(&answer, i);
        }
    }
    /* The evidence now lists them all; there is no room for one more. */
    struct csv_verdict *verdict = site_verdict(&site);
    for (uint32_t i = 0; i < TENANTS; i++) {
        assert_non_null(csv_verdict_recipient(verdict, tenants[i].tenant.id, 0));
    }
    csv_verdict_free(verdict);
    party_new(&late);
    party_grant_build(&late, &site, 1);
    assert_int_equal(site_ask(&site, late.message, late.message_size).code, CSN_WIRE_REJECT_BUSY);
    party_free(&late);
    for (uint32_t i = 0; i < TENANTS; i++) {
        party_free(&tenants[i]);
    }
    free(tenants);
    site_stop(&site);
}

/* ---- the program ---- */

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(hostile_inputs, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(foreign_tenant, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(replayed_idempotent, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(replayed_window, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(replayed_grant, flow_start, flow_stop),
        cmocka_unit_test(many_tenants),
    };
    int ready = named_begin(count, arguments);
    if (ready >= 0) {
        return ready;
    }
    if (csv_client_init() != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests_name("sealed path", tests, NULL, NULL);
}
