/* SPDX-License-Identifier: Apache-2.0 */
/* enclave.c: csn_enclave_create(): options and image are checked, a backend is chosen. */
#include "enclave.h"
#include "../backend/detail.h"
#include "../image/image.h"
#include <string.h>

/* The named backend, or for "auto" the first that works here. */
static csn_err choose(const char *name, const struct csn_backend **chosen,
                      struct csn_detail *detail)
{
    bool automatic = name == NULL || strcmp(name, "auto") == 0;
    struct csn_detail first = {""};
    for (uint32_t i = 0; csn_backends[i] != NULL; i++) {
        const struct csn_backend *backend = csn_backends[i];
        if (!automatic && strcmp(name, backend->name) != 0) {
            continue;
        }
        struct csn_detail probed = {""};
        csn_err result = backend->probe(&probed);
        if (result == CSN_OK) {
            *chosen = backend;
            return CSN_OK;
        }
        if (!automatic) {
            return csn_detail_set(detail, result, "%s: %s", name, probed.text);
        }
        if (first.text[0] == '\0') {
            first = probed;
        }
    }
    if (!automatic) {
        return csn_detail_set(detail, CSN_ERR_ARGUMENT, "there is no backend named \"%.32s\"",
                              name);
    }
    return csn_detail_set(detail, CSN_ERR_MISSING, "no backend works here: %s", first.text);
}

csn_err csn_enclave_create(const struct csn_enclave_options *options, struct csn_enclave **enclave,
                           struct csn_detail *detail)
{
    if (enclave == NULL || options == NULL || options->image == NULL) {
        return csn_detail_set(detail, CSN_ERR_ARGUMENT, "options, image and enclave are needed");
    }
    *enclave = NULL;
    struct csn_image image;
    struct csn_image_fault fault = {.what = "", .where = 0};
    csn_err result = csn_image_parse(options->image, options->image_size, &image, &fault);
    if (result != CSN_OK) {
        return csn_detail_set(detail, result, "image: %s at offset %llu", fault.what,
                              (unsigned long long)fault.where);
    }
    const struct csn_backend *backend = NULL;
    CSN_TRY(choose(options->backend, &backend, detail));
    return csn_host_build(backend, options, &image.manifest, enclave, detail);
}
