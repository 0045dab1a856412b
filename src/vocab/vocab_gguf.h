/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_gguf.h: the vocabulary that a GGUF file holds.
 *
 * Trust:    the file was opened and does not change. Threads, memory: none of its own.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_VOCAB_GGUF_H
#define CSN_VOCAB_GGUF_H

#include "../llm/gguf.h"
#include "vocab.h"

/*
 * CSN_ERR_UNKNOWN: a kind of vocabulary, or of cutting words, that is not here; CSN_ERR_FORMAT: a
 * key that is missing or of another type. *key then is the key's name.
 */
CSN_MUST_USE csn_err csn_vocab_source_gguf(const struct csn_gguf *file,
                                           struct csn_vocab_source *source, const char **key);

#endif
