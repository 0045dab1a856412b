/* SPDX-License-Identifier: Apache-2.0 */
/* tra_write.c: JSON of an answer. What does not fit makes the writer full, and nothing half. */
#include "tra_text.h"

static uint8_t *room(struct tra_writer *writer, uint32_t size)
{
    if (writer->full || size > writer->max - writer->size) {
        writer->full = true;
        return NULL;
    }
    writer->size += size;
    return writer->bytes + writer->size - size;
}

void tra_put(struct tra_writer *writer, const char *text)
{
    const uint32_t size = tra_length(text);
    uint8_t *target = room(writer, size);
    if (target != NULL) {
        memcpy(target, text, size);
    }
}

void tra_put_open(struct tra_writer *writer, const char *bracket)
{
    tra_put(writer, bracket);
    writer->first = true;
}

void tra_put_close(struct tra_writer *writer, const char *bracket)
{
    tra_put(writer, bracket);
    writer->first = false;
}

void tra_put_comma(struct tra_writer *writer)
{
    if (!writer->first) {
        tra_put(writer, ",");
    }
    writer->first = false;
}

void tra_put_name(struct tra_writer *writer, const char *name)
{
    tra_put_comma(writer);
    tra_put(writer, "\"");
    tra_put(writer, name);
    tra_put(writer, "\":");
}

void tra_put_number(struct tra_writer *writer, uint64_t number)
{
    char digits[21] = {0};
    uint32_t at = sizeof digits - 1;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    tra_put(writer, digits + at);
}

void tra_put_string(struct tra_writer *writer, const char *name, const char *text)
{
    tra_put_name(writer, name);
    tra_put(writer, "\"");
    tra_put(writer, text);
    tra_put(writer, "\"");
}

void tra_put_bytes(struct tra_writer *writer, const char *name, const uint8_t *bytes, uint32_t size)
{
    tra_put_name(writer, name);
    tra_put(writer, "\"");
    for (uint32_t i = 0; i < size; i++) {
        const char piece[3] = {'\\', (char)bytes[i], 0};
        tra_put(writer, bytes[i] == '"' || bytes[i] == '\\' ? piece : piece + 1);
    }
    tra_put(writer, "\"");
}

void tra_put_hex(struct tra_writer *writer, const char *name, const uint8_t *bytes, uint32_t size)
{
    tra_put_name(writer, name);
    tra_put(writer, "\"");
    uint8_t *target = room(writer, 2 * size);
    for (uint32_t i = 0; target != NULL && i < 2 * size; i++) {
        const uint8_t four = i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15;
        target[i] = (uint8_t)(four < 10 ? '0' + four : 'a' + four - 10);
    }
    tra_put(writer, "\"");
}

static void put_digits(struct tra_writer *writer, const uint8_t *bytes, uint32_t size, bool url)
{
    uint8_t *target = room(writer, tra_base64_size(size, url));
    if (target != NULL) {
        tra_base64_encode(bytes, size, url, target);
    }
    tra_put(writer, "\"");
}

void tra_put_base64(struct tra_writer *writer, const char *name, const uint8_t *bytes,
                    uint32_t size)
{
    tra_put_name(writer, name);
    tra_put(writer, "\"");
    put_digits(writer, bytes, size, false);
}

void tra_put_marked(struct tra_writer *writer, const char *name, uint32_t version,
                    const uint8_t *bytes, uint32_t size, bool url)
{
    tra_put_name(writer, name);
    tra_put(writer, "\"caisson:v");
    tra_put_number(writer, version);
    tra_put(writer, ":");
    put_digits(writer, bytes, size, url);
}

const char *tra_status_name(cse_status status)
{
    switch (status) {
    case CSN_WIRE_STATUS_OK:
        return "ok";
    case CSN_WIRE_STATUS_MALFORMED:
        return "malformed";
    case CSN_WIRE_STATUS_LIMIT:
        return "limit";
    case CSN_WIRE_STATUS_RIGHTS:
        return "rights";
    case CSN_WIRE_STATUS_BUDGET:
        return "budget";
    case CSN_WIRE_STATUS_POLICY:
        return "policy";
    case CSN_WIRE_STATUS_NOT_FOUND:
        return "not-found";
    case CSN_WIRE_STATUS_UNAVAILABLE:
        return "unavailable";
    default:
        return "internal";
    }
}
