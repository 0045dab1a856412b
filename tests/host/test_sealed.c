/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sealed.c: the whole sealed path over the real echo image on a named backend: evidence,
 * verdict, grant, receipt, statement, seal, ring, enclave, ring, open; and what a hostile host or a
 * crash does to it.
 *
 * Usage: test_sealed BACKEND|quarantine IMAGE
 */
#include "children.h"
#include "party.h"
#include <caisson/wire/message.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORDS       10000u
#define TENANTS       64u
#define RECORD_MAX    4096u
#define RECOVER_COUNT 3000u
#define ROUNDS        4u

static const char *backend_name;
static uint8_t *image;
static size_t image_size;
static struct site site;
static struct party party;

static int start(void **state)
{
    (void)state;
    site_start(&site, backend_name, image, image_size);
    party_new(&party);
    party_grant(&party, &site, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    party_free(&party);
    site_stop(&site);
    return 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The next answer is a served record of the party; tags say the order. */
static csn_err take(uint64_t tag)
{
    struct answer answer;
    struct csn_wire_result header;
    csn_err result = site_receive(&site, &answer);
    if (result == CSN_OK) {
        assert_int_equal(answer.tag, tag);
        assert_int_equal(answer.code, CSN_WIRE_DONE);
        assert_int_equal(party_open(&party, 1, &answer, &header), CSN_OK);
        assert_int_equal(header.sequence, tag);
    }
    return result;
}

/* Seal and submit records up to `until`, taking answers when there is no room. */
static void feed(uint64_t *next, uint64_t until, uint64_t *answered)
{
    static uint8_t record[RECORD_MAX];
    while (*next < until) {
        uint32_t size = party_seal(&party, 1, record, sizeof record);
        csn_err result = csn_enclave_submit(site.enclave, 0, *next, record, size);
        while (result == CSN_AGAIN) {
            assert_int_equal(take(*answered), CSN_OK);
            ++*answered;
            result = csn_enclave_submit(site.enclave, 0, *next, record, size);
        }
        assert_int_equal(result, CSN_OK);
        ++*next;
    }
    assert_int_equal(csn_enclave_flush(site.enclave, 0), CSN_OK);
}

static void finish(uint64_t count)
{
    static uint8_t record[RECORD_MAX];
    uint32_t size = 0;
    struct csn_wire_result header;
    struct csv_stream stream;
    assert_int_equal(csv_seal_fin(party.sealer, record, sizeof record, &size), CSN_OK);
    struct answer answer = site_ask(&site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_OK);
    assert_int_equal(csv_opener_stream_count(party.opener), 1);
    csv_opener_stream(party.opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.sent, count);
    assert_int_equal(stream.served, count);
    assert_int_equal(stream.refused, 0);
    assert_int_equal(stream.missing, 0);
    assert_int_equal(stream.repeats, 0);
}

static void records_come_back(void **state)
{
    (void)state;
    uint64_t next = 0;
    uint64_t answered = 0;
    feed(&next, RECORDS, &answered);
    for (; answered < RECORDS; answered++) {
        assert_int_equal(take(answered), CSN_OK);
    }
    finish(RECORDS);
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
    site_start(&elsewhere, backend_name, image, image_size);
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

/* ---- crashes ---- */

/* By SIGKILL where it is a process, else by the backend. */
static void end_enclave(void)
{
    if (strcmp(backend_name, "process") == 0) {
        assert_true(children_signal(SIGKILL));
    } else {
        assert_int_equal(csn_enclave_stop(site.enclave), CSN_OK);
    }
}

/* Restart, then verify and grant anew: the two parts of a recovery, timed. */
static void recover(uint64_t version)
{
    struct csn_detail detail = {""};
    double begin = seconds();
    if (csn_enclave_restart(site.enclave, &detail) != CSN_OK) {
        fail_msg("restart: %s", detail.text);
    }
    double started = seconds();
    party_grant(&party, &site, version);
    printf("# %s: restart %.2f ms, verify and re-grant %.2f ms\n", backend_name,
           (started - begin) * 1e3, (seconds() - started) * 1e3);
}

static void count_lost(void *state, uint64_t tag, const void *message, uint32_t size)
{
    (void)tag;
    (void)message;
    (void)size;
    ++*(uint64_t *)state;
}

/* Ended four times in the middle of a stream: each record is answered, and once. */
static void crashes_lose_nothing(void **state)
{
    (void)state;
    uint64_t next = 0;
    uint64_t answered = 0;
    bool is_process = strcmp(backend_name, "process") == 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        feed(&next, next + RECOVER_COUNT / ROUNDS / 2, &answered);
        for (uint64_t i = 0; i < 100; i++) {
            assert_int_equal(take(answered++), CSN_OK);
        }
        assert_int_equal(children_signal(SIGSTOP), is_process); /* so that some stay unfinished */
        feed(&next, next + RECOVER_COUNT / ROUNDS / 2, &answered);
        end_enclave();
        csn_err result;
        while ((result = take(answered)) == CSN_OK) {
            answered++;
        }
        assert_int_equal(result, CSN_ERR_CRASHED);
        uint64_t lost = 0;
        assert_int_equal(csn_enclave_unfinished(site.enclave, 0, count_lost, &lost), CSN_OK);
        assert_int_equal(lost, next - answered);
        assert_true(!is_process || lost >= RECOVER_COUNT / ROUNDS / 2);
        recover(1);
        while ((result = csn_enclave_resubmit(site.enclave, 0)) == CSN_AGAIN) {
            assert_int_equal(take(answered), CSN_OK);
            answered++;
        }
        assert_int_equal(result, CSN_OK);
        assert_int_equal(answered, next);
        printf("# %s: %u of %u were unfinished\n", backend_name, (unsigned)lost, (unsigned)next);
    }
    finish(next);
}

static void read_quarantined(void *state, uint64_t tag, const void *message, uint32_t size)
{
    (void)message;
    assert_int_equal(tag, 77);
    assert_true(size > sizeof(struct csn_wire_record));
    ++*(uint64_t *)state;
}

/* Alone in flight at two crashes: set aside, reported once, and the stream goes on without it. */
static void quarantined(void **state)
{
    (void)state;
    static uint8_t record[RECORD_MAX];
    uint64_t set_aside = 0;
    uint32_t size = party_seal(&party, 1, record, sizeof record);
    struct answer answer;
    struct csn_wire_result header;
    for (uint32_t crash = 0; crash < 2; crash++) {
        assert_true(children_signal(SIGSTOP));
        if (crash == 0) {
            assert_int_equal(site_submit(&site, 77, record, size), CSN_OK);
        } else {
            assert_int_equal(csn_enclave_resubmit(site.enclave, 0), CSN_AGAIN);
        }
        assert_true(children_signal(SIGKILL));
        assert_int_equal(site_receive(&site, &answer), CSN_ERR_CRASHED);
        recover(1);
    }
    assert_int_equal(csn_enclave_resubmit(site.enclave, 0), CSN_OK);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(csn_enclave_quarantined(site.enclave, 0, read_quarantined, &set_aside),
                         CSN_OK);
        assert_int_equal(set_aside, 1);
    }
    size = party_seal(&party, 1, record, sizeof record);
    answer = site_ask(&site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_OK);
    assert_int_equal(header.sequence, 1);
}

/* ---- replay ---- */

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
    site_start(&second, backend_name, image, image_size);
    assert_int_equal(site_ask(&second, record, size).code, CSN_WIRE_REJECT_TENANT);
    party_grant(&party, &second, 1);
    answer = site_ask(&second, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(&party, 1, &answer, &header), CSN_ERR_REPLAY);
    site_stop(&second);
    end_enclave();
    while (site_receive(&site, &answer) == CSN_OK) {
    }
    recover(1);
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
    site_start(&second, backend_name, image, image_size);
    party_grant(&party, &second, 1);
    challenge(&second, &other); /* so that its counter is out as well */
    assert_int_equal(other.counter, given.counter);
    assert_int_equal(site_ask(&second, record, size).code, CSN_WIRE_REJECT_AUTH);
    site_stop(&second);
    end_enclave();
    while (site_receive(&site, &answer) == CSN_OK) {
    }
    recover(1);
    assert_int_equal(site_ask(&site, record, size).code, CSN_WIRE_REJECT_STALE);
    challenge(&site, &other);
    assert_int_equal(site_ask(&site, record, size).code, CSN_WIRE_REJECT_AUTH);
}

