/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather.c: outputs that wait until the last one of a list is there, for one answer.
 *
 * Most lists are of one message: its room goes round, since to make and join blocks of some
 * kilobytes takes the heap longer than all else that is done with an output.
 */
#include "visit.h"
#include <stdlib.h>
#include <string.h>

#define SPARE_MAX 65536u /* bytes */

static void take_spare(struct csn_visit *visit)
{
    struct csn_gateway *gateway = visit->gateway;
    if (visit->answers == NULL && gateway->spare_answers != NULL &&
        csn_account_take(&gateway->gathered, gateway->spare_room)) {
        visit->answers = gateway->spare_answers;
        visit->answers_room = gateway->spare_room;
        gateway->spare_answers = NULL;
    }
}

bool csn_visit_gather(struct csn_visit *visit, const uint8_t *bytes, uint32_t size)
{
    size_t wanted = visit->answers_size + sizeof size + size;
    take_spare(visit);
    if (wanted > visit->answers_room) {
        size_t more = 2 * wanted - visit->answers_room;
        if (!csn_account_take(&visit->gateway->gathered, more)) {
            return false;
        }
        uint8_t *larger = realloc(visit->answers, 2 * wanted);
        if (larger == NULL) {
            csn_account_give(&visit->gateway->gathered, more);
            return false;
        }
        visit->answers = larger;
        visit->answers_room = 2 * wanted;
    }
    memcpy(visit->answers + visit->answers_size, &size, sizeof size);
    memcpy(visit->answers + visit->answers_size + sizeof size, bytes, size);
    visit->answers_size = wanted;
    return true;
}

void csn_visit_send_gathered(struct csn_visit *visit, const char *type)
{
    csn_visit_begin(visit, type);
    if (visit->answers_size != 0) {
        csn_visit_piece(visit, visit->answers, visit->answers_size, false);
    }
    csn_visit_give_room(visit);
}

void csn_visit_give_room(struct csn_visit *visit)
{
    struct csn_gateway *gateway = visit->gateway;
    csn_account_give(&gateway->gathered, visit->answers_room);
    if (gateway->spare_answers == NULL && visit->answers_room <= SPARE_MAX) {
        gateway->spare_answers = visit->answers;
        gateway->spare_room = visit->answers_room;
    } else {
        free(visit->answers);
    }
    visit->answers = NULL;
    visit->answers_size = visit->answers_room = 0;
}
