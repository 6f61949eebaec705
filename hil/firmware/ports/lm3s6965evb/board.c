/* LM3S6965 evaluation kit. UART0 (PA0, PA1), permit on PF0 (the status LED).
 * Registers: Stellaris LM3S6965 data sheet; UART: ARM PrimeCell PL011 (DDI 0183). */
#include "cortex_m.h"
#include "il_port.h"

#define RIS REGISTER(0x400FE050uL)
#define RIS_PLLLRIS 0x40u
#define RESC REGISTER(0x400FE05CuL)
#define RESC_WDT 0x08u
#define RCC REGISTER(0x400FE060uL)
#define RCC_MOSCDIS 0x00000001uL
#define RCC_OSCSRC 0x00000030uL
#define RCC_XTAL 0x000003C0uL
#define RCC_XTAL_8MHZ 0x00000380uL
#define RCC_BYPASS 0x00000800uL
#define RCC_PWRDN 0x00002000uL
#define RCC_USESYSDIV 0x00400000uL
#define RCC_SYSDIV 0x07800000uL
#define RCC_SYSDIV_4 0x01800000uL /* PLL 200 MHz / 4 */
#define RCGC0 REGISTER(0x400FE100uL)
#define RCGC0_WDT 0x08u
#define RCGC1 REGISTER(0x400FE104uL)
#define RCGC1_UART0 0x01u
#define RCGC2 REGISTER(0x400FE108uL)
#define RCGC2_GPIOA 0x01u
#define RCGC2_GPIOF 0x20u

#define GPIOA_AFSEL REGISTER(0x40004420uL)
#define GPIOA_DEN REGISTER(0x4000451CuL)
#define GPIOA_UART0 0x03u
#define GPIOF_PERMIT REGISTER(0x40025004uL) /* data register seen through the mask of PF0 alone */
#define GPIOF_DIR REGISTER(0x40025400uL)
#define GPIOF_DEN REGISTER(0x4002551CuL)
#define PERMIT 0x01u

#define UARTDR REGISTER(0x4000C000uL)
#define UARTFR REGISTER(0x4000C018uL)
#define UARTFR_RXFE 0x10u
#define UARTFR_TXFF 0x20u
#define UARTIBRD REGISTER(0x4000C024uL)
#define UARTFBRD REGISTER(0x4000C028uL)
#define UARTLCRH REGISTER(0x4000C02CuL)
#define UARTLCRH_8N1_FIFO 0x70u
#define UARTCTL REGISTER(0x4000C030uL)
#define UARTCTL_ENABLE 0x301u
#define UARTIM REGISTER(0x4000C038uL)
#define UARTICR REGISTER(0x4000C044uL)
#define UART_RX_AND_TIMEOUT 0x50u
#define UART0_INTERRUPT 5u

#define WDTLOAD REGISTER(0x40000000uL)
#define WDTCTL REGISTER(0x40000008uL)
#define WDTCTL_INTEN_RESEN 0x03u
#define WDTLOCK REGISTER(0x40000C00uL)
#define WDTLOCK_KEY 0x1ACCE551uL
#define WDT_INTERRUPT 18u

#define MHZ 50u
/* 921 600 baud: 50 MHz / 16 / 921 600 = 3 + 25/64. */
#define BAUD_WHOLE 3u
#define BAUD_64THS 25u
/* First the interrupt, which restarts the board, then, if nothing does, the reset: at 1 s and at 2 s. Long
 * enough for an emulator on a busy computer; at 0.5 s it was not. Engineering default. */
#define WATCHDOG_STAGE (MHZ * 1000000uL)
#define LOCK_LOOKS 100000uL

static bool watchdog_bit;

static void start_pll(void) {
    RCC = (RCC | RCC_BYPASS) & ~RCC_USESYSDIV;
    RCC = (RCC & ~(RCC_MOSCDIS | RCC_OSCSRC | RCC_XTAL | RCC_PWRDN)) | RCC_XTAL_8MHZ;
    RCC = (RCC & ~RCC_SYSDIV) | RCC_SYSDIV_4 | RCC_USESYSDIV;
    for (uint32_t looks = 0; (RIS & RIS_PLLLRIS) == 0u; looks++) {
        if (looks > LOCK_LOOKS) {
            il_port_restart(); /* without its crystal the board must not judge times */
        }
    }
    RCC = RCC & ~RCC_BYPASS;
}

/* A restart in the middle of the interrupt leaves bytes that raise no other one, and a full FIFO takes no
 * more: a deaf board. The reset of the chip empties it; QEMU before 8.0 does not. */
static void empty_fifo(void) {
    UARTICR = UART_RX_AND_TIMEOUT;
    while ((UARTFR & UARTFR_RXFE) == 0u) { /* faster than any line fills it */
        (void)UARTDR;
    }
}

void board_start(void) {
    watchdog_bit = (RESC & RESC_WDT) != 0u;
    RESC = 0;
    RCGC2 = RCGC2 | RCGC2_GPIOA | RCGC2_GPIOF;
    RCGC1 = RCGC1 | RCGC1_UART0;
    RCGC0 = RCGC0 | RCGC0_WDT;
    (void)RCGC2; /* a module answers three cycles after its clock was enabled */
    GPIOF_DIR = GPIOF_DIR | PERMIT;
    il_port_permit(false);
    GPIOF_DEN = GPIOF_DEN | PERMIT;
    start_pll();
    cortex_start_clock(MHZ);

    GPIOA_AFSEL = GPIOA_AFSEL | GPIOA_UART0;
    GPIOA_DEN = GPIOA_DEN | GPIOA_UART0;
    UARTCTL = 0;
    UARTIBRD = BAUD_WHOLE;
    UARTFBRD = BAUD_64THS;
    UARTLCRH = UARTLCRH_8N1_FIFO;
    empty_fifo();
    UARTIM = UART_RX_AND_TIMEOUT;
    UARTCTL = UARTCTL_ENABLE;
    cortex_enable_interrupt(UART0_INTERRUPT);

    WDTLOCK = WDTLOCK_KEY;
    WDTLOAD = WATCHDOG_STAGE;
    WDTCTL = WDTCTL_INTEN_RESEN;
    cortex_enable_interrupt(WDT_INTERRUPT);
}

bool board_watchdog_bit(void) { return watchdog_bit; }

bool board_send(uint8_t byte) {
    const bool room = (UARTFR & UARTFR_TXFF) == 0u;
    if (room) {
        UARTDR = byte;
    }
    return room;
}

static void uart_interrupt(void) {
    UARTICR = UART_RX_AND_TIMEOUT;
    while ((UARTFR & UARTFR_RXFE) == 0u) { /* at most the 16 bytes of the FIFO and what comes meanwhile */
        ring_put(&cortex_received, (uint8_t)UARTDR);
    }
}

void il_port_permit(bool on) { GPIOF_PERMIT = on ? PERMIT : 0u; }

void il_port_kick(void) { WDTLOAD = WATCHDOG_STAGE; }

/* The chip has no number of its own: the same on every board. Tell boards apart by their USB adapter. */
void il_port_unique_id(uint8_t id[8]) {
    static const uint8_t name[8] = {'L', 'M', '3', 'S', '6', '9', '6', '5'};
    for (uint8_t i = 0; i < 8u; i++) {
        id[i] = name[i];
    }
}

typedef void (*handler)(void);

static const handler board_vectors[WDT_INTERRUPT + 1u] __attribute__((section(".board_vectors"), used)) = {
    [UART0_INTERRUPT] = uart_interrupt,
    [WDT_INTERRUPT] = il_port_restart,
};
