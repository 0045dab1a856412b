/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote.h: the framing of SGX and TDX quotes, versions 3, 4 and 5. Pointers go into the caller's
 * bytes; nothing is judged here but the structure.
 */
#ifndef CSV_VERIFY_QUOTE_H
#define CSV_VERIFY_QUOTE_H

#include "verify/case.h"

#define CSV_QUOTE_HEADER_SIZE 48
#define CSV_SGX_BODY_SIZE     384
#define CSV_TD10_BODY_SIZE    584
#define CSV_TD15_BODY_SIZE    648
#define CSV_TD15EX_BODY_SIZE  885

#define CSV_TEE_SGX 0x00u
#define CSV_TEE_TDX 0x81u

/* Types of a body as version 5 numbers them. */
enum csv_quote_body {
    CSV_QUOTE_BODY_SGX = 1,
    CSV_QUOTE_BODY_TD10 = 2,
    CSV_QUOTE_BODY_TD15 = 3,
    CSV_QUOTE_BODY_TD15EX = 4,
};

/* Types of certification data. */
enum csv_quote_certification {
    CSV_QUOTE_PPID = 1, /* to 3: the PPID in several codings; no certificate */
    CSV_QUOTE_PCK_LEAF = 4,
    CSV_QUOTE_PCK_CHAIN = 5,
    CSV_QUOTE_QE_REPORT = 6, /* wraps the others from version 4 on */
};

struct csv_quote {
    const uint8_t *header;
    uint16_t version;
    uint32_t tee_type;
    uint16_t body_type;
    struct csv_bytes body;
    struct csv_bytes signed_bytes; /* header and body, and what is between them */
    const uint8_t *signature;      /* 64 bytes, by the attestation key */
    const uint8_t *key;            /* 64 bytes, the attestation key */
    const uint8_t *qe_report;      /* an SGX body */
    const uint8_t *qe_signature;   /* 64 bytes, by the PCK */
    struct csv_bytes auth;
    uint16_t cert_type;
    struct csv_bytes cert;
    struct csv_bytes trailing; /* behind all that lengths account for */
};

/* The TEE of a quote by its first bytes; UINT32_MAX: not a quote. */
uint32_t csv_quote_tee(struct csv_bytes bytes);
/* NULL, or what is wrong (static). */
const char *csv_quote_parse(struct csv_bytes bytes, struct csv_quote *quote);
/* Claims of header and body, by the names that the vectors use. */
void csv_quote_claims(struct csv_case *appraisal, const struct csv_quote *quote);

#endif
