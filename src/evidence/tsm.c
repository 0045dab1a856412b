/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm.c: evidence through Linux's configfs-tsm: an entry of our own for each report.
 *
 * What the kernel does, and this file relies on:
 * - A binary attribute is taken over when its file is closed, and what comes of that is not told:
 *   the one sign is `generation`, which rises by one with every value taken. A text attribute is
 *   taken by write() itself, which says so.
 * - A write that is too large fails with EFBIG and the close still takes an empty value, which
 *   counts. EBUSY: so many values without a report that the counter would come round.
 * - One open file yields one blob: it is fetched at the first read and stays what it was. Reading
 *   makes the report where options changed since the last one.
 * - Without a provider mkdir fails with ENXIO; one that went away makes reads fail with ENOTTY.
 *
 * So a report counts only if the generation at its end is what our own writes make of it: another
 * writer of the same entry would have the platform sign other data.
 *
 * Trust:    certificates in auxblob come from the host; they ride along and are verified later.
 */
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE_MAX       512
#define TRY_COUNT_MAX       5
#define INTERRUPT_COUNT_MAX 100
#define SNP_SIZE            1184u

struct entry {
    const struct csn_evidence_tsm *tsm;
    struct csn_evidence_platform *platform;
    char path[PATH_SIZE_MAX];
    uint64_t write_count; /* ours */
};

static csn_err fail(struct entry *entry, csn_err err, const char *what, const char *name,
                    const char *why)
{
    snprintf(entry->platform->detail, sizeof entry->platform->detail,
             "configfs-tsm: %s %.80s: %.90s", what, name, why);
    return err;
}

static csn_err fail_errno(struct entry *entry, const char *what, const char *name)
{
    return fail(entry, CSN_ERR_SYSTEM, what, name, strerror(errno));
}

