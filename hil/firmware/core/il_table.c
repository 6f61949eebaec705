/* Check sums over the table, so that no limit is used that a flipped bit has changed.
 *
 * A sum rotates and adds a byte at a time. Both steps can be undone, so the difference that one flipped
 * bit makes never vanishes. The generator (firmware_model/image.py) adds the same bytes: numbers in the
 * order of the structures, little-endian as on every processor here, without the holes between them.
 *
 * A flipped bit in what a row names its parts by, a place or a number, leads to other parts, whose bytes
 * may make up for it. The generator puts all parts in a row without a gap; that is compared as well.
 */
#include "il_table.h"

#include <stddef.h>

/* Bytes from one member of a structure to the end of another, between which there are no holes. */
#define SPAN(type, first, last) (offsetof(type, last) + sizeof(((type *)0)->last) - offsetof(type, first))

/* Where a sum begins: a pointer that leads to nothing but zeros finds no table there. */
#define NOT_NOTHING 0x5A00u

static uint16_t add(uint16_t before, const IL_FLASH void *data, size_t size) {
    const IL_FLASH uint8_t *byte = (const IL_FLASH uint8_t *)data;
    uint16_t sum = before;
    for (size_t i = 0; i < size; i++) {
        sum = (uint16_t)((uint16_t)((uint16_t)(sum << 8) | (sum >> 8)) + byte[i]);
    }
    return sum;
}

static uint16_t add_sums(uint16_t before, const IL_FLASH il_table *table, uint16_t first, uint8_t size) {
    uint16_t sum = before;
    for (uint16_t i = first; (i < (first + size)) && (i < table->sums); i++) {
        const IL_FLASH il_sum *part = &table->sum[i];
        sum = add(sum, part, SPAN(il_sum, constant, size));
        for (uint16_t t = part->first; (t < (part->first + part->size)) && (t < table->terms); t++) {
            sum = add(sum, &table->term[t], SPAN(il_term, coefficient, signal));
        }
    }
    return sum;
}

/* A row and everything its condition names. */
static uint16_t sum_of_row(const IL_FLASH il_table *table, uint8_t number) {
    const IL_FLASH il_row *row = &table->row[number];
    const uint16_t end = (uint16_t)(row->first + row->size);
    uint16_t sum = add((uint16_t)(NOT_NOTHING + number), row, SPAN(il_row, kind, counter));
    sum = add(sum, &row->first, SPAN(il_row, first, latches_in));
    if (row->kind != (uint8_t)IL_COMPARISON) {
        if (end > table->params) {
            return (uint16_t)~row->check; /* damaged for certain */
        }
        return add(sum, &table->param[row->first], row->size * sizeof(int32_t));
    }
    for (uint16_t i = row->first; (i < end) && (i < table->alternatives); i++) {
        const IL_FLASH il_alternative *alternative = &table->alternative[i];
        sum = add(sum, alternative, SPAN(il_alternative, first, size));
        sum = add_sums(sum, table, alternative->first, alternative->size);
    }
    return sum;
}

/* What belongs to no row. */
static uint16_t sum_of_rest(const IL_FLASH il_table *table) {
    uint16_t sum = add(NOT_NOTHING, table, SPAN(il_table, signals, params));
    sum = add(sum, table->safe, table->signals * sizeof table->safe[0]);
    for (uint8_t i = 0; i < table->proofs; i++) {
        sum = add(sum, &table->proof[i], 1u + ((table->rows + 7u) / 8u));
    }
    return sum;
}

/* Whether all parts lie in a row without a gap, and are all that there are. */
static bool parts_in_a_row(const IL_FLASH il_table *table) {
    uint16_t alternatives = 0;
    uint16_t params = 0;
    uint16_t sums = 0;
    uint16_t terms = 0;
    bool in_order = true;
    for (uint8_t i = 0; i < table->rows; i++) {
        const IL_FLASH il_row *row = &table->row[i];
        uint16_t *end = (row->kind == (uint8_t)IL_COMPARISON) ? &alternatives : &params;
        in_order = in_order && (row->first == *end);
        *end = (uint16_t)(*end + row->size);
    }
    for (uint16_t i = 0; i < table->alternatives; i++) {
        in_order = in_order && (table->alternative[i].first == sums);
        sums = (uint16_t)(sums + table->alternative[i].size);
    }
    for (uint16_t i = 0; i < table->sums; i++) {
        in_order = in_order && (table->sum[i].first == terms);
        terms = (uint16_t)(terms + table->sum[i].size);
    }
    return in_order && (alternatives == table->alternatives) && (params == table->params) &&
           (sums == table->sums) && (terms == table->terms);
}

bool il_table_piece_is_whole(const IL_FLASH il_table *table, uint8_t piece) {
    if (piece < table->rows) {
        return sum_of_row(table, piece) == table->row[piece].check;
    }
    return (sum_of_rest(table) == table->check) && parts_in_a_row(table);
}
