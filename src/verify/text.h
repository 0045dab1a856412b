/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: hex, base64 and numbers, strict: what is not exactly well formed is refused. */
#ifndef CSV_VERIFY_TEXT_H
#define CSV_VERIFY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* digits (an even number of them, either case) to digits / 2 bytes. */
bool csv_hex_read(const char *text, size_t digits, uint8_t *bytes);
/* 2 * size digits and a terminator. */
void csv_hex_write(const void *bytes, size_t size, char *text);
/* Decimal or 0x…, the whole text. */
bool csv_number_read(const char *text, uint64_t *number);
/* "1.55.29" and the like: up to four decimal numbers below 65536, as one number that orders as they
 * do; parts that are left out count as zero. */
bool csv_version_read(const char *text, uint64_t *number);
void csv_text_copy(char *target, size_t capacity, const char *text);
/*
 * Base64url without padding (RFC 4648, section 5; JOSE) to at most size / 4 * 3 + 2 bytes. False
 * for foreign characters, an impossible length or bits left over.
 */
bool csv_base64url_read(const uint8_t *text, size_t size, uint8_t *bytes, size_t *bytes_size);
/* Base64 with padding (section 4), likewise. */
bool csv_base64_read(const uint8_t *text, size_t size, uint8_t *bytes, size_t *bytes_size);
/* "YYYY-MM-DDTHH:MM:SSZ" (RFC 3339 in UTC, fractions refused) to seconds since 1970. */
bool csv_time_read(const char *text, size_t size, int64_t *unix_seconds);
/* Seconds from 1970 to the start of that day in UTC; month and day from 1. */
int64_t csv_seconds_of(int year, int month, int day);

#endif
