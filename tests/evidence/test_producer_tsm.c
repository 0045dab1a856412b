/* SPDX-License-Identifier: Apache-2.0 */
/* test_producer_tsm.c: the configfs-tsm producer against a file system that behaves as the kernel's
 * does. */
#include "tsm_double.h"
#include "tsm_semantics.h"
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/caisson-tsm-XXXXXX";
static struct tsm_double *machine;
static struct csn_evidence_tsm tsm = {folder, CSN_EVIDENCE_PRIVLEVEL_UNSET};
static struct csn_evidence_platform platform;
static uint8_t report_data[64];

static int reset(void **state)
{
    (void)state;
    assert_int_equal(machine->entry_count, 0); /* the test before left nothing behind */
    tsm_double_reset(machine);
    tsm.privlevel = CSN_EVIDENCE_PRIVLEVEL_UNSET;
    memset(&platform, 0, sizeof platform);
    for (size_t i = 0; i < sizeof report_data; i++) {
        report_data[i] = (uint8_t)(i + 1);
    }
    return 0;
}

static csn_err report(void)
{
    csn_err result = csn_evidence_tsm.prepare(&tsm, &platform);
    return result == CSN_OK ? csn_evidence_tsm.sign(&tsm, report_data, &platform) : result;
}

static void expect_report(void)
{
    csn_err result = report();
    if (result != CSN_OK) {
        fail_msg("%s: %s", csn_err_name(result), platform.detail);
    }
    assert_string_equal(platform.detail, "");
}

static void expect_failure(csn_err expected, const char *says)
{
    assert_int_equal(report(), expected);
    if (strstr(platform.detail, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", platform.detail, says);
    }
}

/* The index-th part that was made; fails if there is none. */
static const uint8_t *part(size_t index, uint32_t kind, size_t *size)
{
    struct csn_wire_evidence_part head;
    size_t at = 0;
    for (size_t i = 0;; i++) {
        assert_true(platform.size - at >= sizeof head);
        memcpy(&head, platform.bytes + at, sizeof head);
        at += sizeof head;
        assert_true(head.size <= platform.size - at);
        if (i == index) {
            assert_int_equal(head.kind, kind);
            *size = head.size;
            return platform.bytes + at;
        }
        at += head.size;
    }
}

static void expect_ours(size_t report_size)
{
    size_t size = 0;
    const uint8_t *bytes = part(0, CSV_PART_EVIDENCE, &size);
    assert_int_equal(size, report_size);
    assert_memory_equal(bytes + TSM_REPORT_DATA_AT, report_data, 64);
}

static void a_report_over_our_data(void **state)
{
    (void)state;
    expect_report();
    assert_int_equal(platform.type, CSN_WIRE_EVIDENCE_SNP);
    expect_ours(1184);
    assert_int_equal(platform.size, 8 + 1184);
    assert_int_equal(machine->entries_made, 2);
    assert_int_equal(machine->reports_made, 1);
}

static void each_provider_has_its_type(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t type;
    } rows[] = {{"sev_guest\n", CSN_WIRE_EVIDENCE_SNP},
                {"tdx_guest\n", CSN_WIRE_EVIDENCE_TDX},
                {"arm_cca_guest\n", CSN_WIRE_EVIDENCE_CCA}};
    for (size_t i = 0; i < 3; i++) {
        snprintf(machine->provider, sizeof machine->provider, "%s", rows[i].text);
        expect_report();
        assert_int_equal(platform.type, rows[i].type);
    }
}

static void another_provider_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"sev_guest", "sev",          "sev_guest\n\n", "\n",
                                        "SEV_GUEST", "sev_guest2\n", "csv_guest\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        snprintf(machine->provider, sizeof machine->provider, "%s", texts[i]);
        expect_failure(CSN_ERR_FORMAT, "provider");
    }
}

static void a_provider_that_changes_is_noticed(void **state)
{
    (void)state;
    snprintf(machine->later_provider, sizeof machine->later_provider, "tdx_guest\n");
    machine->later_after = 1;
    expect_failure(CSN_ERR_FORMAT, "another than before");
}

static void no_provider_no_interface(void **state)
{
    (void)state;
    machine->provider[0] = 0;
    expect_failure(CSN_ERR_MISSING, "no platform behind it");
    tsm.root = "/nonexistent/tsm/report";
    expect_failure(CSN_ERR_MISSING, "Linux 6.7");
    static char deep[600] = "/tmp/";
    memset(deep + 5, 'x', sizeof deep - 6);
    tsm.root = deep;
    expect_failure(CSN_ERR_ARGUMENT, "too long");
    tsm.root = folder;
}

