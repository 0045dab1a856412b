/* SPDX-License-Identifier: Apache-2.0 */
/* test_parts.c: the small parts of the gateway: routes, rates, counters, traces, the access log. */
#include "gateway/access_log.h"
#include "gateway/counters.h"
#include "gateway/notify.h"
#include "gateway/route.h"
#include "gateway/tenants.h"
#include "gateway/traceparent.h"
#include "gateway/visit.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_PER_S UINT64_C(1000000000)

static struct csn_http1_text text(const char *string)
{
    return (struct csn_http1_text){string, strlen(string)};
}

/* ---- routes ---- */

static void test_routes(void **state)
{
    static const struct {
        const char *path;
        enum csn_route_kind kind;
        const char *service, *label;
    } rows[] = {
        {"/gateway", CSN_ROUTE_GATEWAY, "", ""},
        {"/gateway/echo", CSN_ROUTE_GATEWAY, "echo", ""},
        {"/gateway/echo/bank-1.x_y", CSN_ROUTE_GATEWAY, "echo", "bank-1.x_y"},
        {"/records", CSN_ROUTE_RECORDS, "", ""},
        {"/records/a/b", CSN_ROUTE_RECORDS, "a", "b"},
        {"/.well-known/ohttp-gateway", CSN_ROUTE_GATEWAY, "", ""},
        {"/.well-known/caisson/evidence", CSN_ROUTE_EVIDENCE, "", ""},
        {"/", CSN_ROUTE_NONE, "", ""},
        {"/gateway/", CSN_ROUTE_NONE, "", ""},
        {"/gateways", CSN_ROUTE_NONE, "", ""},
        {"/gatewayxecho", CSN_ROUTE_NONE, "", ""},
        {"/gateway/echo/", CSN_ROUTE_NONE, "", ""},
        {"/gateway/echo/bank/more", CSN_ROUTE_NONE, "", ""},
        {"/gateway//bank", CSN_ROUTE_NONE, "", ""},
        {"/gateway/Echo", CSN_ROUTE_NONE, "", ""},
        {"/gateway/../records", CSN_ROUTE_NONE, "", ""},
        {"/gateway/%65cho", CSN_ROUTE_NONE, "", ""},
        {"/.well-known/ohttp-gateway/x", CSN_ROUTE_NONE, "", ""},
        {"/.well-known/caisson/evidence/", CSN_ROUTE_NONE, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct csn_http1_text path = text(rows[i].path);
        const struct csn_route route = csn_route_read(&path);
        if (route.kind != rows[i].kind || route.service.size != strlen(rows[i].service) ||
            memcmp(route.service.bytes != NULL ? route.service.bytes : "", rows[i].service,
                   route.service.size) != 0 ||
            route.label.size != strlen(rows[i].label) ||
            memcmp(route.label.bytes != NULL ? route.label.bytes : "", rows[i].label,
                   route.label.size) != 0) {
            fail_msg("%s", rows[i].path);
        }
    }
}

static void test_queries(void **state)
{
    static const struct {
        const char *query, *key, *value; /* NULL: none */
    } rows[] = {
        {"nonce=ab", "nonce", "ab"},   {"a=1&nonce=ab&b=2", "nonce", "ab"},
        {"a=1&nonce=ab", "a", "1"},    {"nonce=", "nonce", ""},
        {"nonce", "nonce", NULL},      {"nonces=ab", "nonce", NULL},
        {"xnonce=ab", "nonce", NULL},  {"nonce=a&nonce=b", "nonce", NULL},
        {"", "nonce", NULL},           {"&&nonce=ab&", "nonce", "ab"},
        {"nonce=a=b", "nonce", "a=b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct csn_http1_text query = text(rows[i].query);
        const struct csn_http1_text value = csn_route_query(&query, rows[i].key);
        const char *wanted = rows[i].value;
        if ((value.bytes == NULL) != (wanted == NULL) ||
            (wanted != NULL &&
             (value.size != strlen(wanted) || memcmp(value.bytes, wanted, value.size) != 0))) {
            fail_msg("%s: %.*s", rows[i].query, (int)value.size, value.bytes);
        }
    }
}

/* ---- rates and quotas ---- */

static struct csn_config *config_of(const char *tenants)
{
    char all[1024];
    struct csn_config *config = NULL;
    struct csn_detail detail = {""};
    int size = snprintf(all, sizeof all,
                        "{\"listeners\":[{\"port\":1}],\"services\":[{\"name\":\"s\",\"image\":"
                        "\"i\",\"signature\":\"s\",\"control\":\"c\"}],%s}",
                        tenants);
    assert_int_equal(csn_config_read(all, (size_t)size, "", &config, &detail), CSN_OK);
    return config;
}

static void test_rates(void **state)
{
    struct csn_tenants tenants = {0};
    struct csn_when when = {.now_ns = 5 * NS_PER_S, .now_s = 86400 * 100 + 86000};
    uint32_t retry = 0;
    (void)state;
    struct csn_config *config = config_of("\"tenants\":[{\"label\":\"slow\",\"rate\":0.5,\"burst\":"
                                          "3},{\"label\":\"few\",\"quota\":2},"
                                          "{\"label\":\"free\"}]");
    assert_int_equal(csn_tenants_set(&tenants, config), CSN_OK);
    assert_int_equal(csn_tenants_find(&tenants, "few", 3), 1);
    assert_int_equal(csn_tenants_find(&tenants, "fe", 2), UINT32_MAX);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_ALLOWED);
    }
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_OVER_RATE);
    assert_int_equal(retry, 3);
    when.now_ns += 19 * NS_PER_S / 10;
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_OVER_RATE);
    assert_int_equal(retry, 1);
    when.now_ns += 2 * NS_PER_S / 10;
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_ALLOWED);
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_OVER_RATE);
    when.now_ns += 1000 * NS_PER_S; /* no more than the burst is saved up */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_ALLOWED);
    }
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_OVER_RATE);
    assert_int_equal(csn_tenants_take(&tenants, 1, &when, &retry), CSN_ALLOWED);
    assert_int_equal(csn_tenants_take(&tenants, 1, &when, &retry), CSN_ALLOWED);
    assert_int_equal(csn_tenants_take(&tenants, 1, &when, &retry), CSN_OVER_QUOTA);
    assert_int_equal(retry, 400);
    when.now_s += 400;
    assert_int_equal(csn_tenants_take(&tenants, 1, &when, &retry), CSN_ALLOWED);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(csn_tenants_take(&tenants, 2, &when, &retry), CSN_ALLOWED);
    }
    assert_int_equal(tenants.tenants[0].requests, 11);
    assert_int_equal(tenants.tenants[0].refused_rate, 4);
    assert_int_equal(tenants.tenants[1].refused_quota, 1);
    csn_config_free(config);
    csn_tenants_free(&tenants);
}

