/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c: reading a verdict. Keys leave it only when every check passed. */
#include "verdict.h"
#include <stdlib.h>
#include <string.h>

void csv_verdict_free(struct csv_verdict *verdict)
{
    free(verdict);
}

enum csv_result csv_verdict_result(const struct csv_verdict *verdict)
{
    return verdict->result;
}

size_t csv_verdict_finding_count(const struct csv_verdict *verdict)
{
    return verdict->finding_count;
}

const struct csv_finding *csv_verdict_finding(const struct csv_verdict *verdict, size_t index)
{
    return index < verdict->finding_count ? &verdict->findings[index] : NULL;
}

const struct csv_claims *csv_verdict_claims(const struct csv_verdict *verdict)
{
    return &verdict->claims;
}

const struct csv_recipient *csv_verdict_instance(const struct csv_verdict *verdict)
{
    return verdict->result == CSV_VERIFIED ? &verdict->instance : NULL;
}

const struct csv_recipient *csv_verdict_recipient(const struct csv_verdict *verdict,
                                                  const uint8_t tenant[32], size_t index)
{
    if (verdict->result != CSV_VERIFIED) {
        return NULL;
    }
    for (size_t i = 0; i < verdict->recipient_count; i++) {
        if (memcmp(verdict->recipients[i].tenant, tenant, 32) == 0 && index-- == 0) {
            return &verdict->recipients[i];
        }
    }
    return NULL;
}
