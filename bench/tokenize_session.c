/* SPDX-License-Identifier: Apache-2.0 */
/* tokenize_session.c: the rows of the tokenize enclave (tokenize_rows.c), and a peer's JSON scan.
 */
#include "measure.h"
#include "peer_json.h"
#include "rows.h"
#include <stdio.h>

#define POLICY_PATH     "examples/policies/card.json"
#define POLICY_SIZE_MAX 65536u

static const char help[] =
    "usage: tokenize_session [--json] [--seconds N]\n\n"
    "A card record through the session and the tokenize handlers, beside the sum of its parts, a\n"
    "loop with OpenSSL and cJSON, and a peer's JSON scan (simdjson, where it was installed at\n"
    "build time). Run it in the root of the tree.\n\n";

int main(int argc, char **argv)
{
    static char policy[POLICY_SIZE_MAX];
    const struct bench_json_peer peer = {peer_json_name, peer_json_scan};
    bench_begin(argc, argv, help);
    FILE *file = fopen(POLICY_PATH, "rb");
    bench_require(file != NULL, "tokenize_session: run it where " POLICY_PATH " is");
    size_t size = fread(policy, 1, sizeof policy, file);
    fclose(file);
    if (peer.name == NULL) {
        fprintf(stderr, "tokenize_session: no simdjson: its row is left out\n");
    }
    bench_tokenize_rows(policy, size, peer.name != NULL ? &peer : NULL);
    return 0;
}
