/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticker.c: a small enclave whose answers come in parts, for tests and to be read.
 *
 * Operation 1, or POST /v1/ticks: "COUNT ALLOWED TEXT" is answered by COUNT parts, each with its
 * number and the text, as an event stream. Only ALLOWED of them come by themselves; the others wait
 * for operation 2, or POST /v1/allow/N, which allows N more to each of the tenant's streams, so
 * that a test can see one part arrive before the next one is made. The text "fail" ends in a
 * failure behind the last part, "plain" is answered as text/plain, "regret" is held and then
 * refused after all.
 *
 * Trust: the text is a tenant's; it is kept until its stream is over, and wiped then.
 */
#include "ticker.h"
#include <string.h>

static bool is_over(const struct ticker *ticker)
{
    return ticker->left == 0;
}

static bool is_text(const uint8_t *bytes, uint32_t size, const char *text)
{
    uint32_t same = 0;
    while (same < size && text[same] != 0 && bytes[same] == (uint8_t)text[same]) {
        same++;
    }
    return same == size && text[same] == 0;
}

/* A number of at most six digits and a blank, or the end. */
static bool take_number(const uint8_t *input, uint32_t size, uint32_t *at, uint32_t *number)
{
    const uint32_t start = *at;
    *number = 0;
    while (*at < size && *at - start < 6 && input[*at] >= '0' && input[*at] <= '9') {
        *number = *number * 10 + (uint32_t)(input[(*at)++] - '0');
    }
    return *at != start && (*at == size || input[(*at)++] == ' ');
}

static cse_status ticks(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                        uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)output, (void)output_size_max, (void)output_size;
    struct ticker_state *state = cse_worker_state(call);
    uint32_t at = 0;
    uint32_t count;
    uint32_t allowed;
    if (!take_number(input, input_size, &at, &count) ||
        !take_number(input, input_size, &at, &allowed)) {
        cse_fail_at(call, at);
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (input_size - at > sizeof state->tickers[0].text) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    struct cse_held *held = cse_hold(call);
    if (held == NULL) {
        return CSN_WIRE_STATUS_BUSY;
    }
    if (is_text(input + at, input_size - at, "regret")) {
        return CSN_WIRE_STATUS_POLICY;
    }
    struct ticker *ticker = &state->tickers[cse_held_index(held)];
    *ticker = (struct ticker){
        .held = held, .left = count, .allowed = allowed, .text_size = input_size - at};
    memcpy(ticker->text, input + at, ticker->text_size);
    memcpy(ticker->tenant, cse_tenant(call), sizeof ticker->tenant);
    if (is_text(ticker->text, ticker->text_size, "plain")) {
        cse_answer_type(call, "text/plain");
    }
    return CSE_LATER;
}

static cse_status allow(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                        uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)output, (void)output_size_max;
    struct ticker_state *state = cse_worker_state(call);
    uint32_t size;
    const char *name = cse_route_name(call, &size);
    uint32_t at = 0;
    uint32_t more;
    if (name != NULL) {
        input = (const uint8_t *)name;
        input_size = size;
    }
    if (!take_number(input, input_size, &at, &more)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    for (uint32_t i = 0; i < TICKER_COUNT; i++) {
        struct ticker *ticker = &state->tickers[i];
        if (ticker->held != NULL &&
            memcmp(ticker->tenant, cse_tenant(call), sizeof ticker->tenant) == 0) {
            ticker->allowed += more;
        }
    }
    *output_size = 0;
    return CSN_WIRE_STATUS_OK;
}

/* "data: 17 TEXT" and an empty line. */
static uint32_t write_tick(const struct ticker *ticker, uint8_t *at)
{
    static const char head[] = "data: ";
    uint8_t digits[10];
    uint32_t count = 0;
    uint32_t size = sizeof head - 1;
    memcpy(at, head, size);
    for (uint32_t number = ticker->done + 1; number != 0; number /= 10) {
        digits[count++] = (uint8_t)('0' + number % 10);
    }
    while (count != 0) {
        at[size++] = digits[--count];
    }
    at[size++] = ' ';
    memcpy(at + size, ticker->text, ticker->text_size);
    size += ticker->text_size;
    at[size++] = '\n';
    at[size++] = '\n';
    return size;
}

/* One part of one stream, or its end. True: there is more of it that may be sent. */
static bool tick(struct ticker *ticker)
{
    uint8_t part[TICKER_PART_MAX];
    if (is_over(ticker)) {
        cse_held_finish(ticker->held,
                        is_text(ticker->text, ticker->text_size, "fail") ? CSN_WIRE_STATUS_INTERNAL
                                                                         : CSN_WIRE_STATUS_OK,
                        NULL, 0);
        memset(ticker, 0, sizeof *ticker);
        return false;
    }
    if (ticker->allowed == 0 || !cse_held_room(ticker->held)) {
        return false;
    }
    csn_err sent = cse_held_emit(ticker->held, part, write_tick(ticker, part));
    if (sent == CSN_ERR_SPACE) { /* longer than its class, or than what can be collected */
        cse_held_finish(ticker->held, CSN_WIRE_STATUS_TOO_LARGE, NULL, 0);
        memset(ticker, 0, sizeof *ticker);
        return false;
    }
    ticker->done++;
    ticker->left--;
    ticker->allowed--;
    return is_over(ticker) || ticker->allowed != 0;
}

static bool step(void *worker_state, struct cse_step *step)
{
    struct ticker_state *state = worker_state;
    bool more = false;
    (void)step;
    for (uint32_t i = 0; i < TICKER_COUNT; i++) {
        if (state->tickers[i].held != NULL && tick(&state->tickers[i])) {
            more = true;
        }
    }
    return more;
}

static void dropped(void *worker_state, uint32_t index)
{
    struct ticker_state *state = worker_state;
    memset(&state->tickers[index], 0, sizeof state->tickers[index]);
    state->drop_count++;
}

static const struct cse_operation operations[] = {
    {1, CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, ticks},
    {2, CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, allow},
};

static const struct cse_route routes[] = {
    {"POST", "/v1/ticks", 1, NULL, "text/event-stream"},
    {"POST", "/v1/allow/{}", 2, NULL, "text/plain"},
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .purpose_mask = 1,
    .step = step,
    .dropped = dropped,
};

CSE_MANIFEST(.name = "ticker", .security_version = 1, .stack_size = 0x10000, .pool_size = 0x2000000,
             .worker_count = 1, .channel_count = 2, .input_line_count = 4096,
             .output_line_count = 8192, .input_size_max = 66048, .output_size_max = 131072 + 1024,
             .outputs_per_input_max = 1, .tenant_count_max = 8, .context_count_max = 64,
             .credential_count_max = 8, .consumer_count_max = 4, .scratch_size = 0x1000,
             .output_scale = 16, .output_extra = 4096,
             .worker_state_size = sizeof(struct ticker_state), .held_max = TICKER_COUNT);
