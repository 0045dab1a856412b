/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_host.c: the untrusted host: carries evidence, grants and sealed records, and counts.
 *
 * Threads: one: it turns between the producer's stream, the enclave and the consumer's stream, and
 *          sleeps in csn_enclave_wait() while records are in flight, else in poll().
 * Bounds:  two buffers; no step without progress for longer than DEMO_STALL_MS.
 */
#define _GNU_SOURCE
#include "demo.h"
#include "image/image.h"
#include <caisson/evidence.h>
#include <caisson/wire/message.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_BUFFER_SIZE   ((size_t)512 << 10)
#define HOST_BUFFER_ENOUGH DEMO_FRAME_SIZE_MAX /* bytes not yet submitted: no more are read */
#define HOST_CHANNEL       0u
#define HOST_WAIT_NS       UINT64_C(200000)
#define HOST_TURN          256u

struct route {
    struct demo_host *host;
    const char *what;
    uint64_t count; /* inputs that are expected, the FIN among them */
    uint64_t submitted;
    uint64_t received;
    uint8_t *in;
    size_t in_begin;
    size_t in_end;
    uint8_t *out;
    size_t out_begin;
    size_t out_end;
    uint8_t *target; /* one output */
    uint64_t progress_ns;
    struct demo_steady at_start;
    struct demo_steady at_first; /* 10 % */
    struct demo_steady at_last;  /* 95 % */
};

/* ---- counters ---- */

static void sample(struct csn_enclave *enclave, struct demo_steady *steady)
{
    struct csn_enclave_counters counters = {0};
    *steady = (struct demo_steady){0};
    steady->valid = csn_enclave_counters(enclave, &counters) == CSN_OK;
    steady->page_faults = counters.page_faults;
    steady->exits = counters.exits_other;
    steady->signals = counters.exits_signal;
    for (uint32_t i = 0; i < csn_enclave_manifest(enclave)->worker_count; i++) {
        struct csn_wire_boot_stats stats = {0};
        steady->valid = csn_enclave_stats(enclave, i, &stats) == CSN_OK && steady->valid;
        steady->allocations += stats.carves;
        steady->syscalls += stats.parks_with_credit;
        steady->parks += stats.parks;
        steady->wakes += stats.wakes;
        steady->wakes_with_work += stats.wakes_with_work;
    }
}

static void settle(struct route *route)
{
    struct demo_steady now;
    struct demo_steady *steady = &route->host->steady;
    sample(route->host->enclave, &now);
    steady->valid =
        now.valid && route->at_start.valid && route->at_first.valid && route->at_last.valid;
    steady->page_faults = route->at_last.page_faults - route->at_first.page_faults;
    steady->allocations = route->at_last.allocations - route->at_first.allocations;
    steady->syscalls = route->at_last.syscalls - route->at_first.syscalls;
    steady->exits = route->at_last.exits - route->at_first.exits + steady->syscalls;
    steady->signals = route->at_last.signals - route->at_first.signals;
    steady->wakes_with_work = route->at_last.wakes_with_work - route->at_first.wakes_with_work;
    steady->parks = now.parks - route->at_start.parks;
    steady->wakes = now.wakes - route->at_start.wakes;
}

/* ---- routing ---- */

static void tap(struct demo_host *host, const void *bytes, size_t size)
{
    if (size <= host->tap.size - host->tap.used) {
        memcpy(host->tap.bytes + host->tap.used, bytes, size);
        host->tap.used += size;
    }
}

/* From the producer's stream; false if it ended or cannot be read. */
static bool route_read(struct route *route, bool *moved)
{
    if (route->in_begin == route->in_end) {
        route->in_begin = route->in_end = 0;
    } else if (HOST_BUFFER_SIZE - route->in_end < HOST_BUFFER_SIZE / 2) {
        memmove(route->in, route->in + route->in_begin, route->in_end - route->in_begin);
        route->in_end -= route->in_begin;
        route->in_begin = 0;
    }
    if (route->in_end - route->in_begin > HOST_BUFFER_ENOUGH || route->submitted == route->count) {
        return true;
    }
    ssize_t got = read(route->host->links.records[0], route->in + route->in_end,
                       HOST_BUFFER_SIZE - route->in_end);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (got <= 0) {
        cli_fail(0, "the producer is gone");
        return false;
    }
    route->in_end += (size_t)got;
    *moved = true;
    return true;
}

