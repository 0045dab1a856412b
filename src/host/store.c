/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: opening a store, and one ask of an enclave from its bytes to those of the answer. */
#include "store.h"
#include "../backend/detail.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What whoever started it can do about that. */
static const char *remedy(int error)
{
    switch (error) {
    case ENOENT:
        return ": make the folder that it is to lie in";
    case ENOTDIR:
        return ": name a folder";
    case EACCES:
    case EPERM:
        return ": it must be a folder of the user that runs this (chown, chmod 700)";
    case EROFS:
        return ": name one on a medium that can be written";
    default:
        return "";
    }
}

/* Opened and ours; -1 and errno. */
static int open_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return -1;
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0 &&
        (faccessat(folder, ".", X_OK, AT_EACCESS) != 0 || flock(folder, LOCK_EX | LOCK_NB) != 0)) {
        int error = errno;
        close(folder);
        errno = error;
        return -1;
    }
    return folder;
}

csn_err csn_store_open(const struct csn_store_options *options, struct csn_store **store,
                       struct csn_detail *detail)
{
    *store = NULL;
    struct csn_store *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "no memory for a store");
    }
    made->folder = open_folder(options->folder);
    if (made->folder < 0) {
        int error = errno;
        free(made);
        return error == EWOULDBLOCK
                   ? csn_detail_set(detail, CSN_BUSY,
                                    "%.120s: in use by another enclave: end that "
                                    "one, or name another folder",
                                    options->folder)
                   : csn_detail_set(detail, CSN_ERR_SYSTEM, "%.100s: %s%s", options->folder,
                                    strerror(error), remedy(error));
    }
    made->read_only = faccessat(made->folder, ".", W_OK, AT_EACCESS) != 0;
    made->options = *options;
    made->options.folder = NULL;
    made->folder_dirty = true; /* of before, for all we know */
    pthread_mutex_init(&made->lock, NULL);
    *store = made;
    return CSN_OK;
}

void csn_store_close(struct csn_store *store)
{
    if (store == NULL) {
        return;
    }
    csn_store_tpm_flush(store);
    for (uint32_t i = 0; i < CSN_STORE_FILES; i++) {
        csn_store_forget(store, store->files[i].name);
    }
    close(store->folder);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

bool csn_store_is_read_only(const struct csn_store *store)
{
    return store->read_only;
}

void csn_store_counts(const struct csn_store *store, struct csn_store_counts *counts)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&store->lock;
    pthread_mutex_lock(lock);
    *counts = store->counts;
    pthread_mutex_unlock(lock);
}

/* ---- one ask ---- */

static bool is_name(const char object[CSN_WIRE_OBJECT_NAME_MAX])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const size_t size = strnlen(object, CSN_WIRE_OBJECT_NAME_MAX);
    for (size_t i = 0; i < CSN_WIRE_OBJECT_NAME_MAX; i++) {
        if (i < size ? memchr(allowed, object[i], sizeof allowed - 1) == NULL : object[i] != 0) {
            return false;
        }
    }
    return size != 0;
}

/* Asks have one form each: what is not used is zero. */
static bool is_ask(const struct csn_wire_outside_ask *ask, uint32_t follows, uint32_t read_max)
{
    static const char no_name[CSN_WIRE_OBJECT_NAME_MAX];
    const bool is_tpm = ask->operation == CSN_WIRE_OUTSIDE_TPM;
    const bool is_read = ask->operation == CSN_WIRE_OUTSIDE_READ;
    const bool takes_bytes = is_tpm || ask->operation == CSN_WIRE_OUTSIDE_APPEND ||
                             ask->operation == CSN_WIRE_OUTSIDE_PART;
    const bool takes_offset = is_read || ask->operation == CSN_WIRE_OUTSIDE_APPEND ||
                              ask->operation == CSN_WIRE_OUTSIDE_PART ||
                              ask->operation == CSN_WIRE_OUTSIDE_REPLACE;
    return ask->operation >= 1 && ask->operation <= CSN_WIRE_OUTSIDE_OPERATION_LAST &&
           (is_tpm ? memcmp(ask->object, no_name, sizeof no_name) == 0 : is_name(ask->object)) &&
           follows == (takes_bytes ? ask->size : 0) &&
           (is_read ? ask->size <= read_max : takes_bytes || ask->size == 0) &&
           (takes_offset ? ask->offset <= CSN_WIRE_OBJECT_SIZE_MAX - ask->size : ask->offset == 0);
}

static void count(struct csn_store *store, uint32_t status)
{
    store->counts.asks++;
    store->counts.refused += status == CSN_WIRE_OUTSIDE_REFUSED;
    store->counts.full += status == CSN_WIRE_OUTSIDE_FULL;
    store->counts.failed += status == CSN_WIRE_OUTSIDE_FAILED;
}

uint32_t csn_store_serve(struct csn_store *store, const uint8_t *message, uint32_t size,
                         uint8_t *answer, uint32_t room)
{
    struct csn_wire_outside_ask ask;
    struct csn_wire_outside_answer head = {.status = CSN_WIRE_OUTSIDE_REFUSED};
    uint8_t *read = answer + sizeof head;
    const uint32_t read_max = room - (uint32_t)sizeof head;
    if (store == NULL) {
        head.status = CSN_WIRE_OUTSIDE_NONE;
        memcpy(answer, &head, sizeof head);
        return sizeof head;
    }
    pthread_mutex_lock(&store->lock);
    if (size >= sizeof ask) {
        memcpy(&ask, message, sizeof ask);
        const uint8_t *bytes = message + sizeof ask;
        if (!is_ask(&ask, size - (uint32_t)sizeof ask, read_max)) {
            head.status = CSN_WIRE_OUTSIDE_REFUSED;
        } else if (ask.operation == CSN_WIRE_OUTSIDE_TPM) {
            head.status = csn_store_tpm_ask(store, bytes, ask.size, read, read_max, &head.size);
        } else {
            head.status = csn_store_file_ask(store, &ask, bytes, read, &head);
        }
    }
    count(store, head.status);
    pthread_mutex_unlock(&store->lock);
    if (head.status != CSN_WIRE_OUTSIDE_OK) {
        head.size = 0;
        head.value = 0;
    }
    memcpy(answer, &head, sizeof head);
    return (uint32_t)sizeof head + head.size;
}
