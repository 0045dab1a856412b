/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.h: evidence into a RATS conceptual message wrapper: what `cmw wrap` and `evidence`
 * share.
 */
#ifndef CSN_CLI_ENVELOPE_H
#define CSN_CLI_ENVELOPE_H

#include "cli.h"
#include <caisson/verify.h>

struct cli_envelope {
    uint32_t format;  /* CSV_FORMAT_*: what the evidence is */
    const char *form; /* "json", "cbor" or "tag", as given to option; NULL: json */
    const char *option;
};

/* CLI_OK with *made, to be freed; else the exit code, having said why. */
int cli_envelope_make(const struct cli_envelope *envelope, const uint8_t *evidence, size_t size,
                      uint8_t **made, size_t *made_size);

#endif
