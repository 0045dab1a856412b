/* SPDX-License-Identifier: Apache-2.0 */
/* read.c: every sequence of three reads, of sizes that the bytes themselves say. */
#include "verify/parse/read.h"
#include "foreign.h"

int main(void)
{
    struct csv_reader reader = csv_read(foreign_bytes(0, 12));
    for (int i = 0; i < 3; i++) {
        size_t size = Frama_C_unsigned_long_interval(0, UINT64_MAX);
        const uint8_t *at = NULL;
        struct csv_bytes run = {0};
        switch (Frama_C_interval(0, 3)) {
        case 0:
            at = csv_read_bytes(&reader, size);
            if (at != NULL) {
                foreign_touch(at, size);
            }
            break;
        case 1:
            run = csv_read_run(&reader, size);
            foreign_touch(run.at, run.size);
            break;
        case 2:
            csv_read_le(&reader, (unsigned)Frama_C_interval(0, 8));
            break;
        default:
            csv_read_be(&reader, (unsigned)Frama_C_interval(0, 8));
        }
    }
    struct csv_bytes all = foreign_bytes(0, 8);
    csv_le(all.at, (unsigned)all.size);
    csv_is_zero(all.at, all.size);
    return 0;
}
