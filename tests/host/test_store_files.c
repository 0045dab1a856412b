/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_files.c: a folder of objects: what each ask does, and what an enclave may not ask. */
#include "host/store.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM 1024u

static char folder[] = "/tmp/caisson-store-XXXXXX";
static struct csn_store *store;
static uint8_t answer[ROOM];
static struct csn_wire_outside_answer head;
static int sync_fails; /* 1: each; 2: of data alone */

/* Linked in place of the C library's. */
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fdatasync(int fd)
{
    errno = EIO;
    return sync_fails != 0 ? -1 : __real_fdatasync(fd);
}
int __wrap_fsync(int fd)
{
    errno = EIO;
    return sync_fails == 1 ? -1 : __real_fsync(fd);
}

static csn_err open_store(struct csn_store **opened)
{
    struct csn_detail detail = {""};
    const struct csn_store_options options = {.folder = folder};
    csn_err err = csn_store_open(&options, opened, &detail);
    assert_true(err == CSN_OK || detail.text[0] != 0);
    return err;
}

static int make(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/caisson-store-XXXXXX");
    sync_fails = 0;
    return mkdtemp(folder) == NULL || open_store(&store) != CSN_OK;
}

static int unmake(void **state)
{
    (void)state;
    char command[128];
    csn_store_close(store);
    store = NULL;
    snprintf(command, sizeof command, "%s", folder);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-r", command, (char *)NULL);
        _exit(127);
    }
    int result = 0;
    return waitpid(child, &result, 0) != child || result != 0;
}

/* ---- asking ---- */

static uint32_t serve(const struct csn_wire_outside_ask *ask, const void *bytes, uint32_t size)
{
    uint8_t message[ROOM];
    memcpy(message, ask, sizeof *ask);
    if (size != 0) {
        memcpy(message + sizeof *ask, bytes, size);
    }
    uint32_t got = csn_store_serve(store, message, (uint32_t)sizeof *ask + size, answer, ROOM);
    memcpy(&head, answer, sizeof head);
    assert_int_equal(got, sizeof head + head.size);
    assert_true(head.status == CSN_WIRE_OUTSIDE_OK || (head.size == 0 && head.value == 0));
    return head.status;
}

static uint32_t ask(uint32_t operation, const char *name, uint64_t offset, const char *bytes)
{
    struct csn_wire_outside_ask about = {.operation = operation, .offset = offset};
    about.size = bytes != NULL ? (uint32_t)strlen(bytes) : 0;
    memcpy(about.object, name, strlen(name));
    return serve(&about, bytes, about.size);
}

static uint32_t read_at(const char *name, uint64_t offset, uint32_t size)
{
    struct csn_wire_outside_ask about = {
        .operation = CSN_WIRE_OUTSIDE_READ, .offset = offset, .size = size};
    memcpy(about.object, name, strlen(name));
    return serve(&about, NULL, 0);
}

static bool holds(const char *name, const char *text)
{
    return read_at(name, 0, 500) == CSN_WIRE_OUTSIDE_OK && head.size == strlen(text) &&
           memcmp(answer + sizeof head, text, head.size) == 0;
}

#define APPEND(name, offset, text) ask(CSN_WIRE_OUTSIDE_APPEND, name, offset, text)
#define PART(name, offset, text)   ask(CSN_WIRE_OUTSIDE_PART, name, offset, text)

