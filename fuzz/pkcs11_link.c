/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkcs11_link.c: how libcaisson-pkcs11 gets answers, before a gateway and rings that are anybody's.
 *
 * First byte, modulo 3:
 *   0  HTTP: the second byte is how large a body may be, in steps of 64 bytes; the third the size
 *      of the pieces in which the gateway sends the rest.
 *   1  rings that are not what they should be: second byte bit 0 no seal, bit 1 no descriptor; then
 *      what is exclusive-ored into struct csn_wire_rings, and into the memory behind it.
 *   2  answers in good rings: the second byte as in 0; then runs: flags (bit 0 final, bit 1 a pack,
 *      bit 2 the head is spoilt), the tag's distance from the one that is waited for, size (u16),
 *      the body.
 * Oracle: a fetch comes to an end; what it gives lies in memory of the link's own, no longer than
 * what may come, of rings in whole frames; a ring that failed is not used again.
 */
#include "../src/pkcs11/lane.h"
#include "check.h"
#include <caisson/wire/channel.h>
#include <caisson/wire/rings.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES     64u
#define SIZE_MAX_ 1024u
#define RINGS_SIZE                                                                                 \
    (CSN_WIRE_LINE_SIZE * (CSN_WIRE_WORKER_LINES + CSN_WIRE_CHANNEL_LINES + 2 * LINES))
#define INPUT_AT  (CSN_WIRE_LINE_SIZE * (CSN_WIRE_WORKER_LINES + CSN_WIRE_CHANNEL_LINES))
#define OUTPUT_AT (INPUT_AT + CSN_WIRE_LINE_SIZE * LINES)
#define PIECES    32u

/* What the thread at the other end is to do with the next connection. */
struct job {
    const uint8_t *bytes;
    size_t size, piece;
    const struct csn_wire_rings *rings; /* NULL: HTTP */
    int fd;                             /* of the rings, or -1 */
    uint8_t *map;                       /* not NULL: answers come into it */
    sem_t begins, ended;
};

static struct job job;
static int listener;
static struct p11_settings settings = {.timeout_ms = 10000, .spin_us = 200};
static volatile uint8_t sink;

/* ---- the other end ---- */

/* Each piece once the one before was read: so the pieces are what the link sees. */
static void send_pieces(int socket)
{
    size_t piece = job.piece > job.size / PIECES ? job.piece : job.size / PIECES + 1;
    char request[4096];
    if (recv(socket, request, sizeof request, 0) <= 0) {
        return;
    }
    for (size_t at = 0; at < job.size; at += piece) {
        struct pollfd polled = {.fd = socket};
        int unread = 1;
        size_t size = piece < job.size - at ? piece : job.size - at;
        if (send(socket, job.bytes + at, size, MSG_NOSIGNAL) != (ssize_t)size) {
            return;
        }
        while (ioctl(socket, SIOCOUTQ, &unread) == 0 && unread != 0) {
            if (poll(&polled, 1, 0) != 0) {
                return; /* gone */
            }
            sched_yield();
        }
    }
}

static void hand_over(int socket)
{
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)job.rings, .iov_len = sizeof *job.rings};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof job.fd);
    memcpy(CMSG_DATA(&control.head), &job.fd, sizeof job.fd);
    if (job.fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    (void)sendmsg(socket, &message, MSG_NOSIGNAL);
}

static void store(uint64_t line, uint64_t word, uint64_t value)
{
    memcpy(job.map + OUTPUT_AT + CSN_WIRE_LINE_SIZE * line + 8 * word, &value, sizeof value);
}

/* The runs of the input, once there is something to answer; the first head comes last. */
static void answer_runs(int socket)
{
    struct pollfd polled = {.fd = socket};
    const uint64_t *input = (const uint64_t *)(void *)(job.map + INPUT_AT);
    uint64_t line = 0;
    uint64_t first = 0;
    while (__atomic_load_n(input, __ATOMIC_ACQUIRE) == 0) {
        if (poll(&polled, 1, 0) != 0) {
            return; /* gone, and nothing was sent */
        }
        sched_yield();
    }
    for (size_t at = 0; job.size - at >= 4;) {
        const uint8_t *run = job.bytes + at;
        size_t size = (size_t)(run[2] | run[3] << 8) % (SIZE_MAX_ + 64);
        size = size < job.size - at - 4 ? size : job.size - at - 4;
        uint64_t lines = csn_wire_lines((uint32_t)size);
        if (line + lines >= LINES) {
            break;
        }
        uint64_t low = (run[0] & 2) != 0 ? size / 2 | 1u << CSN_WIRE_PACK_COUNT_SHIFT : size;
        uint64_t head = line << 32 | CSN_WIRE_HEAD_VALID | low |
                        ((run[0] & 1) != 0 ? CSN_WIRE_HEAD_FINAL : 0) |
                        ((run[0] & 2) != 0 ? CSN_WIRE_HEAD_PACK : 0);
        head ^= (run[0] & 4) != 0 ? (uint64_t)run[0] << (run[1] % 56) : 0;
        store(line, 1, input[1] + (uint64_t)(int64_t)(int8_t)run[1]);
        memcpy(job.map + OUTPUT_AT + CSN_WIRE_LINE_SIZE * line + 16, run + 4, size);
        if (line == 0) {
            first = head;
        } else {
            store(line, 0, head);
        }
        line += lines;
        at += 4 + size;
    }
    __atomic_store_n((uint64_t *)(void *)(job.map + OUTPUT_AT), first, __ATOMIC_RELEASE);
}

