/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_rewrite.c: walks a record along the policy's path tree (docs/TOKENIZE.md section 2)
 * and writes what is left of it; and compares such a text with an enclave's output.
 */
#include "reference/reference_parts.h"

#include <stdlib.h>
#include <string.h>

static bool write_value(struct csr_policy *policy, const struct csr_node *node,
                        const struct csr_value *top, const struct csr_value *value);

/* False: drop. */
static bool write_default(struct csr_policy *policy, const struct csr_value *value)
{
    if (policy->reveal || policy->otherwise == CSR_KEEP) {
        csr_bytes_put(&policy->output, policy->json.text + value->begin, value->end - value->begin);
        return true;
    }
    if (policy->otherwise == CSR_REDACT) {
        csr_put_redacted(policy);
        return true;
    }
    return false;
}

static bool write_field(struct csr_policy *policy, const struct csr_node *node,
                        const struct csr_value *top, const struct csr_value *value)
{
    const struct csr_field *field = &policy->fields[node->field];
    if (!policy->reveal) {
        return csr_apply(policy, field, top, value);
    }
    if ((policy->field_mask >> node->field & 1) != 0 &&
        (field->action == CSR_FPE || field->action == CSR_ENCRYPT)) {
        return csr_apply_reveal(policy, field, value);
    }
    return write_default(policy, value);
}

static const struct csr_node *child_for(const struct csr_policy *policy,
                                        const struct csr_node *node, bool object,
                                        const struct csr_value *value)
{
    const struct csr_node *child = node->child;
    for (; child != NULL; child = child->next) {
        if (!object && child->every) {
            break;
        }
        if (object && !child->every && child->name.size == value->name_size &&
            (value->name_size == 0 || memcmp(policy->json.names.data + value->name,
                                             child->name.data, value->name_size) == 0)) {
            break;
        }
    }
    return child;
}

static void write_container(struct csr_policy *policy, const struct csr_node *node,
                            const struct csr_value *top, const struct csr_value *container)
{
    const uint8_t *text = policy->json.text;
    bool object = container->kind == CSR_OBJECT;
    bool first = true;
    uint32_t tail = container->begin + 1;
    csr_bytes_put(&policy->output, text + container->begin, 1);
    for (int32_t index = container->first_child; index >= 0;) {
        const struct csr_value *item = &policy->json.values[index];
        const struct csr_node *child = child_for(policy, node, object, item);
        size_t mark = policy->output.size;
        if (!first) {
            csr_bytes_put_text(&policy->output, ",");
        }
        csr_bytes_put(&policy->output, text + item->item, item->begin - item->item);
        bool kept =
            child != NULL ? write_value(policy, child, top, item) : write_default(policy, item);
        if (kept) {
            first = false;
        } else {
            policy->output.size = mark;
        }
        tail = item->end;
        index = item->next;
    }
    csr_bytes_put(&policy->output, text + tail, container->end - tail);
}

static bool write_value(struct csr_policy *policy, const struct csr_node *node,
                        const struct csr_value *top, const struct csr_value *value)
{
    if (node->field >= 0) {
        return write_field(policy, node, top, value);
    }
    bool every = false;
    for (const struct csr_node *child = node->child; child != NULL; child = child->next) {
        every = every || child->every;
    }
    if (value->kind == CSR_OBJECT || (value->kind == CSR_ARRAY && every)) {
        write_container(policy, node, top, value);
        return true;
    }
    return write_default(policy, value);
}

/* Checks the whole record before anything is transformed: one bad line refuses it all. */
static bool check_record(struct csr_json *json)
{
    bool separated = true;
    csr_json_skip(json);
    if (json->offset == json->size) {
        json->status = CSN_WIRE_STATUS_MALFORMED;
    }
    while (json->status == CSN_WIRE_STATUS_OK && json->offset < json->size) {
        if (!separated) {
            json->status = CSN_WIRE_STATUS_MALFORMED;
            break;
        }
        json->value_count = 0;
        json->names.size = 0;
        if (csr_json_read(json) >= 0) {
            separated = csr_json_skip(json);
        }
    }
    return json->status == CSN_WIRE_STATUS_OK;
}

