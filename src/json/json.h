/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: strict JSON (RFC 8259) into a flat list of nodes, in one pass over the text.
 *
 * Trust:    the text is anybody's, in private memory; every fault has a reason and an offset.
 *           UTF-8 is checked, lone surrogates, NUL, duplicate names (compared decoded) and more
 *           than 64 open containers are refused.
 * Threads:  none of its own. No allocation: the caller brings nodes and two name tables.
 * Time:     depends on the text (its structure, lengths, bytes that need escapes), and with a shape
 *           on the names of the text before. Duplicate names are searched linearly with a seeded
 *           hash: for n names in one object n^2/32 steps.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_JSON_H
#define CSN_JSON_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_JSON_DEPTH_MAX 64u        /* open containers */
#define CSN_JSON_SIZE_MAX  0x1000000u /* bytes of text */

enum csn_json_kind {
    CSN_JSON_NULL,
    CSN_JSON_FALSE,
    CSN_JSON_TRUE,
    CSN_JSON_NUMBER,
    CSN_JSON_STRING,
    CSN_JSON_ARRAY,
    CSN_JSON_OBJECT,
};

#define CSN_JSON_ESCAPED      1u /* flags: the string value has an escape */
#define CSN_JSON_NAME_ESCAPED 2u /* the name has an escape */
#define CSN_JSON_FILLED       4u /* a container with at least one child */
#define CSN_JSON_NAMED        8u /* a member of an object */

/* Offsets are bytes from the start of the text. Children follow their container at once. */
struct csn_json_node {
    uint32_t item;      /* just after the `{`, `[` or `,` before it; root: of the value */
    uint32_t begin;     /* first byte of the value (the quote of a string) */
    uint32_t end;       /* just after the value */
    uint32_t name;      /* members: first byte after the opening quote */
    uint32_t name_size; /* bytes as written, without quotes */
    uint32_t name_hash; /* of the decoded name: csn_json_hash() with the same seed */
    uint32_t next;      /* index of the next sibling (or next text), 0 = none */
    uint8_t kind;       /* enum csn_json_kind */
    uint8_t flags;      /* CSN_JSON_* bits */
    uint8_t depth;      /* open containers around it */
    uint8_t guess;      /* one more than the index of its name in the shape; 0: not known */
};
_Static_assert(sizeof(struct csn_json_node) == 32, "two to a line");

enum csn_json_reason {
    CSN_JSON_OK = 0,
    CSN_JSON_END,        /* the text ends too early */
    CSN_JSON_UNEXPECTED, /* a byte that may not stand here */
    CSN_JSON_LITERAL,    /* almost true, false or null */
    CSN_JSON_BAD_NUMBER,
    CSN_JSON_CONTROL,   /* a byte below 0x20 in a string */
    CSN_JSON_ESCAPE,    /* an unknown or cut escape */
    CSN_JSON_SURROGATE, /* half of a pair */
    CSN_JSON_UTF8,
    CSN_JSON_DUPLICATE, /* the offset is that of the second name */
    CSN_JSON_DEPTH,     /* more than 64 open containers */
    CSN_JSON_TRAILING,  /* something after the text, or two texts without a line feed between */
    CSN_JSON_SPACE,     /* the caller's tables are too small: never after csn_json_bound() */
};

/*
 * The names of a text in their order, learnt while it is scanned: most records are written as the
 * one before, and what is as the shape has it needs no hash and no search. Only names and what is
 * around them, each compared byte by byte before it is believed; a shape never changes a result.
 */
#define CSN_JSON_SHAPE_MAX  40u
#define CSN_JSON_GUESS_SIZE 32u
struct csn_json_guess {
    uint8_t bytes[CSN_JSON_GUESS_SIZE]; /* from the comma or bracket to before the value */
    uint32_t mask;                      /* a bit for each of them that counts */
    uint32_t first;                     /* index of the first member of the object */
    uint32_t hash;                      /* of the name, with the seed of the scan */
    uint8_t size;
    uint8_t name_at;
    uint8_t name_size;
    /* What the caller found out about the name, in a place; UINT16_MAX at first. */
    uint16_t place;
    uint16_t found;
};
struct csn_json_shape {
    uint32_t count; /* 0: nothing was learnt yet */
    struct csn_json_guess guesses[CSN_JSON_SHAPE_MAX];
};

struct csn_json {
    const uint8_t *text;
    uint32_t size;
    bool lines; /* several texts with line feeds between them; else exactly one */
    uint64_t seed;
    /* Room, at least csn_json_bound() each. */
    struct csn_json_node *nodes;
    uint32_t *hashes;
    uint32_t *owners;
    uint32_t node_max;
    struct csn_json_shape *shape; /* or NULL; of texts with the same seed */
    /* Results. */
    uint32_t node_count; /* node 0 is the first text */
    uint32_t offset;     /* of the fault */
};

/* How many nodes a text can have at most; one quick look at the bytes. */
uint32_t csn_json_bound(const uint8_t *text, uint32_t size);

/* text, size (at most CSN_JSON_SIZE_MAX), lines, seed, tables given. */
CSN_MUST_USE enum csn_json_reason csn_json_scan(struct csn_json *json);

/* A short lower-case phrase for a person. */
const char *csn_json_reason_text(enum csn_json_reason reason);

/* 1-based line and column (in bytes) of an offset. */
void csn_json_position(const uint8_t *text, uint32_t offset, uint32_t *line, uint32_t *column);

/* First child of a container, 0 = none. */
static inline uint32_t csn_json_child(const struct csn_json_node *nodes, uint32_t index)
{
    return (nodes[index].flags & CSN_JSON_FILLED) != 0 ? index + 1 : 0;
}

uint32_t csn_json_hash(uint64_t seed, const uint8_t *bytes, uint32_t size);

/*
 * Decodes what stands between the quotes of a string that csn_json_scan() accepted. target has
 * room for size bytes (decoding never grows a text). Returns the decoded size.
 */
uint32_t csn_json_decode(const uint8_t *source, uint32_t size, uint8_t *target);

/* True if the string between the quotes, decoded, is these bytes. */
bool csn_json_equal(const uint8_t *source, uint32_t source_size, const uint8_t *bytes,
                    uint32_t size);

/*
 * Writes bytes as the inside of a JSON string with the escapes of docs/TOKENIZE.md section 3.
 * Returns the size needed; nothing is written beyond target_max (6 * size is always enough).
 */
uint32_t csn_json_encode(const uint8_t *bytes, uint32_t size, uint8_t *target, uint32_t target_max);

#endif
