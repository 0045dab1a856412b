/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h: a filter that a script drives: one command a line, one answer a line, bytes in
 * hexadecimal. "ok BYTES", or "no NAME" with the name of the error.
 */
#ifndef TESTS_CLIENTS_LINES_H
#define TESTS_CLIENTS_LINES_H

#include <caisson/base.h>
#include <stdint.h>

#define LINES_BYTES_MAX 131072u /* of what a command gives */

/* words: the command's, up to a NULL; out has LINES_BYTES_MAX bytes. */
typedef csn_err (*lines_run)(const char *words[5], uint8_t *out, uint32_t *size);
/* Until the input ends. An exit status. */
int lines_serve(lines_run run);
/* bytes has LINES_BYTES_MAX; text may be NULL, which is an error like odd digits. */
csn_err lines_hex(const char *text, uint8_t *bytes, uint32_t *size);

#endif
