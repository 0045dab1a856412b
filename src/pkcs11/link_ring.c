/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_ring.c: what call.h wants sent to /records, put into a ring of the enclave itself, and its
 * answers taken from there (include/caisson/wire/rings.h). No copy by a gateway, no thread between;
 * a system call only where one side sleeps.
 *
 * Trust:    the rings are written by the enclave and by whoever else has them: each word is read
 *           once, positions are our own. What comes out is call.h's to open.
 * Threads:  one owner. A forked child does not have the memory (MADV_DONTFORK).
 */
#include "core/bytes.h"
#include "core/event.h"
#include "core/ring.h"
#include "crypto/random.h"
#include "lane.h"
#include <caisson/wire/channel.h>
#include <caisson/wire/rings.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME        4u
#define MESSAGE_MAX  4u /* a hello and a record, or a challenge */
#define LOOKS        32u
#define SLICE_NS     UINT64_C(20000000)
#define LOOK_NS      UINT64_C(50000000)
#define NS_PER_S     UINT64_C(1000000000)
#define PATIENCE_S   2
#define ANSWERS_TYPE "application/vnd.caisson.answers"
#define RINGS_MAX    (UINT64_C(1) << 32)
#define OUTPUT_MAX   (UINT32_C(16) << 20)

struct p11_ring {
    int socket; /* open as long as the channel is ours */
    void *map;
    struct csn_wire_rings rings;
    struct csn_ring_writer writer;
    struct csn_ring_reader reader;
    struct csn_shared *worker_event, *host_event;
    uint64_t tag; /* of the next message; from a random start, so that no predecessor's fits */
    uint64_t credit_told; /* what the enclave was woken for */
    uint64_t spin_ns, timeout_ns;
    uint64_t looked_ns; /* when the socket was, to see whether the gateway is there */
    uint8_t *output;    /* one, as it comes */
    uint8_t *answer;    /* all of an exchange, framed */
    size_t size, room;
};

/* ---- getting them ---- */

static int dial(const char *path)
{
    static const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    int fd = length < sizeof address.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) {
        return -1;
    }
    memcpy(address.sun_path, path, length);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The one message that comes, and the descriptor with it; or -1. */
static int receive(int socket, struct csn_wire_rings *rings)
{
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = rings, .iov_len = sizeof *rings};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int fd = -1;
    ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    const struct cmsghdr *head = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof fd)) {
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    }
    if (fd >= 0 && got != (ssize_t)sizeof *rings) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Everything that is named lies in the file, and the file cannot shrink under us. */
static bool are_valid(const struct csn_wire_rings *rings, int fd)
{
    struct stat status;
    uint64_t lines =
        CSN_WIRE_CHANNEL_LINES + (uint64_t)rings->input_line_count + rings->output_line_count;
    int seals = fcntl(fd, F_GET_SEALS);
    return rings->magic == CSN_WIRE_RINGS_MAGIC && rings->version == CSN_WIRE_RINGS_VERSION &&
           rings->size <= RINGS_MAX && rings->worker_offset % CSN_WIRE_LINE_SIZE == 0 &&
           rings->channel_offset % CSN_WIRE_LINE_SIZE == 0 && rings->worker_offset < rings->size &&
           rings->channel_offset < rings->size &&
           rings->size - rings->worker_offset >= CSN_WIRE_LINE_SIZE &&
           lines * CSN_WIRE_LINE_SIZE <= rings->size - rings->channel_offset &&
           rings->output_size_max <= OUTPUT_MAX &&
           memchr(rings->worker, 0, sizeof rings->worker) != NULL && seals >= 0 &&
           (seals & F_SEAL_SHRINK) != 0 && fstat(fd, &status) == 0 &&
           (uint64_t)status.st_size >= rings->size;
}

/*
 * Where the last owner of the channel stopped. Its runs are there until the worker gave their lines
 * back, and behind them is a zero word: so whoever reads from the worker's credit on comes to the
 * place of the next one.
 */
