/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm.c: evidence through Linux's configfs-tsm: one entry of our own per report.
 *
 * What the kernel does, and this file relies on: an attribute is committed when its file is closed;
 * one open yields one read of the blob from its start; `generation` rises by one with every write,
 * also where the report then turns out too large (EFBIG); writes fail with EBUSY when it would
 * wrap. A report counts only if the generation is what our own writes make of it: another writer of
 * the same entry would have the platform sign other data.
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

#define PATH_SIZE_MAX 512
#define TRY_COUNT_MAX 5

struct entry {
    const struct csn_evidence_tsm *tsm;
    struct csn_evidence_platform *platform;
    char path[PATH_SIZE_MAX];
    uint64_t write_count; /* ours */
};

static csn_err fail(struct entry *entry, csn_err err, const char *what, const char *name)
{
    snprintf(entry->platform->detail, sizeof entry->platform->detail,
             "configfs-tsm: %s %.80s: %.80s", what, name,
             err == CSN_ERR_FORMAT ? "not what it should be" : strerror(errno));
    return err;
}

static int open_attribute(const struct entry *entry, const char *name, int flags)
{
    char path[PATH_SIZE_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", entry->path, name);
    return open(path, flags | O_CLOEXEC);
}

/* One write and one close: what close says decides whether the value was taken. */
static csn_err write_attribute(struct entry *entry, const char *name, const void *bytes,
                               size_t size)
{
    int fd = open_attribute(entry, name, O_WRONLY);
    if (fd < 0) {
        return fail(entry, CSN_ERR_SYSTEM, "open", name);
    }
    ssize_t put = write(fd, bytes, size);
    int saved = errno;
    int closed = close(fd);
    if (put != (ssize_t)size || closed != 0) {
        errno = put != (ssize_t)size ? saved : errno;
        return fail(entry, CSN_ERR_SYSTEM, "write", name);
    }
    entry->write_count++;
    return CSN_OK;
}

/* The whole of an attribute through one descriptor; *size: bytes, at most capacity. */
static csn_err read_attribute(struct entry *entry, const char *name, void *target, size_t capacity,
                              size_t *size)
{
    int fd = open_attribute(entry, name, O_RDONLY);
    if (fd < 0) {
        return fail(entry, CSN_ERR_SYSTEM, "open", name);
    }
    ssize_t got = 1;
    for (*size = 0; got > 0 && *size<capacity; *size += got> 0 ? (size_t)got : 0) {
        got = read(fd, (uint8_t *)target + *size, capacity - *size);
    }
    csn_err result = got < 0 ? fail(entry, CSN_ERR_SYSTEM, "read", name) : CSN_OK;
    close(fd);
    if (result == CSN_OK && *size == capacity) {
        return fail(entry, CSN_ERR_FORMAT, "size of", name);
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
    return number ? CSN_OK : fail(entry, CSN_ERR_FORMAT, "text of", "generation");
}

static csn_err make_entry(struct entry *entry)
{
    static atomic_uint serial;
    for (int i = 0; i < TRY_COUNT_MAX; i++) {
        snprintf(entry->path, sizeof entry->path, "%s/caisson-%ld-%u", entry->tsm->root,
                 (long)getpid(), atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
        if (mkdir(entry->path, 0700) == 0) {
            return CSN_OK;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    /* ENXIO: configfs-tsm is there, but no platform has registered with it. */
    csn_err err = errno == ENXIO || errno == ENOENT ? CSN_ERR_MISSING : CSN_ERR_SYSTEM;
    return fail(entry, err, "mkdir", entry->path);
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
    return fail(entry, CSN_ERR_FORMAT, "name of", "provider");
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
    int fd = open_attribute(entry, "auxblob", O_RDONLY);
    if (fd < 0) {
        return CSN_OK; /* providers without certificates do not show the attribute */
    }
    close(fd);
    CSN_TRY(read_attribute(entry, "auxblob", blob, capacity, &size));
    return size == 0 ? CSN_OK : csn_evidence_part(entry->platform, CSV_PART_CHAIN, blob, size);
}

/* One report; *settled: no other writer came between. */
static csn_err report_once(struct entry *entry, const uint8_t report_data[64], uint8_t *blob,
                           size_t capacity, bool *settled)
{
    uint64_t before = 0;
    uint64_t after = 0;
    size_t size = 0;
    entry->write_count = 0;
    entry->platform->size = 0;
    CSN_TRY(read_generation(entry, &before));
    if (entry->tsm->privlevel != CSN_EVIDENCE_PRIVLEVEL_UNSET) {
        char text[16];
        int length = snprintf(text, sizeof text, "%u", entry->tsm->privlevel);
        CSN_TRY(write_attribute(entry, "privlevel", text, (size_t)length));
    }
    CSN_TRY(write_attribute(entry, "inblob", report_data, 64));
    CSN_TRY(read_attribute(entry, "outblob", blob, capacity, &size));
    if (size == 0) {
        return fail(entry, CSN_ERR_FORMAT, "size of", "outblob");
    }
    CSN_TRY(csn_evidence_part(entry->platform, CSV_PART_EVIDENCE, blob, size));
    CSN_TRY(add_certificates(entry, blob, capacity));
    CSN_TRY(read_generation(entry, &after));
    *settled = after == before + entry->write_count;
    return CSN_OK;
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    struct entry entry = {.tsm = state, .platform = platform};
    size_t capacity = sizeof platform->bytes;
    bool settled = false;
    uint8_t *blob = malloc(capacity);
    if (blob == NULL) {
        return CSN_ERR_MEMORY;
    }
    csn_err result = make_entry(&entry);
    if (result == CSN_OK) {
        for (int i = 0; result == CSN_OK && !settled && i < TRY_COUNT_MAX; i++) {
            result = report_once(&entry, report_data, blob, capacity, &settled);
        }
        if (result == CSN_OK && !settled) {
            errno = EBUSY;
            result = fail(&entry, CSN_ERR_LIMIT, "another writer of", entry.path);
        }
        rmdir(entry.path);
    }
    free(blob);
    return result;
}

const struct csn_evidence_producer csn_evidence_tsm = {
    .name = "tsm", .prepare = prepare, .sign = sign};
