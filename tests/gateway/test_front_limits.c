/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_front_limits.c: what strangers cannot have: more connections, requests, memory or time than
 * the limits say; and how the front itself ends.
 *
 * Each limit has a test in which it is reached, and the client that keeps to it is served beside.
 */
#include "front_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define HOST  "Host: h\r\n"
#define SHORT UINT64_C(40000000) /* a deadline that a test waits for */

static struct rig rig;

static const struct csn_answer_head plain = {.status = 200, .content_type = "text/plain"};

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static void ask(struct heard *heard)
{
    uint32_t before = heard->count;
    rig_say(&rig, heard->fd, "GET /bytes?4 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_hear(&rig, heard, before + 1, false));
    assert_int_equal(heard->status[before], 200);
}

/* ---- time ---- */

static void test_slow_head(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.head_ns = SHORT});
    struct heard slow, silent, good;
    heard_start(&good, rig_connect(&rig));
    ask(&good);
    heard_start(&slow, rig_connect(&rig));
    heard_start(&silent, rig_connect(&rig));
    rig_say(&rig, slow.fd, "GET / HTTP/1.1\r\nHost");
    assert_true(rig_hear(&rig, &slow, 1, true));
    assert_int_equal(slow.status[0], 408);
    assert_true(rig_hear(&rig, &silent, 0, true)); /* it has asked for nothing */
    assert_int_equal(rig.counters.slow_closed, 1);
    ask(&good); /* idle, which is another deadline */
    rig_say(&rig, good.fd, "G");
    assert_true(rig_hear(&rig, &good, 3, true));
    assert_int_equal(good.status[2], 408);
    heard_stop(&slow);
    heard_stop(&silent);
    heard_stop(&good);
}

/* A byte or a line now and then does not help. */
static void test_dripping_head(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.head_ns = SHORT});
    static const char *const drops[] = {"x", "x: y\r\n"};
    for (uint32_t i = 0; i < 2; i++) {
        struct heard heard;
        heard_start(&heard, rig_connect(&rig));
        rig_say(&rig, heard.fd, i == 0 ? "GET / HTTP/1.1\r\nX: " : "GET / HTTP/1.1\r\n");
        uint64_t next = 0, end = rig_clock_ns() + rig_patience_ns();
        while (rig.counters.slow_closed == i && rig_clock_ns() < end) {
            if (rig_clock_ns() > next) {
                rig_say(&rig, heard.fd, drops[i]);
                next = rig_clock_ns() + SHORT / 8;
            }
            csn_front_run_once(rig.front, 1000000);
        }
        assert_true(rig_hear(&rig, &heard, 1, true));
        assert_int_equal(heard.status[0], 408);
        heard_stop(&heard);
    }
}

static void test_slow_body(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.body_ns = SHORT});
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab"};
    for (uint32_t i = 0; i < 2; i++) {
        struct heard heard;
        heard_start(&heard, rig_connect(&rig));
        rig_say(&rig, heard.fd, requests[i]);
        assert_true(rig_hear(&rig, &heard, 1, true));
        assert_int_equal(heard.status[0], 408);
        assert_int_equal(rig.gone, i + 1);
        assert_int_equal(rig.gone_status, 408);
        assert_int_equal(rig.counters.slow_closed, i + 1);
        heard_stop(&heard);
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.request_ns = SHORT});
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_hold(&rig, heard.fd);
    assert_true(rig_hear(&rig, &heard, 1, false));
    assert_int_equal(heard.status[0], 504);
    assert_int_equal(rig.gone_status, 504);
    assert_int_equal(rig.counters.deadlines, 1);
    assert_null(rig.held[0]);
    ask(&heard); /* the connection is as good as before */
    /* an answer that begins and does not go on */
    struct csn_exchange *exchange = rig_hold(&rig, heard.fd);
    csn_exchange_begin(exchange, &plain);
    csn_exchange_piece(exchange, "a", 1, false);
    assert_true(rig_hear(&rig, &heard, 2, true));
    assert_int_equal(rig.counters.deadlines, 2);
    assert_int_equal(rig.gone_status, 200);
    heard_stop(&heard);
}

