/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_policy.c: the grant hook: checks a compiled policy (caisson/wire/policy.h) to the last byte
 * and builds the tenant's state from it.
 *
 * Trust: the policy was signed by the tenant and is only the tenant's own; it is checked all the
 * same, because a mistake in it must be a refusal and never a wrong transformation.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include <string.h>

static bool read_head(const struct cse_grant_view *grant, struct csn_wire_policy *head)
{
    if (grant->policy_size < sizeof *head || grant->policy_size > CSN_WIRE_POLICY_SIZE_MAX) {
        return false;
    }
    memcpy(head, grant->policy, sizeof *head);
    if (head->magic != CSN_WIRE_POLICY_MAGIC || head->version != CSN_WIRE_POLICY_VERSION ||
        head->reserved0 != 0 || head->feature_count > CSN_WIRE_POLICY_FEATURE_MAX ||
        head->category_count > (head->feature_count == 0 ? 0 : CSN_WIRE_POLICY_CATEGORY_MAX) ||
        head->domain_count > CSN_WIRE_POLICY_DOMAIN_MAX ||
        head->field_count > CSN_WIRE_POLICY_FIELD_MAX ||
        head->step_count > CSN_WIRE_POLICY_STEP_MAX || head->text_size > CSN_WIRE_POLICY_SIZE_MAX) {
        return false;
    }
    uint32_t size = (uint32_t)(sizeof *head + head->domain_count * sizeof(struct csn_wire_domain) +
                               head->field_count * sizeof(struct csn_wire_field) +
                               head->step_count * sizeof(struct csn_wire_step) +
                               head->feature_count * sizeof(struct csn_wire_feature) +
                               head->category_count * sizeof(struct csn_wire_span)) +
                    head->text_size;
    size += head->feature_count == 0 ? 0 : (uint32_t)sizeof(struct csn_wire_score);
    return size == grant->policy_size;
}

static bool domains_are_good(const struct tok_source *source)
{
    for (uint32_t i = 0; i < source->head.domain_count; i++) {
        const struct csn_wire_domain *domain = &source->domains[i];
        if (!tok_span_fits(source, &domain->name, 1, 32) || domain->version == 0 ||
            domain->reserved != 0) {
            return false;
        }
        const uint8_t *name = source->text + domain->name.offset;
        for (uint32_t k = 0; k < domain->name.size; k++) {
            bool plain = (name[k] >= 'a' && name[k] <= 'z') || (name[k] >= '0' && name[k] <= '9') ||
                         name[k] == '-';
            if (!plain) {
                return false;
            }
        }
    }
    return true;
}

static csn_err build(struct tok_state *state, const struct tok_source *source)
{
    static const char label[] = "caisson-tokenize-names-v1";
    uint8_t default_action = source->head.default_action;
    if (!domains_are_good(source) ||
        (default_action != CSN_WIRE_ACTION_DROP && default_action != CSN_WIRE_ACTION_REDACT &&
         default_action != CSN_WIRE_ACTION_KEEP)) {
        return CSN_ERR_POLICY;
    }
    memcpy(state->text, source->text, source->head.text_size);
    CSN_TRY(csn_hkdf(source->grant->tenant, 32, source->grant->secret, 32, label, sizeof label - 1,
                     &state->seed, sizeof state->seed));
    state->default_action = default_action;
    state->field_count = source->head.field_count;
    CSN_TRY(tok_build_paths(state, source));
    for (uint32_t i = 0; i < state->field_count; i++) {
        CSN_TRY(tok_build_field(state, source, i));
        const struct tok_field *field = &state->fields[i];
        if (field->action == CSN_WIRE_ACTION_FPE ||
            (field->action == CSN_WIRE_ACTION_ENCRYPT && field->opens)) {
            state->reveal_mask |= UINT64_C(1) << i;
        }
    }
    if (source->head.feature_count != 0) {
        CSN_TRY(tok_build_score(state, source));
    }
    state->ready = 1;
    return CSN_OK;
}

csn_err tok_grant(void *memory, const struct cse_grant_view *grant)
{
    struct tok_state *state = memory;
    struct tok_source source = {.grant = grant};
    /* The tables behind the head are read in place. */
    if ((uintptr_t)grant->policy % _Alignof(struct csn_wire_field) != 0) {
        return CSN_ERR_ARGUMENT;
    }
    if (!read_head(grant, &source.head)) {
        return CSN_ERR_POLICY;
    }
    const uint8_t *at = grant->policy + sizeof source.head;
    source.domains = (const struct csn_wire_domain *)(const void *)at;
    at += source.head.domain_count * sizeof *source.domains;
    source.fields = (const struct csn_wire_field *)(const void *)at;
    at += source.head.field_count * sizeof *source.fields;
    source.steps = (const struct csn_wire_step *)(const void *)at;
    at += source.head.step_count * sizeof *source.steps;
    if (source.head.feature_count != 0) {
        source.score = (const struct csn_wire_score *)(const void *)at;
        at += sizeof *source.score;
        source.features = (const struct csn_wire_feature *)(const void *)at;
        at += source.head.feature_count * sizeof *source.features;
        source.categories = (const struct csn_wire_span *)(const void *)at;
        at += source.head.category_count * sizeof *source.categories;
    }
    source.text = at;
    csn_err result = build(state, &source);
    if (result != CSN_OK) {
        csn_wipe(state, sizeof *state);
    }
    return result;
}
