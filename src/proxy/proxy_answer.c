/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_answer.c: what the listener's clients get: responses, problems, and the proxy's own state.
 */
#include "proxy_state.h"
#include "json/json.h"
#include <stdio.h>
#include <string.h>

#define HEAD_MORE_MAX 4u   /* of struct csn_answer_head */
#define HEAD_SIZE_MAX 1536 /* bytes of fields that are passed on */
#define JSON_SIZE_MAX (8u * CSV_CALL_DETAIL_SIZE)

/* ---- responses ---- */

/* Fields of one connection, and those that the front writes itself. */
static bool is_passed_on(const struct csn_http1_text *name)
{
    static const char *const names[] = {
        "connection", "content-length",    "date",    "keep-alive",   "proxy-connection",
        "trailer",    "transfer-encoding", "upgrade", "content-type", "cache-control"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        found = found || csn_http1_is(name, names[i]);
    }
    return !found;
}

static const char *copy(char *target, size_t room, const struct csn_http1_text *text)
{
    if (text->size >= room) {
        return NULL;
    }
    memcpy(target, text->bytes, text->size);
    target[text->size] = 0;
    return target;
}

struct head {
    struct csn_answer_head head;
    char type[256];
    char cache[256];
};

static void make_head(const struct csv_call_response *response, bool has_content, struct head *made)
{
    size_t size = 0;
    struct csn_answer_head head = {.status = response->status};
    if (has_content) {
        head.content_type = "application/octet-stream";
    }
    for (uint32_t i = 0; i < response->field_count; i++) {
        const struct csv_call_field *field = &response->fields[i];
        const struct csn_http1_text name = {field->name, field->name_size};
        const struct csn_http1_text value = {field->value, field->value_size};
        if (csn_http1_is(&name, "content-type") && has_content) {
            const char *copied = copy(made->type, sizeof made->type, &value);
            head.content_type = copied != NULL ? copied : head.content_type;
        } else if (csn_http1_is(&name, "cache-control")) {
            head.cache_control = copy(made->cache, sizeof made->cache, &value);
        } else if (is_passed_on(&name) && head.more_count < HEAD_MORE_MAX &&
                   size + name.size + value.size < HEAD_SIZE_MAX) {
            size += name.size + value.size;
            head.more[head.more_count++] = (struct csn_http1_field){name, value};
        }
    }
    made->head = head;
}

void csv_proxy_answer(struct csn_exchange *exchange, const struct csv_call_response *response)
{
    struct head made;
    make_head(response, response->content_size != 0, &made);
    csn_exchange_answer(exchange, &made.head, response->content, response->content_size);
}

void csv_proxy_begin(struct csn_exchange *exchange, const struct csv_call_response *response)
{
    struct head made;
    make_head(response, true, &made);
    csn_exchange_begin(exchange, &made.head);
}

/* ---- JSON ---- */

struct text {
    char bytes[JSON_SIZE_MAX];
    size_t size;
};

static void put(struct text *text, const char *string)
{
    size_t size = strlen(string);
    size = size < sizeof text->bytes - text->size ? size : sizeof text->bytes - text->size;
    memcpy(text->bytes + text->size, string, size);
    text->size += size;
}

static void put_name(struct text *text, const char *name)
{
    put(text, text->size > 1 ? ",\"" : "\"");
    put(text, name);
    put(text, "\":");
}

static void put_string(struct text *text, const char *name, const char *value)
{
    size_t room = sizeof text->bytes - text->size;
    put_name(text, name);
    put(text, "\"");
    room = sizeof text->bytes - text->size;
    uint32_t size = csn_json_encode((const uint8_t *)value, (uint32_t)strlen(value),
                                    (uint8_t *)text->bytes + text->size, (uint32_t)room);
    text->size += size < room ? size : room;
    put(text, "\"");
}

static void put_number(struct text *text, const char *name, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_name(text, name);
    put(text, digits);
}

static void put_hex(struct text *text, const char *name, const uint8_t *bytes, size_t size)
{
    char hex[2 * 48 + 1];
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
    put_string(text, name, hex);
}

/* ---- problems ---- */

void csv_proxy_problem(struct csn_exchange *exchange, const struct csv_call_problem *problem)
{
    struct text text = {.size = 0};
    char seconds[12];
    struct csn_answer_head head = {.status = problem->status,
                                   .content_type = "application/problem+json"};
    put(&text, "{");
    put_string(&text, "type", problem->type);
    put_string(&text, "title", problem->title);
    put_number(&text, "status", problem->status);
    if (problem->detail[0] != 0) {
        put_string(&text, "detail", problem->detail);
    }
    if (problem->maybe_served) {
        put_name(&text, "maybe_served");
        put(&text, "true");
    }
    put(&text, "}\n");
    if (problem->retry_after != 0) {
        int size = snprintf(seconds, sizeof seconds, "%u", problem->retry_after);
        head.more[head.more_count++] =
            (struct csn_http1_field){{"Retry-After", 11}, {seconds, (size_t)size}};
    }
    csn_exchange_answer(exchange, &head, text.bytes, text.size);
}

/* ---- the proxy's own state ---- */

void csv_proxy_status(const struct csv_proxy *proxy, struct csn_exchange *exchange)
{
    static const char *const states[] = {"idle", "verifying", "verified", "refused"};
    const struct csv_call_pin *pin = csv_caller_pin(proxy->caller);
    const struct csn_answer_head head = {.status = 200, .content_type = "application/json"};
    struct text text = {.size = 0};
    put(&text, "{");
    put_string(&text, "state", states[csv_caller_state(proxy->caller)]);
    put_string(&text, "gateway", csv_upstream_authority(proxy->upstream));
    put_string(&text, "way",
               proxy->options.caller.way == CSV_CALL_RECORDS ? "records" : "oblivious");
    if (pin != NULL) {
        put_string(&text, "image", pin->name);
        put_hex(&text, "measurement", pin->measurement, sizeof pin->measurement);
        put_hex(&text, "boot_id", pin->boot_id, sizeof pin->boot_id);
        put_number(&text, "security_version", pin->security_version);
        put_number(&text, "appraised_at", (uint64_t)pin->appraised_at);
        put_number(&text, "appraisals", pin->appraisals);
        put_number(&text, "changes", pin->changes);
    } else {
        put_string(&text, "explanation", csv_caller_explain(proxy->caller));
    }
    put_number(&text, "answered", proxy->answered);
    put_number(&text, "refused", proxy->refused);
    put_number(&text, "failed", proxy->failed);
    put(&text, "}\n");
    csn_exchange_answer(exchange, &head, text.bytes, text.size);
}
