/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signed_image.h: what an enclave is started from: an image file, measured, and the detached
 * signature that is about it.
 */
#ifndef CSN_GATEWAY_SIGNED_IMAGE_H
#define CSN_GATEWAY_SIGNED_IMAGE_H

#include "image/image.h"
#include <caisson/host.h>
#include <stddef.h>
#include <stdint.h>

struct csn_signed_image {
    uint8_t *bytes; /* malloc'd */
    size_t size;
    struct csn_image image; /* its manifest, above all */
    uint8_t measurement[48];
    struct csn_wire_signature signature;
};

/*
 * CSN_ERR_SYSTEM: a file cannot be read; CSN_ERR_FORMAT: the image; CSN_ERR_AUTH: the signature is
 * none, or of something else. On an error nothing is to be freed.
 */
CSN_MUST_USE csn_err csn_signed_image_read(const char *image_path, const char *signature_path,
                                           struct csn_signed_image *image,
                                           struct csn_detail *detail);
void csn_signed_image_free(struct csn_signed_image *image);

/* CSN_PROTECT_* by its name ("own-uid"), or 0. */
uint32_t csn_protection(const char *name, size_t size);

#endif