static csn_err route_submit(struct route *route, bool *moved)
{
    for (uint32_t turn = 0; turn < HOST_TURN && route->in_end - route->in_begin >= 4; turn++) {
        uint32_t size;
        memcpy(&size, route->in + route->in_begin, 4);
        if (size > DEMO_FRAME_SIZE_MAX) {
            return CSN_ERR_FORMAT;
        }
        if (route->in_end - route->in_begin - 4 < size) {
            break;
        }
        const uint8_t *record = route->in + route->in_begin + 4;
        csn_err result =
            csn_enclave_submit(route->host->enclave, HOST_CHANNEL, route->submitted, record, size);
        if (result != CSN_OK) {
            return result == CSN_AGAIN ? CSN_OK : result;
        }
        tap(route->host, record, size);
        route->in_begin += size + 4;
        route->submitted++;
        *moved = true;
    }
    return csn_enclave_flush(route->host->enclave, HOST_CHANNEL);
}

static void route_count(struct route *route)
{
    uint64_t data = route->count - 1;
    route->received++;
    if (route->received == data / 10 + 1) {
        sample(route->host->enclave, &route->at_first);
    }
    if (route->received == data - data / 20) {
        sample(route->host->enclave, &route->at_last);
    }
    if (route->received % 1024 == 0 && route->received < data) {
        cli_progress(route->what, route->received, data);
    }
}

static csn_err route_receive(struct route *route, bool *moved)
{
    for (uint32_t turn = 0; turn < HOST_TURN; turn++) {
        if (HOST_BUFFER_SIZE - route->out_end < DEMO_FRAME_SIZE_MAX + 4) {
            return CSN_OK;
        }
        struct csn_output output;
        csn_err result =
            csn_enclave_receive(route->host->enclave, HOST_CHANNEL, route->target, &output);
        if (result != CSN_OK) {
            return result == CSN_AGAIN ? CSN_OK : result;
        }
        *moved = true;
        route_count(route);
        struct csn_wire_answer answer;
        uint32_t begin;
        if (!csn_wire_answer_read(route->target, output.size, &answer, &begin) ||
            answer.code != CSN_WIRE_DONE) {
            route->host->rejected++;
            continue;
        }
        memcpy(route->out + route->out_end, &answer.size, 4);
        memcpy(route->out + route->out_end + 4, route->target + begin, answer.size);
        route->out_end += answer.size + 4;
        tap(route->host, route->target, output.size);
    }
    return CSN_OK;
}

static bool route_write(struct route *route, bool *moved)
{
    if (route->out_begin == route->out_end) {
        return true;
    }
    ssize_t put = write(route->host->links.outputs[0], route->out + route->out_begin,
                        route->out_end - route->out_begin);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (put <= 0) {
        cli_fail(0, "the consumer is gone");
        return false;
    }
    route->out_begin += (size_t)put;
    if (route->out_begin == route->out_end) {
        route->out_begin = route->out_end = 0;
    } else if (HOST_BUFFER_SIZE - route->out_end < DEMO_FRAME_SIZE_MAX + 4) {
        memmove(route->out, route->out + route->out_begin, route->out_end - route->out_begin);
        route->out_end -= route->out_begin;
        route->out_begin = 0;
    }
    *moved = true;
    return true;
}

