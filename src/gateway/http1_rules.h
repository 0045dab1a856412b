/* SPDX-License-Identifier: Apache-2.0 */
/* http1_rules.h: lines and fields of HTTP/1.1, shared by heads, trailers and HTTP/2. Private. */
#ifndef CSN_GATEWAY_HTTP1_RULES_H
#define CSN_GATEWAY_HTTP1_RULES_H

#include "http1.h"

bool csn_http1_is_token(struct csn_http1_text text);
/* Origin form alone (RFC 9112 section 3.2.1): visible ASCII, no fragment. */
bool csn_http1_is_target(struct csn_http1_text target);
/*
 * The line at the front, without its end. MORE: no end in sight. BAD: a CR without LF, a LF without
 * CR, or a control character; *fault says which.
 */
enum csn_http1_result csn_http1_take_line(const char *bytes, size_t size,
                                          struct csn_http1_text *line, const char **fault);
/* name ":" value. BAD with *fault. */
enum csn_http1_result csn_http1_read_field(struct csn_http1_text line,
                                           struct csn_http1_field *field, const char **fault);
enum csn_http1_result csn_http1_refuse(enum csn_http1_result result, const char *why,
                                       const char **fault);

#endif
