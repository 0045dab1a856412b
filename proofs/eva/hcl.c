/* SPDX-License-Identifier: Apache-2.0 */
/* hcl.c: the header of Azure's HCL report, of any content, with up to four bytes of JSON. */
#include "verify/azure/hcl.h"
#include "foreign.h"

#define FIXED_SIZE (32 + 1184 + 20)

int main(void)
{
    struct csv_hcl hcl = {0};
    const char *why = NULL;
    struct csv_bytes bytes = foreign_bytes(FIXED_SIZE - 2, FIXED_SIZE + 4);
    csv_hcl_recognise(bytes, CSV_HCL_SNP);
    if (!csv_hcl_read(bytes, &hcl, &why)) {
        foreign_touch((const uint8_t *)why, 1);
        return 0;
    }
    foreign_touch(hcl.report.at, 1184);
    foreign_touch(hcl.json.at, hcl.json.size);
    return 0;
}
