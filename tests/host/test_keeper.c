/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_keeper.c: a service whose state is outside, on a real backend, over a real folder: restarts,
 * ends at any moment, another enclave on the same folder, no space.
 */
#include "../evidence/swtpm.h"
#include "../images/keeper.h"
#include "named.h"
#include "outside.h"
#include "party.h"
#include <caisson/evidence.h>
#include <caisson/wire/outside.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32u

static char folder[] = "/tmp/caisson-keeper-XXXXXX";
static struct csn_store *store;
static struct csn_tpm_link *link_to_tpm; /* NULL: none */
static struct site site;
static struct party party;
/* What was acknowledged, in order. */
static struct keeper_state kept;

static csn_err open_store(struct csn_store **opened)
{
    struct csn_detail detail = {""};
    const struct csn_store_options options = {.folder = folder,
                                              .tpm =
                                                  link_to_tpm != NULL ? csn_tpm_link_carry : NULL,
                                              .tpm_state = link_to_tpm};
    return csn_store_open(&options, opened, &detail);
}

static void run_command(const char *program, const char *first, const char *second,
                        const char *third)
{
    int result = 0;
    pid_t child = fork();
    if (child == 0) {
        execlp(program, program, first, second, third, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

static void start(void)
{
    assert_int_equal(open_store(&store), CSN_OK);
    named_options.store = store;
    site_start(&site);
}

static void stop(void)
{
    site_stop(&site);
    csn_store_close(store);
    store = NULL;
}

static int make(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/caisson-keeper-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    kept = (struct keeper_state){0};
    start();
    party_new(&party);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    party_free(&party);
    stop();
    run_command("rm", "-r", folder, NULL);
    return 0;
}

/* ---- asking ---- */

static uint32_t seal(uint16_t operation, const uint8_t *payload, uint32_t size, uint8_t *record)
{
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = size,
                                 .operation = operation,
                                 .record = record,
                                 .record_size_max = 8192};
    assert_int_equal(csv_seal_batch(party.sealer, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_OK);
    return item.record_size;
}

/* Its status; payload: 8192 bytes. */
static uint32_t open_answer(const struct answer *answer, uint8_t *payload, uint32_t *size)
{
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    struct csv_open_item item = {.record = answer->body, .size = answer->size, .payload = payload};
    assert_int_equal(csv_open_batch(party.opener, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_OK);
    *size = item.payload_size;
    return item.header.status;
}

static uint32_t ask(uint16_t operation, const uint8_t *payload, uint32_t size, uint8_t *out,
                    uint32_t *out_size)
{
    static uint8_t record[8192];
    struct answer answer = site_ask(&site, record, seal(operation, payload, size, record));
    return open_answer(&answer, out, out_size);
}

static uint32_t fill(uint64_t index, uint8_t *payload)
{
    uint32_t size = 1 + (uint32_t)(index * 37 % 700);
    for (uint32_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)(index * 13 + i);
    }
    return size;
}

static void add(struct keeper_state *state, uint64_t index)
{
    uint8_t payload[1024];
    uint32_t size = fill(index, payload);
    state->count++;
    state->digest = keeper_digest(state->digest, payload, size);
}

static uint32_t put(void)
{
    uint8_t payload[1024];
    uint8_t out[8192];
    uint32_t out_size = 0;
    uint32_t size = fill(kept.count, payload);
    uint32_t status = ask(KEEPER_PUT, payload, size, out, &out_size);
    if (status == CSN_WIRE_STATUS_OK) {
        assert_int_equal(out_size, size);
        assert_memory_equal(out, payload, size);
        add(&kept, kept.count);
    }
    return status;
}

static uint32_t state_now(struct keeper_state *state)
{
    uint8_t out[8192];
    uint32_t size = 0;
    uint32_t status = ask(KEEPER_STATE, NULL, 0, out, &size);
    if (status == CSN_WIRE_STATUS_OK) {
        assert_int_equal(size, sizeof *state);
        memcpy(state, out, sizeof *state);
    }
    return status;
}

static void check_kept(void)
{
    struct keeper_state state = {0};
    assert_int_equal(state_now(&state), CSN_WIRE_STATUS_OK);
    assert_int_equal(state.count, kept.count);
    assert_int_equal(state.digest, kept.digest);
}

/* The receipt's status. */
static uint32_t grant(uint64_t version)
{
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    party_grant_build(&party, &site, version);
    struct answer answer = site_ask(&site, party.message, party.message_size);
    assert_int_equal(answer.code, CSN_WIRE_GRANTED);
    assert_int_equal(csv_receipt_open(&party.grant, answer.body, answer.size, &result, &receipt),
                     CSN_OK);
    if (party.sealer == NULL) {
        const struct csv_sealer_options options = {.recipient = party.recipient,
                                                   .credential = &party.producer};
        assert_int_equal(csv_sealer_create(&options, &party.sealer), CSN_OK);
    }
    return result.status;
}

/* ---- tests ---- */

static void it_is_there_after_a_restart(void **state)
{
    (void)state;
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 40; i++) {
            assert_int_equal(put(), CSN_WIRE_STATUS_OK);
        }
        check_kept();
        assert_int_equal(grant(2 + 2 * round), CSN_WIRE_STATUS_OK); /* goes on as it is */
        check_kept();
        if (round == 0) { /* the same process, another boot */
            struct csn_detail detail = {""};
            assert_int_equal(csn_enclave_stop(site.enclave), CSN_OK);
            assert_int_equal(csn_enclave_restart(site.enclave, &detail), CSN_OK);
        } else { /* all of it anew */
            stop();
            start();
        }
        assert_int_equal(grant(3 + 2 * round), CSN_WIRE_STATUS_OK);
        check_kept();
    }
}

/* Snapshots are made on the way: the folder stays small, and nothing is lost. */
static void it_stays_small(void **state)
{
    (void)state;
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    for (uint32_t i = 0; i < 600; i++) {
        assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    }
    check_kept();
    struct csn_store_counts counts;
    csn_store_counts(store, &counts);
    assert_true(counts.written_size > 3 * KEEPER_SNAPSHOT_AFTER);
    assert_int_equal(counts.refused + counts.failed + counts.full, 0);
    stop();
    start();
    assert_int_equal(grant(2), CSN_WIRE_STATUS_OK);
    check_kept();
    csn_store_counts(store, &counts);
    assert_true(counts.read_size < 3 * KEEPER_SNAPSHOT_AFTER);
}

/* Many at once are made durable together. */
static void a_batch_is_one_sync(void **state)
{
    (void)state;
    static uint8_t record[8192];
    uint8_t payload[1024];
    uint8_t out[8192];
    struct csn_store_counts before;
    struct csn_store_counts after;
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    csn_store_counts(store, &before);
    const uint64_t rounds = 20;
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            uint32_t size = fill(kept.count + i, payload);
            size = seal(KEEPER_PUT, payload, size, record);
            assert_int_equal(csn_enclave_submit(site.enclave, 0, i, record, size), CSN_OK);
        }
        assert_int_equal(csn_enclave_flush(site.enclave, 0), CSN_OK);
        for (uint32_t i = 0; i < BATCH; i++) {
            struct answer answer;
            uint32_t size = 0;
            assert_int_equal(site_receive(&site, &answer), CSN_OK);
            assert_int_equal(open_answer(&answer, out, &size), CSN_WIRE_STATUS_OK);
            add(&kept, kept.count);
        }
    }
    check_kept();
    csn_store_counts(store, &after);
    assert_true(after.syncs - before.syncs < rounds * BATCH / 4);
    printf("# %llu records, %llu syncs\n", (unsigned long long)(rounds * BATCH),
           (unsigned long long)(after.syncs - before.syncs));
}

