/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim.c: what a service says of a tenant's grant in the evidence (vouch.h).
 *
 * Claims lie in the grant that they are of: a refused grant leaves those in force, and an accepted
 * one begins with its own. Room for them in the list of keys is kept when the grant is built.
 */
#include "state.h"
#include <caisson/vouch.h>

static csn_err put(struct cse_claims *claims, uint32_t label, const uint8_t claim[32])
{
    uint32_t index = 0;
    if (label == 0) {
        return CSN_ERR_ARGUMENT;
    }
    while (index < claims->count && claims->list[index].label != label) {
        index++;
    }
    if (index == claims->count) {
        if (claims->count == claims->count_max) {
            return CSN_ERR_LIMIT;
        }
        claims->count++;
    }
    claims->list[index].label = label;
    __builtin_memcpy(claims->list[index].bytes, claim, 32);
    return CSN_OK;
}

csn_err cse_claim_grant(const struct cse_grant_view *grant, uint32_t label, const uint8_t claim[32])
{
    return put(grant->claims, label, claim);
}

csn_err cse_claim_set(struct cse_call *call, uint32_t label, const uint8_t claim[32])
{
    CSN_TRY(put(&call->answer.tenant->grant->claims, label, claim));
    cse_made_write(call->session);
    return CSN_OK;
}

void cse_claim_word(uint8_t claim[32], const char *word)
{
    __builtin_memset(claim, 0, 32);
    for (uint32_t i = 0; i < 31 && word[i] != 0; i++) {
        claim[i] = (uint8_t)word[i];
    }
}