/* Whoever waits for an output. */
static void wake(void)
{
    uint32_t *word =
        (uint32_t *)(void *)(job.map + CSN_WIRE_LINE_SIZE + CSN_WIRE_CHANNEL_HOST_EVENT);
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *be_the_other_end(void *state)
{
    for (;;) {
        while (sem_wait(&job.begins) != 0) {
        }
        int socket = accept(listener, NULL, NULL);
        CHECK(socket >= 0);
        if (job.rings == NULL) {
            send_pieces(socket);
        } else {
            hand_over(socket);
        }
        if (job.map != NULL) {
            answer_runs(socket);
        }
        close(socket); /* no more will come */
        if (job.map != NULL) {
            wake();
        }
        sem_post(&job.ended);
    }
    return state;
}

static void leave(void)
{
    unlink(settings.rings);
}

static void begin(void)
{
    static pthread_t thread;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/fuzz-link-%ld.sock", (long)getpid());
    snprintf(settings.gateway, sizeof settings.gateway, "unix:%s", address.sun_path);
    snprintf(settings.rings, sizeof settings.rings, "%s", address.sun_path);
    unlink(address.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (const struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 4) == 0);
    CHECK(atexit(leave) == 0);
    CHECK(sem_init(&job.begins, 0, 0) == 0 && sem_init(&job.ended, 0, 0) == 0);
    CHECK(pthread_create(&thread, NULL, be_the_other_end, NULL) == 0);
}

static void start(void)
{
    CHECK(sem_post(&job.begins) == 0);
}

static void stop(void)
{
    while (sem_wait(&job.ended) != 0) {
    }
}

/* ---- ours ---- */

static uint8_t body[4 + 5] = {5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'};
static struct csv_fetch fetch = {
    .id = 7, .method = "POST", .path = "/records", .body = body, .body_size = sizeof body};

static void check_text(const char *text)
{
    CHECK(text == NULL || strlen(text) < 256);
}

static void check_fetched(const struct csv_fetched *fetched)
{
    const uint8_t *bytes = fetched->body;
    CHECK(fetched->id == fetch.id);
    CHECK(fetched->body_size <= fetch.answer_size_max);
    CHECK(bytes != NULL || fetched->body_size == 0);
    CHECK(fetched->fault == NULL || (fetched->status == 0 && bytes == NULL));
    for (size_t i = 0; i < fetched->body_size; i++) {
        sink ^= bytes[i];
    }
    check_text(fetched->content_type);
    check_text(fetched->worker);
    check_text(fetched->retry_after);
}

static void run_http(const uint8_t *data, size_t size)
{
    struct csv_fetched fetched;
    struct p11_http *http = p11_http_create(&settings);
    CHECK(http != NULL);
    fetch.answer_size_max = (size_t)data[0] * 64;
    job.bytes = data + 2;
    job.size = size - 2;
    job.piece = data[1];
    start();
    p11_http_fetch(http, &fetch, &fetched);
    check_fetched(&fetched);
    p11_http_destroy(http);
    stop();
}

static void check_frames(const struct csv_fetched *fetched, uint32_t size_max)
{
    const uint8_t *bytes = fetched->body;
    for (size_t at = 0; at < fetched->body_size;) {
        uint32_t size;
        CHECK(fetched->body_size - at >= sizeof size);
        memcpy(&size, bytes + at, sizeof size);
        CHECK(size <= size_max && size <= fetched->body_size - at - 4);
        at += 4 + size;
    }
}

static void use_rings(const struct csn_wire_rings *rings)
{
    struct csv_fetched fetched;
    start();
    struct p11_ring *ring = p11_ring_create(&settings);
    if (ring != NULL && p11_ring_fetch(ring, &fetch, &fetched)) {
        CHECK(fetched.status == 200 || !p11_ring_is_good(ring));
        check_fetched(&fetched);
        check_frames(&fetched, rings->output_size_max);
    }
    p11_ring_destroy(ring);
    stop();
}

static int make_file(const struct csn_wire_rings *rings, uint8_t **map, bool seals)
{
    int fd = memfd_create("fuzz-link", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)rings->size) == 0);
    *map = mmap(NULL, rings->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(*map != MAP_FAILED);
    CHECK(!seals || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    return fd;
}

static void run_rings(const uint8_t *data, size_t size, bool answers)
{
    struct csn_wire_rings rings = {.magic = CSN_WIRE_RINGS_MAGIC,
                                   .version = CSN_WIRE_RINGS_VERSION,
                                   .size = RINGS_SIZE,
                                   .channel_offset = CSN_WIRE_LINE_SIZE,
                                   .input_line_count = LINES,
                                   .output_line_count = LINES,
                                   .input_size_max = SIZE_MAX_,
                                   .output_size_max = SIZE_MAX_,
                                   .worker = "w.0"};
    uint8_t *map;
    int fd = make_file(&rings, &map, answers || (data[0] & 1) == 0);
    for (size_t i = 0; !answers && i < size - 1 && i < sizeof rings + RINGS_SIZE; i++) {
        uint8_t *target = i < sizeof rings ? (uint8_t *)&rings + i : map + i - sizeof rings;
        *target ^= data[1 + i];
    }
    fetch.answer_size_max = answers ? (size_t)data[0] * 64 : 4096;
    job.bytes = data + 1;
    job.size = size - 1;
    job.rings = &rings;
    job.fd = answers || (data[0] & 2) == 0 ? fd : -1;
    job.map = answers ? map : NULL;
    use_rings(&rings);
    munmap(map, RINGS_SIZE);
    close(fd);
    job.rings = NULL;
    job.map = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    if (listener == 0) {
        begin();
    }
    switch (data[0] % 3) {
    case 0:
        run_http(data + 1, size - 1);
        break;
    default:
        run_rings(data + 1, size - 1, data[0] % 3 == 2);
    }
    return 0;
}
