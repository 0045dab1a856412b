/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_sealed.c: single values sealed to a consumer of the grant, as text; and what operation 2
 * makes of a value: the inverse of fpe and encrypt.
 *
 * What comes back may be any text. Only ciphertext goes through the base64 tables.
 */
#include "tok_state.h"

#define MARK_SIZE 4u /* "enc_" */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put_base64(struct tok_writer *out, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += 3) {
        uint32_t left = size - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        const uint8_t text[4] = {(uint8_t)digits[group >> 18], (uint8_t)digits[group >> 12 & 63],
                                 (uint8_t)digits[group >> 6 & 63], (uint8_t)digits[group & 63]};
        tok_put(out, text, left > 2 ? 4 : left + 1);
    }
}

static uint32_t digit_value(uint8_t byte)
{
    for (uint32_t i = 0; i < 64; i++) {
        if ((uint8_t)digits[i] == byte) {
            return i;
        }
    }
    return 64;
}

/* target has room for size bytes. False: no unpadded base64url, or bits left over. */
static bool read_base64(const uint8_t *text, uint32_t size, uint8_t *target, uint32_t *target_size)
{
    uint32_t written = 0;
    uint32_t bits = 0;
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t value = digit_value(text[i]);
        if (value == 64) {
            return false;
        }
        bits = (bits << 6 | value) & 0xffff;
        waiting += 6;
        if (waiting >= 8) {
            waiting -= 8;
            target[written++] = (uint8_t)(bits >> waiting);
        }
    }
    *target_size = written;
    return waiting < 6 && (bits & ((1u << waiting) - 1)) == 0;
}

void tok_put_sealed(struct tok_job *job, const struct tok_field *field,
                    const struct csn_json_node *node)
{
    uint32_t size = node->end - node->begin;
    uint32_t sealed_max = (uint32_t)CSE_FIELD_OVERHEAD + size;
    uint32_t sealed_size = 0;
    if (sealed_max > job->out.max - job->out.size) { /* it grows: no need to seal it */
        job->out.full = true;
        return;
    }
    uint8_t *sealed = cse_scratch(job->call, sealed_max);
    if (sealed == NULL) {
        tok_fail(job, CSN_WIRE_STATUS_LIMIT);
        return;
    }
    if (cse_field_seal(job->call, field->consumer, field->place, job->text + node->begin, size,
                       sealed, sealed_max, &sealed_size) != CSN_OK) {
        tok_fail(job, CSN_WIRE_STATUS_POLICY);
        return;
    }
    tok_put(&job->out, "\"enc_", 5);
    put_base64(&job->out, sealed, sealed_size);
    tok_put_byte(&job->out, '"');
}

/* One JSON value and nothing else: whoever sealed it may not bring a second member with it. */
static bool is_one_value(struct tok_job *job, const uint8_t *text, uint32_t size)
{
    uint32_t bound = csn_json_bound(text, size);
    struct csn_json json = {.text = text,
                            .size = size,
                            .seed = job->state->seed,
                            .nodes = cse_scratch(job->call, bound * sizeof *json.nodes),
                            .hashes = cse_scratch(job->call, bound * sizeof *json.hashes),
                            .owners = cse_scratch(job->call, bound * sizeof *json.owners),
                            .node_max = bound};
    if (json.nodes == NULL || json.hashes == NULL || json.owners == NULL) {
        tok_fail(job, CSN_WIRE_STATUS_LIMIT);
        return false;
    }
    return csn_json_scan(&json) == CSN_JSON_OK;
}

static void reveal_sealed(struct tok_job *job, const struct tok_field *field,
                          const struct csn_json_node *node)
{
    struct tok_value value;
    tok_value_of(job, node, TOK_ROOM_VALUE, &value);
    uint8_t *sealed = cse_scratch(job->call, value.size);
    uint8_t *plain = cse_scratch(job->call, value.size);
    uint32_t size = 0;
    if (sealed == NULL || plain == NULL) {
        tok_fail(job, CSN_WIRE_STATUS_LIMIT);
        return;
    }
    bool marked = node->kind == CSN_JSON_STRING && value.size > MARK_SIZE &&
                  value.bytes[0] == 'e' && value.bytes[1] == 'n' && value.bytes[2] == 'c' &&
                  value.bytes[3] == '_';
    if (!marked || !read_base64(value.bytes + MARK_SIZE, value.size - MARK_SIZE, sealed, &size) ||
        cse_field_open(job->call, field->place, sealed, size, plain, value.size, &size) != CSN_OK ||
        !is_one_value(job, plain, size)) {
        cse_fail_at(job->call, node->begin);
        tok_fail(job, CSN_WIRE_STATUS_NOT_FOUND);
        return;
    }
    tok_put(&job->out, plain, size);
    job->revealed++;
}

void tok_reveal(struct tok_job *job, struct tok_field *field, const struct csn_json_node *node)
{
    struct tok_value value;
    if (node->kind == CSN_JSON_NULL) {
        tok_put_source(job, node);
        return;
    }
    if (field->action == CSN_WIRE_ACTION_ENCRYPT) {
        reveal_sealed(job, field, node);
        return;
    }
    if (node->kind == CSN_JSON_STRING || node->kind == CSN_JSON_NUMBER) {
        tok_value_of(job, node, TOK_ROOM_VALUE, &value);
        if (tok_put_fpe(job, field, &value, true)) {
            job->revealed++;
            return;
        }
    }
    tok_put_redacted(job);
}
