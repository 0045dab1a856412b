/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_request.c: what a request asks for, from JSON. Strict: a member that is not known, or has a
 * value that would have to be ignored, refuses the request with its place.
 */
#include "mod_state.h"

#define NODES_FIRST 256u
#define ESCAPED_MAX 6u /* bytes of JSON that say one: \uXXXX */

static bool take_tables(struct cse_call *call, struct csn_json *json, uint32_t count)
{
    json->nodes = cse_scratch(call, count * (uint32_t)sizeof *json->nodes);
    json->hashes = cse_scratch(call, count * (uint32_t)sizeof *json->hashes);
    json->owners = cse_scratch(call, count * (uint32_t)sizeof *json->owners);
    json->node_max = count;
    return json->nodes != NULL && json->hashes != NULL && json->owners != NULL;
}

cse_status mod_scan(struct cse_call *call, const uint8_t *text, uint32_t size,
                    struct csn_json *json)
{
    *json = (struct csn_json){.text = text, .size = size};
    if (!take_tables(call, json, NODES_FIRST)) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    enum csn_json_reason reason = csn_json_scan(json);
    if (reason == CSN_JSON_SPACE) { /* as many as there can be */
        if (!take_tables(call, json, csn_json_bound(text, size))) {
            return CSN_WIRE_STATUS_LIMIT;
        }
        reason = csn_json_scan(json);
    }
    if (reason == CSN_JSON_OK) {
        return CSN_WIRE_STATUS_OK;
    }
    cse_fail_at(call, json->offset);
    return reason == CSN_JSON_DEPTH ? CSN_WIRE_STATUS_LIMIT : CSN_WIRE_STATUS_MALFORMED;
}

/* ---- values ---- */

/* Digits in front and behind the point, as one whole number; further ones only count. */
static uint32_t read_digits(const uint8_t *text, uint32_t size, uint32_t at, uint64_t *digits,
                            int32_t *exponent, int32_t each)
{
    for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) {
        if (*digits < UINT64_C(100000000000000000)) {
            *digits = *digits * 10 + (uint64_t)(text[at] - '0');
            *exponent += each;
        } else {
            *exponent += each + 1;
        }
    }
    return at;
}

double mod_number(const uint8_t *text, uint32_t size)
{
    uint64_t digits = 0;
    int32_t exponent = 0;
    int32_t power = 0;
    const bool is_negative = text[0] == '-';
    uint32_t at = read_digits(text, size, is_negative ? 1 : 0, &digits, &exponent, 0);
    if (at < size && text[at] == '.') {
        at = read_digits(text, size, at + 1, &digits, &exponent, -1);
    }
    if (at < size) { /* e or E */
        const bool is_below = text[at + 1] == '-';
        at += text[at + 1] == '-' || text[at + 1] == '+' ? 2 : 1;
        for (; at < size && power < 1000; at++) {
            power = power * 10 + text[at] - '0';
        }
        exponent += is_below ? -power : power;
    }
    exponent = digits == 0 ? 0 : exponent;
    double scale = 1; /* powers to 10^22 are exact */
    int32_t steps = exponent < 0 ? -exponent : exponent;
    for (steps = steps > 350 ? 350 : steps; steps > 0; steps--) {
        scale *= 10;
    }
    const double number = exponent < 0 ? (double)digits / scale : (double)digits * scale;
    return is_negative ? -number : number;
}

static bool read_range(const struct mod_request *request, uint32_t node, double least, double most,
                       double *number)
{
    const struct csn_json_node *value = &request->nodes[node];
    if (value->kind != CSN_JSON_NUMBER) {
        return false;
    }
    *number = mod_number(request->text + value->begin, value->end - value->begin);
    return *number >= least && *number <= most;
}

static bool read_count(const struct mod_request *request, uint32_t node, double least, double most,
                       uint64_t *count)
{
    double number;
    if (!read_range(request, node, least, most, &number)) {
        return false;
    }
    *count = (uint64_t)number;
    return (double)*count == number;
}

