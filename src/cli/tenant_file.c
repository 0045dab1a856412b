/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_file.c: a tenant's file on disk; its bytes are the client library's. */
#include "tenant_file.h"
#include "cli.h"
#include "seed.h"
#include <stdlib.h>
#include <string.h>

bool cli_tenant_read(const char *path, struct csv_tenant *tenant)
{
    size_t size = 0;
    uint8_t *bytes = cli_read_secret(path, CSV_TENANT_FILE_SIZE + 1, &size);
    if (bytes == NULL) {
        return false;
    }
    csn_err err = csv_tenant_decode(bytes, size, tenant);
    explicit_bzero(bytes, size);
    free(bytes);
    if (err != CSN_OK) {
        cli_fail(0, "%s: not a tenant file, or damaged", path);
    }
    return err == CSN_OK;
}

bool cli_credential_read(const char *path, struct csv_credential *credential)
{
    size_t size = 0;
    uint8_t *bytes = cli_read_secret(path, CSV_CREDENTIAL_FILE_SIZE + 1, &size);
    if (bytes == NULL) {
        return false;
    }
    csn_err err = csv_credential_decode(bytes, size, credential);
    explicit_bzero(bytes, size);
    free(bytes);
    if (err != CSN_OK) {
        cli_fail(0, "%s: not a credential file, or damaged", path);
    }
    return err == CSN_OK;
}

bool cli_tenant_write(const char *path, const struct csv_tenant *tenant, bool force)
{
    uint8_t bytes[CSV_TENANT_FILE_SIZE];
    csv_tenant_encode(tenant, bytes);
    bool good = cli_secret_write(path, bytes, sizeof bytes, force);
    explicit_bzero(bytes, sizeof bytes);
    return good;
}
