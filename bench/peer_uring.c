/* SPDX-License-Identifier: Apache-2.0 */
/* peer_uring.c: a send and the receive after it go to the kernel together. */
#include "peer_uring.h"
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SIZE    64u
#define LOOK_NS 1000000 /* so that the far side sees the end */

struct end {
    struct io_uring ring;
    int socket;
    char out[SIZE];
    char in[SIZE];
};
static struct end ends[2];

/* Both at once: what is to go out, and room for what comes back; or the room alone. */
static void ask(struct end *end, bool send_too)
{
    if (send_too) {
        struct io_uring_sqe *send = io_uring_get_sqe(&end->ring);
        io_uring_prep_send(send, end->socket, end->out, SIZE, 0);
        io_uring_sqe_set_data64(send, 0);
    }
    struct io_uring_sqe *receive = io_uring_get_sqe(&end->ring);
    io_uring_prep_recv(receive, end->socket, end->in, SIZE, 0);
    io_uring_sqe_set_data64(receive, 1);
}

/* 1: something came, 0: the time is over, -1: it went wrong. */
static int await(struct end *end)
{
    struct __kernel_timespec time = {.tv_nsec = LOOK_NS};
    for (;;) {
        struct io_uring_cqe *cqe;
        int result = io_uring_submit_and_wait_timeout(&end->ring, &cqe, 1, &time, NULL);
        if (result < 0) {
            return result == -ETIME || result == -EINTR ? 0 : -1;
        }
        bool received = io_uring_cqe_get_data64(cqe) == 1;
        bool whole = cqe->res == (int)SIZE;
        io_uring_cqe_seen(&end->ring, cqe);
        if (!whole || received) {
            return whole ? 1 : -1;
        }
    }
}

static void serve(void *state, const atomic_bool *stop)
{
    static bool asked; /* of the slice before: its receive is still with the kernel */
    struct end *end = state;
    end++;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        if (!asked) {
            ask(end, false);
            asked = true;
        }
        while (await(end) == 1) {
            memcpy(end->out, end->in, SIZE);
            ask(end, true);
        }
    }
}

static uint64_t step(void *state)
{
    struct end *end = state;
    int came;
    end->out[0]++;
    ask(end, true);
    do {
        came = await(end);
    } while (came == 0);
    return came == 1 && end->in[0] == end->out[0];
}

const struct bench_way *peer_uring(void)
{
    static const struct bench_way way = {serve, step, ends, 1};
    int sockets[2];
    bench_require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) == 0, "no socket pair");
    for (int i = 0; i < 2; i++) {
        ends[i].socket = sockets[i];
        if (io_uring_queue_init(8, &ends[i].ring, 0) != 0) {
            fprintf(stderr, "echo: the kernel has no io_uring for us: its rows are left out\n");
            return NULL;
        }
    }
    return &way;
}
