/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_links.c: how requests get to a gateway, with gateways that lie: HTTP answers of every kind,
 * sockets that hand out wrong rings, and a peer at the other end of real ones.
 */
#include "core/event.h"
#include "core/ring.h"
#include "pkcs11/lane.h"
#include <caisson/wire/channel.h>
#include <caisson/wire/rings.h>
#include <setjmp.h> /* cmocka wants these before it */
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char place[64];

static int make_place(void **state)
{
    (void)state;
    snprintf(place, sizeof place, "/tmp/test-links-%ld.sock", (long)getpid());
    return 0;
}

static int listen_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, place, strlen(place));
    unlink(place);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* ---- HTTP ---- */

struct server {
    int listen_fd;
    const char *answers[4]; /* of one connection, one for each request; NULL: hang up */
    unsigned connections;
    pthread_t thread;
};

static void *serve(void *state)
{
    struct server *server = state;
    int fd;
    while ((fd = accept(server->listen_fd, NULL, NULL)) >= 0) {
        char request[4096];
        server->connections++;
        for (int i = 0; i < 4 && server->answers[i] != NULL; i++) {
            if (read(fd, request, sizeof request) <= 0) {
                break;
            }
            const char *text = server->answers[i];
            for (size_t size = strlen(text), at = 0; at < size; at += 7) { /* in small pieces */
                size_t part = size - at < 7 ? size - at : 7;
                if (send(fd, text + at, part, MSG_NOSIGNAL) < 0) {
                    break;
                }
            }
        }
        close(fd);
    }
    return NULL;
}

static void start(struct server *server)
{
    server->listen_fd = listen_there();
    server->connections = 0;
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    shutdown(server->listen_fd, SHUT_RDWR);
    close(server->listen_fd);
    pthread_join(server->thread, NULL);
    unlink(place);
}

static const struct csv_fetch fetch_of = {
    .id = 7, .method = "GET", .path = "/x", .answer_size_max = 64};

static struct p11_http *client(uint32_t timeout_ms)
{
    struct p11_settings settings = {.timeout_ms = timeout_ms};
    snprintf(settings.gateway, sizeof settings.gateway, "unix:%s", place);
    struct p11_http *http = p11_http_create(&settings);
    assert_non_null(http);
    return http;
}

#define SIXTY_FIVE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OK_HEAD    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nCaisson-Worker: w.0\r\n"

static void good_answers(void **state)
{
    (void)state;
    struct server server = {
        .answers = {OK_HEAD "Content-Length: 5\r\n\r\nhello",
                    OK_HEAD
                    "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
                    "HTTP/1.1 503 No\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"}};
    struct csv_fetched fetched;
    start(&server);
    struct p11_http *http = client(5000);
    for (int i = 0; i < 2; i++) {
        p11_http_fetch(http, &fetch_of, &fetched);
        assert_int_equal(fetched.id, 7);
        assert_int_equal(fetched.status, 200);
        assert_string_equal(fetched.content_type, "a/b");
        assert_string_equal(fetched.worker, "w.0");
        assert_int_equal(fetched.body_size, 5);
        assert_memory_equal(fetched.body, "hello", 5);
    }
    p11_http_fetch(http, &fetch_of, &fetched);
    assert_int_equal(fetched.status, 503);
    assert_string_equal(fetched.retry_after, "3");
    assert_int_equal(server.connections, 1); /* all on one */
    /* It was closed meanwhile: the same bytes once more, on another. */
    p11_http_fetch(http, &fetch_of, &fetched);
    assert_int_equal(fetched.status, 200);
    assert_int_equal(server.connections, 2);
    p11_http_destroy(http);
    stop(&server);
}

static void ill_answers(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        OK_HEAD "Content-Length: 65\r\n\r\n" SIXTY_FIVE,
        OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n",
        OK_HEAD "Content-Length: 5\r\n\r\nhell",
        OK_HEAD "Content-Length: 4\r\n\r\nhello",
        OK_HEAD "Transfer-Encoding: gzip\r\n\r\n",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n41\r\n" SIXTY_FIVE "\r\n0\r\n\r\n",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\nmore",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct server server = {.answers = {answers[i]}};
        struct csv_fetched fetched;
        start(&server);
        struct p11_http *http = client(3000);
        p11_http_fetch(http, &fetch_of, &fetched);
        assert_int_equal(fetched.status, 0);
        assert_non_null(fetched.fault);
        assert_null(fetched.body);
        p11_http_destroy(http);
        stop(&server);
    }
}

