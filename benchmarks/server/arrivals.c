/* Keeps what arrived. One block of memory, filled from its start and used again after a reset: receiving a body costs
   neither a copy nor a fresh page. */
#define _GNU_SOURCE
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROOM ((size_t)8 << 30)
#define TOUCHED ((size_t)512 << 20) /* what most runs need: its pages are fetched before the first of them */

static char *room;
static size_t used;

static size_t rounded(size_t size) { return (size + 7) & ~(size_t)7; }

void make_room(void) {
    room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) {
        perror("no room for what arrives");
        exit(1);
    }
    madvise(room, ROOM, MADV_HUGEPAGE);
    memset(room, 0, TOUCHED);
}

void forget_arrivals(void) { used = 0; }

struct arrival *new_arrival(const char *path, size_t size) {
    size_t needed = sizeof(struct arrival) + rounded(size);
    if (size > ROOM || used + needed > ROOM) return NULL;
    struct arrival *arrival = (struct arrival *)(room + used);
    used += needed;
    arrival->size = size;
    arrival->whole = false;
    snprintf(arrival->path, sizeof arrival->path, "%s", path);
    return arrival;
}

char *body_of(struct arrival *arrival) { return (char *)(arrival + 1); }

/* The first arrival is the one after NULL. */
struct arrival *arrival_after(struct arrival *arrival) {
    char *next = arrival ? body_of(arrival) + rounded(arrival->size) : room;
    return next < room + used ? (struct arrival *)next : NULL;
}