/* An answer in pieces may take longer than each of them. */
static void test_long_answer(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.request_ns = 8 * SHORT});
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    struct csn_exchange *exchange = rig_hold(&rig, heard.fd);
    csn_exchange_begin(exchange, &plain);
    for (uint32_t i = 0; i < 6; i++) {
        csn_exchange_piece(exchange, "a", 1, i == 5);
        uint64_t next = rig_clock_ns() + 2 * SHORT;
        while (rig_clock_ns() < next && rig.gone == 0) {
            csn_front_run_once(rig.front, 1000000);
        }
    }
    assert_int_equal(rig.gone, 0);
    assert_true(rig_hear(&rig, &heard, 1, false));
    heard_stop(&heard);
}

static void test_idle(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.idle_ns = SHORT});
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    ask(&heard);
    assert_true(rig_hear(&rig, &heard, 1, true));
    assert_int_equal(rig.counters.slow_closed, 0);
    heard_stop(&heard);
}

static void shrink(int fd)
{
    int size = 4096;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

static void test_stalled_reader(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.stall_ns = SHORT});
    int fd = rig_connect(&rig);
    shrink(fd);
    rig_say(&rig, fd, "GET /bytes?4194304 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_until_count(&rig, &rig.counters.slow_closed, 1));
    assert_int_equal(rig.gone, 1);
    assert_int_equal(rig.gone_status, 200);
    assert_int_equal(rig.counters.connections_open, 0);
    close(fd);
}

/* A few bytes in each interval are no progress; a step in each is. */
static void read_slowly(size_t step, bool *is_whole)
{
    int fd = rig_connect(&rig);
    rig_say(&rig, fd, "GET /bytes?4194304 HTTP/1.1\r\n" HOST "\r\n");
    static char taken[65536];
    size_t got = 0;
    uint64_t closed = rig.counters.slow_closed;
    uint64_t end = rig_clock_ns() + rig_patience_ns();
    while (got < 4194304 && rig.counters.slow_closed == closed && rig_clock_ns() < end) {
        ssize_t size = recv(fd, taken, step, MSG_DONTWAIT);
        got += size > 0 ? (size_t)size : 0;
        csn_front_run_once(rig.front, 1000000);
    }
    *is_whole = got >= 4194304;
    close(fd);
    rig_turn(&rig, 3);
}

static void test_slow_reader(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.stall_ns = 5 * SHORT});
    bool is_whole = false;
    read_slowly(16384, &is_whole);
    assert_true(is_whole);
    assert_int_equal(rig.counters.slow_closed, 0);
    read_slowly(1, &is_whole);
    assert_false(is_whole);
    assert_int_equal(rig.counters.slow_closed, 1);
}

/* Who was refused and goes on sending is listened to for some time, and then not any more. */
static void test_linger(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.linger_ns = SHORT});
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "BAD\r\n\r\n");
    assert_true(rig_hear(&rig, &heard, 1, true));
    assert_int_equal(heard.status[0], 400);
    assert_false(heard.is_reset);
    rig_say(&rig, heard.fd, "more");
    assert_true(rig_until_equal(&rig, &rig.counters.connections_open, 0));
    heard_stop(&heard);
    /* what is sent without end is cut off before that */
    rig_stop(&rig);
    rig_start(&rig, NULL);
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "BAD\r\n\r\n");
    static const char much[65536];
    for (uint32_t i = 0; i < 64 && rig.counters.connections_open != 0; i++) {
        rig_send(&rig, heard.fd, much, sizeof much);
    }
    assert_int_equal(rig.counters.connections_open, 0);
    heard_stop(&heard);
}

/* ---- number ---- */

