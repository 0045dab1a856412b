/* SPDX-License-Identifier: Apache-2.0 */
/* peer_trees_xgboost.c: XGBoost by its C interface. */
#include "measure.h"
#include "peer_trees.h"
#include <stdio.h>
#include <xgboost/c_api.h>

const char *const peer_trees_name = "XGBoost";

static BoosterHandle booster;

static void require(int result)
{
    bench_require(result == 0, "XGBoost fails");
}

void peer_trees_train(const struct peer_trees_shape *shape, const void **model, size_t *size)
{
    DMatrixHandle matrix;
    char depth[16];
    const char *bytes;
    bst_ulong count;
    snprintf(depth, sizeof depth, "%u", shape->depth);
    if (booster != NULL) {
        require(XGBoosterFree(booster));
    }
    require(XGDMatrixCreateFromMat(shape->rows, shape->row_count, shape->feature_count,
                                   __builtin_nanf(""), &matrix));
    require(XGDMatrixSetFloatInfo(matrix, "label", shape->targets, shape->row_count));
    require(XGBoosterCreate(&matrix, 1, &booster));
    require(XGBoosterSetParam(booster, "objective", "binary:logistic"));
    require(XGBoosterSetParam(booster, "max_depth", depth));
    require(XGBoosterSetParam(booster, "nthread", "1"));
    require(XGBoosterSetParam(booster, "tree_method", "hist"));
    require(XGBoosterSetParam(booster, "seed", "1"));
    for (unsigned i = 0; i < shape->tree_count; i++) {
        require(XGBoosterUpdateOneIter(booster, (int)i, matrix));
    }
    require(XGDMatrixFree(matrix));
    require(XGBoosterSaveModelToBuffer(booster, "{\"format\":\"ubj\"}", &count, &bytes));
    *model = bytes;
    *size = count;
}

const float *peer_trees_score(const float *rows, size_t row_count, size_t feature_count)
{
    static const char config[] = "{\"type\":0,\"iteration_begin\":0,\"iteration_end\":0,"
                                 "\"strict_shape\":false,\"missing\":NaN,\"cache_id\":0}";
    char array[192];
    const bst_ulong *shape;
    bst_ulong dimensions;
    const float *scores;
    snprintf(array, sizeof array,
             "{\"data\":[%zu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
             (size_t)rows, row_count, feature_count);
    require(XGBoosterPredictFromDense(booster, array, config, NULL, &shape, &dimensions, &scores));
    return scores;
}