static bool read_bool(const struct mod_request *request, uint32_t node, bool *truth)
{
    *truth = request->nodes[node].kind == CSN_JSON_TRUE;
    return *truth || request->nodes[node].kind == CSN_JSON_FALSE;
}

static bool is_name(const struct mod_request *request, uint32_t node, const char *name)
{
    const struct csn_json_node *member = &request->nodes[node];
    return csn_json_equal(request->text + member->name, member->name_size, (const uint8_t *)name,
                          (uint32_t)__builtin_strlen(name));
}

/* ---- members ---- */

static bool read_prompt(struct mod_request *request, uint32_t node)
{
    const struct csn_json_node *value = &request->nodes[node];
    if (value->kind == CSN_JSON_ARRAY) { /* of one */
        node = csn_json_child(request->nodes, node);
        if (node == 0 || request->nodes[node].next != 0) {
            return false;
        }
    }
    request->prompt = node;
    return request->nodes[node].kind == CSN_JSON_STRING;
}

static bool read_messages(struct mod_request *request, uint32_t node)
{
    request->prompt = node;
    return request->nodes[node].kind == CSN_JSON_ARRAY && csn_json_child(request->nodes, node) != 0;
}

static bool read_tokens(struct mod_request *request, uint32_t node)
{
    uint64_t count;
    const bool is_good = read_count(request, node, 1, 1e6, &count);
    request->token_max = is_good ? (uint32_t)count : 0;
    return is_good;
}

static bool read_temperature(struct mod_request *request, uint32_t node)
{
    double number;
    if (!read_range(request, node, 0, (double)CSN_SAMPLE_TEMPERATURE_MAX, &number)) {
        return false;
    }
    request->sample.temperature =
        number < (double)CSN_SAMPLE_TEMPERATURE_MIN ? 0.0f : (float)number;
    return true;
}

static bool read_top_p(struct mod_request *request, uint32_t node)
{
    double number;
    if (!read_range(request, node, 0, 1, &number)) {
        return false;
    }
    request->sample.top_p = (float)number;
    return true;
}

static bool read_top_k(struct mod_request *request, uint32_t node)
{
    uint64_t count;
    const bool is_good = read_count(request, node, 0, 1e6, &count);
    request->sample.top_k = is_good ? (uint32_t)count : 0;
    return is_good;
}

static bool read_seed(struct mod_request *request, uint32_t node)
{
    request->has_seed = true;
    return read_count(request, node, 0, 9007199254740991.0, &request->sample.seed);
}

static bool add_stop(struct mod_request *request, uint32_t node)
{
    const struct csn_json_node *value = &request->nodes[node];
    struct csn_stop *stop = &request->stop;
    uint8_t text[ESCAPED_MAX * CSN_STOP_SIZE_MAX];
    if (value->kind != CSN_JSON_STRING || stop->count == CSN_STOP_COUNT_MAX ||
        value->end - value->begin - 2 > sizeof text) {
        return false;
    }
    const uint32_t size =
        csn_json_decode(request->text + value->begin + 1, value->end - value->begin - 2, text);
    const bool is_good = size != 0 && size <= CSN_STOP_SIZE_MAX;
    if (is_good) {
        __builtin_memcpy(stop->strings[stop->count], text, size);
        stop->sizes[stop->count++] = size;
    }
    csn_wipe(text, sizeof text);
    return is_good;
}

static bool read_stop(struct mod_request *request, uint32_t node)
{
    if (request->nodes[node].kind == CSN_JSON_STRING) {
        return add_stop(request, node);
    }
    bool is_good = request->nodes[node].kind == CSN_JSON_ARRAY;
    for (uint32_t i = csn_json_child(request->nodes, node); is_good && i != 0;
         i = request->nodes[i].next) {
        is_good = add_stop(request, i);
    }
    return is_good;
}

