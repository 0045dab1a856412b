/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.c: the findings that no single format owns. */
#include "verify/catalogue.h"

static const struct csv_entry entries[] = {
    {"policy.allows", "the policy allows something",
     "an empty policy names nothing to trust, so it can accept nothing",
     "list the formats, and what they may claim"},
    {"policy.complete", "the policy names all that its formats need",
     "a hardware policy that lists no launcher would take the image's measurement from anybody",
     "add the line that is missing"},
    {"policy.any", "the claims were compared with a policy",
     "without a policy only cryptography and structure were checked: any code on any machine "
     "passes",
     "write a policy; `caisson policy init` makes a first one"},
    {"evidence.format", "the evidence is of a format that the policy accepts",
     "each format has its own roots of trust and its own promises",
     "name the format in the policy, if that is what you want to trust"},
    {"evidence.given", "there is exactly one piece of evidence",
     "two pieces could make one verdict speak of the wrong one", "give one piece of evidence"},
    {"evidence.cmw", "the wrapper holds one piece of evidence, and at most certificates beside it",
     "nothing of a wrapper is signed: what it holds must be plain before it is looked at",
     "unwrap it with `caisson cmw open`, or name the format with --type"},
    {"evidence.memory", "the evidence fits the verifier's memory",
     "the verifier works in one bounded arena", "check where such large evidence comes from"},
    {"time.given", "the caller gave a clock",
     "certificates and collateral hold for a time; the verifier has no clock of its own",
     "give the time to verify at"},
    {"nonce.fresh", "the nonce is the one asked for",
     "old evidence may describe a machine whose keys have leaked since",
     "ask again with a new random nonce"},
    {"report-data.binding", "the platform signed the data of what wraps it",
     "otherwise genuine evidence of one machine could be put around the claims of another",
     "treat the evidence as forged"},
    {"root.test", "every root of trust is a vendor's",
     "a test root vouches for whatever its owner likes", "leave the test root out in production"},
};

const struct csv_catalogue csv_catalogue_common = CSV_CATALOGUE(entries);
