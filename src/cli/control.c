/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"
typedef int csn_control_unused;
