/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_encode.c: the binary form (caisson/wire/policy.h): header, domains, fields, steps, score,
 * text.
 */
#include "client/policy/policy_plan.h"

#include <caisson/wire/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CSV_FIELD_COUNT_MAX == CSN_WIRE_POLICY_FIELD_MAX, "one limit");
_Static_assert(CSV_DOMAIN_COUNT_MAX == CSN_WIRE_POLICY_DOMAIN_MAX, "one limit");
_Static_assert(CSV_STEP_COUNT_MAX == CSN_WIRE_POLICY_PATH_STEPS, "one limit");
_Static_assert(CSV_PATH_SIZE_MAX == CSN_WIRE_POLICY_PATH_SIZE, "one limit");
_Static_assert(CSV_TWEAK_SIZE_MAX == CSN_WIRE_POLICY_TWEAK_SIZE, "one limit");
_Static_assert(CSV_FEATURE_COUNT_MAX == CSN_WIRE_POLICY_FEATURE_MAX, "one limit");
_Static_assert(CSV_FEATURE_STEP_COUNT_MAX == CSN_WIRE_POLICY_FEATURE_STEP_MAX, "one limit");
_Static_assert(CSV_CATEGORY_COUNT_MAX == CSN_WIRE_POLICY_CATEGORY_MAX, "one limit");
_Static_assert(CSV_FIELD_COUNT_MAX * 2 * CSV_STEP_COUNT_MAX <= CSN_WIRE_POLICY_STEP_MAX, "fits");

struct encoder {
    struct csn_wire_policy header;
    struct csn_wire_domain domains[CSN_WIRE_POLICY_DOMAIN_MAX];
    struct csn_wire_field fields[CSN_WIRE_POLICY_FIELD_MAX];
    struct csn_wire_step steps[CSN_WIRE_POLICY_STEP_MAX];
    struct csn_wire_score score;
    struct csn_wire_feature features[CSN_WIRE_POLICY_FEATURE_MAX];
    struct csn_wire_span categories[CSN_WIRE_POLICY_CATEGORY_MAX];
    uint8_t text[CSN_WIRE_POLICY_SIZE_MAX];
    bool full;
};

static struct csn_wire_span put_text(struct encoder *encoder, const char *text, size_t size)
{
    struct csn_wire_span span = {0};
    if (size == 0) {
        return span;
    }
    if (size > sizeof encoder->text - encoder->header.text_size) {
        encoder->full = true;
        return span;
    }
    span.offset = encoder->header.text_size;
    span.size = (uint32_t)size;
    memcpy(encoder->text + span.offset, text, size);
    encoder->header.text_size += span.size;
    return span;
}

static uint16_t put_steps(struct encoder *encoder, const struct csv_path *path)
{
    uint16_t first = (uint16_t)encoder->header.step_count;
    if (path->step_count > CSN_WIRE_POLICY_STEP_MAX - first) {
        encoder->full = true;
        return 0;
    }
    for (uint32_t index = 0; index < path->step_count; index++) {
        const struct csv_step *from = &path->steps[index];
        struct csn_wire_step *step = &encoder->steps[encoder->header.step_count++];
        step->kind = from->every ? CSN_WIRE_STEP_EVERY : CSN_WIRE_STEP_NAME;
        step->name = put_text(encoder, path->names + from->offset, from->size);
    }
    return first;
}

static uint8_t wire_action(enum csv_action action)
{
    static const uint8_t actions[CSV_ACTION_COUNT] = {
        [CSV_ACTION_KEEP] = CSN_WIRE_ACTION_KEEP,
        [CSV_ACTION_DROP] = CSN_WIRE_ACTION_DROP,
        [CSV_ACTION_REDACT] = CSN_WIRE_ACTION_REDACT,
        [CSV_ACTION_MASK] = CSN_WIRE_ACTION_MASK,
        [CSV_ACTION_TOKEN] = CSN_WIRE_ACTION_TOKEN,
        [CSV_ACTION_HASH] = CSN_WIRE_ACTION_HASH,
        [CSV_ACTION_FPE] = CSN_WIRE_ACTION_FPE,
        [CSV_ACTION_SHIFT] = CSN_WIRE_ACTION_SHIFT,
        [CSV_ACTION_ENCRYPT] = CSN_WIRE_ACTION_ENCRYPT,
        [CSV_ACTION_DETECT] = CSN_WIRE_ACTION_DETECT,
    };
    return actions[action];
}

static void put_field(struct encoder *encoder, const struct csv_field *from)
{
    struct csn_wire_field *field = &encoder->fields[encoder->header.field_count++];
    field->action = wire_action(from->action);
    field->domain = from->domain < 0 ? CSN_WIRE_DOMAIN_NONE : (uint8_t)from->domain;
    field->keep_first = (uint8_t)from->keep_first;
    field->keep_last = (uint8_t)from->keep_last;
    field->path = put_text(encoder, from->path.text, from->path.text_size);
    field->path_first = put_steps(encoder, &from->path);
    field->path_count = (uint16_t)from->path.step_count;
    switch (from->action) {
    case CSV_ACTION_MASK:
        field->with = (uint8_t)from->with;
        break;
    case CSV_ACTION_TOKEN:
        field->token_size = (uint8_t)(from->bits / 8);
        field->prefix = put_text(encoder, from->prefix, strlen(from->prefix));
        break;
    case CSV_ACTION_FPE:
        field->luhn = from->luhn ? 1 : 0;
        field->short_action = wire_action(from->unfit);
        field->alphabet = put_text(encoder, from->alphabet, from->radix);
        field->tweak = put_text(encoder, from->tweak, from->tweak_size);
        break;
    case CSV_ACTION_ENCRYPT:
        field->consumer = put_text(encoder, from->consumer, strlen(from->consumer));
        break;
    case CSV_ACTION_SHIFT:
        field->days = (uint16_t)from->days;
        field->subject_first = put_steps(encoder, &from->subject);
        field->subject_count = (uint16_t)from->subject.step_count;
        break;
    case CSV_ACTION_DETECT:
        field->kinds = (uint8_t)from->kinds;
        field->then = wire_action(from->then);
        break;
    default:
        break;
    }
}

