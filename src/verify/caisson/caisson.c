/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caisson.c: Caisson's own evidence (docs/WIRE.md, 14): which image runs, behind which platform.
 *
 * Order: framing, type, report data, platform, nonce, image, backend, keys. Steps after a failed
 * platform signature are still shown, but they cannot make the verdict better.
 */
#include "verify/caisson/bundle.h"
#include "verify/caisson/caisson_rules.h"
#include "verify/caisson/service_claims.h"
#include "verify/digest.h"
#include "verify/policy/policy.h"
#include "verify/text.h"
#include <caisson/wire/manifest.h>
#include <caisson/wire/record.h>
#include <string.h>

static bool recognise(struct csv_bytes evidence)
{
    return evidence.size >= 4 && memcmp(evidence.at, "CSNE", 4) == 0;
}

static const char *platform_name(uint32_t type)
{
    if (type == CSN_WIRE_EVIDENCE_SOFTWARE) {
        return "software";
    }
    const struct csv_format *format = type <= CSV_FORMAT_COUNT ? csv_format(type) : NULL;
    return format != NULL && format->launch_claims != NULL ? format->name : NULL;
}

static bool platform_is_accepted(const struct csv_policy *policy, const char *name)
{
    if (policy->any) {
        return strcmp(name, "software") != 0;
    }
    const struct csv_value *value = csv_policy_first(policy, "caisson.platforms");
    bool accepted = false;
    for (; value != NULL; value = csv_policy_next(value)) {
        accepted = accepted || strcmp(value->text, name) == 0;
    }
    return accepted;
}

static void check_platform(struct csv_case *appraisal, const struct csv_bundle *bundle,
                           const uint8_t report_data[64])
{
    const char *name = platform_name(bundle->head.type);
    csv_claim_text(appraisal, "type", name != NULL ? name : "unknown");
    csv_claim_bool(appraisal, "is_software", bundle->head.type == CSN_WIRE_EVIDENCE_SOFTWARE);
    csv_claim_hide(appraisal);
    if (name == NULL) {
        csv_note(appraisal, "evidence.type", CSV_FAILED, "a known type", "an unknown type");
        return;
    }
    bool accepted = platform_is_accepted(appraisal->policy, name);
    csv_note_if(appraisal, "evidence.type", accepted,
                accepted ? name : "a platform that the policy lists", name);
    if (bundle->head.type == CSN_WIRE_EVIDENCE_SOFTWARE) {
        csv_platform_software(appraisal, bundle, report_data);
    } else {
        csv_platform_hardware(appraisal, bundle, report_data);
    }
}

static void check_nonce(struct csv_case *appraisal, const struct csv_bundle *bundle)
{
    const struct csn_wire_evidence *head = &bundle->head;
    uint8_t root[32];
    csv_check_nonce(appraisal, head->nonce, sizeof head->nonce);
    if (!csv_nonce_root(head->nonce, head->leaf_index, head->path_depth, bundle->path, root)) {
        csv_note(appraisal, "nonce.path", CSV_MISSING, "a digest", "libcrypto failed");
        return;
    }
    bool under = memcmp(root, head->nonce_root, 32) == 0;
    csv_note_bytes(appraisal, "nonce.path", under, head->nonce_root, root, 32);
}

/* A signer of the policy, "HEX" or "HEX:MINIMUM", that is this key. */
static bool signer_is(const char *text, const uint8_t key[32], uint64_t *minimum)
{
    uint8_t listed[32];
    *minimum = 0;
    return csv_hex_read(text, 64, listed) && memcmp(listed, key, 32) == 0 &&
           (text[64] == 0 || csv_number_read(text + 65, minimum));
}

static void check_listed_signer(struct csv_case *appraisal, const struct csn_wire_evidence *head)
{
    const struct csv_value *value = csv_policy_first(appraisal->policy, "caisson.signers");
    uint64_t minimum = 0;
    bool listed = false;
    if (value == NULL) {
        return;
    }
    for (; value != NULL && !listed; value = csv_policy_next(value)) {
        listed = signer_is(value->text, head->signer_key, &minimum);
    }
    csv_note_bytes(appraisal, "image.signer", listed, NULL, head->signer_key, 32);
    if (listed) {
        bool enough = head->security_version >= minimum;
        csv_note_if(appraisal, "image.security-version", enough,
                    csv_text(appraisal->arena, "at least %u", (unsigned)minimum),
                    csv_text(appraisal->arena, "%u", head->security_version));
    }
}

