/* SPDX-License-Identifier: Apache-2.0 */
/* snp.c: form and claims of SEV-SNP reports of any content, and of of sizes about its own. */
#include "foreign.h"
#include "verify/snp/snp_number.h"
#include "verify/snp/snp_report.h"

int main(void)
{
    struct csv_arena arena = {0};
    struct csv_case appraisal = {.arena = &arena};
    struct csv_bytes bytes = foreign_bytes(CSV_SNP_REPORT_SIZE - 8, CSV_SNP_REPORT_SIZE + 8);
    uint8_t pair[96];
    if (!csv_snp_check_form(&appraisal, bytes)) {
        return 0;
    }
    csv_snp_claims(&appraisal, bytes.at);
    const struct csv_snp_product *product =
        csv_snp_product_by_cpuid(bytes.at[CSV_SNP_CPUID], bytes.at[CSV_SNP_CPUID + 1]);
    if (product != NULL) {
        csv_snp_product_claims(&appraisal, bytes.at, product);
    }
    csv_snp_numbers(bytes.at + CSV_SNP_SIGNATURE, pair);
    return 0;
}
