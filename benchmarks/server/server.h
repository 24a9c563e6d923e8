/* A server that takes everything, keeps it, and answers after a fixed time. What it costs is not the uploaders' cost. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LONGEST_HEAD 16384
#define LONGEST_PATH 256

/* A request that arrived; its body follows in memory. The next one starts at the next multiple of eight bytes. */
struct arrival {
    size_t size;
    bool whole;
    char path[LONGEST_PATH];
};

/* What is answered. `text` lies in `own` where it is short, else in memory that `done_with` gives back. */
struct answer {
    char own[512];
    char *text;
    size_t size;
    size_t sent;
};

/* Since the last reset. Times are CLOCK_MONOTONIC's, in nanoseconds. */
struct counts {
    uint64_t requests;
    uint64_t bytes;
    uint64_t connections;
    uint64_t unknown_paths;
    uint64_t in_flight;
    uint64_t most_in_flight;
    int64_t first;
    int64_t latency;
    double cpu_before;
};

extern struct counts counts;

int64_t now(void);
double cpu_seconds(void);

void make_room(void);
void forget_arrivals(void);
struct arrival *new_arrival(const char *path, size_t size);
char *body_of(struct arrival *arrival);
struct arrival *arrival_after(struct arrival *arrival);

bool is_control(const char *path);
void answer_control(int fd, const char *path, struct answer *answer);
void answer_request(struct arrival *arrival, struct answer *answer);
void refuse(struct answer *answer, const char *status);
void done_with(struct answer *answer);

#endif
