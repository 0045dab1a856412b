/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h: the parts of Caisson's own evidence; pointers into the caller's bytes. */
#ifndef CSV_VERIFY_BUNDLE_H
#define CSV_VERIFY_BUNDLE_H

#include "verify/appraise.h"

struct csv_bundle {
    struct csn_wire_evidence head; /* a copy: the bytes may be unaligned */
    const uint8_t *path;
    const uint8_t *keys;
    const uint8_t *platform;
};

/* Strict framing: CSN_ERR_FORMAT with *what (static) set. */
CSN_MUST_USE csn_err csv_evidence_parse(const uint8_t *bytes, size_t size,
                                        struct csv_bundle *bundle, const char **what);

/* Checks that the platform vouches for report data: the development key, or any other format. */
void csv_platform_software(struct csv_case *appraisal, const struct csv_bundle *bundle,
                           const uint8_t report_data[64]);
void csv_platform_hardware(struct csv_case *appraisal, const struct csv_bundle *bundle,
                           const uint8_t report_data[64]);

/* For launchers of a policy: "FORMAT:CLAIM=HEX,…" that names all launch claims of that format. */
bool csv_launcher_valid(const char *text, const char **why);
/* Does this launcher name just what the platform claims (in the case's group)? */
bool csv_launcher_matches(struct csv_case *appraisal, const struct csv_format *format,
                          const char *launcher);

#endif
