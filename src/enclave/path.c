/* SPDX-License-Identifier: Apache-2.0 */
/* path.c: whether a request's path is the one of a route, whose "{}" stands for any name. */
#include "http.h"

static bool is_of_name(uint8_t byte)
{
    const uint8_t lower = csn_bhttp_lower(byte);
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
           byte == '_' || byte == '-';
}

bool cse_path_fits(const char *pattern, const struct csn_bhttp_text *path,
                   struct csn_bhttp_text *name)
{
    uint32_t at = 0;
    *name = (struct csn_bhttp_text){NULL, 0};
    for (; *pattern != 0; pattern++) {
        if (pattern[0] == '{' && pattern[1] == '}') {
            name->bytes = path->bytes + at;
            while (at < path->size && name->size <= CSE_ROUTE_NAME_MAX &&
                   is_of_name(path->bytes[at])) {
                at++;
                name->size++;
            }
            if (name->size == 0 || name->size > CSE_ROUTE_NAME_MAX) {
                return false;
            }
            pattern++;
        } else if (at == path->size || path->bytes[at++] != (uint8_t)*pattern) {
            return false;
        }
    }
    return at == path->size;
}