static void each_does_what_it_says(void **state)
{
    (void)state;
    assert_int_equal(read_at("a", 0, 10), CSN_WIRE_OUTSIDE_MISSING);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_SIZE, "a", 0, NULL), CSN_WIRE_OUTSIDE_MISSING);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_SYNC, "a", 0, NULL), CSN_WIRE_OUTSIDE_MISSING);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_REMOVE, "a", 0, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(APPEND("a", 1, "x"), CSN_WIRE_OUTSIDE_REFUSED); /* a hole */
    assert_int_equal(APPEND("a", 0, "hello "), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(APPEND("a", 6, "world"), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_SYNC, "a", 0, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_SIZE, "a", 0, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(head.value, 11);
    assert_true(holds("a", "hello world"));
    assert_int_equal(read_at("a", 6, 3), CSN_WIRE_OUTSIDE_OK);
    assert_memory_equal(answer + sizeof head, "wor", 3);
    assert_int_equal(read_at("a", 11, 3), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(head.size, 0);
    assert_int_equal(APPEND("a", 5, "!"), CSN_WIRE_OUTSIDE_OK); /* cut, then put */
    assert_true(holds("a", "hello!"));
    /* Replacing: nothing is seen before it is whole. */
    assert_int_equal(PART("a", 0, "other"), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(PART("a", 4, "x"), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(PART("a", 5, " text"), CSN_WIRE_OUTSIDE_OK);
    assert_true(holds("a", "hello!"));
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_REPLACE, "a", 9, NULL), CSN_WIRE_OUTSIDE_REFUSED);
    assert_true(holds("a", "hello!"));
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_REPLACE, "a", 10, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_true(holds("a", "other text"));
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_REPLACE, "a", 10, NULL), CSN_WIRE_OUTSIDE_MISSING);
    assert_int_equal(PART("b", 0, "begun"), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(PART("b", 0, "anew"), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_REPLACE, "b", 4, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_true(holds("b", "anew"));
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_REMOVE, "b", 0, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(read_at("b", 0, 1), CSN_WIRE_OUTSIDE_MISSING);
    assert_int_equal(APPEND("a", 0, ""), CSN_WIRE_OUTSIDE_OK);
    assert_true(holds("a", ""));
}

/* More objects than are kept open, and each is still its own. */
static void many_objects(void **state)
{
    (void)state;
    char name[16];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 3 * CSN_STORE_FILES; i++) {
            snprintf(name, sizeof name, "object-%u", i);
            assert_int_equal(APPEND(name, (uint64_t)round * strlen(name), name),
                             CSN_WIRE_OUTSIDE_OK);
        }
    }
    for (unsigned i = 0; i < 3 * CSN_STORE_FILES; i++) {
        char text[64];
        snprintf(name, sizeof name, "object-%u", i);
        snprintf(text, sizeof text, "%s%s%s", name, name, name);
        assert_true(holds(name, text));
    }
    csn_store_close(store);
    assert_int_equal(open_store(&store), CSN_OK);
    assert_true(holds("object-7", "object-7object-7object-7"));
}

/* ---- what may not be asked ---- */

static void names_stay_in_the_folder(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       ".",      "..",  "../a", "a/b",  "a.new",
                                      "A",      "a_b",    "a b", "\x80", "LOCK", "a\n",
                                      "/etc/a", "a/../b", "-/-", ".a",   "a."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(APPEND(bad[i], 0, "x"), CSN_WIRE_OUTSIDE_REFUSED);
        assert_int_equal(read_at(bad[i], 0, 1), CSN_WIRE_OUTSIDE_REFUSED);
        assert_int_equal(ask(CSN_WIRE_OUTSIDE_REMOVE, bad[i], 0, NULL), CSN_WIRE_OUTSIDE_REFUSED);
    }
    /* 64 characters fill it, without an end; bytes behind an end are none. */
    struct csn_wire_outside_ask about = {.operation = CSN_WIRE_OUTSIDE_APPEND, .size = 1};
    memset(about.object, 'a', sizeof about.object);
    assert_int_equal(serve(&about, "x", 1), CSN_WIRE_OUTSIDE_OK);
    about.object[10] = 0;
    assert_int_equal(serve(&about, "x", 1), CSN_WIRE_OUTSIDE_REFUSED);
    /* Links and folders that somebody put there. */
    char path[128];
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(read_at("link", 0, 1), CSN_WIRE_OUTSIDE_FAILED);
    assert_int_equal(APPEND("link", 0, "x"), CSN_WIRE_OUTSIDE_FAILED);
    snprintf(path, sizeof path, "%s/inner", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(read_at("inner", 0, 1), CSN_WIRE_OUTSIDE_FAILED);
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_at("pipe", 0, 1), CSN_WIRE_OUTSIDE_FAILED);
}

