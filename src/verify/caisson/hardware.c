/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hardware.c: a real platform behind Caisson's own evidence.
 *
 * The launcher measures the image; the platform measures the launcher. So the image's claim counts
 * only under a platform measurement that the policy lists as a launcher: anybody can get genuine
 * evidence for a machine of their own and put an honest-looking claim into it.
 */
#include "verify/caisson/bundle.h"
#include "verify/policy/policy.h"
#include <string.h>

/* The parts that came inside (docs/WIRE.md), in front of those that the caller brought. */
static bool open_parts(struct csv_case *appraisal, const struct csv_bundle *bundle,
                       struct csv_input *input)
{
    const uint8_t *at = bundle->platform;
    size_t left = bundle->head.platform_size;
    input->part_count = 0;
    while (left != 0) {
        struct csn_wire_evidence_part part;
        if (left < sizeof part || input->part_count == CSV_PART_COUNT_MAX) {
            return false;
        }
        memcpy(&part, at, sizeof part);
        at += sizeof part;
        left -= sizeof part;
        if (part.size > left || part.kind < CSV_PART_EVIDENCE || part.kind > CSV_PART_TD_QUOTE) {
            return false;
        }
        input->parts[input->part_count++] =
            (struct csv_part){.kind = part.kind, .bytes = {at, part.size}};
        at += part.size;
        left -= part.size;
    }
    const struct csv_input *outer = appraisal->input;
    for (size_t i = 0; i < outer->part_count; i++) {
        if (outer->parts[i].kind != CSV_PART_EVIDENCE) {
            if (input->part_count == CSV_PART_COUNT_MAX) {
                return false;
            }
            input->parts[input->part_count++] = outer->parts[i];
        }
    }
    return true;
}

bool csv_launcher_valid(const char *text, const char **why)
{
    const char *colon = strchr(text, ':');
    const struct csv_format *format = NULL;
    *why = "\"FORMAT:CLAIM=HEX,…\" is expected";
    for (uint32_t id = 1; colon != NULL && id <= CSV_FORMAT_COUNT; id++) {
        const struct csv_format *known = csv_format(id);
        size_t size = (size_t)(colon - text);
        if (known != NULL && known->launch_claims != NULL && strlen(known->name) == size &&
            memcmp(known->name, text, size) == 0) {
            format = known;
        }
    }
    if (format == NULL) {
        *why = "not a platform that can launch";
        return false;
    }
    *why = "a launcher must name every claim that measures it (docs/POLICY.md)";
    for (size_t i = 0; format->launch_claims[i] != NULL; i++) {
        const char *found = strstr(colon, format->launch_claims[i]);
        size_t size = strlen(format->launch_claims[i]);
        if (found == NULL || (found[-1] != ':' && found[-1] != ',') || found[size] != '=') {
            return false;
        }
    }
    return true;
}

bool csv_launcher_matches(struct csv_case *appraisal, const struct csv_format *format,
                          const char *launcher)
{
    size_t size = strlen(format->name);
    if (strncmp(launcher, format->name, size) != 0 || launcher[size] != ':') {
        return false;
    }
    const char *at = launcher + size + 1;
    bool same = true;
    while (same && *at != 0) {
        const char *equals = strchr(at, '=');
        const char *end = equals != NULL ? equals + strcspn(equals, ",") : NULL;
        if (equals == NULL) {
            return false;
        }
        const char *name = csv_text(appraisal->arena, "%.*s", (int)(equals - at), at);
        const char *value = csv_text(appraisal->arena, "%.*s", (int)(end - equals - 1), equals + 1);
        const struct csv_claim *claim = csv_claim_find(appraisal, name);
        same = claim != NULL && strcmp(csv_claim_value(appraisal->arena, claim), value) == 0;
        at = *end == ',' ? end + 1 : end;
    }
    return same;
}

/* As a policy would list it. */
static const char *launcher_text(struct csv_case *appraisal, const struct csv_format *format)
{
    const char *text = csv_text(appraisal->arena, "%s:", format->name);
    for (size_t i = 0; format->launch_claims[i] != NULL; i++) {
        const char *name = format->launch_claims[i];
        const struct csv_claim *claim = csv_claim_find(appraisal, name);
        text = csv_text(appraisal->arena, "%s%s%s=%s", text, i == 0 ? "" : ",", name,
                        claim != NULL ? csv_claim_value(appraisal->arena, claim) : "");
    }
    return text;
}

static void check_launcher(struct csv_case *appraisal, const struct csv_format *format)
{
    const struct csv_value *value = csv_policy_first(appraisal->policy, "caisson.launchers");
    const char *got = launcher_text(appraisal, format);
    bool listed = false;
    for (; value != NULL && !listed; value = csv_policy_next(value)) {
        listed = csv_launcher_matches(appraisal, format, value->text);
    }
    if (!appraisal->policy->any) {
        csv_note_if(appraisal, "platform.launcher", listed, "a launcher that the policy lists",
                    got);
    }
    appraisal->group = NULL;
    csv_claim_text(appraisal, "launcher", got);
    csv_claim_hide(appraisal);
}

void csv_platform_hardware(struct csv_case *appraisal, const struct csv_bundle *bundle,
                           const uint8_t report_data[64])
{
    const struct csv_format *format = csv_format(bundle->head.type);
    struct csv_input *input = csv_take(appraisal->arena, 1, sizeof *input);
    if (input == NULL) {
        return; /* the frame notes that the arena is full */
    }
    *input = *appraisal->input;
    struct csv_case inner = *appraisal;
    inner.input = input;
    inner.wrapped = true;
    inner.group = "platform";
    memcpy(inner.report_data, report_data, sizeof inner.report_data);
    bool framed = open_parts(appraisal, bundle, input);
    if (!csv_note_if(appraisal, "platform.framing", framed, "well-formed parts",
                     framed ? "well formed" : "lengths or kinds that do not fit")) {
        return;
    }
    const struct csv_part *part =
        csv_need_part(&inner, CSV_PART_EVIDENCE, "platform.framing", "the platform's evidence");
    if (part != NULL) {
        csv_run_format(&inner, format, part->bytes);
        check_launcher(&inner, format);
    }
}