static void check_signature(struct csv_case *appraisal, const struct csn_wire_evidence *head)
{
    uint8_t message[CSV_SIGNATURE_MESSAGE_SIZE];
    csv_signature_message(head, message);
    csn_err checked =
        csv_ed25519_check(head->signer_key, head->signer_signature, message, sizeof message);
    csv_note(appraisal, "image.signature",
             checked == CSN_OK         ? CSV_PASSED
             : checked == CSN_ERR_AUTH ? CSV_FAILED
                                       : CSV_MISSING,
             "a valid signature", checked == CSN_OK ? "valid" : "not valid");
}

static void check_image(struct csv_case *appraisal, const struct csn_wire_evidence *head)
{
    bool flagged = (head->image_flags & CSN_WIRE_FLAG_DEBUG) != 0;
    bool agrees = flagged == (head->debug != 0);
    csv_note_if(appraisal, "image.debug-agrees", agrees, "the same twice",
                agrees ? "the same" : "two different claims");
    bool known = head->abi_version == CSN_WIRE_ABI_VERSION;
    csv_note_if(appraisal, "abi.version", known, "1", known ? "1" : "another");
    /* Either word for it counts: this is what the rule looks at. */
    csv_claim_number(appraisal, "debug_any", flagged || head->debug != 0);
    csv_claim_hide(appraisal);
}

/* The first one counts; that there is no other is checked. */
static void take_own(struct csv_case *appraisal, const struct csn_wire_boot_key *key,
                     const char *name, bool *given, uint8_t bytes[32])
{
    if (!*given) {
        *given = true;
        memcpy(bytes, key->public_key, sizeof key->public_key);
        csv_claim_bytes(appraisal, name, key->public_key, sizeof key->public_key);
    }
}

static void take_key(struct csv_case *appraisal, const struct csn_wire_evidence *head,
                     const struct csn_wire_boot_key *key)
{
    struct csv_verdict *verdict = appraisal->verdict;
    if (key->purpose == CSN_WIRE_KEY_OHTTP) {
        take_own(appraisal, key, "ohttp_keys", &verdict->ohttp_given, verdict->ohttp);
        return;
    }
    if (key->purpose == CSN_WIRE_KEY_STATEMENT) {
        take_own(appraisal, key, "statement_key", &verdict->statement_given,
                 verdict->statement_key);
        return;
    }
    if (key->purpose == CSN_WIRE_KEY_CLAIM) {
        struct csv_service_claim *claim = &verdict->service_claims[verdict->service_claim_count++];
        claim->label = key->suite;
        memcpy(claim->tenant, key->tenant, sizeof claim->tenant);
        memcpy(claim->bytes, key->public_key, sizeof claim->bytes);
        return;
    }
    bool instance = key->purpose == CSN_WIRE_KEY_INSTANCE;
    struct csv_recipient *target =
        instance ? &verdict->instance : &verdict->recipients[verdict->recipient_count++];
    *target = (struct csv_recipient){
        .kind = instance ? CSV_RECIPIENT_INSTANCE : CSV_RECIPIENT_RECIPIENT,
        .suite = key->suite,
        .security_version = head->security_version,
    };
    memcpy(target->public_key, key->public_key, 32);
    memcpy(target->tenant, key->tenant, 32);
    memcpy(target->boot_id, head->boot_id, 16);
    memcpy(target->measurement, head->measurement, 48);
}

/* Of a purpose, in a suite and of a tenant, or of nobody, as that purpose wants it. */
static bool is_known(const struct csn_wire_boot_key *key)
{
    static const uint8_t nobody[32];
    bool own = memcmp(key->tenant, nobody, sizeof nobody) == 0;
    switch (key->purpose) {
    case CSN_WIRE_KEY_INSTANCE:
    case CSN_WIRE_KEY_RECIPIENT:
        return key->suite == CSN_WIRE_SUITE;
    case CSN_WIRE_KEY_OHTTP:
    case CSN_WIRE_KEY_STATEMENT:
        return key->suite == CSN_WIRE_SUITE && own;
    case CSN_WIRE_KEY_CLAIM:
        return key->suite != 0 && !own;
    default:
        return false;
    }
}

static void note_at_most_one(struct csv_case *appraisal, const char *id, uint32_t count)
{
    if (count != 0) {
        csv_note_if(appraisal, id, count == 1, "one", count == 1 ? "one" : "several");
    }
}

