/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.c: see envelope.h. */
#include "envelope.h"
#include <stdlib.h>
#include <string.h>

int cli_envelope_make(const struct cli_envelope *envelope, const uint8_t *evidence, size_t size,
                      uint8_t **made, size_t *made_size)
{
    static const char *const forms[] = {"json", "cbor", "tag"};
    uint32_t form = CSV_CMW_JSON;
    while (envelope->form != NULL && form <= CSV_CMW_TAG &&
           strcmp(forms[form - 1], envelope->form) != 0) {
        form++;
    }
    csn_err err = csv_cmw_wrap(envelope->format, form, evidence, size, NULL, 0, made_size);
    if (err == CSN_ERR_UNKNOWN) {
        return cli_fail(CLI_USAGE, "evidence of type %s has no tag; take json or cbor",
                        csv_format_name(envelope->format));
    }
    if (err == CSN_ERR_ARGUMENT) {
        return cli_fail(CLI_USAGE, "%s wants json, cbor or tag", envelope->option);
    }
    *made = err == CSN_OK ? malloc(*made_size) : NULL;
    if (*made != NULL) {
        err = csv_cmw_wrap(envelope->format, form, evidence, size, *made, *made_size, made_size);
    }
    if (*made == NULL || err != CSN_OK) {
        free(*made);
        return cli_fail(CLI_FAILURE, "not wrapped: %s", csn_err_name(err));
    }
    return CLI_OK;
}
