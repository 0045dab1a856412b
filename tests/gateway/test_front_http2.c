/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_front_http2.c: HTTP/2 through the front, by libnghttp2's own client where a client behaves,
 * and by frames written here where it does not.
 */
#include "front_rig.h"
#include <nghttp2/nghttp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define SHORT       UINT64_C(40000000) /* a deadline that a test waits for */
#define STREAMS_MAX 1024u

static struct rig rig;
static const struct csn_answer_head plain = {.status = 200, .content_type = "text/plain"};

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* ---- a client ---- */

struct answer {
    uint32_t status;
    uint32_t interim; /* 1xx before it */
    size_t size;
    char body[64]; /* its front */
    bool is_closed;
    uint32_t error; /* of RST_STREAM, or of the end */
    char retry[16];
    char length[16];
};

struct client {
    int fd;
    nghttp2_session *session;
    struct answer answers[STREAMS_MAX]; /* by stream id */
    uint32_t closed;
    bool is_gone; /* the connection has ended */
    uint32_t goaways;
    uint32_t goaway_error;
    int32_t goaway_last;
    const char *upload;
    size_t upload_size;
    bool upload_waits; /* its end does not come */
    bool reads;        /* takes what comes */
    uint64_t until_ns; /* the test's patience */
};

static struct answer *answer_of(struct client *client, int32_t id)
{
    assert_true(id > 0 && id < (int32_t)STREAMS_MAX);
    return &client->answers[id];
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t size, int flags,
                       void *user)
{
    (void)session;
    (void)flags;
    struct client *client = user;
    ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? sent : NGHTTP2_ERR_WOULDBLOCK;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
    (void)session;
    (void)flags;
    struct answer *answer = answer_of(user, frame->hd.stream_id);
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)size, (const char *)value);
    if (name_size == 7 && memcmp(name, ":status", 7) == 0) {
        answer->interim += answer->status / 100 == 1 ? 1 : 0;
        answer->status = (uint32_t)atoi(text);
    } else if (name_size == 11 && memcmp(name, "retry-after", 11) == 0) {
        memcpy(answer->retry, text, sizeof answer->retry);
    } else if (name_size == 14 && memcmp(name, "content-length", 14) == 0) {
        memcpy(answer->length, text, sizeof answer->length);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t size, void *user)
{
    (void)session;
    (void)flags;
    struct answer *answer = answer_of(user, id);
    for (size_t i = 0; i < size; i++) {
        if (answer->size + i < sizeof answer->body) {
            answer->body[answer->size + i] = (char)bytes[i];
        }
    }
    answer->size += size;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)session;
    struct client *client = user;
    answer_of(client, id)->is_closed = true;
    answer_of(client, id)->error = error;
    client->closed++;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct client *client = user;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->goaways++;
        client->goaway_error = frame->goaway.error_code;
        client->goaway_last = frame->goaway.last_stream_id;
    }
    return 0;
}

static void client_connect(struct client *client, bool auto_window)
{
    *client = (struct client){.fd = rig_connect(&rig), .reads = true};
    client->until_ns = rig_clock_ns() + rig_patience_ns();
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_auto_window_update(option, !auto_window);
    nghttp2_option_set_no_http_messaging(option, 1); /* it may send what is wrong */
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    assert_int_equal(nghttp2_session_client_new2(&client->session, callbacks, client, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    assert_int_equal(nghttp2_submit_settings(client->session, 0, NULL, 0), 0);
}

static void client_end(struct client *client)
{
    nghttp2_session_del(client->session);
    close(client->fd);
    rig_turn(&rig, 3);
}

static void client_turn(struct client *client)
{
    static uint8_t bytes[65536];
    assert_true(rig_clock_ns() < client->until_ns);
    (void)nghttp2_session_send(client->session);
    csn_front_run_once(rig.front, 1000000);
    ssize_t got = client->reads ? recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT) : -1;
    if (got > 0) {
        assert_int_equal(nghttp2_session_mem_recv(client->session, bytes, (size_t)got), got);
    }
    client->is_gone = client->is_gone || got == 0;
}

static void run(struct client *client, const bool *until)
{
    while (!*until) {
        client_turn(client);
    }
    client->until_ns = rig_clock_ns() + rig_patience_ns();
}

static ssize_t read_upload(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t room,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)source;
    struct client *client = user;
    size_t size = client->upload_size < room ? client->upload_size : room;
    if (size == 0 && client->upload_waits) {
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(bytes, client->upload, size);
    client->upload += size;
    client->upload_size -= size;
    *flags |= client->upload_size == 0 && !client->upload_waits ? NGHTTP2_DATA_FLAG_EOF : 0;
    return (ssize_t)size;
}

#define NV(name, value)                                                                            \
    {                                                                                              \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), strlen(name), strlen(value),  \
            0                                                                                      \
    }

