/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise.c: the frame of every appraisal: the policy, the format, then the format's own steps and
 * the policy's rules. Each leaves findings; none is skipped silently.
 */
#include "verify/appraise.h"
#include "verify/cmw.h"
#include "verify/eat.h"
#include "verify/policy/policy.h"
#include "verify/x509/x509.h"
#include <stdlib.h>
#include <string.h>

void csv_run_format(struct csv_case *appraisal, const struct csv_format *format,
                    struct csv_bytes evidence)
{
    struct csv_verdict *verdict = appraisal->verdict;
    if (format != verdict->format && verdict->inner_count < 4) {
        verdict->inner[verdict->inner_count++] = format;
    }
    const struct csv_format *outer = appraisal->format;
    appraisal->format = format;
    format->appraise(appraisal, evidence);
    csv_policy_check(appraisal, format);
    appraisal->format = outer;
}

static bool is_named(const struct csv_policy *policy, uint32_t id)
{
    return (policy->formats >> id & 1) != 0;
}

/* The format that was asked for or, for auto, the first of the policy's that knows the bytes. */
static const struct csv_format *choose(struct csv_case *appraisal, uint32_t id,
                                       struct csv_bytes evidence)
{
    const struct csv_policy *policy = appraisal->policy;
    const struct csv_format *found = csv_format(id);
    for (uint32_t i = 1; id == CSV_FORMAT_AUTO && found == NULL && i <= CSV_FORMAT_COUNT; i++) {
        const struct csv_format *format = csv_format(i);
        bool known = format != NULL && is_named(policy, i) && format->recognise(evidence);
        found = known ? format : NULL;
    }
    bool named = found != NULL && is_named(policy, found->id);
    csv_note_if(appraisal, "evidence.format", named, "a format that the policy names",
                found == NULL ? "none of them" : found->name);
    return named ? found : NULL;
}

static bool check_policy(struct csv_case *appraisal)
{
    const struct csv_policy *policy = appraisal->policy;
    const char *fault = policy->any ? NULL : csv_policy_fault(policy);
    if (fault != NULL) {
        return csv_note(appraisal, "policy.complete", CSV_MISSING, "a policy without gaps", fault);
    }
    if (policy->formats == 0) {
        return csv_note(appraisal, "policy.allows", CSV_MISSING, "a format", "none");
    }
    csv_note(appraisal, "policy.allows", CSV_PASSED, "a format", "given");
    if (policy->any) {
        csv_note(appraisal, "policy.any", CSV_WARNED, "a policy",
                 "none: only cryptography and structure are checked");
    }
    if (appraisal->input->test_root_count != 0) {
        csv_note(appraisal, "root.test", CSV_WARNED, "none", "a test root is trusted: INSECURE");
    }
    return true;
}

static void run(struct csv_case *appraisal, uint32_t id)
{
    struct csv_verdict *verdict = appraisal->verdict;
    if (!check_policy(appraisal)) {
        return;
    }
    const struct csv_part *part =
        csv_need_part(appraisal, CSV_PART_EVIDENCE, "evidence.given", "one piece of evidence");
    if (part == NULL) {
        return;
    }
    struct csv_bytes evidence = part->bytes;
    if (csv_cmw_recognise(evidence) &&
        !csv_cmw_unwrap(appraisal, id != CSV_FORMAT_AUTO, &evidence)) {
        return;
    }
    const struct csv_format *format = choose(appraisal, id, evidence);
    if (format == NULL) {
        return;
    }
    verdict->format = format;
    verdict->appraised = !appraisal->policy->any;
    csv_run_format(appraisal, format, evidence);
    if (appraisal->arena->full) {
        csv_note(appraisal, "evidence.memory", CSV_MISSING, "at most 8 MiB of working memory",
                 "more is needed");
    }
}

/* Texts of claims are made while the arena is at hand: a verdict is then read without writing. */
static void settle(struct csv_verdict *verdict)
{
    for (size_t i = 0; i < verdict->claim_count; i++) {
        verdict->claims[i].value = csv_claim_value(&verdict->arena, &verdict->claims[i]);
    }
}

csn_err csv_appraise(const struct csv_policy *policy, const struct csv_input *input,
                     uint32_t format, struct csv_verdict **verdict)
{
    if (policy == NULL || input == NULL || verdict == NULL || format > CSV_FORMAT_COUNT) {
        return CSN_ERR_ARGUMENT;
    }
    size_t head = (sizeof **verdict + 15) & ~(size_t)15;
    uint8_t *memory = malloc(head + CSV_ARENA_SIZE); /* pages are touched as they are taken */
    if (memory == NULL) {
        return CSN_ERR_MEMORY;
    }
    memset(memory, 0, head);
    struct csv_verdict *made = (struct csv_verdict *)(void *)memory;
    made->arena = (struct csv_arena){.base = memory + head, .size = CSV_ARENA_SIZE};
    struct csv_case appraisal = {
        .policy = policy, .input = input, .verdict = made, .arena = &made->arena};
    run(&appraisal, format);
    csv_certs_release(made);
    settle(made);
    csv_eat_settle(made, input);
    *verdict = made;
    return made->result == CSV_VALID     ? CSN_OK
           : made->result == CSV_INVALID ? CSN_ERR_EVIDENCE
                                         : CSN_ERR_UNVERIFIED;
}

csn_err csv_appraise_bundle(const struct csv_policy *policy, const void *evidence, size_t size,
                            const uint8_t nonce[CSV_NONCE_SIZE], struct csv_verdict **verdict)
{
    struct csv_input input = {0};
    if (evidence == NULL || nonce == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(csv_input_add(&input, CSV_PART_EVIDENCE, NULL, evidence, size));
    CSN_TRY(csv_input_set_nonce(&input, nonce, CSV_NONCE_SIZE));
    return csv_appraise(policy, &input, CSV_FORMAT_CAISSON, verdict);
}
