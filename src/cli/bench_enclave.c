/* SPDX-License-Identifier: Apache-2.0 */
/* bench_enclave.c: what an enclave costs that has nothing to do: a start, an idle second. */
#include "bench.h"
#include "cli.h"
#include <caisson/wire/boot.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS      UINT64_C(1000000000)
#define START_MIN      5u
#define SETTLE_SECONDS 1

/* NULL with a message and *code set. */
static struct csn_enclave *start(const struct bench_options *options, int *code)
{
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    const struct csn_enclave_options wish = {
        .image = options->image, .image_size = options->image_size, .backend = options->backend};
    csn_err error = csn_enclave_create(&wish, &enclave, &detail);
    *code = error == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "cannot start: %s", detail.text);
    return error == CSN_OK ? enclave : NULL;
}

static void report_percentiles(const struct bench_options *options, const char *bench,
                               const char *backend, double *samples, size_t count)
{
    bench_sort(samples, count);
    double p50 = bench_at(samples, count, 500) / 1000;
    double p99 = bench_at(samples, count, 990) / 1000;
    double p999 = bench_at(samples, count, 999) / 1000;
    if (options->json) {
        printf("{\"bench\":\"%s\",\"backend\":\"%s\",\"samples\":%zu,\"us\":{\"min\":%.3f,"
               "\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}}\n",
               bench, backend, count, samples[0] / 1000, p50, p99, p999, samples[count - 1] / 1000);
        return;
    }
    printf("%s on %s, %zu samples, microseconds\n"
           "  min %.2f   p50 %.2f   p99 %.2f   p99.9 %.2f   max %.2f\n",
           bench, backend, count, samples[0] / 1000, p50, p99, p999, samples[count - 1] / 1000);
}

int bench_start(const struct bench_options *options)
{
    static double samples[100000];
    size_t count = 0;
    int code = CLI_OK;
    struct csn_enclave_report report = {.backend = ""};
    uint64_t begin = cli_now_ns();
    while (count < sizeof samples / sizeof samples[0] &&
           (count < START_MIN || cli_now_ns() - begin < options->seconds * SECOND_NS)) {
        struct csn_enclave *enclave = start(options, &code);
        if (enclave == NULL) {
            return code;
        }
        csn_enclave_report(enclave, &report);
        samples[count++] = (double)report.start_ns;
        csn_enclave_destroy(enclave);
    }
    report_percentiles(options, "start", report.backend, samples, count);
    return CLI_OK;
}

/*
 * CPU time of this process (kvm: its vCPU threads) and of all enclave processes, without this
 * thread's: what it does meanwhile is to look into /proc for the others.
 */
static uint64_t cpu_ns(uint32_t *processes)
{
    struct timespec own;
    uint64_t thread = bench_thread_ns(); /* before the other: it is part of it */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    return (uint64_t)own.tv_sec * SECOND_NS + (uint64_t)own.tv_nsec - thread +
           bench_descendants_ns(processes);
}

int bench_idle(const struct bench_options *options)
{
    int code;
    uint32_t processes = 0;
    struct csn_enclave_report report;
    struct csn_enclave *enclave = start(options, &code);
    if (enclave == NULL) {
        return code;
    }
    csn_enclave_report(enclave, &report);
    sleep(SETTLE_SECONDS); /* past the spin that comes before a park */
    uint64_t before = cpu_ns(&processes);
    uint64_t begin = cli_now_ns();
    sleep((unsigned)options->seconds);
    uint64_t wall = cli_now_ns() - begin;
    uint64_t used = cpu_ns(&processes);
    used = used > before ? used - before : 0; /* two clocks are read one after the other */
    /* An enclave that has died, or was not found, would look very idle. */
    struct csn_fate fate;
    bool alive = csn_enclave_fate(enclave, &fate) == CSN_OK && fate.kind == CSN_FATE_RUNNING;
    csn_enclave_destroy(enclave);
    if (!alive) {
        return cli_fail(CLI_FAILURE, "idle: the enclave did not stay alive");
    }
    if (report.backend_id == CSN_WIRE_BACKEND_PROCESS && processes == 0) {
        return cli_fail(CLI_FAILURE, "idle: cannot find the enclave's process under /proc");
    }
    double percent = 100 * (double)used / (double)wall;
    if (options->json) {
        printf("{\"bench\":\"idle\",\"backend\":\"%s\",\"seconds\":%.3f,\"cpu_ns\":%llu,"
               "\"percent_of_a_core\":%.4f}\n",
               report.backend, (double)wall / 1e9, (unsigned long long)used, percent);
    } else {
        printf("idle on %s: %.4f %% of a core (%.3f ms of CPU time in %.1f s)\n", report.backend,
               percent, (double)used / 1e6, (double)wall / 1e9);
    }
    return CLI_OK;
}