static void forms_are_strict(void **state)
{
    (void)state;
    struct csn_wire_outside_ask about = {.operation = CSN_WIRE_OUTSIDE_SIZE, .object = "a"};
    uint8_t message[ROOM] = {0};
    assert_int_equal(APPEND("a", 0, "x"), CSN_WIRE_OUTSIDE_OK);
    for (uint32_t size = 0; size < sizeof about; size++) {
        memcpy(message, &about, sizeof about);
        csn_store_serve(store, message, size, answer, ROOM);
        assert_int_equal(answer[0], CSN_WIRE_OUTSIDE_REFUSED);
    }
    assert_int_equal(serve(&about, NULL, 0), CSN_WIRE_OUTSIDE_OK);
    about.offset = 1; /* unused fields */
    assert_int_equal(serve(&about, NULL, 0), CSN_WIRE_OUTSIDE_REFUSED);
    about.offset = 0;
    about.size = 1;
    assert_int_equal(serve(&about, NULL, 0), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(serve(&about, "x", 1), CSN_WIRE_OUTSIDE_REFUSED);
    for (uint32_t operation = 0; operation < 12; operation++) { /* a size that is not what came */
        about = (struct csn_wire_outside_ask){.operation = operation, .size = 2, .object = "a"};
        assert_true(operation == CSN_WIRE_OUTSIDE_READ ||
                    serve(&about, "x", 1) == CSN_WIRE_OUTSIDE_REFUSED);
    }
    assert_int_equal(ask(0, "a", 0, NULL), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(ask(9, "a", 0, NULL), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(read_at("a", 0, ROOM - sizeof head), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(read_at("a", 0, ROOM - sizeof head + 1), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(read_at("a", 0, UINT32_MAX), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(read_at("a", UINT64_MAX, 1), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(APPEND("a", CSN_WIRE_OBJECT_SIZE_MAX, "x"), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_TPM, "a", 0, "x"), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_TPM, "", 0, "x"), CSN_WIRE_OUTSIDE_NONE);
    struct csn_store_counts counts;
    csn_store_counts(store, &counts);
    assert_true(counts.refused > 90 && counts.asks > counts.refused);
    struct csn_store *none = store;
    store = NULL; /* a host without one */
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_SIZE, "a", 0, NULL), CSN_WIRE_OUTSIDE_NONE);
    store = none;
}

/* ---- who has it ---- */

static void one_at_a_time(void **state)
{
    (void)state;
    struct csn_store *second = NULL;
    assert_int_equal(open_store(&second), CSN_BUSY);
    assert_null(second);
    csn_store_close(store);
    assert_int_equal(open_store(&second), CSN_OK);
    assert_int_equal(open_store(&store), CSN_BUSY);
    csn_store_close(second);
    assert_int_equal(open_store(&store), CSN_OK);
    struct csn_detail detail = {""};
    const struct csn_store_options nowhere = {.folder = "/nonexistent/a/b"};
    assert_int_equal(csn_store_open(&nowhere, &second, &detail), CSN_ERR_SYSTEM);
}

/* ---- what can only be read ---- */

#define NOBODY 65534

/* A file that another user put there; read-only, and without a way to make it anything else. */
static void put_file(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0444), 0);
}

static void put_in_its_place(const char *name, const char *text)
{
    char from[160];
    char to[160];
    put_file("LATER", text);
    snprintf(from, sizeof from, "%s/LATER", folder);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    assert_int_equal(rename(from, to), 0);
}

/* From here on as a user whom modes hold back; and back. */
static void be_nobody(bool nobody)
{
    if (getuid() == 0) {
        assert_int_equal(seteuid(nobody ? NOBODY : 0), 0);
    }
}

static void what_can_only_be_read_is_read(void **state)
{
    (void)state;
    put_file("model", "weights");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_false(csn_store_is_read_only(store));
    be_nobody(true);
    const bool is_read = holds("model", "weights");
    const uint32_t sized = ask(CSN_WIRE_OUTSIDE_SIZE, "model", 0, NULL);
    const uint32_t appended = APPEND("model", 7, "x");
    const bool is_same = holds("model", "weights");
    be_nobody(false);
    assert_true(is_read && is_same);
    assert_int_equal(sized, CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(appended, CSN_WIRE_OUTSIDE_FAILED);
    /* What was only read so far can be written where that is allowed. */
    assert_int_equal(APPEND("own", 0, "ab"), CSN_WIRE_OUTSIDE_OK);
    csn_store_close(store);
    assert_int_equal(open_store(&store), CSN_OK);
    assert_true(holds("own", "ab"));
    assert_int_equal(APPEND("own", 2, "c"), CSN_WIRE_OUTSIDE_OK);
    assert_true(holds("own", "abc"));
}

static void folders_that_cannot_be_written(void **state)
{
    (void)state;
    struct csn_detail detail = {""};
    const struct csn_store_options options = {.folder = folder};
    put_file("model", "weights");
    csn_store_close(store);
    assert_int_equal(chmod(folder, 0555), 0);
    be_nobody(true);
    csn_err err = csn_store_open(&options, &store, &detail);
    const bool is_read_only = err == CSN_OK && csn_store_is_read_only(store);
    const bool is_read = err == CSN_OK && holds("model", "weights");
    const uint32_t made = err == CSN_OK ? APPEND("new", 0, "x") : 0;
    be_nobody(false);
    assert_int_equal(err, CSN_OK);
    assert_true(is_read_only && is_read);
    assert_int_equal(made, CSN_WIRE_OUTSIDE_FAILED);
    csn_store_close(store);
    store = NULL;
    for (unsigned i = 0; i < 2; i++) { /* nothing in it could be opened; not even it */
        assert_int_equal(chmod(folder, i == 0 ? 0444 : 0), 0);
        be_nobody(true);
        err = csn_store_open(&options, &store, &detail);
        be_nobody(false);
        assert_int_equal(err, CSN_ERR_SYSTEM);
        assert_non_null(strstr(detail.text, "chmod 700"));
    }
    assert_int_equal(chmod(folder, 0700), 0);
    const struct csn_store_options nowhere = {.folder = "/nonexistent/a"};
    assert_int_equal(csn_store_open(&nowhere, &store, &detail), CSN_ERR_SYSTEM);
    assert_non_null(strstr(detail.text, "make the folder"));
    const struct csn_store_options file = {.folder = "/etc/passwd"};
    assert_int_equal(csn_store_open(&file, &store, &detail), CSN_ERR_SYSTEM);
    assert_non_null(strstr(detail.text, "name a folder"));
    assert_int_equal(open_store(&store), CSN_OK);
}

/* Seen by who begins to read; whoever is in the middle reads one file to its end. */
static void a_file_that_was_replaced_is_noticed(void **state)
{
    (void)state;
    put_file("model", "first one");
    assert_true(holds("model", "first one"));
    put_in_its_place("model", "the second one");
    assert_int_equal(read_at("model", 6, 10), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(head.size, 3);
    assert_memory_equal(answer + sizeof head, "one", 3);
    assert_true(holds("model", "the second one"));
    put_in_its_place("model", "third");
    assert_int_equal(ask(CSN_WIRE_OUTSIDE_SIZE, "model", 0, NULL), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(head.value, 5);
    char path[160];
    snprintf(path, sizeof path, "%s/model", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_at("model", 0, 1), CSN_WIRE_OUTSIDE_MISSING);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(read_at("model", 0, 1), CSN_WIRE_OUTSIDE_FAILED);
    /* What an enclave wrote is read from where it wrote it, and goes on there. */
    assert_int_equal(APPEND("own", 0, "mine"), CSN_WIRE_OUTSIDE_OK);
    put_in_its_place("own", "another's");
    assert_true(holds("own", "mine"));
}

/* ---- the medium ---- */

static void limit(rlim_t size)
{
    struct rlimit limits;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limits), 0);
    limits.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limits), 0);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(APPEND("a", 0, "0123456789"), CSN_WIRE_OUTSIDE_OK);
    limit(15);
    assert_int_equal(APPEND("a", 10, "0123456789"), CSN_WIRE_OUTSIDE_FULL);
    assert_true(holds("a", "0123456789")); /* the part of it was cut off again */
    assert_int_equal(PART("b", 0, "0123456789012345"), CSN_WIRE_OUTSIDE_FULL);
    assert_int_equal(APPEND("a", 10, "01234"), CSN_WIRE_OUTSIDE_OK);
    limit(RLIM_INFINITY);
    assert_int_equal(APPEND("a", 15, "56789"), CSN_WIRE_OUTSIDE_OK);
    assert_true(holds("a", "01234567890123456789"));
    struct csn_store_counts counts;
    csn_store_counts(store, &counts);
    assert_int_equal(counts.full, 2);
}

