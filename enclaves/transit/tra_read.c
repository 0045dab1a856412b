/* SPDX-License-Identifier: Apache-2.0 */
/* tra_read.c: JSON of a request: the members of its objects, and what they hold. */
#include "tra_text.h"

#define NODES_FIRST 64u
#define NODES_MAX   8192u /* a batch of 512 with seven members each, and more */

static const char *const names[TRA_MEMBER_COUNT] = {
    [TRA_MEMBER_KEY] = "key",
    [TRA_MEMBER_BATCH] = "batch_input",
    [TRA_MEMBER_VERSION] = "version",
    [TRA_MEMBER_PLAINTEXT] = "plaintext",
    [TRA_MEMBER_CIPHERTEXT] = "ciphertext",
    [TRA_MEMBER_ASSOCIATED] = "associated_data",
    [TRA_MEMBER_CONTEXT] = "context",
    [TRA_MEMBER_INPUT] = "input",
    [TRA_MEMBER_SIGNATURE] = "signature",
    [TRA_MEMBER_HMAC] = "hmac",
    [TRA_MEMBER_HASH] = "hash",
    [TRA_MEMBER_PREHASHED] = "prehashed",
    [TRA_MEMBER_MARSHALING] = "marshaling",
    [TRA_MEMBER_SIZE] = "size",
    [TRA_MEMBER_PUBLIC_KEY] = "public_key",
    [TRA_MEMBER_INFO] = "info",
    [TRA_MEMBER_KDF] = "kdf",
    [TRA_MEMBER_WRAPPED] = "wrapped",
    [TRA_MEMBER_VALUE] = "value",
    [TRA_MEMBER_TWEAK] = "tweak",
    [TRA_MEMBER_ALPHABET] = "alphabet",
    [TRA_MEMBER_TYPE] = "type",
    [TRA_MEMBER_OPERATIONS] = "operations",
    [TRA_MEMBER_DERIVED] = "derived",
    [TRA_MEMBER_DELETABLE] = "deletable",
    [TRA_MEMBER_PURPOSES] = "purposes",
    [TRA_MEMBER_MAX_USES] = "max_uses",
    [TRA_MEMBER_MIN_VERSION] = "min_version",
    [TRA_MEMBER_TRIM] = "trim",
    [TRA_MEMBER_SEALED] = "sealed",
    [TRA_MEMBER_AFTER] = "after",
};

static bool take_tables(struct csn_json *json, struct cse_call *call, uint32_t count)
{
    json->nodes = cse_scratch(call, count * (uint32_t)sizeof *json->nodes);
    json->hashes = cse_scratch(call, count * (uint32_t)sizeof *json->hashes);
    json->owners = cse_scratch(call, count * (uint32_t)sizeof *json->owners);
    json->node_max = count;
    return json->nodes != NULL && json->hashes != NULL && json->owners != NULL;
}

cse_status tra_read(struct tra_request *request, struct cse_call *call, uint64_t seed,
                    const uint8_t *text, uint32_t size)
{
    static const uint8_t nothing[] = {'{', '}'};
    if (size == 0) {
        text = nothing;
        size = sizeof nothing;
    }
    struct csn_json json = {.text = text, .size = size, .seed = seed};
    const uint32_t bound = csn_json_bound(text, size);
    if (bound > NODES_MAX || !take_tables(&json, call, bound < NODES_FIRST ? NODES_FIRST : bound)) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    const enum csn_json_reason reason = csn_json_scan(&json);
    if (reason != CSN_JSON_OK || json.nodes[0].kind != CSN_JSON_OBJECT) {
        cse_fail_at(call, reason != CSN_JSON_OK ? json.offset : json.nodes[0].begin);
        return reason == CSN_JSON_DEPTH ? CSN_WIRE_STATUS_LIMIT : CSN_WIRE_STATUS_MALFORMED;
    }
    *request = (struct tra_request){call, text, size, json.nodes, json.node_count};
    return CSN_WIRE_STATUS_OK;
}

/* Which of those wanted it is; TRA_MEMBER_COUNT: none. */
static uint32_t member_of(const struct tra_request *request, const struct csn_json_node *node,
                          uint32_t wanted)
{
    const uint8_t *name = request->text + node->name;
    for (uint32_t i = 0; i < TRA_MEMBER_COUNT; i++) {
        const uint32_t size = tra_length(names[i]);
        if ((wanted >> i & 1) != 0 &&
            ((node->flags & CSN_JSON_NAME_ESCAPED) != 0
                 ? csn_json_equal(name, node->name_size, (const uint8_t *)names[i], size)
                 : node->name_size == size && memcmp(name, names[i], size) == 0)) {
            return i;
        }
    }
    return TRA_MEMBER_COUNT;
}

