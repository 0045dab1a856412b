/* SPDX-License-Identifier: Apache-2.0 */
/* fake_policy.h: a policy of the tokenize enclave for a fake's tenant; apart, as it needs JSON. */
#ifndef TESTS_ENCLAVE_FAKE_POLICY_H
#define TESTS_ENCLAVE_FAKE_POLICY_H

#include "fake.h"
#include <stddef.h>

/* Compiles the text for the tenant's consumer "sink"; ends the program with the reason. */
void fake_policy(struct fake_tenant *tenant, const char *text, size_t size);

#endif