static void test_connections(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.connections_max = 2});
    struct heard first, second, third;
    heard_start(&first, rig_connect(&rig));
    ask(&first);
    heard_start(&second, rig_connect(&rig));
    ask(&second);
    ask(&first); /* so the second one has been idle for longest */
    heard_start(&third, rig_connect(&rig));
    ask(&third);
    assert_true(rig_hear(&rig, &second, 1, true));
    assert_int_equal(rig.counters.connections_refused, 1);
    ask(&first);
    heard_stop(&second);
    /* nobody who has a request under way makes room */
    rig_hold(&rig, first.fd);
    rig_hold(&rig, third.fd);
    heard_start(&second, rig_connect(&rig));
    assert_true(rig_hear(&rig, &second, 0, true));
    assert_int_equal(rig.counters.connections_refused, 2);
    assert_int_equal(rig.counters.connections_open, 2);
    heard_stop(&first);
    heard_stop(&second);
    heard_stop(&third);
}

static void test_connections_of_a_client(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.connections_client_max = 2});
    struct heard heard[4];
    for (uint32_t i = 0; i < 3; i++) {
        heard_start(&heard[i], rig_connect(&rig));
        rig_turn(&rig, 2);
    }
    assert_true(rig_hear(&rig, &heard[2], 0, true));
    assert_int_equal(rig.counters.connections_refused, 1);
    ask(&heard[0]);
    ask(&heard[1]);
    heard_start(&heard[3], rig_connect_from(&rig, "127.0.0.2"));
    ask(&heard[3]);
    heard_stop(&heard[2]);
    heard_stop(&heard[0]); /* and so there is room for one more */
    assert_true(rig_until_equal(&rig, &rig.counters.connections_open, 2));
    heard_start(&heard[0], rig_connect(&rig));
    ask(&heard[0]);
    for (uint32_t i = 0; i < 4; i++) {
        if (i != 2) {
            heard_stop(&heard[i]);
        }
    }
}

static void test_requests(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.requests_max = 1});
    struct heard first, second;
    heard_start(&first, rig_connect(&rig));
    heard_start(&second, rig_connect(&rig));
    struct csn_exchange *exchange = rig_hold(&rig, first.fd);
    rig_say(&rig, second.fd, "GET /bytes?4 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(rig_hear(&rig, &second, 1, false));
    assert_int_equal(second.status[0], 503);
    assert_non_null(strstr(second.bytes, "\r\nRetry-After: 1\r\n"));
    csn_exchange_answer(exchange, &plain, "", 0);
    assert_true(rig_hear(&rig, &first, 1, false));
    ask(&second);
    heard_stop(&first);
    heard_stop(&second);
}

/* ---- memory ---- */

#define PART 40000u

static char bytes[2 * PART];

/* Of a body of twice PART. */
static void send_some(struct heard *heard, bool chunked, size_t size)
{
    char head[128];
    snprintf(head, sizeof head,
             chunked ? "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%x\r\n"
                     : "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %u\r\n\r\n",
             2 * PART);
    rig_say(&rig, heard->fd, head);
    rig_send(&rig, heard->fd, bytes, size);
}

static void finish(struct heard *heard, bool chunked)
{
    rig_send(&rig, heard->fd, bytes, PART);
    rig_say(&rig, heard->fd, chunked ? "\r\n0\r\n\r\n" : "");
    assert_true(rig_hear(&rig, heard, 1, false));
    assert_int_equal(heard->status[0], 200);
    assert_int_equal(heard->body_size[0], 2 * PART);
}

static void check_memory(const char *from, bool chunked)
{
    struct heard first, second;
    rig.body_max = 1 << 20;
    heard_start(&first, rig_connect(&rig));
    heard_start(&second, rig_connect_from(&rig, from));
    send_some(&first, chunked, PART);
    send_some(&second, chunked, 2 * PART - 1);
    assert_true(rig_hear(&rig, &second, 1, true));
    assert_int_equal(second.status[0], 503);
    assert_int_equal(rig.gone_status, 503);
    finish(&first, chunked);
    heard_stop(&first);
    heard_stop(&second);
    assert_true(rig_until_equal(&rig, &rig.counters.connections_open, 0));
    /* what was taken has been given back */
    heard_start(&first, rig_connect(&rig));
    send_some(&first, chunked, PART);
    finish(&first, chunked);
    heard_stop(&first);
}

