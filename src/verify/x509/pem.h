/* SPDX-License-Identifier: Apache-2.0 */
/* pem.h: PEM (RFC 7468), strict: one label, base64 in lines, nothing between but white space. */
#ifndef CSV_VERIFY_PEM_H
#define CSV_VERIFY_PEM_H

#include "verify/arena.h"
#include "verify/input.h"

/*
 * The next block of that label ("CERTIFICATE", "X509 CRL", "PUBLIC KEY") at the start of *bytes,
 * decoded into the arena; moves *bytes behind it and the white space (and NULs) that follow. False:
 * something else, or no memory.
 */
bool csv_pem_next(struct csv_bytes *bytes, const char *label, struct csv_arena *arena,
                  struct csv_bytes *content);
/* Moves behind white space and NULs. */
void csv_pem_skip(struct csv_bytes *bytes);

#endif
