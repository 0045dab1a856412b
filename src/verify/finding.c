/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c: the catalogue of checks, and how one becomes a line of a verdict. */
#include "verdict.h"
#include <stdio.h>
#include <string.h>

struct entry {
    const char *id;
    const char *claim;
    const char *why;
    const char *todo;
};

/* One row per id; docs/verify/ has a page for each (a test compares the two). */
static const struct entry catalogue[] = {
    {"policy.allows", "the policy allows something",
     "an empty policy names no code to trust, so it can accept nothing",
     "list a measurement or a signer"},
    {"evidence.framing", "the bundle is well formed", "bytes that do not parse prove nothing",
     "fetch the evidence again; check its version"},
    {"evidence.type", "the kind of evidence is accepted",
     "software evidence comes from a key in a file: whoever holds the file can forge it",
     "demand hardware evidence, or say --insecure-dev on a development machine"},
    {"evidence.digest", "libcrypto could hash the claims",
     "without the digest nothing can be compared", "check the libcrypto installation"},
    {"platform.root", "the platform key is one that the policy names",
     "a signature counts only from a root that you chose",
     "give the development root's public key, or find out whose evidence this is"},
    {"platform.signature", "the platform signed exactly these claims",
     "this is what ties keys, nonce and code together", "treat the evidence as forged or damaged"},
    {"nonce.fresh", "the nonce is the one asked for",
     "old evidence may describe a machine whose keys have leaked since",
     "ask again with a new random nonce"},
    {"nonce.path", "the nonce is under the signed root",
     "otherwise the host could attach any nonce to an old report", "treat the evidence as forged"},
    {"image.debug", "the image is a release build", "debug images may show their memory",
     "build and sign a release image"},
    {"image.debug-agrees", "the debug claim agrees with the signed image flags",
     "two words for one fact must not differ", "treat the evidence as forged"},
    {"image.signature", "the signer signed this image",
     "the signer id counts only with the signature that the verifier checks itself",
     "sign the image with `caisson sign` and attach that signature"},
    {"image.measurement", "the image's measurement is listed",
     "the measurement is the code: another value is other code",
     "compare with `caisson measure IMAGE` of an image that you built"},
    {"image.signer", "the signer is listed", "only signers that you named may bring new images",
     "add the signer, or refuse the image"},
    {"image.security-version", "the security version is at least the signer's minimum",
     "older versions have known faults", "run a newer image"},
    {"backend.gate", "the gate page is listed",
     "the gate is the launcher's only code inside the enclave",
     "compare with `caisson doctor` of the release that you trust"},
    {"abi.version", "the ABI version is known",
     "another version may mean another layout of everything else", "update the verifier"},
    {"keys.instance", "exactly one instance key is listed, first", "grants are sealed to it",
     "treat the evidence as forged"},
    {"keys.suite", "every key is of a known suite and purpose",
     "a key of another kind must not be used as this one", "update the verifier"},
};

static const struct entry *find(const char *id)
{
    for (size_t i = 0; i < sizeof catalogue / sizeof catalogue[0]; i++) {
        if (strcmp(catalogue[i].id, id) == 0) {
            return &catalogue[i];
        }
    }
    return NULL;
}

bool csv_note(struct csv_verdict *verdict, const char *id, enum csv_outcome outcome,
              const char *expected, const char *got)
{
    const struct entry *entry = find(id);
    if (entry == NULL || verdict->finding_count == CSV_FINDING_COUNT_MAX) {
        verdict->result = CSV_INVALID; /* our own bug: fail closed */
        return false;
    }
    struct csv_finding *finding = &verdict->findings[verdict->finding_count++];
    *finding = (struct csv_finding){.id = entry->id,
                                    .outcome = outcome,
                                    .claim = entry->claim,
                                    .why = entry->why,
                                    .todo = entry->todo};
    snprintf(finding->expected, sizeof finding->expected, "%s", expected);
    snprintf(finding->got, sizeof finding->got, "%s", got);
    if (outcome == CSV_FAILED) {
        verdict->result = CSV_INVALID;
    } else if (outcome == CSV_MISSING && verdict->result == CSV_VERIFIED) {
        verdict->result = CSV_COULD_NOT_VERIFY;
    }
    return outcome == CSV_PASSED;
}

static void hex(char target[97], const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t shown = size < 48 ? size : 48;
    for (size_t i = 0; i < shown; i++) {
        target[2 * i] = digits[bytes[i] >> 4];
        target[2 * i + 1] = digits[bytes[i] & 15];
    }
    target[2 * shown] = 0;
}

bool csv_note_bytes(struct csv_verdict *verdict, const char *id, bool passed,
                    const uint8_t *expected, const uint8_t *got, size_t size)
{
    char expected_text[97] = "one that the policy lists";
    char got_text[97];
    if (expected != NULL) {
        hex(expected_text, expected, size);
    }
    hex(got_text, got, size);
    return csv_note(verdict, id, passed ? CSV_PASSED : CSV_FAILED, expected_text, got_text);
}
