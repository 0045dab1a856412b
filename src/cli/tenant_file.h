/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_file.h: a tenant's file, read and written as a whole; and a producer's. */
#ifndef CSN_CLI_TENANT_FILE_H
#define CSN_CLI_TENANT_FILE_H

#include <caisson/client.h>
#include <stdbool.h>

/* False with a message: no such file, others may read it, damaged. */
bool cli_tenant_read(const char *path, struct csv_tenant *tenant);
/* The same for a producer's file. */
bool cli_credential_read(const char *path, struct csv_credential *credential);
/* As cli_secret_write(). */
bool cli_tenant_write(const char *path, const struct csv_tenant *tenant, bool force);

#endif
