/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm_semantics.h: what configfs-tsm does, asked of whatever stands at a path: the same questions
 * go to the double in `make check` and to a real kernel in `make check-long`.
 */
#ifndef TESTS_EVIDENCE_TSM_SEMANTICS_H
#define TESTS_EVIDENCE_TSM_SEMANTICS_H

/* NULL: as expected; else the first thing that is not (static). */
const char *tsm_semantics(const char *root);

#endif
