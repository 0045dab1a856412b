/* SPDX-License-Identifier: Apache-2.0 */
/* fake_policy.c: see fake_policy.h. */
#include "fake_policy.h"
#include <caisson/policy.h>
#include <caisson/wire/policy.h>
#include <stdio.h>
#include <stdlib.h>

void fake_policy(struct fake_tenant *tenant, const char *text, size_t size)
{
    static _Alignas(8) uint8_t policy[CSN_WIRE_POLICY_SIZE_MAX];
    static const char *const names[] = {"sink"};
    static const struct csv_policy_consumers consumers = {.names = names, .count = 1};
    struct csv_policy_error why = {0};
    size_t compiled_size = 0;
    if (csv_policy_compile(text, size, &consumers, policy, sizeof policy, &compiled_size, &why) !=
        CSN_OK) {
        fprintf(stderr, "the policy, %u:%u: %s\n", why.line, why.column, why.text);
        exit(1);
    }
    tenant->policy = policy;
    tenant->policy_size = (uint32_t)compiled_size;
}
