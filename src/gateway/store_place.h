/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_place.h: where an enclave keeps things outside, as an operator names it: a folder, and
 * which TPM carries its counters.
 */
#ifndef CSN_GATEWAY_STORE_PLACE_H
#define CSN_GATEWAY_STORE_PLACE_H

#include <caisson/host.h>

struct csn_tpm_link;

struct csn_store_place {
    struct csn_store *store;
    struct csn_tpm_link *link;
};

/*
 * folder NULL: none, and CSN_OK. manifest: of the image that it is for; CSN_ERR_ARGUMENT: it keeps
 * nothing outside. tpm: a TCTI as tss2 has them; NULL: none. CSN_BUSY: another
 * enclave has the folder. Nothing is open after an error.
 */
CSN_MUST_USE csn_err csn_store_place_open(struct csn_store_place *place,
                                          const struct csn_wire_manifest *manifest,
                                          const char *folder, const char *tpm,
                                          struct csn_detail *detail);
void csn_store_place_close(struct csn_store_place *place);

#endif
