/* SPDX-License-Identifier: Apache-2.0 */
/* vocab_gguf.c: from the keys of a GGUF file to the source of a vocabulary. */
#include "vocab_gguf.h"

#define KEY(name) "tokenizer.ggml." name

struct reader {
    const struct csn_gguf *file;
    const char *key; /* the last one that was asked for */
    bool is_bad;
};

static bool find(struct reader *reader, const char *key, struct csn_gguf_value *value)
{
    if (!reader->is_bad) {
        reader->key = key;
    }
    return csn_gguf_find(reader->file, key, value);
}

static bool flag(struct reader *reader, const char *key, bool otherwise)
{
    struct csn_gguf_value value;
    bool truth = otherwise;
    if (find(reader, key, &value) && !csn_gguf_bool(&value, &truth)) {
        reader->is_bad = true;
    }
    return truth;
}

/* A token that need not be there. */
static uint32_t token(struct reader *reader, const char *key, uint64_t count)
{
    struct csn_gguf_value value;
    int64_t number = 0;
    if (!find(reader, key, &value)) {
        return CSN_VOCAB_NONE;
    }
    if (!csn_gguf_integer(&value, &number) || number < 0 || (uint64_t)number >= count) {
        reader->is_bad = true;
    }
    return (uint32_t)number;
}

/* An array of that many elements; count 0: of any number. */
static struct csn_gguf_value array(struct reader *reader, const char *key,
                                   enum csn_gguf_type element, uint64_t count)
{
    struct csn_gguf_value value = {.bytes = NULL};
    if (!find(reader, key, &value) || value.type != CSN_GGUF_ARRAY || value.element != element ||
        (count != 0 && value.count != count)) {
        reader->is_bad = true;
    }
    return value;
}

static struct csn_vocab_strings strings(struct reader *reader, const char *key)
{
    const struct csn_gguf_value value = array(reader, key, CSN_GGUF_STRING, 0);
    return (struct csn_vocab_strings){value.bytes, value.size, value.count};
}

static csn_err read_split(struct reader *reader, struct csn_vocab_source *source)
{
    static const struct {
        const char *name;
        enum csn_vocab_split split;
    } known[] = {
        {"gpt-2", CSN_VOCAB_GPT2},    {"llama-bpe", CSN_VOCAB_LLAMA3},
        {"llama3", CSN_VOCAB_LLAMA3}, {"llama-v3", CSN_VOCAB_LLAMA3},
        {"qwen2", CSN_VOCAB_QWEN2},   {"deepseek-r1-qwen", CSN_VOCAB_QWEN2},
        {"smollm", CSN_VOCAB_SMOLLM},
    };
    struct csn_gguf_value value;
    if (!find(reader, KEY("pre"), &value)) {
        return CSN_ERR_FORMAT;
    }
    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (csn_gguf_is(&value, known[i].name)) {
            source->split = known[i].split;
            source->whole_words = source->split == CSN_VOCAB_LLAMA3;
            return CSN_OK;
        }
    }
    return CSN_ERR_UNKNOWN;
}

static csn_err read_kind(struct reader *reader, struct csn_vocab_source *source)
{
    struct csn_gguf_value value;
    if (!find(reader, KEY("model"), &value)) {
        return CSN_ERR_FORMAT;
    }
    if (csn_gguf_is(&value, "llama")) {
        source->kind = CSN_VOCAB_SPM;
        return CSN_OK;
    }
    if (csn_gguf_is(&value, "gpt2")) {
        source->kind = CSN_VOCAB_BPE;
        return read_split(reader, source);
    }
    return CSN_ERR_UNKNOWN;
}

csn_err csn_vocab_source_gguf(const struct csn_gguf *file, struct csn_vocab_source *source,
                              const char **key)
{
    struct reader reader = {.file = file};
    struct csn_gguf_value value;
    *source = (struct csn_vocab_source){.begin = CSN_VOCAB_NONE};
    csn_err result = read_kind(&reader, source);
    *key = reader.key;
    if (result != CSN_OK) {
        return result;
    }
    source->tokens = strings(&reader, KEY("tokens"));
    const uint64_t count = source->tokens.count;
    if (find(&reader, KEY("token_type"), &value)) {
        source->types = array(&reader, KEY("token_type"), CSN_GGUF_INT32, count).bytes;
    }
    if (source->kind == CSN_VOCAB_SPM) {
        source->scores = array(&reader, KEY("scores"), CSN_GGUF_FLOAT32, count).bytes;
    } else {
        source->merges = strings(&reader, KEY("merges"));
    }
    source->begin = token(&reader, KEY("bos_token_id"), count);
    source->ends[0] = token(&reader, KEY("eos_token_id"), count);
    source->ends[1] = token(&reader, KEY("eot_token_id"), count);
    source->ends[2] = token(&reader, KEY("eom_token_id"), count);
    const bool begins = source->begin != CSN_VOCAB_NONE &&
                        (source->kind == CSN_VOCAB_SPM || source->split == CSN_VOCAB_LLAMA3);
    source->add_begin = flag(&reader, KEY("add_bos_token"), begins);
    source->add_space = flag(&reader, KEY("add_space_prefix"), source->kind == CSN_VOCAB_SPM);
    *key = reader.key;
    return reader.is_bad ? CSN_ERR_FORMAT : CSN_OK;
}