static bool say_fate(struct demo_host *host, csn_err result)
{
    struct csn_fate fate = {0};
    if (csn_enclave_fate(host->enclave, &fate) != CSN_OK) {
        fate.kind = CSN_FATE_UNKNOWN;
    }
    cli_fail(0, "the enclave or its ring failed: %s; fate %u, code %u, %s", csn_err_name(result),
             (unsigned)fate.kind, fate.code, fate.detail.text);
    return false;
}

/* Nothing moved: sleep until something can. */
static csn_err route_sleep(struct route *route)
{
    if (route->submitted > route->received && route->out_begin == route->out_end) {
        csn_err result = csn_enclave_wait(route->host->enclave, HOST_CHANNEL, HOST_WAIT_NS);
        return result == CSN_AGAIN ? CSN_OK : result;
    }
    struct pollfd pollers[2] = {{.fd = route->host->links.records[0],
                                 .events = route->submitted < route->count ? POLLIN : 0},
                                {.fd = route->host->links.outputs[0],
                                 .events = route->out_begin != route->out_end ? POLLOUT : 0}};
    (void)poll(pollers, 2, 1000);
    struct csn_fate fate = {0};
    csn_err result = csn_enclave_fate(route->host->enclave, &fate);
    return result == CSN_OK && fate.kind != CSN_FATE_RUNNING ? CSN_ERR_CRASHED : result;
}

static bool route_all(struct route *route)
{
    route->progress_ns = cli_now_ns();
    while (route->received < route->count || route->out_begin != route->out_end) {
        bool moved = false;
        csn_err result = CSN_OK;
        if (!route_read(route, &moved)) {
            return false;
        }
        result = route_submit(route, &moved);
        if (result == CSN_OK) {
            result = route_receive(route, &moved);
        }
        if (result == CSN_OK && !route_write(route, &moved)) {
            return false;
        }
        if (result == CSN_OK && !moved) {
            result = route_sleep(route);
        }
        if (result != CSN_OK) {
            return say_fate(route->host, result);
        }
        if (moved) {
            route->progress_ns = cli_now_ns();
        } else if (cli_now_ns() - route->progress_ns > DEMO_STALL_MS * UINT64_C(1000000)) {
            cli_fail(0, "nothing moved for %d s: %llu records in, %llu out", DEMO_STALL_MS / 1000,
                     (unsigned long long)route->submitted, (unsigned long long)route->received);
            return false;
        }
    }
    return true;
}

bool demo_host_phase(struct demo_host *host, const struct demo_go *go, const char *what,
                     struct demo_done *done)
{
    static struct demo_message in;
    struct route route = {.host = host, .what = what, .count = go->count + 1};
    route.in = malloc(HOST_BUFFER_SIZE);
    route.out = malloc(HOST_BUFFER_SIZE);
    route.target = malloc(csn_enclave_manifest(host->enclave)->output_size_max + 8);
    bool good = route.in && route.out && route.target;
    sample(host->enclave, &route.at_start);
    uint64_t begin = cli_now_ns();
    good = good && demo_send(host->links.consumer[0], DEMO_GO, go, sizeof *go) &&
           demo_send(host->links.tenant[0], DEMO_GO, go, sizeof *go) && route_all(&route) &&
           demo_expect(host->links.consumer[0], "consumer", DEMO_DONE, sizeof *done, &in);
    if (good) {
        cli_progress(what, go->count, go->count);
        memcpy(done, in.bytes, sizeof *done);
        done->begin_ns = begin;
        host->records_in = route.submitted - 1;
        host->records_out = done->opened;
        settle(&route);
    }
    free(route.in);
    free(route.out);
    free(route.target);
    return good;
}

/* ---- opening: evidence and grant ---- */

