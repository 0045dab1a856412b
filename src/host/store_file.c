/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_file.c: objects as files of one folder.
 *
 * An object NAME is the file NAME; what will replace it is NAME.new, which no object can be called.
 * What was answered OK after a sync, a replacement or a removal is on the medium, names included.
 */
#include "store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE (CSN_WIRE_OBJECT_NAME_MAX + sizeof ".new")

static uint32_t status_of(int error)
{
    switch (error) {
    case ENOENT:
        return CSN_WIRE_OUTSIDE_MISSING;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return CSN_WIRE_OUTSIDE_FULL;
    default:
        return CSN_WIRE_OUTSIDE_FAILED;
    }
}

/* ---- open files ---- */

void csn_store_forget(struct csn_store *store, const char *name)
{
    for (uint32_t i = 0; i < CSN_STORE_FILES; i++) {
        struct csn_store_file *file = &store->files[i];
        if (file->name[0] != 0 && strcmp(file->name, name) == 0) {
            close(file->fd);
            file->name[0] = 0;
        }
    }
}

static struct csn_store_file *place_for(struct csn_store *store)
{
    struct csn_store_file *oldest = &store->files[0];
    for (uint32_t i = 0; i < CSN_STORE_FILES; i++) {
        struct csn_store_file *file = &store->files[i];
        if (file->name[0] == 0) {
            return file;
        }
        oldest = file->used < oldest->used ? file : oldest;
    }
    close(oldest->fd);
    oldest->name[0] = 0;
    return oldest;
}

