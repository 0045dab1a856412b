/* SPDX-License-Identifier: Apache-2.0 */
/* template.c: attributes as callers give them. */
#include "module.h"
#include <string.h>

#define ITEM_MAX 256u /* a template with more is none */

CK_RV p11_template_check(const struct ck_attribute *items, CK_ULONG count)
{
    if (count > ITEM_MAX || (items == NULL && count != 0)) {
        return CKR_ARGUMENTS_BAD;
    }
    for (CK_ULONG i = 0; i < count; i++) {
        if (items[i].value == NULL && items[i].size != 0) {
            return CKR_ATTRIBUTE_VALUE_INVALID;
        }
    }
    return CKR_OK;
}

const struct ck_attribute *p11_find(const struct ck_attribute *items, CK_ULONG count,
                                    CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++) {
        if (items[i].type == type) {
            return &items[i];
        }
    }
    return NULL;
}

CK_RV p11_bool(const struct ck_attribute *items, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
               bool fallback, bool *value)
{
    const struct ck_attribute *item = p11_find(items, count, type);
    *value = fallback;
    if (item == NULL) {
        return CKR_OK;
    }
    if (item->size != sizeof(CK_BBOOL)) {
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    *value = *(const CK_BBOOL *)item->value != CK_FALSE;
    return CKR_OK;
}

CK_RV p11_number(const struct ck_attribute *items, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                 CK_ULONG fallback, CK_ULONG *value)
{
    const struct ck_attribute *item = p11_find(items, count, type);
    *value = fallback;
    if (item == NULL) {
        return CKR_OK;
    }
    if (item->size != sizeof(CK_ULONG)) {
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    memcpy(value, item->value, sizeof *value); /* nothing says that it is aligned */
    return CKR_OK;
}