static bool host_evidence(struct demo_host *host, const struct csn_enclave_options *options,
                          const uint8_t signer_seed[32], const uint8_t root_seed[32],
                          const uint8_t *nonce)
{
    static struct csn_evidence_batch batch;
    static struct csn_wire_boot_made made;
    static uint8_t bundle[CSN_WIRE_EVIDENCE_SIZE_MAX];
    struct csn_enclave_report report;
    struct csn_image image;
    struct csn_wire_signature signature;
    uint8_t measurement[48];
    uint8_t nonces[1][32];
    size_t size = 0;
    csn_enclave_report(host->enclave, &report);
    if (csn_image_measure_file(options->image, options->image_size, &image, measurement, NULL) !=
        CSN_OK) {
        return false;
    }
    csn_signature_make(&signature, &image, measurement, signer_seed);
    memcpy(nonces[0], nonce, 32);
    const struct csn_evidence_subject subject = {.manifest = csn_enclave_manifest(host->enclave),
                                                 .report = &report,
                                                 .made = &made,
                                                 .signer_key = signature.signer_key,
                                                 .signer_signature = signature.signature};
    csn_err result = csn_enclave_made(host->enclave, &made);
    if (result == CSN_OK) {
        result = csn_evidence_report(&batch, &csn_evidence_software, root_seed, &subject,
                                     (const uint8_t(*)[32])nonces, 1);
    }
    if (result == CSN_OK) {
        result = csn_evidence_bundle(&batch, 0, bundle, sizeof bundle, &size);
    }
    if (result != CSN_OK) {
        cli_fail(0, "cannot make evidence: %s", csn_err_name(result));
        return false;
    }
    return demo_send(host->links.tenant[0], DEMO_EVIDENCE, bundle, size);
}

static bool host_grant(struct demo_host *host, const struct demo_message *grant)
{
    uint8_t *target = malloc(csn_enclave_manifest(host->enclave)->output_size_max + 8);
    struct csn_output output = {0};
    csn_err result = target == NULL ? CSN_ERR_MEMORY
                                    : csn_enclave_submit(host->enclave, HOST_CHANNEL, 0,
                                                         grant->bytes, grant->size);
    if (result == CSN_OK) {
        result = csn_enclave_flush(host->enclave, HOST_CHANNEL);
    }
    if (result == CSN_OK) {
        result = csn_enclave_wait(host->enclave, HOST_CHANNEL, UINT64_C(10000000000));
    }
    if (result == CSN_OK) {
        result = csn_enclave_receive(host->enclave, HOST_CHANNEL, target, &output);
    }
    bool good = result == CSN_OK
                    ? demo_send(host->links.tenant[0], DEMO_ANSWER, target, output.size)
                    : say_fate(host, result);
    free(target);
    return good;
}

bool demo_host_open(struct demo_host *host, const struct csn_enclave_options *options,
                    const uint8_t signer_seed[32], const uint8_t root_seed[32],
                    uint64_t *record_count)
{
    static struct demo_message in;
    struct csn_detail detail = {0};
    int tenant = host->links.tenant[0];
    csn_err result = csn_enclave_create(options, &host->enclave, &detail);
    if (result != CSN_OK) {
        cli_fail(0, "no enclave (%s): %s", csn_err_name(result), detail.text);
        return false;
    }
    if (!demo_expect(tenant, "tenant", DEMO_NONCE, 32, &in) ||
        !host_evidence(host, options, signer_seed, root_seed, in.bytes) ||
        !demo_expect(tenant, "tenant", DEMO_GRANT, 0, &in) || !host_grant(host, &in) ||
        !demo_expect(tenant, "tenant", DEMO_READY, sizeof *record_count, &in)) {
        return false;
    }
    memcpy(record_count, in.bytes, sizeof *record_count);
    (void)fcntl(host->links.records[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(host->links.outputs[0], F_SETFL, O_NONBLOCK);
    return true;
}

void demo_host_close(struct demo_host *host)
{
    int *const ends[4] = {&host->links.tenant[0], &host->links.consumer[0], &host->links.records[0],
                          &host->links.outputs[0]};
    for (int i = 0; i < 4; i++) {
        if (*ends[i] >= 0) {
            close(*ends[i]);
            *ends[i] = -1;
        }
    }
    csn_enclave_destroy(host->enclave);
    host->enclave = NULL;
}
