/* Answers by path: the three vendors', Elasticsearch's, and the benchmark's own control. */
#define _GNU_SOURCE
#include "server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ITEM "{\"index\":{\"status\":201}}"

static bool starts(const char *path, const char *beginning) { return strncmp(path, beginning, strlen(beginning)) == 0; }

/* Every answer names Elasticsearch: its client talks to nothing else, and no other client looks. */
static int head(char *text, size_t room, const char *status, size_t length) {
    return snprintf(text, room,
                    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Elastic-Product: Elasticsearch\r\n"
                    "Content-Length: %zu\r\n\r\n",
                    status, length);
}

static void say(struct answer *answer, const char *status, const char *body) {
    int size = head(answer->own, sizeof answer->own, status, strlen(body));
    size += snprintf(answer->own + size, sizeof answer->own - size, "%s", body);
    answer->text = answer->own;
    answer->size = size;
    answer->sent = 0;
}

void refuse(struct answer *answer, const char *status) { say(answer, status, "{}"); }

void done_with(struct answer *answer) {
    if (answer->text != answer->own) free(answer->text);
    answer->text = NULL;
}

/* An item for each document: a bulk request has two lines for one. */
static void say_items(struct answer *answer, struct arrival *arrival) {
    const char *line = body_of(arrival), *end = line + arrival->size;
    size_t lines = 0;
    while (line < end && (line = memchr(line, '\n', end - line))) lines++, line++;
    size_t items = lines / 2;
    const char *before = "{\"took\":1,\"errors\":false,\"items\":[", *after = "]}";
    size_t length = strlen(before) + items * strlen(ITEM) + (items ? items - 1 : 0) + strlen(after);
    char *text = answer->text = malloc(512 + length + 1);
    if (!text) abort();
    text += head(text, 512, "200 OK", length);
    text = stpcpy(text, before);
    for (size_t item = 0; item < items; item++) text = stpcpy(stpcpy(text, item ? "," : ""), ITEM);
    text = stpcpy(text, after);
    answer->size = text - answer->text;
    answer->sent = 0;
}

void answer_request(struct arrival *arrival, struct answer *answer) {
    const char *path = arrival->path;
    char body[128];
    if (starts(path, "/api/v1.1/samples")) {
        say(answer, "200 OK", "{}");
    } else if (starts(path, "/v1/user/profiles")) {
        say(answer, "200 OK", "{\"msg\":\"Success\",\"timestamp\":1}");
    } else if (starts(path, "/v1/user-data/")) {
        snprintf(body, sizeof body, "{\"uploadId\":\"00000000-0000-4000-8000-%012llx\"}",
                 (unsigned long long)counts.requests);
        say(answer, "200 OK", body);
    } else if (strstr(path, "/_bulk")) {
        say_items(answer, arrival);
    } else if (starts(path, "/api/status")) {
        say(answer, "200 OK", "{\"status\":\"Ok\",\"minimal_api_version\":\"1.1\"}");
    } else if (starts(path, "/v1/account")) {
        say(answer, "200 OK", "{\"id\":\"benchmark\",\"features\":[]}");
    } else if (strcmp(path, "/") == 0) {
        say(answer, "200 OK", "{\"version\":{\"number\":\"9.0.0\"},\"tagline\":\"You Know, for Search\"}");
    } else {
        counts.unknown_paths++;
        say(answer, "404 Not Found", "{}");
    }
}

static void write_all(int fd, const char *text, size_t size) {
    while (size) {
        ssize_t written = write(fd, text, size);
        if (written < 0) return; /* whoever asked is gone; the connection's next read will find out */
        text += written;
        size -= written;
    }
}

/* Each body after a line that says its path and its size. Nobody else is served meanwhile. */
static void write_bodies(int fd) {
    char line[LONGEST_PATH + 64];
    size_t total = 0;
    for (int writing = 0; writing < 2; writing++) {
        if (writing) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
            write_all(fd, line, head(line, sizeof line, "200 OK", total));
        }
        for (struct arrival *arrival = NULL; (arrival = arrival_after(arrival));) {
            if (!arrival->whole || !arrival->size) continue;
            char title[LONGEST_PATH + 64];
            int size = snprintf(title, sizeof title, "%s %zu\n", arrival->path, arrival->size);
            total += size + arrival->size;
            if (!writing) continue;
            write_all(fd, title, size);
            write_all(fd, body_of(arrival), arrival->size);
        }
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void say_counts(struct answer *answer) {
    char body[384];
    snprintf(body, sizeof body,
             "{\"requests\":%llu,\"bytes\":%llu,\"connections\":%llu,\"unknown_paths\":%llu,\"most_in_flight\":%llu,"
             "\"first\":%.6f,\"cpu\":%.6f}",
             (unsigned long long)counts.requests, (unsigned long long)counts.bytes,
             (unsigned long long)counts.connections, (unsigned long long)counts.unknown_paths,
             (unsigned long long)counts.most_in_flight, counts.first / 1e9, cpu_seconds() - counts.cpu_before);
    say(answer, "200 OK", body);
}

bool is_control(const char *path) { return starts(path, "/control/"); }

/* `/control/reset/<milliseconds>`, `/control/counts`, `/control/bodies`. */
void answer_control(int fd, const char *path, struct answer *answer) {
    if (starts(path, "/control/reset/")) {
        forget_arrivals();
        counts = (struct counts){.latency = (int64_t)(strtod(path + strlen("/control/reset/"), NULL) * 1e6),
                                 .cpu_before = cpu_seconds()};
        say(answer, "200 OK", "{}");
    } else if (starts(path, "/control/counts")) {
        say_counts(answer);
    } else if (starts(path, "/control/bodies")) {
        write_bodies(fd);
        answer->text = answer->own;
        answer->size = answer->sent = 0;
    } else {
        refuse(answer, "404 Not Found");
    }
}
