/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h: Caisson's own evidence bundle, wrapped around a platform's (docs/WIRE.md, 14).
 *
 * struct csn_wire_evidence, then path_depth * 32 bytes of Merkle siblings (leaf first), then
 * key_count * 72 bytes of struct csn_wire_boot_key, then platform_size bytes; nothing after that.
 *
 * report data = SHA-512 over "caisson-evidence-v1" and, each with its length in front (u32
 * little-endian), in this order: nonce root; ABI version; backend id | gate hash; evidence type;
 * debug flag; measurement; signer key; security version; boot id; SHA-256 over the key entries as
 * they stand; configuration digest. Integers as u32 little-endian.
 *
 * nonce root: leaf = SHA-256(0x00 | nonce), node = SHA-256(0x01 | left | right); bit d of
 * leaf_index says whether the node at depth d (0 = leaf) is a right child. Leaves beyond the last
 * nonce are 32 zero bytes.
 *
 * Integers are little-endian. Changes: version 1, first.
 */
#ifndef CAISSON_WIRE_EVIDENCE_H
#define CAISSON_WIRE_EVIDENCE_H

#include <caisson/wire/boot.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_EVIDENCE_MAGIC      UINT32_C(0x454e5343) /* "CSNE" */
#define CSN_WIRE_EVIDENCE_VERSION    UINT32_C(1)
#define CSN_WIRE_EVIDENCE_SIZE_MAX   UINT32_C(262144)
#define CSN_WIRE_EVIDENCE_DEPTH_MAX  16u
#define CSN_WIRE_EVIDENCE_NONCE_SIZE 32u

/* type: who vouches for the report data; but for the first, the numbers of enum csv_format_id */
#define CSN_WIRE_EVIDENCE_SOFTWARE  UINT32_C(1) /* insecure: a key in a file, for development */
#define CSN_WIRE_EVIDENCE_SNP       UINT32_C(2)
#define CSN_WIRE_EVIDENCE_TDX       UINT32_C(3)
#define CSN_WIRE_EVIDENCE_NITRO     UINT32_C(5)
#define CSN_WIRE_EVIDENCE_CCA       UINT32_C(6)
#define CSN_WIRE_EVIDENCE_AZURE_SNP UINT32_C(7)
#define CSN_WIRE_EVIDENCE_AZURE_TDX UINT32_C(8)
#define CSN_WIRE_EVIDENCE_TPM       UINT32_C(10)

struct csn_wire_evidence {
    uint32_t magic;
    uint32_t version;
    uint32_t type;
    uint32_t abi_version;
    uint32_t backend; /* CSN_WIRE_BACKEND_* */
    uint32_t debug;   /* 0 or 1 */
    uint32_t security_version;
    uint32_t leaf_index;
    uint32_t path_depth;
    uint32_t key_count;
    uint32_t platform_size; /* bytes */
    uint32_t reserved;      /* zero */
    uint8_t gate_hash[32];
    uint8_t measurement[48];
    uint8_t signer_key[32];       /* Ed25519 */
    uint8_t signer_signature[64]; /* of the detached image signature (struct csn_wire_signature) */
    char name[32];                /* the image's, covered by the signer's signature */
    uint32_t image_flags;         /* the manifest's, covered by the signer's signature */
    uint32_t reserved2;           /* zero */
    uint8_t boot_id[16];
    uint8_t config_digest[32];
    uint8_t nonce_root[32];
    uint8_t nonce[32];
};
_Static_assert(sizeof(struct csn_wire_evidence) == 376, "size");
_Static_assert(offsetof(struct csn_wire_evidence, gate_hash) == 48, "offset");
_Static_assert(offsetof(struct csn_wire_evidence, signer_key) == 128, "offset");
_Static_assert(offsetof(struct csn_wire_evidence, name) == 224, "offset");
_Static_assert(offsetof(struct csn_wire_evidence, boot_id) == 264, "offset");
_Static_assert(offsetof(struct csn_wire_evidence, nonce) == 344, "offset");

/* platform part of type software: signature over "caisson-software-evidence-v1" | report data */
struct csn_wire_evidence_software {
    uint8_t root_key[32]; /* Ed25519 */
    uint8_t signature[64];
};
_Static_assert(sizeof(struct csn_wire_evidence_software) == 96, "size");

/*
 * platform part of every other type: one or more parts, each this head and then size bytes, without
 * padding: the platform's evidence (kind 1), once, and certificates and the like that the host had
 * at hand. None of them is trusted for having come along.
 */
struct csn_wire_evidence_part {
    uint32_t kind; /* enum csv_part_kind */
    uint32_t size; /* bytes that follow */
};
_Static_assert(sizeof(struct csn_wire_evidence_part) == 8, "size");

#endif