/* With up to two more fields; body NULL: none. */
static int32_t ask(struct client *client, const char *method, const char *path, const char *body,
                   size_t size, const char *const more[4])
{
    nghttp2_nv fields[6] = {NV(":method", method), NV(":path", path), NV(":scheme", "http"),
                            NV(":authority", "h")};
    size_t count = 4;
    for (size_t i = 0; more != NULL && i < 4 && more[i] != NULL; i += 2) {
        nghttp2_nv field = NV(more[i], more[i + 1]);
        field.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME; /* its case stays as it is */
        fields[count++] = field;
    }
    nghttp2_data_provider provider = {.read_callback = read_upload};
    client->upload = body;
    client->upload_size = size;
    int32_t id = nghttp2_submit_request(client->session, NULL, fields, count,
                                        body != NULL ? &provider : NULL, NULL);
    assert_true(id > 0);
    return id;
}

static struct answer *complete(struct client *client, int32_t id)
{
    run(client, &answer_of(client, id)->is_closed);
    return answer_of(client, id);
}

static struct answer *get(struct client *client, const char *path)
{
    return complete(client, ask(client, "GET", path, NULL, 0, NULL));
}

static struct answer *post(struct client *client, const char *path, size_t size)
{
    static char body[200000];
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (char)('a' + i % 26);
    }
    return complete(client, ask(client, "POST", path, body, size, NULL));
}

/* ---- what is answered ---- */

static void test_requests(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    rig.body_max = 100000;
    static struct client client;
    client_connect(&client, true);
    const char *const more[4] = {"x-y", "z", "expect", "100-continue"};
    struct answer *answer = complete(&client, ask(&client, "POST", "/echo?a=1", "hello", 5, more));
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->interim, 1);
    assert_int_equal(answer->error, 0);
    assert_int_equal(answer->size, 5);
    assert_memory_equal(answer->body, "hello", 5);
    assert_string_equal(answer->length, "5");
    assert_string_equal(rig.path, "/echo");
    assert_string_equal(rig.query, "a=1");
    assert_string_equal(rig.host, "h");
    assert_string_equal(rig.fields, "x-y=z;expect=100-continue;");
    assert_int_equal(rig.done, 1);
    assert_int_equal(rig.done_size, 5);
    answer = get(&client, "/bytes?1000000");
    assert_int_equal(answer->size, 1000000);
    assert_int_equal(get(&client, "/none")->status, 404);
    answer = post(&client, "/echo", 100000);
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->size, 100000);
    answer = post(&client, "/echo", 0);
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->size, 0);
    assert_int_equal(get(&client, "/refused")->status, 403);
    client_end(&client);
}

