/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.h: a JWS in compact form (RFC 7515, section 7.1), strict base64url throughout. */
#ifndef CSV_VERIFY_JWT_H
#define CSV_VERIFY_JWT_H

#include "verify/arena.h"
#include "verify/input.h"

struct csv_jwt {
    struct csv_bytes message; /* what is signed: header and payload as they stand */
    struct csv_bytes header;  /* decoded, from the arena, as the next two */
    struct csv_bytes payload;
    struct csv_bytes signature;
};

/* Three parts and at most a line end behind them. False with *why (static). */
bool csv_jwt_read(struct csv_bytes text, struct csv_arena *arena, struct csv_jwt *jwt,
                  const char **why);
/* Looks like one: a JSON object's first letters and two dots. */
bool csv_jwt_recognise(struct csv_bytes text);

#endif
