/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent.h: the header of W3C Trace Context, version 00. */
#ifndef CSN_GATEWAY_TRACEPARENT_H
#define CSN_GATEWAY_TRACEPARENT_H

#include <stdbool.h>
#include <stddef.h>

#define CSN_TRACEPARENT_SIZE 55u

/* Well formed, and neither id all zero; anything else is as if it were not there. */
bool csn_traceparent_is(const char *text, size_t size);

#endif
