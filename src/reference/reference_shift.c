/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_shift.c: moves dates by a keyed offset per subject (docs/TOKENIZE.md section 3).
 *
 * The calendar is walked month by month and year by year: slow and easy to check.
 */
#include "reference/reference_parts.h"

#include <string.h>

struct date {
    int year;
    int month; /* 1 to 12 */
    int day;
};

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static int digits_at(const uint8_t *text, size_t count)
{
    int value = 0;
    for (size_t index = 0; index < count; index++) {
        if (text[index] < '0' || text[index] > '9') {
            return -1;
        }
        value = value * 10 + text[index] - '0';
    }
    return value;
}

/* How many bytes of text the mask covers: 'd' a digit, anything else itself; 0: not all of it. */
static size_t covered(const uint8_t *text, size_t size, const char *mask)
{
    size_t length = strlen(mask);
    for (size_t index = 0; index < length; index++) {
        bool digit = index < size && text[index] >= '0' && text[index] <= '9';
        if (index >= size || (mask[index] == 'd' ? !digit : text[index] != (uint8_t)mask[index])) {
            return 0;
        }
    }
    return length;
}

/* Thh:mm[:ss[.fraction]][Z|+hh:mm|-hh:mm], or nothing. */
static bool is_time(const uint8_t *text, size_t size)
{
    size_t at = covered(text, size, "Tdd:dd");
    if (at == 0) {
        return size == 0;
    }
    size_t seconds = covered(text + at, size - at, ":dd");
    at += seconds;
    if (seconds > 0 && covered(text + at, size - at, ".d") > 0) {
        size_t last = at + 10;
        at += 2;
        while (at < last && covered(text + at, size - at, "d") > 0) {
            at++;
        }
    }
    at += covered(text + at, size - at, "Z") + covered(text + at, size - at, "+dd:dd") +
          covered(text + at, size - at, "-dd:dd");
    return at == size;
}

static bool read_date(const struct csr_bytes *value, struct date *date)
{
    if (value->size < 10 || value->data[4] != '-' || value->data[7] != '-' ||
        !is_time(value->data + 10, value->size - 10)) {
        return false;
    }
    date->year = digits_at(value->data, 4);
    date->month = digits_at(value->data + 5, 2);
    date->day = digits_at(value->data + 8, 2);
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= month_days(date->year, date->month);
}

/* False: the result is outside of the years 1 to 9999. */
static bool move_date(struct date *date, int days)
{
    date->day += days;
    while (date->day < 1) {
        if (--date->month < 1) {
            date->month = 12;
            date->year--;
        }
        if (date->year < 1) {
            return false;
        }
        date->day += month_days(date->year, date->month);
    }
    while (date->day > month_days(date->year, date->month)) {
        date->day -= month_days(date->year, date->month);
        if (++date->month > 12) {
            date->month = 1;
            date->year++;
        }
    }
    return date->year <= 9999;
}

/* The value at the subject path into policy->subject, behind its type letter. */
static bool find_subject(struct csr_policy *policy, const struct csr_node *path,
                         const struct csr_value *value)
{
    const struct csr_json *json = &policy->json;
    for (; path != NULL; path = path->child) {
        int32_t index = value->kind == CSR_OBJECT ? value->first_child : -1;
        for (; index >= 0; index = json->values[index].next) {
            const struct csr_value *member = &json->values[index];
            if (member->name_size == path->name.size &&
                memcmp(json->names.data + member->name, path->name.data, path->name.size) == 0) {
                break;
            }
        }
        if (index < 0) {
            return false;
        }
        value = &json->values[index];
    }
    size_t fault = 0;
    policy->subject.size = 0;
    if (value->kind == CSR_STRING) {
        csr_bytes_put_text(&policy->subject, "s");
        csr_json_decode(json->text, json->size, value->begin, &policy->subject, &fault);
        return true;
    }
    csr_bytes_put_text(&policy->subject, "n");
    csr_bytes_put(&policy->subject, json->text + value->begin, value->end - value->begin);
    return value->kind == CSR_NUMBER;
}

static uint64_t mac_number(struct csr_policy *policy, const struct csr_field *field, uint32_t count)
{
    uint8_t mac[32] = {0};
    size_t size = policy->subject.size;
    const uint8_t prefix[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                               (uint8_t)(size >> 24)};
    const uint8_t counter[4] = {(uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16),
                                (uint8_t)(count >> 24)};
    struct csr_span spans[3] = {{prefix, 4}, {policy->subject.data, size}, {counter, 4}};
    if (!csr_hmac(&policy->hash, field->shift_key, spans, 3, mac)) {
        policy->status = CSN_WIRE_STATUS_INTERNAL;
    }
    uint64_t number = 0;
    for (unsigned index = 8; index > 0; index--) {
        number = number << 8 | mac[index - 1];
    }
    return number;
}

static int offset_days(struct csr_policy *policy, const struct csr_field *field)
{
    uint64_t span = 2 * (uint64_t)field->days;
    /* 2^64 mod span numbers at the top are not accepted, so that all offsets are as likely. */
    uint64_t surplus = (UINT64_MAX % span + 1) % span;
    uint64_t number = 0;
    uint32_t count = 0;
    do {
        number = mac_number(policy, field, count++);
    } while (number > UINT64_MAX - surplus && policy->status == CSN_WIRE_STATUS_OK);
    int o = (int)(number % span);
    int days = (int)field->days;
    return o < days ? o - days : o - days + 1;
}

bool csr_shift(struct csr_policy *policy, const struct csr_field *field,
               const struct csr_value *top)
{
    struct date date;
    const struct csr_bytes *value = &policy->scratch;
    if (!read_date(value, &date) || !find_subject(policy, field->subject->child, top) ||
        !move_date(&date, offset_days(policy, field))) {
        return false;
    }
    uint8_t text[10] = {(uint8_t)('0' + date.year / 1000),
                        (uint8_t)('0' + date.year / 100 % 10),
                        (uint8_t)('0' + date.year / 10 % 10),
                        (uint8_t)('0' + date.year % 10),
                        '-',
                        (uint8_t)('0' + date.month / 10),
                        (uint8_t)('0' + date.month % 10),
                        '-',
                        (uint8_t)('0' + date.day / 10),
                        (uint8_t)('0' + date.day % 10)};
    csr_bytes_put(&policy->work, text, sizeof text);
    csr_bytes_put(&policy->work, value->data + 10, value->size - 10);
    return true;
}
