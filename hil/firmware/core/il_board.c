#include "il_board.h"

#include "il_config.h"
#include "il_link.h"
#include "il_port.h"
#include "il_table_data.h"

#ifndef IL_BUILD_ID
#define IL_BUILD_ID "unversioned"
#endif

static const IL_FLASH char table_digest[] = IL_TABLE_DIGEST;
static const IL_FLASH char build_id[] = IL_BUILD_ID;

/* A permit stands on inputs that were looked at just now. Without a scan for this long it falls, whatever
 * the reason; the next scan gives it again. Engineering default: a host that simulates may be slow. */
#define PERMIT_WITHOUT_SCAN_US 1000000uL

static il_core core;
static il_link link;

void il_board_start(void) {
    il_identity identity = {.table_digest = table_digest, .build = build_id, .unique_id = {0}};
    il_port_permit(false);
    il_port_unique_id(identity.unique_id);
    il_retained *retained = il_port_retained();
    il_reset(&core, &il_table_data, retained, il_asked_cause(retained, il_port_reset_cause()));
    il_link_start(&link, &core, &identity);
}

void il_board_poll(void) {
    il_link_event event = IL_LINK_IDLE;
    uint8_t byte;
    /* Bounded by the longest frame: a host that never stops sending must not hold up the watchdog. */
    for (uint16_t i = 0; (i < (uint16_t)IL_LINK_BUFFER) && (event == IL_LINK_IDLE) && il_port_read(&byte); i++) {
        event = il_link_take(&link, byte);
    }
    if ((event == IL_LINK_BROKEN) || (event == IL_LINK_RESTART)) {
        il_port_permit(false);
        il_distrust(il_port_retained());
        il_port_restart();
    }
    if ((il_port_micros() - link.scanned) > PERMIT_WITHOUT_SCAN_US) {
        il_port_permit(false);
    }
    il_port_kick();
}
