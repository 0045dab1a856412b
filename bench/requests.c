/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.c: goals 13 and 14: sealed requests of 1 KiB to `caisson serve` over loopback HTTP/2,
 * beside nginx: with a static body of 1 KiB, and as a proxy before a plain echo server.
 *
 * The client is h2load, with the same settings for all sides; slices of the sides alternate, a
 * second or less each. Everything runs on two CPUs: client, gateway or nginx, enclave or echo
 * server. All answers of a slice must be 2xx and of the size of one that opens; before the first
 * slice and after each round the very body that h2load repeats is sent once more, and its answer
 * opened and compared.
 *
 * Sealed requests need no TLS to be secret, nginx in front of a plain server does: goal 14 has our
 * side in both ways.
 */
#define _GNU_SOURCE
#include "gateway_rig.h"
#include "measure.h"
#include "web_peers.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT       8000u /* requests of a slice */
#define COUNT_FRESH 2000u
#define SLICE_NS    UINT64_C(80000000)

enum side {
    STATIC_CLEAR, /* h2c */
    WARM_CLEAR,
    FRESH_CLEAR,
    PROXY_CLEAR,
    STATIC_TLS,
    WARM_TLS,
    PROXY_TLS,
    SIDE_COUNT,
};

struct sides {
    struct web_load loads[SIDE_COUNT];
    double ns[SIDE_COUNT][BENCH_PAIR_MAX];
    bool real_time;
};

/* Client, servers and enclave share two CPUs, also where there are more. */
static void take_two_cpus(void)
{
    cpu_set_t all;
    cpu_set_t two;
    int found = 0;
    CPU_ZERO(&two);
    bench_require(sched_getaffinity(0, sizeof all, &all) == 0, "no affinity");
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
        if (CPU_ISSET((size_t)cpu, &all)) {
            CPU_SET((size_t)cpu, &two);
            found++;
        }
    }
    bench_require(found == 2 && sched_setaffinity(0, sizeof two, &two) == 0, "needs two CPUs");
}

static struct web_load load_of(const char *name, struct web_request request, uint16_t tls_port,
                               size_t answer_size)
{
    struct web_load load = {.name = name,
                            .request = request,
                            .is_tls = tls_port != 0,
                            .count = (uint32_t)bench_scaled(COUNT),
                            .answer_size = answer_size};
    load.request.port = tls_port != 0 ? tls_port : request.port;
    return load;
}

static void prepare(struct sides *sides, const struct gateway_rig *rig,
                    const struct web_peers *peers)
{
    const struct web_request plain = {.port = peers->clear, .path = WEB_PEERS_STATIC};
    const struct web_request proxied = {.port = peers->clear,
                                        .path = WEB_PEERS_ECHO,
                                        .body = rig->asked.content,
                                        .size = rig->asked.size};
    const struct web_request warm = gateway_rig_warm(rig);
    const struct web_request fresh = gateway_rig_fresh(rig);
    const size_t size = WEB_PEERS_BODY_SIZE;
    sides->loads[STATIC_CLEAR] = load_of("static", plain, 0, size);
    sides->loads[WARM_CLEAR] = load_of("warm", warm, 0, rig->warm.answer_size);
    sides->loads[FRESH_CLEAR] = load_of("fresh", fresh, 0, rig->fresh.answer_size);
    sides->loads[FRESH_CLEAR].count = (uint32_t)bench_scaled(COUNT_FRESH);
    sides->loads[PROXY_CLEAR] = load_of("proxy", proxied, 0, size);
    sides->loads[STATIC_TLS] = load_of("static-tls", plain, peers->tls, size);
    sides->loads[WARM_TLS] = load_of("warm-tls", warm, rig->tls, rig->warm.answer_size);
    sides->loads[PROXY_TLS] = load_of("proxy-tls", proxied, peers->tls, size);
}

