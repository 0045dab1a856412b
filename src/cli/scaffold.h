/* SPDX-License-Identifier: Apache-2.0 */
/* scaffold.h: the files of examples/hello, embedded by scaffold.py for `caisson new`. */
#ifndef CSN_CLI_SCAFFOLD_H
#define CSN_CLI_SCAFFOLD_H

#include <stddef.h>

struct cli_scaffold {
    const char *name; /* with "hello" where the enclave's name goes */
    unsigned mode;
    const char *text; /* with "hello" and "HELLO" likewise */
};
extern const struct cli_scaffold cli_scaffold[];
extern const size_t cli_scaffold_count;

#endif
