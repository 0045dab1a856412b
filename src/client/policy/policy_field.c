/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_field.c: one entry of `fields`, checked in full (docs/TOKENIZE.md sections 1 and 3).
 */
#include "client/policy/policy_plan.h"

#include <string.h>

#define DOMAIN_VALUE_MIN UINT64_C(1000000)

const char *const csv_action_names[CSV_ACTION_COUNT] = {
    "keep", "drop", "redact", "mask", "token", "hash", "fpe", "encrypt", "shift", "detect"};

enum key {
    KEY_PATH,
    KEY_ACTION,
    KEY_KEEP_FIRST,
    KEY_KEEP_LAST,
    KEY_WITH,
    KEY_PREFIX,
    KEY_BITS,
    KEY_ALPHABET,
    KEY_LUHN,
    KEY_LENGTH,
    KEY_TWEAK,
    KEY_SHORT,
    KEY_DAYS,
    KEY_SUBJECT,
    KEY_KINDS,
    KEY_THEN,
    KEY_CONSUMER,
    KEY_DOMAIN,
    KEY_COUNT,
};

#define ON(action) (1u << CSV_ACTION_##action)
#define ANY_ACTION ((1u << CSV_ACTION_COUNT) - 1)
#define KEYED      (ON(TOKEN) | ON(HASH) | ON(FPE) | ON(SHIFT))

static const struct key_rule {
    const char *name;
    uint32_t allowed; /* mask of actions */
    uint32_t needed;
} key_rules[KEY_COUNT] = {
    [KEY_PATH] = {"path", ANY_ACTION, ANY_ACTION},
    [KEY_ACTION] = {"action", ANY_ACTION, ANY_ACTION},
    [KEY_KEEP_FIRST] = {"keep_first", ON(MASK) | ON(TOKEN) | ON(FPE), 0},
    [KEY_KEEP_LAST] = {"keep_last", ON(MASK) | ON(TOKEN) | ON(FPE), 0},
    [KEY_WITH] = {"with", ON(MASK), 0},
    [KEY_PREFIX] = {"prefix", ON(TOKEN), 0},
    [KEY_BITS] = {"bits", ON(TOKEN), 0},
    [KEY_ALPHABET] = {"alphabet", ON(FPE), ON(FPE)},
    [KEY_LUHN] = {"luhn", ON(FPE), 0},
    [KEY_LENGTH] = {"length", ON(FPE), 0},
    [KEY_TWEAK] = {"tweak", ON(FPE), 0},
    [KEY_SHORT] = {"short", ON(FPE), 0},
    [KEY_DAYS] = {"days", ON(SHIFT), ON(SHIFT)},
    [KEY_SUBJECT] = {"subject", ON(SHIFT), ON(SHIFT)},
    [KEY_KINDS] = {"kinds", ON(DETECT), ON(DETECT)},
    [KEY_THEN] = {"then", ON(DETECT), ON(DETECT)},
    [KEY_CONSUMER] = {"consumer", ON(ENCRYPT), ON(ENCRYPT)},
    [KEY_DOMAIN] = {"domain", KEYED | ON(DETECT), KEYED},
};

struct field_reader {
    const struct csv_tree *tree;
    const struct csv_plan *plan;
    const struct csv_policy_consumers *consumers;
    const struct csv_tree_node *object;
    const struct csv_tree_node *values[KEY_COUNT]; /* NULL = absent */
    struct csv_field *field;
};

/* ---- single values ---- */
static csn_err read_text(const struct field_reader *reader, enum key key, const char **text,
                         uint32_t *size)
{
    const struct csv_tree_node *value = reader->values[key];
    if (value->kind != CSV_TREE_STRING) {
        return csv_tree_fault(reader->tree, value->offset, "\"%s\" must be a string",
                              key_rules[key].name);
    }
    *text = value->text;
    *size = value->text_size;
    return CSN_OK;
}

