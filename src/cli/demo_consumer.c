/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_consumer.c: opens what the enclave made, measures how long it took, and compares every
 * output with the independent reference once the clock has stopped.
 */
#define _GNU_SOURCE
#include "demo.h"
#include "reference/reference.h"
#include <caisson/client.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONSUMER_BATCH       64u
#define CONSUMER_BUFFER_SIZE ((size_t)1 << 20)
#define CONSUMER_PLAIN_MAX   131072u
#define CONSUMER_STEP        4096u

struct consumer_state {
    const struct demo_consumer_setup *setup;
    struct csv_opener *opener;
    struct csr_policy *policy;
    uint8_t *buffer;
    size_t used;
    uint8_t *plain; /* room for a batch */
    /* Outputs of the phase, kept for the comparison: output n is kept[place[n]], size[n]. */
    uint8_t *kept;
    size_t kept_size;
    size_t kept_used;
    size_t *place;
    uint32_t *size;
    uint64_t *latency;
    struct demo_go go;
    struct demo_done done;
    bool keep;
    bool ended;
    struct demo_message in;
};

/* ---- opening ---- */

static void consumer_take(struct consumer_state *state, const struct csv_open_item *item,
                          uint64_t now)
{
    const struct csn_wire_result *header = &item->header;
    if (item->result == CSN_OK && (header->flags & CSN_WIRE_RESULT_FIN) != 0) {
        struct csn_wire_fin fin;
        memcpy(&fin, item->payload, sizeof fin);
        state->done.fin_seen = 1;
        state->done.missing = fin.sent - state->done.opened - state->done.refused;
        state->done.end_ns = now;
        state->ended = true;
        return;
    }
    uint64_t number = header->sequence;
    if (item->result != CSN_OK || header->status != CSN_WIRE_STATUS_OK ||
        number >= state->go.count) {
        state->done.refused++;
        return;
    }
    uint64_t due = state->go.start_ns + number * state->go.interval_ps / 1000;
    state->latency[number] = now > due ? now - due : 0;
    state->done.opened++;
    if (!state->keep) {
        return;
    }
    if (item->payload_size > state->kept_size - state->kept_used) {
        demo_die(state->setup->control, "no room to keep the outputs");
    }
    memcpy(state->kept + state->kept_used, item->payload, item->payload_size);
    state->place[number] = state->kept_used;
    state->size[number] = item->payload_size;
    state->kept_used += item->payload_size;
}

/* Opens the whole frames of the buffer, a batch at a time. True if there was any. */
static bool consumer_open(struct consumer_state *state)
{
    struct csv_open_item items[CONSUMER_BATCH];
    size_t at = 0;
    uint32_t count = 0;
    size_t plain = 0;
    while (count < CONSUMER_BATCH && state->used - at >= 4) {
        uint32_t size;
        memcpy(&size, state->buffer + at, 4);
        if (size > DEMO_FRAME_SIZE_MAX) {
            demo_die(state->setup->control, "an output of %u bytes", size);
        }
        uint32_t room = csv_plain_size(size);
        if (state->used - at - 4 < size ||
            room > (size_t)CONSUMER_BATCH * CONSUMER_PLAIN_MAX - plain) {
            break;
        }
        items[count++] = (struct csv_open_item){
            .record = state->buffer + at + 4, .size = size, .payload = state->plain + plain};
        plain += room;
        at += size + 4;
    }
    if (count == 0) {
        return false;
    }
    if (csv_open_batch(state->opener, items, count) != CSN_OK) {
        demo_die(state->setup->control, "cannot open");
    }
    uint64_t now = cli_now_ns();
    for (uint32_t i = 0; i < count; i++) {
        consumer_take(state, &items[i], now);
    }
    memmove(state->buffer, state->buffer + at, state->used - at);
    state->used -= at;
    return true;
}

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void consumer_phase(struct consumer_state *state)
{
    const struct demo_consumer_setup *setup = state->setup;
    state->done = (struct demo_done){0};
    state->ended = false;
    state->keep = state->go.interval_ps == 0;
    if (state->keep) {
        state->kept_used = 0;
        memset(state->size, 0xff, state->go.count * sizeof *state->size);
    }
    memset(state->latency, 0xff, state->go.count * sizeof *state->latency);
    while (!state->ended) {
        struct pollfd poller[2] = {{.fd = setup->outputs, .events = POLLIN},
                                   {.fd = setup->control, .events = 0}};
        ssize_t got = -1;
        if (poll(poller, 2, DEMO_STALL_MS) > 0 && (poller[0].revents & POLLIN) != 0) {
            got = read(setup->outputs, state->buffer + state->used,
                       CONSUMER_BUFFER_SIZE - state->used);
        }
        if (got <= 0) {
            _exit(1); /* the host ended, and says why */
        }
        state->used += (size_t)got;
        while (!state->ended && consumer_open(state)) {
        }
    }
    if (!state->keep) {
        qsort(state->latency, state->go.count, sizeof *state->latency, by_size);
        const uint64_t parts[3] = {5000, 9900, 9990};
        for (int i = 0; i < 3; i++) {
            uint64_t rank = (state->go.count * parts[i] + 9999) / 10000;
            state->done.latency_ns[i] = state->latency[rank > 0 ? rank - 1 : 0];
        }
    }
    (void)demo_send(setup->control, DEMO_DONE, &state->done, sizeof state->done);
}

/* ---- comparing ---- */

static int base64_value(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '-'             ? 62
           : c == '_'             ? 63
                                  : -1;
}

