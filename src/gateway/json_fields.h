/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_fields.h: JSON objects read by a table: each key is known or refused, each value is in its
 * range, each fault says where it stands.
 */
#ifndef CSN_GATEWAY_JSON_FIELDS_H
#define CSN_GATEWAY_JSON_FIELDS_H

#include <caisson/host.h>
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csn_json_place {
    const struct csn_json_place *outer; /* NULL: the whole */
    const char *name;                   /* a key, or NULL: an index */
    int index;
};

struct csn_json_reader {
    const char *folder;
    struct csn_detail *detail;
    char **texts; /* what was made for paths */
    size_t text_count;
};

enum csn_json_kind {
    CSN_JSON_TEXT,
    CSN_JSON_NAME, /* csn_config_is_name() */
    CSN_JSON_PATH, /* of a file: relative ones begin at the reader's folder */
    CSN_JSON_U32,
    CSN_JSON_U64,
    CSN_JSON_MS,   /* milliseconds, kept as nanoseconds in a uint64_t */
    CSN_JSON_RATE, /* a double, not negative */
    CSN_JSON_BOOL,
    CSN_JSON_OTHER, /* read: what reads it */
};

struct csn_json_field {
    const char *key;
    enum csn_json_kind kind;
    bool is_needed;
    size_t offset; /* of the member in the target */
    uint64_t minimum;
    uint64_t maximum;
    csn_err (*read)(struct csn_json_reader *reader, const struct csn_json_place *place,
                    const cJSON *value, void *member);
};

/* Reads an object into target. What is not given stays as it is. */
CSN_MUST_USE csn_err csn_json_object(struct csn_json_reader *reader,
                                     const struct csn_json_place *place, const cJSON *object,
                                     const struct csn_json_field *fields, size_t field_count,
                                     void *target);
/* Says what is wrong at a place; CSN_ERR_FORMAT. */
__attribute__((format(printf, 3, 4))) csn_err csn_json_fault(const struct csn_json_reader *reader,
                                                             const struct csn_json_place *place,
                                                             const char *format, ...);

#endif
