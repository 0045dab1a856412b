/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_source.c: policy files from anybody. Compiles each, and holds what comes out to its rules:
 * a refused file has a place inside of the text and leaves the output alone; an accepted one gives
 * the same bytes again, whose counts and spans stay inside of it.
 */
#include "check.h"
#include <caisson/policy.h>
#include <caisson/wire/outside.h>
#include <caisson/wire/policy.h>
#include <caisson/wire/transit.h>
#include <string.h>

static void check_span(const struct csn_wire_policy *header, const struct csn_wire_span *span)
{
    CHECK(span->offset <= header->text_size && span->size <= header->text_size - span->offset);
}

static void check_transit(const uint8_t *output, size_t size)
{
    struct csn_wire_transit_policy head;
    CHECK(size >= sizeof head && size <= CSN_WIRE_TRANSIT_POLICY_SIZE_MAX);
    memcpy(&head, output, sizeof head);
    const size_t counter = head.counter != 0 ? sizeof(struct csn_wire_counter) : 0;
    CHECK(head.role_count <= CSN_WIRE_TRANSIT_ROLE_MAX && head.counter <= 1);
    CHECK(size == sizeof head + counter + head.role_count * sizeof(struct csn_wire_transit_role));
}

/* Its size; 0 where there is none. */
static size_t check_score(const struct csn_wire_policy *header, const uint8_t *bytes)
{
    struct csn_wire_score score;
    size_t at = sizeof score;
    if (header->feature_count == 0) {
        CHECK(header->category_count == 0);
        return 0;
    }
    CHECK(header->feature_count <= CSN_WIRE_POLICY_FEATURE_MAX);
    CHECK(header->category_count <= CSN_WIRE_POLICY_CATEGORY_MAX);
    memcpy(&score, bytes, sizeof score);
    check_span(header, &score.name);
    CHECK(score.name.size > 0 && score.model.kind == CSN_WIRE_WEIGHTS_TREES);
    for (uint32_t i = 0; i < header->feature_count; i++, at += sizeof(struct csn_wire_feature)) {
        struct csn_wire_feature feature;
        memcpy(&feature, bytes + at, sizeof feature);
        CHECK(feature.path_first + feature.path_count <= header->step_count);
        CHECK(feature.path_count > 0);
        CHECK(feature.category_first + feature.category_count <= header->category_count);
    }
    for (uint32_t i = 0; i < header->category_count; i++, at += sizeof(struct csn_wire_span)) {
        struct csn_wire_span category;
        memcpy(&category, bytes + at, sizeof category);
        check_span(header, &category);
    }
    return at;
}

static void check_binary(const uint8_t *output, size_t size)
{
    struct csn_wire_policy header;
    CHECK(size >= sizeof header && size <= CSN_WIRE_POLICY_SIZE_MAX);
    memcpy(&header, output, sizeof header);
    CHECK(header.domain_count <= CSN_WIRE_POLICY_DOMAIN_MAX);
    CHECK(header.field_count <= CSN_WIRE_POLICY_FIELD_MAX);
    size_t fields = sizeof header + header.domain_count * sizeof(struct csn_wire_domain);
    size_t steps = fields + header.field_count * sizeof(struct csn_wire_field);
    size_t score = steps + header.step_count * sizeof(struct csn_wire_step);
    CHECK(size == score + check_score(&header, output + score) + header.text_size);
    for (uint32_t index = 0; index < header.field_count; index++) {
        struct csn_wire_field field;
        memcpy(&field, output + fields + index * sizeof field, sizeof field);
        CHECK(field.action >= CSN_WIRE_ACTION_DROP && field.action <= CSN_WIRE_ACTION_DETECT);
        CHECK(field.path_first + field.path_count <= header.step_count && field.path_count > 0);
        CHECK(field.subject_first + field.subject_count <= header.step_count);
        check_span(&header, &field.path);
        check_span(&header, &field.prefix);
        check_span(&header, &field.alphabet);
        check_span(&header, &field.tweak);
        check_span(&header, &field.consumer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = {"fraud", "registry"};
    static const struct csv_policy_consumers consumers = {
        .names = names,
        .count = 2,
        .weights_key = (const uint8_t *)"0123456789abcdef0123456789abcdef"};
    static uint8_t output[CSN_WIRE_POLICY_SIZE_MAX];
    static uint8_t again[CSN_WIRE_POLICY_SIZE_MAX];
    struct csv_policy_error error = {0};
    size_t output_size = 4711;
    size_t again_size = 0;
    output[0] = 0x5a;
    csn_err err = csv_policy_compile((const char *)bytes, size, &consumers, output, sizeof output,
                                     &output_size, &error);
    if (err == CSN_ERR_FORMAT) {
        CHECK(error.text[0] != 0 && memchr(error.text, 0, sizeof error.text) != NULL);
        CHECK(output_size == 4711 && output[0] == 0x5a);
        CHECK(error.line <= size + 1 && error.column <= size + 1);
        return 0;
    }
    CHECK(err == CSN_OK);
    uint32_t magic;
    memcpy(&magic, output, sizeof magic);
    if (magic == CSN_WIRE_TRANSIT_POLICY_MAGIC) {
        check_transit(output, output_size);
    } else {
        check_binary(output, output_size);
    }
    CHECK(csv_policy_compile((const char *)bytes, size, &consumers, again, sizeof again,
                             &again_size, &error) == CSN_OK);
    CHECK(again_size == output_size && memcmp(output, again, again_size) == 0);
    return 0;
}
