/* Netduino Plus 2 (STM32F405RG). USART1 on PB6 (TX) and PB7 (RX), permit on PA0.
 * Registers: ST RM0090; pins: ST DS8626. */
#include "cortex_m.h"
#include "il_port.h"

#define RCC_CR REGISTER(0x40023800uL)
#define RCC_CR_HSIRDY 0x00000002uL
#define RCC_CR_HSEON 0x00010000uL
#define RCC_CR_HSERDY 0x00020000uL
#define RCC_CR_PLLON 0x01000000uL
#define RCC_CR_PLLRDY 0x02000000uL
#define RCC_PLLCFGR REGISTER(0x40023804uL)
/* 25 MHz crystal / 25 * 336 / 2 = 168 MHz, / 7 = 48 MHz */
#define RCC_PLLCFGR_168MHZ (25uL | (336uL << 6) | (0uL << 16) | (1uL << 22) | (7uL << 24))
#define RCC_CFGR REGISTER(0x40023808uL)
#define RCC_CFGR_APB1_4_APB2_2 ((5uL << 10) | (4uL << 13))
#define RCC_CFGR_SW_PLL 2uL
#define RCC_CFGR_SWS 0x0CuL
#define RCC_CFGR_SWS_PLL 0x08uL
#define RCC_AHB1ENR REGISTER(0x40023830uL)
#define RCC_AHB1ENR_GPIOA_GPIOB 0x03uL
#define RCC_APB2ENR REGISTER(0x40023844uL)
#define RCC_APB2ENR_USART1 0x10uL
#define RCC_CSR REGISTER(0x40023874uL)
#define RCC_CSR_RMVF 0x01000000uL
#define RCC_CSR_IWDGRSTF 0x20000000uL
#define FLASH_ACR REGISTER(0x40023C00uL)
#define FLASH_ACR_CACHES_5WS 0x705uL

#define GPIOA_MODER REGISTER(0x40020000uL)
#define GPIOA_BSRR REGISTER(0x40020018uL)
#define PERMIT 0x01u
#define GPIOB_MODER REGISTER(0x40020400uL)
#define GPIOB_AFRL REGISTER(0x40020420uL)

#define USART_SR REGISTER(0x40011000uL)
#define USART_SR_RXNE 0x20u
#define USART_SR_TXE 0x80u
#define USART_DR REGISTER(0x40011004uL)
#define USART_BRR REGISTER(0x40011008uL)
#define USART_CR1 REGISTER(0x4001100CuL)
#define USART_CR1_UE_RXNEIE_TE_RE 0x202Cu
#define USART1_INTERRUPT 37u

#define IWDG_KR REGISTER(0x40003000uL)
#define IWDG_PR REGISTER(0x40003004uL)
#define IWDG_RLR REGISTER(0x40003008uL)
#define IWDG_START 0xCCCCuL
#define IWDG_UNLOCK 0x5555uL
#define IWDG_RELOAD 0xAAAAuL
#define IWDG_BY_32 3uL /* about 1 kHz */
/* About 1 s: long enough for an emulator on a busy computer, were the watchdog modelled. Engineering
 * default. */
#define IWDG_COUNT 1000uL

#define UNIQUE_ID ((const volatile uint8_t *)0x1FFF7A10uL)
#define UNIQUE_ID_BYTES 12u

#define MHZ 168u
#define BAUD 921600uL
#define READY_LOOKS 1000000uL

static bool watchdog_bit;

/* The internal oscillator runs whenever the chip does, so its flag is 0 only where the clock tree does
 * not exist: in an emulator, which runs at 168 MHz without being asked. */
static bool is_emulated(void) { return (RCC_CR & RCC_CR_HSIRDY) == 0u; }

static void wait_for(volatile uint32_t *where, uint32_t mask, uint32_t value) {
    for (uint32_t looks = 0; (*where & mask) != value; looks++) {
        if (looks > READY_LOOKS) {
            il_port_restart(); /* without its crystal the board must not judge times */
        }
    }
}

static void start_pll(void) {
    FLASH_ACR = FLASH_ACR_CACHES_5WS;
    RCC_CR = RCC_CR | RCC_CR_HSEON;
    wait_for(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
    RCC_PLLCFGR = RCC_PLLCFGR_168MHZ;
    RCC_CR = RCC_CR | RCC_CR_PLLON;
    wait_for(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
    RCC_CFGR = RCC_CFGR_APB1_4_APB2_2 | RCC_CFGR_SW_PLL;
    wait_for(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL);
}

void board_start(void) {
    watchdog_bit = (RCC_CSR & RCC_CSR_IWDGRSTF) != 0u;
    RCC_CSR = RCC_CSR | RCC_CSR_RMVF;
    RCC_AHB1ENR = RCC_AHB1ENR | RCC_AHB1ENR_GPIOA_GPIOB;
    (void)RCC_AHB1ENR; /* a module answers two cycles after its clock was enabled */
    il_port_permit(false);
    GPIOA_MODER = (GPIOA_MODER & ~0x3uL) | 0x1uL;
    if (!is_emulated()) {
        start_pll();
    }
    cortex_start_clock(MHZ);

    RCC_APB2ENR = RCC_APB2ENR | RCC_APB2ENR_USART1;
    (void)RCC_APB2ENR;
    GPIOB_AFRL = (GPIOB_AFRL & ~0xFF000000uL) | 0x77000000uL; /* PB6, PB7: AF7 */
    GPIOB_MODER = (GPIOB_MODER & ~0x0000F000uL) | 0x0000A000uL;
    USART_BRR = ((MHZ / 2u) * 1000000uL) / BAUD;
    USART_CR1 = USART_CR1_UE_RXNEIE_TE_RE;
    cortex_enable_interrupt(USART1_INTERRUPT);

    IWDG_KR = IWDG_START;
    IWDG_KR = IWDG_UNLOCK;
    IWDG_PR = IWDG_BY_32;
    IWDG_RLR = IWDG_COUNT;
    IWDG_KR = IWDG_RELOAD;
}

bool board_watchdog_bit(void) { return watchdog_bit; }

bool board_send(uint8_t byte) {
    const bool room = (USART_SR & USART_SR_TXE) != 0u;
    if (room) {
        USART_DR = byte;
    }
    return room;
}

static void uart_interrupt(void) {
    if ((USART_SR & USART_SR_RXNE) != 0u) {
        ring_put(&cortex_received, (uint8_t)USART_DR);
    }
}

void il_port_permit(bool on) { GPIOA_BSRR = on ? PERMIT : ((uint32_t)PERMIT << 16); }

void il_port_kick(void) { IWDG_KR = IWDG_RELOAD; }

/* 96 bits of the chip folded into 64; lot and wafer stay apart. An emulator has no such memory, and
 * reading it is a fault. */
void il_port_unique_id(uint8_t id[8]) {
    static const uint8_t name[8] = {'S', 'T', 'M', '3', '2', 'E', 'M', 'U'};
    const bool emulated = is_emulated();
    for (uint8_t i = 0; i < 8u; i++) {
        id[i] = emulated ? name[i] : UNIQUE_ID[i];
    }
    for (uint8_t i = 8u; (i < UNIQUE_ID_BYTES) && !emulated; i++) {
        id[i - 8u] = (uint8_t)(id[i - 8u] ^ UNIQUE_ID[i]);
    }
}

typedef void (*handler)(void);

static const handler board_vectors[USART1_INTERRUPT + 1u] __attribute__((section(".board_vectors"), used)) = {
    [USART1_INTERRUPT] = uart_interrupt,
};
