/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_link.c: bytes to a TPM and back, as somebody else has made them. */
#include <caisson/evidence.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#define TRIES_MAX 50u
#define PAUSE_NS  20000000

struct csn_tpm_link {
    TSS2_TCTI_CONTEXT *tcti;
};

/* It has not begun, and wants the same command once more. */
static bool asks_again(const uint8_t *response, size_t size)
{
    const uint32_t code = size < 10 ? 0
                                    : (uint32_t)response[6] << 24 | (uint32_t)response[7] << 16 |
                                          (uint32_t)response[8] << 8 | response[9];
    return code == TPM2_RC_RETRY || code == TPM2_RC_YIELDED || code == TPM2_RC_TESTING ||
           code == TPM2_RC_NV_RATE;
}

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
    const size_t room = *response_size;
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        *response_size = room;
        TSS2_RC rc = Tss2_Tcti_Transmit(made->tcti, size, command);
        if (rc == TSS2_RC_SUCCESS) {
            rc = Tss2_Tcti_Receive(made->tcti, response_size, response, TSS2_TCTI_TIMEOUT_BLOCK);
        }
        if (rc != TSS2_RC_SUCCESS) {
            return CSN_ERR_SYSTEM;
        }
        if (!asks_again(response, *response_size)) {
            return CSN_OK;
        }
        const struct timespec pause = {.tv_nsec = PAUSE_NS};
        nanosleep(&pause, NULL);
    }
    return CSN_OK; /* as it is: whoever asked reads it */
}
