/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_server.c: one thread per worker that serves what its enclave asks of the store.
 *
 * Threads:  a server has its own ends of the channel; nobody else touches them. It is started when
 *           the enclave serves and has ended before the rings go.
 * Bounds:   asks are served in order, one at a time; an enclave that breaks the protocol of the
 *           ring is not served any more.
 */
#include "../core/event.h"
#include "store.h"
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SERVER_LOOKS 2000u /* before it sleeps */

struct csn_store_server {
    struct csn_store *store; /* NULL: none; the enclave is told */
    struct csn_ring_writer writer;
    struct csn_ring_reader reader;
    struct csn_shared *worker_event;
    struct csn_shared *host_event;
    uint8_t *ask;
    uint8_t *answer;
    uint32_t answer_room;
    bool stop; /* shared: set by who ends it */
    bool running;
    pthread_t thread;
};

static void futex(struct csn_shared *event, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    syscall(SYS_futex, event, operation, value, timeout, NULL, 0);
}

static void wake_worker(struct csn_store_server *server)
{
    if (csn_event_signal(server->worker_event)) {
        futex(server->worker_event, FUTEX_WAKE, 1, NULL);
    }
}

static bool is_told_to_stop(const struct csn_store_server *server)
{
    return __atomic_load_n(&server->stop, __ATOMIC_ACQUIRE);
}

static bool has_ask(struct csn_store_server *server)
{
    return server->reader.fate != CSN_OK || csn_ring_has_message(&server->reader);
}

static bool has_room(struct csn_store_server *server)
{
    return server->writer.fate != CSN_OK ||
           csn_ring_has_credit(&server->writer, 1, server->writer.size_max);
}

/* Whoever stops us bumps the word after saying so, or finds us at the end of a slice. */
static void await(struct csn_store_server *server, bool (*is_there)(struct csn_store_server *))
{
    const struct timespec slice = {.tv_nsec = 500000000};
    if (csn_ring_give_credit(&server->reader)) {
        wake_worker(server);
    }
    for (uint32_t i = 0; i < SERVER_LOOKS; i++) {
        if (is_there(server)) {
            return;
        }
        __builtin_ia32_pause();
    }
    uint32_t seen = csn_event_arm(server->host_event);
    if (!is_there(server) && !is_told_to_stop(server)) {
        futex(server->host_event, FUTEX_WAIT, seen, &slice);
    }
    csn_event_disarm(server->host_event);
}

/* False: it is over. */
static bool answer(struct csn_store_server *server, uint64_t tag, uint32_t size)
{
    const struct csn_ring_piece pieces[2] = {{server->answer, size}, {NULL, 0}};
    csn_err result;
    while ((result = csn_ring_write(&server->writer, tag, false, pieces)) == CSN_AGAIN) {
        if (is_told_to_stop(server)) {
            return false;
        }
        await(server, has_room);
    }
    if (result == CSN_OK && csn_ring_publish(&server->writer)) {
        wake_worker(server);
    }
    return result == CSN_OK;
}

static void *serve(void *state)
{
    struct csn_store_server *server = state;
    while (!is_told_to_stop(server)) {
        struct csn_ring_message message;
        const uint64_t given = server->reader.credit_given;
        csn_err result = csn_ring_read(&server->reader, server->ask, &message);
        if (result == CSN_AGAIN) {
            await(server, has_ask);
            continue;
        }
        if (server->reader.credit_given != given) {
            wake_worker(server);
        }
        if (result != CSN_OK || !answer(server, message.tag,
                                        csn_store_serve(server->store, server->ask, message.size,
                                                        server->answer, server->answer_room))) {
            break;
        }
    }
    return NULL;
}

/* ---- life ---- */

static csn_err open_server(struct csn_enclave *enclave, uint32_t worker,
                           struct csn_store_server *server)
{
    const struct csn_wire_manifest *manifest = &enclave->manifest;
    struct csn_shared *rings = enclave->rings;
    struct csn_shared *area =
        csn_shared_at(rings, csn_wire_channel_offset(manifest, worker, manifest->channel_count));
    struct csn_shared *in = csn_shared_at(area, CSN_WIRE_LINE_SIZE * CSN_WIRE_CHANNEL_LINES);
    struct csn_shared *out =
        csn_shared_at(in, (uint64_t)CSN_WIRE_LINE_SIZE * manifest->input_line_count);
    server->store = enclave->store;
    server->worker_event = csn_shared_at(rings, csn_wire_worker_offset(manifest, worker));
    server->host_event = csn_shared_at(area, CSN_WIRE_CHANNEL_HOST_EVENT);
    server->answer_room = manifest->input_size_max;
    server->ask = malloc((size_t)manifest->output_size_max + 8);
    server->answer = malloc((size_t)manifest->input_size_max + 8);
    if (server->ask == NULL || server->answer == NULL) {
        return CSN_ERR_MEMORY;
    }
    CSN_TRY(csn_ring_writer_init(&server->writer, in,
                                 csn_shared_at(area, CSN_WIRE_CHANNEL_INPUT_CREDIT),
                                 manifest->input_line_count, manifest->input_size_max));
    CSN_TRY(csn_ring_reader_init(&server->reader, out,
                                 csn_shared_at(area, CSN_WIRE_CHANNEL_OUTPUT_CREDIT),
                                 manifest->output_line_count, manifest->output_size_max));
    server->running = pthread_create(&server->thread, NULL, serve, server) == 0;
    return server->running ? CSN_OK : CSN_ERR_SYSTEM;
}

csn_err csn_store_servers_start(struct csn_enclave *enclave)
{
    if ((enclave->manifest.flags & CSN_WIRE_FLAG_STORE) == 0) {
        return CSN_OK;
    }
    enclave->servers = calloc(enclave->manifest.worker_count, sizeof *enclave->servers);
    if (enclave->servers == NULL) {
        return CSN_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < enclave->manifest.worker_count; i++) {
        CSN_TRY(open_server(enclave, i, &enclave->servers[i]));
    }
    return CSN_OK;
}

void csn_store_servers_stop(struct csn_enclave *enclave)
{
    for (uint32_t i = 0; enclave->servers != NULL && i < enclave->manifest.worker_count; i++) {
        struct csn_store_server *server = &enclave->servers[i];
        if (server->running) {
            __atomic_store_n(&server->stop, true, __ATOMIC_RELEASE);
            __atomic_fetch_add((uint32_t *)(void *)server->host_event, 1, __ATOMIC_SEQ_CST);
            futex(server->host_event, FUTEX_WAKE, INT_MAX, NULL);
            pthread_join(server->thread, NULL);
        }
        free(server->ask);
        free(server->answer);
    }
    free(enclave->servers);
    enclave->servers = NULL;
}
