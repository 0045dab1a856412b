/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c: what an instance signs under the key that its evidence names (vouch.h).
 *
 * The message is of bounded size: what is stated goes in as its hash, behind the label.
 */
#include "../crypto/curve.h"
#include "../crypto/self_test.h"
#include "state.h"
#include <caisson/vouch.h>

#define PREFIX      "caisson-instance-statement-v1"
#define PREFIX_SIZE (sizeof PREFIX - 1)

const struct cse_statements cse_statements = {
    .make = csn_ed25519_expand,
    .self_test = csn_signing_self_test,
};

/* Its characters; 0: not a label. */
static uint32_t label_size(const char *label)
{
    for (uint32_t i = 0; i <= CSE_STATEMENT_LABEL_MAX; i++) {
        if (label[i] == 0) {
            return i;
        }
        if (label[i] < 0x21 || label[i] > 0x7e) {
            return 0;
        }
    }
    return 0;
}

csn_err cse_statement_sign(struct cse_call *call, const char *label, const void *bytes, size_t size,
                           uint8_t signature[64])
{
    const struct cse_session_options *options = &call->session->options;
    uint8_t message[PREFIX_SIZE + 1 + CSE_STATEMENT_LABEL_MAX + 32] = PREFIX;
    uint32_t at = PREFIX_SIZE;
    const uint32_t count = label_size(label);
    if (count == 0 || options->service->statements == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    message[at++] = (uint8_t)count;
    __builtin_memcpy(message + at, label, count);
    at += count;
    csn_sha256(bytes, size, message + at);
    csn_ed25519_sign_expanded(signature, message, at + 32, options->instance->statement_secret);
    return CSN_OK;
}

const uint8_t *cse_boot_id(const struct cse_call *call)
{
    return call->session->options.instance->boot_id;
}

const uint8_t *cse_measurement(const struct cse_call *call)
{
    return call->session->options.measurement;
}

uint64_t cse_grant_version(const struct cse_call *call)
{
    return call->answer.tenant->grant->version;
}

const uint8_t *cse_grant_digest(const struct cse_call *call)
{
    return call->answer.tenant->grant->digest;
}
