/* SPDX-License-Identifier: Apache-2.0 */
/* key_secret.h: the secret half of a key from a file, in the form that the transit enclave takes.
 */
#ifndef CSN_CLI_KEY_SECRET_H
#define CSN_CLI_KEY_SECRET_H

#include <caisson/client.h>
#include <stdint.h>

struct cli_key_secret {
    uint32_t size;
    uint8_t bytes[CSV_KEY_SECRET_MAX];
};

/* A type's name, as requests write it, to enum csn_wire_transit_type; 0: no such type. */
uint32_t cli_key_type(const char *name);
/*
 * The bytes as they are if there are as many as the type has; else PEM (PKCS#8 or SEC 1) of the
 * types that have it. CLI_OK; or a message was printed and this is the exit code. The caller wipes.
 */
int cli_key_secret_read(const char *path, uint32_t type, struct cli_key_secret *secret);

#endif
