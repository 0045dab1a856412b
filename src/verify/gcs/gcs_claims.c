/* SPDX-License-Identifier: Apache-2.0 */
/* gcs_claims.c: see gcs_claims.h. */
#include "verify/gcs/gcs_claims.h"
#include "verify/text.h"
#include <string.h>

#define TEXT_SIZE_MAX  4096
#define LIST_COUNT_MAX 256

/* One reading. */
struct reading {
    struct csv_case *appraisal;
    const struct csv_json_view *view;
    bool odd; /* something is not of the kind that it must be */
};

static const char *plain(struct csv_arena *arena, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t size = strlen(text);
    char *target = csv_take(arena, 4 * size + 1, 1);
    char *at = target;
    for (size_t i = 0; target != NULL && i < size; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x20 && c < 0x7f) {
            *at++ = (char)c;
        } else {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    return target;
}

const char *csv_gcs_text(struct csv_arena *arena, const struct csv_json_view *view, uint32_t value)
{
    if (csv_json_raw(view, value).size > TEXT_SIZE_MAX) {
        return NULL;
    }
    const char *text = csv_json_text(view, value, arena);
    return text != NULL ? plain(arena, text) : NULL;
}

static bool is_there(const struct reading *reading, uint32_t value)
{
    return value != CSV_JSON_NONE && !csv_json_is(reading->view, value, CSN_JSON_NULL);
}

static const char *take_text(struct reading *reading, uint32_t value)
{
    const char *text = csv_gcs_text(reading->appraisal->arena, reading->view, value);
    reading->odd = reading->odd || text == NULL;
    return text != NULL ? text : "";
}

/* A member of object; silent: what is not there is no claim, else an empty one. */
static void claim_text(struct reading *reading, uint32_t object, const char *name, bool silent)
{
    uint32_t value = csv_json_member(reading->view, object, name);
    if (is_there(reading, value)) {
        csv_claim_text(reading->appraisal, name, take_text(reading, value));
    } else if (!silent) {
        csv_claim_text(reading->appraisal, name, "");
    }
}

static const char *member_text(struct reading *reading, uint32_t item)
{
    const struct csn_json_node *node = &reading->view->json.nodes[item];
    struct csv_arena *arena = reading->appraisal->arena;
    char *name = csv_take(arena, (size_t)node->name_size + 1, 1);
    if (name == NULL) {
        return "";
    }
    csn_json_decode(reading->view->json.text + node->name, node->name_size, (uint8_t *)name);
    return csv_text(arena, "%s=%s", plain(arena, name), take_text(reading, item));
}

/* An array of strings, or an object of strings as "NAME=VALUE"; *count of them. */
static const char **take_list(struct reading *reading, uint32_t value, size_t *count)
{
    bool object = csv_json_is(reading->view, value, CSN_JSON_OBJECT);
    const char **list = csv_take(reading->appraisal->arena, LIST_COUNT_MAX, sizeof *list);
    *count = 0;
    if (!object && !csv_json_is(reading->view, value, CSN_JSON_ARRAY)) {
        reading->odd = true;
        return list;
    }
    uint32_t item = csv_json_first(reading->view, value);
    for (; list != NULL && item != CSV_JSON_NONE; item = csv_json_next(reading->view, item)) {
        if (*count == LIST_COUNT_MAX) {
            reading->odd = true;
            break;
        }
        list[(*count)++] = object ? member_text(reading, item) : take_text(reading, item);
    }
    return list;
}

static void claim_list(struct reading *reading, uint32_t object, const char *name)
{
    size_t count = 0;
    uint32_t value = csv_json_member(reading->view, object, name);
    if (is_there(reading, value)) {
        const char **list = take_list(reading, value, &count);
        csv_claim_list(reading->appraisal, name, list, list != NULL ? count : 0);
    }
}

/* One text or several. */
static void claim_either(struct reading *reading, const char *name)
{
    if (csv_json_is(reading->view, csv_json_member(reading->view, 0, name), CSN_JSON_ARRAY)) {
        claim_list(reading, 0, name);
    } else {
        claim_text(reading, 0, name, false);
    }
}

static void claim_number(struct reading *reading, const char *name)
{
    uint64_t number = 0;
    uint32_t value = csv_json_member(reading->view, 0, name);
    if (is_there(reading, value)) {
        bool good = csv_json_number(reading->view, value, &number);
        reading->odd = reading->odd || !good;
        csv_claim_number(reading->appraisal, name, number);
    }
}

/* The lowest of the versions, which are decimal: 0 where there is none or another text. */
static void claim_version(struct reading *reading)
{
    uint32_t versions = csv_json_member(reading->view, 0, "swversion");
    uint32_t item = csv_json_first(reading->view, versions);
    uint64_t lowest = item != CSV_JSON_NONE ? UINT64_MAX : 0;
    for (; item != CSV_JSON_NONE; item = csv_json_next(reading->view, item)) {
        uint64_t number = 0;
        const char *text = csv_gcs_text(reading->appraisal->arena, reading->view, item);
        bool good = text != NULL && csv_number_read(text, &number);
        lowest = !good ? 0 : number < lowest ? number : lowest;
    }
    claim_list(reading, 0, "swversion");
    csv_claim_number(reading->appraisal, "swversion_lowest", lowest);
    csv_claim_hide(reading->appraisal);
}

/* Debugging unless the token says the opposite in these words. */
static void claim_flags(struct reading *reading)
{
    const struct csv_json_view *view = reading->view;
    uint32_t debug = csv_json_member(view, 0, "dbgstat");
    claim_text(reading, 0, "dbgstat", false);
    csv_claim_number(reading->appraisal, "debug_any",
                     csv_json_says(view, debug, "disabled-since-boot") ? 0 : 1);
    csv_claim_hide(reading->appraisal);
    csv_claim_bool(reading->appraisal, "secboot",
                   csv_json_is(view, csv_json_member(view, 0, "secboot"), CSN_JSON_TRUE));
}

/* Bits, for rules: 0 usable, 1 stable, 2 latest, 3 anything else. */
static void claim_support(struct reading *reading, uint32_t space)
{
    static const char *const names[] = {"USABLE", "STABLE", "LATEST"};
    uint64_t bits = 0;
    uint32_t attributes = csv_json_member(reading->view, space, "support_attributes");
    uint32_t item = csv_json_first(reading->view, attributes);
    for (; item != CSV_JSON_NONE; item = csv_json_next(reading->view, item)) {
        uint64_t bit = 8;
        for (size_t i = 0; i < 3; i++) {
            bit = csv_json_says(reading->view, item, names[i]) ? UINT64_C(1) << i : bit;
        }
        bits |= bit;
    }
    claim_list(reading, space, "support_attributes");
    csv_claim_word(reading->appraisal, "support", bits);
    csv_claim_hide(reading->appraisal);
}

static void claim_container(struct reading *reading, uint32_t container)
{
    claim_text(reading, container, "image_digest", false);
    claim_text(reading, container, "image_reference", true);
    claim_text(reading, container, "image_id", true);
    claim_text(reading, container, "restart_policy", true);
    claim_list(reading, container, "args");
    claim_list(reading, container, "cmd_override");
    claim_list(reading, container, "env_override");
}

static void claim_machine(struct reading *reading, uint32_t submods)
{
    static const char *const names[] = {"zone", "project_id", "project_number", "instance_id",
                                        "instance_name"};
    const struct csv_json_view *view = reading->view;
    uint32_t gce = csv_json_member(view, submods, "gce");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        claim_text(reading, gce, names[i], true);
    }
    uint32_t tdx = csv_json_member(view, 0, "tdx");
    claim_text(reading, tdx, "gcp_attester_tcb_status", true);
    claim_text(reading, tdx, "gcp_attester_tcb_date", true);
}

void csv_gcs_claims(struct csv_case *appraisal, const struct csv_json_view *payload)
{
    struct reading reading = {appraisal, payload, false};
    uint32_t submods = csv_json_member(payload, 0, "submods");
    claim_text(&reading, 0, "iss", false);
    claim_text(&reading, 0, "sub", true);
    claim_either(&reading, "aud");
    claim_number(&reading, "iat");
    claim_number(&reading, "nbf");
    claim_number(&reading, "exp");
    claim_either(&reading, "eat_nonce");
    claim_text(&reading, 0, "eat_profile", true);
    claim_text(&reading, 0, "hwmodel", false);
    claim_text(&reading, 0, "swname", false);
    claim_version(&reading);
    claim_flags(&reading);
    claim_list(&reading, 0, "attester_tcb");
    claim_list(&reading, 0, "google_service_accounts");
    claim_support(&reading, csv_json_member(payload, submods, "confidential_space"));
    claim_container(&reading, csv_json_member(payload, submods, "container"));
    claim_machine(&reading, submods);
    csv_note_if(appraisal, "gcs.claims", !reading.odd, "claims of the kinds that tokens have",
                reading.odd ? "one of another kind, too long or too many" : "such claims");
}