static void long_head(void **state)
{
    (void)state;
    static char text[70000];
    struct csv_fetched fetched;
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "HTTP/1.1 200 OK\r\nx: ", 20);
    struct server server = {.answers = {text}};
    start(&server);
    struct p11_http *http = client(3000);
    p11_http_fetch(http, &fetch_of, &fetched);
    assert_int_equal(fetched.status, 0);
    p11_http_destroy(http);
    stop(&server);
}

static void silence(void **state)
{
    (void)state;
    struct csv_fetched fetched;
    int fd = listen_there(); /* takes connections, and says nothing */
    struct p11_http *http = client(50);
    p11_http_fetch(http, &fetch_of, &fetched);
    assert_int_equal(fetched.status, 0);
    p11_http_destroy(http);
    close(fd);
    unlink(place);
    http = client(50);
    p11_http_fetch(http, &fetch_of, &fetched);
    assert_string_equal(fetched.fault, "the gateway cannot be reached");
    p11_http_destroy(http);
}

/* ---- rings ---- */

#define LINES_IN  256u
#define LINES_OUT 512u
#define SIZE_MAX_ 4096u

/* A gateway that hands out what it is told to, and the enclave behind it. */
struct hall {
    int listen_fd, fd;
    struct csn_wire_rings rings;
    bool sends_fd;
    uint8_t *map;
    struct csn_ring_reader reader; /* the enclave's end */
    struct csn_ring_writer writer;
    int peer;
};

static void build_hall(struct hall *hall)
{
    *hall = (struct hall){.sends_fd = true, .peer = -1};
    uint64_t size = 64 * (1 + 4 + LINES_IN + LINES_OUT);
    hall->rings = (struct csn_wire_rings){.magic = CSN_WIRE_RINGS_MAGIC,
                                          .version = CSN_WIRE_RINGS_VERSION,
                                          .size = size,
                                          .channel_offset = 64,
                                          .input_line_count = LINES_IN,
                                          .output_line_count = LINES_OUT,
                                          .input_size_max = SIZE_MAX_,
                                          .output_size_max = SIZE_MAX_,
                                          .worker = "w.0"};
    hall->fd = memfd_create("hall", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    assert_int_equal(ftruncate(hall->fd, (off_t)size), 0);
    hall->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, hall->fd, 0);
    assert_int_equal(fcntl(hall->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    struct csn_shared *area = (struct csn_shared *)(void *)(hall->map + 64);
    struct csn_shared *in = csn_shared_at(area, 4 * 64);
    assert_int_equal(csn_ring_reader_init(&hall->reader, in, area, LINES_IN, SIZE_MAX_), CSN_OK);
    assert_int_equal(csn_ring_writer_init(&hall->writer, csn_shared_at(in, 64 * LINES_IN),
                                          csn_shared_at(area, 64), LINES_OUT, SIZE_MAX_),
                     CSN_OK);
    hall->listen_fd = listen_there();
}

static void leave_hall(struct hall *hall)
{
    if (hall->peer >= 0) {
        close(hall->peer);
    }
    munmap(hall->map, hall->rings.size);
    close(hall->listen_fd);
    close(hall->fd);
    unlink(place);
}

static void *hand_over(void *state)
{
    struct hall *hall = state;
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = &hall->rings, .iov_len = sizeof hall->rings};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof hall->fd);
    memcpy(CMSG_DATA(&control.head), &hall->fd, sizeof hall->fd);
    if (hall->sends_fd) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    hall->peer = accept(hall->listen_fd, NULL, NULL);
    (void)sendmsg(hall->peer, &message, MSG_NOSIGNAL);
    return NULL;
}

