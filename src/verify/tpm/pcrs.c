/* SPDX-License-Identifier: Apache-2.0 */
/* pcrs.c: see pcrs.h. */
#include "verify/tpm/pcrs.h"
#include "verify/text.h"
#include <string.h>

/* What is left of one line. */
struct line {
    const char *at;
    size_t left;
};

static void skip_blanks(struct line *line)
{
    while (line->left != 0 && (*line->at == ' ' || *line->at == '\t' || *line->at == '\r')) {
        line->at++;
        line->left--;
    }
}

static bool skip(struct line *line, const char *text)
{
    size_t size = strlen(text);
    bool there = line->left >= size && memcmp(line->at, text, size) == 0;
    line->at += there ? size : 0;
    line->left -= there ? size : 0;
    return there;
}

/* Letters and digits. */
static struct csv_bytes take_word(struct line *line)
{
    struct csv_bytes word = {(const uint8_t *)line->at, 0};
    while (line->left != 0 &&
           ((*line->at >= '0' && *line->at <= '9') || (*line->at >= 'a' && *line->at <= 'z') ||
            (*line->at >= 'A' && *line->at <= 'Z'))) {
        line->at++;
        line->left--;
        word.size++;
    }
    return word;
}

/* "0" to "31" without a zero in front; CSV_TPM_PCR_COUNT_MAX: something else. */
static size_t index_of(struct csv_bytes word)
{
    size_t index = 0;
    if (word.size == 0 || word.size > 2 || (word.size == 2 && word.at[0] == '0')) {
        return CSV_TPM_PCR_COUNT_MAX;
    }
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] < '0' || word.at[i] > '9') {
            return CSV_TPM_PCR_COUNT_MAX;
        }
        index = index * 10 + (size_t)(word.at[i] - '0');
    }
    return index;
}

static struct csv_tpm_bank *open_bank(struct csv_tpm_pcrs *pcrs, const struct csv_tpm_hash *hash)
{
    size_t i = 0;
    while (pcrs->banks[i].hash != NULL && pcrs->banks[i].hash != hash) {
        i++; /* there are as many banks as hashes */
    }
    pcrs->banks[i].hash = hash;
    return &pcrs->banks[i];
}

static const char *read_value(struct line *line, struct csv_tpm_bank *bank, size_t index)
{
    skip_blanks(line);
    if (skip(line, ":")) {
        skip_blanks(line);
    }
    if (!skip(line, "0x")) {
        skip(line, "0X");
    }
    struct csv_bytes word = take_word(line);
    skip_blanks(line);
    if (index >= CSV_TPM_PCR_COUNT_MAX) {
        return "an index from 0 to 31 is expected";
    }
    if (word.size != 2 * (size_t)bank->hash->size || line->left != 0 ||
        !csv_hex_read((const char *)word.at, word.size, bank->value[index])) {
        return "a value of another size than the bank's, or not in hex";
    }
    if ((bank->given >> index & 1) != 0) {
        return "a PCR is given twice";
    }
    bank->given |= UINT32_C(1) << index;
    return NULL;
}

static const char *read_line(struct line line, struct csv_tpm_pcrs *pcrs,
                             struct csv_tpm_bank **bank)
{
    skip_blanks(&line);
    if (line.left == 0) {
        return NULL;
    }
    struct csv_bytes word = take_word(&line);
    const struct csv_tpm_hash *hash = csv_tpm_hash_named((const char *)word.at, word.size);
    if (hash == NULL) {
        return read_value(&line, *bank, index_of(word));
    }
    bool ends = skip(&line, ":");
    skip_blanks(&line);
    *bank = open_bank(pcrs, hash);
    return ends && line.left == 0 ? NULL : "\"sha256:\" is expected";
}

bool csv_tpm_pcrs_read(struct csv_bytes text, struct csv_tpm_pcrs *pcrs, const char **why)
{
    struct csv_tpm_bank *bank = open_bank(pcrs, csv_tpm_hash(0x000b));
    const char *at = (const char *)text.at;
    size_t left = text.size;
    *why = NULL;
    while (left != 0 && *why == NULL) {
        const char *end = memchr(at, '\n', left);
        size_t size = end != NULL ? (size_t)(end - at) : left;
        *why = read_line((struct line){at, size}, pcrs, &bank);
        at += size;
        left -= size;
        if (left != 0) {
            at++;
            left--;
        }
    }
    return *why == NULL;
}

const struct csv_tpm_bank *csv_tpm_bank(const struct csv_tpm_pcrs *pcrs,
                                        const struct csv_tpm_hash *hash)
{
    for (size_t i = 0; i < CSV_TPM_BANK_COUNT_MAX; i++) {
        if (pcrs->banks[i].hash == hash) {
            return &pcrs->banks[i];
        }
    }
    return NULL;
}

bool csv_tpm_pcrs_cover(const struct csv_tpm_pcrs *pcrs, const struct csv_tpm_quote *quote)
{
    bool covered = true;
    for (size_t i = 0; i < quote->selection_count; i++) {
        const struct csv_tpm_selection *selection = &quote->selections[i];
        const struct csv_tpm_bank *bank = csv_tpm_bank(pcrs, selection->bank);
        uint32_t given = bank != NULL ? bank->given : 0;
        covered = covered && (selection->pcrs & ~given) == 0;
    }
    return covered;
}

static bool add_bank(EVP_MD_CTX *context, const struct csv_tpm_pcrs *pcrs,
                     const struct csv_tpm_selection *selection)
{
    const struct csv_tpm_bank *bank = csv_tpm_bank(pcrs, selection->bank);
    bool good = true;
    for (size_t n = 0; n < CSV_TPM_PCR_COUNT_MAX && good; n++) {
        if ((selection->pcrs >> n & 1) != 0) {
            good = bank != NULL &&
                   EVP_DigestUpdate(context, bank->value[n], selection->bank->size) == 1;
        }
    }
    return good;
}

bool csv_tpm_pcrs_digest(const struct csv_tpm_pcrs *pcrs, const struct csv_tpm_quote *quote,
                         const struct csv_tpm_hash *hash, uint8_t digest[64])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, hash->make(), NULL) == 1;
    for (size_t i = 0; i < quote->selection_count && good; i++) {
        good = add_bank(context, pcrs, &quote->selections[i]);
    }
    good = good && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good;
}
