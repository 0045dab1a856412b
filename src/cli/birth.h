/* SPDX-License-Identifier: Apache-2.0 */
/* birth.h: a verdict on evidence, and on a key's birth certificate under it, in words. */
#ifndef CSN_CLI_BIRTH_H
#define CSN_CLI_BIRTH_H

#include "cli.h"
#include <caisson/verify.h>

struct cli_birth_options {
    const char *path; /* of the certificate */
    bool explain;
    bool json;
};
/* Prints both to stdout; the exit code: that of the verdict if it is not valid, else 0 or 3. */
int cli_birth_report(const struct csv_verdict *verdict, const struct cli_birth_options *options);

#endif
