/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue.h: what each finding means. One table per format, beside its steps, and one for all;
 * docs/verify/ has a page for each id (a test compares the two).
 */
#ifndef CSV_VERIFY_CATALOGUE_H
#define CSV_VERIFY_CATALOGUE_H

#include <stddef.h>

struct csv_entry {
    const char *id;    /* part.what: lower case, digits, dashes, dots */
    const char *claim; /* what is checked, as a statement that holds when it passed */
    const char *why;   /* why it matters */
    const char *todo;  /* what to do when it fails */
};

struct csv_catalogue {
    const struct csv_entry *entries;
    size_t count;
};

extern const struct csv_catalogue csv_catalogue_common;

#define CSV_CATALOGUE(table)                                                                       \
    {                                                                                              \
        (table), sizeof(table) / sizeof((table)[0])                                                \
    }

#endif
