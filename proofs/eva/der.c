/* SPDX-License-Identifier: Apache-2.0 */
/* der.c: each function of the DER walker over any bytes, and two elements in a row. */
#include "verify/parse/der.h"
#include "foreign.h"

static void one(struct csv_bytes bytes)
{
    struct csv_reader reader = csv_read(bytes);
    struct csv_bytes content = {0};
    uint8_t tag = 0;
    bool there = false;
    uint64_t number = 0;
    int64_t seconds = 0;
    switch (Frama_C_interval(0, 4)) {
    case 0:
        if (csv_der_next(&reader, &tag, &content)) {
            foreign_touch(content.at, content.size);
            csv_der_number(content, &number);
        }
        break;
    case 1:
        if (csv_der_take_whole(&reader, CSV_DER_SEQUENCE, &content)) {
            foreign_touch(content.at, content.size);
        }
        break;
    case 2:
        if (csv_der_optional(&reader, CSV_DER_CONTEXT(0), &content, &there) && there) {
            foreign_touch(content.at, content.size);
        }
        break;
    case 3:
        if (csv_der_bits(&reader, &content)) {
            foreign_touch(content.at, content.size);
        }
        break;
    default:
        csv_der_time(&reader, &seconds);
    }
    foreign_touch(reader.at, reader.left);
}

/* An element, inside it another, behind it a third: as in a certificate. */
static void nested(struct csv_bytes bytes)
{
    struct csv_reader reader = csv_read(bytes);
    struct csv_bytes outer;
    struct csv_bytes inner;
    uint8_t tag = 0;
    if (!csv_der_take(&reader, CSV_DER_SEQUENCE, &outer)) {
        return;
    }
    struct csv_reader inside = csv_read(outer);
    if (csv_der_next(&inside, &tag, &inner)) {
        foreign_touch(inner.at, inner.size);
    }
    if (csv_der_next(&reader, &tag, &inner)) {
        foreign_touch(inner.at, inner.size);
    }
}

int main(void)
{
    if (Frama_C_interval(0, 1) != 0) {
        one(foreign_bytes(0, 17));
    } else {
        nested(foreign_bytes(0, 8));
    }
    return 0;
}
