/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise.c: the steps of an appraisal, in order. Each leaves a finding; none is skipped silently.
 *
 * Order: policy, framing, type, report data, platform, nonce, image, backend, keys. Steps after a
 * failed platform signature are still shown, but they cannot make the verdict better.
 */
#include "digest.h"
#include "verdict.h"
#include <caisson/wire/manifest.h>
#include <caisson/wire/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECIPIENT_SUITE CSN_WIRE_SUITE

static const struct csv_platform *const platforms[] = {&csv_platform_software};

static bool policy_allows(const struct csv_policy *policy)
{
    return policy->measurement_count != 0 || policy->signer_count != 0;
}

static void check_platform(struct csv_case *appraisal)
{
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    struct csv_verdict *verdict = appraisal->verdict;
    const struct csv_platform *platform = NULL;
    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++) {
        if (platforms[i]->type == head->type) {
            platform = platforms[i];
        }
    }
    if (platform == NULL) {
        csv_note(verdict, "evidence.type", CSV_FAILED, "a known type", "an unknown type");
        return;
    }
    verdict->claims.type = platform->name;
    bool accepted = platform->accepted(appraisal->policy);
    csv_note(verdict, "evidence.type", accepted ? CSV_PASSED : CSV_FAILED,
             accepted ? platform->name : "hardware evidence", platform->name);
    platform->appraise(appraisal);
}

static void check_nonce(struct csv_case *appraisal)
{
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    struct csv_verdict *verdict = appraisal->verdict;
    uint8_t root[32];
    bool same = memcmp(head->nonce, appraisal->nonce, 32) == 0;
    csv_note_bytes(verdict, "nonce.fresh", same, appraisal->nonce, head->nonce, 32);
    bool hashed = csv_nonce_root(head->nonce, head->leaf_index, head->path_depth,
                                 appraisal->bundle.path, root);
    if (!hashed) {
        csv_note(verdict, "nonce.path", CSV_MISSING, "a digest", "libcrypto failed");
        return;
    }
    bool under = memcmp(root, head->nonce_root, 32) == 0;
    csv_note_bytes(verdict, "nonce.path", under, head->nonce_root, root, 32);
}

static void check_measurement(struct csv_case *appraisal)
{
    const struct csv_policy *policy = appraisal->policy;
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    if (policy->measurement_count == 0) {
        return;
    }
    bool found = false;
    for (size_t i = 0; i < policy->measurement_count; i++) {
        found = found || memcmp(policy->measurements[i], head->measurement, 48) == 0;
    }
    const uint8_t *expected = policy->measurement_count == 1 ? policy->measurements[0] : NULL;
    csv_note_bytes(appraisal->verdict, "image.measurement", found, expected, head->measurement, 48);
}

static void check_signer(struct csv_case *appraisal)
{
    const struct csv_policy *policy = appraisal->policy;
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    struct csv_verdict *verdict = appraisal->verdict;
    uint8_t message[CSV_SIGNATURE_MESSAGE_SIZE];
    csv_signature_message(head, message);
    csn_err checked =
        csv_ed25519_check(head->signer_key, head->signer_signature, message, sizeof message);
    csv_note(verdict, "image.signature",
             checked == CSN_OK         ? CSV_PASSED
             : checked == CSN_ERR_AUTH ? CSV_FAILED
                                       : CSV_MISSING,
             "a valid signature", checked == CSN_OK ? "valid" : "not valid");
    if (policy->signer_count == 0) {
        return;
    }
    const struct csv_signer *signer = NULL;
    for (size_t i = 0; i < policy->signer_count && signer == NULL; i++) {
        if (memcmp(policy->signers[i].key, head->signer_key, 32) == 0) {
            signer = &policy->signers[i];
        }
    }
    csv_note_bytes(verdict, "image.signer", signer != NULL, NULL, head->signer_key, 32);
    if (signer != NULL) {
        char expected[32];
        char got[32];
        snprintf(expected, sizeof expected, "at least %u", signer->security_version_min);
        snprintf(got, sizeof got, "%u", head->security_version);
        bool enough = head->security_version >= signer->security_version_min;
        csv_note(verdict, "image.security-version", enough ? CSV_PASSED : CSV_FAILED, expected,
                 got);
    }
}

static void check_debug(struct csv_case *appraisal)
{
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    struct csv_verdict *verdict = appraisal->verdict;
    bool flagged = (head->image_flags & CSN_WIRE_FLAG_DEBUG) != 0;
    bool agrees = flagged == (head->debug != 0);
    csv_note(verdict, "image.debug-agrees", agrees ? CSV_PASSED : CSV_FAILED, "the same twice",
             agrees ? "the same" : "two different claims");
    bool debug = flagged || head->debug != 0;
    bool good = !debug || appraisal->policy->accept_debug;
    csv_note(verdict, "image.debug", good ? CSV_PASSED : CSV_FAILED,
             appraisal->policy->accept_debug ? "any" : "release", debug ? "debug" : "release");
}