static void test_refused(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.linger_ns = SHORT});
    static struct client client;
    client_connect(&client, true);
    char target[CSN_HTTP1_TARGET_SIZE_MAX + 2];
    memset(target, '/', sizeof target);
    target[sizeof target - 1] = '\0';
    const struct {
        const char *method;
        const char *path;
        const char *more[4];
        uint32_t status;
    } bad[] = {
        {"PUT", "/echo", {NULL}, 405},
        {"HEAD", "/echo", {NULL}, 405},
        {"GET", "echo", {NULL}, 400},
        {"GET", "/a b", {NULL}, 400},
        {"GET", "/a#b", {NULL}, 400},
        {"GET", target, {NULL}, 414},
        {"GET", "/echo", {"host", "other"}, 400},
        {"GET", "/echo", {"host", "h", "host", "h"}, 400},
        {"GET", "/echo", {"expect", "x"}, 417},
        {"CONNECT", "/echo", {NULL}, 400},
        {"GET", "/echo", {"Upper", "x"}, 400},
        {"GET", "/echo", {"connection", "close"}, 400},
        {"GET", "/echo", {"transfer-encoding", "chunked"}, 400},
        {"GET", "/echo", {"x", "y", ":path", "/hidden"}, 400},
        {"GET", "/echo", {"content-length", "0", "content-length", "0"}, 400},
        {"GET", "/echo", {"content-length", "0x0"}, 400},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct answer *answer =
            complete(&client, ask(&client, bad[i].method, bad[i].path, NULL, 0, bad[i].more));
        if (answer->status != bad[i].status && !(answer->status == 0 && answer->error != 0)) {
            fail_msg("%s %s, %zu: %u", bad[i].method, bad[i].path, i, answer->status);
        }
        assert_true(answer->status == bad[i].status || bad[i].status == 400);
        bool is_head = strcmp(bad[i].method, "HEAD") == 0;
        assert_true(!is_head || (answer->size == 0 && answer->length[0] != '\0'));
    }
    assert_int_equal(rig.begun, 0);
    assert_int_equal(get(&client, "/bytes?1")->status, 200);
    /* bodies that are not as long as was said */
    static const char *const lengths[][4] = {{"content-length", "1"}, {"content-length", "3"}};
    uint32_t done = rig.done;
    for (size_t i = 0; i < 2; i++) {
        struct answer *answer =
            complete(&client, ask(&client, "POST", "/echo", "xy", 2, lengths[i]));
        assert_true(answer->status != 200 && answer->error != 0);
    }
    assert_int_equal(rig.done, done);
    /* bodies that were not asked for, or are too large: with a length, and without one */
    assert_int_equal(complete(&client, ask(&client, "GET", "/bytes?1", "x", 1, NULL))->status, 400);
    assert_int_equal(post(&client, "/echo", 65537)->status, 413);
    const char *const length[4] = {"content-length", "65537"};
    client.upload_waits = true;
    int32_t id = ask(&client, "POST", "/echo", "x", 1, length);
    while (answer_of(&client, id)->size == 0) {
        client_turn(&client);
    }
    assert_int_equal(answer_of(&client, id)->status, 413);
    complete(&client, id); /* once the client has had time to notice */
    assert_int_equal(answer_of(&client, id)->error, NGHTTP2_NO_ERROR);
    assert_int_equal(rig.gone_status, 413);
    client_end(&client);
}

static void test_many(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    static struct client client;
    client_connect(&client, true);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            char path[32];
            snprintf(path, sizeof path, "/bytes?%u", round * 100 + i);
            (void)ask(&client, "GET", path, NULL, 0, NULL);
        }
        while (client.closed < (round + 1) * 100 && !client.is_gone) {
            client_turn(&client);
        }
    }
    for (uint32_t i = 0; i < 300; i++) {
        struct answer *answer = answer_of(&client, (int32_t)(2 * i + 1));
        assert_int_equal(answer->status, 200);
        assert_int_equal(answer->size, i);
    }
    assert_int_equal(rig.done, 300);
    client_end(&client);
}

