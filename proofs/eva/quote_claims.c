/* SPDX-License-Identifier: Apache-2.0 */
/* quote_claims.c: claims of SGX and TDX quotes, of bodies and QE reports of any content. */
#include "foreign.h"
#include "verify/dcap/quote.h"

int main(void)
{
    static const uint16_t sizes[] = {CSV_SGX_BODY_SIZE, CSV_TD10_BODY_SIZE, CSV_TD15_BODY_SIZE,
                                     CSV_TD15EX_BODY_SIZE};
    static uint8_t header[CSV_QUOTE_HEADER_SIZE];
    static uint8_t qe_report[CSV_SGX_BODY_SIZE];
    struct csv_arena arena = {0};
    struct csv_case appraisal = {.arena = &arena};
    struct csv_quote quote = {.header = header, .qe_report = qe_report};
    size_t index = Frama_C_unsigned_long_interval(0, sizeof sizes / sizeof sizes[0] - 1);
    /*@ split index; */
    Frama_C_make_unknown((char *)header, sizeof header);
    Frama_C_make_unknown((char *)qe_report, sizeof qe_report);
    quote.version = (uint16_t)Frama_C_unsigned_int_interval(3, 5);
    quote.body_type = (uint16_t)(CSV_QUOTE_BODY_SGX + index);
    quote.body = foreign_bytes(sizes[index], sizes[index]);
    csv_quote_claims(&appraisal, &quote);
    return 0;
}
