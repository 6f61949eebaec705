/* An ATmega328P in a process: simavr runs the firmware, USART0 is a unix socket.
 *
 *     simavr_board FIRMWARE SOCKET
 *
 * "ready" on standard output: the socket can be connected to. The processor starts with the first
 * connection; a later one finds it running. Standard input takes commands, each answered with a line:
 *
 *     r                      presses the reset button         reset
 *     p ADDRESS SIZE         loses power for a moment         reset
 *     s                      lowest stack pointer so far      stack N
 *     g ADDRESS SIZE         reads data memory                memory HEXADECIMAL
 *     w ADDRESS SIZE BYTES   writes data memory               written
 *
 * A command is one byte, ADDRESS and SIZE are two each, little-endian, without spaces. RAM outlives the
 * reset button; of a loss of power only what stands at ADDRESS does, the rest is noise before the processor
 * runs on. Ends when standard input does, so that it does not outlive who started it.
 *
 * Bytes reach the receiver at the pace of the baud rate that the firmware has set, so a receiver that is
 * too slow loses some, as it would on the bench. Time is the processor's: while it works it is as fast as
 * this computer, and while it sleeps about as slow as real time.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_irq.h>

#define FREQUENCY 16000000u
#define STEPS 4000 /* instructions between two looks at the socket */
#define BUFFER 65536u
#define HELD 3u /* instructions */

/* Registers of the ATmega328P (Microchip DS40002061, register summary). */
#define RAM_START 0x100u
#define MCUSR 0x54u
#define MCUSR_PORF 0x01u
#define MCUSR_EXTRF 0x02u
#define UCSR0A 0xC0u
#define UCSR0A_U2X0 0x02u
#define UCSR0A_UDRE0 0x20u
#define UCSR0B 0xC1u
#define UCSR0B_TXEN0 0x08u
#define UBRR0L 0xC4u
#define UBRR0H 0xC5u
#define SPL 0x5Du
#define SPH 0x5Eu

static avr_t *avr;
static int listener = -1, line = -1;
static uint8_t to_board[BUFFER], from_board[BUFFER];
static size_t to_first, to_end, from_size;
static bool feeding;
static uint16_t lowest_stack = 0xFFFFu;

