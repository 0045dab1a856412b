/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.c: challenges of this worker and boot, each good for one request.
 *
 * A bit for each of the CSE_CHALLENGE_COUNT issued last: what was issued before those is of no use
 * any more, so memory does not grow, whoever asks for challenges. Streams in window mode name one
 * as well and keep a window of their own; that a challenge began a stream uses up nothing here.
 */
#include "http.h"

_Static_assert(CSE_CHALLENGE_COUNT % 64 == 0, "whole words");

static uint64_t *word_of(struct cse_session *session, uint64_t counter)
{
    return &session->challenges_used[counter % CSE_CHALLENGE_COUNT / 64];
}

void cse_challenge_issue(struct cse_session *session, struct csn_wire_challenge *challenge)
{
    *challenge = (struct csn_wire_challenge){.worker = session->options.worker,
                                             .counter = session->challenge_next++};
    __builtin_memcpy(challenge->boot_id, session->options.instance->boot_id, 16);
    *word_of(session, challenge->counter) &= ~(UINT64_C(1) << challenge->counter % 64);
}

static bool is_current(const struct cse_session *session, const struct cse_tenant *tenant,
                       const struct csn_wire_challenge *challenge)
{
    return __builtin_memcmp(challenge->boot_id, session->options.instance->boot_id, 16) == 0 &&
           challenge->worker == session->options.worker && challenge->reserved == 0 &&
           challenge->counter >= tenant->challenge_floor &&
           challenge->counter < session->challenge_next &&
           session->challenge_next - challenge->counter <= CSE_CHALLENGE_COUNT;
}

bool cse_challenge_take(struct cse_session *session, const struct cse_tenant *tenant,
                        const struct csn_wire_challenge *challenge)
{
    if (!is_current(session, tenant, challenge)) {
        return false;
    }
    uint64_t *word = word_of(session, challenge->counter);
    const uint64_t bit = UINT64_C(1) << challenge->counter % 64;
    if ((*word & bit) != 0) {
        return false;
    }
    *word |= bit;
    return true;
}
