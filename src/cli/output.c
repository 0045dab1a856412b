/* SPDX-License-Identifier: Apache-2.0 */
/* output.c: messages, JSON strings, colour and progress. */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *current_verb = "";

void cli_set_verb(const char *name)
{
    current_verb = name;
}

int cli_fail(int code, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "caisson%s%s: ", *current_verb ? " " : "", current_verb);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

bool cli_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    return (no_colour == NULL || *no_colour == 0) && isatty(fileno(stream)) != 0;
}

void cli_json_string(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\') {
            fprintf(stream, "\\%c", *c);
        } else if (*c < 0x20) {
            fprintf(stream, "\\u%04x", *c);
        } else {
            fputc(*c, stream);
        }
    }
    fputc('"', stream);
}

void cli_progress(const char *what, uint64_t done, uint64_t total)
{
    static uint64_t last_ns;
    uint64_t now = cli_now_ns();
    bool end = done >= total;
    if (isatty(STDERR_FILENO) == 0 || (!end && now - last_ns < UINT64_C(100000000))) {
        return;
    }
    last_ns = now;
    unsigned filled = total ? (unsigned)(done * 30 / total) : 30;
    fprintf(stderr, "\r%-10s [%.*s%.*s] %3u %%", what, (int)filled,
            "##############################", (int)(30 - filled), "..............................",
            total ? (unsigned)(done * 100 / total) : 100);
    if (end) {
        fputc('\n', stderr);
    }
}

uint64_t cli_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

const char *cli_status_name(uint16_t status)
{
    static const char *const names[] = {
        "ok",         "malformed payload", "limit",  "no such operation", "rights",   "budget",
        "replay",     "result too large",  "policy", "not found",         "internal", "busy",
        "unavailable"};
    return status < sizeof names / sizeof names[0] ? names[status] : "unknown status";
}
