/* SPDX-License-Identifier: Apache-2.0 */
/* verify_azure.c: an HCL report, its virtual TPM's quote and the rest, against the verifier (see
 * parts.h). */
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char policy[] =
        "formats = [\"azure-snp\", \"azure-tdx\"]\n[azure-snp]\nany_pcrs = [0, 1]\n";
    /* the report says of which hardware it is: each format refuses the other's */
    uint32_t format =
        size > 0 && data[size - 1] % 2 != 0 ? CSV_FORMAT_AZURE_TDX : CSV_FORMAT_AZURE_SNP;
    return fuzz_parts(format, policy, false, data, size);
}