static void test_memory_of_a_client(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        rig_start(&rig, &(struct csn_front_limits){.memory_client_max = 3 * PART - 10000});
        check_memory("127.0.0.1", chunked != 0);
        struct heard first, second; /* of another one */
        heard_start(&first, rig_connect(&rig));
        heard_start(&second, rig_connect_from(&rig, "127.0.0.2"));
        send_some(&first, chunked != 0, PART);
        send_some(&second, chunked != 0, PART);
        finish(&first, chunked != 0);
        finish(&second, chunked != 0);
        heard_stop(&first);
        heard_stop(&second);
        if (chunked == 0) {
            rig_stop(&rig);
        }
    }
}

static void test_memory(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.memory_max = 3 * PART - 10000});
    check_memory("127.0.0.2", false);
}

/* A service that gives more than the client takes. */
static void test_output(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.output_size_max = 100000});
    int fd = rig_connect(&rig);
    shrink(fd);
    csn_exchange_begin(rig_hold(&rig, fd), &plain);
    uint32_t count = 0;
    while (rig.held[0] != NULL && count < 1000) {
        csn_exchange_piece(rig.held[0], bytes, 50000, false);
        rig_turn(&rig, 1);
        count++;
    }
    assert_true(count > 2 && count < 1000);
    assert_int_equal(rig.counters.slow_closed, 1);
    assert_int_equal(rig.gone, 1);
    close(fd);
}

static void test_oversize(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    char *text = malloc(100000);
    static const struct {
        const char *front;
        uint32_t status;
    } heads[] = {{"GET /", 414}, {"GET / HTTP/1.1\r\nHost: h\r\nX: ", 431}, {"", 431}};
    for (uint32_t i = 0; i < 3; i++) {
        struct heard heard;
        heard_start(&heard, rig_connect(&rig));
        memset(text, 'x', 100000);
        memcpy(text, heads[i].front, strlen(heads[i].front));
        memcpy(text + 10000, " HTTP/1.1\r\n", i == 0 ? 11 : 0);
        rig_send(&rig, heard.fd, text, 100000);
        assert_true(rig_hear(&rig, &heard, 1, true));
        assert_int_equal(heard.status[0], heads[i].status);
        assert_false(heard.is_reset); /* else the answer might not be read */
        heard_stop(&heard);
    }
    free(text);
}

/* ---- the end ---- */

static void test_drain(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    struct heard idle, fresh, busy;
    heard_start(&idle, rig_connect(&rig));
    ask(&idle);
    heard_start(&fresh, rig_connect(&rig));
    heard_start(&busy, rig_connect(&rig));
    struct csn_exchange *exchange = rig_hold(&rig, busy.fd);
    csn_front_drain(rig.front, UINT64_C(60000000000));
    assert_true(rig_hear(&rig, &idle, 1, true));
    assert_true(rig_hear(&rig, &fresh, 0, true));
    assert_false(csn_front_is_drained(rig.front));
    csn_exchange_answer(exchange, &plain, "end", 3);
    assert_true(rig_hear(&rig, &busy, 1, true));
    assert_non_null(strstr(busy.bytes, "\r\nConnection: close\r\n"));
    heard_stop(&idle);
    heard_stop(&fresh);
    heard_stop(&busy);
    csn_front_run(rig.front); /* returns, since there is nothing more to wait for */
    assert_true(csn_front_is_drained(rig.front));
}