static struct p11_ring *enter_for(struct hall *hall, uint32_t timeout_ms)
{
    pthread_t thread;
    struct p11_settings settings = {.timeout_ms = timeout_ms, .spin_us = 20};
    snprintf(settings.rings, sizeof settings.rings, "%s", place);
    if (hall->peer >= 0) {
        close(hall->peer);
    }
    assert_int_equal(pthread_create(&thread, NULL, hand_over, hall), 0);
    struct p11_ring *ring = p11_ring_create(&settings);
    pthread_join(thread, NULL);
    return ring;
}

static struct p11_ring *enter(struct hall *hall)
{
    return enter_for(hall, 3000);
}

static void wrong_rings(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        struct hall hall;
        build_hall(&hall);
        struct csn_wire_rings *rings = &hall.rings;
        uint64_t size = rings->size;
        hall.sends_fd = i != 1;
        rings->magic += i == 2;
        rings->version += i == 3;
        rings->size += i == 4 ? 64 : 0; /* more than the file has */
        rings->worker_offset = i == 5 ? size : 0;
        rings->worker_offset += i == 6;
        rings->channel_offset += i == 7 ? 64 : 0; /* the last line is outside */
        rings->channel_offset = i == 8 ? UINT64_MAX - 63 : rings->channel_offset;
        rings->output_line_count = i == 9 ? UINT32_MAX : rings->output_line_count;
        rings->input_line_count = i == 10 ? 100 : rings->input_line_count; /* no power of two */
        if (i == 11) {
            memset(rings->worker, 'w', sizeof rings->worker);
        }
        struct p11_ring *ring = enter(&hall);
        assert_true((ring != NULL) == (i == 0));
        p11_ring_destroy(ring);
        rings->size = size;
        leave_hall(&hall);
    }
}

static void unsealed_rings(void **state)
{
    (void)state;
    struct hall hall;
    build_hall(&hall);
    int sealed = hall.fd;
    hall.fd = memfd_create("loose", MFD_ALLOW_SEALING | MFD_CLOEXEC); /* could shrink under us */
    assert_int_equal(ftruncate(hall.fd, (off_t)hall.rings.size), 0);
    assert_null(enter(&hall));
    close(hall.fd);
    hall.fd = sealed;
    leave_hall(&hall);
}

/* ---- an exchange, with an enclave that echoes ---- */

struct echo {
    struct hall *hall;
    uint32_t count;   /* messages to answer */
    uint32_t parts;   /* outputs of each */
    uint64_t tag_off; /* added to each tag: an answer to somebody else */
    pthread_t thread;
};

static void *echo_some(void *state)
{
    struct echo *echo = state;
    uint8_t bytes[SIZE_MAX_ + 8];
    struct csn_ring_message message;
    uint32_t looks = 0;
    for (uint32_t done = 0; done < echo->count && looks < 100000; looks++) {
        if (csn_ring_read(&echo->hall->reader, bytes, &message) != CSN_OK) {
            usleep(10);
            continue;
        }
        const struct csn_ring_piece pieces[2] = {{bytes, message.size}, {NULL, 0}};
        for (uint32_t i = 0; i < echo->parts; i++) {
            (void)csn_ring_has_lines(&echo->hall->writer, 80, SIZE_MAX_);
            if (csn_ring_write(&echo->hall->writer, message.tag + echo->tag_off,
                               i + 1 == echo->parts, pieces) != CSN_OK) {
                return NULL;
            }
        }
        struct csn_shared *event =
            (struct csn_shared *)(void *)(echo->hall->map + 64 + CSN_WIRE_CHANNEL_HOST_EVENT);
        if (csn_ring_publish(&echo->hall->writer) && csn_event_signal(event)) {
            syscall(SYS_futex, event, FUTEX_WAKE, 1, NULL, NULL, 0);
        }
        done++;
    }
    (void)csn_ring_give_credit(&echo->hall->reader);
    return NULL;
}

/* Two messages of 5 and 300 bytes, as a hello and a record are sent. */
static uint8_t two[4 + 5 + 4 + 300];

static void make_two(uint8_t fill)
{
    memset(two, fill, sizeof two);
    memcpy(two, "\5\0\0\0", 4);
    memcpy(two + 9, "\x2c\1\0\0", 4);
}

