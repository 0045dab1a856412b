/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case.h: one appraisal while it runs: what a format's steps read, and where they write.
 *
 * A format notes findings (what was checked) and claims (what the evidence says). Rules of the
 * policy are compared with claims afterwards, by policy/check.c, from the format's table alone.
 * Nothing here is shared between appraisals.
 */
#ifndef CSV_VERIFY_CASE_H
#define CSV_VERIFY_CASE_H

#include "verify/arena.h"
#include "verify/ecdsa.h"
#include "verify/input.h"
#include "verify/recipient.h"
#include <caisson/wire/evidence.h>

#define CSV_FINDING_COUNT_MAX      512
#define CSV_CLAIM_COUNT_MAX        512
#define CSV_EAT_COUNT_MAX          16
#define CSV_VERDICT_CERT_COUNT_MAX 64
#define CSV_SIGNED_LIST_COUNT_MAX  4

struct csv_format;
struct csv_cert;
struct csv_policy;

enum csv_claim_kind {
    CSV_CLAIM_NUMBER, /* decimal in JSON */
    CSV_CLAIM_WORD,   /* "0x…" in JSON: bit fields */
    CSV_CLAIM_BYTES,  /* hex in JSON */
    CSV_CLAIM_TEXT,
    CSV_CLAIM_BOOL,
    CSV_CLAIM_LIST, /* texts; a JSON array */
};

struct csv_claim {
    const struct csv_format *format; /* whose rules look at it */
    const char *group;               /* NULL, or the JSON object that it stands in */
    const char *name;
    uint8_t kind;
    bool fact; /* for rules only: not printed */
    uint64_t number;
    const uint8_t *bytes;
    size_t size; /* bytes, or texts of a list */
    const char *text;
    const char *const *list;
    const char *value; /* as in JSON, without quotes; set when the appraisal ends */
};

/* One claim under its name in RFC 9711. */
struct csv_eat {
    const char *name;
    const char *value;
    bool number; /* printed without quotes */
};

/* A revocation list whose issuer was found to have signed it, by where its bytes stand. */
struct csv_signed_list {
    struct csv_bytes signed_part;
    struct csv_bytes signature;
    const struct csv_cert *issuer;
};

/* What a service says of a tenant's grant. */
struct csv_service_claim {
    uint32_t label;
    uint8_t tenant[32];
    uint8_t bytes[32];
};

struct csv_verdict {
    struct csv_arena arena; /* the verdict itself stands in front of its memory */
    enum csv_result result;
    const struct csv_format *format;
    size_t inner_count; /* formats that it wraps */
    const struct csv_format *inner[4];
    bool appraised;
    const char *tcb_status;
    size_t finding_count;
    struct csv_finding findings[CSV_FINDING_COUNT_MAX];
    size_t claim_count;
    struct csv_claim claims[CSV_CLAIM_COUNT_MAX];
    size_t eat_count;
    struct csv_eat eat[CSV_EAT_COUNT_MAX];
    size_t cert_count;
    struct csv_cert
        *certs[CSV_VERDICT_CERT_COUNT_MAX]; /* during the appraisal, as the next three */
    struct csv_curves curves;
    size_t signed_list_count;
    struct csv_signed_list signed_lists[CSV_SIGNED_LIST_COUNT_MAX];
    bool image_given;
    struct csv_image image;
    bool nonce_checked; /* a nonce or report data was given, and stood where it must */
    struct csv_recipient instance;
    bool ohttp_given;
    uint8_t ohttp[32];
    bool statement_given;
    uint8_t statement_key[32];
    size_t service_claim_count;
    struct csv_service_claim service_claims[CSN_WIRE_BOOT_KEY_COUNT_MAX];
    size_t recipient_count;
    struct csv_recipient recipients[CSN_WIRE_BOOT_KEY_COUNT_MAX];
};

struct csv_case {
    const struct csv_policy *policy;
    const struct csv_input *input;
    struct csv_verdict *verdict;
    struct csv_arena *arena;
    const struct csv_format *format; /* whose steps run now */
    const char *group;               /* of the claims noted now */
    /* A wrapper (Caisson's evidence, an HCL report) says what the inner report data must be. */
    bool wrapped;
    uint8_t report_data[64];
};

/* ---- findings ---- */

/* One check. FAILED makes the verdict invalid; MISSING makes a valid one unverifiable. Returns true
 * if the outcome lets the appraisal go on (PASSED or WARNED). Texts must outlive the verdict:
 * static, or from the arena. */
bool csv_note(struct csv_case *appraisal, const char *id, enum csv_outcome outcome,
              const char *expected, const char *got);
/* PASSED or FAILED. */
bool csv_note_if(struct csv_case *appraisal, const char *id, bool passed, const char *expected,
                 const char *got);
/* The same with bytes shown in hex; expected NULL: "one that the policy lists". */
bool csv_note_bytes(struct csv_case *appraisal, const char *id, bool passed,
                    const uint8_t *expected, const uint8_t *got, size_t size);

/* ---- claims: names as in the documents of each format; static or from the arena ---- */

void csv_claim_number(struct csv_case *appraisal, const char *name, uint64_t value);
void csv_claim_word(struct csv_case *appraisal, const char *name, uint64_t value);
void csv_claim_bytes(struct csv_case *appraisal, const char *name, const uint8_t *bytes,
                     size_t size); /* copied */
void csv_claim_text(struct csv_case *appraisal, const char *name, const char *text);
void csv_claim_bool(struct csv_case *appraisal, const char *name, bool value);
/* texts: count of them, from the arena. */
void csv_claim_list(struct csv_case *appraisal, const char *name, const char *const *texts,
                    size_t count);
/* Make the claim noted last a fact: seen by rules, not printed. */
void csv_claim_hide(struct csv_case *appraisal);
/* The claim of a name in the case's group; NULL if there is none. */
const struct csv_claim *csv_claim_find(const struct csv_case *appraisal, const char *name);
/* Its value as a text, as in JSON without quotes. */
const char *csv_claim_value(struct csv_arena *arena, const struct csv_claim *claim);

/* ---- what every format needs ---- */

/* Compares the nonce or report data that the caller gave (or a wrapper demands) with the evidence's
 * 64 report-data bytes; finding nonce.fresh. A shorter nonce stands first, zeros after it. */
bool csv_check_report_data(struct csv_case *appraisal, const uint8_t report_data[64]);
/* The same for a field that holds the nonce alone (Nitro, TPM, CCA, …); NULL: the field is absent.
 */
bool csv_check_nonce(struct csv_case *appraisal, const uint8_t *nonce, size_t size);
/*
 * The same where the field may be too short for report data (a TPM's may be limited to 50 bytes, a
 * token's to 74): 64 bytes of report data, a wrapper's or the caller's, stand there as their
 * SHA-256. csv_nonce_wanted() says what must stand there (false: noted that there is nothing to
 * compare with), csv_note_nonce() how the comparison went.
 */
struct csv_nonce {
    size_t size;
    uint8_t bytes[64];
};
bool csv_nonce_wanted(struct csv_case *appraisal, struct csv_nonce *nonce);
bool csv_note_nonce(struct csv_case *appraisal, const struct csv_nonce *nonce, bool same,
                    const char *got);
/* True if the caller gave a clock; else finding time.given is noted as missing. */
bool csv_check_time(struct csv_case *appraisal);
/* The only part of a kind; NULL: missing (noted under id, with what is expected) or given twice. */
const struct csv_part *csv_need_part(struct csv_case *appraisal, uint32_t kind, const char *id,
                                     const char *expected);

#endif
