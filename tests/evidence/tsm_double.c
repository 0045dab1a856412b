/* SPDX-License-Identifier: Apache-2.0 */
/* tsm_double.c: see tsm_double.h. One thread serves all requests, so nothing is locked. */
#define FUSE_USE_VERSION 31
#include "tsm_double.h"
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRY_COUNT_MAX 64
#define INBLOB_SIZE_MAX 64

struct entry {
    char name[64];
    unsigned long write_generation, read_generation;
    uint8_t in[INBLOB_SIZE_MAX];
    size_t in_size;
    unsigned privlevel;
    uint8_t *out; /* NULL: no report was made yet */
    size_t out_size;
    size_t aux_size;
};

/* One open file. */
struct handle {
    struct entry *entry;
    enum tsm_attribute attribute;
    bool reading, writing;
    uint8_t *bytes;
    size_t size;
};

static const struct {
    const char *name;
    mode_t mode;
    bool binary;
} attributes[TSM_ATTRIBUTE_COUNT] = {
    [TSM_INBLOB] = {"inblob", 0200, true},
    [TSM_OUTBLOB] = {"outblob", 0444, true},
    [TSM_AUXBLOB] = {"auxblob", 0444, true},
    [TSM_PROVIDER] = {"provider", 0444, false},
    [TSM_GENERATION] = {"generation", 0444, false},
    [TSM_PRIVLEVEL] = {"privlevel", 0200, false},
    [TSM_PRIVLEVEL_FLOOR] = {"privlevel_floor", 0444, false},
};

static struct tsm_double *machine;
static struct entry entries[ENTRY_COUNT_MAX];

/* ---- drivers/virt/coco/tsm.c ---- */

static bool advance(struct entry *entry)
{
    if (entry->write_generation == entry->read_generation - 1) {
        return false;
    }
    entry->write_generation++;
    return true;
}

static void take_inblob(struct entry *entry, const uint8_t *bytes, size_t size)
{
    if (size <= INBLOB_SIZE_MAX && advance(entry)) {
        memcpy(entry->in, bytes, size);
        entry->in_size = size;
    }
}

static int take_privlevel(struct entry *entry, const char *text)
{
    char *end = NULL;
    unsigned long level = strtoul(text, &end, 10);
    if (end == text || (*end != 0 && *end != '\n') || level < machine->privlevel_floor ||
        level > 3) {
        return -EINVAL;
    }
    if (!advance(entry)) {
        return -EBUSY;
    }
    entry->privlevel = (unsigned)level;
    return 0;
}

/* What a driver's report_new() does; sev_guest and tdx_guest want 64 bytes. */
static int make_report(struct entry *entry)
{
    if (machine->report_error_count != 0) {
        machine->report_error_count--;
        return -machine->report_error;
    }
    if (entry->in_size != INBLOB_SIZE_MAX) {
        return -EINVAL;
    }
    size_t size = machine->report_size;
    uint8_t report[TSM_REPORT_DATA_AT + 64] = {2};
    report[TSM_PRIVLEVEL_AT] = (uint8_t)entry->privlevel;
    memcpy(report + TSM_REPORT_DATA_AT, entry->in, 64);
    free(entry->out);
    entry->out = calloc(1, size + 1);
    if (entry->out == NULL) {
        return -ENOMEM;
    }
    memset(entry->out, 0xab, size);
    memcpy(entry->out, report, size < sizeof report ? size : sizeof report);
    entry->out_size = size;
    entry->aux_size = machine->aux_size;
    entry->read_generation = entry->write_generation;
    machine->reports_made++;
    return 0;
}

static int refresh_report(struct entry *entry)
{
    if (machine->provider[0] == 0) {
        return -ENOTTY;
    }
    if (entry->in_size == 0) {
        return -EINVAL;
    }
    bool current = entry->out != NULL && entry->read_generation == entry->write_generation;
    return current ? 0 : make_report(entry);
}

/* ---- fs/configfs/file.c ---- */

static int fill(struct handle *handle, const void *bytes, size_t size)
{
    handle->bytes = malloc(size + 1);
    if (handle->bytes == NULL) {
        return -ENOMEM;
    }
    memcpy(handle->bytes, bytes, size);
    handle->size = size;
    return 0;
}

static int fill_binary(struct handle *handle)
{
    int result = refresh_report(handle->entry);
    if (result != 0) {
        return result;
    }
    if (handle->attribute == TSM_AUXBLOB) {
        return fill(handle, machine->aux, handle->entry->aux_size);
    }
    if (handle->entry->out_size > machine->blob_size_max) {
        return -EFBIG;
    }
    return fill(handle, handle->entry->out, handle->entry->out_size);
}

static int fill_text(struct handle *handle)
{
    char text[96];
    int size = 0;
    if (handle->attribute == TSM_PROVIDER) {
        size = snprintf(text, sizeof text, "%s", machine->provider);
    } else if (handle->attribute == TSM_GENERATION) {
        size = snprintf(text, sizeof text, "%lu\n", handle->entry->write_generation);
    } else {
        size = snprintf(text, sizeof text, "%u\n", machine->privlevel_floor);
    }
    return fill(handle, text, (size_t)size);
}