static void test_pieces(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    static struct client client;
    client_connect(&client, true);
    int32_t id = ask(&client, "GET", "/hold", NULL, 0, NULL);
    while (rig.held_count == 0) {
        client_turn(&client);
    }
    csn_exchange_begin(rig.held[0], &plain);
    while (answer_of(&client, id)->status == 0) {
        client_turn(&client);
    }
    csn_exchange_piece(rig.held[0], "hello ", 6, false);
    while (answer_of(&client, id)->size < 6) {
        client_turn(&client);
    }
    csn_exchange_piece(rig.held[0], "", 0, false);
    client_turn(&client);
    assert_false(answer_of(&client, id)->is_closed);
    csn_exchange_piece(rig.held[0], "world", 5, true);
    struct answer *answer = complete(&client, id);
    assert_memory_equal(answer->body, "hello world", 11);
    assert_int_equal(answer->error, NGHTTP2_NO_ERROR);
    /* one that breaks off, and one whose last piece is empty */
    id = ask(&client, "GET", "/hold", NULL, 0, NULL);
    int32_t other = ask(&client, "GET", "/hold", NULL, 0, NULL);
    while (rig.held_count < 3) {
        client_turn(&client);
    }
    csn_exchange_begin(rig.held[1], &plain);
    csn_exchange_piece(rig.held[1], "x", 1, false);
    csn_exchange_break(rig.held[1]);
    assert_int_equal(rig.gone, 0); /* nobody is told from inside of a call */
    csn_exchange_begin(rig.held[2], &plain);
    csn_exchange_piece(rig.held[2], NULL, 0, true);
    assert_int_equal(complete(&client, id)->error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(complete(&client, other)->error, NGHTTP2_NO_ERROR);
    assert_int_equal(rig.gone, 1);
    assert_int_equal(rig.done, 2);
    client_end(&client);
}

static void test_reset_and_leave(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    static struct client client;
    client_connect(&client, true);
    int32_t id = ask(&client, "GET", "/hold", NULL, 0, NULL);
    (void)ask(&client, "GET", "/hold", NULL, 0, NULL);
    while (rig.held_count < 2) {
        client_turn(&client);
    }
    assert_int_equal(nghttp2_submit_rst_stream(client.session, 0, id, NGHTTP2_CANCEL), 0);
    while (rig.gone < 1) {
        client_turn(&client);
    }
    assert_int_equal(rig.gone_status, 0);
    client_end(&client);
    assert_true(rig_until_equal(&rig, &rig.gone, 2));
}

static void test_deadlines(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.request_ns = SHORT,
                                               .body_ns = 2 * SHORT,
                                               .idle_ns = 3 * SHORT,
                                               .linger_ns = SHORT});
    static struct client client;
    client_connect(&client, true);
    assert_int_equal(get(&client, "/hold")->status, 504);
    assert_int_equal(rig.gone_status, 504);
    assert_int_equal(rig.counters.deadlines, 1);
    client.upload_waits = true;
    int32_t id = ask(&client, "POST", "/echo", "x", 1, NULL);
    assert_int_equal(complete(&client, id)->status, 408);
    assert_int_equal(rig.gone_status, 408);
    assert_int_equal(rig.counters.slow_closed, 1);
    client.upload_waits = false;
    assert_int_equal(get(&client, "/bytes?1")->status, 200);
    run(&client, &client.is_gone); /* idle */
    assert_int_equal(client.goaways, 1);
    assert_int_equal(client.goaway_error, NGHTTP2_NO_ERROR);
    client_end(&client);
}

/* ---- what a client must not have ---- */

/* Windows that do not open: first of the stream, then of the connection. */
static void test_stuffed_windows(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.stall_ns = SHORT});
    static struct client client;
    client_connect(&client, false);
    int32_t id = ask(&client, "GET", "/bytes?1000000", NULL, 0, NULL);
    struct answer *answer = complete(&client, id);
    assert_int_equal(answer->error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(answer->size, 65535);
    assert_int_equal(rig.counters.slow_closed, 1);
    assert_int_equal(rig.gone, 1);
    id = ask(&client, "GET", "/bytes?10", NULL, 0, NULL); /* nothing is left of the connection's */
    assert_int_equal(complete(&client, id)->error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(rig.counters.slow_closed, 2);
    assert_int_equal(nghttp2_session_consume_connection(client.session, 65535), 0);
    assert_int_equal(get(&client, "/bytes?10")->size, 10);
    client_end(&client);
}

/*
 * A slow client is not one that stands still, nor is a stream that waits for its turn: here eight
 * of them share 8 KiB in ten milliseconds.
 */
static void test_slow_windows(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.stall_ns = 3 * SHORT});
    static struct client client;
    client_connect(&client, false);
    int32_t ids[8];
    for (uint32_t i = 0; i < 8; i++) {
        ids[i] = ask(&client, "GET", "/bytes?60000", NULL, 0, NULL);
    }
    uint64_t next = 0;
    size_t given = 0;
    while (client.closed < 8) {
        size_t got = 0;
        for (uint32_t i = 0; i < 8; i++) {
            got += answer_of(&client, ids[i])->size;
        }
        if (rig_clock_ns() > next && got > given) {
            size_t step = got - given < 8192 ? got - given : 8192;
            given += step;
            (void)nghttp2_submit_window_update(client.session, 0, 0, (int32_t)step);
            next = rig_clock_ns() + 10000000;
        }
        client_turn(&client);
    }
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(answer_of(&client, ids[i])->size, 60000);
    }
    assert_int_equal(rig.counters.slow_closed, 0);
    client_end(&client);
}

static void test_requests_max(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.requests_max = 1});
    static struct client client;
    client_connect(&client, true);
    (void)ask(&client, "GET", "/hold", NULL, 0, NULL);
    struct answer *answer = get(&client, "/bytes?1");
    assert_int_equal(answer->status, 0);
    assert_int_equal(answer->error, NGHTTP2_REFUSED_STREAM);
    csn_exchange_answer(rig.held[0], &plain, "", 0);
    while (client.closed < 2) {
        client_turn(&client);
    }
    assert_int_equal(get(&client, "/bytes?1")->status, 200);
    client_end(&client);
}

