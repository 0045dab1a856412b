/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule.h: what one key of a policy file can say about one claim.
 *
 * Each format has a table of rules. The parser knows keys and values from it, the check compares
 * with claims by it, `policy init` writes it, docs/POLICY.md lists it (a test compares), and the
 * test of every field, alone and in pairs, walks it. A rule without a claim is judged by its
 * format's own code.
 */
#ifndef CSV_VERIFY_RULE_H
#define CSV_VERIFY_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum csv_rule_kind {
    CSV_RULE_BYTES,   /* list of hex strings: the claim is one of them */
    CSV_RULE_DENY,    /* list of hex strings: the claim is none of them */
    CSV_RULE_TEXT,    /* list of strings: the claim, or each text of a list, is one of them */
    CSV_RULE_NUMBER,  /* list of integers: the claim is one of them */
    CSV_RULE_MINIMUM, /* one integer: the claim is at least that */
    CSV_RULE_MAXIMUM, /* one integer: the claim is at most that */
    CSV_RULE_BITS,    /* one integer: the claim has all its bits */
    CSV_RULE_VERSION, /* one text "1.55.29": the claim, a text too, is at least that version */
    CSV_RULE_FLAG,    /* "required", "forbidden" or "any": the bits of mask in the claim */
    CSV_RULE_SWITCH,  /* true or false; judged by code */
};

/* What holds where the policy says nothing. */
enum csv_rule_silence {
    CSV_SILENCE_REFUSES,  /* whatever the claim is */
    CSV_SILENCE_ZERO,     /* all but zero is refused (an empty text or list counts as zero) */
    CSV_SILENCE_ALLOWS,   /* the claim tells nothing that a relying party must decide */
    CSV_SILENCE_REQUIRES, /* flags: all bits of mask must be set */
};

struct csv_rule {
    const char *key;     /* within its section; may have dots */
    const char *claim;   /* by its name in the case's group; NULL: judged by the format's code */
    const char *finding; /* id */
    uint8_t kind;
    uint8_t silence;
    uint16_t size;    /* BYTES, DENY: bytes of a value; 0: any */
    bool single;      /* TEXT: one string, not a list */
    bool optional;    /* evidence without the claim passes even where the policy has a line */
    const char *init; /* claim that `policy init` writes, where `claim` is NULL; NULL: no line */
    uint64_t mask;    /* FLAG */
    /* enum csv_part_kind that the claim is read from, if that is not the evidence itself: where it
     * was not supplied, the rule could not be checked. 0: the evidence. */
    uint32_t part;
    /* Checks a text value when the policy is read; false with *why. NULL: any text. */
    bool (*valid)(const char *text, const char **why);
};

#endif
