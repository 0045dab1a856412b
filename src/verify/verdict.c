/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c: reading a verdict. Keys leave it only when every check passed. */
#include "verify/format.h"
#include <stdlib.h>
#include <string.h>

void csv_verdict_free(struct csv_verdict *verdict)
{
    free(verdict);
}

uint32_t csv_verdict_result(const struct csv_verdict *verdict)
{
    return verdict->result;
}

uint32_t csv_verdict_format(const struct csv_verdict *verdict)
{
    return verdict->format != NULL ? verdict->format->id : CSV_FORMAT_AUTO;
}

bool csv_verdict_appraised(const struct csv_verdict *verdict)
{
    return verdict->appraised;
}

const char *csv_verdict_tcb_status(const struct csv_verdict *verdict)
{
    return verdict->tcb_status;
}

size_t csv_verdict_finding_count(const struct csv_verdict *verdict)
{
    return verdict->finding_count;
}

const struct csv_finding *csv_verdict_finding(const struct csv_verdict *verdict, size_t index)
{
    return index < verdict->finding_count ? &verdict->findings[index] : NULL;
}

static bool has_name(const struct csv_claim *claim, const char *name)
{
    size_t group = claim->group != NULL ? strlen(claim->group) : 0;
    if (group != 0) {
        if (strncmp(name, claim->group, group) != 0 || name[group] != '.') {
            return false;
        }
        name += group + 1;
    }
    return strcmp(name, claim->name) == 0;
}

const char *csv_verdict_claim(const struct csv_verdict *verdict, const char *name)
{
    for (size_t i = 0; i < verdict->claim_count; i++) {
        if (!verdict->claims[i].fact && has_name(&verdict->claims[i], name)) {
            return verdict->claims[i].value;
        }
    }
    return NULL;
}

const struct csv_image *csv_verdict_image(const struct csv_verdict *verdict)
{
    return verdict->image_given ? &verdict->image : NULL;
}

static bool keys_may_leave(const struct csv_verdict *verdict)
{
    return verdict->result == CSV_VALID && verdict->appraised && verdict->image_given;
}

const struct csv_recipient *csv_verdict_instance(const struct csv_verdict *verdict)
{
    return keys_may_leave(verdict) ? &verdict->instance : NULL;
}

const uint8_t *csv_verdict_ohttp(const struct csv_verdict *verdict)
{
    return keys_may_leave(verdict) && verdict->ohttp_given ? verdict->ohttp : NULL;
}

const uint8_t *csv_verdict_statement_key(const struct csv_verdict *verdict)
{
    return keys_may_leave(verdict) && verdict->statement_given ? verdict->statement_key : NULL;
}

const uint8_t *csv_verdict_service_claim(const struct csv_verdict *verdict,
                                         const uint8_t tenant[32], uint32_t label)
{
    for (size_t i = 0; keys_may_leave(verdict) && i < verdict->service_claim_count; i++) {
        const struct csv_service_claim *claim = &verdict->service_claims[i];
        if (claim->label == label && memcmp(claim->tenant, tenant, 32) == 0) {
            return claim->bytes;
        }
    }
    return NULL;
}

const struct csv_recipient *csv_verdict_recipient(const struct csv_verdict *verdict,
                                                  const uint8_t tenant[32], size_t index)
{
    for (size_t i = 0; keys_may_leave(verdict) && i < verdict->recipient_count; i++) {
        if (memcmp(verdict->recipients[i].tenant, tenant, 32) == 0 && index-- == 0) {
            return &verdict->recipients[i];
        }
    }
    return NULL;
}