static const struct csv_fetch two_of = {.id = 9,
                                        .method = "POST",
                                        .path = "/records",
                                        .body = two,
                                        .body_size = sizeof two,
                                        .answer_size_max = 8192};

static void one_exchange(struct hall *hall, struct p11_ring *ring, uint32_t parts)
{
    struct echo echo = {.hall = hall, .count = 2, .parts = parts};
    struct csv_fetched fetched;
    assert_int_equal(pthread_create(&echo.thread, NULL, echo_some, &echo), 0);
    assert_true(p11_ring_fetch(ring, &two_of, &fetched));
    pthread_join(echo.thread, NULL);
    assert_int_equal(fetched.status, 200);
    assert_string_equal(fetched.worker, "w.0");
    assert_int_equal(fetched.body_size, sizeof two + (parts - 1) * (4 + 5 + 4 + 300));
    if (parts == 1) {
        assert_memory_equal(fetched.body, two, sizeof two);
    }
}

static void exchanges(void **state)
{
    (void)state;
    struct hall hall;
    build_hall(&hall);
    struct p11_ring *ring = enter(&hall);
    assert_non_null(ring);
    for (uint32_t i = 0; i < 200; i++) { /* often around */
        make_two((uint8_t)i);
        one_exchange(&hall, ring, 1 + i % 3);
    }
    assert_true(p11_ring_is_good(ring));
    p11_ring_destroy(ring);
    leave_hall(&hall);
}

/* Owners that leave at any moment: with messages unread, answers untaken, both. */
static void successors(void **state)
{
    (void)state;
    struct hall hall;
    build_hall(&hall);
    for (uint32_t i = 0; i < 60; i++) {
        struct p11_ring *ring = enter(&hall);
        struct csv_fetched fetched;
        assert_non_null(ring);
        make_two((uint8_t)i);
        one_exchange(&hall, ring, 1);
        /* This owner sends and is gone before an answer comes. */
        close(hall.peer);
        hall.peer = -1;
        struct csv_fetch late = two_of;
        assert_true(p11_ring_fetch(ring, &late, &fetched));
        assert_int_equal(fetched.status, 0);
        assert_false(p11_ring_is_good(ring));
        p11_ring_destroy(ring);
        if (i % 3 != 0) { /* the enclave answers him, or it comes to that later */
            struct echo echo = {.hall = &hall, .count = i % 3, .parts = 1};
            (void)echo_some(&echo);
        }
        struct p11_ring *next = enter(&hall);
        assert_non_null(next);
        if (i % 3 != 2) { /* what is left of him comes first, and is nobody's */
            struct echo echo = {.hall = &hall, .count = 2 - i % 3, .parts = 1};
            (void)echo_some(&echo);
        }
        one_exchange(&hall, next, 1);
        p11_ring_destroy(next);
    }
    leave_hall(&hall);
}

static void another_worker(void **state)
{
    (void)state;
    struct hall hall;
    struct csv_fetched fetched;
    build_hall(&hall);
    struct p11_ring *ring = enter(&hall);
    struct csv_fetch fetch = two_of;
    fetch.field_count = 1;
    fetch.fields[0] = (struct csv_call_field){.name = "Caisson-Worker", .value = "w.1"};
    assert_false(p11_ring_fetch(ring, &fetch, &fetched));
    fetch.body_size = 8; /* a frame that is cut off */
    fetch.field_count = 0;
    assert_false(p11_ring_fetch(ring, &fetch, &fetched));
    assert_true(p11_ring_is_good(ring));
    p11_ring_destroy(ring);
    leave_hall(&hall);
}