/* The kernel says so once only: whoever asks again would be told that all is well. */
static void a_failed_sync_is_final(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < 3; which++) {
        assert_int_equal(APPEND("a", 0, "text"), CSN_WIRE_OUTSIDE_OK);
        assert_int_equal(PART("b", 0, "text"), CSN_WIRE_OUTSIDE_OK);
        sync_fails = which == 0 ? 2 : 1;
        uint32_t status = which == 0   ? ask(CSN_WIRE_OUTSIDE_SYNC, "a", 0, NULL)
                          : which == 1 ? ask(CSN_WIRE_OUTSIDE_REPLACE, "b", 4, NULL)
                                       : ask(CSN_WIRE_OUTSIDE_REMOVE, "a", 0, NULL);
        assert_int_equal(status, CSN_WIRE_OUTSIDE_FAILED);
        sync_fails = 0;
        assert_int_equal(ask(CSN_WIRE_OUTSIDE_SYNC, "a", 0, NULL), CSN_WIRE_OUTSIDE_FAILED);
        assert_int_equal(APPEND("a", 0, "text"), CSN_WIRE_OUTSIDE_FAILED);
        assert_int_equal(PART("b", 0, "text"), CSN_WIRE_OUTSIDE_FAILED);
        assert_int_equal(ask(CSN_WIRE_OUTSIDE_REMOVE, "c", 0, NULL), CSN_WIRE_OUTSIDE_FAILED);
        assert_true(which == 2 || holds("a", "text"));
        csn_store_close(store);
        assert_int_equal(open_store(&store), CSN_OK);
        assert_int_equal(APPEND("a", 0, "text"), CSN_WIRE_OUTSIDE_OK);
    }
}

