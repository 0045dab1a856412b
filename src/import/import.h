/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h: models as other programs write them, to the packed image of trees/trees.h.
 *
 * Trust:    the text is anybody's. What comes out has passed csn_trees_open().
 * Threads:  none of its own, no state.
 * Limits:   those of trees.h; 1 GiB of text. A text of n bytes may need 40 n bytes of memory while
 *           it is read, UBJSON 100 n. Refused, by name: XGBoost's booster gblinear, vector
 *           leaves, linear leaves, unknown objectives. multi:softmax gives the probabilities of its
 *           classes, as multi:softprob does.
 */
#ifndef CSN_IMPORT_H
#define CSN_IMPORT_H

#include <caisson/base.h>

enum csn_import_reason {
    CSN_IMPORT_OK,
    CSN_IMPORT_SYNTAX,      /* not the format at all */
    CSN_IMPORT_ABSENT,      /* a field that must be there */
    CSN_IMPORT_TYPE,        /* a field of another type, or an item of a list */
    CSN_IMPORT_VALUE,       /* outside its range */
    CSN_IMPORT_LENGTH,      /* a list with another count than its neighbours */
    CSN_IMPORT_SHAPE,       /* nodes that are no tree, or not as packed nodes must be */
    CSN_IMPORT_LIMIT,       /* sound, but beyond what an image holds */
    CSN_IMPORT_UNSUPPORTED, /* sound, but not a model that is supported */
    CSN_IMPORT_MEMORY,
    CSN_IMPORT_REASON_COUNT,
};

/* place: a field, and where there are several the tree and the node: `split_indices[3], tree 2`. */
struct csn_import_fault {
    enum csn_import_reason reason;
    char place[96];
};

const char *csn_import_reason_name(enum csn_import_reason reason);

/*
 * On CSN_OK *image is *size bytes from malloc(). Else they are untouched and the fault says what
 * and where: CSN_ERR_FORMAT, CSN_ERR_LIMIT, CSN_ERR_UNKNOWN (unsupported) or CSN_ERR_MEMORY.
 */
CSN_MUST_USE csn_err csn_import_xgboost_json(const char *text, size_t text_size, void **image,
                                             size_t *size, struct csn_import_fault *fault);
CSN_MUST_USE csn_err csn_import_xgboost_ubjson(const void *bytes, size_t bytes_size, void **image,
                                               size_t *size, struct csn_import_fault *fault);
CSN_MUST_USE csn_err csn_import_lightgbm(const char *text, size_t text_size, void **image,
                                         size_t *size, struct csn_import_fault *fault);

#endif