/* What was acknowledged before the end is there; what was not may be there, in order. */
static void it_may_end_at_any_moment(void **state)
{
    (void)state;
    static uint8_t record[8192];
    uint8_t payload[1024];
    uint8_t out[8192];
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    for (uint64_t round = 0; round < 8; round++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            uint32_t size = fill(kept.count + i, payload);
            size = seal(KEEPER_PUT, payload, size, record);
            assert_int_equal(csn_enclave_submit(site.enclave, 0, i, record, size), CSN_OK);
        }
        assert_int_equal(csn_enclave_flush(site.enclave, 0), CSN_OK);
        const struct timespec pause = {.tv_nsec = (long)(round * round * 40000)};
        nanosleep(&pause, NULL);
        outside_end(site.enclave);
        struct answer answer;
        uint32_t answers = 0;
        while (site_receive(&site, &answer) == CSN_OK) {
            uint32_t size = 0;
            assert_int_equal(open_answer(&answer, out, &size), CSN_WIRE_STATUS_OK);
            add(&kept, kept.count);
            answers++;
        }
        stop();
        start();
        assert_int_equal(grant(2 + round), CSN_WIRE_STATUS_OK);
        struct keeper_state now = {0};
        assert_int_equal(state_now(&now), CSN_WIRE_STATUS_OK);
        assert_in_range(now.count, kept.count, kept.count + BATCH - answers);
        while (kept.count < now.count) {
            add(&kept, kept.count);
        }
        check_kept();
    }
}

static void copy_folder(const char *from, const char *to)
{
    char path[128];
    snprintf(path, sizeof path, "%s/.", from);
    run_command("cp", "-r", path, to);
}

/* One bit of the first record. */
static void damage(void)
{
    char pattern[128];
    glob_t found;
    uint8_t byte = 0;
    snprintf(pattern, sizeof pattern, "%s/keeper-*-l0000000000000000", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    int fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, 150), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 150), 1);
    close(fd);
    globfree(&found);
}

/* A copy that is damaged, one of another tenant's, and none at all. */
static void others_are_refused(void **state)
{
    (void)state;
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    }
    stop();
    damage();
    start();
    assert_int_equal(grant(2), CSN_WIRE_STATUS_POLICY);
    struct party other;
    party_new(&other);
    const struct party damaged = party;
    party = other;
    kept = (struct keeper_state){0};
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK); /* its own is empty */
    assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    check_kept();
    party_free(&party);
    party = damaged;
    stop();
    named_options.store = NULL;
    site_start(&site);
    assert_int_equal(grant(3), CSN_WIRE_STATUS_POLICY);
    site_stop(&site);
    start();
}

