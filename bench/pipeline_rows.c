/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_rows.c: goal 6: records through both rings of a real enclave that opens and seals them,
 * beside loops that open and seal with no transport at all.
 *
 * The near side only moves bytes, as a relay does: records are sealed before, answers are opened
 * once before and once after. So the enclave's core is the bound, unless moving the bytes is.
 */
#define _GNU_SOURCE
#include "pipeline_rows.h"
#include "aead_loops.h"
#include "cores.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BURST       32u
#define RECORDS_MAX 1024u
#define BYTES_MAX   (4u << 20) /* of sealed records that go round and round */
#define ROOM        66560u
#define SIZES       3u
#define WAIT_NS     UINT64_C(10000000000)

struct stream {
    struct sealed sealed;
    uint32_t size; /* of a payload */
    uint32_t count;
    uint32_t next;
    uint32_t in_flight;
    uint32_t record_size;
    uint8_t *records;
    uint8_t *answer; /* the last one, and its size */
    uint32_t answer_begin;
    uint32_t answer_size;
};

static const uint8_t payload[ROOM] = {'c', 'a', 'i', 's', 's', 'o', 'n'};

/* ---- a stream of records that were sealed before ---- */

static void seal_records(struct stream *stream)
{
    stream->record_size = csv_record_size(stream->size, 0);
    stream->count = BYTES_MAX / stream->record_size;
    stream->count = stream->count < RECORDS_MAX ? stream->count / BURST * BURST : RECORDS_MAX;
    stream->records = malloc((size_t)stream->count * stream->record_size);
    stream->answer = malloc(csn_enclave_manifest(stream->sealed.enclave)->output_size_max);
    bench_require(stream->records != NULL && stream->answer != NULL, "no memory");
    uint32_t room = stream->record_size;
    for (uint32_t i = 0; i < stream->count; i++) {
        struct csv_seal_item item = {.payload = payload,
                                     .payload_size = stream->size,
                                     .operation = 1,
                                     .record = stream->records + (size_t)i * room,
                                     .record_size_max = room};
        bench_require(csv_seal_batch(stream->sealed.sealer, &item, 1) == CSN_OK &&
                          item.result == CSN_OK,
                      "a record does not seal");
        stream->record_size = item.record_size; /* the short form's records are all of one size */
    }
    for (uint32_t i = 0; i < stream->count; i++) {
        memmove(stream->records + (size_t)i * stream->record_size,
                stream->records + (size_t)i * room, stream->record_size);
    }
}

static void send_burst(struct stream *stream)
{
    for (uint32_t i = 0; i < BURST; i++) {
        const uint8_t *record = stream->records + (size_t)stream->next * stream->record_size;
        csn_err error = csn_enclave_submit(stream->sealed.enclave, 0, ++stream->sealed.tag, record,
                                           stream->record_size);
        if (error == CSN_AGAIN) {
            break;
        }
        bench_require(error == CSN_OK, "a record does not go out");
        stream->in_flight++;
        stream->next = (stream->next + 1) % stream->count;
    }
    bench_require(csn_enclave_flush(stream->sealed.enclave, 0) == CSN_OK, "flush");
}

static bool take_one(struct stream *stream)
{
    struct csn_output output;
    struct csn_wire_answer head = {0};
    csn_err error = csn_enclave_receive(stream->sealed.enclave, 0, stream->sealed.target, &output);
    if (error == CSN_AGAIN) {
        return false;
    }
    bench_require(error == CSN_OK &&
                      csn_wire_answer_read(stream->sealed.target, output.size, &head,
                                           &stream->answer_begin) &&
                      head.code == CSN_WIRE_DONE,
                  "a record is not served");
    stream->in_flight--;
    stream->answer_size = head.size;
    return true;
}

/* One more burst on the way where there is room; what has come back, at least one. */
static uint64_t step(void *state)
{
    struct stream *stream = state;
    uint64_t taken = 0;
    uint32_t depth = stream->size > 4096 ? 2 * BURST : 8 * BURST;
    while (stream->in_flight + BURST <= depth) {
        send_burst(stream);
    }
    while (taken < BURST) {
        if (take_one(stream)) {
            taken++;
        } else if (taken != 0) {
            break;
        } else {
            __builtin_ia32_pause();
        }
    }
    return taken;
}

static void drain(struct stream *stream)
{
    while (stream->in_flight != 0) {
        if (!take_one(stream)) {
            bench_require(csn_enclave_wait(stream->sealed.enclave, 0, WAIT_NS) == CSN_OK,
                          "an answer is lost");
        }
    }
}

/* The helper's CPU is the enclave's now. */
static void stay_away(void *state, const atomic_bool *stop)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    (void)state;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        nanosleep(&pause, NULL);
    }
}

/* ---- start and end ---- */

