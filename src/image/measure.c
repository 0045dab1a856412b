/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.c: the measurement, a SHA-384 over what determines an image's memory and nothing else.
 *
 * Every item is preceded by its length, so that no two lists have the same bytes (image.h has the
 * list). File offsets, section names and debug information are not in it.
 */
#include "../core/bytes.h"
#include "../crypto/sha2.h"
#include "image.h"

static const char measure_label[] = "caisson-image-v1";

static void put(struct csn_sha512 *hash, const void *bytes, uint64_t size)
{
    uint8_t length[8];
    csn_store_u64(length, size);
    csn_sha512_update(hash, length, sizeof length);
    csn_sha512_update(hash, bytes, size);
}

static void put_u64(struct csn_sha512 *hash, uint64_t value)
{
    uint8_t bytes[8];
    csn_store_u64(bytes, value);
    put(hash, bytes, sizeof bytes);
}

static void put_u32(struct csn_sha512 *hash, uint32_t value)
{
    uint8_t bytes[4];
    csn_store_u32(bytes, value);
    put(hash, bytes, sizeof bytes);
}

static void put_start(struct csn_sha512 *hash, const struct csn_image *image)
{
    csn_sha384_init(hash);
    put(hash, measure_label, sizeof measure_label - 1);
    put_u32(hash, image->manifest.abi_version);
    put(hash, &image->manifest, sizeof image->manifest);
    put_u64(hash, image->entry);
    put_u32(hash, image->segment_count);
}

static void put_segment_head(struct csn_sha512 *hash, const struct csn_image_segment *segment)
{
    put_u64(hash, segment->address);
    put_u64(hash, segment->memory_size);
    put_u32(hash, segment->permissions);
}

void csn_image_measure(const struct csn_image *image, csn_image_memory memory, void *state,
                       uint8_t measurement[48])
{
    struct csn_sha512 hash;
    put_start(&hash, image);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *segment = &image->segments[i];
        put_segment_head(&hash, segment);
        put(&hash, memory(state, segment), segment->memory_size);
    }
    csn_sha384_final(&hash, measurement);
}

static void put_zeros(struct csn_sha512 *hash, uint64_t size)
{
    static const uint8_t zeros[256];
    while (size > 0) {
        uint64_t now = size < sizeof zeros ? size : sizeof zeros;
        csn_sha512_update(hash, zeros, now);
        size -= now;
    }
}

csn_err csn_image_measure_file(const void *bytes, size_t size, struct csn_image *image,
                               uint8_t measurement[48], struct csn_image_fault *fault)
{
    struct csn_sha512 hash;
    uint8_t length[8];
    CSN_TRY(csn_image_parse(bytes, size, image, fault));
    put_start(&hash, image);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *segment = &image->segments[i];
        put_segment_head(&hash, segment);
        csn_store_u64(length, segment->memory_size);
        csn_sha512_update(&hash, length, sizeof length);
        csn_sha512_update(&hash, (const uint8_t *)bytes + segment->file_offset, segment->file_size);
        put_zeros(&hash, segment->memory_size - segment->file_size);
    }
    csn_sha384_final(&hash, measurement);
    return CSN_OK;
}