static void fail(const char *what) {
    (void)fprintf(stderr, "simavr_board: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- receiver and transmitter ------------------------------------------------------------------ */

static avr_cycle_count_t cycles_per_byte(void) {
    const unsigned divisor = 1u + avr->data[UBRR0L] + ((avr->data[UBRR0H] & 0x0Fu) << 8);
    const unsigned per_bit = ((avr->data[UCSR0A] & UCSR0A_U2X0) != 0u) ? 8u : 16u;
    return (avr_cycle_count_t)divisor * per_bit * 10u; /* 8N1 */
}

static avr_cycle_count_t feed(avr_t *of, avr_cycle_count_t when, void *unused) {
    (void)unused;
    if (to_first == to_end) {
        feeding = false;
        return 0;
    }
    avr_raise_irq(avr_io_getirq(of, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), to_board[to_first]);
    to_first++;
    return when + cycles_per_byte();
}

static void transmitted(struct avr_irq_t *irq, uint32_t value, void *unused) {
    (void)irq;
    (void)unused;
    if (from_size < BUFFER) {
        from_board[from_size] = (uint8_t)value;
        from_size++;
    }
}

static void hang_up(void) {
    (void)close(line);
    line = -1;
    to_first = to_end = from_size = 0;
}

static void flush(void) {
    if (line < 0) {
        from_size = 0; /* nobody is connected: the bytes go nowhere, as on a bench */
    }
    if (from_size == 0u) {
        return;
    }
    const ssize_t sent = send(line, from_board, from_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
        from_size -= (size_t)sent;
        (void)memmove(from_board, &from_board[sent], from_size);
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        hang_up();
    }
}

/* ---- outside --------------------------------------------------------------------------------------- */

static void take_input(uint8_t *to, size_t size) {
    size_t taken = 0;
    while (taken < size) {
        const ssize_t got = read(STDIN_FILENO, &to[taken], size - taken);
        if (got == 0) {
            exit(0);
        }
        taken += (got > 0) ? (size_t)got : 0u;
    }
}

static void reset(uint8_t flag) {
    feeding = false; /* a reset drops all timers */
    to_first = to_end = 0;
    avr_reset(avr);
    avr->data[MCUSR] |= flag;
    (void)printf("reset\n");
}

static void take_place(size_t *address, size_t *size) {
    uint8_t place[4];
    take_input(place, sizeof place);
    *address = (size_t)place[0] | ((size_t)place[1] << 8);
    *size = (size_t)place[2] | ((size_t)place[3] << 8);
    if (*address + *size > (size_t)avr->ramend + 1u) {
        errno = EINVAL;
        fail("data memory");
    }
}

/* At once: the processor must not run on what is left of its memory. */
static void lose_power(void) {
    size_t kept, size;
    uint32_t noise = 1; /* xorshift32 (Marsaglia 2003) */
    take_place(&kept, &size);
    for (size_t at = RAM_START; at <= (size_t)avr->ramend; at++) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        if ((at < kept) || (at >= kept + size)) {
            avr->data[at] = (uint8_t)noise;
        }
    }
    reset(MCUSR_PORF);
}

static void access_memory(bool write) {
    size_t address, size;
    take_place(&address, &size);
    if (write) {
        take_input(&avr->data[address], size);
        (void)printf("written\n");
        return;
    }
    (void)printf("memory ");
    for (size_t i = 0; i < size; i++) {
        (void)printf("%02x", avr->data[address + i]);
    }
    (void)printf("\n");
}

static void command(void) {
    uint8_t byte;
    take_input(&byte, 1);
    if (byte == 'r') {
        reset(MCUSR_EXTRF);
    } else if (byte == 'p') {
        lose_power();
    } else if (byte == 'g' || byte == 'w') {
        access_memory(byte == 'w');
    } else if (byte == 's') {
        (void)printf("stack %u\n", lowest_stack);
    }
    (void)fflush(stdout);
}

/* Look at the line and at standard input, for so long at most. */
static void look(int64_t ns) {
    flush();
    const bool room = to_end < BUFFER;
    struct pollfd fds[2] = {
        {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
        {.fd = (line >= 0) ? line : listener, .events = (line < 0 || room) ? POLLIN : 0, .revents = 0},
    };
    const struct timespec wait = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    if (ppoll(fds, 2, (ns < 0) ? NULL : &wait, NULL) <= 0) {
        return;
    }
    if (fds[0].revents != 0) {
        command();
    }
    if (fds[1].revents == 0) {
        return;
    }
    if (line < 0) {
        line = accept(listener, NULL, NULL);
        return;
    }
    const ssize_t got = recv(line, &to_board[to_end], BUFFER - to_end, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        hang_up();
    } else if (got > 0) {
        to_end += (size_t)got;
    }
}

static void start_feeding(void) {
    if (to_first > 0u && to_first == to_end) {
        to_first = to_end = 0;
    }
    if (!feeding && to_first < to_end) {
        feeding = true;
        avr_cycle_timer_register(avr, cycles_per_byte(), feed, NULL);
    }
}

/* A transmitter that is switched on has room for a byte. simavr 1.6 has that right from a reset on only, and
 * Arduino's start-up code switches the transmitter off first. */
static void watch_transmitter(void) {
    static bool before;
    const bool on = (avr->data[UCSR0B] & UCSR0B_TXEN0) != 0u;
    if (on && !before) {
        avr->data[UCSR0A] |= UCSR0A_UDRE0;
    }
    before = on;
}

/* The processor sleeps until its next timer: as long as that takes, or until a byte comes. */
static void sleep_until(avr_t *of, avr_cycle_count_t cycles) {
    (void)of;
    look(feeding ? 0 : (int64_t)(cycles * (1000000000u / FREQUENCY)));
}

static void say_errors(avr_t *of, const int level, const char *format, va_list values) {
    (void)of;
    if (level <= LOG_ERROR) {
        (void)vfprintf(stderr, format, values);
    }
}

/* A frame is opened in two writes to the stack pointer, so a value counts once it has stayed a while. */
static void watch_stack(void) {
    static uint16_t last;
    static unsigned held;
    const uint16_t stack = (uint16_t)(avr->data[SPL] | (avr->data[SPH] << 8));
    held = (stack == last) ? (held + 1u) : 0u;
    last = stack;
    if (held == HELD && stack < lowest_stack && stack > 0u) {
        lowest_stack = stack;
    }
}

/* ---- start ----------------------------------------------------------------------------------------- */

static void listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    (void)strcpy(address.sun_path, path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0) {
        fail(path);
    }
}

static void load(const char *path) {
    elf_firmware_t firmware;
    (void)memset(&firmware, 0, sizeof firmware);
    avr_global_logger_set(say_errors);
    if (elf_read_firmware(path, &firmware) != 0) {
        errno = ENOENT;
        fail(path);
    }
    avr = avr_make_mcu_by_name("atmega328p");
    if (avr == NULL) {
        errno = ENODEV;
        fail("atmega328p");
    }
    (void)avr_init(avr);
    avr->frequency = FREQUENCY;
    avr->sleep = sleep_until;
    avr_load_firmware(avr, &firmware);
    uint32_t flags = 0; /* neither print what is sent nor sleep when the receiver is polled */
    (void)avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), transmitted, NULL);
}

int main(int count, char **arguments) {
    if (count != 3) {
        (void)fprintf(stderr, "usage: %s FIRMWARE SOCKET\n", arguments[0]);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    load(arguments[1]);
    listen_at(arguments[2]);
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (line < 0) {
        look(-1);
    }
    for (;;) {
        for (int i = 0; i < STEPS; i++) {
            const int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                errno = EFAULT;
                fail("the firmware stopped");
            }
            watch_stack();
            watch_transmitter();
            start_feeding();
        }
        look(0);
    }
}
