/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detail.h: the words beside an error code.
 *
 * Threads:  pure; each caller has its own detail. A NULL detail is allowed everywhere.
 */
#ifndef CSN_BACKEND_DETAIL_H
#define CSN_BACKEND_DETAIL_H

#include <caisson/host.h>

/* Formats like printf, cut to fit, always terminated. Returns err, so that callers can return it.
 */
__attribute__((format(printf, 3, 4))) csn_err csn_detail_set(struct csn_detail *detail, csn_err err,
                                                             const char *format, ...);
/* A short name of a Linux error number ("EPERM"), static; "errno N" is the caller's business. */
const char *csn_errno_name(int number);

#endif
