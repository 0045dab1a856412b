/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h: the compiled tokenize policy, as it stands in a grant (docs/TOKENIZE.md has the source
 * form and what each setting means).
 *
 * Layout, without gaps: struct csn_wire_policy, domains, fields, steps, with features also struct
 * csn_wire_score, features and categories, then text. Every name and text is a span of the text
 * area; spans may overlap. Numbers that an action does not use are zero, and the enclave refuses
 * the policy otherwise: one meaning has one form. Changes: version 1, first; scores take what was
 * reserved in the head, so an enclave from before refuses them.
 */
#ifndef CAISSON_WIRE_POLICY_H
#define CAISSON_WIRE_POLICY_H

#include <caisson/wire/weights.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_POLICY_MAGIC   UINT32_C(0x504e5343) /* "CSNP" */
#define CSN_WIRE_POLICY_VERSION 1u

#define CSN_WIRE_POLICY_SIZE_MAX         32768u /* bytes, all of it */
#define CSN_WIRE_POLICY_DOMAIN_MAX       16u
#define CSN_WIRE_POLICY_FIELD_MAX        64u
#define CSN_WIRE_POLICY_STEP_MAX         2048u /* of all paths and subjects together */
#define CSN_WIRE_POLICY_PATH_STEPS       16u   /* of one path */
#define CSN_WIRE_POLICY_PATH_SIZE        256u  /* bytes of one path as written */
#define CSN_WIRE_POLICY_TWEAK_SIZE       256u
#define CSN_WIRE_POLICY_ALPHABET_MAX     94u
#define CSN_WIRE_POLICY_FEATURE_MAX      128u
#define CSN_WIRE_POLICY_CATEGORY_MAX     1024u    /* of all features together */
#define CSN_WIRE_POLICY_FEATURE_STEP_MAX 512u     /* of the paths of all features together */
#define CSN_WIRE_POLICY_MEMBER_SIZE      64u      /* bytes of a score's name */
#define CSN_WIRE_POLICY_DOMAIN_SPACE     1000000u /* smallest FPE domain */

/* Actions. A default is one of the first three. */
#define CSN_WIRE_ACTION_DROP    1u
#define CSN_WIRE_ACTION_REDACT  2u
#define CSN_WIRE_ACTION_KEEP    3u
#define CSN_WIRE_ACTION_MASK    4u
#define CSN_WIRE_ACTION_TOKEN   5u
#define CSN_WIRE_ACTION_HASH    6u
#define CSN_WIRE_ACTION_FPE     7u
#define CSN_WIRE_ACTION_ENCRYPT 8u
#define CSN_WIRE_ACTION_SHIFT   9u
#define CSN_WIRE_ACTION_DETECT  10u

/* kinds of a detect field, bits; in the order in which they are tried */
#define CSN_WIRE_DETECT_EMAIL 1u
#define CSN_WIRE_DETECT_IBAN  2u
#define CSN_WIRE_DETECT_CARD  4u
#define CSN_WIRE_DETECT_ID    8u
#define CSN_WIRE_DETECT_PHONE 16u
#define CSN_WIRE_DETECT_ALL   31u

#define CSN_WIRE_STEP_NAME  1u
#define CSN_WIRE_STEP_EVERY 2u /* `[*]`; its name is empty */

#define CSN_WIRE_DOMAIN_NONE 0xffu

struct csn_wire_policy {
    uint32_t magic;
    uint16_t version;
    uint8_t default_action; /* DROP, REDACT or KEEP */
    uint8_t reserved0;      /* zero */
    uint32_t domain_count;
    uint32_t field_count;
    uint32_t step_count;
    uint32_t text_size;      /* bytes */
    uint32_t feature_count;  /* 0: no score */
    uint32_t category_count; /* 0 without features */
};
_Static_assert(sizeof(struct csn_wire_policy) == 32, "size");
_Static_assert(offsetof(struct csn_wire_policy, domain_count) == 8, "offset");
_Static_assert(offsetof(struct csn_wire_policy, text_size) == 20, "offset");

