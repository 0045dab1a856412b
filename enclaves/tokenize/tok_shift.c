/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_shift.c: moves a date by the keyed offset of its subject.
 *
 * Days are counted by arithmetic in the proleptic Gregorian calendar (from 0000-03-01, so that the
 * leap day is the last of its year). The offset is uniform over -D..-1 and 1..D.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include <string.h>

#define DAYS_OF_400_YEARS 146097u
#define DATE_SIZE         10u
#define FRACTION_MAX      9u /* digits of a second */

struct date {
    uint32_t year;
    uint32_t month; /* 1..12 */
    uint32_t day;   /* 1..31 */
};

static bool read_number(const uint8_t *bytes, uint32_t count, uint32_t *number)
{
    *number = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') {
            return false;
        }
        *number = *number * 10 + bytes[i] - '0';
    }
    return true;
}

static uint32_t month_length(uint32_t year, uint32_t month)
{
    if (month == 2) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return leap ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Takes `mark` and two digits at *at. */
static bool take_pair(const uint8_t *bytes, uint32_t size, uint32_t *at, uint8_t mark)
{
    uint32_t number;
    if (size - *at < 3 || bytes[*at] != mark || !read_number(bytes + *at + 1, 2, &number)) {
        return false;
    }
    *at += 3;
    return true;
}

/* What follows the date is copied, so it may be nothing but a time of day (or nothing at all). */
static bool is_time(const uint8_t *bytes, uint32_t size)
{
    uint32_t at = 0;
    if (size == 0) {
        return true;
    }
    if (!take_pair(bytes, size, &at, 'T') || !take_pair(bytes, size, &at, ':')) {
        return false;
    }
    if (take_pair(bytes, size, &at, ':') && at < size && bytes[at] == '.') {
        uint32_t first = ++at;
        while (at < size && at - first < FRACTION_MAX && bytes[at] >= '0' && bytes[at] <= '9') {
            at++;
        }
        if (at == first) {
            return false;
        }
    }
    if (at < size && bytes[at] == 'Z') {
        at++;
    } else if (take_pair(bytes, size, &at, '+') || take_pair(bytes, size, &at, '-')) {
        return take_pair(bytes, size, &at, ':') && at == size;
    }
    return at == size;
}

static bool read_date(const struct tok_value *value, struct date *date)
{
    const uint8_t *bytes = value->bytes;
    if (value->size < DATE_SIZE || !is_time(bytes + DATE_SIZE, value->size - DATE_SIZE) ||
        bytes[4] != '-' || bytes[7] != '-' || !read_number(bytes, 4, &date->year) ||
        !read_number(bytes + 5, 2, &date->month) || !read_number(bytes + 8, 2, &date->day)) {
        return false;
    }
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= month_length(date->year, date->month);
}

/* Days since 0000-03-01; March is the first month of its year. */
static uint32_t day_number(const struct date *date)
{
    uint32_t year = date->month > 2 ? date->year : date->year - 1;
    uint32_t month = (date->month + 9) % 12;
    uint32_t in_year = (153 * month + 2) / 5 + date->day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + in_year;
}

static void date_of(uint32_t number, struct date *date)
{
    uint32_t era = number / DAYS_OF_400_YEARS;
    uint32_t in_era = number % DAYS_OF_400_YEARS;
    uint32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t in_year = in_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * in_year + 2) / 153;
    date->day = in_year - (153 * month + 2) / 5 + 1;
    date->month = month < 10 ? month + 3 : month - 9;
    date->year = year + 400 * era + (date->month <= 2);
}

/* The value at the subject path of the same text; false if it is not there or no text or number. */
static bool find_subject(struct tok_job *job, const struct tok_field *field,
                         struct tok_value *subject)
{
    uint32_t at = job->root;
    for (uint32_t i = 0; i < field->subject_count; i++) {
        uint32_t child = 0;
        if (job->nodes[at].kind == CSN_JSON_OBJECT) {
            child = csn_json_child(job->nodes, at);
        }
        while (child != 0 && (job->nodes[child].name_hash != field->subject_hash[i] ||
                              !tok_has_name(job, &job->nodes[child], &field->subject[i]))) {
            child = job->nodes[child].next;
        }
        if (child == 0) {
            return false;
        }
        at = child;
    }
    const struct csn_json_node *node = &job->nodes[at];
    if (node->kind != CSN_JSON_STRING && node->kind != CSN_JSON_NUMBER) {
        return false;
    }
    tok_value_of(job, node, TOK_ROOM_SUBJECT, subject);
    return true;
}

static bool subject_offset(const struct tok_field *field, const struct tok_value *subject,
                           int32_t *offset)
{
    uint64_t span = 2 * (uint64_t)field->days;
    uint64_t accepted = UINT64_MAX - (UINT64_MAX % span + 1) % span; /* the largest number taken */
    uint8_t head[5];
    csn_store_u32(head, subject->size + 1);
    head[4] = subject->type;
    for (uint32_t count = 0; count < 64; count++) { /* each try fails with less than 2^-50 */
        struct csn_hmac state;
        uint8_t counter[4];
        uint8_t mac[32];
        csn_store_u32(counter, count);
        csn_hmac_init(&state, &field->mac);
        csn_hmac_update(&state, head, sizeof head);
        csn_hmac_update(&state, subject->bytes, subject->size);
        csn_hmac_update(&state, counter, sizeof counter);
        csn_hmac_final(&state, mac);
        uint64_t number = csn_load_u64(mac);
        if (number <= accepted) {
            int32_t step = (int32_t)(number % span);
            int32_t days = field->days;
            *offset = step < days ? step - days : step - days + 1;
            return true;
        }
    }
    return false;
}

static void write_digits(uint8_t *target, uint32_t count, uint32_t number)
{
    for (uint32_t i = count; i > 0; i--) {
        target[i - 1] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}

bool tok_put_shift(struct tok_job *job, const struct tok_field *field,
                   const struct tok_value *value)
{
    struct date date;
    struct tok_value subject;
    int32_t offset;
    uint8_t text[DATE_SIZE] = "0000-00-00";
    static const struct date first = {.year = 1, .month = 1, .day = 1};
    static const struct date last = {.year = 9999, .month = 12, .day = 31};
    if (!read_date(value, &date)) {
        return false;
    }
    if (!find_subject(job, field, &subject) || !subject_offset(field, &subject, &offset)) {
        return false;
    }
    int64_t number = (int64_t)day_number(&date) + offset;
    if (number < day_number(&first) || number > day_number(&last)) {
        return false;
    }
    date_of((uint32_t)number, &date);
    write_digits(text, 4, date.year);
    write_digits(text + 5, 2, date.month);
    write_digits(text + 8, 2, date.day);
    tok_put_byte(&job->out, '"');
    tok_put(&job->out, text, sizeof text);
    tok_put_text(&job->out, value->bytes + DATE_SIZE, value->size - DATE_SIZE);
    tok_put_byte(&job->out, '"');
    return true;
}
