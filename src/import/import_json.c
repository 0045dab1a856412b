/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_json.c: XGBoost's document from JSON. It writes NaN for the condition of a split by set,
 * which is no JSON: it becomes an empty string, which is no number either and so is taken only
 * where nobody asks for one.
 */
#include "import_xgboost.h"
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 0x40000000u

static void replace_nan(char *text, size_t size)
{
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && in_string) {
            i++;
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && size - i >= 3 && memcmp(text + i, "NaN", 3) == 0) {
            memcpy(text + i, "\"\" ", 3);
            i += 2;
        }
    }
}

static csn_err read_text(struct csn_import *import, char *text, size_t size, cJSON **root)
{
    const char *end = NULL;
    replace_nan(text, size);
    *root = cJSON_ParseWithLengthOpts(text, size + 1, &end, false);
    size_t at = end != NULL ? (size_t)(end - text) : 0;
    if (*root != NULL) {
        at += strspn(text + at, " \t\r\n");
    }
    return *root != NULL && at == size
               ? CSN_OK
               : csn_import_fail(import, CSN_IMPORT_SYNTAX, "offset %zu", at);
}

csn_err csn_import_xgboost_json(const char *text, size_t text_size, void **image, size_t *size,
                                struct csn_import_fault *fault)
{
    struct csn_import import = {.fault = fault};
    cJSON *root = NULL;
    if (text_size > TEXT_MAX) {
        return csn_import_fail(&import, CSN_IMPORT_LIMIT, "size of the text");
    }
    char *copy = malloc(text_size + 1);
    if (copy == NULL) {
        return csn_import_fail(&import, CSN_IMPORT_MEMORY, "text");
    }
    memcpy(copy, text, text_size);
    copy[text_size] = '\0';
    csn_err err = read_text(&import, copy, text_size, &root);
    if (err == CSN_OK) {
        err = csn_import_xgboost_document(&import, root);
    }
    if (err == CSN_OK) {
        err = csn_import_finish(&import, image, size);
    }
    cJSON_Delete(root);
    free(copy);
    csn_import_wipe(&import);
    return err;
}
