/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_detect.c: finds card numbers, IBANs, e-mail addresses, phone numbers and national ids
 * in free text, as docs/TOKENIZE.md section 4 says. Pure functions over the caller's bytes.
 */
#include "reference/reference_parts.h"

#include <string.h>

const char *const csr_match_names[CSR_MATCH_COUNT] = {"email", "iban", "card", "id", "phone"};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}
static bool is_upper(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}
static bool is_letter(uint8_t byte)
{
    return is_upper(byte) || (byte >= 'a' && byte <= 'z');
}
static bool is_word(uint8_t byte)
{
    return is_digit(byte) || is_letter(byte) || byte >= 0x80;
}
static bool is_local(uint8_t byte)
{
    return is_digit(byte) || is_letter(byte) || (byte != 0 && strchr("._%+-", byte) != NULL);
}
static uint8_t upper(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
}

/* Nothing that would go on with the match follows it. */
static bool ends(const uint8_t *text, size_t size, size_t end)
{
    return end >= size || !is_word(text[end]);
}

bool csr_luhn_valid(const uint8_t *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t index = 0; index < count; index++) {
        unsigned digit = digits[count - 1 - index];
        if (index % 2 == 1) {
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        }
        sum += digit;
    }
    return sum % 10 == 0;
}

/* ---- email ---- */
static bool domain_is_good(const uint8_t *domain, size_t size)
{
    size_t label = 0; /* where the current label begins */
    bool dot = false;
    for (size_t index = 0; index <= size; index++) {
        if (index < size && domain[index] != '.') {
            continue;
        }
        if (index == label || domain[label] == '-' || domain[index - 1] == '-') {
            return false;
        }
        if (index < size) {
            dot = true;
            label = index + 1;
        }
    }
    for (size_t index = label; index < size; index++) {
        if (!is_letter(domain[index])) {
            return false;
        }
    }
    return dot && size - label >= 2;
}

static size_t match_email(const uint8_t *text, size_t size, size_t p)
{
    if (p > 0 && (is_local(text[p - 1]) || text[p - 1] == '@')) {
        return 0;
    }
    size_t end = p;
    while (end < size && is_local(text[end])) {
        end++;
    }
    if (end == p || end - p > 64 || end >= size || text[end] != '@') {
        return 0;
    }
    size_t domain = ++end;
    while (end < size &&
           (is_digit(text[end]) || is_letter(text[end]) || text[end] == '.' || text[end] == '-')) {
        end++;
    }
    if (end - domain > 255) {
        return 0;
    }
    while (end > domain && (text[end - 1] == '.' || text[end - 1] == '-')) {
        end--;
    }
    return domain_is_good(text + domain, end - domain) && ends(text, size, end) ? end - p : 0;
}

/* ---- iban ---- */
static size_t iban_length(uint8_t first, uint8_t second)
{
    static const char table[] =
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 "
        "DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 "
        "IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 "
        "MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 "
        "ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 ";
    for (size_t index = 0; index + 5 < sizeof table; index += 5) {
        if ((uint8_t)table[index] == first && (uint8_t)table[index + 1] == second) {
            return (size_t)(table[index + 2] - '0') * 10 + (size_t)(table[index + 3] - '0');
        }
    }
    return 0;
}

static unsigned mod_97(const uint8_t *iban, size_t size)
{
    unsigned rest = 0;
    for (size_t index = 0; index < size; index++) {
        uint8_t byte = iban[(index + 4) % size];
        rest = is_digit(byte) ? (rest * 10 + byte - '0') % 97
                              : (rest * 100 + (unsigned)(byte - 'A') + 10) % 97;
    }
    return rest;
}

static size_t match_iban(const uint8_t *text, size_t size, size_t p)
{
    uint8_t iban[34];
    size_t count = 0;
    size_t length = 34;
    size_t offset = p;
    while (count < length) {
        if (count > 0 && offset < size && text[offset] == ' ') {
            offset++;
        }
        if (offset >= size) {
            return 0;
        }
        uint8_t byte = upper(text[offset]);
        bool good = count < 2   ? is_upper(byte)
                    : count < 4 ? is_digit(byte)
                                : is_upper(byte) || is_digit(byte);
        if (!good) {
            return 0;
        }
        iban[count++] = byte;
        offset++;
        if (count == 2) {
            length = iban_length(iban[0], iban[1]);
        }
    }
    return count > 4 && mod_97(iban, count) == 1 && ends(text, size, offset) ? offset - p : 0;
}

/* ---- card ---- */
static bool card_is_good(const uint8_t *digits, size_t count)
{
    bool same = true;
    for (size_t index = 1; index < count; index++) {
        same = same && digits[index] == digits[0];
    }
    return !same && csr_luhn_valid(digits, count);
}

static size_t match_card(const uint8_t *text, size_t size, size_t p)
{
    uint8_t digits[20];
    size_t end_after[20]; /* offset just after the nth digit */
    size_t count = 0;
    size_t offset = p;
    while (count < 20 && offset < size) {
        if (is_digit(text[offset])) {
            digits[count] = (uint8_t)(text[offset] - '0');
            end_after[count++] = ++offset;
        } else if (count > 0 && is_digit(text[offset - 1]) &&
                   (text[offset] == ' ' || text[offset] == '-')) {
            offset++;
        } else {
            break;
        }
    }
    for (size_t take = count < 19 ? count : 19; take >= 13; take--) {
        if (ends(text, size, end_after[take - 1]) && card_is_good(digits, take)) {
            return end_after[take - 1] - p;
        }
    }
    return 0;
}

/* ---- national ids ---- */