static void put_score(struct encoder *encoder, const struct csv_score *from, const uint8_t *key)
{
    struct csn_wire_score *score = &encoder->score;
    memcpy(score->model.digest, from->digest, sizeof score->model.digest);
    memcpy(score->model.key, key, sizeof score->model.key);
    score->model.kind = CSN_WIRE_WEIGHTS_TREES;
    score->model.flags = from->is_checked ? CSN_WIRE_WEIGHTS_CHECK : 0;
    score->name = put_text(encoder, from->name, strlen(from->name));
    score->output = from->output;
    encoder->header.feature_count = from->feature_count;
    encoder->header.category_count = from->category_count;
    for (uint32_t index = 0; index < from->feature_count; index++) {
        const struct csv_feature *feature = &from->features[index];
        encoder->features[index] =
            (struct csn_wire_feature){.path_first = put_steps(encoder, &feature->path),
                                      .path_count = (uint16_t)feature->path.step_count,
                                      .category_first = (uint16_t)feature->category_first,
                                      .category_count = (uint16_t)feature->category_count};
    }
    for (uint32_t index = 0; index < from->category_count; index++) {
        encoder->categories[index] = put_text(encoder, from->text + from->categories[index].offset,
                                              from->categories[index].size);
    }
}

static void put_part(uint8_t *output, size_t *at, const void *part, size_t size)
{
    memcpy(output + *at, part, size);
    *at += size;
}

static csn_err finish(const struct encoder *encoder, uint8_t *output, size_t capacity,
                      size_t *output_size, struct csv_policy_error *error)
{
    const struct csn_wire_policy *header = &encoder->header;
    size_t domains = header->domain_count * sizeof *encoder->domains;
    size_t fields = header->field_count * sizeof *encoder->fields;
    size_t steps = header->step_count * sizeof *encoder->steps;
    size_t score = header->feature_count != 0 ? sizeof encoder->score : 0;
    size_t features = header->feature_count * sizeof *encoder->features;
    size_t categories = header->category_count * sizeof *encoder->categories;
    size_t size = sizeof *header + domains + fields + steps + score + features + categories +
                  header->text_size;
    if (encoder->full || size > CSN_WIRE_POLICY_SIZE_MAX) {
        *error = (struct csv_policy_error){0};
        snprintf(error->text, sizeof error->text,
                 "the compiled policy is larger than %u bytes: shorten paths or use fewer fields",
                 CSN_WIRE_POLICY_SIZE_MAX);
        return CSN_ERR_FORMAT;
    }
    *output_size = size;
    if (size > capacity) {
        return CSN_ERR_SPACE;
    }
    size_t at = 0;
    put_part(output, &at, header, sizeof *header);
    put_part(output, &at, encoder->domains, domains);
    put_part(output, &at, encoder->fields, fields);
    put_part(output, &at, encoder->steps, steps);
    put_part(output, &at, &encoder->score, score);
    put_part(output, &at, encoder->features, features);
    put_part(output, &at, encoder->categories, categories);
    put_part(output, &at, encoder->text, header->text_size);
    return CSN_OK;
}

csn_err csv_plan_encode(const struct csv_plan *plan, const uint8_t *weights_key, uint8_t *output,
                        size_t capacity, size_t *output_size, struct csv_policy_error *error)
{
    if (plan->score.offset != 0 && weights_key == NULL) {
        *error = (struct csv_policy_error){0};
        snprintf(error->text, sizeof error->text, "a score needs the key of its model's weights");
        return CSN_ERR_FORMAT;
    }
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL) {
        return CSN_ERR_MEMORY;
    }
    encoder->header.magic = CSN_WIRE_POLICY_MAGIC;
    encoder->header.version = CSN_WIRE_POLICY_VERSION;
    encoder->header.default_action = wire_action(plan->otherwise);
    for (uint32_t index = 0; index < plan->domain_count; index++) {
        const struct csv_domain *from = &plan->domains[index];
        struct csn_wire_domain *domain = &encoder->domains[encoder->header.domain_count++];
        domain->name = put_text(encoder, from->name, strlen(from->name));
        domain->version = from->version;
    }
    for (uint32_t index = 0; index < plan->field_count; index++) {
        put_field(encoder, &plan->fields[index]);
    }
    if (plan->score.offset != 0) {
        put_score(encoder, &plan->score, weights_key);
    }
    csn_err err = finish(encoder, output, capacity, output_size, error);
    explicit_bzero(encoder, sizeof *encoder);
    free(encoder);
    return err;
}
