/* SPDX-License-Identifier: Apache-2.0 */
/* client_table.c: buckets of a seeded hash. */
#include "client_table.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IPv4 in IPv6's form, so that both ways of writing one address are one client. */
static void key_of(const struct sockaddr *address, uint8_t key[16])
{
    memset(key, 0, 16);
    if (address->sa_family == AF_INET) {
        key[10] = key[11] = 0xff;
        memcpy(key + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *ip = &((const struct sockaddr_in6 *)address)->sin6_addr;
        memcpy(key, ip, IN6_IS_ADDR_V4MAPPED(ip) ? 16 : 8);
    }
}

static struct csn_client **bucket_of(struct csn_client_table *table, const uint8_t key[16])
{
    uint64_t halves[2];
    memcpy(halves, key, 16);
    uint64_t hash = table->seed;
    for (uint32_t i = 0; i < 2; i++) {
        hash = (hash ^ halves[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return &table->buckets[hash % CSN_CLIENT_BUCKETS];
}

struct csn_client *csn_client_enter(struct csn_client_table *table, const struct sockaddr *address)
{
    uint8_t key[16];
    key_of(address, key);
    struct csn_client **bucket = bucket_of(table, key);
    struct csn_client *client = *bucket;
    while (client != NULL && memcmp(client->key, key, 16) != 0) {
        client = client->next;
    }
    if (client == NULL) {
        client = calloc(1, sizeof *client);
        if (client == NULL) {
            return NULL;
        }
        memcpy(client->key, key, 16);
        client->memory = (struct csn_account){.max = table->memory_max, .parent = table->memory};
        client->next = *bucket;
        *bucket = client;
    } else if (client->connection_count >= table->connections_max) {
        return NULL;
    }
    client->connection_count++;
    return client;
}

void csn_client_leave(struct csn_client_table *table, struct csn_client *client)
{
    if (--client->connection_count != 0) {
        return;
    }
    struct csn_client **at = bucket_of(table, client->key);
    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    free(client);
}

void csn_client_name(const struct sockaddr *address, char name[46])
{
    const void *ip = NULL;
    int family = address->sa_family;
    if (family == AF_INET) {
        ip = &((const struct sockaddr_in *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(six);
        family = is_mapped ? AF_INET : AF_INET6;
        ip = is_mapped ? (const uint8_t *)six + 12 : (const uint8_t *)six;
    }
    if (ip == NULL || inet_ntop(family, ip, name, 46) == NULL) {
        snprintf(name, 46, "local");
    }
}
