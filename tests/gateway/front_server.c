/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front_server.c: a front with a service of the test's own, for clients that others wrote.
 *
 * usage: front_server [--certificate FILE --key FILE] [LIMIT=NUMBER ...]
 * It prints "cleartext PORT", with a certificate "tls PORT", and then "ready". SIGTERM drains for
 * at most three seconds, SIGHUP reads the certificate again.
 *
 *   POST /echo             the body, as it came; at most 4 MiB
 *   POST /tight            the same; at most 1000 bytes
 *   GET  /bytes?N          N bytes, each is 'a' + its offset modulo 26
 *   GET  /stream?N         the same in pieces of 1000 bytes, one every 5 ms
 *   GET  /flood?N          the same in pieces of 65536, as fast as the front takes them
 *   GET  /later?MS         "later" after that time
 *   GET  /never            no answer
 *   GET  /broken?N         as /stream, but it breaks off after N bytes
 *   POST /refused          403 before the body
 *   GET  /fields           method, path, query, host and fields, one a line
 *   GET  /illegal          an answer with a line end in a field
 *   GET  /counters         what the front and the service counted, a name and a number a line
 */
#include <gateway/front.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ECHO_MAX (4u << 20)
#define PIECE    1000u
#define FLOOD    65536u

static struct csn_front *front;
static struct csn_view_front counters;
static uint64_t begun, done, gone, gone_silent;
static char pattern[26 * 65536];

/* An answer that comes later. */
struct job {
    struct csn_timer timer;
    struct csn_exchange *exchange;
    uint64_t total;
    uint64_t sent;
    bool breaks;
    bool waits; /* "later" */
    bool floods;
};

static bool is_path(const struct csn_exchange *exchange, const char *path)
{
    return exchange->path.size == strlen(path) &&
           memcmp(exchange->path.bytes, path, exchange->path.size) == 0;
}

static uint64_t query_number(const struct csn_exchange *exchange)
{
    char text[24] = {0};
    size_t size = exchange->query.size < sizeof text - 1 ? exchange->query.size : sizeof text - 1;
    memcpy(text, exchange->query.bytes, size);
    return strtoull(text, NULL, 10);
}

static void free_job(struct csn_exchange *exchange)
{
    struct job *job = exchange->state;
    if (job != NULL) {
        csn_front_cancel(front, &job->timer);
        free(job);
        exchange->state = NULL;
    }
}

static void run_job(void *state)
{
    struct job *job = state;
    struct csn_exchange *exchange = job->exchange;
    const struct csn_answer_head head = {.status = 200, .content_type = "text/plain"};
    if (job->waits) {
        free_job(exchange);
        csn_exchange_answer(exchange, &head, "later", 5);
        return;
    }
    uint64_t left = job->total - job->sent;
    uint64_t step = job->floods ? FLOOD : PIECE;
    size_t size = (size_t)(left < step ? left : step);
    bool final = size == left && !job->breaks;
    const char *bytes = pattern + job->sent % 26;
    job->sent += size;
    if (final || left == 0) {
        free_job(exchange);
    } else {
        csn_front_after(front, &job->timer, job->floods ? 0 : 5000000);
    }
    if (left == 0 && !final) {
        csn_exchange_break(exchange);
    } else {
        csn_exchange_piece(exchange, bytes, size, final);
    }
}

static struct job *start_job(struct csn_exchange *exchange, uint64_t delay_ns)
{
    struct job *job = calloc(1, sizeof *job);
    job->timer.fire = run_job;
    job->timer.state = job;
    job->exchange = exchange;
    job->total = query_number(exchange);
    exchange->state = job;
    csn_front_after(front, &job->timer, delay_ns);
    return job;
}

static void answer_text(struct csn_exchange *exchange, const char *text, size_t size)
{
    const struct csn_answer_head head = {.status = 200, .content_type = "text/plain"};
    csn_exchange_answer(exchange, &head, text, size);
}

