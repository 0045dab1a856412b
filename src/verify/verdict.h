/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h: the inside of a verdict, for the files of the verifier alone. */
#ifndef CSV_VERIFY_VERDICT_H
#define CSV_VERIFY_VERDICT_H

#include "verify/recipient.h"
#include <caisson/verify.h>
#include <caisson/wire/evidence.h>

#define CSV_FINDING_COUNT_MAX 24

struct csv_verdict {
    enum csv_result result;
    size_t finding_count;
    struct csv_finding findings[CSV_FINDING_COUNT_MAX];
    struct csv_claims claims;
    struct csv_recipient instance;
    size_t recipient_count;
    struct csv_recipient recipients[CSN_WIRE_BOOT_KEY_COUNT_MAX];
};

/* The parts of a bundle after csv_evidence_parse(): pointers into the caller's bytes. */
struct csv_bundle {
    struct csn_wire_evidence head; /* a copy: the bytes may be unaligned */
    const uint8_t *path;
    const uint8_t *keys;
    const uint8_t *platform;
};

/* What every check sees. */
struct csv_case {
    const struct csv_policy *policy;
    const uint8_t *nonce;
    struct csv_bundle bundle;
    uint8_t report_data[64];
    struct csv_verdict *verdict;
};

/* Strict framing: CSN_ERR_FORMAT with *what (static) set. */
CSN_MUST_USE csn_err csv_evidence_parse(const uint8_t *bytes, size_t size,
                                        struct csv_bundle *bundle, const char **what);

/* Note one check. Any FAILED makes the verdict INVALID; MISSING makes it COULD_NOT_VERIFY. */
bool csv_note(struct csv_verdict *verdict, const char *id, enum csv_outcome outcome,
              const char *expected, const char *got);
/* The same with bytes shown in hex (the first 48 of them). */
bool csv_note_bytes(struct csv_verdict *verdict, const char *id, bool passed,
                    const uint8_t *expected, const uint8_t *got, size_t size);

/* Checks that the platform behind the bundle vouches for report_data: one per evidence type. */
struct csv_platform {
    uint32_t type;
    const char *name;
    bool (*accepted)(const struct csv_policy *policy);
    void (*appraise)(struct csv_case *appraisal);
};
extern const struct csv_platform csv_platform_software;

#endif
