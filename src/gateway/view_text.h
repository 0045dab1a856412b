/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_text.h: text written into a room of fixed size, with the contract of snprintf(): what does
 * not fit is counted and left out. Names that come from elsewhere go through one of the three
 * escaping writers; what is no UTF-8 in them, and controls, become U+FFFD (in JSON: \u00xx).
 *
 * Lifetime: the bytes are the caller's. The locale is "C", as a program has it at its start.
 */
#ifndef CSN_GATEWAY_VIEW_TEXT_H
#define CSN_GATEWAY_VIEW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csn_view_text {
    char *bytes; /* may be NULL if room is 0 */
    size_t room;
    size_t size; /* of the whole text so far, whether it fitted or not */
};

/* Strings may be NULL: an empty one. */
void csn_view_put(struct csn_view_text *text, const char *string);
void csn_view_putf(struct csn_view_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void csn_view_put_hex(struct csn_view_text *text, const uint8_t *bytes, size_t size);
void csn_view_put_grouped(struct csn_view_text *text, uint64_t number); /* 1,234,567 */
/* Between tags, or in a quoted attribute. */
void csn_view_put_html(struct csn_view_text *text, const char *string);
/* With its quotes. */
void csn_view_put_json(struct csn_view_text *text, const char *string);
/* Value of a Prometheus label, without its quotes. */
void csn_view_put_label(struct csn_view_text *text, const char *string);
/* Terminates what is there; the size of the whole text. */
size_t csn_view_end(const struct csn_view_text *text);

#endif
