/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent.c: see traceparent.h. */
#include "traceparent.h"
#include <string.h>

/* Lower-case hex digits; not all of them '0' unless zero_allowed. */
static bool is_hex(const char *text, size_t size, bool zero_allowed)
{
    bool is_zero = true;
    for (size_t i = 0; i < size; i++) {
        bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (!digit) {
            return false;
        }
        is_zero = is_zero && text[i] == '0';
    }
    return zero_allowed || !is_zero;
}

bool csn_traceparent_is(const char *text, size_t size)
{
    return size == CSN_TRACEPARENT_SIZE && memcmp(text, "00-", 3) == 0 && text[35] == '-' &&
           text[52] == '-' && is_hex(text + 3, 32, false) && is_hex(text + 36, 16, false) &&
           is_hex(text + 53, 2, true);
}