static void answer_fields(struct csn_exchange *exchange)
{
    static char text[65536];
    size_t at = (size_t)snprintf(
        text, sizeof text, "%s %.*s ? %.*s host %.*s http %u tls %d\n",
        exchange->method == CSN_HTTP1_GET ? "GET" : "POST", (int)exchange->path.size,
        exchange->path.bytes, (int)exchange->query.size, exchange->query.bytes,
        (int)exchange->host.size, exchange->host.bytes, exchange->version, exchange->is_tls);
    for (uint32_t i = 0; i < exchange->field_count; i++) {
        const struct csn_http1_field *field = &exchange->fields[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%.*s: %.*s\n", (int)field->name.size,
                               field->name.bytes, (int)field->value.size, field->value.bytes);
    }
    answer_text(exchange, text, at);
}

static void answer_counters(struct csn_exchange *exchange)
{
    char text[1024];
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    int size = snprintf(
        text, sizeof text,
        "accepted %llu\nrefused %llu\ntls_failed %llu\nbad_requests %llu\nslow_closed %llu\n"
        "abuse_closed %llu\ndeadlines %llu\nopen %u\nstreams %u\nbegun %llu\ndone %llu\n"
        "gone %llu\ngone_silent %llu\nconnections_max %u\ncpu_us %llu\n",
        (unsigned long long)counters.connections_accepted,
        (unsigned long long)counters.connections_refused, (unsigned long long)counters.tls_failed,
        (unsigned long long)counters.bad_requests, (unsigned long long)counters.slow_closed,
        (unsigned long long)counters.abuse_closed, (unsigned long long)counters.deadlines,
        counters.connections_open, counters.streams_open, (unsigned long long)begun,
        (unsigned long long)done, (unsigned long long)gone, (unsigned long long)gone_silent,
        csn_front_limits_of(front)->connections_max,
        (unsigned long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
            (unsigned long long)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    answer_text(exchange, text, (size_t)size);
}

static size_t on_begin(void *state, struct csn_exchange *exchange)
{
    (void)state;
    begun++;
    if (is_path(exchange, "/refused")) {
        csn_exchange_problem(exchange, 403, NULL, "No", "not for \"you\"");
        return SIZE_MAX;
    }
    return is_path(exchange, "/tight") ? 1000 : ECHO_MAX;
}

static void on_request(void *state, struct csn_exchange *exchange)
{
    (void)state;
    struct csn_answer_head head = {.status = 200, .content_type = "application/octet-stream"};
    uint64_t number = query_number(exchange);
    if (is_path(exchange, "/echo") || is_path(exchange, "/tight")) {
        csn_exchange_answer(exchange, &head, exchange->body, exchange->body_size);
    } else if (is_path(exchange, "/bytes") && number <= sizeof pattern) {
        csn_exchange_answer(exchange, &head, pattern, (size_t)number);
    } else if (is_path(exchange, "/later")) {
        start_job(exchange, number * 1000000)->waits = true;
    } else if (is_path(exchange, "/stream") || is_path(exchange, "/broken") ||
               is_path(exchange, "/flood")) {
        csn_exchange_begin(exchange, &head);
        struct job *job = start_job(exchange, 0);
        job->breaks = is_path(exchange, "/broken");
        job->floods = is_path(exchange, "/flood");
    } else if (is_path(exchange, "/fields")) {
        answer_fields(exchange);
    } else if (is_path(exchange, "/counters")) {
        answer_counters(exchange);
    } else if (is_path(exchange, "/illegal")) {
        head.more[head.more_count++] =
            (struct csn_http1_field){{"X-Split", 7}, {"a\r\nSet-Cookie: b", 16}};
        csn_exchange_answer(exchange, &head, "x", 1);
    } else if (!is_path(exchange, "/never")) {
        csn_exchange_problem(exchange, 404, NULL, NULL, NULL);
    }
}

static void on_gone(void *state, struct csn_exchange *exchange)
{
    (void)state;
    gone++;
    gone_silent += exchange->status == 0 ? 1 : 0;
    free_job(exchange);
}

static void on_done(void *state, const struct csn_exchange *exchange)
{
    (void)state;
    done++;
    if (exchange->state != NULL || exchange->status < 200) {
        abort(); /* answered, and a job is left */
    }
}

static void on_signal(void *state, uint32_t events)
{
    (void)events;
    struct csn_front_watch *watch = state;
    struct signalfd_siginfo info;
    if (read(watch->fd, &info, sizeof info) != (ssize_t)sizeof info) {
        return;
    }
    if (info.ssi_signo == SIGHUP) {
        struct csn_detail detail;
        csn_err result = csn_front_reload(front, &detail);
        printf("reload %s%s%s\n", csn_err_name(result), result == CSN_OK ? "" : ": ",
               result == CSN_OK ? "" : detail.text);
    } else {
        csn_front_drain(front, UINT64_C(3000000000));
    }
}

static int set_limit(struct csn_front_limits *limits, const char *text)
{
    const struct {
        const char *name;
        void *field;
        size_t size;
    } names[] = {
#define LIMIT(name) {#name, &limits->name, sizeof limits->name}
        LIMIT(connections_max),   LIMIT(connections_client_max),
        LIMIT(requests_max),      LIMIT(streams_max),
        LIMIT(fields_size_max),   LIMIT(continuations_max),
        LIMIT(resets_max),        LIMIT(controls_max),
        LIMIT(interval_ns),       LIMIT(memory_max),
        LIMIT(memory_client_max), LIMIT(output_size_max),
        LIMIT(head_ns),           LIMIT(body_ns),
        LIMIT(request_ns),        LIMIT(idle_ns),
        LIMIT(stall_ns),          LIMIT(linger_ns)};
#undef LIMIT
    const char *value = strchr(text, '=');
    for (size_t i = 0; value != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == (size_t)(value - text) &&
            memcmp(names[i].name, text, (size_t)(value - text)) == 0) {
            uint64_t number = strtoull(value + 1, NULL, 10);
            memcpy(names[i].field, &number, names[i].size); /* little endian */
            return 0;
        }
    }
    fprintf(stderr, "front_server: no such limit: %s\n", text);
    return 2;
}

static const struct csn_service service = {on_begin, on_request, on_gone, on_done};

static int serve(const struct csn_front_options *options, bool has_tls)
{
    struct csn_detail detail;
    csn_err result = csn_front_create(options, &front, &detail);
    if (result != CSN_OK) {
        fprintf(stderr, "front_server: %s: %s\n", csn_err_name(result), detail.text);
        return 1;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    struct csn_front_watch watch = {on_signal, &watch, signalfd(-1, &signals, SFD_CLOEXEC)};
    if (watch.fd < 0 || csn_front_watch(front, &watch, EPOLLIN) != CSN_OK) {
        return 1;
    }
    printf("cleartext %u\n", csn_front_port(front, 0));
    if (has_tls) {
        printf("tls %u\n", csn_front_port(front, 1));
    }
    printf("ready\n");
    csn_front_run(front);
    printf("drained begun %llu done %llu gone %llu open %u streams %u\n", (unsigned long long)begun,
           (unsigned long long)done, (unsigned long long)gone, counters.connections_open,
           counters.streams_open);
    csn_front_destroy(front);
    close(watch.fd);
    return begun == done + gone ? 0 : 1;
}

int main(int count, char **arguments)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no test leaves it behind */
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (char)('a' + i % 26);
    }
    struct csn_front_listener listeners[2] = {
        {.address = "127.0.0.1", .service = &service},
        {.address = "127.0.0.1", .service = &service},
    };
    struct csn_front_options options = {
        .listeners = listeners, .listener_count = 1, .counters = &counters};
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--certificate") == 0 && i + 1 < count) {
            listeners[1].certificate = arguments[++i];
            options.listener_count = 2;
        } else if (strcmp(arguments[i], "--key") == 0 && i + 1 < count) {
            listeners[1].key = arguments[++i];
        } else if (set_limit(&options.limits, arguments[i]) != 0) {
            return 2;
        }
    }
    return serve(&options, options.listener_count == 2);
}