static void replayed_grant(void **state)
{
    (void)state;
    static struct site second;
    static uint8_t old[sizeof party.message];
    struct answer answer;
    uint32_t size = party.message_size;
    memcpy(old, party.message, size);
    assert_int_equal(site_ask(&site, old, size).code, CSN_WIRE_REJECT_STALE);
    party_grant(&party, &site, 2);
    assert_int_equal(site_ask(&site, old, size).code, CSN_WIRE_REJECT_STALE);
    site_start(&second, backend_name, image, image_size);
    assert_int_equal(site_ask(&second, old, size).code, CSN_WIRE_REJECT_STALE);
    site_stop(&second);
    end_enclave();
    while (site_receive(&site, &answer) == CSN_OK) {
    }
    recover(3);
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
    site_start(&site, backend_name, image, image_size);
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

static bool is_missing(struct csn_detail *detail)
{
    const struct csn_enclave_options options = {
        .image = image, .image_size = image_size, .backend = backend_name};
    struct csn_enclave *enclave = NULL;
    csn_err result = csn_enclave_create(&options, &enclave, detail);
    csn_enclave_destroy(enclave);
    return result == CSN_ERR_MISSING;
}

static int read_image(const char *path)
{
    FILE *file = fopen(path, "rb");
    image = malloc(16u << 20);
    if (file == NULL || image == NULL) {
        return -1;
    }
    image_size = fread(image, 1, 16u << 20, file);
    fclose(file);
    return 0;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back, start, stop),
        cmocka_unit_test_setup_teardown(hostile_inputs, start, stop),
        cmocka_unit_test_setup_teardown(foreign_tenant, start, stop),
        cmocka_unit_test_setup_teardown(crashes_lose_nothing, start, stop),
        cmocka_unit_test_setup_teardown(replayed_idempotent, start, stop),
        cmocka_unit_test_setup_teardown(replayed_window, start, stop),
        cmocka_unit_test_setup_teardown(replayed_grant, start, stop),
        cmocka_unit_test(many_tenants),
    };
    /* A crash from outside needs a process of its own to hit. */
    const struct CMUnitTest process_tests[] = {
        cmocka_unit_test_setup_teardown(quarantined, start, stop),
    };
    struct csn_detail detail = {""};
    if (count != 3 || read_image(arguments[2]) != 0 || csv_client_init() != CSN_OK) {
        fprintf(stderr, "usage: test_sealed BACKEND|quarantine IMAGE\n");
        return 2;
    }
    bool quarantine = strcmp(arguments[1], "quarantine") == 0;
    backend_name = quarantine ? "process" : arguments[1];
    if (is_missing(&detail)) {
        printf("1..0 # SKIP %s\n", detail.text);
        return 0;
    }
    if (quarantine) {
        return cmocka_run_group_tests_name("quarantine", process_tests, NULL, NULL);
    }
    return cmocka_run_group_tests_name("sealed path", tests, NULL, NULL);
}