/* The last answer opens, and holds what went in. */
static void check_answer(const struct stream *stream)
{
    static uint8_t back[2 * ROOM];
    struct csn_wire_result result;
    uint32_t size = 0;
    const uint8_t *record = stream->sealed.target + stream->answer_begin;
    bench_require(csv_reply_open(stream->sealed.sealer, record, stream->answer_size, &result, back,
                                 &size) == CSN_OK &&
                      result.status == CSN_WIRE_STATUS_OK && size == stream->size &&
                      memcmp(back, payload, size) == 0,
                  "an answer does not open");
}

static struct stream *stream_new(const struct sealed_image *image,
                                 const struct sealed_tenant *tenant, const char *backend,
                                 uint32_t size, bool short_form)
{
    struct stream *stream = calloc(1, sizeof *stream);
    bench_require(stream != NULL, "no memory");
    stream->size = size;
    bench_cores_far(true); /* whatever the enclave starts inherits it */
    sealed_start(&stream->sealed, image, tenant, backend);
    bench_cores_far(false);
    sealed_echo(&stream->sealed, payload, size);
    if (short_form) {
        sealed_short(&stream->sealed);
        sealed_echo(&stream->sealed, payload, size);
    }
    seal_records(stream);
    for (uint32_t i = 0; i < stream->count / BURST; i++) {
        step(stream);
    }
    drain(stream);
    check_answer(stream);
    return stream;
}

static void stream_free(struct stream *stream)
{
    drain(stream);
    check_answer(stream);
    sealed_stop(&stream->sealed);
    free(stream->records);
    free(stream->answer);
    free(stream);
}

/* ---- spread: each burst by itself, time of one record of it ---- */

struct spread {
    struct bench_series series[2 * SIZES]; /* pipeline and OpenSSL's loop, for each size */
    struct bench_histogram histograms[2 * SIZES];
    char names[2 * SIZES][48];
    size_t count;
};

static void add_spread(struct spread *spread, const char *what, const char *who,
                       const struct bench_way *way)
{
    size_t at = spread->count++;
    snprintf(spread->names[at], sizeof spread->names[at], "%s, %s", what, who);
    bench_cores_spread(way, false, &spread->histograms[at]);
    bench_histogram_print(&spread->histograms[at], spread->names[at], bench_json());
    spread->series[at] = (struct bench_series){spread->names[at], &spread->histograms[at]};
}

/* ---- rows ---- */

/* Goals by placement mode; in mode C there is none. */
static const struct {
    uint32_t size;
    const char *name;
    double target_a, target_b;
} sizes[SIZES] = {{256, "256 B", 5, 4}, {1024, "1 KiB", 2.5, 1.8}, {16384, "16 KiB", 1.5, 1.1}};

static void measure(const struct sealed_image *image, const struct sealed_tenant *tenant,
                    const char *backend, unsigned which, bool short_form, struct spread *spread)
{
    char what[64];
    snprintf(what, sizeof what, "%s, %s, %s", sizes[which].name, short_form ? "short" : "full",
             backend);
    struct stream *stream = stream_new(image, tenant, backend, sizes[which].size, short_form);
    struct aead_loops *loops = aead_loops_new(sizes[which].size);
    unsigned window = sizes[which].size > 4096 ? 1 : 4;
    const struct bench_way ours = {stay_away, step, stream, window};
    const struct bench_way evp = {stay_away, aead_loops_evp, loops, window};
    const struct bench_way own = {stay_away, aead_loops_own, loops, window};
    const struct bench_row against_evp = {6,
                                          what,
                                          "pipeline",
                                          "OpenSSL open and seal",
                                          BENCH_FASTER,
                                          short_form ? sizes[which].target_a : 0};
    const struct bench_row against_own = {
        6, what, "pipeline", "own open and seal", BENCH_FASTER, short_form ? 0.75 : 0};
    bench_cores_pair_by_mode(&against_evp, short_form ? sizes[which].target_b : 0, &ours, &evp);
    bench_cores_pair(&against_own, &ours, &own);
    if (short_form) {
        add_spread(spread, what, "pipeline", &ours);
        add_spread(spread, sizes[which].name, "OpenSSL's loop", &evp);
    }
    aead_loops_free(loops);
    stream_free(stream);
}

void bench_pipeline_rows(const struct sealed_image *image, const char *backend)
{
    static struct sealed_tenant tenant;
    static struct spread spread;
    char title[96];
    spread.count = 0;
    sealed_tenant_new(&tenant, image, true);
    for (unsigned which = 0; which < SIZES; which++) {
        measure(image, &tenant, backend, which, true, &spread);
        measure(image, &tenant, backend, which, false, &spread);
    }
    snprintf(title, sizeof title, "Sealed records through both rings on %s: time a record",
             backend);
    bench_histogram_svg(backend, title, spread.series, spread.count);
    sealed_tenant_free(&tenant);
}