static void test_memory(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.memory_client_max = 100000});
    rig.body_max = 1 << 20;
    static struct client client;
    client_connect(&client, true);
    assert_int_equal(post(&client, "/none", 150000)->status, 503);
    assert_int_equal(rig.gone_status, 503);
    assert_int_equal(get(&client, "/bytes?200000")->error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(post(&client, "/echo", 30000)->size, 30000);
    client_end(&client);
}

static void test_too_many_fields(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.fields_size_max = 1000});
    static struct client client;
    client_connect(&client, true);
    char value[1001] = {0};
    memset(value, 'x', 700);
    const char *const fits[4] = {"a", value};
    assert_int_equal(complete(&client, ask(&client, "GET", "/bytes?1", NULL, 0, fits))->status,
                     200);
    memset(value, 'x', 1000);
    const char *const more[4] = {"a", value};
    assert_int_equal(complete(&client, ask(&client, "GET", "/bytes?1", NULL, 0, more))->status,
                     431);
    nghttp2_nv many[4 + CSN_HTTP1_FIELDS_MAX + 1] = {NV(":method", "GET"), NV(":path", "/bytes?1"),
                                                     NV(":scheme", "http"), NV(":authority", "h")};
    for (size_t i = 4; i < sizeof many / sizeof many[0]; i++) {
        nghttp2_nv field = NV("a", "");
        many[i] = field;
    }
    rig_stop(&rig);
    close(client.fd);
    nghttp2_session_del(client.session);
    rig_start(&rig, NULL);
    client_connect(&client, true);
    for (size_t extra = 0; extra < 2; extra++) {
        int32_t id = nghttp2_submit_request(client.session, NULL, many,
                                            4 + CSN_HTTP1_FIELDS_MAX + extra, NULL, NULL);
        assert_int_equal(complete(&client, id)->status, extra == 0 ? 200 : 431);
    }
    client_end(&client);
}

/* ---- frames that are written here ---- */

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
#define PREFACE_SIZE (sizeof preface - 1)
/* :method GET, :path /, :scheme http, :authority h */
static const char head[] = "\x82\x84\x86\x41\x01h";
#define HEAD_SIZE (sizeof head - 1)

struct frames {
    char bytes[1 << 20];
    size_t size;
};
static struct frames frames;

static void frame(uint8_t type, uint8_t flags, uint32_t id, const void *bytes, size_t size)
{
    const uint8_t front[9] = {
        (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size,      type,       flags,
        (uint8_t)(id >> 24),   (uint8_t)(id >> 16),  (uint8_t)(id >> 8), (uint8_t)id};
    assert_true(frames.size + 9 + size <= sizeof frames.bytes);
    memcpy(frames.bytes + frames.size, front, 9);
    memcpy(frames.bytes + frames.size + 9, bytes, size);
    frames.size += 9 + size;
}

/* The error of the GOAWAY that came; UINT32_MAX: none. */
static uint32_t goaway_of(const struct heard *heard)
{
    uint32_t error = UINT32_MAX;
    const uint8_t *bytes = (const uint8_t *)heard->bytes;
    for (size_t at = 0; at + 17 <= heard->size;) {
        size_t size = (size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2];
        if (bytes[at + 3] == NGHTTP2_GOAWAY) {
            error = bytes[at + 16];
        }
        at += 9 + size;
    }
    return error;
}

static bool is_over(void *state)
{
    heard_take(state);
    return ((struct heard *)state)->is_closed;
}

/* Sends what was written; the connection then ends with that error, and others are served. */
static void expect_end(uint32_t error, uint64_t abuse)
{
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_send(&rig, heard.fd, preface, PREFACE_SIZE);
    rig_send(&rig, heard.fd, frames.bytes, frames.size);
    assert_true(rig_until(&rig, is_over, &heard));
    assert_int_equal(goaway_of(&heard), error);
    assert_int_equal(rig.counters.abuse_closed, abuse);
    heard_stop(&heard);
    static struct client client;
    client_connect(&client, true);
    assert_int_equal(get(&client, "/bytes?1")->status, 200);
    client_end(&client);
}

/* What stays within its limit does no harm: so many requests, the last one behind it, are served.
 */
static void expect_served(uint32_t count)
{
    struct heard heard;
    uint32_t done = rig.done;
    heard_start(&heard, rig_connect(&rig));
    rig_send(&rig, heard.fd, preface, PREFACE_SIZE);
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 100001, head,
          HEAD_SIZE);
    rig_send(&rig, heard.fd, frames.bytes, frames.size);
    assert_true(rig_until_equal(&rig, &rig.done, done + count));
    heard_take(&heard);
    assert_false(heard.is_closed);
    assert_int_equal(rig.counters.abuse_closed, 0);
    heard_stop(&heard);
    rig_turn(&rig, 3);
}