static void rewrite_record(struct csr_policy *policy)
{
    struct csr_json *json = &policy->json;
    json->offset = 0;
    while (policy->status == CSN_WIRE_STATUS_OK) {
        size_t begin = json->offset;
        csr_json_skip(json);
        csr_bytes_put(&policy->output, json->text + begin, json->offset - begin);
        if (json->offset == json->size) {
            break;
        }
        json->value_count = 0;
        json->names.size = 0;
        int32_t index = csr_json_read(json);
        if (index < 0) {
            policy->status = CSN_WIRE_STATUS_INTERNAL;
            break;
        }
        const struct csr_value *top = &json->values[index];
        if (!write_value(policy, &policy->root, top, top)) {
            csr_bytes_put_text(&policy->output, "null");
        }
    }
}

static enum csn_wire_status run(struct csr_policy *policy, const void *input, size_t size,
                                void *output, size_t capacity, size_t *output_size)
{
    struct csr_json *json = &policy->json;
    json->text = input;
    json->size = size;
    json->offset = 0;
    json->status = CSN_WIRE_STATUS_OK;
    policy->status = CSN_WIRE_STATUS_OK;
    policy->output.size = 0;
    if (!check_record(json)) {
        *output_size = json->offset;
        return json->status;
    }
    rewrite_record(policy);
    *output_size = 0;
    if (policy->output.failed || policy->scratch.failed || policy->work.failed ||
        policy->subject.failed || json->names.failed) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    if (policy->status != CSN_WIRE_STATUS_OK) {
        return policy->status;
    }
    if (policy->output.size > capacity) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    memcpy(output, policy->output.data, policy->output.size);
    *output_size = policy->output.size;
    return CSN_WIRE_STATUS_OK;
}

enum csn_wire_status csr_tokenize(struct csr_policy *policy, const void *input, size_t size,
                                  void *output, size_t capacity, size_t *output_size)
{
    policy->reveal = false;
    return run(policy, input, size, output, capacity, output_size);
}

enum csn_wire_status csr_detokenize(struct csr_policy *policy, uint64_t field_mask,
                                    const struct csr_opener *opener, const void *input, size_t size,
                                    void *output, size_t capacity, size_t *output_size)
{
    policy->reveal = true;
    policy->field_mask = field_mask;
    policy->opener = opener;
    return run(policy, input, size, output, capacity, output_size);
}

/* ---- compare ---- */
static unsigned nibble(uint8_t digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a' + 10);
}

/* plain holds what the placeholder's hex digits say. */
static bool hex_equals(const uint8_t *hex, size_t hex_size, const char *plain, size_t plain_size)
{
    if (hex_size != 2 * plain_size) {
        return false;
    }
    for (size_t index = 0; index < plain_size; index++) {
        if ((nibble(hex[2 * index]) << 4 | nibble(hex[2 * index + 1])) != (uint8_t)plain[index]) {
            return false;
        }
    }
    return true;
}

struct place {
    const uint8_t *at;
    const uint8_t *end;
};

/* Both stand just after `"enc_`; they are moved to the closing quotes. */
static bool compare_sealed(struct place *expected, struct place *actual,
                           const struct csr_opener *opener)
{
    const uint8_t *hex = ++expected->at;
    while (expected->at < expected->end && *expected->at != '"') {
        expected->at++;
    }
    const uint8_t *sealed = actual->at - 4;
    while (actual->at < actual->end && *actual->at != '"' && *actual->at != '\\') {
        actual->at++;
    }
    size_t plain_size = 0;
    size_t capacity = (size_t)(expected->at - hex) / 2 + 65536;
    char *plain = malloc(capacity);
    bool same = plain != NULL && opener != NULL &&
                opener->open(opener->context, (const char *)sealed, (size_t)(actual->at - sealed),
                             plain, capacity, &plain_size) &&
                hex_equals(hex, (size_t)(expected->at - hex), plain, plain_size);
    free(plain);
    return same;
}

bool csr_compare(const void *expected_text, size_t expected_size, const void *actual_text,
                 size_t actual_size, const struct csr_opener *opener)
{
    struct place expected = {expected_text, (const uint8_t *)expected_text + expected_size};
    struct place actual = {actual_text, (const uint8_t *)actual_text + actual_size};
    while (expected.at < expected.end) {
        if (*expected.at == 1) {
            if (!compare_sealed(&expected, &actual, opener)) {
                return false;
            }
            continue;
        }
        if (actual.at >= actual.end || *expected.at != *actual.at) {
            return false;
        }
        expected.at++;
        actual.at++;
    }
    return actual.at == actual.end;
}
