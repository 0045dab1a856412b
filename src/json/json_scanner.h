/* SPDX-License-Identifier: Apache-2.0 */
/* json_scanner.h: the state of a scan, shared by its two files. */
#ifndef CSN_JSON_SCANNER_H
#define CSN_JSON_SCANNER_H

#include "json_text.h"
#include <emmintrin.h>

#define JSON_NONE       UINT32_MAX
#define JSON_SHORT_SIZE 32u

/* An open container. */
struct json_frame {
    uint64_t seen; /* a bit per 6 bits of a hash: most names are new at once */
    uint32_t open; /* its node */
    uint32_t names_from;
    uint32_t last;  /* node of the child before; JSON_NONE: there was none */
    uint32_t first; /* scanner.guess at its first member */
    uint32_t depth; /* where it stands in the table */
};

struct json_scanner {
    struct csn_json *json;
    const uint8_t *text;
    uint32_t size;
    uint32_t at;
    uint32_t depth;      /* open containers */
    uint32_t name_count; /* names of all open objects, innermost last */
    uint32_t
        guess; /* of the shape: what the next member could be; JSON_NONE: not as the shape at all */
    struct json_frame frames[CSN_JSON_DEPTH_MAX + 1]; /* by depth; of the first only `last` */
};

static inline void json_skip_space(struct json_scanner *scanner)
{
    uint32_t at = scanner->at;
    while (at < scanner->size && scanner->text[at] <= 0x20 &&
           (scanner->text[at] == ' ' || scanner->text[at] == '\n' || scanner->text[at] == '\r' ||
            scanner->text[at] == '\t')) {
        at++;
    }
    scanner->at = at;
}

/* 0xff where a byte of a string is to be looked at closer: an escape, a control, not ASCII. */
static inline __m128i json_special(__m128i bytes)
{
    /* Signed: bytes from 0x80 up count as below 0x20, which is what is wanted. */
    return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                        _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
}

/* The value at the current byte; a container is only opened. node is filled in but its end. */
enum csn_json_reason csn_json_begin_value(struct json_scanner *scanner, struct csn_json_node *node,
                                          uint32_t index);

/* ---- json_known.c: only with a shape, and where scanner.guess is not JSON_NONE ---- */
/* The member of this node, found by other ways, is what the shape has there from now on. */
void csn_json_learn(struct json_scanner *scanner, struct csn_json_node *node);
/*
 * Inside an object: members that are written as the shape has them, with any value, and the ends of
 * their objects. Ends with the current byte just before what is different (nothing was done with
 * it). False: a fault, or what is open now is not known to be an object.
 */
bool csn_json_known(struct json_scanner *scanner, enum csn_json_reason *reason);

#endif
