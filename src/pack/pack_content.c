/* SPDX-License-Identifier: Apache-2.0 */
/* pack_content.c: which format a file is of, and what of it is sealed. */
#include "pack.h"
#include "trees/trees.h"
#include <stdio.h>
#include <string.h>

static bool begins(const void *bytes, size_t size, const char *magic)
{
    return size >= strlen(magic) && memcmp(bytes, magic, strlen(magic)) == 0;
}

enum csn_pack_format csn_pack_format_of(const void *bytes, size_t size)
{
    const char *text = bytes;
    if (begins(bytes, size, "GGUF")) {
        return CSN_PACK_GGUF;
    }
    if (begins(bytes, size, CSN_TREES_MAGIC)) {
        return CSN_PACK_TREES;
    }
    if (begins(bytes, size, "tree\n") || begins(bytes, size, "tree\r\n")) {
        return CSN_PACK_LIGHTGBM;
    }
    /* In UBJSON the size of the first name follows at once, with its type. */
    if (size >= 2 && text[0] == '{' && strchr("iUIlL", text[1]) != NULL && text[1] != '\0') {
        return CSN_PACK_XGBOOST_UBJSON;
    }
    size_t space = 0;
    while (space < size && strchr(" \t\r\n", text[space]) != NULL && text[space] != '\0') {
        space++;
    }
    return space < size && text[space] == '{' ? CSN_PACK_XGBOOST_JSON : CSN_PACK_FORMAT_COUNT;
}

const char *csn_pack_format_name(enum csn_pack_format format)
{
    static const char *const names[CSN_PACK_FORMAT_COUNT] = {
        "GGUF", "packed trees", "XGBoost JSON", "XGBoost UBJSON", "LightGBM text",
    };
    return format < CSN_PACK_FORMAT_COUNT ? names[format] : "unknown";
}

/* A packed image is taken only where an enclave would take it. */
static csn_err check_trees(const void *bytes, size_t size, struct csn_import_fault *fault)
{
    struct csn_trees model;
    size_t offset = 0;
    csn_err err = csn_trees_open(bytes, size, &model, &offset);
    if (err != CSN_OK) {
        fault->reason = err == CSN_ERR_LIMIT ? CSN_IMPORT_LIMIT : CSN_IMPORT_SHAPE;
        snprintf(fault->place, sizeof fault->place, "offset %zu", offset);
    }
    return err;
}

csn_err csn_pack_content(const void *bytes, size_t size, struct csn_pack_content *content,
                         struct csn_import_fault *fault)
{
    struct csn_pack_content found = {.bytes = bytes, .size = size, .kind = CSN_WIRE_WEIGHTS_TREES};
    size_t made_size = 0;
    csn_err err = CSN_ERR_UNKNOWN;
    *fault = (struct csn_import_fault){.reason = CSN_IMPORT_UNSUPPORTED};
    switch (csn_pack_format_of(bytes, size)) {
    case CSN_PACK_GGUF:
        found.kind = CSN_WIRE_WEIGHTS_GGUF;
        made_size = size;
        err = csn_pack_gguf(bytes, size, &found.made, fault);
        break;
    case CSN_PACK_TREES:
        err = check_trees(bytes, size, fault);
        break;
    case CSN_PACK_XGBOOST_JSON:
        err = csn_import_xgboost_json(bytes, size, &found.made, &made_size, fault);
        break;
    case CSN_PACK_XGBOOST_UBJSON:
        err = csn_import_xgboost_ubjson(bytes, size, &found.made, &made_size, fault);
        break;
    case CSN_PACK_LIGHTGBM:
        err = csn_import_lightgbm(bytes, size, &found.made, &made_size, fault);
        break;
    default:
        snprintf(fault->place, sizeof fault->place, "no known format");
        break;
    }
    if (err == CSN_OK) {
        if (found.made != NULL) {
            found.bytes = found.made;
            found.size = made_size;
        }
        *content = found;
    }
    return err;
}