static void rapid_resets(uint32_t count)
{
    frames.size = 0;
    for (uint32_t i = 0; i < count; i++) {
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * i + 1,
              "\x82\x86\x41\x01h\x04\x05/hold", HEAD_SIZE + 6);
        frame(NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
    }
}

static void test_rapid_reset(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.resets_max = 20});
    rig.held_count = 0;
    rapid_resets(20);
    expect_served(1);
    rig.held_count = 0;
    rapid_resets(40);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 1);
    assert_true(rig.begun <= 20 + 1 + 21 + 1);
}

/* The same, but the server is made to reset: a window that is opened too far. */
static void test_made_to_reset(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.resets_max = 20});
    frames.size = 0;
    for (uint32_t i = 0; i < 40; i++) {
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * i + 1,
              "\x82\x86\x41\x01h\x04\x05/hold", HEAD_SIZE + 6);
        frame(NGHTTP2_WINDOW_UPDATE, 0, 2 * i + 1, "\x7f\xff\xff\xff", 4);
    }
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 1);
}

static void many(uint32_t count, uint8_t type, const char *bytes, size_t size)
{
    frames.size = 0;
    for (uint32_t i = 0; i < count; i++) {
        frame(type, 0, 0, bytes, size);
    }
}

static void test_floods(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.controls_max = 20});
    many(18, NGHTTP2_PING, "12345678", 8);
    expect_served(1);
    many(18, NGHTTP2_SETTINGS, "", 0);
    expect_served(1);
    many(40, NGHTTP2_PING, "12345678", 8);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 1);
    many(40, NGHTTP2_SETTINGS, "", 0);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 2);
    many(40, 0xcc, "", 0); /* a type that nobody knows */
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 3);
    frames.size = 0;
    for (uint32_t i = 0; i < 40; i++) {
        frame(NGHTTP2_PRIORITY, 0, 2 * i + 1, "\0\0\0\0\0", 5);
    }
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 4);
    frames.size = 0;
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\x83\x84\x86\x41\x01h", HEAD_SIZE);
    for (uint32_t i = 0; i < 40; i++) {
        frame(NGHTTP2_DATA, 0, 1, "", 0);
    }
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 5);
}

/* Nobody reads the answers to the pings: what waits for him is bounded. */
static void test_unread_pings(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.controls_max = 1000000});
    many(20000, NGHTTP2_PING, "12345678", 8);
    int fd = rig_connect(&rig);
    int size = 4096;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    rig_send(&rig, fd, preface, PREFACE_SIZE);
    for (uint32_t i = 0; i < 1000 && rig.counters.abuse_closed == 0; i++) {
        rig_send(&rig, fd, frames.bytes, frames.size);
    }
    assert_int_equal(rig.counters.abuse_closed, 1);
    close(fd);
}

static void continuations(uint32_t count)
{
    frames.size = 0;
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, head, HEAD_SIZE);
    for (uint32_t i = 0; i < count; i++) {
        frame(NGHTTP2_CONTINUATION, i + 1 == count ? NGHTTP2_FLAG_END_HEADERS : 0, 1, "", 0);
    }
}

static void test_continuations(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.continuations_max = 4});
    continuations(4);
    expect_served(2);
    continuations(100000); /* without limit: all are taken, and it is a request */
    frames.size -= 9;
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 1);
}

/* A field of four thousand bytes in the table, and then one byte for each time it is said again. */
static void test_bomb(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    static char block[16384];
    size_t at = HEAD_SIZE;
    memcpy(block, head, HEAD_SIZE);
    static const char literal[] = "\x40\x01x\x7f\xa1\x1e"; /* 127 + 33 + 30 * 128 = 4000 */
    memcpy(block + at, literal, 6);
    at += 6;
    memset(block + at, 'y', 4000);
    at += 4000;
    memset(block + at, 0xbe, 10000); /* the first entry of the dynamic table */
    at += 10000;
    frames.size = 0;
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, block, at);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, 1);
}

