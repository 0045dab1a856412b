/* SPDX-License-Identifier: Apache-2.0 */
/* json_reason.c: faults of a JSON text, told to a person. */
#include "json.h"

const char *csn_json_reason_text(enum csn_json_reason reason)
{
    switch (reason) {
    case CSN_JSON_OK:
        return "no fault";
    case CSN_JSON_END:
        return "the text ends too early";
    case CSN_JSON_UNEXPECTED:
        return "this byte may not stand here";
    case CSN_JSON_LITERAL:
        return "neither true, false nor null";
    case CSN_JSON_BAD_NUMBER:
        return "not a JSON number";
    case CSN_JSON_CONTROL:
        return "a control byte in a string must be escaped";
    case CSN_JSON_ESCAPE:
        return "no such escape";
    case CSN_JSON_SURROGATE:
        return "half of a surrogate pair";
    case CSN_JSON_UTF8:
        return "not UTF-8";
    case CSN_JSON_DUPLICATE:
        return "this name stands twice in one object";
    case CSN_JSON_DEPTH:
        return "more than 64 containers inside each other";
    case CSN_JSON_TRAILING:
        return "something follows the end of the text";
    case CSN_JSON_SPACE:
        return "too many values";
    }
    return "unknown fault";
}

void csn_json_position(const uint8_t *text, uint32_t offset, uint32_t *line, uint32_t *column)
{
    *line = 1;
    *column = 1;
    for (uint32_t i = 0; i < offset; i++) {
        *column += 1;
        if (text[i] == '\n') {
            *line += 1;
            *column = 1;
        }
    }
}