static void certificates_ride_along(void **state)
{
    (void)state;
    size_t size = 0;
    machine->aux_size = sizeof machine->aux;
    memset(machine->aux, 0x3c, sizeof machine->aux);
    expect_report();
    const uint8_t *bytes = part(1, CSV_PART_CHAIN, &size);
    assert_int_equal(size, sizeof machine->aux);
    assert_memory_equal(bytes, machine->aux, size);
    machine->hide_aux = true; /* a provider without certificates */
    expect_report();
    assert_int_equal(platform.size, 8 + 1184);
}

static void the_privilege_level_counts_as_a_write(void **state)
{
    (void)state;
    size_t size = 0;
    tsm.privlevel = 2;
    expect_report();
    expect_ours(1184);
    assert_int_equal(part(0, CSV_PART_EVIDENCE, &size)[TSM_PRIVLEVEL_AT], 2);
    machine->privlevel_floor = 3;
    expect_failure(CSN_ERR_SYSTEM, "write privlevel");
    machine->hide_privlevel = true; /* as with TDX */
    expect_failure(CSN_ERR_SYSTEM, "open privlevel");
}

static void large_quotes_and_short_reads(void **state)
{
    (void)state;
    machine->report_size = 32768;
    machine->read_size_max = 1000;
    snprintf(machine->provider, sizeof machine->provider, "tdx_guest\n");
    expect_report();
    expect_ours(32768);
    machine->report_size = 32769;
    expect_failure(CSN_ERR_SYSTEM, strerror(EFBIG));
    machine->blob_size_max = TSM_BLOB_SIZE_MAX; /* a kernel with another limit */
    machine->read_size_max = UINT32_MAX;
    machine->report_size = TSM_BLOB_SIZE_MAX;
    expect_failure(CSN_ERR_FORMAT, "larger");
}

static void cut_reports_are_refused(void **state)
{
    (void)state;
    machine->report_size = 0;
    expect_failure(CSN_ERR_FORMAT, "not a whole report");
    machine->report_size = 1183;
    expect_failure(CSN_ERR_FORMAT, "not a whole report");
}

static void failures_of_the_platform_are_told(void **state)
{
    (void)state;
    machine->report_error = EINTR; /* a signal: again */
    machine->report_error_count = 3;
    expect_report();
    expect_ours(1184);
    machine->report_error = EIO;
    machine->report_error_count = 1;
    expect_failure(CSN_ERR_SYSTEM, strerror(EIO));
    machine->report_error = EINTR;
    machine->report_error_count = 100000;
    expect_failure(CSN_ERR_SYSTEM, strerror(EINTR));
    machine->report_error_count = 0;
}

static void a_foreign_write_is_noticed_and_tried_again(void **state)
{
    (void)state;
    static const enum tsm_attribute places[] = {TSM_INBLOB, TSM_OUTBLOB, TSM_AUXBLOB,
                                                TSM_PRIVLEVEL};
    tsm.privlevel = 1;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        machine->intrude_at = places[i];
        machine->intrude_count = 1;
        machine->entries_made = 0;
        expect_report();
        expect_ours(1184);
        assert_int_equal(machine->intrude_count, 0);
        assert_int_equal(machine->entries_made, 3); /* a fresh entry for the second try */
    }
    machine->intrude_at = TSM_GENERATION; /* the second reading: it is known by then */
    machine->intrude_skip = 1;
    machine->intrude_count = 1;
    expect_report();
    expect_ours(1184);
}

static void a_foreign_writer_each_time_ends_it(void **state)
{
    (void)state;
    machine->intrude_at = TSM_OUTBLOB;
    machine->intrude_count = 1000;
    machine->entries_made = 0;
    expect_failure(CSN_ERR_LIMIT, "another writer");
    assert_int_equal(machine->entries_made, 6);
    machine->intrude_count = 0;
}

static void an_error_that_a_foreign_writer_made_is_no_answer(void **state)
{
    (void)state;
    machine->intrude_at = TSM_OUTBLOB;
    machine->intrude_count = 1;
    machine->report_error = EINVAL;
    machine->report_error_count = 1;
    expect_report();
    expect_ours(1184);
}

