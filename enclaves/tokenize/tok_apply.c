/* SPDX-License-Identifier: Apache-2.0 */
/* tok_apply.c: which action a value gets, by its kind (docs/TOKENIZE.md section 3). */
#include "tok_state.h"

void tok_fail(struct tok_job *job, cse_status status)
{
    if (job->status == CSN_WIRE_STATUS_OK) {
        job->status = status;
    }
}

void tok_put_redacted(struct tok_job *job)
{
    tok_put(&job->out, "\"[redacted]\"", 12);
}

void tok_put_source(struct tok_job *job, const struct csn_json_node *node)
{
    tok_put(&job->out, job->text + node->begin, node->end - node->begin);
}

void tok_value_of(struct tok_job *job, const struct csn_json_node *node, uint32_t room,
                  struct tok_value *value)
{
    value->type = 'n';
    value->bytes = job->text + node->begin;
    value->size = node->end - node->begin;
    if (node->kind != CSN_JSON_STRING) {
        return;
    }
    value->type = 's';
    value->bytes += 1;
    value->size -= 2;
    if ((node->flags & CSN_JSON_ESCAPED) == 0) {
        return;
    }
    if (job->rooms[room] == NULL) {
        job->rooms[room] = cse_scratch(job->call, job->size);
    }
    if (job->rooms[room] == NULL) {
        tok_fail(job, CSN_WIRE_STATUS_LIMIT);
        value->size = 0;
        return;
    }
    value->size = csn_json_decode(value->bytes, value->size, job->rooms[room]);
    value->bytes = job->rooms[room];
}

/* An fpe value that does not fit: what `short` says. */
static bool apply_short(struct tok_job *job, const struct tok_field *field,
                        const struct tok_value *value)
{
    static const uint8_t prefix[TOK_PREFIX_SIZE] = "tok";
    static const struct tok_form form = {.prefix = prefix, .prefix_size = 3, .size = 12};
    switch (field->short_action) {
    case CSN_WIRE_ACTION_DROP:
        return false;
    case CSN_WIRE_ACTION_TOKEN:
        tok_put_byte(&job->out, '"');
        tok_put_token(job, &field->mac, value, &form);
        tok_put_byte(&job->out, '"');
        return true;
    case CSN_WIRE_ACTION_MASK:
        tok_put_byte(&job->out, '"');
        tok_put_mask(&job->out, value, 0, 0, '*');
        tok_put_byte(&job->out, '"');
        return true;
    default:
        tok_put_redacted(job);
        return true;
    }
}

static void apply_quoted(struct tok_job *job, const struct tok_field *field,
                         const struct tok_value *value)
{
    const struct tok_form form = {.prefix = field->prefix,
                                  .prefix_size = field->prefix_size,
                                  .size = field->token_size,
                                  .keep_first = field->keep_first,
                                  .keep_last = field->keep_last};
    tok_put_byte(&job->out, '"');
    if (field->action == CSN_WIRE_ACTION_TOKEN) {
        tok_put_token(job, &field->mac, value, &form);
    } else if (field->action == CSN_WIRE_ACTION_HASH) {
        tok_put_hash(job, &field->mac, value);
    } else {
        tok_put_mask(&job->out, value, field->keep_first, field->keep_last, field->with);
    }
    tok_put_byte(&job->out, '"');
}

/* Strings, numbers, true and false; token, hash, mask, fpe or shift. */
static bool apply_scalar(struct tok_job *job, struct tok_field *field,
                         const struct csn_json_node *node)
{
    struct tok_value value;
    bool text = node->kind == CSN_JSON_STRING || node->kind == CSN_JSON_NUMBER;
    uint8_t action = field->action;
    if (action == CSN_WIRE_ACTION_TOKEN || action == CSN_WIRE_ACTION_HASH ||
        (action == CSN_WIRE_ACTION_MASK && text)) {
        tok_value_of(job, node, TOK_ROOM_VALUE, &value);
        apply_quoted(job, field, &value);
        return true;
    }
    if (action == CSN_WIRE_ACTION_FPE && text) {
        tok_value_of(job, node, TOK_ROOM_VALUE, &value);
        return tok_put_fpe(job, field, &value, false) || apply_short(job, field, &value);
    }
    if (action == CSN_WIRE_ACTION_SHIFT && node->kind == CSN_JSON_STRING) {
        tok_value_of(job, node, TOK_ROOM_VALUE, &value);
        if (tok_put_shift(job, field, &value)) {
            return true;
        }
    }
    tok_put_redacted(job);
    return true;
}

/* Strings are searched, what is no string is redacted. */
static void apply_detect_array(struct tok_job *job, const struct tok_field *field, uint32_t array)
{
    uint32_t tail = job->nodes[array].begin + 1;
    tok_put_byte(&job->out, '[');
    for (uint32_t at = csn_json_child(job->nodes, array); at != 0; at = job->nodes[at].next) {
        const struct csn_json_node *node = &job->nodes[at];
        if (tail != job->nodes[array].begin + 1) {
            tok_put_byte(&job->out, ',');
        }
        tok_put(&job->out, job->text + node->item, node->begin - node->item);
        if (node->kind == CSN_JSON_STRING) {
            tok_put_detect(job, field, node);
        } else {
            tok_put_redacted(job);
        }
        tail = node->end;
    }
    tok_put(&job->out, job->text + tail, job->nodes[array].end - tail);
}

bool tok_apply(struct tok_job *job, struct tok_field *field, uint32_t index)
{
    const struct csn_json_node *node = &job->nodes[index];
    switch (field->action) {
    case CSN_WIRE_ACTION_DROP:
        return false;
    case CSN_WIRE_ACTION_REDACT:
        tok_put_redacted(job);
        return true;
    case CSN_WIRE_ACTION_KEEP:
        tok_put_source(job, node);
        return true;
    default:
        break;
    }
    if (node->kind == CSN_JSON_NULL) {
        tok_put_source(job, node);
        return true;
    }
    if (field->action == CSN_WIRE_ACTION_ENCRYPT) {
        tok_put_sealed(job, field, node);
        return true;
    }
    if (field->action != CSN_WIRE_ACTION_DETECT) {
        if (node->kind != CSN_JSON_ARRAY && node->kind != CSN_JSON_OBJECT) {
            return apply_scalar(job, field, node);
        }
        tok_put_redacted(job);
    } else if (node->kind == CSN_JSON_ARRAY) {
        apply_detect_array(job, field, index);
    } else if (node->kind == CSN_JSON_STRING || node->kind == CSN_JSON_NUMBER) {
        tok_put_detect(job, field, node);
    } else {
        tok_put_redacted(job);
    }
    return true;
}
