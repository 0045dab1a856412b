/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: one request over HTTP: whose it is, what it asks for, and its response.
 *
 * Order:  who first, so that without a credential nothing is learnt of the service; then path,
 *         method and type; a challenge is used up last, before the operation runs.
 * Shape:  a response's head is written before the handler runs, because the handler writes right
 *         behind it: the length of its content has four bytes, whatever it will be.
 */
#include "http.h"
#include "../ohttp/authorize.h"
#include "held.h"

#define LENGTH_SIZE 4u /* of a varint below 2^30 */
#define ALLOW_MAX   64u
#define PURPOSE_MAX 63u

/* The one header of that name: *value, or NULL if there is none. False: there are several. */
static bool read_header(const struct csn_bhttp_message *message, const char *name,
                        const struct csn_bhttp_text **value)
{
    uint32_t count = 0;
    *value = NULL;
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (csn_bhttp_is_name(&message->fields[i].name, name)) {
            *value = &message->fields[i].value;
            count++;
        }
    }
    return count <= 1;
}

/* ---- who ---- */

/* One refusal for all that can be wrong: whether tenant or credential exist is not said. */
static enum cse_refusal check_shown(struct cse_call *call, const struct cse_http *http,
                                    const struct csn_authorization *shown)
{
    struct cse_tenant *tenant = cse_tenant_find(call->session, shown->tenant);
    const struct csn_wire_credential *credential =
        tenant != NULL ? cse_credential_find(tenant->grant, shown->credential) : NULL;
    if (credential == NULL || csn_authorize_check(shown, &http->message, http->encapsulation,
                                                  credential->secret) != CSN_OK) {
        return CSE_REFUSAL_CREDENTIAL;
    }
    uint32_t right =
        shown->way == CSN_AUTHORIZE_BEARER ? CSN_WIRE_RIGHT_BEARER : CSN_WIRE_RIGHT_REQUEST;
    if ((credential->rights & right) == 0) {
        return CSE_REFUSAL_WAY;
    }
    call->answer.tenant = tenant;
    call->credential = credential;
    return CSE_REFUSAL_NONE;
}

static enum cse_refusal authorize(struct cse_call *call, const struct cse_http *http)
{
    struct csn_authorization shown;
    if (csn_authorize_read(&http->message, &shown) != CSN_OK) {
        return CSE_REFUSAL_CREDENTIAL;
    }
    enum cse_refusal refusal = check_shown(call, http, &shown);
    csn_wipe(&shown, sizeof shown); /* a bearer's proof is as good as its secret */
    return refusal;
}

/* ---- what ---- */

/* Methods of this path, with commas between them. */
static void list_methods(const struct cse_service *service, const struct csn_bhttp_text *path,
                         uint8_t bytes[ALLOW_MAX], struct csn_bhttp_text *allow)
{
    *allow = (struct csn_bhttp_text){bytes, 0};
    struct csn_bhttp_text name;
    for (uint32_t i = 0; i < service->route_count; i++) {
        const struct csn_bhttp_text method = csn_bhttp_text(service->routes[i].method);
        if (!cse_path_fits(service->routes[i].path, path, &name) ||
            allow->size + method.size + 2 > ALLOW_MAX) {
            continue;
        }
        if (allow->size != 0) {
            bytes[allow->size++] = ',';
            bytes[allow->size++] = ' ';
        }
        __builtin_memcpy(bytes + allow->size, method.bytes, method.size);
        allow->size += method.size;
    }
}

/* The type itself, in any case; what stands behind a semicolon are parameters. */
static bool is_type(const struct csn_bhttp_text *value, const char *type)
{
    struct csn_bhttp_text essence = {value->bytes, 0};
    while (essence.size < value->size && value->bytes[essence.size] != ';') {
        essence.size++;
    }
    while (essence.size != 0 &&
           (essence.bytes[essence.size - 1] == ' ' || essence.bytes[essence.size - 1] == '\t')) {
        essence.size--;
    }
    return csn_bhttp_is_name(&essence, type);
}

static enum cse_refusal check_type(const struct cse_route *route,
                                   const struct csn_bhttp_message *message)
{
    const struct csn_bhttp_text *type;
    if (route->input_type == NULL) {
        return CSE_REFUSAL_NONE;
    }
    if (!read_header(message, "content-type", &type)) {
        return CSE_REFUSAL_TWICE;
    }
    return type != NULL && is_type(type, route->input_type) ? CSE_REFUSAL_NONE : CSE_REFUSAL_TYPE;
}