/* Two enclaves, each with a copy, without a counter: CAVEATS says that nothing tells. */
static void two_with_a_copy_each(void **state)
{
    (void)state;
    char second[] = "/tmp/caisson-keeper-XXXXXX";
    struct csn_store *again = NULL;
    assert_non_null(mkdtemp(second));
    assert_int_equal(open_store(&again), CSN_BUSY); /* not on the same folder */
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    copy_folder(folder, second);
    const struct keeper_state then = kept;
    assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    check_kept();
    stop();
    char first[sizeof folder];
    memcpy(first, folder, sizeof folder);
    memcpy(folder, second, sizeof folder);
    start();
    assert_int_equal(grant(2), CSN_WIRE_STATUS_OK);
    kept = then;
    check_kept(); /* an older state, taken for the newest */
    run_command("rm", "-r", first, NULL);
}

/* From the enclave through the host's filter to a TPM, and over restarts. */
static void a_tpm_guards_it(void **state)
{
    (void)state;
    struct swtpm swtpm;
    struct csn_wire_counter counter;
    char detail[200] = "";
    char old[] = "/tmp/caisson-keeper-XXXXXX";
    if (!swtpm_start(&swtpm)) {
        puts("# swtpm does not run: apt-get install swtpm");
        return;
    }
    assert_int_equal(csn_tpm_counter_make(swtpm.tcti, 0x01800100, 0x81010002, &counter, detail),
                     CSN_OK);
    assert_int_equal(csn_tpm_link_open(swtpm.tcti, &link_to_tpm, detail), CSN_OK);
    party.policy = &counter;
    party.policy_size = sizeof counter;
    assert_int_equal(grant(1), CSN_WIRE_STATUS_POLICY); /* the host was given no TPM */
    assert_non_null(mkdtemp(old));
    for (uint64_t round = 0; round < 5; round++) { /* more than there are places for sessions */
        stop();
        start();
        assert_int_equal(grant(2 + round), CSN_WIRE_STATUS_OK);
        check_kept();
        assert_int_equal(put(), CSN_WIRE_STATUS_OK);
        if (round == 3) {
            copy_folder(folder, old);
        }
    }
    assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    check_kept();
    stop();
    char now[sizeof folder];
    memcpy(now, folder, sizeof folder);
    memcpy(folder, old, sizeof folder);
    start();
    assert_int_equal(grant(10), CSN_WIRE_STATUS_POLICY); /* an older copy */
    stop();
    memcpy(folder, now, sizeof folder);
    start();
    assert_int_equal(grant(11), CSN_WIRE_STATUS_OK);
    check_kept();
    stop();
    csn_tpm_link_close(link_to_tpm);
    link_to_tpm = NULL;
    swtpm_stop(&swtpm);
    run_command("rm", "-r", old, NULL);
    start();
}

static void limit(rlim_t size)
{
    struct rlimit limits;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limits), 0);
    limits.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limits), 0);
}

static void without_space_it_can_be_read(void **state)
{
    (void)state;
    uint8_t out[8192];
    uint32_t size = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(grant(1), CSN_WIRE_STATUS_OK);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    }
    limit(1024); /* the log is longer */
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(put(), CSN_WIRE_STATUS_UNAVAILABLE);
        check_kept();
        assert_int_equal(ask(KEEPER_GET, (const uint8_t *)"abc", 3, out, &size),
                         CSN_WIRE_STATUS_OK);
    }
    /* An enclave that starts without space cannot say that it is the writer, and serves. */
    limit(RLIM_INFINITY);
    stop();
    start();
    limit(1024);
    assert_int_equal(grant(2), CSN_WIRE_STATUS_OK);
    check_kept();
    assert_int_equal(put(), CSN_WIRE_STATUS_UNAVAILABLE);
    check_kept();
    limit(RLIM_INFINITY);
    assert_int_equal(put(), CSN_WIRE_STATUS_OK);
    check_kept();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_there_after_a_restart, make, unmake),
        cmocka_unit_test_setup_teardown(it_stays_small, make, unmake),
        cmocka_unit_test_setup_teardown(a_batch_is_one_sync, make, unmake),
        cmocka_unit_test_setup_teardown(it_may_end_at_any_moment, make, unmake),
        cmocka_unit_test_setup_teardown(others_are_refused, make, unmake),
        cmocka_unit_test_setup_teardown(two_with_a_copy_each, make, unmake),
        cmocka_unit_test_setup_teardown(without_space_it_can_be_read, make, unmake),
        cmocka_unit_test_setup_teardown(a_tpm_guards_it, make, unmake),
    };
    setenv("TSS2_LOG", "all+NONE", 0);
    int result = named_begin(argc, argv);
    return result >= 0 ? result : cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
