/* SPDX-License-Identifier: Apache-2.0 */
/* caller_options.c: see caller_options.h. */
#include "caller_options.h"
#include "tenant_file.h"
#include <string.h>

#define CA_SIZE_MAX (UINT64_C(1) << 20)
#define AGE_S       3600u

static int number(const char *option, const char *text, uint64_t maximum, uint32_t *value)
{
    uint64_t read = *value;
    int code = text != NULL ? cli_number(option, text, 0, maximum, &read) : CLI_OK;
    *value = (uint32_t)read;
    return code;
}

static int read_numbers(struct cli_caller *caller)
{
    uint32_t seconds = 0;
    caller->options.evidence_age_max = AGE_S;
    int code = number("--purpose", caller->purpose_text, 63, &caller->options.purpose);
    code = code == CLI_OK ? number("--pad", caller->padded_text, CSN_WIRE_PAYLOAD_MAX,
                                   &caller->options.padded_size_min)
                          : code;
    code = code == CLI_OK
               ? number("--max-age", caller->age_text, INT32_MAX, &caller->options.evidence_age_max)
               : code;
    code = code == CLI_OK ? number("--timeout", caller->timeout_text, 3600, &seconds) : code;
    caller->upstream.timeout_ms = seconds * 1000;
    return code;
}

/* Kept until the process ends: libcurl reads them with each connection. */
static int read_ca(struct cli_caller *caller)
{
    for (uint32_t i = 0; i < CSV_UPSTREAM_CA_MAX && caller->ca_paths[i] != NULL; i++) {
        size_t size = 0;
        caller->upstream.ca[i] =
            (const char *)cli_read_file(caller->ca_paths[i], CA_SIZE_MAX, &size);
        if (caller->upstream.ca[i] == NULL) {
            return CLI_FAILURE;
        }
    }
    return CLI_OK;
}

int cli_caller_read(struct cli_caller *caller)
{
    if (caller->gateway == NULL || caller->credential_path == NULL) {
        return cli_fail(CLI_USAGE, "wants --gateway and --credential, and --policy or what stands "
                                   "for it");
    }
    int code = read_numbers(caller);
    code = code == CLI_OK ? read_ca(caller) : code;
    code = code == CLI_OK ? cli_appraise_policy(&caller->appraise) : code;
    code = code == CLI_OK ? cli_client_init() : code;
    if (code != CLI_OK) {
        return code;
    }
    if (!cli_credential_read(caller->credential_path, &caller->credential)) {
        return CLI_FAILURE;
    }
    caller->options.policy = caller->appraise.policy;
    caller->options.credential = &caller->credential;
    caller->options.service = caller->service;
    caller->options.label = caller->label;
    caller->options.way = caller->oblivious ? CSV_CALL_OBLIVIOUS : CSV_CALL_RECORDS;
    caller->options.once = caller->once;
    caller->upstream.url = caller->gateway;
    caller->upstream.http1 = caller->http1;
    return CLI_OK;
}

void cli_caller_wipe(struct cli_caller *caller)
{
    explicit_bzero(&caller->credential, sizeof caller->credential);
}
