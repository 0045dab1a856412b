/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_link.c: bytes to a TPM and back, as somebody else has made them. */
#include <caisson/evidence.h>
#include <stdio.h>
#include <stdlib.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

struct csn_tpm_link {
    TSS2_TCTI_CONTEXT *tcti;
};

csn_err csn_tpm_link_open(const char *tcti, struct csn_tpm_link **link, char detail[200])
{
    struct csn_tpm_link *made = calloc(1, sizeof *made);
    *link = NULL;
    if (made == NULL) {
        snprintf(detail, 200, "TPM: out of memory");
        return CSN_ERR_MEMORY;
    }
    TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti, &made->tcti);
    if (rc != TSS2_RC_SUCCESS) {
        snprintf(detail, 200, "TPM: connect to %.60s: %.100s", tcti, Tss2_RC_Decode(rc));
        free(made);
        return CSN_ERR_MISSING;
    }
    *link = made;
    return CSN_OK;
}

void csn_tpm_link_close(struct csn_tpm_link *link)
{
    if (link != NULL) {
        Tss2_TctiLdr_Finalize(&link->tcti);
        free(link);
    }
}

csn_err csn_tpm_link_carry(void *link, const uint8_t *command, size_t size, uint8_t *response,
                           size_t *response_size)
{
    const struct csn_tpm_link *made = link;
    TSS2_RC rc = Tss2_Tcti_Transmit(made->tcti, size, command);
    if (rc == TSS2_RC_SUCCESS) {
        rc = Tss2_Tcti_Receive(made->tcti, response_size, response, TSS2_TCTI_TIMEOUT_BLOCK);
    }
    return rc == TSS2_RC_SUCCESS ? CSN_OK : CSN_ERR_SYSTEM;
}
