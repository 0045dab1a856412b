/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h: reading, checking and measuring an enclave image.
 *
 * Trust:    the ELF bytes are hostile; the loader copies them to private memory first.
 * Threads:  pure functions. No allocation.
 * Builds:   hosted (libcaisson) and freestanding (the launcher stub), same source.
 */
#ifndef CSN_IMAGE_IMAGE_H
#define CSN_IMAGE_IMAGE_H

#include <caisson/base.h>
#include <caisson/wire/manifest.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_IMAGE_SEGMENT_COUNT_MAX 8u

#define CSN_IMAGE_READ    UINT32_C(4) /* ELF's own PF_ bits */
#define CSN_IMAGE_WRITE   UINT32_C(2)
#define CSN_IMAGE_EXECUTE UINT32_C(1)

struct csn_image_segment {
    uint64_t address;     /* page aligned */
    uint64_t memory_size; /* bytes, rounded up to pages by who maps it */
    uint64_t file_offset;
    uint64_t file_size;   /* bytes; the rest up to memory_size is zero */
    uint32_t permissions; /* CSN_IMAGE_* */
};

struct csn_image {
    struct csn_wire_manifest manifest;
    uint64_t entry;
    uint32_t segment_count; /* sorted by address */
    struct csn_image_segment segments[CSN_IMAGE_SEGMENT_COUNT_MAX];
};

/* Where a refusal happened; static text. */
struct csn_image_fault {
    const char *what;
    uint64_t where; /* offset in the file */
};

/* CSN_OK, or CSN_ERR_FORMAT with fault (may be NULL) filled; image untouched then. */
CSN_MUST_USE csn_err csn_image_parse(const void *bytes, size_t size, struct csn_image *image,
                                     struct csn_image_fault *fault);
/* Manifest rules alone (limits, power-of-two rings, sums that fit): CSN_OK or CSN_ERR_FORMAT. */
CSN_MUST_USE csn_err csn_manifest_check(const struct csn_wire_manifest *manifest,
                                        struct csn_image_fault *fault);

/*
 * SHA-384 over "caisson-image-v1" and, length-prefixed (u64 little-endian) and in order: ABI
 * version, manifest bytes, entry, segment count, and for each segment address, memory size,
 * permissions, bytes as they lie in memory (memory_size bytes). memory(state, segment) returns
 * where the segment's private copy lies, so that what is measured is what runs.
 */
typedef const uint8_t *(*csn_image_memory)(void *state, const struct csn_image_segment *segment);
void csn_image_measure(const struct csn_image *image, csn_image_memory memory, void *state,
                       uint8_t measurement[48]);
/* The same from the ELF bytes (for `caisson measure`): equal to what a loader measures. */
CSN_MUST_USE csn_err csn_image_measure_file(const void *bytes, size_t size, struct csn_image *image,
                                            uint8_t measurement[48], struct csn_image_fault *fault);

/* ---- detached signature (hosted) ---- */

struct csn_wire_signature {
    uint32_t magic;   /* "CSNS" */
    uint32_t version; /* 1 */
    uint8_t measurement[48];
    uint8_t signer_key[32]; /* Ed25519; the signer id is this key */
    uint32_t security_version;
    uint32_t flags; /* the manifest's */
    char name[CSN_WIRE_NAME_SIZE];
    uint8_t signature[64]; /* over "caisson-signature-v1" | all fields before it */
};
_Static_assert(sizeof(struct csn_wire_signature) == 192, "size");

#define CSN_WIRE_SIGNATURE_MAGIC   UINT32_C(0x534e5343) /* "CSNS" */
#define CSN_WIRE_SIGNATURE_VERSION UINT32_C(1)

/* Sign a measured image with the Ed25519 seed of the signer. */
void csn_signature_make(struct csn_wire_signature *signature, const struct csn_image *image,
                        const uint8_t measurement[48], const uint8_t seed[32]);
/*
 * The signature is genuine: its signer_key signed its fields. CSN_ERR_FORMAT: size, magic or
 * version; CSN_ERR_AUTH. Whether that signer counts is the caller's policy.
 */
CSN_MUST_USE csn_err csn_signature_verify(const struct csn_wire_signature *signature, size_t size);
/* A genuine signature is about this image: measurement, name, version, flags; or CSN_ERR_AUTH. */
CSN_MUST_USE csn_err csn_signature_match(const struct csn_wire_signature *signature,
                                         const struct csn_image *image,
                                         const uint8_t measurement[48]);

#endif
