/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.c: what an image does with requests, in this process and without rings (fake.h), for
 * clients that are not ours (lines.h).
 *
 *   keys             the list that the evidence binds
 *   token            an Authorization with the token of a credential that may use one
 *   token-asker      and of one that may not
 *   answer REQUEST   an encapsulated request to its encapsulated response
 */
#include "../enclave/fake.h"
#include "lines.h"
#include <caisson/wire/message.h>
#include <ohttp/ohttp.h>
#include <stdio.h>
#include <string.h>

static struct fake fake;
static struct fake_tenant tenant;

static csn_err error_of(uint32_t code)
{
    return code == CSN_WIRE_REJECT_KEY     ? CSN_ERR_UNKNOWN
           : code == CSN_WIRE_REJECT_AUTH  ? CSN_ERR_AUTH
           : code == CSN_WIRE_REJECT_SUITE ? CSN_ERR_SUITE
           : code == CSN_WIRE_REJECT_SIZE  ? CSN_ERR_LIMIT
                                           : CSN_ERR_FORMAT;
}

static csn_err answer(const char *request, uint8_t *out, uint32_t *size)
{
    static uint8_t message[sizeof(struct csn_wire_request) + LINES_BYTES_MAX];
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = CSN_OHTTP_WHOLE};
    uint32_t given;
    memcpy(message, &head, sizeof head);
    CSN_TRY(lines_hex(request, message + sizeof head, &given));
    const struct fake_message one = {message, (uint32_t)sizeof head + given};
    fake_send(&fake, &one, 1);
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        const struct fake_answer *part = &fake.answers[i];
        if (part->code != CSN_WIRE_ANSWERED) {
            return error_of(part->code);
        }
        if (part->size > LINES_BYTES_MAX - *size) {
            return CSN_ERR_LIMIT;
        }
        memcpy(out + *size, part->body, part->size);
        *size += part->size;
    }
    return CSN_OK;
}

static csn_err run(const char *words[5], uint8_t *out, uint32_t *size)
{
    if (strcmp(words[0], "keys") == 0) {
        csn_ohttp_keys_write(&fake.instance.request_key, out);
        *size = CSN_OHTTP_KEYS_SIZE;
        return CSN_OK;
    }
    if (strncmp(words[0], "token", 5) == 0) {
        char token[CSV_BEARER_SIZE];
        csv_credential_bearer(words[0][5] == 0 ? &tenant.bearer : &tenant.asker, token);
        *size = (uint32_t)snprintf((char *)out, LINES_BYTES_MAX, "Bearer %s", token);
        return CSN_OK;
    }
    return strcmp(words[0], "answer") == 0 ? answer(words[1], out, size) : CSN_ERR_ARGUMENT;
}

int main(void)
{
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC};
    fake_start(&fake, &options);
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    int status = lines_serve(run);
    fake_stop(&fake);
    return status;
}
