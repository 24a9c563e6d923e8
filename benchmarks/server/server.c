/* One thread, one loop: connections that stay open, bodies received where they are kept, answers after a fixed time. */
#define _GNU_SOURCE
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum state { HEAD, BODY, WAITING, ANSWERING };

struct connection {
    int fd;
    enum state state;
    size_t held; /* bytes in `head`: what was received and not yet used */
    char head[LONGEST_HEAD + 1];
    struct arrival *arrival;
    size_t got;
    struct answer answer;
    bool last; /* closed after this answer */
    int64_t due;
    struct connection *next;
};

struct counts counts;

static int loop, timer;
/* Waiting answers. All wait equally long, so the first to come is the first to go. */
static struct connection *first_waiting, *last_waiting;

int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void set_timer(void) {
    struct itimerspec when = {0};
    if (first_waiting) {
        when.it_value.tv_sec = first_waiting->due / 1000000000;
        when.it_value.tv_nsec = first_waiting->due % 1000000000;
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void wait_in_line(struct connection *connection) {
    connection->state = WAITING;
    connection->due = now() + counts.latency;
    connection->next = NULL;
    if (first_waiting) {
        last_waiting = last_waiting->next = connection;
    } else {
        first_waiting = last_waiting = connection;
        set_timer();
    }
}

static const char *header(const char *head, const char *name) {
    const char *found = strcasestr(head, name);
    return found ? found + strlen(name) : NULL;
}

static void refuse_and_close(struct connection *connection, const char *status) {
    refuse(&connection->answer, status);
    connection->last = true;
    connection->state = ANSWERING;
}

/* Start a request of which the whole head is there; what came of its body moves to its place. */
static void start_request(struct connection *connection, char *end) {
    char path[LONGEST_PATH] = "";
    *end = '\0';
    sscanf(connection->head, "%*s %255s", path);
    const char *length = header(connection->head, "\r\ncontent-length:");
    const char *closing = header(connection->head, "\r\nconnection:");
    bool expects = header(connection->head, "\r\nexpect:") != NULL;
    connection->last = closing && strncasecmp(closing + strspn(closing, " "), "close", 5) == 0;
    if (header(connection->head, "\r\ntransfer-encoding:")) return refuse_and_close(connection, "411 Length Required");
    size_t used = end + 4 - connection->head;
    if (is_control(path)) {
        answer_control(connection->fd, path, &connection->answer);
        connection->state = ANSWERING;
        connection->held = 0;
        return;
    }
    size_t size = length ? strtoull(length, NULL, 10) : 0;
    struct arrival *arrival = connection->arrival = new_arrival(path, size);
    if (!arrival) return refuse_and_close(connection, "507 Insufficient Storage");
    if (size && !counts.first) counts.first = now();
    if (++counts.in_flight > counts.most_in_flight) counts.most_in_flight = counts.in_flight;
    size_t here = connection->held - used < size ? connection->held - used : size;
    memcpy(body_of(arrival), connection->head + used, here);
    connection->held -= used + here;
    memmove(connection->head, connection->head + used + here, connection->held);
    connection->got = here;
    connection->state = BODY;
    if (expects && here < size) send(connection->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
}

static void finish_request(struct connection *connection) {
    connection->arrival->whole = true;
    if (connection->arrival->size) {
        counts.requests++;
        counts.bytes += connection->arrival->size;
    }
    answer_request(connection->arrival, &connection->answer);
    if (counts.latency && connection->arrival->size)
        wait_in_line(connection);
    else
        connection->state = ANSWERING;
}

/* Read what is there. False: nothing is there now, or the connection is over and gone. */
static bool receive(struct connection *connection, char *into, size_t room, size_t *grows) {
    ssize_t size = recv(connection->fd, into, room, 0);
    if (size > 0) {
        *grows += size;
        return true;
    }
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        if (connection->state == BODY) counts.in_flight--;
        close(connection->fd);
        free(connection);
    }
    return false;
}

static bool read_head(struct connection *connection) {
    connection->head[connection->held] = '\0';
    char *end = connection->held ? strstr(connection->head, "\r\n\r\n") : NULL;
    if (end) {
        start_request(connection, end);
        return true;
    }
    if (connection->held == LONGEST_HEAD) {
        refuse_and_close(connection, "431 Request Header Fields Too Large");
        return true;
    }
    return receive(connection, connection->head + connection->held, LONGEST_HEAD - connection->held, &connection->held);
}

static bool read_body(struct connection *connection) {
    struct arrival *arrival = connection->arrival;
    if (connection->got == arrival->size) {
        finish_request(connection);
        return true;
    }
    return receive(connection, body_of(arrival) + connection->got, arrival->size - connection->got, &connection->got);
}

static bool write_answer(struct connection *connection) {
    struct answer *answer = &connection->answer;
    if (answer->sent < answer->size) {
        ssize_t size = send(connection->fd, answer->text + answer->sent, answer->size - answer->sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EAGAIN) return false;
        answer->sent = size < 0 ? answer->size : answer->sent + size;
        connection->last |= size < 0;
        if (answer->sent < answer->size) return true;
    }
    done_with(answer);
    if (connection->arrival) counts.in_flight--;
    connection->arrival = NULL;
    connection->state = HEAD;
    if (!connection->last) return true;
    close(connection->fd);
    free(connection);
    return false;
}

/* Go on with a connection as far as it goes: the loop tells only of what is new. */
static void advance(struct connection *connection) {
    bool goes_on = true;
    while (goes_on) {
        if (connection->state == HEAD)
            goes_on = read_head(connection);
        else if (connection->state == BODY)
            goes_on = read_body(connection);
        else if (connection->state == ANSWERING)
            goes_on = write_answer(connection);
        else
            goes_on = false;
    }
}

static void answer_those_due(void) {
    uint64_t times;
    if (read(timer, &times, sizeof times) < 0) return;
    int64_t moment = now();
    while (first_waiting && first_waiting->due <= moment) {
        struct connection *connection = first_waiting;
        first_waiting = connection->next;
        connection->state = ANSWERING;
        advance(connection);
    }
    set_timer();
}

static void accept_all(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) abort();
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connection->fd = fd;
        counts.connections++;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_on_loopback(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("can't listen");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(void) {
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with the benchmark, however that ends */
    make_room();
    loop = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int listener = listen_on_loopback();
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    epoll_ctl(loop, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &timer});
    struct epoll_event events[128];
    for (;;) {
        int number = epoll_wait(loop, events, 128, -1);
        bool some_due = false;
        for (int index = 0; index < number; index++) {
            void *source = events[index].data.ptr;
            if (!source)
                accept_all(listener);
            else if (source == &timer)
                some_due = true;
            else
                advance(source);
        }
        if (some_due) answer_those_due(); /* last: it may free a connection that one of these events is about */
    }
}
