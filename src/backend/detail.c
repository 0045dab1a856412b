/* SPDX-License-Identifier: Apache-2.0 */
/* detail.c: the words beside an error code. */
#define _GNU_SOURCE
#include "detail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

csn_err csn_detail_set(struct csn_detail *detail, csn_err err, const char *format, ...)
{
    if (detail != NULL) {
        va_list arguments;
        va_start(arguments, format);
        int size = vsnprintf(detail->text, sizeof detail->text, format, arguments);
        va_end(arguments);
        if (size < 0) {
            detail->text[0] = '\0';
        }
    }
    return err;
}

const char *csn_errno_name(int number)
{
    const char *name = strerrorname_np(number);
    return name != NULL ? name : "unknown error";
}