/* A piece of the text area. */
struct csn_wire_span {
    uint32_t offset; /* bytes from the start of the text area; 0 if size is 0 */
    uint32_t size;
};
_Static_assert(sizeof(struct csn_wire_span) == 8, "size");

struct csn_wire_domain {
    struct csn_wire_span name; /* 1..32 bytes of [a-z0-9-] */
    uint32_t version;          /* 1.. */
    uint32_t reserved;
};
_Static_assert(sizeof(struct csn_wire_domain) == 16, "size");

struct csn_wire_step {
    uint32_t kind; /* CSN_WIRE_STEP_* */
    uint32_t reserved;
    struct csn_wire_span name; /* decoded UTF-8 */
};
_Static_assert(sizeof(struct csn_wire_step) == 16, "size");

struct csn_wire_field {
    uint8_t action;
    uint8_t domain;       /* token, hash, fpe, shift, detect with TOKEN: index, else DOMAIN_NONE */
    uint8_t short_action; /* fpe: REDACT, TOKEN, MASK or DROP */
    uint8_t then;         /* detect: REDACT, MASK or TOKEN */
    uint8_t kinds;        /* detect: CSN_WIRE_DETECT_*, at least one */
    uint8_t luhn;         /* fpe: 0 or 1; 1 only with the alphabet "0123456789" */
    uint8_t keep_first;   /* mask, fpe: 0..255, token: 0..8 */
    uint8_t keep_last;
    uint8_t with;        /* mask: printable ASCII, the default '*' written out */
    uint8_t token_size;  /* token: bytes of T, 10..32, the default 12 written out */
    uint16_t days;       /* shift: 180..3650 */
    uint16_t path_first; /* index of its first step */
    uint16_t path_count; /* 1..16 */
    uint16_t subject_first;
    uint16_t subject_count;        /* shift: 1..16, names only */
    uint32_t reserved;             /* zero */
    struct csn_wire_span path;     /* as written: it goes into the fpe tweak; 1..256 bytes */
    struct csn_wire_span prefix;   /* token: 1..16 bytes of [a-z], the default "tok" written out */
    struct csn_wire_span alphabet; /* fpe: its 2..94 characters in order, named ones written out */
    struct csn_wire_span tweak;    /* fpe: at most 256 bytes */
    struct csn_wire_span consumer; /* encrypt: 1..31 bytes, a consumer of the same grant */
};
_Static_assert(sizeof(struct csn_wire_field) == 64, "size");
_Static_assert(offsetof(struct csn_wire_field, days) == 10, "offset");
_Static_assert(offsetof(struct csn_wire_field, path) == 24, "offset");
_Static_assert(offsetof(struct csn_wire_field, consumer) == 56, "offset");

/* The score of a record by a model of boosted trees, as a member of it. */
struct csn_wire_score {
    struct csn_wire_weights_ref model; /* of kind CSN_WIRE_WEIGHTS_TREES */
    /* The member's name: 1..64 of [A-Za-z0-9_-]. There is a field of this one step that drops. */
    struct csn_wire_span name;
    uint32_t output; /* which of the model's */
    uint32_t reserved;
};
_Static_assert(sizeof(struct csn_wire_score) == 88, "size");
_Static_assert(offsetof(struct csn_wire_score, name) == 72, "offset");

/* A feature: the value at a path of names, from the root of the same text. */
struct csn_wire_feature {
    uint16_t path_first; /* index of its first step */
    uint16_t path_count; /* 1..16 */
    uint16_t category_first;
    uint16_t category_count; /* 0: a number */
};
_Static_assert(sizeof(struct csn_wire_feature) == 8, "size");

/* A category is a struct csn_wire_span, of 0..256 bytes; its number is its place in its feature. */

#endif