/* Who is in the new configuration keeps what it used, wherever it stands there. */
static void test_reload(void **state)
{
    struct csn_tenants tenants = {0};
    struct csn_when when = {.now_ns = NS_PER_S, .now_s = 1};
    uint32_t retry = 0;
    (void)state;
    struct csn_config *config =
        config_of("\"tenants\":[{\"label\":\"a\"},{\"label\":\"b\",\"quota\":1}]");
    assert_int_equal(csn_tenants_set(&tenants, config), CSN_OK);
    assert_int_equal(csn_tenants_take(&tenants, 1, &when, &retry), CSN_ALLOWED);
    csn_config_free(config);
    config = config_of("\"tenants\":[{\"label\":\"b\",\"quota\":2},{\"label\":\"c\"}]");
    assert_int_equal(csn_tenants_set(&tenants, config), CSN_OK);
    csn_config_free(config);
    assert_int_equal(csn_tenants_find(&tenants, "a", 1), UINT32_MAX);
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_ALLOWED);
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_OVER_QUOTA);
    assert_int_equal(tenants.tenants[1].requests, 0);
    for (int i = 0; i < 1000; i++) { /* what went without a rate is no debt to one */
        assert_int_equal(csn_tenants_take(&tenants, 1, &when, &retry), CSN_ALLOWED);
    }
    config = config_of("\"tenants\":[{\"label\":\"c\",\"rate\":1}]");
    assert_int_equal(csn_tenants_set(&tenants, config), CSN_OK);
    csn_config_free(config);
    when.now_ns += NS_PER_S;
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_ALLOWED);
    assert_int_equal(csn_tenants_take(&tenants, 0, &when, &retry), CSN_OVER_RATE);
    csn_tenants_free(&tenants);
}

