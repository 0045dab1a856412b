/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo_rows.c: goal 1: one sealed record there and back, against what a call without crypto costs:
 * two lines between two cores, an exit of a virtual machine, a socket.
 */
#include "echo_rows.h"
#include "bare_kvm.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PAYLOAD     64u
#define ECHO_WINDOW 16u
#define EXIT_SLOW   5000.0 /* ns: a nested exit; on bare metal about 1,000 */
#define EXIT_TRIES  64u

const struct bench_way *bench_echo_peer;
const char *bench_echo_peer_name;

/* ---- ways ---- */

static uint64_t step_echo(void *state)
{
    static const uint8_t payload[PAYLOAD] = {1, 2, 3};
    sealed_echo(state, payload, sizeof payload);
    return 1;
}

static uint64_t step_exit(void *state)
{
    bare_kvm_exit(state);
    return 1;
}

static void serve_socket(void *state, const atomic_bool *stop)
{
    const int *ends = state;
    uint8_t message[PAYLOAD];
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        ssize_t size = recv(ends[1], message, sizeof message, 0);
        if (size > 0 && send(ends[1], message, (size_t)size, 0) != size) {
            return;
        }
    }
}

static uint64_t step_socket(void *state)
{
    const int *ends = state;
    uint8_t message[PAYLOAD] = {1};
    return send(ends[0], message, sizeof message, 0) == sizeof message &&
           recv(ends[0], message, sizeof message, 0) == sizeof message;
}

static void make_socket(int ends[2])
{
    const struct timeval timeout = {.tv_usec = 1000}; /* so that the far side sees the end */
    bench_require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 &&
                      setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0,
                  "no socket pair");
}

static double exit_ns(struct bare_kvm *machine)
{
    double times[EXIT_TRIES];
    for (size_t i = 0; i < EXIT_TRIES; i++) {
        uint64_t begin = bench_wall_ns();
        bare_kvm_exit(machine);
        times[i] = (double)(bench_wall_ns() - begin);
    }
    bench_sort(times, EXIT_TRIES);
    return bench_at(times, EXIT_TRIES, 500);
}

/* ---- rows ---- */

struct others {
    struct bare_kvm machine;
    bool has_kvm;
    int ends[2];
};

static void row(const char *what, const struct bench_way *echo, const struct bench_way *other,
                const char *name, enum bench_kind kind, double target)
{
    const struct bench_row row = {.goal = target > 0 ? 1 : 0,
                                  .what = what,
                                  .ours = "one record under way",
                                  .other = name,
                                  .kind = kind,
                                  .target = target};
    bench_cores_pair(&row, echo, other);
}

static void measure(struct others *others, const struct sealed_image *image, const char *backend,
                    bool replies, struct bench_histogram *histogram)
{
    struct sealed_tenant tenant;
    struct sealed sealed;
    char text[3][64];
    const char *to = replies ? "reply" : "output";
    snprintf(text[0], sizeof text[0], "sealed echo, full, %s, %s", to, backend);
    snprintf(text[1], sizeof text[1], "sealed echo, short, %s, %s", to, backend);
    sealed_tenant_new(&tenant, image, replies);
    bench_cores_far(true);
    sealed_start(&sealed, image, &tenant, backend);
    bench_cores_far(false);
    const struct bench_way echo = {NULL, step_echo, &sealed, ECHO_WINDOW};
    const struct bench_way call = {NULL, step_exit, &others->machine, 1};
    const struct bench_way socket = {serve_socket, step_socket, others->ends, 1};
    row(text[0], &echo, bench_cores_bare(), "bare ping-pong", BENCH_COST, 0);
    sealed_short(&sealed);
    row(text[1], &echo, bench_cores_bare(), "bare ping-pong", BENCH_COST, replies ? 6 : 0);
    if (replies) { /* the short form both ways; what goes to a consumer is in the full one */
        if (others->has_kvm && strcmp(backend, "kvm") == 0) {
            row(text[1], &echo, &call, "call by VM exit", BENCH_FASTER,
                exit_ns(&others->machine) >= EXIT_SLOW ? 15 : 3);
        }
        row(text[1], &echo, &socket, "AF_UNIX echo", BENCH_FASTER, 40);
        if (bench_echo_peer != NULL) {
            row(text[1], &echo, bench_echo_peer, bench_echo_peer_name, BENCH_FASTER, 0);
        }
        bench_cores_spread(&echo, false, histogram);
        bench_histogram_print(histogram, text[1], bench_json());
    }
    sealed_stop(&sealed);
    sealed_tenant_free(&tenant);
}

void bench_echo_rows(const struct sealed_image *image, const char *backend)
{
    static struct bench_histogram histograms[2];
    const struct bench_series series[2] = {{"sealed echo", &histograms[0]},
                                           {"bare ping-pong", &histograms[1]}};
    struct others others = {.has_kvm = false};
    char title[64];
    make_socket(others.ends);
    others.has_kvm = strcmp(backend, "kvm") == 0 && bare_kvm_start(&others.machine);
    measure(&others, image, backend, false, NULL);
    measure(&others, image, backend, true, &histograms[0]);
    bench_cores_spread(bench_cores_bare(), false, &histograms[1]);
    bench_histogram_print(&histograms[1], "bare ping-pong, round trip", bench_json());
    snprintf(title, sizeof title, "Sealed 64-byte echo on %s: round trip", backend);
    bench_histogram_svg(backend, title, series, 2);
    if (others.has_kvm) {
        bare_kvm_stop(&others.machine);
    }
    close(others.ends[0]);
    close(others.ends[1]);
}
