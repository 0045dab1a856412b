/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature.c: the detached signature over a measurement. Hosted only.
 *
 * It says who stands for an image and from which security version on; the image itself does not
 * change by being signed.
 */
#include "../core/bytes.h"
#include "../crypto/curve.h"
#include "image.h"

static const char signature_label[] = "caisson-signature-v1";

#define SIGNATURE_LABEL_SIZE  (sizeof signature_label - 1)
#define SIGNATURE_FIELDS_SIZE offsetof(struct csn_wire_signature, signature)

struct signed_text {
    uint8_t bytes[SIGNATURE_LABEL_SIZE + SIGNATURE_FIELDS_SIZE];
};

static void signed_text_make(struct signed_text *text, const struct csn_wire_signature *signature)
{
    __builtin_memcpy(text->bytes, signature_label, SIGNATURE_LABEL_SIZE);
    __builtin_memcpy(text->bytes + SIGNATURE_LABEL_SIZE, signature, SIGNATURE_FIELDS_SIZE);
}

void csn_signature_make(struct csn_wire_signature *signature, const struct csn_image *image,
                        const uint8_t measurement[48], const uint8_t seed[32])
{
    struct signed_text text;
    *signature = (struct csn_wire_signature){
        .magic = CSN_WIRE_SIGNATURE_MAGIC,
        .version = CSN_WIRE_SIGNATURE_VERSION,
        .security_version = image->manifest.security_version,
        .flags = image->manifest.flags,
    };
    __builtin_memcpy(signature->measurement, measurement, sizeof signature->measurement);
    __builtin_memcpy(signature->name, image->manifest.name, sizeof signature->name);
    csn_ed25519_public(signature->signer_key, seed);
    signed_text_make(&text, signature);
    csn_ed25519_sign(signature->signature, text.bytes, sizeof text.bytes, seed);
}

csn_err csn_signature_verify(const struct csn_wire_signature *signature, size_t size)
{
    struct signed_text text;
    if (size != sizeof *signature || signature->magic != CSN_WIRE_SIGNATURE_MAGIC ||
        signature->version != CSN_WIRE_SIGNATURE_VERSION) {
        return CSN_ERR_FORMAT;
    }
    signed_text_make(&text, signature);
    return csn_ed25519_verify(signature->signature, text.bytes, sizeof text.bytes,
                              signature->signer_key);
}

csn_err csn_signature_match(const struct csn_wire_signature *signature,
                            const struct csn_image *image, const uint8_t measurement[48])
{
    if (!csn_equal_ct(signature->measurement, measurement, sizeof signature->measurement) ||
        !csn_equal_ct(signature->name, image->manifest.name, sizeof signature->name) ||
        signature->security_version != image->manifest.security_version ||
        signature->flags != image->manifest.flags) {
        return CSN_ERR_AUTH;
    }
    return CSN_OK;
}
