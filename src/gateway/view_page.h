/* SPDX-License-Identifier: Apache-2.0 */
/* view_page.h: the parts of the page, shared by its files. */
#ifndef CSN_GATEWAY_VIEW_PAGE_H
#define CSN_GATEWAY_VIEW_PAGE_H

#include "view.h"
#include "view_text.h"

extern const char csn_view_style[]; /* what stands between <style> and </style> */

/* A name of others: escaped, and its direction of writing kept to itself. */
void csn_view_put_name(struct csn_view_text *text, const char *name);
void csn_view_put_time(struct csn_view_text *text, uint64_t time_s); /* UNIX time, as UTC */
/* A cell or a row of a table. */
void csn_view_put_count(struct csn_view_text *text, uint64_t count); /* <td> */
void csn_view_put_row(struct csn_view_text *text, const char *name, uint64_t count);

void csn_view_put_instances(struct csn_view_text *text, const struct csn_view *view);
void csn_view_put_requests(struct csn_view_text *text, const struct csn_view *view);
void csn_view_put_tenants(struct csn_view_text *text, const struct csn_view *view);
void csn_view_put_front(struct csn_view_text *text, const struct csn_view *view);
void csn_view_put_answers(struct csn_view_text *text, const struct csn_view *view);

/* One value over the last minutes. */
struct csn_view_plot {
    const char *id;    /* of its elements, unique in the page */
    const char *title; /* what, and its unit */
    const float *values;
    uint32_t count;
};
void csn_view_put_plot(struct csn_view_text *text, const struct csn_view_plot *plot);

#endif