/* ---- the TPM ---- */

static uint8_t sent[64];
static size_t sent_size;
static uint32_t next_session = 0x02000000;
static uint32_t flushed;

/* A TPM that says yes, and that a session begins. */
static csn_err say_yes(void *state, const uint8_t *command, size_t size, uint8_t *response,
                       size_t *response_size)
{
    (void)state;
    sent_size = size;
    memcpy(sent, command, size < sizeof sent ? size : sizeof sent);
    memset(response, 0, 14);
    response[0] = 0x80;
    response[1] = 1;
    response[5] = 14;
    response[10] = 2;
    response[13] = (uint8_t)next_session;
    next_session += command[9] == 0x76;
    flushed += command[9] == 0x65;
    *response_size = 14;
    return CSN_OK;
}

static uint32_t send_tpm(uint32_t code, uint32_t handle, uint32_t said)
{
    struct csn_wire_outside_ask about = {.operation = CSN_WIRE_OUTSIDE_TPM, .size = 14};
    const uint8_t command[14] = {0x80,
                                 0x01,
                                 0,
                                 0,
                                 0,
                                 (uint8_t)said,
                                 0,
                                 0,
                                 (uint8_t)(code >> 8),
                                 (uint8_t)code,
                                 (uint8_t)(handle >> 24),
                                 (uint8_t)(handle >> 16),
                                 (uint8_t)(handle >> 8),
                                 (uint8_t)handle};
    sent_size = 0;
    uint32_t status = serve(&about, command, sizeof command);
    assert_int_equal(sent_size, status == CSN_WIRE_OUTSIDE_OK ? sizeof command : 0);
    return status;
}

