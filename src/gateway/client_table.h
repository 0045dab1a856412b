/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_table.h: who is connected, by address: how many connections, and how much memory they
 * take. An IPv6 client is its /64, since whoever has one address of it has them all.
 *
 * Threads: one. Lifetime: an entry lives as long as it has connections.
 */
#ifndef CSN_GATEWAY_CLIENT_TABLE_H
#define CSN_GATEWAY_CLIENT_TABLE_H

#include "buffer.h"
#include <sys/socket.h>

#define CSN_CLIENT_BUCKETS 4096u

struct csn_client {
    struct csn_client *next;
    uint8_t key[16];
    uint32_t connection_count;
    struct csn_account memory;
};

struct csn_client_table {
    struct csn_client *buckets[CSN_CLIENT_BUCKETS];
    uint64_t seed; /* so that nobody can choose addresses of one bucket */
    uint32_t connections_max;
    uint64_t memory_max;
    struct csn_account *memory; /* of all */
};

/* One more connection of that client; NULL: it has as many as it may, or out of memory. */
struct csn_client *csn_client_enter(struct csn_client_table *table, const struct sockaddr *address);
void csn_client_leave(struct csn_client_table *table, struct csn_client *client);
/* As text, at most 45 characters; "local" for what is neither IPv4 nor IPv6. */
void csn_client_name(const struct sockaddr *address, char name[46]);

#endif
