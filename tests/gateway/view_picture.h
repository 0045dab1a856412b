/* SPDX-License-Identifier: Apache-2.0 */
/* view_picture.h: pictures for the tests of the renderers. */
#ifndef CSN_TEST_VIEW_PICTURE_H
#define CSN_TEST_VIEW_PICTURE_H

#include <gateway/view.h>

/*
 * plain    three instances; each number of the picture differs from all others
 * hostile  the same with names that would break out of each format
 * empty    nothing at all: zeros, and no texts
 * full     as much as there is room for, counts beyond it, the largest numbers, values that are
 * none small    one instance with one worker: for what is done at every size of room False: no such
 * picture.
 */
bool view_picture(const char *name, struct csn_view *view);

#endif
