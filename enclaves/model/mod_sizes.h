/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_sizes.h: how large a model may be and how many talk to it at a time; all of it is memory of
 * the image, and part of its measurement. The first two come from meson's options.
 */
#ifndef MOD_SIZES_H
#define MOD_SIZES_H

#include <caisson/wire/model.h>

#ifndef MOD_WEIGHTS_MIB
#define MOD_WEIGHTS_MIB 32u /* the GGUF file */
#endif
#ifndef MOD_CONTEXT_MIB
#define MOD_CONTEXT_MIB 64u /* what sessions hold of it: keys and values, logits, vocabulary */
#endif
#ifndef MOD_TREES_MIB
#define MOD_TREES_MIB 4u
#endif

#define MOD_SESSION_MAX  16u    /* answers in the making */
#define MOD_POSITION_MAX 1024u  /* tokens of one, with its prompt */
#define MOD_BATCH_MAX    48u    /* tokens in one evaluation */
#define MOD_PIECE        8u     /* tokens of a prompt that are taken at a time */
#define MOD_TEXT_MAX     16384u /* bytes of an answer that wait to be sent */
#define MOD_PART_SIZE    384u   /* each part of a stream but the last */
#define MOD_LAST_SIZE    896u
#define MOD_NAME_MAX     48u /* bytes of a model's name */

#endif