static void test_half_a_head(void **state)
{
    (void)state;
    rig_start(&rig, &(struct csn_front_limits){.head_ns = SHORT});
    frames.size = 0;
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, head, HEAD_SIZE);
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_send(&rig, heard.fd, preface, PREFACE_SIZE);
    rig_send(&rig, heard.fd, frames.bytes, frames.size);
    assert_true(rig_until(&rig, is_over, &heard));
    assert_int_equal(rig.counters.slow_closed, 1);
    heard_stop(&heard);
}

static void test_broken_frames(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    frames.size = 0;
    frame(NGHTTP2_DATA, 0, 1, "x", 1); /* of a stream that is not open */
    expect_end(NGHTTP2_PROTOCOL_ERROR, 0);
    frames.size = 0;
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff", 6);
    expect_end(NGHTTP2_COMPRESSION_ERROR, 0);
    frames.size = 0;
    frame(NGHTTP2_SETTINGS, 0, 1, "", 0);
    expect_end(NGHTTP2_PROTOCOL_ERROR, 0);
    frames.size = 0;
    memcpy(frames.bytes, "\xff\xff\xff", 3); /* a frame of 16 MiB */
    memset(frames.bytes + 3, 0, 6);
    frames.size = 9;
    expect_end(NGHTTP2_FRAME_SIZE_ERROR, 0);
    assert_true(rig.counters.bad_requests >= 3);
}

/* A client that begins as HTTP/2, and is not; one that begins byte by byte, and is. */
static void test_preface(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    struct heard heard;
    heard_start(&heard, rig_connect(&rig));
    rig_say(&rig, heard.fd, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    assert_true(rig_hear(&rig, &heard, 1, true));
    assert_int_equal(heard.status[0], 505);
    heard_stop(&heard);
    heard_start(&heard, rig_connect(&rig));
    frames.size = 0;
    frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, head, HEAD_SIZE);
    for (size_t i = 0; i < PREFACE_SIZE; i++) {
        rig_send(&rig, heard.fd, preface + i, 1);
    }
    for (size_t i = 0; i < frames.size; i++) {
        rig_send(&rig, heard.fd, frames.bytes + i, 1);
    }
    assert_true(rig_until_equal(&rig, &rig.done, 1));
    heard_stop(&heard);
}

static void test_drain(void **state)
{
    (void)state;
    rig_start(&rig, NULL);
    static struct client busy, idle;
    client_connect(&busy, true);
    client_connect(&idle, true);
    assert_int_equal(get(&idle, "/bytes?1")->status, 200);
    int32_t id = ask(&busy, "GET", "/hold", NULL, 0, NULL);
    while (rig.held_count == 0) {
        client_turn(&busy);
    }
    csn_front_drain(rig.front, UINT64_C(60000000000));
    while (busy.goaways == 0) {
        client_turn(&busy);
    }
    assert_int_equal(busy.goaway_last, INT32_MAX);
    run(&idle, &idle.is_gone);
    assert_true(idle.goaways >= 1); /* its session hears nothing after the first one */
    assert_int_equal(idle.goaway_error, NGHTTP2_NO_ERROR);
    while (busy.goaways < 2) {
        client_turn(&busy);
    }
    assert_int_equal(busy.goaway_last, id);
    csn_exchange_answer(rig.held[0], &plain, "end", 3);
    assert_int_equal(complete(&busy, id)->size, 3);
    run(&busy, &busy.is_gone);
    client_end(&busy);
    client_end(&idle);
    csn_front_run(rig.front);
    assert_int_equal(rig.gone, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
        TEST(test_requests),        TEST(test_refused),       TEST(test_many),
        TEST(test_pieces),          TEST(test_requests_max),  TEST(test_memory),
        TEST(test_too_many_fields), TEST(test_rapid_reset),   TEST(test_made_to_reset),
        TEST(test_floods),          TEST(test_continuations), TEST(test_bomb),
        TEST(test_broken_frames),   TEST(test_preface),       TEST(test_unread_pings),
        TEST(test_reset_and_leave), TEST(test_deadlines),     TEST(test_stuffed_windows),
        TEST(test_slow_windows),    TEST(test_half_a_head),   TEST(test_drain),
#undef TEST
    };
    return cmocka_run_group_tests_name("front_http2", tests, NULL, NULL);
}