/* Each address has its own bucket; ten thousand others cost nothing but the oldest ones' memory. */
static void test_clients(void **state)
{
    struct csn_tenants tenants = {0};
    struct csn_when when = {.now_ns = NS_PER_S, .now_s = 1};
    uint32_t retry = 0;
    char address[46];
    (void)state;
    struct csn_config *config = config_of("\"unlabelled\":{\"rate\":0.001,\"burst\":2}");
    assert_int_equal(csn_tenants_set(&tenants, config), CSN_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(csn_tenants_take_client(&tenants, "::1", &when, &retry), CSN_ALLOWED);
    }
    assert_int_equal(csn_tenants_take_client(&tenants, "::1", &when, &retry), CSN_OVER_RATE);
    for (int i = 0; i < 10000; i++) {
        snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256);
        when.now_ns++;
        assert_int_equal(csn_tenants_take_client(&tenants, address, &when, &retry), CSN_ALLOWED);
        assert_int_equal(csn_tenants_take_client(&tenants, "::1", &when, &retry), CSN_OVER_RATE);
    }
    const char *const same[] = {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"};
    for (int i = 0; i < 2; i++) { /* one network, one client */
        assert_int_equal(csn_tenants_take_client(&tenants, same[i], &when, &retry), CSN_ALLOWED);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(csn_tenants_take_client(&tenants, same[i], &when, &retry), CSN_OVER_RATE);
    }
    assert_int_equal(csn_tenants_take_client(&tenants, "2001:db8:1:3::1", &when, &retry),
                     CSN_ALLOWED);
    csn_config_free(config);
    csn_tenants_free(&tenants);
}

/* ---- counters ---- */

static void test_counters(void **state)
{
    static struct csn_counters counters;
    static struct csn_view view;
    (void)state;
    for (int i = 0; i < 98; i++) {
        csn_counters_add(&counters, CSN_VIEW_ROUTE_OHTTP, 200, 90000);
    }
    csn_counters_add(&counters, CSN_VIEW_ROUTE_OHTTP, 503, 20 * NS_PER_S);
    csn_counters_add(&counters, CSN_VIEW_ROUTE_OHTTP, 0, 40000000);
    csn_counters_add(&counters, CSN_VIEW_ROUTE_KEYS, 404, 100000);
    csn_counters_point(&counters);
    csn_counters_view(&counters, &view);
    const struct csn_view_requests *ohttp = &view.requests[CSN_VIEW_ROUTE_OHTTP];
    assert_int_equal(ohttp->by_status[2], 98);
    assert_int_equal(ohttp->by_status[5], 1);
    assert_int_equal(ohttp->by_status[0], 1);
    assert_int_equal(ohttp->buckets[0], 98);
    assert_int_equal(ohttp->buckets[8], 1); /* up to 50 ms */
    assert_int_equal(ohttp->buckets[CSN_VIEW_BUCKETS - 1], 1);
    assert_int_equal(view.requests[CSN_VIEW_ROUTE_KEYS].by_status[4], 1);
    assert_int_equal(view.requests[CSN_VIEW_ROUTE_KEYS].buckets[0], 1); /* bounds are within */
    assert_int_equal(view.point_count, 1);
    assert_true(view.requests_per_s[0] == 101.0F / CSN_VIEW_POINT_S);
    assert_true(view.errors_per_s[0] == 1.0F / CSN_VIEW_POINT_S);
    assert_true(view.latency_p99_ms[0] >= 40 && view.latency_p99_ms[0] < 46);
    for (uint32_t i = 0; i < CSN_VIEW_POINTS + 3; i++) {
        for (uint32_t k = 0; k < i; k++) {
            csn_counters_add(&counters, CSN_VIEW_ROUTE_KEYS, 200, 1);
        }
        csn_counters_point(&counters);
    }
    csn_counters_view(&counters, &view);
    assert_int_equal(view.point_count, CSN_VIEW_POINTS);
    for (uint32_t i = 0; i < CSN_VIEW_POINTS; i++) {
        assert_true(view.requests_per_s[i] == (float)(i + 3) / CSN_VIEW_POINT_S);
    }
}

/* ---- traces ---- */