/* A whole number in minimum..maximum; *number is untouched where the key is absent. */
static csn_err read_number(const struct field_reader *reader, enum key key, uint32_t minimum,
                           uint32_t maximum, uint32_t *number)
{
    const struct csv_tree_node *value = reader->values[key];
    if (value == NULL) {
        return CSN_OK;
    }
    uint64_t read = 0;
    bool whole = value->kind == CSV_TREE_NUMBER && value->text_size <= 10;
    for (uint32_t index = 0; whole && index < value->text_size; index++) {
        whole = value->text[index] >= '0' && value->text[index] <= '9';
        read = read * 10 + (uint64_t)(value->text[index] - '0');
    }
    if (!whole || read < minimum || read > maximum) {
        return csv_tree_fault(reader->tree, value->offset,
                              "\"%s\" must be a whole number from %u to %u", key_rules[key].name,
                              minimum, maximum);
    }
    *number = (uint32_t)read;
    return CSN_OK;
}

static csn_err read_flag(const struct field_reader *reader, enum key key, bool *flag)
{
    const struct csv_tree_node *value = reader->values[key];
    if (value != NULL && value->kind != CSV_TREE_TRUE && value->kind != CSV_TREE_FALSE) {
        return csv_tree_fault(reader->tree, value->offset, "\"%s\" must be true or false",
                              key_rules[key].name);
    }
    *flag = value != NULL && value->kind == CSV_TREE_TRUE;
    return CSN_OK;
}

/* One of the actions in the mask; *action is untouched where the key is absent. */
static csn_err read_choice(const struct field_reader *reader, enum key key, uint32_t choices,
                           const char *listed, enum csv_action *action)
{
    const struct csv_tree_node *value = reader->values[key];
    if (value == NULL) {
        return CSN_OK;
    }
    for (unsigned index = 0; index < CSV_ACTION_COUNT; index++) {
        if ((choices >> index & 1) != 0 && csv_tree_is(value, csv_action_names[index])) {
            *action = (enum csv_action)index;
            return CSN_OK;
        }
    }
    return csv_tree_fault(reader->tree, value->offset, "\"%s\" must be %s", key_rules[key].name,
                          listed);
}

/* ---- what several actions share ---- */
static csn_err read_domain(struct field_reader *reader)
{
    const struct csv_tree_node *value = reader->values[KEY_DOMAIN];
    struct csv_field *field = reader->field;
    bool needed = field->action == CSV_ACTION_DETECT && field->then == CSV_ACTION_TOKEN;
    field->domain = -1;
    if (value == NULL) {
        return needed ? csv_tree_fault(reader->tree, reader->object->offset,
                                       "\"then\": \"token\" needs a \"domain\"")
                      : CSN_OK;
    }
    if (field->action == CSV_ACTION_DETECT && !needed) {
        return csv_tree_fault(reader->tree, value->name_offset,
                              "\"domain\" is of use only with \"then\": \"token\"");
    }
    for (uint32_t index = 0; index < reader->plan->domain_count; index++) {
        if (csv_tree_is(value, reader->plan->domains[index].name)) {
            field->domain = (int32_t)index;
            return CSN_OK;
        }
    }
    return csv_tree_fault(reader->tree, value->offset, "\"domain\" must be listed in \"domains\"");
}

static csn_err read_kept(struct field_reader *reader)
{
    struct csv_field *field = reader->field;
    uint32_t most = field->action == CSV_ACTION_TOKEN ? 8 : 255;
    CSN_TRY(read_number(reader, KEY_KEEP_FIRST, 0, most, &field->keep_first));
    return read_number(reader, KEY_KEEP_LAST, 0, most, &field->keep_last);
}

/* ---- mask, token ---- */
static csn_err read_mask(struct field_reader *reader)
{
    const char *text = "*";
    uint32_t size = 1;
    if (reader->values[KEY_WITH] != NULL) {
        CSN_TRY(read_text(reader, KEY_WITH, &text, &size));
    }
    if (size != 1 || text[0] < 0x20 || text[0] > 0x7e) {
        return csv_tree_fault(reader->tree, reader->values[KEY_WITH]->offset,
                              "\"with\" must be one printable ASCII character");
    }
    reader->field->with = text[0];
    return CSN_OK;
}