static void of_tpm_commands_few_pass(void **state)
{
    (void)state;
    struct csn_detail detail = {""};
    const struct csn_store_options options = {.folder = folder, .tpm = say_yes};
    csn_store_close(store);
    assert_int_equal(csn_store_open(&options, &store, &detail), CSN_OK);
    uint32_t passed = 0;
    for (uint32_t code = 0x100; code < 0x200; code++) {
        uint32_t status = send_tpm(code, 0x01800100, 14);
        assert_true(status == CSN_WIRE_OUTSIDE_OK || status == CSN_WIRE_OUTSIDE_REFUSED);
        passed += status == CSN_WIRE_OUTSIDE_OK;
    }
    assert_int_equal(passed, 5); /* session, public, read, increment, extend */
    assert_int_equal(send_tpm(0x169, 0x01800100, 13), CSN_WIRE_OUTSIDE_REFUSED);
    /* Sessions: those that it began, and no more than there are places for. */
    assert_int_equal(send_tpm(0x165, 0x02000077, 14), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(send_tpm(0x165, 0x81010002, 14), CSN_WIRE_OUTSIDE_REFUSED);
    for (uint32_t i = 1; i < CSN_STORE_SESSIONS; i++) {
        assert_int_equal(send_tpm(0x176, 0x81010002, 14), CSN_WIRE_OUTSIDE_OK);
    }
    assert_int_equal(send_tpm(0x176, 0x81010002, 14), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(send_tpm(0x165, 0x02000001, 14), CSN_WIRE_OUTSIDE_OK);
    assert_int_equal(send_tpm(0x165, 0x02000001, 14), CSN_WIRE_OUTSIDE_REFUSED);
    assert_int_equal(send_tpm(0x176, 0x81010002, 14), CSN_WIRE_OUTSIDE_OK);
    flushed = 0;
    csn_store_close(store);
    assert_int_equal(flushed, CSN_STORE_SESSIONS); /* what was left */
    assert_int_equal(open_store(&store), CSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_does_what_it_says, make, unmake),
        cmocka_unit_test_setup_teardown(many_objects, make, unmake),
        cmocka_unit_test_setup_teardown(names_stay_in_the_folder, make, unmake),
        cmocka_unit_test_setup_teardown(forms_are_strict, make, unmake),
        cmocka_unit_test_setup_teardown(one_at_a_time, make, unmake),
        cmocka_unit_test_setup_teardown(what_can_only_be_read_is_read, make, unmake),
        cmocka_unit_test_setup_teardown(folders_that_cannot_be_written, make, unmake),
        cmocka_unit_test_setup_teardown(a_file_that_was_replaced_is_noticed, make, unmake),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, make, unmake),
        cmocka_unit_test_setup_teardown(a_failed_sync_is_final, make, unmake),
        cmocka_unit_test_setup_teardown(of_tpm_commands_few_pass, make, unmake),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
