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

#define MODEL_BOTH MODEL("reg:squarederror", "1E2", "0", TREE_NUMERIC "," TREE_CATEGORIES, "0,0")

#endif
