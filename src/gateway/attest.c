/* SPDX-License-Identifier: Apache-2.0 */
/* attest.c: see attest.h. */
#include "attest.h"
#include "backend/detail.h"
#include <stdlib.h>

struct work {
    struct csn_evidence_batch batch;
    struct csn_wire_boot_made made;
    struct csn_enclave_report report;
};

static csn_err make_all(const struct csn_evidence_batch *batch, csn_attest_take take, void *state)
{
    size_t room = csn_evidence_size(batch);
    uint8_t *bundle = malloc(room);
    csn_err err = bundle != NULL ? CSN_OK : CSN_ERR_MEMORY;
    for (size_t i = 0; i < batch->nonce_count && err == CSN_OK; i++) {
        size_t size = 0;
        err = csn_evidence_bundle(batch, i, bundle, room, &size);
        if (err == CSN_OK) {
            take(state, i, bundle, size);
        }
    }
    free(bundle);
    return err;
}

csn_err csn_attest(const struct csn_enclave *enclave, const struct csn_wire_signature *signature,
                   const struct csn_platform *platform, const uint8_t (*nonces)[32],
                   size_t nonce_count, csn_attest_take take, void *state, struct csn_detail *detail)
{
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "out of memory");
    }
    csn_enclave_report(enclave, &work->report);
    const struct csn_evidence_subject subject = {.manifest = csn_enclave_manifest(enclave),
                                                 .report = &work->report,
                                                 .made = &work->made,
                                                 .signer_key = signature->signer_key,
                                                 .signer_signature = signature->signature};
    csn_err err = csn_enclave_made(enclave, &work->made);
    if (err == CSN_OK) {
        err = csn_evidence_report(&work->batch, platform->producer, platform->state, &subject,
                                  nonces, nonce_count);
    }
    err = err == CSN_OK ? make_all(&work->batch, take, state) : err;
    if (err != CSN_OK) {
        const char *said = work->batch.platform.detail;
        (void)csn_detail_set(detail, err, "%s", said[0] != 0 ? said : csn_err_name(err));
    }
    free(work);
    return err;
}
