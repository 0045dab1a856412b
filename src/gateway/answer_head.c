/* SPDX-License-Identifier: Apache-2.0 */
/* answer_head.c: heads of answers: what may be in one, and what the front adds. */
#include "connection.h"
#include "http1_rules.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEAD_SIZE_MAX 2048u /* of all texts that a service gives */

/* No line end can leave in a value, wherever it came from. */
static bool is_value(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_text(const char *text, size_t *size)
{
    size_t length = text != NULL ? strlen(text) : 0;
    *size += length;
    return text == NULL || is_value(text, length);
}

bool csn_answer_is_legal(const struct csn_answer_head *head)
{
    size_t size = 0;
    if (head->status < 200 || head->status > 599 || head->more_count > 4 ||
        !is_text(head->content_type, &size) || !is_text(head->cache_control, &size)) {
        return false;
    }
    for (uint32_t i = 0; i < head->more_count; i++) {
        const struct csn_http1_field *field = &head->more[i];
        if (!csn_http1_is_token(field->name) || !is_value(field->value.bytes, field->value.size)) {
            return false;
        }
        size += field->name.size + field->value.size + 4;
    }
    return size <= HEAD_SIZE_MAX;
}

const char *csn_front_date(struct csn_front *front)
{
    time_t now = time(NULL); /* no system call: the kernel maps the clock */
    if ((uint64_t)now != front->date_s) {
        struct tm parts;
        gmtime_r(&now, &parts);
        /* The C locale's names, which HTTP's are. */
        strftime(front->date, sizeof front->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        front->date_s = (uint64_t)now;
    }
    return front->date;
}

const char *csn_answer_reason(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {301, "Moved Permanently"},
                   {302, "Found"},
                   {304, "Not Modified"},
                   {307, "Temporary Redirect"},
                   {308, "Permanent Redirect"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {406, "Not Acceptable"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {415, "Unsupported Media Type"},
                   {417, "Expectation Failed"},
                   {422, "Unprocessable Content"},
                   {425, "Too Early"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "Status";
}