/* csr_opener: "enc_" and base64url without padding, sealed to this consumer. */
static bool consumer_field(void *context, const char *sealed, size_t size, char *plain,
                           size_t capacity, size_t *plain_size)
{
    static uint8_t bytes[CONSUMER_PLAIN_MAX];
    static uint8_t value[CONSUMER_PLAIN_MAX];
    struct consumer_state *state = context;
    uint32_t count = 0;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 4; i < size; i++) {
        int digit = base64_value(sealed[i]);
        if (digit < 0 || count == sizeof bytes) {
            return false;
        }
        held = held << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[count++] = (uint8_t)(held >> bits);
        }
    }
    uint32_t value_size = 0;
    if (csv_field_open(state->opener, bytes, count, value, &value_size) != CSN_OK ||
        value_size > capacity) {
        return false;
    }
    memcpy(plain, value, value_size);
    *plain_size = value_size;
    return true;
}

/* Output number i of the phase is what the reference makes of its record. */
static bool consumer_same(struct consumer_state *state, uint64_t i)
{
    static uint8_t expected[CONSUMER_PLAIN_MAX];
    const struct demo_records *records = state->setup->records;
    const struct csr_opener opener = {.open = consumer_field, .context = state};
    uint64_t record = (state->go.first + i) % records->count;
    size_t size = 0;
    size_t offset = records->offset[record];
    enum csn_wire_status status =
        csr_tokenize(state->policy, records->text + offset, records->offset[record + 1] - offset,
                     expected, sizeof expected, &size);
    return state->size[i] != UINT32_MAX && status == CSN_WIRE_STATUS_OK &&
           csr_compare(expected, size, state->kept + state->place[i], state->size[i], &opener);
}

static void consumer_compare(struct consumer_state *state)
{
    struct demo_compared compared = {0};
    for (uint64_t i = 0; i < state->go.count; i++) {
        compared.compared++;
        compared.mismatches += consumer_same(state, i) ? 0 : 1;
        const uint64_t step[2] = {i + 1, state->go.count};
        if (i % CONSUMER_STEP == CONSUMER_STEP - 1) {
            (void)demo_send(state->setup->control, DEMO_STEP, step, sizeof step);
        }
    }
    if (state->size[0] != UINT32_MAX && state->size[0] != 0) {
        state->kept[state->place[0] + state->size[0] / 2] ^= 1; /* must be noticed */
        compared.planted_found = consumer_same(state, 0) ? 0 : 1;
    }
    (void)demo_send(state->setup->control, DEMO_COMPARE, &compared, sizeof compared);
}

static void consumer_ratio(struct consumer_state *state, uint64_t count)
{
    double rate = 0;
    if (csr_pipeline_loop(state->policy, state->setup->job->seed, count, &rate) != CSN_OK) {
        demo_die(state->setup->control, "the loop to compare with failed");
    }
    (void)demo_send(state->setup->control, DEMO_RATIO, &rate, sizeof rate);
}

/* ---- */

static void consumer_start(struct consumer_state *state)
{
    const struct demo_consumer_setup *setup = state->setup;
    const struct csv_opener_options options = {
        .consumer = setup->consumer, .grant_version_min = 1, .grant_digest = setup->grant_digest};
    char error[CSR_ERROR_SIZE] = "";
    uint64_t count = setup->records->count;
    uint32_t largest = csv_record_size(setup->records->size_max, 0);
    state->policy = csr_policy_load(setup->job->policy, setup->job->policy_size, setup->tenant->id,
                                    setup->tenant->domain_secret, error);
    size_t expected = setup->records->offset[count] * 3 / 2; /* bytes of outputs, about */
    state->kept_size = count * (2 * (size_t)largest + 1024);
    state->buffer = malloc(CONSUMER_BUFFER_SIZE);
    state->plain = malloc((size_t)CONSUMER_BATCH * CONSUMER_PLAIN_MAX);
    state->kept = malloc(state->kept_size);
    state->place = calloc(count, sizeof *state->place);
    state->size = calloc(count, sizeof *state->size);
    state->latency = calloc(count, sizeof *state->latency);
    if (state->policy == NULL || csv_opener_create(&options, &state->opener) != CSN_OK ||
        !state->buffer || !state->plain || !state->kept || !state->place || !state->size ||
        !state->latency) {
        demo_die(setup->control, "cannot start the consumer: %s", error);
    }
    /* Touched before the clock runs: it is kept for the comparison, which no consumer would do. */
    memset(state->kept, 0, expected < state->kept_size ? expected : state->kept_size);
    memset(state->buffer, 0, CONSUMER_BUFFER_SIZE);
    memset(state->latency, 0, count * sizeof *state->latency);
    memset(state->place, 0, count * sizeof *state->place);
}

void demo_consumer(const struct demo_consumer_setup *setup)
{
    static struct consumer_state state;
    state.setup = setup;
    consumer_start(&state);
    struct demo_message *in = &state.in;
    uint32_t head[2];
    while (cli_read_exactly(setup->control, head, sizeof head) && head[1] <= sizeof in->bytes &&
           cli_read_exactly(setup->control, in->bytes, head[1])) {
        if (head[0] == DEMO_GO && head[1] == sizeof state.go) {
            memcpy(&state.go, in->bytes, sizeof state.go);
            if (state.go.count > setup->records->count) {
                demo_die(setup->control, "more records than there are");
            }
            consumer_phase(&state);
        } else if (head[0] == DEMO_COMPARE) {
            consumer_compare(&state);
        } else if (head[0] == DEMO_RATIO && head[1] == 8) {
            uint64_t count;
            memcpy(&count, in->bytes, sizeof count);
            consumer_ratio(&state, count);
        } else {
            demo_die(setup->control, "an unexpected request");
        }
    }
    _exit(0);
}
