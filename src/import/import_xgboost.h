/* SPDX-License-Identifier: Apache-2.0 */
/* import_xgboost.h: XGBoost's document, whichever text it was read from. */
#ifndef CSN_IMPORT_XGBOOST_H
#define CSN_IMPORT_XGBOOST_H

#include "import_pack.h"
#include <cjson/cJSON.h>

CSN_MUST_USE csn_err csn_import_xgboost_document(struct csn_import *import, const cJSON *root);

#endif
