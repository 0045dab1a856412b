/* SPDX-License-Identifier: Apache-2.0 */
/* policy_values.c: values that policies of several services have. */
#include "client/policy/policy_plan.h"

#include <string.h>

bool csv_tree_named(const struct csv_tree_node *member, const char *name)
{
    return member->name_size == strlen(name) && memcmp(member->name, name, member->name_size) == 0;
}

csn_err csv_tree_whole(const struct csv_tree *tree, const struct csv_tree_node *value,
                       uint64_t lowest, uint64_t highest, uint64_t *number)
{
    uint64_t read = 0;
    bool whole = value->kind == CSV_TREE_NUMBER && value->text_size <= 18;
    for (uint32_t i = 0; whole && i < value->text_size; i++) {
        whole = value->text[i] >= '0' && value->text[i] <= '9';
        read = read * 10 + (uint64_t)(value->text[i] - '0');
    }
    if (!whole || read < lowest || read > highest) {
        return csv_tree_fault(tree, value->offset, "must be a whole number from %llu to %llu",
                              (unsigned long long)lowest, (unsigned long long)highest);
    }
    *number = read;
    return CSN_OK;
}

csn_err csv_tree_bool(const struct csv_tree *tree, const struct csv_tree_node *value, bool *truth)
{
    if (value->kind != CSV_TREE_TRUE && value->kind != CSV_TREE_FALSE) {
        return csv_tree_fault(tree, value->offset, "must be true or false");
    }
    *truth = value->kind == CSV_TREE_TRUE;
    return CSN_OK;
}

static bool read_hex(const struct csv_tree_node *value, uint8_t *bytes, uint32_t size)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    bool good = value->kind == CSV_TREE_STRING && value->text_size == 2 * size;
    for (uint32_t i = 0; good && i < 2 * size; i++) {
        const char *at = value->text[i] != 0 ? strchr(digits, value->text[i]) : NULL;
        good = at != NULL;
        if (good) {
            const uint8_t digit = (uint8_t)(at - digits > 15 ? at - digits - 6 : at - digits);
            bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
        }
    }
    return good;
}

csn_err csv_tree_hex(const struct csv_tree *tree, const struct csv_tree_node *value, uint8_t *bytes,
                     uint32_t size)
{
    return read_hex(value, bytes, size)
               ? CSN_OK
               : csv_tree_fault(tree, value->offset, "must be %u hex digits", 2 * size);
}

csn_err csv_tree_digest(const struct csv_tree *tree, const struct csv_tree_node *value,
                        uint8_t digest[32])
{
    return read_hex(value, digest, 32)
               ? CSN_OK
               : csv_tree_fault(tree, value->offset,
                                "\"model\" must be the digest that caisson model pack printed: "
                                "64 digits of 0 to 9 and a to f");
}