static csn_err resume(struct p11_ring *ring, struct csn_shared *area)
{
    const struct csn_wire_rings *rings = &ring->rings;
    struct csn_shared *in =
        csn_shared_at(area, (uint64_t)CSN_WIRE_CHANNEL_LINES * CSN_WIRE_LINE_SIZE);
    struct csn_shared *out =
        csn_shared_at(in, (uint64_t)rings->input_line_count * CSN_WIRE_LINE_SIZE);
    struct csn_shared *input_credit = csn_shared_at(area, CSN_WIRE_CHANNEL_INPUT_CREDIT);
    struct csn_shared *output_credit = csn_shared_at(area, CSN_WIRE_CHANNEL_OUTPUT_CREDIT);
    uint64_t nowhere[CSN_WIRE_LINE_SIZE / 8] = {0}; /* whom this reading gives no credit to */
    struct csn_ring_reader scout;
    struct csn_ring_message message;
    CSN_TRY(csn_ring_reader_init(&scout, in, (struct csn_shared *)(void *)nowhere,
                                 rings->input_line_count, rings->input_size_max));
    uint64_t credit = csn_shared_load_acquire(input_credit, 0);
    scout.cursor = scout.credit_given = credit;
    uint8_t *input = malloc((size_t)rings->input_size_max + 8);
    csn_err err = input != NULL ? CSN_OK : CSN_ERR_MEMORY;
    for (uint32_t i = 0; err == CSN_OK && i < rings->input_line_count; i++) {
        err = csn_ring_read(&scout, input, &message);
    }
    free(input);
    if (err != CSN_AGAIN) {
        return err == CSN_OK ? CSN_ERR_PEER : err;
    }
    CSN_TRY(csn_ring_writer_init(&ring->writer, in, input_credit, rings->input_line_count,
                                 rings->input_size_max));
    CSN_TRY(csn_ring_reader_init(&ring->reader, out, output_credit, rings->output_line_count,
                                 rings->output_size_max));
    ring->writer.credit_seen = credit;
    ring->writer.cursor = ring->writer.published = scout.cursor;
    ring->reader.cursor = ring->reader.credit_given = csn_shared_load_acquire(output_credit, 0);
    ring->credit_told = ring->reader.credit_given;
    return CSN_OK;
}

/* Room for one more output of the largest size, with its frame. */
static bool make_room(struct p11_ring *ring)
{
    size_t need = ring->size + FRAME + ring->rings.output_size_max + 8;
    if (need > ring->room) {
        uint8_t *more = realloc(ring->answer, 2 * need);
        if (more == NULL) {
            return false;
        }
        ring->answer = more;
        ring->room = 2 * need;
    }
    return true;
}

