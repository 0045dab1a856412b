/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot.h: the boot region, through which launcher and enclave speak at start and for reports.
 *
 * It is private to the two of them (on real TEEs: private memory); the untrusted host and its
 * rings never reach it. The launcher fills `given` before the first instruction of the image runs;
 * the enclave reads it once, and writes only `made` and `stats`. Nothing in `given` decides
 * anything but speed and names, because the launcher's word is worth what its measurement is.
 */
#ifndef CAISSON_WIRE_BOOT_H
#define CAISSON_WIRE_BOOT_H

#include <caisson/wire/map.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_BACKEND_PROCESS UINT32_C(1)
#define CSN_WIRE_BACKEND_KVM     UINT32_C(2)

/* features: used only to pick faster kernels, each of which passes a known-answer test first */
#define CSN_WIRE_FEATURE_SHA        UINT64_C(1) /* SHA-NI */
#define CSN_WIRE_FEATURE_AVX2       UINT64_C(2)
#define CSN_WIRE_FEATURE_VAES       UINT64_C(4)
#define CSN_WIRE_FEATURE_VPCLMULQDQ UINT64_C(8)
#define CSN_WIRE_FEATURE_BMI2       UINT64_C(16) /* BMI2 */
#define CSN_WIRE_FEATURE_ADX        UINT64_C(32)
#define CSN_WIRE_FEATURE_AVX512     UINT64_C(64)  /* F, BW and VL, and the state is saved */
#define CSN_WIRE_FEATURE_FMA        UINT64_C(128) /* and F16C */
#define CSN_WIRE_FEATURE_VNNI       UINT64_C(256) /* AVX-512 VNNI and DQ */

/* made.state, written with release after the fields it covers */
#define CSN_WIRE_STATE_BLANK   UINT32_C(0)
#define CSN_WIRE_STATE_SERVING UINT32_C(1) /* keys made by tested code, rings open */
#define CSN_WIRE_STATE_REFUSED UINT32_C(2) /* serves nothing; stop_code says why */

#define CSN_WIRE_BOOT_KEY_COUNT_MAX 512u
#define CSN_WIRE_OHTTP_KEYS_SIZE    60u /* room; 51 are used */

/* purpose of a public key in the evidence list */
#define CSN_WIRE_KEY_INSTANCE  UINT32_C(1)
#define CSN_WIRE_KEY_RECIPIENT UINT32_C(2)
#define CSN_WIRE_KEY_OHTTP     UINT32_C(3) /* public_key: SHA-256 of the bytes in ohttp_keys[] */
#define CSN_WIRE_KEY_STATEMENT UINT32_C(4) /* Ed25519: signs statements (vouch.h) */
#define CSN_WIRE_KEY_CLAIM     UINT32_C(5) /* no key: a claim of that tenant's grant (claim.h) */

struct csn_wire_boot_given {
    uint32_t abi_version;
    uint32_t backend;
    uint64_t features;
    uint8_t measurement[48]; /* what the launcher measured; checked by grants, see WIRE.md */
    uint8_t reserved[64];
};

struct csn_wire_boot_key {
    uint32_t purpose;
    uint32_t suite;         /* CSN_WIRE_SUITE; of a claim its label */
    uint8_t tenant[32];     /* zero for the keys of the instance */
    uint8_t public_key[32]; /* of a claim its bytes */
};

struct csn_wire_boot_made {
    uint32_t state;
    uint32_t stop_code;   /* enum cse_stop, 0 while serving */
    uint32_t key_count;   /* entries valid in keys[] */
    uint32_t key_version; /* even when keys[] is stable; odd while it changes */
    uint8_t boot_id[16];
    uint8_t config_digest[32]; /* SHA-256 over what changes by grants: see WIRE.md */
    /*
     * application/ohttp-keys (RFC 9458, section 3) with this instance's one key, for all clients
     * the same; made at start. Size 0: the image takes no requests.
     */
    uint32_t ohttp_keys_size; /* bytes */
    uint8_t ohttp_keys[CSN_WIRE_OHTTP_KEYS_SIZE];
    struct csn_wire_boot_key keys[CSN_WIRE_BOOT_KEY_COUNT_MAX];
};

/* One line per worker; counters only rise. Each is written by that worker alone. */
struct csn_wire_boot_stats {
    uint64_t inputs;             /* ring messages taken */
    uint64_t outputs;            /* ring messages published */
    uint64_t records_served;     /* that authenticated, whatever the sealed answer says */
    uint64_t records_refused;    /* before that: what their codes say as well */
    uint64_t parks;              /* gate calls to wait */
    uint64_t parks_with_credit;  /* of those, while input and output credit were there: must be 0 */
    uint64_t wakes;              /* gate calls to wake the host */
    uint64_t carves;             /* pool carves so far: constant in steady state */
    uint64_t pool_used;          /* bytes */
    uint64_t scratch_high_water; /* bytes */
    uint64_t stack_high_water;   /* bytes, from the painted stack */
    uint64_t poisoned;           /* channels */
    uint64_t wakes_with_work;    /* of the wakes, while input and output credit were there */
    uint64_t reserved[3];
};

struct csn_wire_boot {
    struct csn_wire_boot_given given;
    struct csn_wire_boot_made made;
    struct csn_wire_boot_stats stats[CSN_MAP_WORKER_COUNT_MAX];
};

_Static_assert(sizeof(struct csn_wire_boot_given) == 128, "size");
_Static_assert(sizeof(struct csn_wire_boot_key) == 72, "size");
_Static_assert(sizeof(struct csn_wire_boot_stats) == 128, "size");
_Static_assert(sizeof(struct csn_wire_boot) <= CSN_MAP_BOOT_SIZE, "fits the region");

#endif
