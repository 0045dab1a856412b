// SPDX-License-Identifier: Apache-2.0
// peer_simdjson.cpp: simdjson's DOM parser, which checks all of a text as ours does, but names.
#include "peer_json.h"
#include <simdjson.h>

const char *const peer_json_name = "simdjson (DOM)";

extern "C" bool peer_json_scan(const char *text, size_t size)
{
    static simdjson::dom::parser parser;
    return parser.parse(text, size, false).error() == simdjson::SUCCESS;
}
