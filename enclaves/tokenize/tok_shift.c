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
#define FRACTION_MAX      9u       /* digits of a second */
#define DAY_FIRST         306u     /* 0001-01-01 */
#define DAY_LAST          3652364u /* 9999-12-31 */
#define STOP_OFFSET       2u

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

/* False: the number would make some offsets likelier than others; less than 2^-50 of them are so.
 */
static bool offset_of(uint64_t number, uint32_t days, int32_t *offset)
{
    const uint64_t span = 2 * (uint64_t)days;
    const uint64_t accepted = UINT64_MAX - (UINT64_MAX % span + 1) % span; /* the largest taken */
    const int32_t step = (int32_t)(number % span);
    *offset = step < (int32_t)days ? step - (int32_t)days : step - (int32_t)days + 1;
    return number <= accepted;
}

static bool subject_offset(const struct csn_hmac_key *key, uint32_t days,
                           const struct tok_value *subject, uint32_t first, int32_t *offset)
{
    uint8_t head[5];
    csn_store_u32(head, subject->size + 1);
    head[4] = subject->type;
    for (uint32_t count = first; count < 64; count++) {
        struct csn_hmac state;
        uint8_t counter[TOK_COUNTER_SIZE];
        uint8_t mac[32];
        csn_store_u32(counter, count);
        csn_hmac_init(&state, key);
        csn_hmac_update(&state, head, sizeof head);
        csn_hmac_update(&state, subject->bytes, subject->size);
        csn_hmac_update(&state, counter, sizeof counter);
        csn_hmac_final(&state, mac);
        if (offset_of(csn_load_u64(mac), days, offset)) {
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

static void write_date(uint8_t *target, uint32_t day)
{
    struct date date;
    date_of(day, &date);
    write_digits(target, 4, date.year);
    target[4] = '-';
    write_digits(target + 5, 2, date.month);
    target[7] = '-';
    write_digits(target + 8, 2, date.day);
}

void tok_shift_finish(const struct tok_mac_job *mac)
{
    const uint8_t *message = mac->message;
    const struct tok_value subject = {
        .bytes = message + 5, .size = csn_load_u32(message) - 1, .type = message[4]};
    int32_t offset;
    if (!offset_of(csn_load_u64(mac->tag), mac->days, &offset) &&
        !subject_offset(mac->key, mac->days, &subject, 1, &offset)) {
        cse_panic(STOP_OFFSET); /* after 64 tries */
    }
    write_date(mac->target, mac->day + (uint32_t)offset);
}

/* The number of the date, moved at once; false: beyond what a date can be. */
static bool move_now(const struct tok_field *field, const struct tok_value *subject, uint32_t *day)
{
    int32_t offset;
    if (!subject_offset(&field->mac, field->days, subject, 0, &offset)) {
        return false;
    }
    *day += (uint32_t)offset;
    return *day >= DAY_FIRST && *day <= DAY_LAST;
}

bool tok_put_shift(struct tok_job *job, const struct tok_field *field,
                   const struct tok_value *value)
{
    struct date date;
    struct tok_value subject;
    if (!read_date(value, &date) || !find_subject(job, field, &subject)) {
        return false;
    }
    uint32_t day = day_number(&date);
    /* With the others of the batch, if wherever it goes it is a date. */
    const bool inside = day >= DAY_FIRST + field->days && day <= DAY_LAST - field->days;
    if (!inside && !move_now(field, &subject, &day)) {
        return false;
    }
    tok_put_byte(&job->out, '"');
    uint8_t *target = tok_take(&job->out, DATE_SIZE);
    if (target == NULL) {
        return true; /* full, whatever comes */
    }
    memcpy(target, "0000-00-00", DATE_SIZE);
    if (!inside) {
        write_date(target, day);
    } else if (!tok_queue_date(job->queue, field, &subject, target, day)) {
        if (!move_now(field, &subject, &day)) {
            return false;
        }
        write_date(target, day);
    }
    if (value->size > DATE_SIZE) {
        tok_put_text(&job->out, value->bytes + DATE_SIZE, value->size - DATE_SIZE);
    }
    tok_put_byte(&job->out, '"');
    return true;
}