/* A plain file of that name; -1 and errno. */
static int open_plain(struct csn_store *store, const char *path, int flags)
{
    struct stat about;
    int fd = openat(store->folder, path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd >= 0 && (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

static struct csn_store_file *find(struct csn_store *store, const char *name)
{
    for (uint32_t i = 0; i < CSN_STORE_FILES; i++) {
        if (strcmp(store->files[i].name, name) == 0) {
            return &store->files[i];
        }
    }
    return NULL;
}

static int keep_open(struct csn_store *store, const char *name, int fd, bool is_writable)
{
    if (fd >= 0) {
        struct csn_store_file *file = place_for(store);
        snprintf(file->name, sizeof file->name, "%s", name);
        file->fd = fd;
        file->is_writable = is_writable;
        file->used = ++store->clock;
    }
    return fd;
}

/* For writing; what is not there is made. */
static int open_to_write(struct csn_store *store, const char *name)
{
    struct csn_store_file *file = find(store, name);
    if (file != NULL && file->is_writable) {
        file->used = ++store->clock;
        return file->fd;
    }
    csn_store_forget(store, name);
    int fd = open_plain(store, name, O_RDWR);
    if (fd < 0 && errno == ENOENT) {
        fd = open_plain(store, name, O_RDWR | O_CREAT | O_EXCL);
        store->folder_dirty |= fd >= 0;
    }
    return keep_open(store, name, fd, true);
}

/* Whether the name is another file's by now, or nobody's. */
static bool was_replaced(const struct csn_store *store, const struct csn_store_file *file)
{
    struct stat ours;
    struct stat named;
    return fstat(file->fd, &ours) != 0 ||
           fstatat(store->folder, file->name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
           ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
}

/*
 * For reading, which is all that a host may be able to do: a model's file of mode 0444, a medium
 * that is mounted read-only. Such a file is made by others, who put a new one in its place while
 * we have it open: that is looked for where a reader begins. What the enclave itself wrote is
 * read back from where it wrote it.
 */
static int open_to_read(struct csn_store *store, const char *name, bool begins)
{
    struct csn_store_file *file = find(store, name);
    if (file != NULL && (file->is_writable || !begins || !was_replaced(store, file))) {
        file->used = ++store->clock;
        return file->fd;
    }
    csn_store_forget(store, name);
    return keep_open(store, name, open_plain(store, name, O_RDONLY), false);
}

/* ---- moving bytes ---- */

static uint32_t write_all(struct csn_store *store, int fd, uint64_t offset, const uint8_t *bytes,
                          uint32_t size)
{
    for (uint32_t done = 0; done < size;) {
        ssize_t count = pwrite(fd, bytes + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            uint32_t status = count < 0 ? status_of(errno) : CSN_WIRE_OUTSIDE_FULL;
            int cut = ftruncate(fd, (off_t)offset); /* a part of it is of no use, and takes space */
            (void)cut;
            return status;
        }
        done += (uint32_t)count;
    }
    store->counts.written_size += size;
    return CSN_WIRE_OUTSIDE_OK;
}

static uint32_t read_some(struct csn_store *store, int fd, const struct csn_wire_outside_ask *ask,
                          uint8_t *read, struct csn_wire_outside_answer *answer)
{
    while (answer->size < ask->size) {
        ssize_t count = pread(fd, read + answer->size, ask->size - answer->size,
                              (off_t)(ask->offset + answer->size));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return status_of(errno);
        }
        if (count == 0) {
            break;
        }
        answer->size += (uint32_t)count;
    }
    store->counts.read_size += answer->size;
    return CSN_WIRE_OUTSIDE_OK;
}

/*
 * After a failed sync nobody knows what is on the medium, and a second sync would say OK: so
 * nothing is written any more.
 */
static uint32_t sync_failed(struct csn_store *store)
{
    store->broken = true;
    return CSN_WIRE_OUTSIDE_FAILED;
}

static uint32_t sync_folder(struct csn_store *store)
{
    if (store->folder_dirty && fsync(store->folder) != 0) {
        return sync_failed(store);
    }
    store->folder_dirty = false;
    return CSN_WIRE_OUTSIDE_OK;
}

/* ---- what can be asked ---- */

static uint32_t append(struct csn_store *store, const char *name,
                       const struct csn_wire_outside_ask *ask, const uint8_t *bytes)
{
    struct stat about;
    int fd = open_to_write(store, name);
    if (fd < 0 || fstat(fd, &about) != 0) {
        return status_of(errno);
    }
    if (ask->offset > (uint64_t)about.st_size) {
        return CSN_WIRE_OUTSIDE_REFUSED; /* it would leave a hole */
    }
    if (ask->offset < (uint64_t)about.st_size && ftruncate(fd, (off_t)ask->offset) != 0) {
        return status_of(errno);
    }
    return write_all(store, fd, ask->offset, bytes, ask->size);
}

static uint32_t sync_object(struct csn_store *store, const char *name)
{
    int fd = open_to_read(store, name, false);
    if (fd < 0) {
        return status_of(errno);
    }
    store->counts.syncs++;
    if (fdatasync(fd) != 0) {
        return sync_failed(store);
    }
    return sync_folder(store);
}

static uint32_t put_part(struct csn_store *store, const char *name,
                         const struct csn_wire_outside_ask *ask, const uint8_t *bytes)
{
    char path[PATH_SIZE];
    struct stat about;
    snprintf(path, sizeof path, "%s.new", name);
    int fd = open_plain(store, path, O_WRONLY | (ask->offset == 0 ? O_CREAT | O_TRUNC : 0));
    if (fd < 0) {
        return status_of(errno);
    }
    uint32_t status = CSN_WIRE_OUTSIDE_REFUSED;
    if (fstat(fd, &about) == 0 && (uint64_t)about.st_size == ask->offset) {
        status = write_all(store, fd, ask->offset, bytes, ask->size);
    }
    close(fd);
    return status;
}

static uint32_t replace(struct csn_store *store, const char *name, uint64_t size)
{
    char path[PATH_SIZE];
    struct stat about;
    snprintf(path, sizeof path, "%s.new", name);
    int fd = open_plain(store, path, O_WRONLY);
    if (fd < 0) {
        return status_of(errno);
    }
    const bool is_whole = fstat(fd, &about) == 0 && (uint64_t)about.st_size == size;
    const bool is_synced = is_whole && fsync(fd) == 0;
    close(fd);
    if (!is_whole) {
        return CSN_WIRE_OUTSIDE_REFUSED;
    }
    store->counts.syncs++;
    if (!is_synced) {
        return sync_failed(store);
    }
    if (renameat(store->folder, path, store->folder, name) != 0) {
        return status_of(errno);
    }
    csn_store_forget(store, name);
    store->folder_dirty = true;
    return sync_folder(store);
}

static uint32_t remove_object(struct csn_store *store, const char *name)
{
    csn_store_forget(store, name);
    if (unlinkat(store->folder, name, 0) != 0) {
        return errno == ENOENT ? CSN_WIRE_OUTSIDE_OK : status_of(errno);
    }
    store->folder_dirty = true;
    return sync_folder(store);
}

static uint32_t look(struct csn_store *store, const char *name,
                     struct csn_wire_outside_answer *answer)
{
    struct stat about;
    int fd = open_to_read(store, name, true);
    if (fd < 0 || fstat(fd, &about) != 0) {
        return status_of(errno);
    }
    answer->value = (uint64_t)about.st_size;
    return CSN_WIRE_OUTSIDE_OK;
}

uint32_t csn_store_file_ask(struct csn_store *store, const struct csn_wire_outside_ask *ask,
                            const uint8_t *bytes, uint8_t *read,
                            struct csn_wire_outside_answer *answer)
{
    char name[CSN_WIRE_OBJECT_NAME_MAX + 1] = {0};
    memcpy(name, ask->object, sizeof ask->object);
    if (ask->operation == CSN_WIRE_OUTSIDE_SIZE) {
        return look(store, name, answer);
    }
    if (ask->operation == CSN_WIRE_OUTSIDE_READ) {
        int fd = open_to_read(store, name, ask->offset == 0);
        return fd < 0 ? status_of(errno) : read_some(store, fd, ask, read, answer);
    }
    if (store->broken) {
        return CSN_WIRE_OUTSIDE_FAILED;
    }
    switch (ask->operation) {
    case CSN_WIRE_OUTSIDE_APPEND:
        return append(store, name, ask, bytes);
    case CSN_WIRE_OUTSIDE_SYNC:
        return sync_object(store, name);
    case CSN_WIRE_OUTSIDE_PART:
        return put_part(store, name, ask, bytes);
    case CSN_WIRE_OUTSIDE_REPLACE:
        return replace(store, name, ask->offset);
    default:
        return remove_object(store, name);
    }
}
