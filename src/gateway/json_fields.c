/* SPDX-License-Identifier: Apache-2.0 */
/* json_fields.c: see json_fields.h. */
#include "json_fields.h"
#include "backend/detail.h"
#include "config.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_SIZE_MAX 160u
#define RATE_MAX       1e9
#define NS_PER_MS      UINT64_C(1000000)

/* "services[0].name" */
static void print_place(const struct csn_json_place *place, char *text, size_t room)
{
    const struct csn_json_place *chain[8];
    size_t count = 0;
    size_t used = 0;
    for (; place != NULL && count < sizeof chain / sizeof chain[0]; place = place->outer) {
        chain[count++] = place;
    }
    text[0] = 0;
    while (count-- != 0 && used < room) {
        int more = chain[count]->name == NULL
                       ? snprintf(text + used, room - used, "[%d]", chain[count]->index)
                       : snprintf(text + used, room - used, "%s%.40s", used != 0 ? "." : "",
                                  chain[count]->name);
        used += more > 0 ? (size_t)more : 0;
    }
}

csn_err csn_json_fault(const struct csn_json_reader *reader, const struct csn_json_place *place,
                       const char *format, ...)
{
    char where[PLACE_SIZE_MAX];
    char what[PLACE_SIZE_MAX];
    va_list arguments;
    print_place(place, where, sizeof where);
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return csn_detail_set(reader->detail, CSN_ERR_FORMAT, "%s%s%s", where,
                          where[0] != 0 ? ": " : "", what);
}

/* ---- one value ---- */

static csn_err read_text(struct csn_json_reader *reader, const struct csn_json_place *place,
                         const cJSON *value, const char **target)
{
    if (!cJSON_IsString(value) || value->valuestring[0] == 0) {
        return csn_json_fault(reader, place, "wants a text");
    }
    *target = value->valuestring;
    return CSN_OK;
}

static csn_err read_path(struct csn_json_reader *reader, const struct csn_json_place *place,
                         const cJSON *value, const char **target)
{
    CSN_TRY(read_text(reader, place, value, target));
    if (**target == '/' || strcmp(*target, "-") == 0 || reader->folder[0] == 0) {
        return CSN_OK;
    }
    size_t size = strlen(reader->folder) + strlen(*target) + 2;
    char *made = malloc(size);
    char **texts = realloc(reader->texts, (reader->text_count + 1) * sizeof *texts);
    if (texts != NULL) {
        reader->texts = texts;
    }
    if (made == NULL || texts == NULL) {
        free(made);
        return csn_json_fault(reader, place, "out of memory");
    }
    snprintf(made, size, "%s/%s", reader->folder, *target);
    texts[reader->text_count++] = made;
    *target = made;
    return CSN_OK;
}

static csn_err read_number(struct csn_json_reader *reader, const struct csn_json_place *place,
                           const cJSON *value, const struct csn_json_field *field, void *target)
{
    double number = cJSON_IsNumber(value) ? value->valuedouble : -1;
    if (number < (double)field->minimum || number > (double)field->maximum ||
        number != floor(number)) {
        return csn_json_fault(reader, place, "wants a whole number from %llu to %llu",
                              (unsigned long long)field->minimum,
                              (unsigned long long)field->maximum);
    }
    if (field->kind == CSN_JSON_U32) {
        *(uint32_t *)target = (uint32_t)number;
    } else {
        *(uint64_t *)target = (uint64_t)number * (field->kind == CSN_JSON_MS ? NS_PER_MS : 1);
    }
    return CSN_OK;
}

static csn_err read_value(struct csn_json_reader *reader, const struct csn_json_place *place,
                          const cJSON *value, const struct csn_json_field *field, void *target)
{
    switch (field->kind) {
    case CSN_JSON_TEXT:
        return read_text(reader, place, value, target);
    case CSN_JSON_NAME:
        CSN_TRY(read_text(reader, place, value, target));
        return csn_config_is_name(value->valuestring, strlen(value->valuestring))
                   ? CSN_OK
                   : csn_json_fault(reader, place, "wants 1 to 63 of a-z, 0-9, '-', '_' and '.'");
    case CSN_JSON_PATH:
        return read_path(reader, place, value, target);
    case CSN_JSON_U32:
    case CSN_JSON_U64:
    case CSN_JSON_MS:
        return read_number(reader, place, value, field, target);
    case CSN_JSON_RATE:
        if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble < RATE_MAX)) {
            return csn_json_fault(reader, place, "wants a number from 0 to 1e9");
        }
        *(double *)target = value->valuedouble;
        return CSN_OK;
    case CSN_JSON_BOOL:
        if (!cJSON_IsBool(value)) {
            return csn_json_fault(reader, place, "wants true or false");
        }
        *(bool *)target = cJSON_IsTrue(value);
        return CSN_OK;
    case CSN_JSON_OTHER:
        return field->read(reader, place, value, target);
    }
    return CSN_ERR_INTERNAL;
}

/* ---- objects ---- */

static const struct csn_json_field *find(const struct csn_json_field *fields, size_t count,
                                         const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static bool is_given(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

csn_err csn_json_object(struct csn_json_reader *reader, const struct csn_json_place *place,
                        const cJSON *object, const struct csn_json_field *fields,
                        size_t field_count, void *target)
{
    const cJSON *value;
    if (!cJSON_IsObject(object)) {
        return csn_json_fault(reader, place, "wants an object");
    }
    cJSON_ArrayForEach(value, object)
    {
        const struct csn_json_place here = {.outer = place, .name = value->string};
        const struct csn_json_field *field = find(fields, field_count, value->string);
        if (field == NULL) {
            return csn_json_fault(reader, &here, "no such key");
        }
        if (cJSON_GetObjectItemCaseSensitive(object, field->key) != value) {
            return csn_json_fault(reader, &here, "given twice");
        }
        CSN_TRY(read_value(reader, &here, value, field, (uint8_t *)target + field->offset));
    }
    for (size_t i = 0; i < field_count; i++) {
        const struct csn_json_place here = {.outer = place, .name = fields[i].key};
        if (fields[i].is_needed && !is_given(object, fields[i].key)) {
            return csn_json_fault(reader, &here, "is missing");
        }
    }
    return CSN_OK;
}
