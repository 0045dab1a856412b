/* SPDX-License-Identifier: Apache-2.0 */
/* bhttp_rules.h: what RFC 9110 allows in the parts of a message. */
#ifndef CSN_OHTTP_BHTTP_RULES_H
#define CSN_OHTTP_BHTTP_RULES_H

#include "bhttp.h"

/* Section 5.6.2: letters, digits and some signs, at least one. Field names and methods. */
bool csn_bhttp_is_token(const struct csn_bhttp_text *text);
/* Section 5.5: no control characters but tab, no blank at either end. May be empty. */
bool csn_bhttp_is_value(const struct csn_bhttp_text *text);
/* Method, scheme, authority and path. */
bool csn_bhttp_request_is_legal(const struct csn_bhttp_message *message);
/* A final status. */
bool csn_bhttp_status_is_legal(uint64_t status);

#endif
