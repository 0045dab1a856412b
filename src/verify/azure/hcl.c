/* SPDX-License-Identifier: Apache-2.0 */
/* hcl.c: see hcl.h. */
#include "verify/azure/hcl.h"
#include "verify/azure/jwk.h"
#include "verify/parse/read.h"
#include <string.h>

#define REPORT_OFFSET  0x20
#define REPORT_SIZE    0x4a0
#define REQUEST_OFFSET (REPORT_OFFSET + REPORT_SIZE)
#define REQUEST_SIZE   20
#define JSON_OFFSET    (REQUEST_OFFSET + REQUEST_SIZE)

static const char *header_fault(const uint8_t *at, uint64_t data_size)
{
    uint64_t version = csv_le(at + 4, 4);
    return memcmp(at, "HCLA", 4) != 0                        ? "not an HCL report (magic)"
           : version < 1 || version > 2                      ? "an unknown version"
           : csv_le(at + 8, 4) != REQUEST_OFFSET + data_size ? "sizes that do not agree"
           : csv_le(at + 12, 4) != 2                         ? "another type of request"
           : !csv_is_zero(at + 16, REPORT_OFFSET - 16)       ? "reserved fields are not zero"
                                                             : NULL;
}

bool csv_hcl_read(struct csv_bytes bytes, struct csv_hcl *hcl, const char **why)
{
    *why = "shorter than its header";
    if (bytes.size < JSON_OFFSET) {
        return false;
    }
    const uint8_t *request = bytes.at + REQUEST_OFFSET;
    uint64_t data_size = csv_le(request, 4);
    uint64_t json_size = csv_le(request + 16, 4);
    *why = header_fault(bytes.at, data_size);
    if (*why != NULL) {
        return false;
    }
    *why = "sizes that do not agree";
    if (data_size != REQUEST_SIZE + json_size || json_size > bytes.size - JSON_OFFSET) {
        return false;
    }
    *hcl = (struct csv_hcl){
        .version = (uint32_t)csv_le(bytes.at + 4, 4),
        .report_type = (uint32_t)csv_le(request + 8, 4),
        .hash_type = (uint32_t)csv_le(request + 12, 4),
        .report = {bytes.at + REPORT_OFFSET, REPORT_SIZE},
        .json = {bytes.at + JSON_OFFSET, (size_t)json_size},
    };
    size_t end = JSON_OFFSET + hcl->json.size;
    *why = csv_le(request + 4, 4) != 1                      ? "an unknown version of its claims"
           : hcl->hash_type < 1 || hcl->hash_type > 3       ? "an unknown hash type"
           : !csv_is_zero(bytes.at + end, bytes.size - end) ? "something behind its end"
                                                            : NULL;
    return *why == NULL;
}

bool csv_hcl_recognise(struct csv_bytes bytes, uint32_t report_type)
{
    return bytes.size >= JSON_OFFSET && memcmp(bytes.at, "HCLA", 4) == 0 &&
           csv_le(bytes.at + REQUEST_OFFSET + 8, 4) == report_type;
}

bool csv_hcl_report_data(const struct csv_hcl *hcl, uint8_t report_data[64])
{
    const EVP_MD *hash = hcl->hash_type == 1   ? EVP_sha256()
                         : hcl->hash_type == 2 ? EVP_sha384()
                                               : EVP_sha512();
    memset(report_data, 0, 64);
    return EVP_Digest(hcl->json.at, hcl->json.size, report_data, NULL, hash, NULL) == 1;
}

/* Does the list of what the key is for say "sign"? */
static bool may_sign(const struct csv_json_view *view, uint32_t jwk)
{
    uint32_t item = csv_json_first(view, csv_json_member(view, jwk, "key_ops"));
    bool found = false;
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        found = found || csv_json_says(view, item, "sign");
    }
    return found;
}

EVP_PKEY *csv_hcl_ak(const struct csv_json_view *view, const char **why)
{
    uint32_t found = CSV_JSON_NONE;
    uint32_t keys = csv_json_member(view, 0, "keys");
    *why = "no list of keys";
    if (!csv_json_is(view, keys, CSN_JSON_ARRAY)) {
        return NULL;
    }
    for (uint32_t item = csv_json_first(view, keys); item != CSV_JSON_NONE;
         item = csv_json_next(view, item)) {
        if (csv_json_says(view, csv_json_member(view, item, "kid"), "HCLAkPub")) {
            *why = "two keys named HCLAkPub";
            if (found != CSV_JSON_NONE) {
                return NULL;
            }
            found = item;
        }
    }
    *why = found == CSV_JSON_NONE ? "no key named HCLAkPub" : "not a key that signs";
    return found != CSV_JSON_NONE && may_sign(view, found) ? csv_jwk_rsa(view, found, why) : NULL;
}
