/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.c: reading vector files for the tests. */
#include "vectors.h"
#include <caisson/wire/boot.h>
#include <crypto/cpu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *vector_load(const char *path_below_vectors)
{
    char path[1024];
    const char *shared = getenv("CAISSON_SHARED");
    snprintf(path, sizeof path, "%s/vectors/crypto/%s", shared ? shared : "../shared",
             path_below_vectors);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    size_t got = fread(text, 1, (size_t)size, file);
    text[got] = 0;
    fclose(file);
    cJSON *root = cJSON_Parse(text);
    free(text);
    return root;
}

const char *vector_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : "";
}

int vector_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valueint : -1;
}

struct vector_bytes vector_hex(const cJSON *object, const char *name)
{
    const char *text = vector_text(object, name);
    struct vector_bytes result = {calloc(1, strlen(text) / 2 + 1), strlen(text) / 2};
    for (size_t i = 0; i < result.size; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], 0};
        result.bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return result;
}

void vector_free(struct vector_bytes *bytes)
{
    free(bytes->bytes);
    bytes->bytes = NULL;
}

struct vector_tally vector_judge_all(const cJSON *root, vector_judge judge)
{
    struct vector_tally tally = {.total = vector_number(root, "numberOfTests")};
    const cJSON *group, *test;
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(root, "testGroups"))
    {
        cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(group, "tests"))
        {
            bool out_of_scope = false;
            bool good = judge(group, test, &out_of_scope);
            tally.run += !out_of_scope;
            tally.skipped += out_of_scope;
            tally.wrong += !good;
        }
    }
    return tally;
}

bool vector_valid(const cJSON *test)
{
    return strcmp(vector_text(test, "result"), "invalid") != 0;
}

uint32_t vector_kernels(uint64_t features[VECTOR_KERNELS_MAX])
{
    const uint64_t wide =
        CSN_WIRE_FEATURE_AVX2 | CSN_WIRE_FEATURE_VAES | CSN_WIRE_FEATURE_VPCLMULQDQ;
    const uint64_t upper = CSN_WIRE_FEATURE_SHA | CSN_WIRE_FEATURE_AVX512;
    uint64_t found = 0;
    uint32_t count = 0;
    if (csn_cpu_features(&found) != CSN_OK) {
        return 0;
    }
    features[count++] = 0;
    if ((found & CSN_WIRE_FEATURE_SHA) != 0) {
        features[count++] = CSN_WIRE_FEATURE_SHA;
    }
    if ((found & upper) == upper) {
        features[count++] = upper;
    }
    if ((found & wide) == wide) {
        features[count++] = wide;
        features[count++] = found;
    }
    return count;
}
