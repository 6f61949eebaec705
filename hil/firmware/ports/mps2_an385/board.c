/* Arm MPS2 with application note AN385 (Cortex-M3 on an FPGA). UART0, permit on user LED 0.
 * Registers: ARM DAI 0385 (memory map), Cortex-M System Design Kit TRM (ARM DDI 0479): UART, watchdog. */
#include "cortex_m.h"
#include "il_port.h"

#define UART_DATA REGISTER(0x40004000uL)
#define UART_STATE REGISTER(0x40004004uL)
#define UART_STATE_TXFULL 0x01u
#define UART_STATE_RXFULL 0x02u
#define UART_CTRL REGISTER(0x40004008uL)
#define UART_CTRL_TX_RX_RXINT 0x0Bu
#define UART_INTCLEAR REGISTER(0x4000400CuL)
#define UART_INTCLEAR_RX 0x02u
#define UART_BAUDDIV REGISTER(0x40004010uL)
#define UART0_RX_INTERRUPT 0u

#define WDOGLOAD REGISTER(0x40008000uL)
#define WDOGCONTROL REGISTER(0x40008008uL)
#define WDOGCONTROL_INTEN_RESEN 0x03u
#define WDOGLOCK REGISTER(0x40008C00uL)
#define WDOGLOCK_KEY 0x1ACCE551uL

#define FPGAIO_LED REGISTER(0x40028000uL)
#define PERMIT 0x01u

#define MHZ 25u
#define BAUD 921600uL
/* First the NMI, then, if nothing restarts the board, the reset: at 1 s and at 2 s. Long enough for an
 * emulator on a busy computer. Engineering default. */
#define WATCHDOG_STAGE (MHZ * 1000000uL)

void board_start(void) {
    il_port_permit(false);
    cortex_start_clock(MHZ);
    UART_BAUDDIV = (MHZ * 1000000uL) / BAUD;
    UART_CTRL = UART_CTRL_TX_RX_RXINT;
    cortex_enable_interrupt(UART0_RX_INTERRUPT);
    WDOGLOCK = WDOGLOCK_KEY;
    WDOGLOAD = WATCHDOG_STAGE;
    WDOGCONTROL = WDOGCONTROL_INTEN_RESEN;
}

/* The NMI of the watchdog leaves a note; the chip's own record is not in every build of the FPGA. */
bool board_watchdog_bit(void) { return false; }

bool board_send(uint8_t byte) {
    const bool room = (UART_STATE & UART_STATE_TXFULL) == 0u;
    if (room) {
        UART_DATA = byte;
    }
    return room;
}

static void uart_interrupt(void) {
    UART_INTCLEAR = UART_INTCLEAR_RX; /* before the byte is taken: the next one raises it again */
    if ((UART_STATE & UART_STATE_RXFULL) != 0u) {
        ring_put(&cortex_received, (uint8_t)UART_DATA);
    }
}

void il_port_permit(bool on) { FPGAIO_LED = on ? PERMIT : 0u; }

void il_port_kick(void) { WDOGLOAD = WATCHDOG_STAGE; }

/* The FPGA has no number of its own: the same on every board. Tell boards apart by their USB adapter. */
void il_port_unique_id(uint8_t id[8]) {
    static const uint8_t name[8] = {'M', 'P', 'S', '2', 'A', '3', '8', '5'};
    for (uint8_t i = 0; i < 8u; i++) {
        id[i] = name[i];
    }
}

typedef void (*handler)(void);

static const handler board_vectors[UART0_RX_INTERRUPT + 1u] __attribute__((section(".board_vectors"), used)) = {
    [UART0_RX_INTERRUPT] = uart_interrupt,
};
