/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generator.c: writes a record with memcpy and digit tables only, because it feeds measurements.
 *
 * What must be unique carries a permutation of the index: index * odd constant + offset modulo
 * 10^9, whose nine digits stand in the card number, the IBAN, the phone number and, in letters, in
 * the names. Two permutations are used per record, so that the memo's data is not the header's.
 */
#include "reference/generator.h"

#include <string.h>

struct writer {
    char *at;
    uint64_t state;
};

static uint64_t random_next(struct writer *writer)
{
    uint64_t value = writer->state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint32_t random_below(struct writer *writer, uint32_t limit)
{
    return (uint32_t)((random_next(writer) >> 32) * limit >> 32);
}

static void put(struct writer *writer, const char *text, size_t size)
{
    memcpy(writer->at, text, size);
    writer->at += size;
}

#define PUT_LITERAL(writer, literal) put((writer), (literal), sizeof(literal) - 1)

static void put_digits(struct writer *writer, uint64_t value, unsigned count)
{
    for (unsigned index = count; index > 0; index--) {
        writer->at[index - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    writer->at += count;
}

/* ---- tables ---- */
struct word {
    const char *text;
    size_t size;
};
#define WORD(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct word firsts[16] = {
    WORD("Zoë"),   WORD("Jürgen"), WORD("Łukasz"), WORD("María"), WORD("Chloé"), WORD("Søren"),
    WORD("Anna"),  WORD("David"),  WORD("Олена"),  WORD("美咲"),  WORD("Noah"),  WORD("Aylin"),
    WORD("Priya"), WORD("Kwame"),  WORD("Björk"),  WORD("Tomáš")};
static const struct word merchants[16] = {
    WORD("Café Größenwahn"),   WORD("North Sea Rail"), WORD("Tienda Ñandú"),
    WORD("Bookshop 42"),       WORD("Kiosk am Markt"), WORD("Skyline Hotel"),
    WORD("寿司 銀座"),         WORD("Green Grocer"),   WORD("Petrol & Co"),
    WORD("La Pâtisserie"),     WORD("City Parking"),   WORD("Łódź Books"),
    WORD("Old Town Pharmacy"), WORD("Velo Werkstatt"), WORD("Cinema \\\"Lux\\\""),
    WORD("A/S Fisk")};
static const struct word cities[8] = {WORD("Zürich"), WORD("Lyon"),   WORD("Kraków"),
                                      WORD("Oslo"),   WORD("Berlin"), WORD("Málaga"),
                                      WORD("Osaka"),  WORD("Leeds")};
static const struct word currencies[8] = {WORD("EUR"), WORD("USD"), WORD("CHF"), WORD("GBP"),
                                          WORD("PLN"), WORD("SEK"), WORD("JPY"), WORD("NOK")};
static const char bins[8][7] = {"411111", "455673", "510510", "555555",
                                "222300", "601100", "352800", "476173"};
static const struct word syllables[10] = {WORD("ba"), WORD("ro"), WORD("mi"), WORD("ke"),
                                          WORD("lu"), WORD("ta"), WORD("no"), WORD("vi"),
                                          WORD("sa"), WORD("de")};

static void put_word(struct writer *writer, const struct word *words, uint32_t count)
{
    const struct word *word = &words[random_below(writer, count)];
    put(writer, word->text, word->size);
}

/* Nine digits as nine syllables: a surname that nobody else has. */
static void put_surname(struct writer *writer, uint64_t unique)
{
    char *begin = writer->at;
    for (unsigned index = 0; index < 9; index++) {
        put(writer, syllables[unique % 10].text, syllables[unique % 10].size);
        unique /= 10;
    }
    *begin = (char)(*begin - 'a' + 'A');
}

/* ---- numbers with check digits ---- */
static void put_card(struct writer *writer, uint64_t unique)
{
    char *begin = writer->at;
    unsigned sum = 0;
    put(writer, bins[random_below(writer, 8)], 6);
    put_digits(writer, unique, 9);
    for (unsigned index = 0; index < 15; index++) {
        unsigned digit = (unsigned)(begin[index] - '0') << (index % 2 == 0);
        sum += digit > 9 ? digit - 9 : digit;
    }
    *writer->at++ = (char)('0' + (10 - sum % 10) % 10);
}

/* A German IBAN: bank code, account number with the unique digits, and the check digits. */
static void put_iban(struct writer *writer, uint64_t unique)
{
    uint64_t bank = 10000000 + random_below(writer, 89999999);
    uint64_t account = UINT64_C(1000000000) * (1 + random_below(writer, 9)) + unique;
    /* DE00 goes behind: 131400. 10^10 and 10^6 are taken modulo 97 on the way. */
    uint64_t rest = bank % 97;
    rest = (rest * (UINT64_C(10000000000) % 97) + account % 97) % 97;
    rest = (rest * (1000000 % 97) + 131400 % 97) % 97;
    PUT_LITERAL(writer, "DE");
    put_digits(writer, 98 - rest, 2);
    put_digits(writer, bank, 8);
    put_digits(writer, account, 10);
}

static void put_email(struct writer *writer, uint64_t unique, const char *domain, size_t size)
{
    for (unsigned index = 0; index < 4; index++) {
        put(writer, syllables[unique % 10].text, syllables[unique % 10].size);
        unique /= 10;
    }
    PUT_LITERAL(writer, ".");
    put_digits(writer, unique, 5);
    PUT_LITERAL(writer, "@");
    put(writer, domain, size);
}

static void put_phone(struct writer *writer, uint64_t unique)
{
    PUT_LITERAL(writer, "+49 15");
    put_digits(writer, unique / 10000000, 2);
    PUT_LITERAL(writer, " ");
    put_digits(writer, unique % 10000000, 7);
}

/* ---- the record ---- */
static void note(struct csr_record *record, unsigned index, char *begin,
                 const struct writer *writer)
{
    record->secrets[index].text = begin;
    record->secrets[index].size = (size_t)(writer->at - begin);
}

static void put_people(struct writer *writer, struct csr_record *record, uint64_t unique)
{
    char *begin = NULL;
    PUT_LITERAL(writer, "\",\"card\":{\"pan\":\"");
    begin = writer->at;
    put_card(writer, unique);
    note(record, 0, begin, writer);
    PUT_LITERAL(writer, "\",\"expiry\":\"20");
    put_digits(writer, 27 + random_below(writer, 6), 2);
    PUT_LITERAL(writer, "-");
    put_digits(writer, 1 + random_below(writer, 12), 2);
    PUT_LITERAL(writer, "\",\"holder\":\"");
    begin = writer->at;
    put_word(writer, firsts, 16);
    PUT_LITERAL(writer, " ");
    put_surname(writer, unique);
    note(record, 1, begin, writer);
    PUT_LITERAL(writer, "\"},\"customer\":{\"id\":");
    put_digits(writer, 10000000 + random_below(writer, 80000000), 8);
    PUT_LITERAL(writer, ",\"email\":\"");
    begin = writer->at;
    put_email(writer, unique, "example.com", 11);
    note(record, 2, begin, writer);
    PUT_LITERAL(writer, "\",\"phone\":\"");
    begin = writer->at;
    put_phone(writer, unique);
    note(record, 3, begin, writer);
    PUT_LITERAL(writer, "\",\"iban\":\"");
    begin = writer->at;
    put_iban(writer, unique);
    note(record, 4, begin, writer);
    PUT_LITERAL(writer, "\",\"birthDate\":\"19");
    put_digits(writer, 40 + random_below(writer, 60), 2);
    PUT_LITERAL(writer, "-");
    put_digits(writer, 1 + random_below(writer, 12), 2);
    PUT_LITERAL(writer, "-");
    put_digits(writer, 1 + random_below(writer, 28), 2);
}

static void put_purchase(struct writer *writer)
{
    PUT_LITERAL(writer, "\"},\"merchant\":{\"name\":\"");
    put_word(writer, merchants, 16);
    PUT_LITERAL(writer, "\",\"city\":\"");
    put_word(writer, cities, 8);
    PUT_LITERAL(writer, "\",\"mcc\":\"5");
    put_digits(writer, random_below(writer, 1000), 3);
    PUT_LITERAL(writer, "\",\"terminal\":\"T");
    put_digits(writer, random_below(writer, 10000000), 7);
    PUT_LITERAL(writer, "\"},\"amount\":");
    put_digits(writer, 100 + random_below(writer, 900), 3);
    PUT_LITERAL(writer, ".");
    put_digits(writer, random_below(writer, 100), 2);
    PUT_LITERAL(writer, ",\"currency\":\"");
    put_word(writer, currencies, 8);
    PUT_LITERAL(writer, "\",\"timestamp\":\"2026-");
    put_digits(writer, 1 + random_below(writer, 12), 2);
    PUT_LITERAL(writer, "-");
    put_digits(writer, 1 + random_below(writer, 28), 2);
    PUT_LITERAL(writer, "T");
    put_digits(writer, random_below(writer, 24), 2);
    PUT_LITERAL(writer, ":");
    put_digits(writer, random_below(writer, 60), 2);
    PUT_LITERAL(writer, ":");
    put_digits(writer, random_below(writer, 60), 2);
    PUT_LITERAL(writer, "Z\",\"approved\":");
    if (random_below(writer, 16) > 0) {
        PUT_LITERAL(writer, "true,\"memo\":\"");
    } else {
        PUT_LITERAL(writer, "false,\"memo\":\"");
    }
}

static void put_memo(struct writer *writer, struct csr_record *record, uint64_t unique)
{
    char *begin = NULL;
    put_word(writer, firsts, 16);
    PUT_LITERAL(writer, " asked to pay with card ");
    begin = writer->at;
    put_card(writer, unique);
    note(record, 5, begin, writer);
    PUT_LITERAL(writer, " instead; refund to ");
    begin = writer->at;
    put_iban(writer, unique);
    note(record, 6, begin, writer);
    PUT_LITERAL(writer, ", receipt to ");
    begin = writer->at;
    put_email(writer, unique, "mail.example.org", 16);
    note(record, 7, begin, writer);
    if (random_below(writer, 2) == 0) {
        PUT_LITERAL(writer, ". Rückruf unter (0");
        put_digits(writer, 300 + random_below(writer, 600), 3);
        PUT_LITERAL(writer, ") ");
        put_digits(writer, 1000000 + random_below(writer, 8999999), 7);
    } else {
        PUT_LITERAL(writer, ". SSN on file ");
        put_digits(writer, 100 + random_below(writer, 500), 3);
        PUT_LITERAL(writer, "-");
        put_digits(writer, 10 + random_below(writer, 89), 2);
        PUT_LITERAL(writer, "-");
        put_digits(writer, 1000 + random_below(writer, 8999), 4);
    }
    PUT_LITERAL(writer, ", order ");
    put_digits(writer, random_below(writer, 1000000), 6);
    PUT_LITERAL(writer, ".\"}");
}

void csr_generate(uint64_t seed, uint64_t index, struct csr_record *record)
{
    struct writer writer = {record->text, seed * UINT64_C(0x2545f4914f6cdd1d)};
    /* The offsets depend on the seed alone; both factors are coprime to 10. */
    uint64_t offset = random_next(&writer) % CSR_GENERATOR_PERIOD;
    uint64_t other = random_next(&writer) % CSR_GENERATOR_PERIOD;
    uint64_t unique = (index * UINT64_C(618033989) + offset) % CSR_GENERATOR_PERIOD;
    uint64_t memo = (index * UINT64_C(414213563) + other) % CSR_GENERATOR_PERIOD;
    writer.state ^= index * UINT64_C(0xd1342543de82ef95);
    PUT_LITERAL(&writer, "{\"id\":\"auth-");
    put_digits(&writer, index, 12);
    put_people(&writer, record, unique);
    put_purchase(&writer);
    put_memo(&writer, record, memo);
    record->size = (size_t)(writer.at - record->text);
}
