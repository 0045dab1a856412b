/* SPDX-License-Identifier: Apache-2.0 */
/* base64url.h: RFC 4648 section 5 without padding, for secrets: no table, no branch on a digit. */
#ifndef CSN_OHTTP_BASE64URL_H
#define CSN_OHTTP_BASE64URL_H

#include <stdbool.h>
#include <stdint.h>

/* size is a multiple of 3, so that no digit holds unused bits; target: size / 3 * 4 characters. */
void csn_base64url_write(const uint8_t *bytes, uint32_t size, char *target);
/* The reverse: size a multiple of 4. False: another character among them; target is then zeros. */
bool csn_base64url_read(const uint8_t *text, uint32_t size, uint8_t *target);

#endif
