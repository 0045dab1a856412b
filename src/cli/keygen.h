/* SPDX-License-Identifier: Apache-2.0 */
/* keygen.h: what `caisson keygen` does with those who are in a tenant's file already. */
#ifndef CSN_CLI_KEYGEN_H
#define CSN_CLI_KEYGEN_H

#include <stdbool.h>

/* who: a consumer's name, or the id of a producer in hex. An exit code. */
int keygen_revoke(const char *tenant_path, bool consumer, const char *who, bool json);
/* The token of a producer's file, on stdout. */
int keygen_bearer(const char *path, bool json);
int keygen_list(const char *tenant_path, bool json);

#endif