static void an_entry_that_takes_nothing_is_left(void **state)
{
    (void)state;
    tsm.privlevel = 0;
    machine->stuck_count = 0;
    assert_int_equal(csn_evidence_tsm.prepare(&tsm, &platform), CSN_OK);
    machine->stuck_count = 2; /* EBUSY from privlevel's write */
    assert_int_equal(csn_evidence_tsm.sign(&tsm, report_data, &platform), CSN_OK);
    expect_ours(1184);
    tsm.privlevel = CSN_EVIDENCE_PRIVLEVEL_UNSET; /* inblob's is lost in its close */
    machine->stuck_count = 2;
    assert_int_equal(csn_evidence_tsm.sign(&tsm, report_data, &platform), CSN_OK);
    expect_ours(1184);
}

/* ---- the double itself ---- */

static int open_in(const char *entry, const char *name, int flags)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", folder, entry, name);
    return open(path, flags);
}

static void the_double_does_what_the_kernel_does(void **state)
{
    (void)state;
    const char *fault = tsm_semantics(folder);
    if (fault != NULL) {
        fail_msg("%s", fault);
    }
}

/* ---- a real writer that races ---- */

static atomic_bool racing;

/* Writes its own data into each entry that it can guess the name of. */
static void *race(void *state)
{
    uint64_t *writes = state;
    uint8_t foreign[64];
    memset(foreign, 0xee, sizeof foreign);
    for (unsigned serial = 0; atomic_load(&racing); serial = (serial + 1) % 400) {
        char entry[64];
        snprintf(entry, sizeof entry, "caisson-%ld-%u", (long)getpid(), serial);
        int fd = open_in(entry, "inblob", O_WRONLY);
        for (int i = 0; fd >= 0 && i < 50; i++) {
            *writes += write(fd, foreign, sizeof foreign) == (ssize_t)sizeof foreign;
            close(fd);
            fd = open_in(entry, "inblob", O_WRONLY);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return NULL;
}

static void a_racing_writer_never_gets_a_report(void **state)
{
    (void)state;
    pthread_t thread;
    static uint64_t writes; /* outlives a failed test */
    unsigned made = 0;
    atomic_store(&racing, true);
    assert_int_equal(pthread_create(&thread, NULL, race, &writes), 0);
    for (int i = 0; i < 60; i++) {
        csn_err result = report();
        if (result == CSN_OK) {
            expect_ours(1184);
            made++;
        } else if (result != CSN_ERR_LIMIT) {
            fail_msg("%s: %s", csn_err_name(result), platform.detail);
        }
    }
    atomic_store(&racing, false);
    pthread_join(thread, NULL);
    print_message("# 60 reports against a writer: %u made, %llu foreign writes\n", made,
                  (unsigned long long)writes);
    assert_true(writes != 0);
}

/* With an argument it runs as a control, whose exit code alone counts: 77 is a skip. */
int main(int count, char **arguments)
{
#define TSM_TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TSM_TEST(the_double_does_what_the_kernel_does),
        TSM_TEST(a_report_over_our_data),
        TSM_TEST(each_provider_has_its_type),
        TSM_TEST(another_provider_is_refused),
        TSM_TEST(a_provider_that_changes_is_noticed),
        TSM_TEST(no_provider_no_interface),
        TSM_TEST(certificates_ride_along),
        TSM_TEST(the_privilege_level_counts_as_a_write),
        TSM_TEST(large_quotes_and_short_reads),
        TSM_TEST(cut_reports_are_refused),
        TSM_TEST(failures_of_the_platform_are_told),
        TSM_TEST(a_foreign_write_is_noticed_and_tried_again),
        TSM_TEST(a_foreign_writer_each_time_ends_it),
        TSM_TEST(an_error_that_a_foreign_writer_made_is_no_answer),
        TSM_TEST(an_entry_that_takes_nothing_is_left),
        TSM_TEST(a_racing_writer_never_gets_a_report),
    };
    const char *why = NULL;
    (void)arguments;
    machine =
        mmap(NULL, sizeof *machine, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (machine == MAP_FAILED || mkdtemp(folder) == NULL) {
        return 1;
    }
    tsm_double_reset(machine);
    pid_t process = tsm_double_start(machine, folder, &why);
    if (process == 0) {
        printf("1..0 # SKIP %s\n", why);
        rmdir(folder);
        return count > 1 ? 77 : 0;
    }
    int failed = cmocka_run_group_tests_name("configfs-tsm", tests, NULL, NULL);
    tsm_double_stop(process);
    rmdir(folder);
    return failed;
}