static csn_err attach(struct p11_ring *ring, const char *path)
{
    ring->socket = dial(path);
    int fd = ring->socket >= 0 ? receive(ring->socket, &ring->rings) : -1;
    if (fd < 0) {
        return CSN_ERR_SYSTEM;
    }
    if (are_valid(&ring->rings, fd)) {
        ring->map = mmap(NULL, ring->rings.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (ring->map == MAP_FAILED || madvise(ring->map, ring->rings.size, MADV_DONTFORK) != 0) {
        return CSN_ERR_SYSTEM;
    }
    struct csn_shared *base = ring->map;
    struct csn_shared *area = csn_shared_at(base, ring->rings.channel_offset);
    ring->worker_event = csn_shared_at(base, ring->rings.worker_offset);
    ring->host_event = csn_shared_at(area, CSN_WIRE_CHANNEL_HOST_EVENT);
    if (!make_room(ring) || !csn_random_system(NULL, &ring->tag)) {
        return CSN_ERR_MEMORY;
    }
    return resume(ring, area);
}

struct p11_ring *p11_ring_create(const struct p11_settings *settings)
{
    struct p11_ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) {
        return NULL;
    }
    ring->socket = -1;
    ring->map = MAP_FAILED;
    ring->spin_ns = (uint64_t)settings->spin_us * 1000;
    ring->timeout_ns = (uint64_t)settings->timeout_ms * 1000000;
    if (attach(ring, settings->rings) != CSN_OK) {
        p11_ring_destroy(ring);
        return NULL;
    }
    return ring;
}

void p11_ring_destroy(struct p11_ring *ring)
{
    if (ring != NULL && ring->map != MAP_FAILED) {
        munmap(ring->map, ring->rings.size);
    }
    p11_ring_forget(ring);
}

/* The memory did not come along, and something else may lie there by now. */
void p11_ring_forget(struct p11_ring *ring)
{
    if (ring == NULL) {
        return;
    }
    if (ring->socket >= 0) {
        close(ring->socket);
    }
    free(ring->answer);
    free(ring);
}

/* ---- there ---- */

static void wake_worker(const struct p11_ring *ring)
{
    if (csn_event_signal(ring->worker_event)) {
        syscall(SYS_futex, ring->worker_event, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

/* Each message of the list, under a tag of its own. Their number, or 0: nothing was sent. */
static uint32_t put_messages(struct p11_ring *ring, const struct csv_fetch *fetch)
{
    const uint8_t *at = fetch->body;
    size_t left = fetch->body_size;
    uint32_t count = 0;
    uint64_t lines = 0;
    while (left != 0) { /* all of it is looked at before any of it is written */
        uint32_t size = left >= FRAME ? csn_load_u32(at) : UINT32_MAX;
        if (size > left - FRAME || count == MESSAGE_MAX) {
            return 0;
        }
        lines += csn_wire_lines(size);
        at += FRAME + size;
        left -= FRAME + size;
        count++;
    }
    if (!csn_ring_has_lines(&ring->writer, lines, ring->rings.input_size_max)) {
        return 0;
    }
    at = fetch->body;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = csn_load_u32(at);
        const struct csn_ring_piece pieces[2] = {{at + FRAME, size}, {NULL, 0}};
        if (csn_ring_write(&ring->writer, ring->tag + i, false, pieces) != CSN_OK) {
            return 0; /* cannot be: there is room; and if so, nothing was published */
        }
        at += FRAME + size;
    }
    if (csn_ring_publish(&ring->writer)) {
        wake_worker(ring);
    }
    return count;
}

/* ---- back ---- */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static bool is_ours(const struct p11_ring *ring)
{
    uint8_t byte;
    return recv(ring->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

/* True: there is an output, or the ring is broken, which the read says. */
static bool wait_for_output(struct p11_ring *ring, uint64_t start)
{
    for (;;) {
        for (uint32_t i = 0; i < LOOKS; i++) {
            if (csn_ring_has_message(&ring->reader)) {
                return true;
            }
            __builtin_ia32_pause();
        }
        uint64_t elapsed = now_ns() - start;
        if (elapsed < ring->spin_ns) {
            continue;
        }
        if (elapsed >= ring->timeout_ns || !is_ours(ring)) {
            return csn_ring_has_message(&ring->reader);
        }
        const struct timespec slice = {.tv_nsec = (long)SLICE_NS};
        uint32_t seen = csn_event_arm(ring->host_event);
        if (!csn_ring_has_message(&ring->reader)) {
            syscall(SYS_futex, ring->host_event, FUTEX_WAIT, seen, &slice, NULL, 0);
        }
        csn_event_disarm(ring->host_event);
    }
}

/* The lines that are done with: the enclave may sleep until it has them. */
static void give_back(struct p11_ring *ring)
{
    (void)csn_ring_give_credit(&ring->reader);
    if (ring->credit_told != ring->reader.credit_given) { /* now, or by a read before */
        ring->credit_told = ring->reader.credit_given;
        wake_worker(ring);
    }
}

/* All outputs of count messages, in order. */
static bool take_outputs(struct p11_ring *ring, uint32_t count, size_t size_max)
{
    uint64_t start = now_ns();
    struct csn_ring_message message;
    for (uint64_t end = ring->tag + count; ring->tag != end;) {
        if (!make_room(ring)) {
            return false;
        }
        uint8_t *frame = ring->answer + ring->size;
        csn_err err = csn_ring_read(&ring->reader, frame + FRAME, &message);
        if (err == CSN_AGAIN) {
            give_back(ring);
            if (wait_for_output(ring, start)) {
                continue;
            }
        }
        if (err != CSN_OK) {
            return false;
        }
        if (message.tag != ring->tag) {
            if (now_ns() - start >= ring->timeout_ns) {
                return false; /* whoever writes these never ends */
            }
            continue; /* of a predecessor, who left before it came */
        }
        if (ring->size + FRAME + message.size > size_max) {
            return false;
        }
        csn_store_u32(frame, message.size);
        ring->size += FRAME + message.size;
        ring->tag += message.final ? 1 : 0;
    }
    give_back(ring);
    return true;
}

/* ---- both ---- */

/* A context belongs to a worker; that of another one goes through the gateway. */
static bool is_for(const struct p11_ring *ring, const struct csv_fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->field_count; i++) {
        if (strcmp(fetch->fields[i].name, "Caisson-Worker") == 0) {
            return strcmp(fetch->fields[i].value, ring->rings.worker) == 0;
        }
    }
    return true;
}

bool p11_ring_fetch(struct p11_ring *ring, const struct csv_fetch *fetch,
                    struct csv_fetched *fetched)
{
    if (!is_for(ring, fetch)) {
        return false;
    }
    uint32_t count = put_messages(ring, fetch);
    if (count == 0) {
        return false;
    }
    ring->size = 0;
    *fetched = (struct csv_fetched){.id = fetch->id, .fault = "the rings ended"};
    if (take_outputs(ring, count, fetch->answer_size_max)) {
        *fetched = (struct csv_fetched){.id = fetch->id,
                                        .status = 200,
                                        .content_type = ANSWERS_TYPE,
                                        .worker = ring->rings.worker,
                                        .body = ring->answer,
                                        .body_size = ring->size};
    } else {
        ring->reader.fate = CSN_ERR_PEER; /* what comes now would be taken for something else */
    }
    return true;
}

bool p11_ring_is_good(struct p11_ring *ring)
{
    uint64_t now = now_ns();
    if (ring->reader.fate != CSN_OK || ring->writer.fate != CSN_OK) {
        return false;
    }
    if (now - ring->looked_ns < LOOK_NS) {
        return true; /* nobody else gets a channel that was taken back in that time, or ever */
    }
    ring->looked_ns = now;
    return is_ours(ring);
}