static enum cse_refusal find_route(const struct cse_service *service, struct cse_http *http,
                                   const struct cse_route **found)
{
    const struct csn_bhttp_message *message = &http->message;
    bool known = false;
    for (uint32_t i = 0; i < service->route_count; i++) {
        const struct cse_route *route = &service->routes[i];
        if (!cse_path_fits(route->path, &message->path, &http->name)) {
            continue;
        }
        known = true;
        if (csn_bhttp_is(&message->method, route->method)) {
            *found = route;
            return check_type(route, message);
        }
    }
    return known ? CSE_REFUSAL_METHOD : CSE_REFUSAL_PATH;
}

/* A record has said it; a sealed request says it in a header, or means the general one. */
static enum cse_refusal read_purpose(struct cse_http *http)
{
    const struct csn_bhttp_text *value;
    if (!read_header(&http->message, "caisson-purpose", &value)) {
        return CSE_REFUSAL_TWICE;
    }
    if (value == NULL) {
        return CSE_REFUSAL_NONE;
    }
    uint32_t number = 0;
    for (uint32_t i = 0; i < value->size; i++) {
        uint8_t digit = (uint8_t)(value->bytes[i] - '0');
        number = number * 10 + digit;
        if (digit > 9 || number > PURPOSE_MAX) {
            return CSE_REFUSAL_PURPOSE;
        }
    }
    if (value->size == 0 || (http->encapsulation == NULL && number != http->purpose)) {
        return CSE_REFUSAL_PURPOSE;
    }
    http->purpose = number;
    return CSE_REFUSAL_NONE;
}

/* ---- once only ---- */

static bool read_hex(const struct csn_bhttp_text *text, uint8_t *bytes, uint32_t size)
{
    if (text->size != 2 * size) {
        return false;
    }
    for (uint32_t i = 0; i < text->size; i++) {
        const uint8_t byte = csn_bhttp_lower(text->bytes[i]);
        const bool is_letter = byte >= 'a' && byte <= 'f';
        if (!is_letter && (byte < '0' || byte > '9')) {
            return false;
        }
        const uint8_t digit = (uint8_t)(is_letter ? byte - 'a' + 10 : byte - '0');
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
    }
    return true;
}

/* Who shows a challenge has it used up, needed or not. A record is once only by its own mode. */
static enum cse_refusal take_challenge(struct cse_call *call, const struct cse_http *http)
{
    const struct cse_session *session = call->session;
    const struct csn_bhttp_text *value;
    struct csn_wire_challenge challenge;
    if (!read_header(&http->message, "caisson-challenge", &value)) {
        return CSE_REFUSAL_TWICE;
    }
    if (value == NULL) {
        bool needed = http->encapsulation != NULL &&
                      (session->manifest->flags & CSN_WIRE_FLAG_DETERMINISTIC) == 0;
        return needed ? CSE_REFUSAL_CHALLENGE : CSE_REFUSAL_NONE;
    }
    if (!read_hex(value, (uint8_t *)&challenge, sizeof challenge)) {
        return CSE_REFUSAL_CHALLENGE;
    }
    return cse_challenge_take(call->session, call->answer.tenant, &challenge) ? CSE_REFUSAL_NONE
                                                                              : CSE_REFUSAL_USED;
}

/* ---- the response ---- */

csn_err cse_http_head(const char *type, uint8_t *bytes, uint32_t room, uint32_t *size)
{
    const struct csn_bhttp_message head = {
        .is_response = true,
        .status = 200,
        .fields[0] = {csn_bhttp_text("content-type"), csn_bhttp_text(type)},
        .header_count = 1,
    };
    CSN_TRY(csn_bhttp_write(&head, bytes, room, size));
    *size -= 2; /* the lengths of content and trailers, both 0 */
    return CSN_OK;
}

/* Everything before the content, into the first output. False: there is no room. */
static bool begin_response(struct cse_call *call, const struct cse_route *route)
{
    uint8_t *bytes = cse_answer_payload(&call->session->pending[call->first]);
    const uint32_t room = cse_call_room(call);
    uint32_t size;
    if (cse_http_head(route->output_type, bytes, room, &size) != CSN_OK) {
        return false;
    }
    call->offset = size + LENGTH_SIZE;
    return call->offset < room;
}

/* For the type that the answer has: its head is no longer than the one that was begun with. */
static bool begin_again(struct cse_call *call, const char *type, uint32_t *begin)
{
    uint8_t *bytes = cse_answer_payload(&call->session->pending[call->first]);
    uint32_t size;
    if (cse_http_head(type, bytes, call->offset, &size) != CSN_OK) {
        return false;
    }
    *begin = size + LENGTH_SIZE;
    return *begin <= call->offset;
}