static void check_keys(struct csv_case *appraisal, const struct csv_bundle *bundle)
{
    uint32_t instances = 0;
    uint32_t request_keys = 0;
    uint32_t statement_keys = 0;
    bool suites = true;
    bool first = false;
    for (uint32_t i = 0; i < bundle->head.key_count; i++) {
        struct csn_wire_boot_key key;
        memcpy(&key, bundle->keys + (size_t)i * sizeof key, sizeof key);
        bool instance = key.purpose == CSN_WIRE_KEY_INSTANCE;
        instances += instance;
        request_keys += key.purpose == CSN_WIRE_KEY_OHTTP;
        statement_keys += key.purpose == CSN_WIRE_KEY_STATEMENT;
        first = first || (instance && i == 0);
        suites = suites && is_known(&key);
        take_key(appraisal, &bundle->head, &key);
    }
    bool one = instances == 1 && first;
    csv_note_if(appraisal, "keys.instance", one, "one, and first",
                one ? "one, and first" : "none, several or not first");
    note_at_most_one(appraisal, "keys.requests", request_keys);
    note_at_most_one(appraisal, "keys.statement", statement_keys);
    csv_note_if(appraisal, "keys.suite", suites, "known suites and purposes",
                suites ? "known" : "an unknown one");
}

static void take_claims(struct csv_case *appraisal, const struct csn_wire_evidence *head)
{
    struct csv_image *image = &appraisal->verdict->image;
    appraisal->verdict->image_given = true;
    *image = (struct csv_image){.evidence_type = head->type,
                                .backend = head->backend,
                                .debug = head->debug,
                                .security_version = head->security_version};
    memcpy(image->name, head->name, sizeof head->name);
    memcpy(image->measurement, head->measurement, sizeof image->measurement);
    memcpy(image->signer_key, head->signer_key, sizeof image->signer_key);
    memcpy(image->gate_hash, head->gate_hash, sizeof image->gate_hash);
    memcpy(image->boot_id, head->boot_id, sizeof image->boot_id);
    memcpy(image->config_digest, head->config_digest, sizeof image->config_digest);
    csv_claim_text(appraisal, "name", image->name);
    csv_claim_number(appraisal, "backend", head->backend);
    csv_claim_bool(appraisal, "debug", head->debug != 0);
    csv_claim_number(appraisal, "security_version", head->security_version);
    csv_claim_bytes(appraisal, "measurement", head->measurement, 48);
    csv_claim_bytes(appraisal, "signer", head->signer_key, 32);
    csv_claim_bytes(appraisal, "gate", head->gate_hash, 32);
    csv_claim_bytes(appraisal, "boot_id", head->boot_id, 16);
    csv_claim_bytes(appraisal, "config_digest", head->config_digest, 32);
    csv_claim_text(appraisal, "signer_minimum",
                   csv_text(appraisal->arena, "%s:%u",
                            csv_text_hex(appraisal->arena, head->signer_key, 32),
                            head->security_version));
    csv_claim_hide(appraisal);
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence)
{
    struct csv_bundle bundle;
    const char *what = NULL;
    uint8_t report_data[64];
    csn_err framed = csv_evidence_parse(evidence.at, evidence.size, &bundle, &what);
    if (!csv_note_if(appraisal, "evidence.framing", framed == CSN_OK, "a well-formed bundle",
                     framed == CSN_OK ? "well formed" : what)) {
        return;
    }
    take_claims(appraisal, &bundle.head);
    bool hashed = csv_report_data(&bundle.head, bundle.keys, report_data);
    if (!csv_note(appraisal, "evidence.digest", hashed ? CSV_PASSED : CSV_MISSING, "a digest",
                  hashed ? "computed" : "libcrypto failed")) {
        return;
    }
    check_platform(appraisal, &bundle, report_data);
    check_nonce(appraisal, &bundle);
    check_signature(appraisal, &bundle.head);
    check_listed_signer(appraisal, &bundle.head);
    check_image(appraisal, &bundle.head);
    check_keys(appraisal, &bundle);
    csv_check_service_claims(appraisal);
}

const struct csv_format csv_format_caisson = {
    .id = CSV_FORMAT_CAISSON,
    .name = "caisson",
    .recognise = recognise,
    .appraise = appraise,
    .rules = csv_caisson_rules,
    .rule_count = CSV_CAISSON_RULE_COUNT,
    .catalogue = {csv_caisson_entries, CSV_CAISSON_ENTRY_COUNT},
};