static bool read_stream(struct mod_request *request, uint32_t node)
{
    return read_bool(request, node, &request->is_stream);
}

static bool read_stream_options(struct mod_request *request, uint32_t node)
{
    bool is_good = request->nodes[node].kind == CSN_JSON_OBJECT;
    for (uint32_t i = csn_json_child(request->nodes, node); is_good && i != 0;
         i = request->nodes[i].next) {
        is_good =
            is_name(request, i, "include_usage") && read_bool(request, i, &request->wants_usage);
    }
    return is_good;
}

/* What is not here may only be said to be off. */
static bool is_zero(struct mod_request *request, uint32_t node)
{
    double number;
    return read_range(request, node, 0, 0, &number);
}

static bool is_one(struct mod_request *request, uint32_t node)
{
    double number;
    return read_range(request, node, 1, 1, &number);
}

static bool is_false(struct mod_request *request, uint32_t node)
{
    return request->nodes[node].kind == CSN_JSON_FALSE;
}

static bool is_text(struct mod_request *request, uint32_t node)
{
    return request->nodes[node].kind == CSN_JSON_STRING;
}

#define IN_TEXT 1u
#define IN_TALK 2u
static const struct {
    const char *name;
    uint32_t where;
    bool (*read)(struct mod_request *request, uint32_t node);
} members[] = {
    {"prompt", IN_TEXT, read_prompt},
    {"messages", IN_TALK, read_messages},
    {"model", IN_TEXT | IN_TALK, is_text}, /* the grant says which one it is */
    {"user", IN_TEXT | IN_TALK, is_text},
    {"max_tokens", IN_TEXT | IN_TALK, read_tokens},
    {"max_completion_tokens", IN_TALK, read_tokens},
    {"temperature", IN_TEXT | IN_TALK, read_temperature},
    {"top_p", IN_TEXT | IN_TALK, read_top_p},
    {"top_k", IN_TEXT | IN_TALK, read_top_k},
    {"seed", IN_TEXT | IN_TALK, read_seed},
    {"stop", IN_TEXT | IN_TALK, read_stop},
    {"stream", IN_TEXT | IN_TALK, read_stream},
    {"stream_options", IN_TEXT | IN_TALK, read_stream_options},
    {"n", IN_TEXT | IN_TALK, is_one},
    {"best_of", IN_TEXT, is_one},
    {"echo", IN_TEXT, is_false},
    {"logprobs", IN_TEXT | IN_TALK, is_false},
    {"presence_penalty", IN_TEXT | IN_TALK, is_zero},
    {"frequency_penalty", IN_TEXT | IN_TALK, is_zero},
};

static bool read_member(struct mod_request *request, uint32_t node, bool is_talk)
{
    const uint32_t where = is_talk ? IN_TALK : IN_TEXT;
    for (uint32_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if ((members[i].where & where) != 0 && is_name(request, node, members[i].name)) {
            return request->nodes[node].kind == CSN_JSON_NULL || members[i].read(request, node);
        }
    }
    return false;
}

cse_status mod_read_request(struct cse_call *call, const struct csn_json *json, bool is_talk,
                            struct mod_request *request)
{
    *request = (struct mod_request){
        .text = json->text, .nodes = json->nodes, .sample = {.temperature = 1, .top_p = 1}};
    if (json->nodes[0].kind != CSN_JSON_OBJECT) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    for (uint32_t i = csn_json_child(json->nodes, 0); i != 0; i = json->nodes[i].next) {
        if (!read_member(request, i, is_talk)) {
            cse_fail_at(call, json->nodes[i].begin);
            return CSN_WIRE_STATUS_MALFORMED;
        }
    }
    if (request->prompt == 0 || (request->wants_usage && !request->is_stream)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (request->sample.top_p <= 0) { /* the likeliest alone */
        request->sample.top_k = 1;
        request->sample.top_p = 1;
    }
    return CSN_WIRE_STATUS_OK;
}