static int write_binary(struct handle *handle, const char *bytes, size_t size, size_t offset)
{
    if (handle->reading) {
        return -ETXTBSY;
    }
    handle->writing = true; /* also where the next line says no: the close will count */
    if (offset + size > INBLOB_SIZE_MAX) {
        return -EFBIG;
    }
    if (handle->bytes == NULL) {
        handle->bytes = calloc(1, INBLOB_SIZE_MAX);
        if (handle->bytes == NULL) {
            return -ENOMEM;
        }
    }
    memcpy(handle->bytes + offset, bytes, size);
    handle->size = offset + size > handle->size ? offset + size : handle->size;
    return (int)size;
}

/* ---- the file system ---- */

static struct entry *find(const char *name, size_t size)
{
    for (size_t i = 0; i < ENTRY_COUNT_MAX; i++) {
        if (size != 0 && strlen(entries[i].name) == size &&
            memcmp(entries[i].name, name, size) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

static bool is_hidden(enum tsm_attribute attribute)
{
    return (attribute == TSM_AUXBLOB && machine->hide_aux) ||
           (machine->hide_privlevel &&
            (attribute == TSM_PRIVLEVEL || attribute == TSM_PRIVLEVEL_FLOOR));
}

/* "/entry/attribute"; *attribute stays TSM_ATTRIBUTE_COUNT for "/entry". */
static struct entry *look_up(const char *path, enum tsm_attribute *attribute)
{
    const char *slash = strchr(path + 1, '/');
    *attribute = TSM_ATTRIBUTE_COUNT;
    if (slash == NULL) {
        return find(path + 1, strlen(path + 1));
    }
    for (unsigned i = 0; i < TSM_ATTRIBUTE_COUNT; i++) {
        if (strcmp(attributes[i].name, slash + 1) == 0 && !is_hidden((enum tsm_attribute)i)) {
            *attribute = (enum tsm_attribute)i;
            return find(path + 1, (size_t)(slash - path) - 1);
        }
    }
    return NULL;
}

static int do_getattr(const char *path, struct stat *about, struct fuse_file_info *info)
{
    (void)info;
    enum tsm_attribute attribute = TSM_ATTRIBUTE_COUNT;
    memset(about, 0, sizeof *about);
    if (strcmp(path, "/") != 0 && look_up(path, &attribute) == NULL) {
        return -ENOENT;
    }
    bool folder = attribute == TSM_ATTRIBUTE_COUNT;
    about->st_mode = folder ? S_IFDIR | 0755 : S_IFREG | attributes[attribute].mode;
    about->st_nlink = folder ? 2 : 1;
    about->st_size = folder || attributes[attribute].binary ? 0 : 4096;
    return 0;
}

static int do_readdir(const char *path, void *buffer, fuse_fill_dir_t add, off_t offset,
                      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
    (void)offset;
    (void)info;
    (void)flags;
    if (strcmp(path, "/") == 0) {
        for (size_t i = 0; i < ENTRY_COUNT_MAX; i++) {
            if (entries[i].name[0] != 0) {
                add(buffer, entries[i].name, NULL, 0, 0);
            }
        }
        return 0;
    }
    for (unsigned i = 0; i < TSM_ATTRIBUTE_COUNT; i++) {
        if (!is_hidden((enum tsm_attribute)i)) {
            add(buffer, attributes[i].name, NULL, 0, 0);
        }
    }
    return 0;
}

static int do_mkdir(const char *path, mode_t mode)
{
    (void)mode;
    size_t size = strlen(path + 1);
    if (strchr(path + 1, '/') != NULL || size >= sizeof entries[0].name) {
        return -EPERM;
    }
    if (machine->provider[0] == 0) {
        return -ENXIO;
    }
    for (size_t i = 0; i < ENTRY_COUNT_MAX; i++) {
        if (entries[i].name[0] == 0) {
            memset(&entries[i], 0, sizeof entries[i]);
            memcpy(entries[i].name, path + 1, size);
            if (machine->stuck_count != 0) {
                machine->stuck_count--;
                entries[i].write_generation = ULONG_MAX;
            }
            machine->entry_count++;
            machine->entries_made++;
            return 0;
        }
    }
    return -ENOMEM;
}

static int do_rmdir(const char *path)
{
    struct entry *entry = find(path + 1, strlen(path + 1));
    if (entry == NULL) {
        return -ENOENT;
    }
    free(entry->out);
    memset(entry, 0, sizeof *entry);
    machine->entry_count--;
    return 0;
}

/* What others do meanwhile. */
static void meanwhile(struct entry *entry, enum tsm_attribute attribute)
{
    uint8_t foreign[INBLOB_SIZE_MAX];
    if (attribute == TSM_PROVIDER && machine->later_provider[0] != 0 &&
        machine->later_after-- == 0) {
        memcpy(machine->provider, machine->later_provider, sizeof machine->provider);
        machine->later_provider[0] = 0;
    }
    if (machine->intrude_count == 0 || machine->intrude_at != attribute) {
        return;
    }
    if (machine->intrude_skip != 0) {
        machine->intrude_skip--;
        return;
    }
    machine->intrude_count--;
    memset(foreign, 0xee, sizeof foreign);
    take_inblob(entry, foreign, sizeof foreign);
}

static int do_open(const char *path, struct fuse_file_info *info)
{
    enum tsm_attribute attribute;
    struct entry *entry = look_up(path, &attribute);
    if (entry == NULL || attribute == TSM_ATTRIBUTE_COUNT) {
        return -ENOENT;
    }
    bool writes = (info->flags & O_ACCMODE) != O_RDONLY;
    if ((attributes[attribute].mode & (writes ? 0222 : 0444)) == 0) {
        return -EACCES; /* configfs asks for the mode even of root */
    }
    meanwhile(entry, attribute);
    struct handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL) {
        return -ENOMEM;
    }
    handle->entry = entry;
    handle->attribute = attribute;
    info->fh = (uint64_t)(uintptr_t)handle;
    info->direct_io = 1;
    return 0;
}

static int do_read(const char *path, char *target, size_t size, off_t offset,
                   struct fuse_file_info *info)
{
    (void)path;
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    size_t at = (size_t)offset;
    if (handle->writing) {
        return -ETXTBSY;
    }
    handle->reading = true;
    if (handle->bytes == NULL) {
        int result = attributes[handle->attribute].binary ? fill_binary(handle) : fill_text(handle);
        if (result != 0) {
            return result;
        }
    }
    if (at >= handle->size) {
        return 0;
    }
    size = size > handle->size - at ? handle->size - at : size;
    size = size > machine->read_size_max ? machine->read_size_max : size;
    memcpy(target, handle->bytes + at, size);
    return (int)size;
}

static int do_write(const char *path, const char *bytes, size_t size, off_t offset,
                    struct fuse_file_info *info)
{
    (void)path;
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    char text[32] = {0};
    if (attributes[handle->attribute].binary) {
        return write_binary(handle, bytes, size, (size_t)offset);
    }
    memcpy(text, bytes, size < sizeof text - 1 ? size : sizeof text - 1);
    int result = take_privlevel(handle->entry, text);
    return result != 0 ? result : (int)size;
}

static int do_flush(const char *path, struct fuse_file_info *info)
{
    (void)path;
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    if (handle->writing) {
        handle->writing = false;
        take_inblob(handle->entry, handle->bytes, handle->size); /* its result goes nowhere */
    }
    return 0;
}

static int do_release(const char *path, struct fuse_file_info *info)
{
    (void)path;
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    free(handle->bytes);
    free(handle);
    return 0;
}

static void *do_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    config->attr_timeout = 0;
    config->entry_timeout = 0;
    config->negative_timeout = 0;
    return NULL;
}

static int serve(const char *folder)
{
    static const struct fuse_operations operations = {.init = do_init,
                                                      .getattr = do_getattr,
                                                      .readdir = do_readdir,
                                                      .mkdir = do_mkdir,
                                                      .rmdir = do_rmdir,
                                                      .open = do_open,
                                                      .read = do_read,
                                                      .write = do_write,
                                                      .flush = do_flush,
                                                      .release = do_release};
    char name[] = "tsm_double";
    char *arguments[] = {name, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
    struct fuse *fuse = fuse_new(&args, &operations, sizeof operations, NULL);
    if (fuse == NULL || fuse_mount(fuse, folder) != 0) {
        return 1;
    }
    fuse_set_signal_handlers(fuse_get_session(fuse));
    fuse_loop(fuse);
    fuse_unmount(fuse);
    fuse_destroy(fuse);
    return 0;
}

void tsm_double_reset(struct tsm_double *state)
{
    uint32_t made = state->entry_count;
    *state = (struct tsm_double){.provider = "sev_guest\n",
                                 .report_size = 1184,
                                 .blob_size_max = 32768,
                                 .read_size_max = UINT32_MAX,
                                 .entry_count = made};
}

pid_t tsm_double_start(struct tsm_double *state, const char *folder, const char **why)
{
    struct stat before;
    struct stat now;
    pid_t parent = getpid();
    machine = state;
    if (access("/dev/fuse", R_OK | W_OK) != 0 || stat(folder, &before) != 0) {
        *why = "/dev/fuse does not open: load the module fuse, or run as a user who may";
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        _exit(getppid() == parent ? serve(folder) : 1);
    }
    *why = "FUSE does not mount: run as root with CAP_SYS_ADMIN, or install fuse3";
    for (int i = 0; child > 0 && i < 500; i++) {
        if (waitpid(child, NULL, WNOHANG) != 0) {
            return 0;
        }
        if (stat(folder, &now) == 0 && now.st_dev != before.st_dev) {
            return child;
        }
        usleep(10000);
    }
    if (child > 0) {
        tsm_double_stop(child);
    }
    return 0;
}

void tsm_double_stop(pid_t process)
{
    kill(process, SIGTERM);
    waitpid(process, NULL, 0);
}
