/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.c: what a policy must not leave open, found before any evidence is looked at.
 *
 * An image's measurement counts only behind a launcher that the relying party listed (DESIGN, 8),
 * and development evidence only where the policy says so in as many words.
 */
#include "verify/policy/policy.h"
#include <string.h>

static bool has_launcher(const struct csv_policy *policy, const char *platform)
{
    const struct csv_value *value = csv_policy_first(policy, "caisson.launchers");
    size_t size = strlen(platform);
    bool found = false;
    for (; value != NULL; value = csv_policy_next(value)) {
        found = found || (strncmp(value->text, platform, size) == 0 && value->text[size] == ':');
    }
    return found;
}

static const char *platform_fault(const struct csv_policy *policy, const char *platform)
{
    if (strcmp(platform, "software") != 0) {
        return has_launcher(policy, platform)
                   ? NULL
                   : "caisson.launchers names no launcher of a platform that is accepted";
    }
    const struct csv_value *insecure = csv_policy_first(policy, "caisson.insecure_dev");
    if (insecure == NULL || insecure->number == 0) {
        return "software evidence wants caisson.insecure_dev = true";
    }
    return csv_policy_first(policy, "caisson.software_roots") != NULL
               ? NULL
               : "software evidence wants caisson.software_roots";
}

static const char *caisson_fault(const struct csv_policy *policy)
{
    const struct csv_value *platform = csv_policy_first(policy, "caisson.platforms");
    if (csv_policy_first(policy, "caisson.measurements") == NULL &&
        csv_policy_first(policy, "caisson.signers") == NULL) {
        return "neither caisson.measurements nor caisson.signers is given";
    }
    const char *fault = NULL;
    for (; platform != NULL && fault == NULL; platform = csv_policy_next(platform)) {
        fault = platform_fault(policy, platform->text);
    }
    return fault;
}

/* An enclave is known by its measurement, or by its signer with product and least version. */
static const char *sgx_fault(const struct csv_policy *policy)
{
    if (csv_policy_first(policy, "sgx.mrsigner") == NULL) {
        return csv_policy_first(policy, "sgx.mrenclave") != NULL
                   ? NULL
                   : "neither sgx.mrenclave nor sgx.mrsigner is given";
    }
    return csv_policy_first(policy, "sgx.mrenclave") != NULL ||
                   (csv_policy_first(policy, "sgx.isvprodid") != NULL &&
                    csv_policy_first(policy, "sgx.isvsvn_min") != NULL)
               ? NULL
               : "sgx.mrsigner wants sgx.isvprodid and sgx.isvsvn_min beside it";
}

static bool accepts(const struct csv_policy *policy, uint32_t format)
{
    return (policy->formats >> format & 1) != 0;
}

const char *csv_policy_fault(const struct csv_policy *policy)
{
    const char *fault = accepts(policy, CSV_FORMAT_CAISSON) ? caisson_fault(policy) : NULL;
    return fault == NULL && accepts(policy, CSV_FORMAT_SGX) ? sgx_fault(policy) : fault;
}
