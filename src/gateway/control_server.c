/* SPDX-License-Identifier: Apache-2.0 */
/* control_server.c: see control_server.h. The thread's half; control_grant.c has the loop's. */
#define _GNU_SOURCE
#include "control_server.h"
#include "backend/detail.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 10 /* for each frame */

/* Hands a request to the loop and sends what it answers. Takes bytes over. */
static bool ask(struct csn_control_server *server, int fd, uint32_t type, uint8_t *bytes,
                uint32_t size)
{
    static const uint64_t one = 1;
    pthread_mutex_lock(&server->lock);
    server->type = type;
    server->bytes = bytes;
    server->size = size;
    server->box = CSN_CONTROL_ASKED;
    pthread_mutex_unlock(&server->lock);
    ssize_t written = write(server->event_fd, &one, sizeof one);
    (void)written;
    pthread_mutex_lock(&server->lock);
    while (server->box != CSN_CONTROL_ANSWERED && !server->is_ended) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    bool good = server->box == CSN_CONTROL_ANSWERED;
    server->box = CSN_CONTROL_EMPTY;
    server->is_new_peer = false;
    uint8_t *reply = server->reply;
    server->bytes = NULL;
    server->reply = NULL;
    pthread_mutex_unlock(&server->lock);
    good = good && csn_control_write(fd, server->reply_type, reply, server->reply_size);
    free(reply);
    free(bytes);
    return good;
}

static void serve_peer(struct csn_control_server *server, int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    uint32_t type = 0;
    uint32_t size = 0;
    uint8_t *bytes = NULL;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    server->is_new_peer = true;
    while (csn_control_read(fd, &type, &bytes, &size) && ask(server, fd, type, bytes, size)) {
    }
}

/* Whom the end hangs up on; false: it has come already. */
static bool set_peer(struct csn_control_server *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    bool is_ended = server->is_ended;
    server->peer_fd = fd;
    pthread_mutex_unlock(&server->lock);
    return !is_ended;
}

static void *serve(void *state)
{
    struct csn_control_server *server = state;
    struct pollfd polled[2] = {{.fd = server->listen_fd, .events = POLLIN},
                               {.fd = server->wake[0], .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if (polled[1].revents != 0) {
            break;
        }
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && set_peer(server, fd)) {
            serve_peer(server, fd);
            (void)set_peer(server, -1);
        }
        if (fd >= 0) {
            close(fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            usleep(10000);
        }
    }
    return NULL;
}

csn_err csn_control_server_start(struct csn_control_server *server, struct csn_detail *detail)
{
    const char *base = server->fleet->plan.service.control;
    size_t room = strlen(base) + 12;
    server->wake[0] = server->wake[1] = server->peer_fd = -1;
    server->path = malloc(room);
    if (server->path == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "out of memory");
    }
    if (server->slot == 0) {
        snprintf(server->path, room, "%s", base);
    } else {
        snprintf(server->path, room, "%s.%u", base, server->slot);
    }
    server->listen_fd = csn_control_listen(server->path, detail);
    if (server->listen_fd < 0) {
        free(server->path);
        server->path = NULL;
        return CSN_ERR_SYSTEM;
    }
    fcntl(server->listen_fd, F_SETFL, O_NONBLOCK);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    bool good = pipe2(server->wake, O_CLOEXEC) == 0 &&
                pthread_create(&server->thread, NULL, serve, server) == 0;
    if (!good) {
        unlink(server->path);
        close(server->listen_fd);
        free(server->path);
        server->path = NULL;
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "no thread for a control socket");
    }
    return CSN_OK;
}

void csn_control_server_end(struct csn_control_server *server)
{
    if (server->path == NULL) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->is_ended = true;
    if (server->peer_fd >= 0) {
        shutdown(server->peer_fd, SHUT_RDWR);
    }
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    close(server->wake[1]);
    shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
    close(server->wake[0]);
    unlink(server->path);
    free(server->path);
    server->path = NULL;
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
}
