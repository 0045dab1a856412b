/* SPDX-License-Identifier: Apache-2.0 */
/* image.c: the image loader's checks: what they let through must be safe to map and to measure. */
#include "image/image.h"
#include "check.h"
#include <caisson/wire/map.h>
#include <stdbool.h>

static void must(bool holds)
{
    if (!holds) {
        __builtin_trap();
    }
}

static void check(const struct csn_image *image, size_t size)
{
    uint64_t free = CSN_MAP_IMAGE;
    must(image->segment_count > 0 && image->segment_count <= CSN_IMAGE_SEGMENT_COUNT_MAX);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *s = &image->segments[i];
        must(s->address >= free && s->address % CSN_MAP_PAGE_SIZE == 0);
        must(s->memory_size > 0 && s->memory_size <= CSN_MAP_IMAGE_END - s->address);
        must(s->file_size <= s->memory_size);
        must(s->file_offset <= size && s->file_size <= size - s->file_offset);
        must((s->permissions & CSN_IMAGE_WRITE) == 0 || (s->permissions & CSN_IMAGE_EXECUTE) == 0);
        free = s->address +
               (s->memory_size + CSN_MAP_PAGE_SIZE - 1) / CSN_MAP_PAGE_SIZE * CSN_MAP_PAGE_SIZE;
    }
    must(csn_manifest_check(&image->manifest, NULL) == CSN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct csn_image image;
    struct csn_image_fault fault = {NULL, 0};
    csn_err err = csn_image_parse(bytes, size, &image, &fault);
    if (err == CSN_OK) {
        check(&image, size);
    } else {
        must(err == CSN_ERR_FORMAT && fault.what != NULL);
    }
    return 0;
}
