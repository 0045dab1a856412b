/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutant.h: numbered safety checks, so that tests can seed the bug "this check is missing".
 *
 * CSN_CHECK(number, holds) is `holds` in every build but the test library enclave_mutant, which is
 * compiled with -DCSN_MUTANTS; there the variable csn_mutant names the one check that always holds.
 */
#ifndef CSE_ENCLAVE_MUTANT_H
#define CSE_ENCLAVE_MUTANT_H

enum cse_check {
    CSE_CHECK_NONE = 0,
    CSE_CHECK_TENANT,         /* the grant's signer speaks for this tenant */
    CSE_CHECK_DELEGATION,     /* the root signed the delegation */
    CSE_CHECK_DELEGATE_LIMIT, /* version and purpose within what was delegated */
    CSE_CHECK_GRANT_SIGNATURE,
    CSE_CHECK_GRANT_VERSION,  /* only rises */
    CSE_CHECK_GRANT_INSTANCE, /* instance key and boot id are ours */
    CSE_CHECK_GRANT_IMAGE,    /* measurement and security version */
    CSE_CHECK_SINGLE_TENANT,
    CSE_CHECK_COMMITMENT,
    CSE_CHECK_TAG,
    CSE_CHECK_DIRECTION,
    CSE_CHECK_SUITE,
    CSE_CHECK_KEY_ID,
    CSE_CHECK_FLOOR,     /* lowest grant version accepted */
    CSE_CHECK_MODE,      /* idempotent only where handlers are deterministic */
    CSE_CHECK_CHALLENGE, /* issued by this worker, and not before the grant in force */
    CSE_CHECK_WINDOW,    /* not seen before */
    CSE_CHECK_OPEN_BUDGET,
    CSE_CHECK_INSERT_AFTER, /* contexts enter the cache only after a record authenticated */
    CSE_CHECK_RIGHTS,
    CSE_CHECK_PURPOSE,
    CSE_CHECK_GRANT_PURPOSE, /* a grant for one purpose serves that one */
    CSE_CHECK_BUDGET,
    CSE_CHECK_BUDGET_KEPT, /* what was used stays used over re-grants */
    CSE_CHECK_PADDING,
    CSE_CHECK_WIPE,       /* no residue of a record in the batch buffers */
    CSE_CHECK_SAME_CLASS, /* a refusal is as long as an answer */
    CSE_CHECK_SAME_COUNT, /* counters that the host reads do not tell one from the other */
    CSE_CHECK_SALT_LIMIT, /* a new salt at least every 2^20 outputs */
    CSE_CHECK_COMPLETE,   /* what handlers put off is done before it is sealed */
    CSE_CHECK_PLACE,      /* a sealed value goes back to the field that it came from */
    CSE_CHECK_COUNT,
};

#ifdef CSN_MUTANTS
extern unsigned csn_mutant;
#define CSN_CHECK(number, holds) ((holds) || csn_mutant == (unsigned)(number))
#else
#define CSN_CHECK(number, holds) (holds)
#endif

#endif