/* Who watches is heard until the drain is complete, and holds it up in no way. */
static void test_drain_watched(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    struct heard busy, kept, fresh;
    heard_start(&busy, rig_connect(&rig));
    struct csn_exchange *exchange = rig_hold(&rig, busy.fd);
    heard_start(&kept, rig_connect_to(&rig, 1, "127.0.0.1"));
    rig_turn(&rig, 10);
    csn_front_drain(rig.front, UINT64_C(60000000000));
    for (uint32_t i = 0; i < 2; i++) { /* on a connection from before, and on a new one */
        rig_say(&rig, kept.fd, "GET /bytes?4 HTTP/1.1\r\n" HOST "\r\n");
        assert_true(rig_hear(&rig, &kept, 1, true));
        assert_int_equal(kept.status[0], 200);
        heard_stop(&kept);
        heard_start(&kept, rig_connect_to(&rig, 1, "127.0.0.1"));
    }
    heard_start(&fresh, rig_connect_to(&rig, 1, "127.0.0.1"));
    rig_turn(&rig, 10);
    assert_false(csn_front_is_drained(rig.front));
    csn_exchange_answer(exchange, &plain, "end", 3);
    assert_true(rig_hear(&rig, &busy, 1, true));
    heard_stop(&busy);
    csn_front_run(rig.front);
    assert_true(csn_front_is_drained(rig.front));
    assert_int_not_equal(rig.counters.connections_open, 0); /* fresh is open, and asks nothing */
    heard_stop(&fresh);
    heard_stop(&kept);
}

static void test_drain_deadline(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    struct heard busy;
    heard_start(&busy, rig_connect(&rig));
    rig_hold(&rig, busy.fd);
    csn_front_drain(rig.front, UINT64_C(60000000000));
    csn_front_drain(rig.front, SHORT);
    csn_front_drain(rig.front, UINT64_C(60000000000)); /* does not give time back */
    csn_front_run(rig.front);
    assert_int_equal(rig.gone, 1);
    assert_true(rig_hear(&rig, &busy, 0, true));
    heard_stop(&busy);
}

/* ---- what others do in the loop ---- */

struct others {
    struct csn_front_watch watches[2];
    uint32_t ready[2];
    struct csn_timer timer;
    uint32_t fired;
    uint32_t polled;
    uint32_t busy;
};
static struct others others;

static void on_ready(void *state, uint32_t events)
{
    struct csn_front_watch *watch = state;
    assert_true((events & EPOLLIN) != 0);
    others.ready[watch == &others.watches[1]]++;
    csn_front_unwatch(rig.front, &others.watches[watch == &others.watches[0]]);
}

static void on_fire(void *state)
{
    (void)state;
    if (++others.fired < 3) {
        csn_front_after(rig.front, &others.timer, 1000000);
    } else {
        csn_front_stop(rig.front);
    }
}

static bool on_poll(void *state)
{
    (void)state;
    others.polled++;
    return others.busy != 0 && others.busy-- > 1;
}

static void test_others(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    others = (struct others){0};
    for (uint32_t i = 0; i < 2; i++) {
        struct csn_front_watch *watch = &others.watches[i];
        *watch = (struct csn_front_watch){on_ready, watch, eventfd(1, EFD_CLOEXEC)};
        assert_int_equal(csn_front_watch(rig.front, watch, EPOLLIN), CSN_OK);
    }
    csn_front_run_once(rig.front, 0); /* both are due; the first one has the other taken out */
    assert_int_equal(others.ready[0] + others.ready[1], 1);
    csn_front_run_once(rig.front, 0);
    assert_int_equal(others.ready[0] + others.ready[1], 2);
    csn_front_unwatch(rig.front, &others.watches[others.ready[1] != 0]);
    others.busy = 100;
    csn_front_set_poll(rig.front, on_poll, NULL);
    others.timer.fire = on_fire;
    csn_front_after(rig.front, &others.timer, UINT64_C(1000000000));
    for (uint32_t i = 0; i < 100; i++) {
        csn_front_run_once(rig.front, UINT64_MAX); /* never sleeps */
        assert_int_equal(others.fired, 0);
    }
    assert_int_equal(others.polled, 100);
    csn_front_after(rig.front, &others.timer, 1000000); /* moved */
    csn_front_run(rig.front);                           /* sleeps, and wakes for the timer */
    assert_int_equal(others.fired, 3);
    assert_true(others.polled < 120);
    for (uint32_t i = 0; i < 2; i++) {
        close(others.watches[i].fd);
    }
}

static void test_adopt(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(csn_front_adopt(rig.front, 0, pair[0]), CSN_OK);
    struct heard heard;
    heard_start(&heard, pair[1]);
    ask(&heard);
    heard_stop(&heard);
    assert_int_equal(csn_front_adopt(rig.front, 0, eventfd(0, EFD_CLOEXEC)), CSN_ERR_ARGUMENT);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(csn_front_adopt(rig.front, 2, pair[0]), CSN_ERR_ARGUMENT);
    close(pair[1]);
}

