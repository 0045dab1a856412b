/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h: published test vectors: reading JSON files and hexadecimal members. */
#ifndef CSN_TESTS_VECTORS_H
#define CSN_TESTS_VECTORS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vector_bytes {
    uint8_t *bytes; /* never NULL; the caller frees */
    size_t size;
};

/* NULL: not there (the test then skips). */
cJSON *vector_load(const char *path_below_vectors);
struct vector_bytes vector_hex(const cJSON *object, const char *name);
const char *vector_text(const cJSON *object, const char *name);
int vector_number(const cJSON *object, const char *name);
void vector_free(struct vector_bytes *bytes);

/* Kernel sets to test: every feature subset that changes a kernel here. Returns how many. */
#define VECTOR_KERNELS_MAX 5
uint32_t vector_kernels(uint64_t features[VECTOR_KERNELS_MAX]);

#endif
