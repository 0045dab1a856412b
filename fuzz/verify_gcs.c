/* SPDX-License-Identifier: Apache-2.0 */
/* verify_gcs.c: a Confidential Space token, against the verifier (see parts.h). */
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char policy[] = "formats = [\"gcs-jwt\"]\n[gcs-jwt]\naudiences = [\"me\"]\n";
    return fuzz_parts(CSV_FORMAT_GCS_JWT, policy, false, data, size);
}