static csn_err read_token(struct field_reader *reader)
{
    const char *text = "tok";
    uint32_t size = 3;
    const struct csv_tree_node *bits = reader->values[KEY_BITS];
    reader->field->bits = 96;
    CSN_TRY(read_number(reader, KEY_BITS, 80, 256, &reader->field->bits));
    if (reader->field->bits % 8 != 0) {
        return csv_tree_fault(reader->tree, bits->offset, "\"bits\" must be a multiple of 8");
    }
    if (reader->values[KEY_PREFIX] != NULL) {
        CSN_TRY(read_text(reader, KEY_PREFIX, &text, &size));
    }
    bool good = size >= 1 && size <= 16;
    for (uint32_t index = 0; good && index < size; index++) {
        good = text[index] >= 'a' && text[index] <= 'z';
    }
    if (!good) {
        return csv_tree_fault(reader->tree, reader->values[KEY_PREFIX]->offset,
                              "\"prefix\" must be 1 to 16 letters a to z");
    }
    memcpy(reader->field->prefix, text, size);
    return CSN_OK;
}

/* ---- fpe ---- */
static csn_err read_literal_alphabet(struct field_reader *reader, const char *text, uint32_t size)
{
    bool good = size >= 2 && size <= 94;
    for (uint32_t index = 0; good && index < size; index++) {
        good =
            text[index] >= 0x20 && text[index] <= 0x7e && memchr(text, text[index], index) == NULL;
    }
    if (!good) {
        return csv_tree_fault(reader->tree, reader->values[KEY_ALPHABET]->offset,
                              "after = an \"alphabet\" has 2 to 94 distinct printable ASCII "
                              "characters");
    }
    memcpy(reader->field->alphabet, text, size);
    reader->field->radix = size;
    return CSN_OK;
}