static void test_traceparent(void **state)
{
    static const char good[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    (void)state;
    assert_true(csn_traceparent_is(good, sizeof good - 1));
    for (size_t i = 0; i < sizeof good - 1; i++) {
        char bad[sizeof good];
        memcpy(bad, good, sizeof good);
        bad[i] = good[i] == '-' ? '0' : 'G';
        assert_false(csn_traceparent_is(bad, sizeof good - 1));
        bad[i] = '"';
        assert_false(csn_traceparent_is(bad, sizeof good - 1));
        assert_false(csn_traceparent_is(good, i));
    }
    static const char *const bad[] = {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                      "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(csn_traceparent_is(bad[i], strlen(bad[i])));
    }
}

/* ---- the access log ---- */

static void test_access_log(void **state)
{
    static struct csn_access_log log = {.fd = -1};
    struct csn_detail detail = {""};
    char path[] = "access-XXXXXX";
    char bytes[2048];
    (void)state;
    static const struct csn_access access = {.now_s = 86400,
                                             .now_ms = 7,
                                             .method = "POST",
                                             .route = "ohttp",
                                             .service = "echo",
                                             .tenant = "bank",
                                             .client = "192.0.2.1",
                                             .trace = "4bf92f3577b34da6a3ce929d0e0e4736-00f0",
                                             .status = 200,
                                             .version = 2,
                                             .is_tls = true,
                                             .duration_ns = 1234567,
                                             .size_in = 1025,
                                             .size_out = 1};
    static const char first[] =
        "{\"time\":\"1970-01-02T00:00:00.007Z\",\"method\":\"POST\",\"route\":\"ohttp\","
        "\"status\":200,\"ms\":1.235,\"http\":2,\"tls\":true,\"in\":2048,\"out\":256,"
        "\"service\":\"echo\",\"tenant\":\"bank\",\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}"
        "\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(csn_access_log_open(&log, path, false, &detail), CSN_OK);
    csn_access_log_add(&log, &access);
    csn_access_log_flush(&log);
    log.with_clients = true;
    csn_access_log_add(&log, &access);
    csn_access_log_close(&log);
    ssize_t size = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    unlink(path);
    assert_true(size > (ssize_t)sizeof first);
    bytes[size] = 0;
    assert_memory_equal(bytes, first, sizeof first - 1);
    assert_non_null(strstr(bytes + sizeof first, ",\"client\":\"192.0.2.1\"}\n"));
    assert_int_equal(csn_access_log_open(&log, "no/such/folder", false, &detail), CSN_ERR_SYSTEM);
    assert_int_equal(csn_access_size_class(0), 0);
    assert_int_equal(csn_access_size_class(256), 256);
    assert_int_equal(csn_access_size_class(257), 512);
    assert_int_equal(csn_access_size_class(UINT64_MAX), UINT64_C(1) << 62);
}

/* Lines of a log, all of them whole. */
static uint64_t count_whole(int fd)
{
    static char bytes[1u << 20];
    size_t used = 0;
    ssize_t got;
    while ((got = read(fd, bytes + used, sizeof bytes - 1 - used)) > 0) {
        used += (size_t)got;
    }
    bytes[used] = 0;
    uint64_t count = 0;
    for (char *at = bytes; *at != 0; count++) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_memory_equal(at, "{\"time\":", 8);
        assert_int_equal(end[-1], '}');
        at = end + 1;
    }
    return count;
}

/* Nobody reads the pipe: lines are lost and counted, none is torn, and nothing waits. */
static void test_access_log_pipe(void **state)
{
    static struct csn_access_log log;
    static const struct csn_access access = {.method = "GET", .route = "keys", .service = "echo"};
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    log = (struct csn_access_log){.fd = ends[1]};
    alarm(20);
    for (int i = 0; i < 3000; i++) {
        csn_access_log_add(&log, &access);
        if (i % 70 == 0) {
            csn_access_log_flush(&log);
        }
    }
    csn_access_log_flush(&log);
    alarm(0);
    assert_true(log.dropped != 0);
    close(ends[1]);
    assert_int_equal(count_whole(ends[0]) + log.dropped, 3000);
    close(ends[0]);
}

