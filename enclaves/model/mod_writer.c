/* SPDX-License-Identifier: Apache-2.0 */
/* mod_writer.c: JSON into a buffer of given size. */
#include "mod_state.h"

void mod_put_bytes(struct mod_writer *writer, const uint8_t *bytes, uint32_t size)
{
    if (writer->size <= writer->room && size <= writer->room - writer->size) {
        __builtin_memcpy(writer->bytes + writer->size, bytes, size);
    }
    writer->size += size;
}

void mod_put(struct mod_writer *writer, const char *text)
{
    mod_put_bytes(writer, (const uint8_t *)text, (uint32_t)__builtin_strlen(text));
}

void mod_put_escaped(struct mod_writer *writer, const uint8_t *text, uint32_t size)
{
    const uint32_t room = writer->size <= writer->room ? writer->room - writer->size : 0;
    writer->size += csn_json_encode(text, size, writer->bytes + writer->room - room, room);
}

void mod_put_number(struct mod_writer *writer, uint64_t number)
{
    uint8_t digits[20];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    mod_put_bytes(writer, digits + at, (uint32_t)sizeof digits - at);
}

void mod_put_hex(struct mod_writer *writer, const uint8_t *bytes, uint32_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t pair[2] = {(uint8_t)digits[bytes[i] >> 4], (uint8_t)digits[bytes[i] & 15]};
        mod_put_bytes(writer, pair, 2);
    }
}

/* d.dddddddde-dd: what a float needs to come back as it was; what is no number is null. */
void mod_put_float(struct mod_writer *writer, float number)
{
    double rest = (double)(number < 0 ? -number : number);
    int32_t exponent = 0;
    if (!(rest <= 3.5e38)) {
        mod_put(writer, "null");
        return;
    }
    mod_put(writer, number < 0 ? "-" : "");
    for (; rest >= 10; exponent++) {
        rest /= 10;
    }
    for (; rest != 0 && rest < 1; exponent--) {
        rest *= 10;
    }
    uint64_t digits = (uint64_t)(rest * 1e8 + 0.5);
    if (digits >= UINT64_C(1000000000)) {
        digits /= 10;
        exponent++;
    }
    mod_put_number(writer, digits / 100000000);
    mod_put(writer, ".");
    for (uint64_t unit = 10000000; unit != 0; unit /= 10) {
        mod_put_number(writer, digits / unit % 10);
    }
    mod_put(writer, exponent < 0 ? "e-" : "e");
    mod_put_number(writer, (uint64_t)(exponent < 0 ? -exponent : exponent));
}
