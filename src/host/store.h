/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: a folder of objects, and who serves an enclave's asks from it.
 *
 * Trust:    the enclave may be hostile to the host: names, offsets and sizes are checked, files are
 *           opened inside the folder alone and never through a link, and of TPM commands only those
 *           that a counter needs get through.
 * Threads:  csn_store_serve(): any, one at a time inside. A server: one thread per worker.
 */
#ifndef CSN_HOST_STORE_H
#define CSN_HOST_STORE_H

#include "enclave.h"
#include <caisson/wire/outside.h>
#include <pthread.h>

#define CSN_STORE_FILES    8u /* kept open */
#define CSN_STORE_SESSIONS 8u /* of a TPM, that enclaves have begun */

struct csn_store_file {
    char name[CSN_WIRE_OBJECT_NAME_MAX + 1]; /* empty: none */
    int fd;
    bool is_writable; /* else it is read, and made by others */
    uint64_t used;    /* clock of the last use */
};

struct csn_store {
    int folder;        /* locked as long as it is open */
    bool broken;       /* a sync failed: what was written before may be lost */
    bool read_only;    /* as it was opened */
    bool folder_dirty; /* names in it have changed since its last sync */
    uint64_t clock;
    pthread_mutex_t lock;
    struct csn_store_file files[CSN_STORE_FILES];
    struct csn_store_options options;      /* of the TPM; the folder's text is not kept */
    uint32_t sessions[CSN_STORE_SESSIONS]; /* handles; 0: none */
    struct csn_store_counts counts;
};

/* ---- store_file.c ---- */
/* One ask on a file, of a valid name; a status. bytes: what followed; read: room for ask->size. */
uint32_t csn_store_file_ask(struct csn_store *store, const struct csn_wire_outside_ask *ask,
                            const uint8_t *bytes, uint8_t *read,
                            struct csn_wire_outside_answer *answer);
void csn_store_forget(struct csn_store *store, const char *name);

/* ---- store_tpm.c ---- */
uint32_t csn_store_tpm_ask(struct csn_store *store, const uint8_t *command, uint32_t size,
                           uint8_t *response, uint32_t room, uint32_t *response_size);
/* Ends the sessions that enclaves left behind. */
void csn_store_tpm_flush(struct csn_store *store);

/* ---- store.c ---- */
/*
 * message: one as it came out of the ring. answer: room bytes, head and what follows it; returns
 * its size. store NULL: there is none.
 */
uint32_t csn_store_serve(struct csn_store *store, const uint8_t *message, uint32_t size,
                         uint8_t *answer, uint32_t room);

/* ---- store_server.c ---- */
/* One thread per worker of an enclave that has just started; nothing for images without a store. */
CSN_MUST_USE csn_err csn_store_servers_start(struct csn_enclave *enclave);
/* Before the instance and its rings go. */
void csn_store_servers_stop(struct csn_enclave *enclave);

#endif
