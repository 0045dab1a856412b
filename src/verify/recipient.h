/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipient.h: the opaque key that only an appraised verdict or a tenant's signed statement yields.
 *
 * Trust:    whoever fills one vouches for the key. Two places do: the verifier, after its policy
 *           accepted the evidence, and csv_statement_open(), after the tenant's signature verified.
 * Layers:   internal to verify and client; callers outside see `struct csv_recipient` incomplete.
 */
#ifndef CSV_VERIFY_RECIPIENT_H
#define CSV_VERIFY_RECIPIENT_H

#include <stdint.h>

#define CSV_RECIPIENT_INSTANCE  UINT32_C(1) /* for grants: from evidence only */
#define CSV_RECIPIENT_RECIPIENT UINT32_C(2) /* for records: from evidence or a statement */

struct csv_recipient {
    uint32_t kind;
    uint32_t suite; /* CSN_WIRE_SUITE */
    uint8_t public_key[32];
    uint8_t tenant[32];        /* recipient keys: whose; zero for an instance key */
    uint64_t grant_version;    /* statements: lowest grant that records ask for; else 0 */
    uint8_t boot_id[16];       /* the instance's, from evidence; else zero */
    uint8_t measurement[48];   /* of the image */
    uint32_t security_version; /* of the image */
    uint32_t reserved;
};

#endif