static void check_backend(struct csv_case *appraisal)
{
    const struct csv_policy *policy = appraisal->policy;
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    bool known = head->abi_version == CSN_WIRE_ABI_VERSION;
    csv_note(appraisal->verdict, "abi.version", known ? CSV_PASSED : CSV_FAILED, "1",
             known ? "1" : "another");
    if (policy->gate_hash_count == 0) {
        return;
    }
    bool found = false;
    for (size_t i = 0; i < policy->gate_hash_count; i++) {
        found = found || memcmp(policy->gate_hashes[i], head->gate_hash, 32) == 0;
    }
    csv_note_bytes(appraisal->verdict, "backend.gate", found, NULL, head->gate_hash, 32);
}

static void take_key(struct csv_case *appraisal, const struct csn_wire_boot_key *key)
{
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    struct csv_verdict *verdict = appraisal->verdict;
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

static void check_keys(struct csv_case *appraisal)
{
    struct csv_verdict *verdict = appraisal->verdict;
    uint32_t instances = 0;
    bool suites = true;
    bool first = false;
    for (uint32_t i = 0; i < appraisal->bundle.head.key_count; i++) {
        struct csn_wire_boot_key key;
        memcpy(&key, appraisal->bundle.keys + (size_t)i * sizeof key, sizeof key);
        bool instance = key.purpose == CSN_WIRE_KEY_INSTANCE;
        instances += instance;
        first = first || (instance && i == 0);
        suites = suites && key.suite == RECIPIENT_SUITE &&
                 (instance || key.purpose == CSN_WIRE_KEY_RECIPIENT);
        take_key(appraisal, &key);
    }
    bool one = instances == 1 && first;
    csv_note(verdict, "keys.instance", one ? CSV_PASSED : CSV_FAILED, "one, and first",
             one ? "one, and first" : "none, several or not first");
    csv_note(verdict, "keys.suite", suites ? CSV_PASSED : CSV_FAILED, "known suites and purposes",
             suites ? "known" : "an unknown one");
}

static void take_claims(struct csv_case *appraisal)
{
    const struct csn_wire_evidence *head = &appraisal->bundle.head;
    struct csv_claims *claims = &appraisal->verdict->claims;
    claims->type = "unknown";
    claims->backend = head->backend;
    claims->debug = head->debug != 0;
    claims->security_version = head->security_version;
    memcpy(claims->name, head->name, 32);
    claims->name[32] = 0;
    memcpy(claims->measurement, head->measurement, 48);
    memcpy(claims->signer_key, head->signer_key, 32);
    memcpy(claims->gate_hash, head->gate_hash, 32);
    memcpy(claims->boot_id, head->boot_id, 16);
    memcpy(claims->config_digest, head->config_digest, 32);
}

static void run_checks(struct csv_case *appraisal, const uint8_t *evidence, size_t size)
{
    struct csv_verdict *verdict = appraisal->verdict;
    const char *what = NULL;
    if (!csv_note(
            verdict, "policy.allows", policy_allows(appraisal->policy) ? CSV_PASSED : CSV_MISSING,
            "a measurement or a signer", policy_allows(appraisal->policy) ? "given" : "none")) {
        return;
    }
    csn_err framed = csv_evidence_parse(evidence, size, &appraisal->bundle, &what);
    if (!csv_note(verdict, "evidence.framing", framed == CSN_OK ? CSV_PASSED : CSV_FAILED,
                  "a well-formed bundle", framed == CSN_OK ? "well formed" : what)) {
        return;
    }
    take_claims(appraisal);
    bool hashed =
        csv_report_data(&appraisal->bundle.head, appraisal->bundle.keys, appraisal->report_data);
    if (!csv_note(verdict, "evidence.digest", hashed ? CSV_PASSED : CSV_MISSING, "a digest",
                  hashed ? "computed" : "libcrypto failed")) {
        return;
    }
    check_platform(appraisal);
    check_nonce(appraisal);
    check_signer(appraisal);
    check_measurement(appraisal);
    check_debug(appraisal);
    check_backend(appraisal);
    check_keys(appraisal);
}

csn_err csv_appraise(const struct csv_policy *policy, const void *evidence, size_t size,
                     const uint8_t nonce[CSV_NONCE_SIZE], struct csv_verdict **verdict)
{
    if (policy == NULL || evidence == NULL || nonce == NULL || verdict == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    struct csv_verdict *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return CSN_ERR_MEMORY;
    }
    struct csv_case appraisal = {.policy = policy, .nonce = nonce, .verdict = made};
    made->claims.type = "unknown";
    run_checks(&appraisal, evidence, size);
    *verdict = made;
    return made->result == CSV_VERIFIED  ? CSN_OK
           : made->result == CSV_INVALID ? CSN_ERR_EVIDENCE
                                         : CSN_ERR_UNVERIFIED;
}