/* Descriptors in the process's one epoll. */
static uint32_t count_watched(void)
{
    char path[64], target[64], line[256];
    uint32_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size <= 0 || strncmp(target, "anon_inode:[eventpoll]", (size_t)size) != 0) {
            continue;
        }
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        FILE *info = fopen(path, "re");
        while (info != NULL && fgets(line, sizeof line, info) != NULL) {
            count += strncmp(line, "tfd:", 4) == 0 ? 1 : 0;
        }
        if (info != NULL) {
            fclose(info);
        }
    }
    return count;
}

/*
 * Somebody else has the file of a connection, too, as a process has that was cloned a moment ago:
 * its events must not come when it is closed here, and its memory gone.
 */
static void test_shared_file(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    int pair[2];
    uint32_t watched = count_watched();
    assert_true(watched >= 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    int copy = dup(pair[0]);
    assert_int_equal(csn_front_adopt(rig.front, 0, pair[0]), CSN_OK);
    assert_int_equal(count_watched(), watched + 1);
    close(pair[1]);
    assert_true(rig_until_equal(&rig, &rig.counters.connections_open, 0));
    assert_int_equal(count_watched(), watched);
    close(copy);
}

static void test_create(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    static const struct csn_service service = {0};
    const struct {
        struct csn_front_listener listener;
        csn_err result;
        const char *detail;
    } bad[] = {
        {{.address = "0.0.0.0"}, CSN_ERR_ARGUMENT, "cleartext beyond loopback"},
        {{.address = "::"}, CSN_ERR_ARGUMENT, "cleartext beyond loopback"},
        {{.address = "localhost"}, CSN_ERR_ARGUMENT, "no numeric address"},
        {{.address = NULL}, CSN_ERR_ARGUMENT, "no numeric address"},
        {{.address = "127.0.0.1", .certificate = "/none"}, CSN_ERR_ARGUMENT, "needs a key"},
        {{.address = "127.0.0.1", .certificate = "/none", .key = "/none"},
         CSN_ERR_FORMAT,
         "certificate /none"},
        {{.address = "127.0.0.1", .port = csn_front_port(rig.front, 0)},
         CSN_ERR_SYSTEM,
         "bind(127.0.0.1 port "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct csn_front_listener listener = bad[i].listener;
        listener.service = &service;
        struct csn_front *front = NULL;
        struct csn_detail detail;
        assert_int_equal(
            csn_front_create(&(struct csn_front_options){&listener, 1, {0}, NULL}, &front, &detail),
            bad[i].result);
        assert_null(front);
        assert_non_null(strstr(detail.text, bad[i].detail));
    }
    struct csn_front_listener any = {
        .address = "0.0.0.0", .allow_cleartext = true, .service = &service};
    struct csn_front *front = NULL;
    assert_int_equal(
        csn_front_create(&(struct csn_front_options){&any, 1, {0}, NULL}, &front, NULL), CSN_OK);
    assert_int_equal(csn_front_limits_of(front)->streams_max, 128);
    csn_front_destroy(front);
    csn_front_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
        TEST(test_connections),    TEST(test_connections_of_a_client),
        TEST(test_requests),       TEST(test_memory_of_a_client),
        TEST(test_memory),         TEST(test_output),
        TEST(test_oversize),       TEST(test_others),
        TEST(test_adopt),          TEST(test_shared_file),
        TEST(test_create),         TEST(test_drain),
        TEST(test_drain_watched),  TEST(test_drain_deadline),
        TEST(test_slow_head),      TEST(test_dripping_head),
        TEST(test_slow_body),      TEST(test_no_answer),
        TEST(test_long_answer),    TEST(test_idle),
        TEST(test_stalled_reader), TEST(test_slow_reader),
        TEST(test_linger),
#undef TEST
    };
    return cmocka_run_group_tests_name("front_limits", tests, NULL, NULL);
}
