/* SPDX-License-Identifier: Apache-2.0 */
/* signed_image.c: see signed_image.h. */
#include "signed_image.h"
#include "backend/detail.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_SIZE_MAX (UINT64_C(64) << 20)

static csn_err read_all(int fd, uint8_t *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, bytes + used, size - used);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return CSN_ERR_SYSTEM;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    return CSN_OK;
}

/* A whole regular file of at most size_max bytes. */
static csn_err read_file(const char *path, uint64_t size_max, uint8_t **bytes, size_t *size,
                         struct csn_detail *detail)
{
    struct stat about = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        int number = errno;
        if (fd >= 0) {
            close(fd);
        }
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "%.150s: %s", path, strerror(number));
    }
    csn_err err = CSN_ERR_FORMAT;
    const char *why = "not a file, or too large";
    *bytes = NULL;
    if (S_ISREG(about.st_mode) && (uint64_t)about.st_size <= size_max) {
        *size = (size_t)about.st_size;
        *bytes = malloc(*size + 1);
        err = *bytes == NULL ? CSN_ERR_MEMORY : read_all(fd, *bytes, *size);
        why = "cannot be read";
    }
    close(fd);
    if (err == CSN_OK) {
        return CSN_OK;
    }
    free(*bytes);
    return csn_detail_set(detail, err, "%.150s: %s", path, why);
}

static csn_err read_signature(const char *path, struct csn_signed_image *image,
                              struct csn_detail *detail)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    CSN_TRY(read_file(path, 4096, &bytes, &size, detail));
    if (size == sizeof image->signature) {
        memcpy(&image->signature, bytes, size);
    }
    free(bytes);
    csn_err err = csn_signature_verify(&image->signature, size);
    const char *why =
        err == CSN_ERR_FORMAT ? "not a signature file" : "not a signature of this image";
    err = err == CSN_OK ? csn_signature_match(&image->signature, &image->image, image->measurement)
                        : err;
    return err == CSN_OK ? CSN_OK : csn_detail_set(detail, CSN_ERR_AUTH, "%.150s: %s", path, why);
}

csn_err csn_signed_image_read(const char *image_path, const char *signature_path,
                              struct csn_signed_image *image, struct csn_detail *detail)
{
    struct csn_image_fault fault = {0};
    *image = (struct csn_signed_image){0};
    CSN_TRY(read_file(image_path, IMAGE_SIZE_MAX, &image->bytes, &image->size, detail));
    csn_err err = csn_image_measure_file(image->bytes, image->size, &image->image,
                                         image->measurement, &fault);
    if (err != CSN_OK) {
        (void)csn_detail_set(detail, err, "%.150s: %s at offset %llu", image_path, fault.what,
                             (unsigned long long)fault.where);
    } else {
        err = read_signature(signature_path, image, detail);
    }
    if (err != CSN_OK) {
        csn_signed_image_free(image);
    }
    return err;
}

void csn_signed_image_free(struct csn_signed_image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

uint32_t csn_protection(const char *name, size_t size)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } names[] = {{"namespaces", CSN_PROTECT_NAMESPACES},
                 {"own-uid", CSN_PROTECT_OWN_UID},
                 {"locked", CSN_PROTECT_LOCKED},
                 {"huge-pages", CSN_PROTECT_HUGE_PAGES},
                 {"secret", CSN_PROTECT_SECRET}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == size && memcmp(names[i].name, name, size) == 0) {
            return names[i].bit;
        }
    }
    return 0;
}
