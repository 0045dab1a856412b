/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h: a running enclave with one granted tenant, its sealer and its opener: all that a
 * benchmark of the sealed path needs, by the public headers alone.
 *
 * Every function ends the program with a message when something does not work: a figure of a path
 * that fails is worth nothing. One thread.
 */
#ifndef CSN_BENCH_SEALED_H
#define CSN_BENCH_SEALED_H

#include <caisson/client.h>
#include <caisson/host.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sealed_image {
    uint8_t *bytes;
    size_t size;
    uint8_t measurement[48];
    uint8_t signer_key[32];
    uint8_t signature[64];
    uint8_t signature_file[192]; /* as `caisson sign` writes it */
};

/* What the tenant has before there is any enclave; its grant's outputs go where `replies` says. */
struct sealed_tenant {
    struct csv_tenant keys;
    struct csv_consumer consumer;
    struct csv_credential producer;
    uint8_t root_seed[32]; /* of the software evidence */
    uint8_t root_key[32];
    struct csv_policy *policy;
};

struct sealed {
    struct csn_enclave *enclave;
    bool joined;      /* the enclave is another's */
    uint32_t channel; /* where its records go */
    struct csv_recipient *recipient;
    struct csv_sealer *sealer;
    struct csv_opener *opener; /* NULL where answers are replies to the sealer */
    uint8_t *target;           /* output_size_max bytes: the last answer */
    uint64_t tag;
};

/* Reads an image and signs it with a fresh key. */
void sealed_image_read(struct sealed_image *image, const char *path);
/* The folder in which this program lies. */
void sealed_folder(char folder[PATH_MAX]);
/* NAME.elf of the build folder's enclaves/, or of bench/, beside this program. */
void sealed_image_find(struct sealed_image *image, const char *name);
void sealed_image_free(struct sealed_image *image);

/* replies: answers go back to the producer (csv_reply_open); else to a consumer (csv_open_batch).
 */
void sealed_tenant_new(struct sealed_tenant *tenant, const struct sealed_image *image,
                       bool replies);
void sealed_tenant_free(struct sealed_tenant *tenant);

/* From image bytes to an enclave that serves the tenant; NULL backend: auto. */
void sealed_start(struct sealed *sealed, const struct sealed_image *image,
                  const struct sealed_tenant *tenant, const char *backend);
/* The same with a store for what the image keeps outside; it must outlive the enclave. */
void sealed_start_stored(struct sealed *sealed, const struct sealed_image *image,
                         const struct sealed_tenant *tenant, const char *backend,
                         struct csn_store *store);
/* The same tenant on another channel (worker) of an enclave that runs; ends before the first. */
void sealed_join(struct sealed *sealed, const struct sealed *first,
                 const struct sealed_image *image, const struct sealed_tenant *tenant,
                 uint32_t channel);
/* Records in the short form from now on. */
void sealed_short(struct sealed *sealed);
void sealed_stop(struct sealed *sealed);

/* The next answer of the enclave: its code is `code`, or the program ends; body, size: it. */
const uint8_t *sealed_receive(struct sealed *sealed, uint32_t code, uint32_t *size);
/* One payload there and back: sealed, handed over, answered, opened; compared with what went in. */
void sealed_echo(struct sealed *sealed, const uint8_t *payload, uint32_t size);

#endif
