/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_absent.c: in place of tpm_quote.c where tss2-esys was not there at build time. */
#include <caisson/evidence.h>
#include <stdio.h>

static csn_err absent(char detail[200])
{
    snprintf(detail, 200, "TPM: built without tss2-esys: install libtss2-dev and build again");
    return CSN_ERR_MISSING;
}

static csn_err prepare(const void *state, struct csn_evidence_platform *platform)
{
    (void)state;
    return absent(platform->detail);
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    (void)state;
    (void)report_data;
    return absent(platform->detail);
}

csn_err csn_evidence_extend_tpm(const struct csn_evidence_tpm *tpm, uint32_t pcr,
                                const uint8_t measurement[48], char detail[200])
{
    (void)tpm;
    (void)pcr;
    (void)measurement;
    return absent(detail);
}

bool csn_evidence_tpm_built(void)
{
    return false;
}

csn_err csn_tpm_link_open(const char *tcti, struct csn_tpm_link **link, char detail[200])
{
    (void)tcti;
    *link = NULL;
    return absent(detail);
}

csn_err csn_tpm_counter_make(const char *tcti, uint32_t index, uint32_t key_handle,
                             struct csn_wire_counter *counter, char detail[200])
{
    (void)tcti, (void)index, (void)key_handle, (void)counter;
    return absent(detail);
}

void csn_tpm_link_close(struct csn_tpm_link *link)
{
    (void)link;
}

csn_err csn_tpm_link_carry(void *link, const uint8_t *command, size_t size, uint8_t *response,
                           size_t *response_size)
{
    (void)link, (void)command, (void)size, (void)response, (void)response_size;
    return CSN_ERR_MISSING;
}

const struct csn_evidence_producer csn_evidence_tpm = {
    .name = "tpm", .prepare = prepare, .sign = sign};
