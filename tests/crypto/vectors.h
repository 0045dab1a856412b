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

struct vector_tally {
    int run, skipped, wrong;
    int total; /* what the file says that it holds */
};
/* True if the case came out as published; *skip if it is out of scope. */
typedef bool (*vector_judge)(const cJSON *group, const cJSON *test, bool *skip);
/* Every case of a Wycheproof file. */
struct vector_tally vector_judge_all(const cJSON *root, vector_judge judge);
/* The case is to be accepted, or may be ("acceptable"). */
bool vector_valid(const cJSON *test);

/* Kernel sets to test: every feature subset that changes a kernel here. Returns how many. */
#define VECTOR_KERNELS_MAX 5
uint32_t vector_kernels(uint64_t features[VECTOR_KERNELS_MAX]);

#endif