/* The content is there: its length before it, and behind it that there are no trailers. */
static void end_response(struct cse_call *call, uint32_t size)
{
    struct cse_pending *first = &call->session->pending[call->first];
    const uint32_t length = size - call->offset;
    uint8_t *at = cse_answer_payload(first) + call->offset - LENGTH_SIZE;
    at[0] = (uint8_t)(0x80 | length >> 24);
    at[1] = (uint8_t)(length >> 16);
    at[2] = (uint8_t)(length >> 8);
    at[3] = (uint8_t)length;
}

/* What the handler wrote, joined: *size bytes over *count outputs. */
static enum cse_refusal run(struct cse_call *call, struct cse_http *http,
                            const struct cse_route *route, uint32_t *size, uint32_t *count)
{
    const struct csn_bhttp_text *content = &http->message.content;
    const struct csn_wire_prelude prelude = {
        .operation = route->operation, .payload_size = content->size, .purpose = http->purpose};
    uint32_t main_size = 0;
    http->type = route->output_type;
    if (!begin_response(call, route)) {
        return (enum cse_refusal)CSN_WIRE_STATUS_TOO_LARGE;
    }
    enum csn_wire_status status =
        cse_run(call, &prelude, content->size != 0 ? content->bytes : http->bytes,
                cse_spread_main(call), cse_call_room(call) - call->offset - 1, &main_size);
    if (status != CSN_WIRE_STATUS_OK) {
        return (enum cse_refusal)status;
    }
    *count = http->joined ? 1 : call->emitted_count + 1;
    uint32_t begin = call->offset;
    if (http->type != route->output_type && !begin_again(call, http->type, &begin)) {
        return (enum cse_refusal)CSN_WIRE_STATUS_INTERNAL;
    }
    *size = cse_spread_join(call, main_size, begin);
    call->offset = begin;
    if (*size >= cse_call_room(call) * *count) {
        return (enum cse_refusal)CSN_WIRE_STATUS_TOO_LARGE;
    }
    end_response(call, *size);
    return CSE_REFUSAL_NONE;
}

static enum cse_refusal serve(struct cse_call *call, struct cse_http *http,
                              struct cse_problem *problem, uint32_t *size, uint32_t *count)
{
    const struct cse_route *route = NULL;
    if (csn_bhttp_read(http->bytes, http->size, &http->message, &problem->offset) != CSN_OK ||
        http->message.is_response) {
        problem->has_offset = true;
        return CSE_REFUSAL_MESSAGE;
    }
    enum cse_refusal refusal = CSE_REFUSAL_NONE;
    if (http->encapsulation != NULL) {
        refusal = authorize(call, http);
    }
    if (refusal == CSE_REFUSAL_NONE && call->credential->consumer != CSN_WIRE_CONSUMER_NONE) {
        refusal = CSE_REFUSAL_CONSUMER;
    }
    if (refusal == CSE_REFUSAL_NONE) {
        refusal = find_route(call->session->options.service, http, &route);
    }
    if (refusal == CSE_REFUSAL_NONE) {
        refusal = read_purpose(http);
    }
    if (refusal == CSE_REFUSAL_NONE) {
        refusal = take_challenge(call, http);
    }
    return refusal == CSE_REFUSAL_NONE ? run(call, http, route, size, count) : refusal;
}

enum csn_wire_status cse_http_serve(struct cse_call *call, struct cse_http *http, uint32_t *size,
                                    uint32_t *count)
{
    uint8_t methods[ALLOW_MAX];
    struct cse_problem problem = {.has_offset = false};
    cse_spread_begin(call);
    call->http = http;
    problem.refusal = serve(call, http, &problem, size, count);
    if (call->held != NULL) {
        call->held->type = http->type; /* http is gone by then */
        return CSE_LATER;
    }
    csn_err written = CSN_OK;
    if (problem.refusal != CSE_REFUSAL_NONE) {
        uint8_t *bytes = cse_answer_payload(&call->session->pending[call->first]);
        if (problem.refusal <= CSE_REFUSAL_STATUS_LAST) {
            problem.has_offset = call->has_detail;
            problem.offset = call->detail;
        }
        list_methods(call->session->options.service, &http->message.path, methods, &problem.allow);
        *count = 1;
        written = cse_problem_write(&problem, bytes, cse_call_room(call), size);
    }
    cse_spread_end(call, *count);
    if (written == CSN_OK) {
        return CSN_WIRE_STATUS_OK;
    }
    return problem.refusal <= CSE_REFUSAL_STATUS_LAST ? (enum csn_wire_status)problem.refusal
                                                      : CSN_WIRE_STATUS_TOO_LARGE;
}
