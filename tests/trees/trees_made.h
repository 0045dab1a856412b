/* SPDX-License-Identifier: Apache-2.0 */
/* trees_made.h: a small model by hand, for the test and for the fuzz target's seeds. */
#ifndef CSN_TREES_MADE_H
#define CSN_TREES_MADE_H

#define TREE_PARAMETERS "\"tree_param\":{\"size_leaf_vector\":\"0\"}"

/* x0 < 0.5 (missing: left) ? (x1 < 2 (missing: right) ? 1 : 2) : 4, with the nodes out of order */
#define TREE_NUMERIC                                                                               \
    "{" TREE_PARAMETERS ",\"left_children\":[3,-1,-1,4,-1],\"right_children\":[1,-1,-1,2,-1],"     \
    "\"split_indices\":[0,0,0,1,0],\"split_conditions\":[0.5,4,2,2,1],"                            \
    "\"default_left\":[1,0,0,0,0],\"split_type\":[0,0,0,0,0],\"categories_nodes\":[],"             \
    "\"categories_sizes\":[],\"categories_segments\":[],\"categories\":[]}"

/* x2 in {1, 40} (missing: right) ? 20 : 10 */
#define TREE_CATEGORIES                                                                            \
    "{" TREE_PARAMETERS ",\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1],"               \
    "\"split_indices\":[2,0,0],\"split_conditions\":[NaN,10,20],\"default_left\":[0,0,0],"         \
    "\"split_type\":[1,0,0],\"categories_nodes\":[0],\"categories_sizes\":[2],"                    \
    "\"categories_segments\":[0],\"categories\":[1,40]}"

#define MODEL(objective, base, classes, trees, info)                                               \
    "{\"learner\":{\"learner_model_param\":{\"base_score\":\"" base "\",\"num_class\":\"" classes  \
    "\",\"num_feature\":\"3\"},\"objective\":{\"name\":\"" objective "\"},"                        \
    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"trees\":[" trees                       \
    "],\"tree_info\":[" info "]}}},\"version\":[1,7,4]}"

/* The same trees, whose leaves count half and twice. */
#define MODEL_DART                                                                                 \
    "{\"learner\":{\"learner_model_param\":{\"base_score\":\"1E2\",\"num_class\":\"0\","           \
    "\"num_feature\":\"3\"},\"objective\":{\"name\":\"reg:squarederror\"},"                        \
    "\"gradient_booster\":{\"name\":\"dart\",\"gbtree\":{\"name\":\"gbtree\",\"model\":{"          \
    "\"trees\":[" TREE_NUMERIC "," TREE_CATEGORIES                                                 \
    "],\"tree_info\":[0,0]}},\"weight_drop\":[0.5,2]}}}"

#define MODEL_BOTH MODEL("reg:squarederror", "1E2", "0", TREE_NUMERIC "," TREE_CATEGORIES, "0,0")

/* As LightGBM writes: x0 with zero for missing, x1 with NaN, x2 categories, x3 without. */
#define LIGHTGBM_HEAD(objective)                                                                   \
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"                     \
    "max_feature_idx=3\n" objective "feature_names=a b c d\ntree_sizes=1 2 3 4\n\n"
/* x0 <= -0.5 or missing ? (x1 <= 1e300 ? 20 : 40) : 10 */
#define LIGHTGBM_NUMERIC                                                                           \
    "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nsplit_gain=1 1\n"                         \
    "threshold=-0.5 1.0000000000000001e+300\ndecision_type=6 8\nleft_child=1 -2\n"                 \
    "right_child=-1 -3\nleaf_value=10 20 40\nleaf_weight=1 1 1\nis_linear=0\nshrinkage=1\n\n\n"
/* x2 in {1, 40} ? 100 : 200 */
#define LIGHTGBM_CATEGORIES                                                                        \
    "Tree=1\nnum_leaves=2\nnum_cat=1\nsplit_feature=2\nthreshold=0\ndecision_type=1\n"             \
    "left_child=-1\nright_child=-2\nleaf_value=100 200\ncat_boundaries=0 2\n"                      \
    "cat_threshold=2 256\nis_linear=0\nshrinkage=0.1\n\n\n"
/* x3 <= 1 ? 1000 : 2000 */
#define LIGHTGBM_ZERO                                                                              \
    "Tree=2\nnum_leaves=2\nnum_cat=0\nsplit_feature=3\nthreshold=1\ndecision_type=0\n"             \
    "left_child=-1\nright_child=-2\nleaf_value=1000 2000\nis_linear=0\nshrinkage=0.1\n\n\n"
#define LIGHTGBM_LEAF                                                                              \
    "Tree=3\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nthreshold=\nleaf_value=10000\nshrinkage="    \
    "1\n\n"
#define LIGHTGBM_END "end of trees\n\nfeature_importances:\na=1\n\nparameters:\nend of parameters\n"
#define LIGHTGBM(objective)                                                                        \
    LIGHTGBM_HEAD(objective)                                                                       \
    LIGHTGBM_NUMERIC LIGHTGBM_CATEGORIES LIGHTGBM_ZERO LIGHTGBM_LEAF LIGHTGBM_END

#endif