/* Matches a pattern: d digit, U capital letter, L letter, other characters themselves. */
static bool shape(const uint8_t *text, size_t size, size_t p, const char *pattern)
{
    size_t length = strlen(pattern);
    if (size - p < length) {
        return false;
    }
    for (size_t index = 0; index < length; index++) {
        uint8_t byte = text[p + index];
        bool good = pattern[index] == 'd'   ? is_digit(byte)
                    : pattern[index] == 'U' ? is_upper(byte)
                    : pattern[index] == 'L' ? is_letter(byte)
                                            : byte == (uint8_t)pattern[index];
        if (!good) {
            return false;
        }
    }
    return true;
}

static size_t match_ssn(const uint8_t *text, size_t size, size_t p)
{
    if (!shape(text, size, p, "ddd-dd-dddd") && !shape(text, size, p, "ddd dd dddd")) {
        return 0;
    }
    const uint8_t *at = text + p;
    if (memcmp(at, "000", 3) == 0 || memcmp(at, "666", 3) == 0 || at[0] == '9' ||
        memcmp(at + 4, "00", 2) == 0 || memcmp(at + 7, "0000", 4) == 0) {
        return 0;
    }
    return ends(text, size, p + 11) ? 11 : 0;
}

static size_t match_nino(const uint8_t *text, size_t size, size_t p)
{
    size_t offset = p;
    for (size_t count = 0; count < 9; count++) {
        if (count > 0 && count % 2 == 0 && offset < size && text[offset] == ' ') {
            offset++;
        }
        if (offset >= size) {
            return 0;
        }
        uint8_t byte = text[offset];
        bool good = count < 2   ? is_upper(byte)
                    : count < 8 ? is_digit(byte)
                                : byte >= 'A' && byte <= 'D';
        if (!good) {
            return 0;
        }
        offset++;
    }
    return ends(text, size, offset) ? offset - p : 0;
}

static size_t match_dni(const uint8_t *text, size_t size, size_t p)
{
    static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
    bool foreign = text[p] >= 'X' && text[p] <= 'Z';
    if (!shape(text, size, p, foreign ? "Uddddddd" : "dddddddd")) {
        return 0;
    }
    unsigned number = foreign ? (unsigned)(text[p] - 'X') : (unsigned)(text[p] - '0');
    for (size_t index = 1; index < 8; index++) {
        number = number * 10 + (unsigned)(text[p + index] - '0');
    }
    size_t end = p + 8;
    if (end < size && text[end] == '-') {
        end++;
    }
    if (end >= size || upper(text[end]) != (uint8_t)letters[number % 23]) {
        return 0;
    }
    return ends(text, size, end + 1) ? end + 1 - p : 0;
}

static size_t match_cpf(const uint8_t *text, size_t size, size_t p)
{
    if (!shape(text, size, p, "ddd.ddd.ddd-dd")) {
        return 0;
    }
    unsigned digits[11];
    size_t count = 0;
    bool same = true;
    for (size_t index = 0; index < 14; index++) {
        if (is_digit(text[p + index])) {
            digits[count] = (unsigned)(text[p + index] - '0');
            same = same && digits[count] == digits[0];
            count++;
        }
    }
    for (size_t check = 9; check < 11; check++) {
        unsigned sum = 0;
        for (size_t index = 0; index < check; index++) {
            sum += digits[index] * (unsigned)(check + 1 - index);
        }
        unsigned rest = sum * 10 % 11;
        if (digits[check] != (rest == 10 ? 0 : rest)) {
            return 0;
        }
    }
    return !same && ends(text, size, p + 14) ? 14 : 0;
}

static size_t match_id(const uint8_t *text, size_t size, size_t p)
{
    size_t found = match_ssn(text, size, p);
    found = found > 0 ? found : match_nino(text, size, p);
    found = found > 0 ? found : match_dni(text, size, p);
    return found > 0 ? found : match_cpf(text, size, p);
}

/* ---- phone ---- */
static size_t match_phone(const uint8_t *text, size_t size, size_t p)
{
    bool plus = text[p] == '+';
    if (!plus && text[p] != '(' && !is_digit(text[p])) {
        return 0;
    }
    if (shape(text, size, p, "dddd-dd-dd")) {
        /* An ISO date: no prefix long enough to be a number begins otherwise. */
        return 0;
    }
    size_t best = 0;
    size_t digits = 0;
    size_t separators = 0;
    size_t row = 0;
    for (size_t offset = p + (plus ? 1 : 0); offset < size; offset++) {
        if (is_digit(text[offset])) {
            digits++;
            row = 0;
            bool right = plus ? digits >= 8 && digits <= 15
                              : digits == 10 || (digits >= 10 && digits <= 15 && separators > 0);
            if (right && ends(text, size, offset + 1)) {
                best = offset + 1 - p;
            }
        } else if (text[offset] != 0 && strchr(" -.()/", text[offset]) != NULL && row < 2) {
            separators++;
            row++;
        } else {
            break;
        }
    }
    return best;
}

size_t csr_match(const uint8_t *text, size_t size, size_t position, uint32_t kinds,
                 enum csr_match_kind *kind)
{
    static size_t (*const matchers[CSR_MATCH_COUNT])(const uint8_t *, size_t, size_t) = {
        match_email, match_iban, match_card, match_id, match_phone};
    bool inside = position > 0 && is_word(text[position - 1]);
    for (unsigned index = 0; index < CSR_MATCH_COUNT; index++) {
        if ((kinds >> index & 1) == 0 || (index != CSR_MATCH_EMAIL && inside)) {
            continue;
        }
        size_t found = matchers[index](text, size, position);
        if (found > 0) {
            *kind = (enum csr_match_kind)index;
            return found;
        }
    }
    return 0;
}