/* A file that is full for a while has one line that broke off, and whole ones behind it. */
static void test_access_log_full(void **state)
{
    static struct csn_access_log log;
    static const struct csn_access access = {.method = "GET", .route = "keys", .service = "echo"};
    struct rlimit before;
    char path[] = "access-XXXXXX";
    char first[512];
    struct csn_detail detail = {""};
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(csn_access_log_open(&log, path, false, &detail), CSN_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {.rlim_cur = 50, .rlim_max = before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    csn_access_log_add(&log, &access);
    csn_access_log_add(&log, &access);
    csn_access_log_flush(&log);
    csn_access_log_add(&log, &access);
    csn_access_log_flush(&log);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(log.dropped, 3);
    csn_access_log_add(&log, &access);
    csn_access_log_add(&log, &access);
    csn_access_log_close(&log);
    assert_int_equal(read(fd, first, 51), 51);
    assert_int_equal(first[50], '\n');
    assert_int_equal(count_whole(fd), 2);
    close(fd);
    unlink(path);
}

/* ---- what is bounded, whoever asks ---- */

static void count_answer(struct csn_unit_nonce *nonce)
{
    ++*(int *)nonce->state;
}

/* Whoever asks for evidence and leaves is still owed a signature: no more than so many are. */
static void test_nonces(void **state)
{
    static struct csn_unit unit = {.state = CSN_UNIT_CURRENT};
    static struct csn_unit_nonce nonces[5];
    int answered = 0;
    (void)state;
    pthread_mutex_init(&unit.lock, NULL);
    pthread_cond_init(&unit.changed, NULL);
    for (int i = 0; i < 5; i++) {
        nonces[i].done = count_answer;
        nonces[i].state = &answered;
    }
    for (int i = 0; i < 3; i++) {
        assert_true(csn_unit_ask_evidence(&unit, &nonces[i], 3));
    }
    assert_false(csn_unit_ask_evidence(&unit, &nonces[3], 3));
    assert_true(csn_unit_ask_evidence(&unit, &nonces[3], UINT32_MAX));
    unit.answered = unit.asked; /* as the unit's thread would */
    unit.asked.first = NULL;
    assert_false(csn_unit_take(&unit, 0));
    assert_int_equal(answered, 4);
    for (int i = 0; i < 3; i++) {
        assert_true(csn_unit_ask_evidence(&unit, &nonces[i], 3));
    }
    assert_false(csn_unit_ask_evidence(&unit, &nonces[3], 3));
}

/* Outputs that wait for the rest of their list are on an account, whose bytes come back. */
static void test_gathered(void **state)
{
    static uint8_t output[40000];
    struct csn_gateway *gateway = calloc(1, sizeof *gateway);
    struct csn_visit one = {.gateway = gateway};
    struct csn_visit other = {.gateway = gateway};
    (void)state;
    gateway->gathered.max = 200000;
    assert_true(csn_visit_gather(&one, output, sizeof output));
    assert_true(csn_visit_gather(&other, output, sizeof output));
    assert_true(csn_visit_gather(&one, output, 30000));
    assert_false(csn_visit_gather(&one, output, sizeof output));
    assert_int_equal(one.answers_size, 70008);
    csn_visit_give_room(&one);
    assert_true(csn_visit_gather(&other, output, sizeof output));
    csn_visit_give_room(&other);
    assert_int_equal(gateway->gathered.used, 0);
    for (int i = 0; i < 100; i++) { /* the room that goes round counts while it is in use */
        assert_true(csn_visit_gather(&one, output, 1000));
        assert_true(csn_visit_gather(&other, output, 1000));
        assert_true(gateway->gathered.used >= 2 * 1004);
        csn_visit_give_room(&one);
        csn_visit_give_room(&other);
        assert_int_equal(gateway->gathered.used, 0);
    }
    free(gateway->spare_answers);
    free(gateway);
}

/* ---- notify ---- */

static void test_notify(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct csn_notify notify;
    char got[256];
    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "notify-%d", getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    char *folder = getcwd(NULL, 0);
    char path[sizeof address.sun_path];
    int size = snprintf(path, sizeof path, "%s/%s", folder, address.sun_path);
    free(folder);
    assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
    if (size < (int)sizeof path) { /* a deep build folder has no room in a socket's address */
        setenv("NOTIFY_SOCKET", path, 1);
        csn_notify_init(&notify);
        assert_int_equal(notify.watchdog_ns, 3 * NS_PER_S);
        assert_null(getenv("NOTIFY_SOCKET"));
        csn_notify_tell(&notify, "READY=1\nSTATUS=serving");
        ssize_t count = recv(fd, got, sizeof got - 1, 0);
        assert_true(count > 0);
        got[count] = 0;
        assert_string_equal(got, "READY=1\nSTATUS=serving");
        csn_notify_reloading(&notify);
        count = recv(fd, got, sizeof got - 1, 0);
        assert_true(count > 30);
        assert_memory_equal(got, "RELOADING=1\nMONOTONIC_USEC=", 27);
        csn_notify_end(&notify);
    }
    close(fd);
    unlink(address.sun_path);
    setenv("NOTIFY_SOCKET", "relative", 1);
    setenv("WATCHDOG_USEC", "3000000", 1);
    csn_notify_init(&notify);
    assert_int_equal(notify.fd, -1);
    assert_int_equal(notify.watchdog_ns, 0);
    csn_notify_tell(&notify, "READY=1"); /* nobody listens: nothing happens */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),          cmocka_unit_test(test_queries),
        cmocka_unit_test(test_rates),           cmocka_unit_test(test_reload),
        cmocka_unit_test(test_clients),         cmocka_unit_test(test_counters),
        cmocka_unit_test(test_traceparent),     cmocka_unit_test(test_access_log),
        cmocka_unit_test(test_access_log_pipe), cmocka_unit_test(test_access_log_full),
        cmocka_unit_test(test_nonces),          cmocka_unit_test(test_gathered),
        cmocka_unit_test(test_notify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
