/* SPDX-License-Identifier: Apache-2.0 */
/* rings_server.c: see rings_server.h. */
#define _GNU_SOURCE
#include "rings_server.h"
#include "control_socket.h"
#include <caisson/wire/rings.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- channels ---- */

static bool is_taken(const struct csn_rings_server *server, const struct csn_unit *unit,
                     uint32_t worker, uint32_t channel)
{
    for (uint32_t i = 0; i < CSN_RINGS_PEER_MAX; i++) {
        const struct csn_rings_peer *peer = &server->peers[i];
        if (peer->watch.fd >= 0 && peer->unit_serial == unit->serial && peer->worker == worker &&
            peer->channel == channel) {
            return true;
        }
    }
    return false;
}

/* A channel that nobody has, of the worker with the lowest number that has one. */
static bool find_channel(const struct csn_rings_server *server, const struct csn_unit *unit,
                         struct csn_rings_peer *peer)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(unit->enclave);
    for (uint32_t channel = 1; channel < manifest->channel_count; channel++) {
        for (uint32_t worker = 0; worker < unit->worker_count; worker++) {
            if (!is_taken(server, unit, worker, channel)) {
                peer->unit_serial = unit->serial;
                peer->worker = worker;
                peer->channel = channel;
                return true;
            }
        }
    }
    return false;
}

/* ---- handing over ---- */

static bool send_rings(int socket, const struct csn_wire_rings *rings, int fd)
{
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)rings, .iov_len = sizeof *rings};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    memset(&control, 0, sizeof control);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof *rings;
}

static bool hand_over(const struct csn_rings_server *server, struct csn_rings_peer *peer,
                      int socket)
{
    struct csn_unit *unit = csn_fleet_current(server->fleet, 0);
    struct csn_wire_rings rings;
    char token[CSN_FLEET_TOKEN_SIZE];
    int fd = -1;
    if (unit == NULL || !find_channel(server, unit, peer) ||
        csn_enclave_share(unit->enclave, peer->worker, peer->channel, &rings, &fd) != CSN_OK) {
        return false;
    }
    _Static_assert(sizeof token <= sizeof rings.worker, "the token");
    csn_fleet_token(unit, &unit->pumps[peer->worker], token);
    memcpy(rings.worker, token, sizeof token);
    bool sent = send_rings(socket, &rings, fd);
    close(fd);
    return sent;
}

static void hang_up(struct csn_rings_peer *peer)
{
    csn_front_unwatch(peer->server->front, &peer->watch);
    close(peer->watch.fd);
    peer->watch.fd = -1;
}

/* Whatever it says, or that it left: nothing is asked of us, so it is over. */
static void on_peer(void *state, uint32_t events)
{
    (void)events;
    hang_up(state);
}

static struct csn_rings_peer *free_peer(struct csn_rings_server *server)
{
    for (uint32_t i = 0; i < CSN_RINGS_PEER_MAX; i++) {
        if (server->peers[i].watch.fd < 0) {
            return &server->peers[i];
        }
    }
    return NULL;
}

static void on_connection(void *state, uint32_t events)
{
    struct csn_rings_server *server = state;
    struct csn_rings_peer *peer = free_peer(server);
    (void)events;
    int fd = accept4(server->watch.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    if (peer == NULL || !hand_over(server, peer, fd)) {
        close(fd); /* who gets nothing asks the front */
        return;
    }
    peer->server = server;
    peer->watch = (struct csn_front_watch){.ready = on_peer, .state = peer, .fd = fd};
    if (csn_front_watch(server->front, &peer->watch, EPOLLIN | EPOLLRDHUP) != CSN_OK) {
        close(fd);
        peer->watch.fd = -1;
    }
}

/* ---- life ---- */

csn_err csn_rings_server_start(struct csn_rings_server *server, struct csn_detail *detail)
{
    const char *path = server->fleet->plan.service.rings;
    for (uint32_t i = 0; i < CSN_RINGS_PEER_MAX; i++) {
        server->peers[i].watch.fd = -1;
    }
    int fd = csn_control_listen(path, detail);
    if (fd < 0) {
        return CSN_ERR_SYSTEM;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    server->watch = (struct csn_front_watch){.ready = on_connection, .state = server, .fd = fd};
    server->path = strdup(path);
    csn_err err = server->path != NULL ? csn_front_watch(server->front, &server->watch, EPOLLIN)
                                       : CSN_ERR_MEMORY;
    if (err != CSN_OK) {
        unlink(path);
        close(fd);
        free(server->path);
        server->path = NULL;
    }
    return err;
}

void csn_rings_server_tick(struct csn_rings_server *server)
{
    for (uint32_t i = 0; server->path != NULL && i < CSN_RINGS_PEER_MAX; i++) {
        struct csn_rings_peer *peer = &server->peers[i];
        if (peer->watch.fd < 0) {
            continue;
        }
        const struct csn_unit *unit = csn_fleet_by_serial(server->fleet, peer->unit_serial);
        if (unit == NULL || unit->state != CSN_UNIT_CURRENT) {
            hang_up(peer);
        }
    }
}

void csn_rings_server_end(struct csn_rings_server *server)
{
    if (server->path == NULL) {
        return;
    }
    for (uint32_t i = 0; i < CSN_RINGS_PEER_MAX; i++) {
        if (server->peers[i].watch.fd >= 0) {
            hang_up(&server->peers[i]);
        }
    }
    csn_front_unwatch(server->front, &server->watch);
    close(server->watch.fd);
    unlink(server->path);
    free(server->path);
    server->path = NULL;
}