static csn_err read_alphabet(struct field_reader *reader)
{
    static const char *const table[][2] = {
        {"digits", "0123456789"},
        {"lower", "abcdefghijklmnopqrstuvwxyz"},
        {"upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"alnum-lower", "0123456789abcdefghijklmnopqrstuvwxyz"},
        {"alnum-upper", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
        {"hex", "0123456789abcdef"},
    };
    const char *text = NULL;
    uint32_t size = 0;
    CSN_TRY(read_text(reader, KEY_ALPHABET, &text, &size));
    if (size > 0 && text[0] == '=') {
        return read_literal_alphabet(reader, text + 1, size - 1);
    }
    for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
        if (csv_tree_is(reader->values[KEY_ALPHABET], table[index][0])) {
            reader->field->radix = (uint32_t)strlen(table[index][1]);
            memcpy(reader->field->alphabet, table[index][1], reader->field->radix);
            return CSN_OK;
        }
    }
    return csv_tree_fault(reader->tree, reader->values[KEY_ALPHABET]->offset,
                          "\"alphabet\" must be digits, lower, upper, alnum-lower, alnum-upper, "
                          "alnum, hex or \"=\" and the characters");
}

/* What is left to encrypt when a value has the expected length. */
static csn_err count_domain(struct field_reader *reader)
{
    struct csv_field *field = reader->field;
    const struct csv_tree_node *place = reader->values[KEY_LENGTH] != NULL
                                            ? reader->values[KEY_LENGTH]
                                            : reader->values[KEY_ACTION];
    uint32_t taken = field->keep_first + field->keep_last + (field->luhn ? 1 : 0);
    uint32_t count = field->length > taken ? field->length - taken : 0;
    uint64_t left = 1;
    for (uint32_t index = 0; index < count && left < DOMAIN_VALUE_MIN; index++) {
        left *= field->radix;
    }
    if (left >= DOMAIN_VALUE_MIN) {
        return CSN_OK;
    }
    return csv_tree_fault(reader->tree, place->offset,
                          "of %u symbols %u are kept%s: that leaves %u^%u = %u values and at "
                          "least 1000000 are needed; action \"token\" can keep up to 8 at each end",
                          field->length, field->keep_first + field->keep_last,
                          field->luhn ? " and one is the check digit" : "", field->radix, count,
                          (unsigned)left);
}

static csn_err read_tweak(struct field_reader *reader)
{
    const char *text = NULL;
    if (reader->values[KEY_TWEAK] == NULL) {
        return CSN_OK;
    }
    CSN_TRY(read_text(reader, KEY_TWEAK, &text, &reader->field->tweak_size));
    if (reader->field->tweak_size > CSV_TWEAK_SIZE_MAX) {
        return csv_tree_fault(reader->tree, reader->values[KEY_TWEAK]->offset,
                              "\"tweak\" has at most %u bytes", CSV_TWEAK_SIZE_MAX);
    }
    memcpy(reader->field->tweak, text, reader->field->tweak_size);
    return CSN_OK;
}

static csn_err read_fpe(struct field_reader *reader)
{
    struct csv_field *field = reader->field;
    CSN_TRY(read_alphabet(reader));
    CSN_TRY(read_flag(reader, KEY_LUHN, &field->luhn));
    if (field->luhn && (field->radix != 10 || memcmp(field->alphabet, "0123456789", 10) != 0)) {
        return csv_tree_fault(reader->tree, reader->values[KEY_LUHN]->offset,
                              "\"luhn\" needs the alphabet digits");
    }
    CSN_TRY(read_tweak(reader));
    field->unfit = CSV_ACTION_REDACT;
    CSN_TRY(read_choice(reader, KEY_SHORT, ON(REDACT) | ON(TOKEN) | ON(MASK) | ON(DROP),
                        "redact, token, mask or drop", &field->unfit));
    field->length = 16;
    if (!field->luhn) {
        uint64_t reached = 1;
        for (field->length = 0; reached < DOMAIN_VALUE_MIN; field->length++) {
            reached *= field->radix;
        }
        field->length += field->keep_first + field->keep_last;
    }
    CSN_TRY(read_number(reader, KEY_LENGTH, 1, 256, &field->length));
    return count_domain(reader);
}

/* ---- shift, detect, encrypt ---- */
static csn_err read_shift(struct field_reader *reader)
{
    struct csv_field *field = reader->field;
    const char *text = NULL;
    uint32_t size = 0;
    CSN_TRY(read_number(reader, KEY_DAYS, 180, 3650, &field->days));
    CSN_TRY(read_text(reader, KEY_SUBJECT, &text, &size));
    CSN_TRY(csv_path_parse(reader->tree, reader->values[KEY_SUBJECT], &field->subject));
    for (uint32_t index = 0; index < field->subject.step_count; index++) {
        if (field->subject.steps[index].every) {
            return csv_tree_fault(reader->tree, reader->values[KEY_SUBJECT]->offset,
                                  "\"subject\" must name one value: no [*]");
        }
    }
    return CSN_OK;
}

static csn_err read_detect(struct field_reader *reader)
{
    static const char *const kinds[] = {"email", "iban", "card", "id", "phone"};
    struct csv_field *field = reader->field;
    const struct csv_tree_node *list = reader->values[KEY_KINDS];
    if (list->kind != CSV_TREE_ARRAY || list->child == NULL) {
        return csv_tree_fault(reader->tree, list->offset,
                              "\"kinds\" must be an array of at least one of card, iban, email, "
                              "phone, id");
    }
    for (const struct csv_tree_node *kind = list->child; kind != NULL; kind = kind->next) {
        uint32_t bit = 0;
        for (unsigned index = 0; index < 5; index++) {
            bit |= csv_tree_is(kind, kinds[index]) ? 1u << index : 0;
        }
        if (bit == 0 || (field->kinds & bit) != 0) {
            return csv_tree_fault(reader->tree, kind->offset,
                                  bit == 0 ? "a kind must be card, iban, email, phone or id"
                                           : "this kind is listed twice");
        }
        field->kinds |= bit;
    }
    return read_choice(reader, KEY_THEN, ON(REDACT) | ON(MASK) | ON(TOKEN), "redact, mask or token",
                       &field->then);
}

static csn_err read_encrypt(struct field_reader *reader)
{
    const struct csv_tree_node *value = reader->values[KEY_CONSUMER];
    for (size_t index = 0; index < reader->consumers->count; index++) {
        if (csv_tree_is(value, reader->consumers->names[index]) && value->text_size >= 1 &&
            value->text_size < sizeof reader->field->consumer) {
            memcpy(reader->field->consumer, value->text, value->text_size);
            return CSN_OK;
        }
    }
    return csv_tree_fault(reader->tree, value->offset,
                          "\"consumer\" must be the name of a consumer in the grant");
}

/* ---- the whole entry ---- */
static csn_err sort_keys(struct field_reader *reader)
{
    const struct csv_tree *tree = reader->tree;
    if (reader->object->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, reader->object->offset, "a field must be an object");
    }
    for (const struct csv_tree_node *member = reader->object->child; member != NULL;
         member = member->next) {
        unsigned key = 0;
        while (key < KEY_COUNT &&
               (strlen(key_rules[key].name) != member->name_size ||
                memcmp(key_rules[key].name, member->name, member->name_size) != 0)) {
            key++;
        }
        if (key < KEY_COUNT) {
            reader->values[key] = member;
        } else if (member->name_size != 7 || memcmp(member->name, "comment", 7) != 0) {
            return csv_tree_fault(tree, member->name_offset, "unknown key \"%.*s\"",
                                  (int)(member->name_size < 64 ? member->name_size : 64),
                                  member->name);
        } else if (member->kind != CSV_TREE_STRING) {
            return csv_tree_fault(tree, member->offset, "a comment must be a string");
        }
    }
    return CSN_OK;
}

