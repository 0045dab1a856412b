/* SPDX-License-Identifier: Apache-2.0 */
/* peer_json.h: another scanner of JSON texts in memory; the build picks which. */
#ifndef CSN_BENCH_PEER_JSON_H
#define CSN_BENCH_PEER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const char *const peer_json_name; /* NULL: there is none on this machine */
/* Text has 64 bytes behind it that may be read. */
bool peer_json_scan(const char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
