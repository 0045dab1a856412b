/* SPDX-License-Identifier: Apache-2.0 */
/* named.c: see named.h. */
#include "named.h"
#include "../skip.h"
#include <stdio.h>
#include <stdlib.h>

#define IMAGE_SIZE_MAX (16u << 20)

struct csn_enclave_options named_options;

static bool read_image(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    uint8_t *image = malloc(IMAGE_SIZE_MAX);
    named_options.image = image;
    named_options.image_size = image == NULL ? 0 : fread(image, 1, IMAGE_SIZE_MAX, file);
    fclose(file);
    return named_options.image_size != 0;
}

int named_begin(int count, char **arguments)
{
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    if (count != 3 || !read_image(arguments[2])) {
        fprintf(stderr, "usage: %s BACKEND IMAGE\n", arguments[0]);
        return 2;
    }
    named_options.backend = arguments[1];
    csn_err result = csn_enclave_create(&named_options, &enclave, &detail);
    csn_enclave_destroy(enclave);
    if (result == CSN_ERR_MISSING) {
        return test_skip(detail.text);
    }
    return -1;
}
