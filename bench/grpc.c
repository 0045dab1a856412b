/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc.c: goal 7: the same 1 KiB echo through the sealed path and by gRPC with TLS over a unix
 * socket. CPU time of everybody counts on both sides: client, enclave, server, and who waits.
 */
#include "cores.h"
#include "grpc_peer.h"
#include "sealed.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIZE       1024u
#define BATCH      32u
#define DEPTH      128u /* requests under way */
#define ROOM       2048u
#define ANSWER_MAX 66176u /* output_size_max of the echo image */
#define OURS       20000u /* requests in a slice */
#define THEIRS     600u
#define ALONE      200u /* requests one at a time in a slice */
#define GRPC_DEEP  64u

static const uint8_t payload[SIZE] = {'c', 'a', 'i', 's', 's', 'o', 'n'};

static double cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- ours, pipelined ---- */

/* Sealed where the host keeps what is in flight: no copy but the one into the ring. */
static void seal_and_send(struct sealed *sealed)
{
    struct csv_seal_item items[BATCH];
    for (uint32_t i = 0; i < BATCH; i++) {
        void *place = NULL;
        bench_require(csn_enclave_reserve(sealed->enclave, 0, ROOM, &place) == CSN_OK, "no room");
        items[i] = (struct csv_seal_item){.payload = payload,
                                          .payload_size = SIZE,
                                          .operation = 1,
                                          .record = place,
                                          .record_size_max = ROOM};
    }
    bench_require(csv_seal_batch(sealed->sealer, items, BATCH) == CSN_OK, "seal");
    for (uint32_t i = 0; i < BATCH; i++) {
        bench_require(items[i].result == CSN_OK &&
                          csn_enclave_commit(sealed->enclave, 0, ++sealed->tag,
                                             items[i].record_size) == CSN_OK,
                      "a request does not go out");
    }
    bench_require(csn_enclave_flush(sealed->enclave, 0) == CSN_OK, "flush");
}

/* Answers are put behind each other, as they come, and opened where they lie. */
static void receive_and_open(struct sealed *sealed)
{
    static uint8_t answers[BATCH * ROOM + ANSWER_MAX];
    static uint8_t plain[BATCH][2 * ROOM];
    struct csv_open_item items[BATCH];
    uint8_t *own = sealed->target;
    sealed->target = answers;
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t size = 0;
        const uint8_t *answer = sealed_receive(sealed, CSN_WIRE_DONE, &size);
        bench_require(size <= ROOM - 16, "a long answer");
        items[i] = (struct csv_open_item){.record = answer, .size = size, .payload = plain[i]};
        sealed->target += ROOM;
    }
    sealed->target = own;
    bench_require(csv_reply_open_batch(sealed->sealer, items, BATCH) == CSN_OK, "open");
    for (uint32_t i = 0; i < BATCH; i++) {
        bench_require(items[i].result == CSN_OK && items[i].payload_size == SIZE &&
                          memcmp(plain[i], payload, SIZE) == 0,
                      "another answer than the request");
    }
}

/* CPU ns for a request of many. */
static double ours_many(struct sealed *sealed)
{
    double begin = cpu_ns();
    uint32_t sent = 0;
    uint32_t taken = 0;
    while (taken < OURS) {
        while (sent < OURS && sent - taken < DEPTH) {
            seal_and_send(sealed);
            sent += BATCH;
        }
        receive_and_open(sealed);
        taken += BATCH;
    }
    return (cpu_ns() - begin) / OURS;
}

static double theirs_many(struct grpc_peer *peer)
{
    double begin = cpu_ns();
    bench_require(grpc_peer_run(peer, SIZE, GRPC_DEEP, THEIRS) == THEIRS, "gRPC lost a request");
    return (cpu_ns() - begin) / THEIRS;
}

/* ---- one at a time: the median trip of a slice ---- */

static struct bench_histogram spreads[2]; /* ours, theirs: each trip */

static double ours_alone(struct sealed *sealed)
{
    double trips[ALONE];
    for (uint32_t i = 0; i < ALONE; i++) {
        uint64_t begin = bench_wall_ns();
        sealed_echo(sealed, payload, SIZE);
        trips[i] = (double)(bench_wall_ns() - begin);
        bench_histogram_add(&spreads[0], trips[i]);
    }
    bench_sort(trips, ALONE);
    return bench_at(trips, ALONE, 500);
}

static double theirs_alone(struct grpc_peer *peer)
{
    double trips[ALONE];
    for (uint32_t i = 0; i < ALONE; i++) {
        uint64_t begin = bench_wall_ns();
        bench_require(grpc_peer_run(peer, SIZE, 1, 1) == 1, "gRPC lost a request");
        trips[i] = (double)(bench_wall_ns() - begin);
        bench_histogram_add(&spreads[1], trips[i]);
    }
    bench_sort(trips, ALONE);
    return bench_at(trips, ALONE, 500);
}

static void report_spread(void)
{
    static const struct bench_series series[2] = {{"sealed path, kvm", &spreads[0]},
                                                  {"gRPC with TLS, unix socket", &spreads[1]}};
    for (size_t i = 0; i < 2; i++) {
        bench_histogram_print(series[i].histogram, series[i].name, bench_json());
    }
    bench_histogram_svg("latency", "1 KiB request, one at a time: round trip", series, 2);
}

static const char help[] =
    "usage: grpc [--json] [--seconds N] [--svg PREFIX]\n\n"
    "Goal 7: requests of 1 KiB, sealed by the client, echoed by an enclave on kvm and opened by "
    "the\n"
    "client, beside gRPC C++ with TLS over a unix socket (generic, no protobuf, one completion "
    "queue\n"
    "a side). First CPU time for a request, all sides, pipelined; then the median trip of one.\n"
    "Plot: latency.\n\n";

int main(int argc, char **argv)
{
    static struct bench_samples many;
    static struct bench_samples alone;
    static struct sealed_image image;
    static struct sealed_tenant tenant;
    static struct sealed sealed;
    const struct bench_row rows[] = {
        {7, "1 KiB request, CPU time", "sealed path", "gRPC TLS, unix", BENCH_FASTER, 50},
        {7, "1 KiB request, median trip", "sealed path", "gRPC TLS, unix", BENCH_FASTER, 30},
    };
    bench_begin(argc, argv, help);
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        fprintf(stderr, "grpc: no /dev/kvm: its rows are left out\n");
        return 0;
    }
    struct grpc_peer *peer = grpc_peer_start();
    bench_require(peer != NULL, "gRPC does not start");
    sealed_image_find(&image, "echo");
    sealed_tenant_new(&tenant, &image, true);
    sealed_start(&sealed, &image, &tenant, "kvm"); /* its CPU time is this process's */
    sealed_short(&sealed);
    bench_require(csn_enclave_manifest(sealed.enclave)->output_size_max <= ANSWER_MAX, "output");
    many.count = alone.count = bench_pairs(UINT64_C(30000000));
    for (size_t i = 0; i < many.count; i++) {
        many.floor[i] = alone.floor[i] = bench_cores_floor();
        many.other[i] = theirs_many(peer);
        many.ours[i] = ours_many(&sealed);
        alone.other[i] = theirs_alone(peer);
        alone.ours[i] = ours_alone(&sealed);
    }
    bench_report(&rows[0], &many);
    bench_report(&rows[1], &alone);
    report_spread();
    sealed_stop(&sealed);
    sealed_tenant_free(&tenant);
    sealed_image_free(&image);
    grpc_peer_stop(peer);
    return 0;
}
