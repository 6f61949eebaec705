/* The firmware as a process: the wire on standard input and output.
 *
 * A restart is real: the process executes itself anew, so all its memory is as after power-on. What a
 * board keeps in .noinit memory is a file without a name, mapped here and handed on by its number.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "il_board.h"
#include "il_port.h"

#define WRITE_TIMEOUT_MS 5000
#define NO_FILE (-1)

static char *program;
static il_retained *retained;
static int retained_file = NO_FILE;
static int restarted;
static uint8_t unique_id[8];
static uint8_t received[512];
static size_t taken, available;

static void fail(const char *what) {
    (void)fprintf(stderr, "interlock firmware: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Whether the descriptor became ready; exits when the host has gone. */
static int wait_for(int descriptor, short event, int timeout_ms) {
    struct pollfd one = {.fd = descriptor, .events = event, .revents = 0};
    const int ready = poll(&one, 1, timeout_ms);
    if (ready < 0 && errno != EINTR) {
        fail("poll");
    }
    return ready > 0;
}

bool il_port_read(uint8_t *byte) {
    if (taken == available) {
        if (!wait_for(STDIN_FILENO, POLLIN, 0)) {
            return false;
        }
        const ssize_t got = read(STDIN_FILENO, received, sizeof received);
        if (got == 0) {
            exit(0); /* the host closed the wire */
        }
        if (got < 0) {
            if (errno == EINTR || errno == EAGAIN) {
                return false;
            }
            fail("read");
        }
        taken = 0;
        available = (size_t)got;
    }
    *byte = received[taken];
    taken++;
    return true;
}

/* Collected until a frame ends: one system call a reply. */
static uint8_t pending[1024];
static size_t pending_size;

static void flush(void) {
    size_t sent = 0;
    while (sent < pending_size) {
        if (!wait_for(STDOUT_FILENO, POLLOUT, WRITE_TIMEOUT_MS)) {
            errno = ETIMEDOUT;
            fail("the host does not read");
        }
        const ssize_t put = write(STDOUT_FILENO, &pending[sent], pending_size - sent);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            exit(0); /* the host closed the wire */
        }
        sent += (put > 0) ? (size_t)put : 0u;
    }
    pending_size = 0;
}

void il_port_write(const uint8_t *data, uint16_t size) {
    for (uint16_t i = 0; i < size; i++) {
        pending[pending_size] = data[i];
        pending_size++;
        if (data[i] == 0u || pending_size == sizeof pending) {
            flush();
        }
    }
}

uint32_t il_port_micros(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

static volatile bool permit_pin; /* nothing is connected to it here */

void il_port_permit(bool on) { permit_pin = on; }

void il_port_kick(void) {}

void il_port_restart(void) {
    char file[16];
    char id[17];
    (void)snprintf(file, sizeof file, "%d", retained_file);
    for (size_t i = 0; i < sizeof unique_id; i++) {
        (void)snprintf(&id[2 * i], 3, "%02x", unique_id[i]);
    }
    char again[] = "restarted";
    char *const arguments[] = {program, id, file, again, NULL};
    (void)execv(program, arguments);
    fail("restart");
}

il_reset_cause il_port_reset_cause(void) { return restarted ? IL_RESET_WATCHDOG : IL_RESET_POWER; }

void il_port_unique_id(uint8_t id[8]) { (void)memcpy(id, unique_id, sizeof unique_id); }

il_retained *il_port_retained(void) { return retained; }

static void map_retained(void) {
    if (retained_file == NO_FILE) {
        char name[] = "/tmp/interlock_retained_XXXXXX";
        retained_file = mkstemp(name);
        if (retained_file < 0 || unlink(name) != 0) {
            fail("retained memory");
        }
    }
    if (ftruncate(retained_file, sizeof *retained) != 0) { /* what is new of it is zero */
        fail("retained memory");
    }
    void *memory = mmap(NULL, sizeof *retained, PROT_READ | PROT_WRITE, MAP_SHARED, retained_file, 0);
    if (memory == MAP_FAILED) {
        fail("retained memory");
    }
    retained = memory;
}

static void read_unique_id(const char *digits) {
    for (size_t i = 0; i < sizeof unique_id; i++) {
        unsigned value = 0;
        if (sscanf(&digits[2 * i], "%2x", &value) != 1) {
            errno = EINVAL;
            fail("the unique id is not 16 hexadecimal digits");
        }
        unique_id[i] = (uint8_t)value;
    }
}

/* Arguments: the path of the program, [unique id, [descriptor of retained memory, [restarted]]]. Whoever
 * started it may keep that file, and start it again with it as after a loss of power. */
int main(int count, char **arguments) {
    program = arguments[0];
    if (count > 1) {
        if (strlen(arguments[1]) != 2 * sizeof unique_id) {
            errno = EINVAL;
            fail("the unique id is not 16 hexadecimal digits");
        }
        read_unique_id(arguments[1]);
    }
    if (count > 2) {
        retained_file = atoi(arguments[2]);
    }
    restarted = count > 3;
    map_retained();
    il_board_start();
    for (;;) {
        il_board_poll();
        if (taken == available) {
            (void)wait_for(STDIN_FILENO, POLLIN, -1); /* nothing to do until the host says something */
        }
    }
}
