/* SPDX-License-Identifier: Apache-2.0 */
/* caisson_rules.c: see caisson_rules.h. */
#include "verify/caisson/caisson_rules.h"
#include "verify/caisson/bundle.h"
#include "verify/caisson/service_claims.h"
#include "verify/text.h"
#include <string.h>

static bool is_platform(const char *text, const char **why)
{
    const struct csv_format *format = csv_format(csv_format_number(text));
    *why = "\"software\" or a platform that can launch is expected";
    return strcmp(text, "software") == 0 || (format != NULL && format->launch_claims != NULL);
}

static bool is_signer(const char *text, const char **why)
{
    uint8_t key[32];
    uint64_t minimum = 0;
    *why = "\"HEX\" or \"HEX:MINIMUM\" is expected: 64 hex digits, security version";
    return strlen(text) >= 64 && csv_hex_read(text, 64, key) &&
           (text[64] == 0 ||
            (text[64] == ':' && csv_number_read(text + 65, &minimum) && minimum <= UINT32_MAX));
}

const struct csv_rule csv_caisson_rules[CSV_CAISSON_RULE_COUNT] = {
    {.key = "platforms", .kind = CSV_RULE_TEXT, .valid = is_platform, .init = "type"},
    {.key = "insecure_dev", .kind = CSV_RULE_SWITCH, .init = "is_software"},
    {.key = "software_roots", .kind = CSV_RULE_BYTES, .size = 32, .init = "software_root"},
    {.key = "launchers", .kind = CSV_RULE_TEXT, .valid = csv_launcher_valid, .init = "launcher"},
    {.key = "signers", .kind = CSV_RULE_TEXT, .valid = is_signer, .init = "signer_minimum"},
    {.key = "measurements",
     .claim = "measurement",
     .finding = "image.measurement",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 48},
    {.key = "debug",
     .claim = "debug_any",
     .finding = "image.debug",
     .kind = CSV_RULE_FLAG,
     .mask = 1},
    {.key = "gates",
     .claim = "gate",
     .finding = "backend.gate",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 32},
    {.key = "claims",
     .kind = CSV_RULE_TEXT,
     .valid = csv_service_claim_valid,
     .init = "service_claims"},
};

const struct csv_entry csv_caisson_entries[CSV_CAISSON_ENTRY_COUNT] = {
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
    {"nonce.path", "the nonce is under the signed root",
     "otherwise the host could attach any nonce to an old report", "treat the evidence as forged"},
    {"platform.framing", "the platform's part is well formed",
     "bytes that do not parse prove nothing", "fetch the evidence again; check its version"},
    {"platform.launcher", "the platform's measurement is a launcher that the policy lists",
     "the launcher measures the image: an image claim from a foreign launcher may say anything",
     "list the launcher if you built it (`caisson verify --json` shows its claims)"},
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
    {"keys.requests", "at most one list of keys for requests is named, and of no tenant",
     "requests over HTTP are sealed to the keys in that list", "treat the evidence as forged"},
    {"keys.statement", "at most one key for statements is named, and of no tenant",
     "statements and birth certificates count only under that key", "treat the evidence as forged"},
    {"service.once", "a service says one thing for a label and tenant",
     "of two values nobody could say which one counts", "treat the evidence as forged"},
    {"service.claims", "what the service says of its tenants' grants is as the policy lists it",
     "it names what no measurement of code can: which weights are loaded, how a store is kept",
     "compare with what you packed and granted; or correct the policy's `claims`"},
    {"keys.suite", "every key is of a known suite and purpose",
     "a key of another kind must not be used as this one", "update the verifier"},
};