static void report(const struct sides *sides, size_t count, const char *backend)
{
    static struct bench_samples samples;
    char what[64];
    static const struct {
        unsigned goal;
        const char *what;
        const char *other;
        double target;
        enum side sides[2];
    } rows[] = {
        {13, "1 KiB request, warm, h2c", "nginx h2c, static", 0.6, {WARM_CLEAR, STATIC_CLEAR}},
        {13, "1 KiB request, warm, TLS", "nginx TLS, static", 0.6, {WARM_TLS, STATIC_TLS}},
        {14, "1 KiB request, warm, h2c", "nginx TLS to plain echo", 3, {WARM_CLEAR, PROXY_TLS}},
        {14, "1 KiB request, warm, TLS", "nginx TLS to plain echo", 3, {WARM_TLS, PROXY_TLS}},
        {0, "1 KiB request, warm, h2c", "nginx h2c to plain echo", 0, {WARM_CLEAR, PROXY_CLEAR}},
        {0, "1 KiB request, fresh, h2c", "nginx h2c, static", 0, {FRESH_CLEAR, STATIC_CLEAR}},
        {0, "1 KiB request, fresh, h2c", "nginx TLS to plain echo", 0, {FRESH_CLEAR, PROXY_TLS}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bench_row row = {rows[i].goal,  what,         "caisson serve",
                                      rows[i].other, BENCH_FASTER, rows[i].target};
        snprintf(what, sizeof what, "%s, %s", rows[i].what, backend);
        samples = (struct bench_samples){.count = count, .real_time = sides->real_time};
        memcpy(samples.ours, sides->ns[rows[i].sides[0]], sizeof samples.ours);
        memcpy(samples.other, sides->ns[rows[i].sides[1]], sizeof samples.other);
        bench_report(&row, &samples);
    }
}

static void run(struct gateway_rig *rig, const struct web_peers *peers, const char *backend)
{
    static struct sides sides;
    size_t count = bench_pairs(SLICE_NS);
    prepare(&sides, rig, peers);
    for (size_t i = 0; i < count + 1; i++) { /* the first one warms up, and does not count */
        for (size_t side = 0; side < SIDE_COUNT; side++) {
            sides.real_time = bench_real_time(true);
            sides.ns[side][i == 0 ? 0 : i - 1] = web_load(&sides.loads[side]);
            bench_real_time(false);
        }
        gateway_rig_check(rig);
    }
    report(&sides, count, backend);
}

static const char help[] =
    "usage: requests [--json] [--seconds N]\n\n"
    "Goals 13 and 14: sealed requests of 1 KiB over HTTP/2 on loopback, by h2load, beside nginx\n"
    "with a static body and nginx as a proxy; all of it on two CPUs.\n\n";

static void run_backend(const struct web_peers *peers, const char *backend)
{
    static const uint8_t content[WEB_PEERS_BODY_SIZE] = {'c', 'a', 'i', 's', 's', 'o', 'n'};
    static struct sealed_image image;
    static struct sealed_tenant tenant;
    static struct gateway_rig rig;
    const struct asked asked = {content, sizeof content};
    sealed_image_find(&image, "echo");
    sealed_tenant_new(&tenant, &image, true);
    bench_real_time(true); /* what it starts inherits it */
    gateway_rig_start(&rig, &image, &tenant, backend, &asked);
    bench_real_time(false);
    run(&rig, peers, backend);
    gateway_rig_stop(&rig);
    sealed_tenant_free(&tenant);
    sealed_image_free(&image);
}

int main(int argc, char **argv)
{
    static struct web_peers peers;
    bench_begin(argc, argv, help);
    const char *lack = web_can_load() ? web_peers_lack() : "h2load (nghttp2-client)";
    if (lack != NULL) {
        fprintf(stderr, "requests: no %s: its rows are left out\n", lack);
        return 0;
    }
    take_two_cpus();
    web_peers_certificate();
    bench_real_time(true);
    web_peers_start(&peers);
    bench_real_time(false);
    run_backend(&peers, "process");
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        run_backend(&peers, "kvm");
    } else {
        fprintf(stderr, "requests: no /dev/kvm: its rows are left out\n");
    }
    return 0;
}
