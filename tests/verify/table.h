/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: published evidence and the tables that say what is to be expected of it.
 *
 * Everything is read from CAISSON_SHARED/vectors/attestation. Where the folder is missing, a test
 * prints "1..0 # SKIP reason" (table_skip()) and returns.
 */
#ifndef TESTS_VERIFY_TABLE_H
#define TESTS_VERIFY_TABLE_H

#include <caisson/verify.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Prints the skip line and returns true if there are no vectors. */
bool table_skip(void);

/* A whole file below vectors/attestation; bytes NULL: not there. From malloc. */
struct table_file {
    uint8_t *bytes; /* one zero byte follows */
    size_t size;
};
struct table_file table_file(const char *path);

/* A tab-separated table whose first line names its columns. */
struct table {
    struct table_file file;
    char **cells; /* row_count * column_count, terminated in place; the first row is the names */
    size_t row_count;
    size_t column_count;
};
struct table table_read(const char *path); /* fails the test if it is not there */
void table_free(struct table *table);
/* Row 0 is the first below the names. "" where a short row has no such cell. */
const char *table_cell(const struct table *table, size_t row, const char *column);
size_t table_rows(const struct table *table);
/* The row whose first column is this; fails the test if there is none. */
size_t table_find(const struct table *table, const char *first);

/* The value of "name" in "name=value;name=value"; false: not there. */
bool table_field(const char *fields, const char *name, char *value, size_t capacity);
/*
 * Compares every field "name=value" with the verdict's claim of that name, but for those in ignored
 * (NULL-terminated). JSON's true and false count as True and False and as 1 and 0. Fails with the
 * first difference; returns how many were compared.
 */
size_t table_compare(const struct csv_verdict *verdict, const char *fields,
                     const char *const *ignored);

/* Seconds since 1970 of "YYYY-MM-DD" or of RFC 3339 in UTC ("…T…Z" or with a blank). */
int64_t table_time(const char *text);
/* Adds a file of the vectors to an input; the file is kept until table_forget(). */
void table_add(struct csv_input *input, uint32_t part, const char *path);
void table_forget(void);
/* A policy from text; fails the test with the mistake. */
struct csv_policy *table_policy(const char *text);
/* For a group of tests: a policy that accepts any claims, and what gives it back. */
extern struct csv_policy *table_any;
int table_start(void **state);
int table_stop(void **state);
/* The finding with that id and outcome; NULL if there is none. */
const struct csv_finding *table_finding(const struct csv_verdict *verdict, const char *id,
                                        uint32_t outcome);
/* Prints the findings that did not pass, as TAP comments. */
void table_explain(const struct csv_verdict *verdict);

#endif