static csn_err check_keys(struct field_reader *reader)
{
    enum csv_action action = reader->field->action;
    for (unsigned key = 0; key < KEY_COUNT; key++) {
        const struct csv_tree_node *value = reader->values[key];
        if (value != NULL && (key_rules[key].allowed >> action & 1) == 0) {
            return csv_tree_fault(reader->tree, value->name_offset,
                                  "key \"%s\" has no meaning for action \"%s\"",
                                  key_rules[key].name, csv_action_names[action]);
        }
        if (value == NULL && (key_rules[key].needed >> action & 1) != 0) {
            return csv_tree_fault(reader->tree, reader->object->offset,
                                  "action \"%s\" needs the key \"%s\"", csv_action_names[action],
                                  key_rules[key].name);
        }
    }
    return CSN_OK;
}

csn_err csv_field_read(const struct csv_tree *tree, const struct csv_plan *plan,
                       const struct csv_policy_consumers *consumers,
                       const struct csv_tree_node *object, struct csv_field *field)
{
    static csn_err (*const readers[CSV_ACTION_COUNT])(struct field_reader *) = {
        [CSV_ACTION_MASK] = read_mask,   [CSV_ACTION_TOKEN] = read_token,
        [CSV_ACTION_FPE] = read_fpe,     [CSV_ACTION_ENCRYPT] = read_encrypt,
        [CSV_ACTION_SHIFT] = read_shift, [CSV_ACTION_DETECT] = read_detect,
    };
    struct field_reader reader = {
        .tree = tree, .plan = plan, .consumers = consumers, .object = object, .field = field};
    const char *text = NULL;
    uint32_t size = 0;
    memset(field, 0, sizeof *field);
    field->offset = object->offset;
    CSN_TRY(sort_keys(&reader));
    if (reader.values[KEY_PATH] == NULL || reader.values[KEY_ACTION] == NULL) {
        return csv_tree_fault(tree, object->offset, "a field needs \"path\" and \"action\"");
    }
    CSN_TRY(read_text(&reader, KEY_PATH, &text, &size));
    CSN_TRY(csv_path_parse(tree, reader.values[KEY_PATH], &field->path));
    CSN_TRY(read_choice(&reader, KEY_ACTION, ANY_ACTION,
                        "fpe, token, mask, hash, encrypt, redact, drop, shift, detect or keep",
                        &field->action));
    CSN_TRY(check_keys(&reader));
    CSN_TRY(read_kept(&reader));
    if (readers[field->action] != NULL) {
        CSN_TRY(readers[field->action](&reader));
    }
    return read_domain(&reader);
}
