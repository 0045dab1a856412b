/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_texts.c: encode_texts MODEL.gguf < TEXTS: for each text (four bytes of size before it) two
 * lines of tokens, control tokens as text and as tokens, then one of its tokens' bytes in hex.
 */
#include "vocab/vocab_gguf.h"
#include <stdio.h>
#include <stdlib.h>

static void *file_bytes;

static void *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return NULL;
    }
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = file_bytes = malloc(*size);
    const bool is_whole = bytes != NULL && fread(bytes, 1, *size, file) == *size;
    fclose(file);
    return is_whole ? bytes : NULL;
}

static void *memory;

static bool load(const char *path, struct csn_vocab *vocab)
{
    static struct csn_gguf file;
    struct csn_vocab_source source;
    size_t size = 0;
    uint64_t offset = 0;
    uint32_t index = 0;
    const char *key = "";
    void *bytes = read_all(path, &size);
    csn_err result = bytes == NULL ? CSN_ERR_SYSTEM : csn_gguf_open(&file, bytes, size, &offset);
    result = result == CSN_OK ? csn_vocab_source_gguf(&file, &source, &key) : result;
    if (result == CSN_OK) {
        const uint64_t needed = csn_vocab_memory(&source);
        memory = aligned_alloc(64, (needed + 63) / 64 * 64);
        result = csn_vocab_open(vocab, &source, memory, needed, &index);
    }
    if (result != CSN_OK) {
        fprintf(stderr, "%s: %s at %llu, %s, %u\n", path, csn_err_name(result),
                (unsigned long long)offset, key, index);
    }
    return result == CSN_OK;
}

static void encode(const struct csn_vocab *vocab, const struct csn_vocab_text *text)
{
    static uint32_t tokens[0x10000];
    uint32_t count = 0;
    void *scratch = aligned_alloc(64, csn_vocab_scratch(vocab, text->size));
    const csn_err result = csn_vocab_encode(vocab, text, scratch, tokens, 0x10000, &count);
    free(scratch);
    if (result != CSN_OK) {
        printf("%s", csn_err_name(result));
    }
    for (uint32_t i = 0; i < count; i++) {
        printf("%s%u", i == 0 ? "" : " ", tokens[i]);
    }
    printf("\n");
    for (uint32_t i = 0; i < count && text->specials; i++) {
        uint8_t piece[CSN_VOCAB_PIECE_MAX];
        const uint32_t size = csn_vocab_piece(vocab, tokens[i], piece);
        for (uint32_t k = 0; k < size; k++) {
            printf("%02x", piece[k]);
        }
    }
    if (text->specials) {
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static uint8_t bytes[CSN_VOCAB_TEXT_MAX];
    struct csn_vocab vocab;
    uint32_t size;
    if (argc != 2 || !load(argv[1], &vocab)) {
        return 1;
    }
    while (fread(&size, sizeof size, 1, stdin) == 1 && size <= sizeof bytes &&
           fread(bytes, 1, size, stdin) == size) {
        for (int specials = 0; specials < 2; specials++) {
            const struct csn_vocab_text text = {bytes, size, true, specials != 0};
            encode(&vocab, &text);
        }
    }
    free(memory);
    free(file_bytes);
    return 0;
}
