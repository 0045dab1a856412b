/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: sealed weights into an enclave, from the host's store through the ring, beside opening
 * the same file on this thread: read, and each chunk's AEAD, nothing else.
 *
 * Wall time on both sides, for the enclave's has a second core: while it opens one piece, the host
 * reads the next. The file is in the page cache after the first time.
 */
#include "measure.h"
#include "pack/pack.h"
#include "sealed.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
    "usage: load [--json] [--seconds N] [--backend process|kvm]\n\n"
    "16 MiB of sealed weights from the host's store into an enclave, beside reading the file and\n"
    "opening its chunks on one thread. Wall time; slices take turns.\n\n";

#define CONTENT_SIZE (UINT64_C(16) << 20)
#define CHUNKS       (CONTENT_SIZE / CSN_WIRE_WEIGHTS_CHUNK_SIZE)

static struct {
    struct csn_wire_weights_ref ref;
    char path[PATH_MAX];
    uint8_t *memory;
    uint8_t *piece;
    uint8_t *mapped;
    struct csn_gcm_key key;
} setup;

/* A sealed file of anything, in the folder of a store, under its digest. */
static void make_file(const char *folder)
{
    char made[PATH_MAX];
    snprintf(made, sizeof made, "%s/made", folder);
    setup.memory = malloc(CONTENT_SIZE);
    setup.piece = malloc(CSN_WIRE_WEIGHTS_PIECE_SIZE);
    int fd = open(made, O_RDWR | O_CREAT | O_EXCL, 0600);
    bench_require(setup.memory != NULL && setup.piece != NULL && fd >= 0, "no file");
    for (uint64_t i = 0; i < CONTENT_SIZE; i++) {
        setup.memory[i] = (uint8_t)(i * 7 >> 3);
    }
    memcpy(setup.memory, "GGUF", 4);
    setup.ref.kind = CSN_WIRE_WEIGHTS_GGUF;
    setup.ref.key[0] = 1;
    const struct csn_pack_content content = {
        .bytes = setup.memory, .size = CONTENT_SIZE, .kind = CSN_WIRE_WEIGHTS_GGUF};
    bench_require(csn_pack_seal(&content, setup.ref.key, fd, setup.ref.digest) == CSN_OK &&
                      close(fd) == 0,
                  "sealing failed");
    int size = snprintf(setup.path, sizeof setup.path, "%s/", folder);
    for (uint32_t i = 0; i < 32; i++) {
        size += snprintf(setup.path + size, 3, "%02x", setup.ref.digest[i]);
    }
    bench_require(rename(made, setup.path) == 0, "no file");
}

static off_t place_of(uint64_t chunk)
{
    return (off_t)(sizeof(struct csn_wire_weights) + chunk * CSN_WIRE_WEIGHTS_PIECE_SIZE);
}

static void load_key(void)
{
    struct csn_wire_weights header;
    uint8_t mac_key[32];
    uint8_t commitment[32];
    int fd = open(setup.path, O_RDONLY);
    bench_require(fd >= 0 && read(fd, &header, sizeof header) == (ssize_t)sizeof header, "no file");
    setup.mapped =
        mmap(NULL, (size_t)place_of(CHUNKS), PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    bench_require(setup.mapped != MAP_FAILED, "no memory");
    csn_weights_keys(&header, setup.ref.key, NULL, &setup.key, mac_key, commitment);
    close(fd);
}

static void open_chunk(uint64_t number, const uint8_t *piece)
{
    uint8_t tag[CSN_WIRE_WEIGHTS_TAG_SIZE];
    memcpy(tag, piece + CSN_WIRE_WEIGHTS_CHUNK_SIZE, sizeof tag);
    struct csn_gcm_item item = {.key = &setup.key,
                                .size = CSN_WIRE_WEIGHTS_CHUNK_SIZE,
                                .input = piece,
                                .output = setup.memory + number * CSN_WIRE_WEIGHTS_CHUNK_SIZE,
                                .tag = tag};
    memcpy(item.nonce, &number, sizeof number);
    csn_gcm_open_batch(&item, 1);
    bench_require(item.result == CSN_OK, "a chunk does not open");
}

/* What nobody can leave out: the file is read and its chunks are opened. */
static void open_file(void)
{
    int fd = open(setup.path, O_RDONLY);
    bench_require(fd >= 0, "no file");
    for (uint64_t i = 0; i < CHUNKS; i++) {
        bench_require(pread(fd, setup.piece, CSN_WIRE_WEIGHTS_PIECE_SIZE, place_of(i)) ==
                          (ssize_t)CSN_WIRE_WEIGHTS_PIECE_SIZE,
                      "the file is cut");
        open_chunk(i, setup.piece);
    }
    close(fd);
}

/* The file is in memory, as a mapping of it would be. */
static void open_mapped(void)
{
    for (uint64_t i = 0; i < CHUNKS; i++) {
        open_chunk(i, setup.mapped + place_of(i));
    }
}

/* ns a byte, as for anything else that comes in slices. */
static void measure(struct sealed *sealed, const struct bench_row *row, void (*other)(void))
{
    static struct bench_samples samples;
    other();
    sealed_echo(sealed, (const uint8_t *)&setup.ref, sizeof setup.ref);
    samples.count = bench_pairs(UINT64_C(12000000));
    for (size_t i = 0; i < samples.count; i++) {
        samples.real_time = bench_real_time(true);
        const uint64_t begin = bench_wall_ns();
        sealed_echo(sealed, (const uint8_t *)&setup.ref, sizeof setup.ref);
        const uint64_t middle = bench_wall_ns();
        other();
        const uint64_t end = bench_wall_ns();
        bench_real_time(false);
        samples.ours[i] = (double)(middle - begin) / CONTENT_SIZE;
        samples.other[i] = (double)(end - middle) / CONTENT_SIZE;
    }
    bench_report(row, &samples);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/caisson-load-XXXXXX";
    const char *backend = "process";
    struct sealed_image image;
    struct sealed_tenant tenant;
    struct sealed sealed;
    struct csn_store *store = NULL;
    struct csn_detail detail = {""};
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--backend") == 0) {
            backend = argv[i + 1];
            memmove(argv + i, argv + i + 2, (size_t)(argc - i - 1) * sizeof *argv);
            argc -= 2;
        }
    }
    bench_begin(argc, argv, help);
    bench_require(mkdtemp(folder) != NULL, "no folder");
    sealed_image_find(&image, "loader");
    sealed_tenant_new(&tenant, &image, true);
    make_file(folder);
    load_key();
    const struct csn_store_options options = {.folder = folder};
    bench_require(csn_store_open(&options, &store, &detail) == CSN_OK, detail.text);
    bench_real_time(true); /* what it starts inherits it */
    sealed_start_stored(&sealed, &image, &tenant, backend, store);
    bench_real_time(false);
    const struct bench_row rows[] = {
        {22, "weights into an enclave", backend, "read and AEAD", BENCH_COST, 1.3},
        {0, "weights into an enclave", backend, "AEAD in memory", BENCH_COST, 0},
    };
    measure(&sealed, &rows[0], open_file);
    measure(&sealed, &rows[1], open_mapped);
    sealed_stop(&sealed);
    csn_store_close(store);
    unlink(setup.path);
    char command[64];
    snprintf(command, sizeof command, "%s/lock", folder);
    unlink(command);
    rmdir(folder);
    sealed_tenant_free(&tenant);
    sealed_image_free(&image);
    free(setup.memory);
    free(setup.piece);
    return 0;
}
