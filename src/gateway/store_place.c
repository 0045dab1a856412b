/* SPDX-License-Identifier: Apache-2.0 */
/* store_place.c: see store_place.h. */
#include "store_place.h"
#include "backend/detail.h"
#include <caisson/evidence.h>

csn_err csn_store_place_open(struct csn_store_place *place,
                             const struct csn_wire_manifest *manifest, const char *folder,
                             const char *tpm, struct csn_detail *detail)
{
    *place = (struct csn_store_place){.store = NULL};
    if (folder == NULL) {
        return CSN_OK;
    }
    if ((manifest->flags & CSN_WIRE_FLAG_STORE) == 0) {
        return csn_detail_set(detail, CSN_ERR_ARGUMENT,
                              "the image keeps nothing outside (caisson inspect): leave the store "
                              "out");
    }
    struct csn_store_options options = {.folder = folder};
    char why[200] = "";
    csn_err err = tpm != NULL ? csn_tpm_link_open(tpm, &place->link, why) : CSN_OK;
    if (err != CSN_OK) {
        return csn_detail_set(detail, err, "store: %s", why);
    }
    if (tpm != NULL) {
        options.tpm = csn_tpm_link_carry;
        options.tpm_state = place->link;
    }
    err = csn_store_open(&options, &place->store, detail);
    if (err != CSN_OK) {
        csn_store_place_close(place);
    }
    return err;
}

void csn_store_place_close(struct csn_store_place *place)
{
    csn_store_close(place->store); /* ends its sessions over the link */
    csn_tpm_link_close(place->link);
    *place = (struct csn_store_place){.store = NULL};
}
