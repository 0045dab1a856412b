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
 */
#define _GNU_SOURCE
#include "cli/bench.h"
#include "gateway_rig.h"
#include "measure.h"
#include "web_peers.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT    8000u /* requests of a slice */
#define SLICE_NS  UINT64_C(80000000)
#define SECOND_NS UINT64_C(1000000000)

enum side {
    STATIC_CLEAR, /* h2c: nginx's static body, our warm and fresh requests, nginx as a proxy */
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
    sides->loads[PROXY_CLEAR] = load_of("proxy", proxied, 0, size);
    sides->loads[STATIC_TLS] = load_of("static-tls", plain, peers->tls, size);
    sides->loads[WARM_TLS] = load_of("warm-tls", warm, rig->tls, rig->warm.answer_size);
    sides->loads[PROXY_TLS] = load_of("proxy-tls", proxied, peers->tls, size);
}

static void report(const struct sides *sides, size_t count)
{
    static struct bench_samples samples;
    static const struct {
        struct bench_row row;
        enum side ours;
        enum side other;
    } rows[] = {
        {{13, "1 KiB requests, warm, h2c", "caisson serve", "nginx, static 1 KiB", BENCH_FASTER,
          0.6},
         WARM_CLEAR,
         STATIC_CLEAR},
        {{13, "1 KiB requests, warm, TLS", "caisson serve", "nginx, static 1 KiB", BENCH_FASTER,
          0.6},
         WARM_TLS,
         STATIC_TLS},
        {{13, "1 KiB requests, fresh key, h2c", "caisson serve", "nginx, static 1 KiB",
          BENCH_FASTER, 0},
         FRESH_CLEAR,
         STATIC_CLEAR},
        {{14, "1 KiB requests, warm, TLS", "caisson serve", "nginx, TLS, to a plain echo",
          BENCH_FASTER, 3},
         WARM_TLS,
         PROXY_TLS},
        {{14, "1 KiB requests, warm, h2c", "caisson serve", "nginx, h2c, to a plain echo",
          BENCH_FASTER, 0},
         WARM_CLEAR,
         PROXY_CLEAR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        samples = (struct bench_samples){.count = count, .real_time = sides->real_time};
        memcpy(samples.ours, sides->ns[rows[i].ours], sizeof samples.ours);
        memcpy(samples.other, sides->ns[rows[i].other], sizeof samples.other);
        bench_report(&rows[i].row, &samples);
    }
}

static void run(struct gateway_rig *rig, const struct web_peers *peers)
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
    report(&sides, count);
}

static const char help[] =
    "usage: requests [--json] [--seconds N]\n\n"
    "Goals 13 and 14: sealed requests of 1 KiB over HTTP/2 on loopback, by h2load, beside nginx\n"
    "with a static body and nginx as a proxy; all of it on two CPUs.\n\n";

int main(int argc, char **argv)
{
    static const uint8_t content[WEB_PEERS_BODY_SIZE] = {'c', 'a', 'i', 's', 's', 'o', 'n'};
    static struct sealed_image image;
    static struct sealed_tenant tenant;
    static struct gateway_rig rig;
    static struct web_peers peers;
    const struct asked asked = {content, sizeof content};
    bench_begin(argc, argv, help);
    const char *lack = web_can_load() ? web_peers_lack() : "h2load (nghttp2-client)";
    if (lack != NULL) {
        fprintf(stderr, "requests: no %s: its rows are left out\n", lack);
        return 0;
    }
    take_two_cpus();
    bench_real_time(true); /* what it starts inherits it */
    sealed_image_find(&image, "echo");
    sealed_tenant_new(&tenant, &image, true);
    web_peers_certificate();
    web_peers_start(&peers);
    gateway_rig_start(&rig, &image, &tenant, "process", &asked);
    bench_real_time(false);
    run(&rig, &peers);
    gateway_rig_stop(&rig);
    sealed_tenant_free(&tenant);
    sealed_image_free(&image);
    return 0;
}
