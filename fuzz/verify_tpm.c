/* SPDX-License-Identifier: Apache-2.0 */
/* verify_tpm.c: a TPM quote and what stands beside it, against the verifier (see parts.h). */
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char policy[] = "formats = [\"tpm\"]\n[tpm]\nany_pcrs = [0, 1]\n";
    return fuzz_parts(CSV_FORMAT_TPM, policy, true, data, size);
}