static void broken_answers(void **state)
{
    (void)state;
    struct hall hall;
    struct csv_fetched fetched;
    build_hall(&hall);
    struct p11_ring *ring = enter(&hall);
    struct csv_fetch fetch = two_of;
    fetch.answer_size_max = 100; /* less than comes */
    struct echo echo = {.hall = &hall, .count = 2, .parts = 1};
    assert_int_equal(pthread_create(&echo.thread, NULL, echo_some, &echo), 0);
    assert_true(p11_ring_fetch(ring, &fetch, &fetched));
    pthread_join(echo.thread, NULL);
    assert_int_equal(fetched.status, 0);
    assert_false(p11_ring_is_good(ring)); /* the rest would be taken for the next one's */
    p11_ring_destroy(ring);
    /* A head word that nobody writes. */
    ring = enter(&hall);
    assert_non_null(ring);
    for (uint32_t i = 0; i < LINES_OUT; i++) {
        memset(hall.map + 64 * (1 + 4 + LINES_IN + i), 0xff, 8);
    }
    assert_true(p11_ring_fetch(ring, &two_of, &fetched));
    assert_int_equal(fetched.status, 0);
    assert_false(p11_ring_is_good(ring));
    p11_ring_destroy(ring);
    leave_hall(&hall);
}

/* ---- outputs of a predecessor, and of one who never ends ---- */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One of 16 bytes, to a tag that nobody waits for. False: no room. */
static bool put_for_nobody(struct hall *hall)
{
    static const uint8_t bytes[16];
    const struct csn_ring_piece pieces[2] = {{bytes, sizeof bytes}, {NULL, 0}};
    bool good = csn_ring_write(&hall->writer, 0, true, pieces) == CSN_OK;
    (void)csn_ring_publish(&hall->writer);
    return good;
}

/* An enclave that sleeps until somebody gives back the lines of what it wrote for nobody. */
static void *sleep_for_room(void *state)
{
    struct echo *echo = state;
    static const struct timespec slice = {.tv_sec = 5};
    struct csn_shared *event = (struct csn_shared *)(void *)echo->hall->map;
    for (int i = 0; i < 100000 && !csn_ring_has_message(&echo->hall->reader); i++) {
        usleep(10);
    }
    uint32_t seen = csn_event_arm(event);
    (void)put_for_nobody(echo->hall);
    syscall(SYS_futex, event, FUTEX_WAIT, seen, &slice, NULL, 0);
    csn_event_disarm(event);
    return echo_some(state);
}

static void leftovers(void **state)
{
    (void)state;
    struct hall hall;
    struct csv_fetched fetched;
    build_hall(&hall);
    struct p11_ring *ring = enter_for(&hall, 20000);
    struct echo echo = {.hall = &hall, .count = 2, .parts = 1};
    make_two(1);
    double begin = now_s();
    assert_int_equal(pthread_create(&echo.thread, NULL, sleep_for_room, &echo), 0);
    assert_true(p11_ring_fetch(ring, &two_of, &fetched));
    pthread_join(echo.thread, NULL);
    assert_int_equal(fetched.status, 200);
    assert_memory_equal(fetched.body, two, sizeof two);
    assert_true(now_s() - begin < 4); /* woken, not by the end of its sleep */
    p11_ring_destroy(ring);
    leave_hall(&hall);
}

/* With no patience at all the first of them is the last: no line is given back. */
static void never_ends(void **state)
{
    (void)state;
    struct hall hall;
    struct csv_fetched fetched;
    uint64_t credit;
    build_hall(&hall);
    struct p11_ring *ring = enter_for(&hall, 0);
    for (int i = 0; i < 100; i++) {
        assert_true(put_for_nobody(&hall));
    }
    assert_true(p11_ring_fetch(ring, &two_of, &fetched));
    assert_int_equal(fetched.status, 0);
    assert_false(p11_ring_is_good(ring));
    memcpy(&credit, hall.map + 64 + CSN_WIRE_CHANNEL_OUTPUT_CREDIT, sizeof credit);
    assert_int_equal(credit, 0);
    p11_ring_destroy(ring);
    leave_hall(&hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges),      cmocka_unit_test(successors),
        cmocka_unit_test(another_worker), cmocka_unit_test(broken_answers),
        cmocka_unit_test(leftovers),      cmocka_unit_test(never_ends),
        cmocka_unit_test(wrong_rings),    cmocka_unit_test(unsealed_rings),
        cmocka_unit_test(good_answers),   cmocka_unit_test(ill_answers),
        cmocka_unit_test(long_head),      cmocka_unit_test(silence)};
    return cmocka_run_group_tests(tests, make_place, NULL);
}