bool tra_read_members(const struct tra_request *request, uint32_t object, uint32_t wanted,
                      struct tra_members *members)
{
    memset(members, 0, sizeof *members);
    for (uint32_t at = csn_json_child(request->nodes, object); at != 0;
         at = request->nodes[at].next) {
        const uint32_t member = member_of(request, &request->nodes[at], wanted);
        if (member == TRA_MEMBER_COUNT) {
            cse_fail_at(request->call, request->nodes[at].name);
            return false;
        }
        members->at[member] = at;
    }
    return true;
}

static bool fault(const struct tra_request *request, uint32_t node)
{
    cse_fail_at(request->call, request->nodes[node].begin);
    return false;
}

bool tra_read_number(const struct tra_request *request, uint32_t node, uint64_t *number)
{
    if (node == 0) {
        return true;
    }
    const struct csn_json_node *is = &request->nodes[node];
    uint64_t value = 0;
    if (is->kind != CSN_JSON_NUMBER || is->end - is->begin > 18) {
        return fault(request, node);
    }
    for (uint32_t i = is->begin; i < is->end; i++) {
        const uint8_t digit = (uint8_t)(request->text[i] - '0');
        if (digit > 9) { /* no sign, fraction or exponent */
            return fault(request, node);
        }
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

bool tra_read_flag(const struct tra_request *request, uint32_t node, bool *flag)
{
    if (node == 0) {
        return true;
    }
    const uint8_t kind = request->nodes[node].kind;
    if (kind != CSN_JSON_TRUE && kind != CSN_JSON_FALSE) {
        return fault(request, node);
    }
    *flag = kind == CSN_JSON_TRUE;
    return true;
}

bool tra_read_text(const struct tra_request *request, uint32_t node, const uint8_t **bytes,
                   uint32_t *size)
{
    if (node == 0) {
        return true;
    }
    const struct csn_json_node *is = &request->nodes[node];
    if (is->kind != CSN_JSON_STRING) {
        return fault(request, node);
    }
    const uint8_t *inside = request->text + is->begin + 1;
    const uint32_t count = is->end - is->begin - 2;
    *bytes = inside;
    *size = count;
    if ((is->flags & CSN_JSON_ESCAPED) != 0) {
        uint8_t *target = cse_scratch(request->call, count);
        if (target == NULL) {
            return fault(request, node);
        }
        *size = csn_json_decode(inside, count, target);
        *bytes = target;
    }
    return true;
}

static bool decode(const struct tra_request *request, uint32_t node, bool url, const uint8_t *text,
                   uint32_t text_size, const uint8_t **bytes, uint32_t *size)
{
    uint8_t *target = cse_scratch(request->call, text_size / 4 * 3 + 2);
    if (target == NULL || !tra_base64_decode(text, text_size, url, target, size)) {
        return fault(request, node);
    }
    *bytes = target;
    return true;
}

bool tra_read_base64(const struct tra_request *request, uint32_t node, const uint8_t **bytes,
                     uint32_t *size)
{
    const uint8_t *text;
    uint32_t text_size;
    return node == 0 || (tra_read_text(request, node, &text, &text_size) &&
                         decode(request, node, false, text, text_size, bytes, size));
}

/* The number between "caisson:v" and ":"; 0: not such a text. */
static uint32_t mark_of(const uint8_t *text, uint32_t size, uint32_t *mark_size)
{
    static const char prefix[] = "caisson:v";
    uint32_t at = sizeof prefix - 1;
    uint64_t number = 0;
    if (size < sizeof prefix || memcmp(text, prefix, sizeof prefix - 1) != 0 || text[at] == '0') {
        return 0;
    }
    while (at < size && text[at] >= '0' && text[at] <= '9' && number <= UINT32_MAX) {
        number = number * 10 + (uint64_t)(text[at++] - '0');
    }
    if (at == size || text[at] != ':' || number > UINT32_MAX) {
        return 0;
    }
    *mark_size = at + 1;
    return (uint32_t)number;
}

bool tra_read_marked(const struct tra_request *request, uint32_t node, bool url,
                     const uint8_t **bytes, uint32_t *size, uint32_t *version)
{
    const uint8_t *text;
    uint32_t text_size;
    uint32_t mark_size = 0;
    if (node == 0) {
        return true;
    }
    if (!tra_read_text(request, node, &text, &text_size)) {
        return false;
    }
    const uint32_t mark = mark_of(text, text_size, &mark_size);
    if (mark != 0) {
        if (*version != 0 && *version != mark) {
            return fault(request, node);
        }
        *version = mark;
    }
    return decode(request, node, url, text + mark_size, text_size - mark_size, bytes, size);
}

bool tra_read_is(const struct tra_request *request, uint32_t node, const char *text)
{
    const uint8_t *bytes;
    uint32_t size;
    return tra_read_text(request, node, &bytes, &size) && size == tra_length(text) &&
           memcmp(bytes, text, size) == 0;
}