static int open_attribute(const struct entry *entry, const char *name, int flags)
{
    char path[PATH_SIZE_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", entry->path, name);
    return open(path, flags | O_CLOEXEC);
}

/* One write and one close. CSN_AGAIN: the kernel takes nothing until a report was read. */
static csn_err write_attribute(struct entry *entry, const char *name, const void *bytes,
                               size_t size)
{
    int fd = open_attribute(entry, name, O_WRONLY);
    if (fd < 0) {
        return fail_errno(entry, "open", name);
    }
    ssize_t put = write(fd, bytes, size);
    csn_err result = CSN_OK;
    if (put < 0 && errno == EBUSY) {
        result = CSN_AGAIN;
    } else if (put != (ssize_t)size) {
        result = put < 0 ? fail_errno(entry, "write", name)
                         : fail(entry, CSN_ERR_SYSTEM, "write", name, "not all of it was taken");
    }
    if (close(fd) != 0 && result == CSN_OK) {
        result = fail_errno(entry, "close", name);
    }
    entry->write_count++;
    return result;
}

/* read(), again where a signal came between. */
static ssize_t read_some(int fd, void *target, size_t capacity)
{
    ssize_t got = -1;
    for (int i = 0; i < INTERRUPT_COUNT_MAX && got < 0; i++) {
        got = read(fd, target, capacity);
        if (got < 0 && errno != EINTR) {
            break;
        }
    }
    return got;
}

/* The whole of an attribute through one descriptor; *size: bytes, less than capacity.
 * CSN_ERR_MISSING: this provider has no such attribute. */
static csn_err read_attribute(struct entry *entry, const char *name, void *target, size_t capacity,
                              size_t *size)
{
    int fd = open_attribute(entry, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT) {
        return fail(entry, CSN_ERR_MISSING, "open", name, "not there");
    }
    if (fd < 0) {
        return fail_errno(entry, "open", name);
    }
    ssize_t got = 1;
    *size = 0;
    while (got > 0 && *size < capacity) {
        got = read_some(fd, (uint8_t *)target + *size, capacity - *size);
        *size += got > 0 ? (size_t)got : 0;
    }
    csn_err result = got < 0 ? fail_errno(entry, "read", name) : CSN_OK;
    close(fd);
    if (result == CSN_OK && *size == capacity) {
        return fail(entry, CSN_ERR_FORMAT, "read", name, "larger than any bundle may be");
    }
    return result;
}

static csn_err read_generation(struct entry *entry, uint64_t *generation)
{
    char text[32];
    char *end = NULL;
    size_t size = 0;
    CSN_TRY(read_attribute(entry, "generation", text, sizeof text, &size));
    text[size] = 0;
    *generation = strtoull(text, &end, 10);
    bool number = size != 0 && text[0] >= '0' && text[0] <= '9' && (*end == '\n' || *end == 0);
    return number ? CSN_OK : fail(entry, CSN_ERR_FORMAT, "read", "generation", "not a number");
}

static csn_err make_entry(struct entry *entry)
{
    static atomic_uint serial;
    for (int i = 0; i < TRY_COUNT_MAX; i++) {
        int size =
            snprintf(entry->path, sizeof entry->path, "%s/caisson-%ld-%u", entry->tsm->root,
                     (long)getpid(), atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
        if (size >= (int)sizeof entry->path) {
            return fail(entry, CSN_ERR_ARGUMENT, "mkdir", entry->tsm->root, "too long a path");
        }
        if (mkdir(entry->path, 0700) == 0) {
            return CSN_OK;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    if (errno == ENXIO) {
        return fail(entry, CSN_ERR_MISSING, "mkdir", entry->tsm->root, "no platform behind it");
    }
    if (errno == ENOENT) {
        return fail(entry, CSN_ERR_MISSING, "mkdir", entry->tsm->root,
                    "not there: Linux 6.7 or later, CONFIG_TSM_REPORTS, configfs mounted");
    }
    return fail_errno(entry, "mkdir", entry->path);
}

static csn_err provider_type(struct entry *entry, uint32_t *type)
{
    static const struct {
        const char *name;
        uint32_t type;
    } providers[] = {{"sev_guest\n", CSN_WIRE_EVIDENCE_SNP},
                     {"tdx_guest\n", CSN_WIRE_EVIDENCE_TDX},
                     {"arm_cca_guest\n", CSN_WIRE_EVIDENCE_CCA}};
    char text[64];
    size_t size = 0;
    CSN_TRY(read_attribute(entry, "provider", text, sizeof text, &size));
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        if (strlen(providers[i].name) == size && memcmp(providers[i].name, text, size) == 0) {
            *type = providers[i].type;
            return CSN_OK;
        }
    }
    return fail(entry, CSN_ERR_FORMAT, "read", "provider", "not one that is known here");
}

static csn_err prepare(const void *state, struct csn_evidence_platform *platform)
{
    struct entry entry = {.tsm = state, .platform = platform};
    CSN_TRY(make_entry(&entry));
    csn_err result = provider_type(&entry, &platform->type);
    rmdir(entry.path);
    return result;
}

/* The certificates that the host offers, if the provider has such a thing. */
static csn_err add_certificates(struct entry *entry, uint8_t *blob, size_t capacity)
{
    size_t size = 0;
    csn_err result = read_attribute(entry, "auxblob", blob, capacity, &size);
    if (result == CSN_ERR_MISSING) {
        return CSN_OK; /* providers without certificates do not show it */
    }
    CSN_TRY(result);
    return size == 0 ? CSN_OK : csn_evidence_part(entry->platform, CSV_PART_CHAIN, blob, size);
}

/* The options of one report; the platform is still the one that prepare() found. */
static csn_err ask(struct entry *entry, const uint8_t report_data[64])
{
    uint32_t type = 0;
    CSN_TRY(provider_type(entry, &type));
    if (type != entry->platform->type) {
        return fail(entry, CSN_ERR_FORMAT, "read", "provider", "another than before");
    }
    if (entry->tsm->privlevel != CSN_EVIDENCE_PRIVLEVEL_UNSET) {
        char text[16];
        int length = snprintf(text, sizeof text, "%u", entry->tsm->privlevel);
        CSN_TRY(write_attribute(entry, "privlevel", text, (size_t)length));
    }
    return write_attribute(entry, "inblob", report_data, 64);
}

/* What came of them. */
static csn_err fetch(struct entry *entry, uint8_t *blob, size_t capacity)
{
    size_t size = 0;
    CSN_TRY(read_attribute(entry, "outblob", blob, capacity, &size));
    if (size == 0 || (entry->platform->type == CSN_WIRE_EVIDENCE_SNP && size < SNP_SIZE)) {
        return fail(entry, CSN_ERR_FORMAT, "read", "outblob", "not a whole report");
    }
    CSN_TRY(csn_evidence_part(entry->platform, CSV_PART_EVIDENCE, blob, size));
    return add_certificates(entry, blob, capacity);
}

/* One report. CSN_AGAIN: another writer came between, so that an error says nothing either. */
static csn_err report_once(struct entry *entry, const uint8_t report_data[64], uint8_t *blob,
                           size_t capacity)
{
    uint64_t before = 0;
    uint64_t after = 0;
    entry->write_count = 0;
    entry->platform->size = 0;
    CSN_TRY(read_generation(entry, &before));
    CSN_TRY(ask(entry, report_data));
    csn_err result = fetch(entry, blob, capacity);
    CSN_TRY(read_generation(entry, &after));
    return after == before + entry->write_count ? result : CSN_AGAIN;
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    struct entry entry = {.tsm = state, .platform = platform};
    size_t capacity = sizeof platform->bytes;
    csn_err result = CSN_AGAIN;
    uint8_t *blob = malloc(capacity);
    if (blob == NULL) {
        return CSN_ERR_MEMORY;
    }
    for (int i = 0; result == CSN_AGAIN && i < TRY_COUNT_MAX; i++) {
        result = make_entry(&entry);
        if (result == CSN_OK) {
            result = report_once(&entry, report_data, blob, capacity);
            rmdir(entry.path);
        }
    }
    if (result == CSN_AGAIN) {
        result = fail(&entry, CSN_ERR_LIMIT, "report", entry.path, "another writer, each time");
    } else if (result == CSN_OK) {
        platform->detail[0] = 0;
    }
    free(blob);
    return result;
}

const struct csn_evidence_producer csn_evidence_tsm = {
    .name = "tsm", .prepare = prepare, .sign = sign};
