/* SPDX-License-Identifier: Apache-2.0 */
/* bearer.c: a credential's token for requests whose sender can do no better. */
#include "core/bytes.h"
#include "ohttp/authorize.h"
#include <caisson/client.h>

_Static_assert(CSV_BEARER_SIZE == CSN_AUTHORIZE_TEXT_SIZE + 1, "the token and its end");

void csv_credential_bearer(const struct csv_credential *credential, char token[CSV_BEARER_SIZE])
{
    static const uint8_t none[32];
    const struct csn_bhttp_message nothing = {.header_count = 0};
    char value[CSN_AUTHORIZE_SIZE_MAX];
    struct csn_authorization shown = {.way = CSN_AUTHORIZE_BEARER, .credential = credential->id};
    __builtin_memcpy(shown.tenant, credential->tenant, sizeof shown.tenant);
    uint32_t size = csn_authorize_write(&shown, &nothing, none, credential->secret, value);
    __builtin_memcpy(token, value + size - CSN_AUTHORIZE_TEXT_SIZE, CSN_AUTHORIZE_TEXT_SIZE);
    token[CSN_AUTHORIZE_TEXT_SIZE] = 0;
    csn_wipe(value, sizeof value);
    csn_wipe(&shown, sizeof shown);
}
