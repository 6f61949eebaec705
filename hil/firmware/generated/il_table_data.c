/* Generated from an interlock table by `interlock table codegen`; do not edit. */
#include "il_table_data.h"

static const IL_FLASH int32_t safe[] = {
    0, /* door_contact_a */
    0, /* door_contact_b */
    0, /* last_person_out */
    0, /* emergency_loop */
    0, /* viewing_link */
    0, /* key_switch */
    0, /* touch_guard */
    0, /* clearance */
    0, /* dose_primary */
    0, /* dose_secondary */
    0, /* dose_supply */
    0, /* pulse_dose */
    1000, /* symmetry_radial */
    1000, /* symmetry_transverse */
    0, /* dose_planned_at_gantry */
    0, /* beam_energy */
    0, /* bend_current */
    0, /* mode_sensed */
    100000, /* carousel_a */
    0, /* carousel_b */
    0, /* carousel_c */
    100000, /* target_position */
    0, /* accessory_sensed */
    -100000, /* gantry */
    -100000, /* collimator */
    -1000000, /* couch_vertical */
    -1000000, /* couch_longitudinal */
    -1000000, /* couch_lateral */
    -100000, /* couch_rotation */
    100000, /* jaw_error */
    100000, /* mlc_error */
    0, /* gate_open */
    0, /* gate_heartbeat */
    0, /* surrogate_in_range */
    1, /* sequence_hold */
    100000, /* image_shift_residual */
    0, /* image_age_override */
    0, /* override_plan */
    1000000, /* image_age */
    1000, /* daily_output */
    0, /* water_flow */
    1500, /* water_temperature */
    0, /* gas_pressure */
    100000, /* vacuum_current */
    0, /* air_pressure */
    0, /* heartbeat_linac */
    0, /* heartbeat_console */
    0, /* preset_meterset */
    0, /* time_set */
    0, /* dose_rate_set */
    0, /* dose_rate_max */
    0, /* pulse_dose_set */
    0, /* energy_set */
    0, /* bend_current_set */
    0, /* mode_selected */
    0, /* carousel_set */
    0, /* target_position_set */
    0, /* accessory_selected */
    100000, /* gantry_set */
    100000, /* collimator_set */
    1000000, /* couch_vertical_set */
    1000000, /* couch_longitudinal_set */
    1000000, /* couch_lateral_set */
    100000, /* couch_rotation_set */
    0, /* static_beam */
    0, /* arc_beam */
    0, /* gating_enabled */
    0, /* free_breathing */
    0, /* parameters_token */
    0, /* patient_confirmed */
    0, /* patient_selected */
    0, /* plan_confirmed */
    0, /* plan_selected */
    0, /* target_confirmed */
    0, /* target_selected */
    0, /* fraction_confirmed */
    0, /* fraction_selected */
    0, /* console_table_digest */
    0, /* fraction_cleared */
    1000, /* cross_dose_change */
    0, /* cross_dose_accepted */
    100000, /* target_dose */
    100000, /* organ_dose */
};

static const IL_FLASH il_term terms[] = {
    {-1, 0}, /* door_contact_a */
    {-1, 1}, /* door_contact_b */
    {1, 0}, /* door_contact_a */
    {-1, 1}, /* door_contact_b */
    {-1, 0}, /* door_contact_a */
    {1, 1}, /* door_contact_b */
    {-1, 2}, /* last_person_out */
    {-1, 3}, /* emergency_loop */
    {-1, 4}, /* viewing_link */
    {-1, 5}, /* key_switch */
    {-1, 6}, /* touch_guard */
    {-1, 7}, /* clearance */
    {1, 8}, /* dose_primary */
    {-1, 47}, /* preset_meterset */
    {1, 9}, /* dose_secondary */
    {-1, 47}, /* preset_meterset */
    {10, 9}, /* dose_secondary */
    {-11, 47}, /* preset_meterset */
    {1, 9}, /* dose_secondary */
    {-1, 8}, /* dose_primary */
    {50, 9}, /* dose_secondary */
    {-51, 8}, /* dose_primary */
    {-1, 9}, /* dose_secondary */
    {1, 8}, /* dose_primary */
    {-50, 9}, /* dose_secondary */
    {49, 8}, /* dose_primary */
    {-1, 10}, /* dose_supply */
    {1, 11}, /* pulse_dose */
    {-3, 51}, /* pulse_dose_set */
    {-1, 12}, /* symmetry_radial */
    {1, 12}, /* symmetry_radial */
    {-1, 13}, /* symmetry_transverse */
    {1, 13}, /* symmetry_transverse */
    {1, 15}, /* beam_energy */
    {-1, 52}, /* energy_set */
    {5, 15}, /* beam_energy */
    {-6, 52}, /* energy_set */
    {-1, 15}, /* beam_energy */
    {1, 52}, /* energy_set */
    {-5, 15}, /* beam_energy */
    {4, 52}, /* energy_set */
    {100, 16}, /* bend_current */
    {-101, 53}, /* bend_current_set */
    {-100, 16}, /* bend_current */
    {99, 53}, /* bend_current_set */
    {1, 17}, /* mode_sensed */
    {-1, 54}, /* mode_selected */
    {-1, 17}, /* mode_sensed */
    {1, 54}, /* mode_selected */
    {1, 17}, /* mode_sensed */
    {-1, 17}, /* mode_sensed */
    {1, 18}, /* carousel_a */
    {-1, 55}, /* carousel_set */
    {-1, 18}, /* carousel_a */
    {1, 55}, /* carousel_set */
    {1, 19}, /* carousel_b */
    {-1, 18}, /* carousel_a */
    {-1, 19}, /* carousel_b */
    {1, 18}, /* carousel_a */
    {1, 20}, /* carousel_c */
    {-1, 18}, /* carousel_a */
    {-1, 20}, /* carousel_c */
    {1, 18}, /* carousel_a */
    {1, 21}, /* target_position */
    {-1, 56}, /* target_position_set */
    {-1, 21}, /* target_position */
    {1, 56}, /* target_position_set */
    {1, 22}, /* accessory_sensed */
    {-1, 57}, /* accessory_selected */
    {-1, 22}, /* accessory_sensed */
    {1, 57}, /* accessory_selected */
    {1, 22}, /* accessory_sensed */
    {-1, 22}, /* accessory_sensed */
    {1, 30}, /* mlc_error */
    {1, 30}, /* mlc_error */
    {1, 29}, /* jaw_error */
    {1, 23}, /* gantry */
    {-1, 58}, /* gantry_set */
    {-1, 23}, /* gantry */
    {1, 58}, /* gantry_set */
    {1, 24}, /* collimator */
    {-1, 59}, /* collimator_set */
    {-1, 24}, /* collimator */
    {1, 59}, /* collimator_set */
    {1, 25}, /* couch_vertical */
    {-1, 60}, /* couch_vertical_set */
    {-1, 25}, /* couch_vertical */
    {1, 60}, /* couch_vertical_set */
    {1, 26}, /* couch_longitudinal */
    {-1, 61}, /* couch_longitudinal_set */
    {-1, 26}, /* couch_longitudinal */
    {1, 61}, /* couch_longitudinal_set */
    {1, 27}, /* couch_lateral */
    {-1, 62}, /* couch_lateral_set */
    {-1, 27}, /* couch_lateral */
    {1, 62}, /* couch_lateral_set */
    {1, 28}, /* couch_rotation */
    {-1, 63}, /* couch_rotation_set */
    {-1, 28}, /* couch_rotation */
    {1, 63}, /* couch_rotation_set */
    {-1, 31}, /* gate_open */
    {1, 31}, /* gate_open */
    {1, 31}, /* gate_open */
    {-1, 31}, /* gate_open */
    {-1, 33}, /* surrogate_in_range */
    {1, 34}, /* sequence_hold */
    {1, 35}, /* image_shift_residual */
    {1, 38}, /* image_age */
    {1, 37}, /* override_plan */
    {-1, 72}, /* plan_selected */
    {-1, 37}, /* override_plan */
    {1, 72}, /* plan_selected */
    {1, 37}, /* override_plan */
    {-1, 37}, /* override_plan */
    {-1, 39}, /* daily_output */
    {1, 39}, /* daily_output */
    {1, 69}, /* patient_confirmed */
    {-1, 70}, /* patient_selected */
    {-1, 69}, /* patient_confirmed */
    {1, 70}, /* patient_selected */
    {1, 69}, /* patient_confirmed */
    {-1, 69}, /* patient_confirmed */
    {1, 71}, /* plan_confirmed */
    {-1, 72}, /* plan_selected */
    {-1, 71}, /* plan_confirmed */
    {1, 72}, /* plan_selected */
    {1, 71}, /* plan_confirmed */
    {-1, 71}, /* plan_confirmed */
    {1, 73}, /* target_confirmed */
    {-1, 74}, /* target_selected */
    {-1, 73}, /* target_confirmed */
    {1, 74}, /* target_selected */
    {1, 73}, /* target_confirmed */
    {-1, 73}, /* target_confirmed */
    {1, 75}, /* fraction_confirmed */
    {-1, 76}, /* fraction_selected */
    {-1, 75}, /* fraction_confirmed */
    {1, 76}, /* fraction_selected */
    {1, 75}, /* fraction_confirmed */
    {-1, 75}, /* fraction_confirmed */
    {-1, 78}, /* fraction_cleared */
    {1, 79}, /* cross_dose_change */
    {-1, 80}, /* cross_dose_accepted */
    {-1, 79}, /* cross_dose_change */
    {1, 80}, /* cross_dose_accepted */
    {1, 81}, /* target_dose */
    {1, 82}, /* organ_dose */
    {-1, 40}, /* water_flow */
    {-1, 41}, /* water_temperature */
    {1, 41}, /* water_temperature */
    {-1, 42}, /* gas_pressure */
    {1, 42}, /* gas_pressure */
    {1, 43}, /* vacuum_current */
    {-1, 44}, /* air_pressure */
    {1, 77}, /* console_table_digest */
    {-1, 77}, /* console_table_digest */
};

static const IL_FLASH il_sum sums[] = {
    {1, 0, 1},
    {1, 1, 1},
    {0, 2, 2},
    {0, 4, 2},
    {1, 6, 1},
    {1, 7, 1},
    {1, 8, 1},
    {1, 9, 1},
    {1, 10, 1},
    {20, 11, 1},
    {1, 12, 2},
    {-25000, 14, 2},
    {0, 16, 2},
    {-1000, 18, 2},
    {0, 20, 2},
    {-1000, 22, 2},
    {0, 24, 2},
    {1, 26, 1},
    {0, 27, 2},
    {-100, 29, 1},
    {-100, 30, 1},
    {-100, 31, 1},
    {-100, 32, 1},
    {-300, 33, 2},
    {0, 35, 2},
    {-300, 37, 2},
    {0, 39, 2},
    {0, 41, 2},
    {0, 43, 2},
    {0, 45, 2},
    {0, 47, 2},
    {1, 49, 1},
    {1, 50, 1},
    {-50, 51, 2},
    {-50, 53, 2},
    {-100, 55, 2},
    {-100, 57, 2},
    {-100, 59, 2},
    {-100, 61, 2},
    {-50, 63, 2},
    {-50, 65, 2},
    {0, 67, 2},
    {0, 69, 2},
    {1, 71, 1},
    {1, 72, 1},
    {-200, 73, 1},
    {-500, 74, 1},
    {-200, 75, 1},
    {-100, 76, 2},
    {-100, 78, 2},
    {-100, 80, 2},
    {-100, 82, 2},
    {-100, 84, 2},
    {-100, 86, 2},
    {-100, 88, 2},
    {-100, 90, 2},
    {-100, 92, 2},
    {-100, 94, 2},
    {-50, 96, 2},
    {-50, 98, 2},
    {1, 100, 1},
    {0, 101, 1},
    {0, 102, 1},
    {1, 103, 1},
    {1, 104, 1},
    {0, 105, 1},
    {-100, 106, 1},
    {-9000, 107, 1},
    {0, 108, 2},
    {0, 110, 2},
    {1, 112, 1},
    {1, 113, 1},
    {-30, 114, 1},
    {-30, 115, 1},
    {0, 116, 2},
    {0, 118, 2},
    {1, 120, 1},
    {1, 121, 1},
    {0, 122, 2},
    {0, 124, 2},
    {1, 126, 1},
    {1, 127, 1},
    {0, 128, 2},
    {0, 130, 2},
    {1, 132, 1},
    {1, 133, 1},
    {0, 134, 2},
    {0, 136, 2},
    {1, 138, 1},
    {1, 139, 1},
    {1, 140, 1},
    {-30, 141, 2},
    {-30, 143, 2},
    {-10700, 145, 1},
    {-10000, 146, 1},
    {80, 147, 1},
    {300, 148, 1},
    {-450, 149, 1},
    {2000, 150, 1},
    {-2600, 151, 1},
    {-200, 152, 1},
    {2068, 153, 1},
    {-1837837137, 154, 1},
    {1837837137, 155, 1},
};

static const IL_FLASH il_alternative alternatives[] = {
    {0, 1},
    {1, 1},
    {2, 1},
    {3, 1},
    {4, 1},
    {5, 1},
    {6, 1},
    {7, 1},
    {8, 1},
    {9, 1},
    {10, 1},
    {11, 1},
    {12, 1},
    {13, 2},
    {15, 2},
    {17, 1},
    {18, 1},
    {19, 1},
    {20, 1},
    {21, 1},
    {22, 1},
    {23, 1},
    {24, 1},
    {25, 1},
    {26, 1},
    {27, 1},
    {28, 1},
    {29, 1},
    {30, 1},
    {31, 2},
    {33, 1},
    {34, 1},
    {35, 1},
    {36, 1},
    {37, 1},
    {38, 1},
    {39, 1},
    {40, 1},
    {41, 1},
    {42, 1},
    {43, 2},
    {45, 1},
    {46, 1},
    {47, 1},
    {48, 1},
    {49, 1},
    {50, 1},
    {51, 1},
    {52, 1},
    {53, 1},
    {54, 1},
    {55, 1},
    {56, 1},
    {57, 1},
    {58, 1},
    {59, 1},
    {60, 1},
    {61, 1},
    {62, 1},
    {63, 1},
    {64, 1},
    {65, 1},
    {66, 1},
    {67, 1},
    {68, 1},
    {69, 1},
    {70, 2},
    {72, 1},
    {73, 1},
    {74, 1},
    {75, 1},
    {76, 2},
    {78, 1},
    {79, 1},
    {80, 2},
    {82, 1},
    {83, 1},
    {84, 2},
    {86, 1},
    {87, 1},
    {88, 2},
    {90, 1},
    {91, 1},
    {92, 1},
    {93, 1},
    {94, 1},
    {95, 1},
    {96, 1},
    {97, 1},
    {98, 1},
    {99, 1},
    {100, 1},
    {101, 1},
    {102, 1},
    {103, 1},
};

static const IL_FLASH int32_t params[] = {
    8,
    50,
    100,
    10,
    1,
    3,
    10,
    8,
    49,
    100,
    10,
    0,
    3,
    4,
    8,
    49,
    100,
    10,
    0,
    6,
    1,
    48,
    1000,
    1000,
    8,
    1000,
    20,
    1,
    8,
    500,
    50,
    1,
    23,
    50,
    0,
    0,
    24,
    50,
    0,
    0,
    8,
    14,
    23,
    1000,
    2000,
    2000,
    32,
    100,
    68,
    0,
    0,
    0,
    45,
    50,
    46,
    200,
    1,
    2,
};

static const IL_FLASH il_row rows[] = {
    /* DOOR_OPEN */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_LOCAL, 2, IL_NONE, 0, 0, 1, 0x1F8, 0x1F0, 0xF167},
    /* DOOR_CONTACTS */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 0, 2, 0, 500, 0x1F8, 0x1F0, 0xEA70},
    /* LAST_PERSON_OUT */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, IL_NONE, 4, 0, 1, 0x138, 0x000, 0x6549},
    /* EMERGENCY_STOP */ {IL_COMPARISON, IL_NONE, IL_STOPS_MOTION | IL_GATE_ON, IL_STOP_EMERGENCY, IL_LATCH_LOCAL, 1, IL_NONE, 5, 0, 1, 0x7FE, 0x7FE, 0x7913},
    /* VIEWING */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 1, 6, 0, 1000, 0x1F8, 0x000, 0x6DF7},
    /* KEY_SWITCH */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, IL_NONE, 7, 0, 1, 0x1F8, 0x000, 0x6915},
    /* COLLISION */ {IL_COMPARISON, IL_NONE, IL_STOPS_MOTION | IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 1, IL_NONE, 8, 0, 1, 0x3FC, 0x1F0, 0x700E},
    /* CLEARANCE */ {IL_COMPARISON, IL_NONE, IL_STOPS_MOTION | IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 1, 2, 9, 0, 5, 0x1F8, 0x1F0, 0x8510},
    /* DOSE_PRIMARY_END */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_COMPLETE, IL_LATCH_NONE, 1, IL_NONE, 10, 0, 1, 0x0C0, 0x000, 0xE89A},
    /* DOSE_SECONDARY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, IL_NONE, 11, 0, 1, 0x1C0, 0x1C0, 0x6F30},
    /* DOSE_DIVERGENCE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 3, 13, 0, 3, 0x0C0, 0x0C0, 0xB23C},
    /* DOSE_SUPPLY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 1, IL_NONE, 15, 0, 1, 0x1F8, 0x1F0, 0x7E23},
    /* RATE_HIGH */ {IL_RATE, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 7, IL_NONE, 0, 0, 1, 0x0C0, 0x0C0, 0x4D61},
    /* RATE_LOW */ {IL_RATE, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 7, 4, 7, 15, 1900, 0x040, 0x040, 0xC56B},
    /* DOSE_ABSENT */ {IL_RATE, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 7, 5, 14, 30, 100, 0x040, 0x040, 0xD566},
    /* PULSE_HIGH */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 1, IL_NONE, 16, 45, 1, 0x0E0, 0x0E0, 0x30AE},
    /* SYMMETRY_RADIAL */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 6, 17, 45, 20, 0x0C0, 0x0C0, 0xC243},
    /* SYMMETRY_TRANSVERSE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 7, 19, 45, 20, 0x0C0, 0x0C0, 0xCA45},
    /* TIMER */ {IL_TIMER, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 21, 45, 1, 0x040, 0x040, 0xDB69},
    /* HOLD_DOSE */ {IL_MOVES, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 4, IL_NONE, 24, 46, 1, 0x080, 0x080, 0x6668},
    /* DOSE_WITHOUT_PERMIT */ {IL_MOVES, IL_NONE, IL_GATE_ON, IL_STOP_EMERGENCY, IL_LATCH_PHYSICS, 4, IL_NONE, 28, 49, 1, 0x32C, 0x32C, 0xF16B},
    /* ENERGY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 4, 8, 21, 52, 5, 0x0C0, 0x0C0, 0x8C7B},
    /* BEND_MAGNET */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 9, 25, 52, 10, 0x1F8, 0x1F0, 0xB42D},
    /* MODE_MISMATCH */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 3, IL_NONE, 27, 52, 1, 0x1F8, 0x1F0, 0x96FA},
    /* CAROUSEL_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 10, 30, 52, 3, 0x1F8, 0x1F0, 0xC3E6},
    /* CAROUSEL_SPREAD_AB */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 11, 32, 52, 3, 0x1F8, 0x1F0, 0xCC41},
    /* CAROUSEL_SPREAD_AC */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 12, 34, 52, 3, 0x1F8, 0x1F0, 0xD54A},
    /* TARGET_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, 13, 36, 52, 3, 0x1F8, 0x1F0, 0xDF03},
    /* ACCESSORY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 38, 52, 1, 0x1F8, 0x1F0, 0xF442},
    /* MLC_HOLD */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_HOLD, IL_LATCH_NONE, 1, 14, 41, 52, 10, 0x0C8, 0x000, 0xEF99},
    /* MLC_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 1, 15, 42, 52, 10, 0x1F8, 0x1F0, 0xC9BC},
    /* JAW_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 1, 16, 43, 52, 20, 0x1F8, 0x1F0, 0xF7C9},
    /* GANTRY_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 17, 44, 52, 20, 0x1F8, 0x1F0, 0x11C1},
    /* COLLIMATOR_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 18, 46, 52, 20, 0x1F8, 0x1F0, 0x1ACC},
    /* COUCH_VERTICAL_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 19, 48, 52, 20, 0x1F8, 0x1F0, 0x23D7},
    /* COUCH_LONGITUDINAL_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 20, 50, 52, 20, 0x1F8, 0x1F0, 0x2CE2},
    /* COUCH_LATERAL_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 21, 52, 52, 20, 0x1F8, 0x1F0, 0x35ED},
    /* COUCH_ROTATION_POSITION */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_OPERATOR, 2, 22, 54, 52, 20, 0x1F8, 0x1F0, 0x3F5C},
    /* MOTION_IN_STATIC_GANTRY */ {IL_MOVES, 64, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 4, 23, 32, 52, 10, 0x0C0, 0x0C0, 0x947B},
    /* MOTION_IN_STATIC_COLLIMATOR */ {IL_MOVES, 64, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 4, 24, 36, 55, 10, 0x0C0, 0x0C0, 0x9D7C},
    /* DOSE_PER_DEGREE */ {IL_PER_TRAVEL, 65, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 6, 25, 40, 58, 5, 0x0C0, 0x0C0, 0x0E8E},
    /* GATE_CLOSED */ {IL_COMPARISON, 66, IL_GATE_ON, IL_STOP_HOLD, IL_LATCH_NONE, 1, IL_NONE, 56, 63, 1, 0x0E0, 0x000, 0xC322},
    /* GATE_STALE */ {IL_STALE, 66, IL_GATE_ON, IL_STOP_HOLD, IL_LATCH_NONE, 2, IL_NONE, 46, 63, 1, 0x0E0, 0x000, 0x4260},
    /* GATE_OPEN_LONG */ {IL_COMPARISON, 67, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 26, 57, 66, 10000, 0x1C0, 0x000, 0x061B},
    /* BREATH_HOLD_LONG */ {IL_COMPARISON, 66, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 27, 58, 66, 40000, 0x1C0, 0x000, 0x7D4D},
    /* GATE_CLOSED_LONG */ {IL_COMPARISON, 66, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 28, 59, 66, 30000, 0x0C0, 0x000, 0x583F},
    /* SURROGATE_RANGE */ {IL_COMPARISON, 66, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 29, 60, 66, 500, 0x1E0, 0x000, 0xE827},
    /* SEQUENCE_HOLD */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_HOLD, IL_LATCH_NONE, 1, IL_NONE, 61, 66, 1, 0x0C0, 0x000, 0xC7D6},
    /* IMAGE_SHIFT */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_NONE, 1, IL_NONE, 62, 66, 1, 0x038, 0x000, 0x6554},
    /* IMAGE_AGE */ {IL_COMPARISON, 36, 0, IL_STOP_TERMINATE, IL_LATCH_NONE, 1, IL_NONE, 63, 66, 1, 0x138, 0x000, 0xA05C},
    /* OVERRIDE_EXPIRED */ {IL_COMPARISON, 36, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 64, 66, 1, 0x1F8, 0x1F0, 0xB633},
    /* DAILY_OUTPUT */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_NONE, 2, IL_NONE, 67, 66, 1, 0x038, 0x000, 0xBE25},
    /* PATIENT_IDENTITY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 69, 66, 1, 0x1F8, 0x1F0, 0xD3A7},
    /* PLAN_IDENTITY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 72, 66, 1, 0x1F8, 0x1F0, 0xEFBF},
    /* TARGET_IDENTITY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 75, 66, 1, 0x1F8, 0x1F0, 0x0BD8},
    /* FRACTION_IDENTITY */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 3, IL_NONE, 78, 66, 1, 0x1F8, 0x1F0, 0x27F0},
    /* PARAMETERS_CHANGED */ {IL_MOVES, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 4, IL_NONE, 48, 66, 1, 0x1F0, 0x1F0, 0xD666},
    /* FRACTION_CLEARANCE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_NONE, 1, IL_NONE, 81, 69, 1, 0x1F8, 0x000, 0xED75},
    /* CROSS_DOSE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_NONE, 2, IL_NONE, 82, 69, 1, 0x038, 0x000, 0x68E5},
    /* TARGET_DOSE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 1, IL_NONE, 84, 69, 1, 0x1F8, 0x1F0, 0x2A48},
    /* ORGAN_DOSE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 1, IL_NONE, 85, 69, 1, 0x1F8, 0x1F0, 0xE74E},
    /* WATER_FLOW */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 30, 86, 69, 100, 0x1F8, 0x000, 0x62BF},
    /* WATER_TEMPERATURE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 2, 31, 87, 69, 500, 0x1F8, 0x000, 0x2ACD},
    /* GAS_PRESSURE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 2, 32, 89, 69, 100, 0x1F8, 0x000, 0x436D},
    /* VACUUM */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 33, 91, 69, 50, 0x1F8, 0x000, 0x539D},
    /* AIR_PRESSURE */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_INTERRUPT, IL_LATCH_NONE, 1, 34, 92, 69, 100, 0x1F8, 0x000, 0x30DB},
    /* HEARTBEAT_LINAC */ {IL_STALE, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 2, IL_NONE, 52, 69, 1, 0x1F0, 0x1F0, 0x0065},
    /* HEARTBEAT_CONSOLE */ {IL_STALE, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 2, IL_NONE, 54, 72, 1, 0x1F0, 0x1F0, 0x9D65},
    /* TABLE_DIGEST */ {IL_COMPARISON, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 2, IL_NONE, 93, 75, 1, 0x1FE, 0x1F0, 0x7671},
    /* SELF_TEST */ {IL_FLAG, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_PHYSICS, 1, IL_NONE, 56, 75, 1, 0x00E, 0x00E, 0xEA64},
    /* RESET_IN_BEAM */ {IL_FLAG, IL_NONE, IL_GATE_ON, IL_STOP_TERMINATE, IL_LATCH_OPERATOR, 1, IL_NONE, 57, 75, 1, 0x202, 0x202, 0xD567},
};

static const IL_FLASH il_proof proofs[] = {
    /* DOOR_OPEN */ {0, {0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* DOOR_CONTACTS */ {1, {0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* LAST_PERSON_OUT */ {2, {0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* VIEWING */ {4, {0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* KEY_SWITCH */ {5, {0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* COLLISION */ {6, {0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* CLEARANCE */ {7, {0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* DOSE_PRIMARY_END */ {8, {0x00, 0x75, 0x18, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00}},
    /* DOSE_SECONDARY */ {9, {0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* DOSE_DIVERGENCE */ {10, {0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* DOSE_SUPPLY */ {11, {0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* PULSE_HIGH */ {15, {0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* SYMMETRY_RADIAL */ {16, {0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* SYMMETRY_TRANSVERSE */ {17, {0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* ENERGY */ {21, {0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* BEND_MAGNET */ {22, {0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* MODE_MISMATCH */ {23, {0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* CAROUSEL_POSITION */ {24, {0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* CAROUSEL_SPREAD_AB */ {25, {0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* CAROUSEL_SPREAD_AC */ {26, {0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* TARGET_POSITION */ {27, {0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* ACCESSORY */ {28, {0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* MLC_HOLD */ {29, {0x00, 0x00, 0x00, 0x60, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* MLC_POSITION */ {30, {0x00, 0x00, 0x00, 0x60, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* JAW_POSITION */ {31, {0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00}},
    /* GANTRY_POSITION */ {32, {0x00, 0x00, 0x00, 0x00, 0x41, 0x01, 0x00, 0x00, 0x00}},
    /* COLLIMATOR_POSITION */ {33, {0x00, 0x00, 0x00, 0x00, 0x82, 0x00, 0x00, 0x00, 0x00}},
    /* COUCH_VERTICAL_POSITION */ {34, {0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00}},
    /* COUCH_LONGITUDINAL_POSITION */ {35, {0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00}},
    /* COUCH_LATERAL_POSITION */ {36, {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00}},
    /* COUCH_ROTATION_POSITION */ {37, {0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00}},
    /* SURROGATE_RANGE */ {46, {0x00, 0x00, 0x00, 0x00, 0x00, 0x76, 0x00, 0x00, 0x00}},
    /* IMAGE_SHIFT */ {48, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00}},
    /* IMAGE_AGE */ {49, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00}},
    /* DAILY_OUTPUT */ {51, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00}},
    /* PATIENT_IDENTITY */ {52, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00}},
    /* PLAN_IDENTITY */ {53, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00}},
    /* TARGET_IDENTITY */ {54, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00}},
    /* FRACTION_IDENTITY */ {55, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00}},
    /* FRACTION_CLEARANCE */ {57, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00}},
    /* CROSS_DOSE */ {58, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00}},
    /* TARGET_DOSE */ {59, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00}},
    /* ORGAN_DOSE */ {60, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00}},
    /* WATER_FLOW */ {61, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00}},
    /* WATER_TEMPERATURE */ {62, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00}},
    /* GAS_PRESSURE */ {63, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00}},
    /* VACUUM */ {64, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01}},
    /* AIR_PRESSURE */ {65, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02}},
    /* TABLE_DIGEST */ {68, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10}},
};

const IL_FLASH il_table il_table_data = {
    .signals = 83,
    .rows = 71,
    .proofs = 49,
    .meterset = 8,
    .self_test_ticks = 500,
    .proof_timeout = 20,
    .memory = 75,
    .alternatives = 95,
    .sums = 104,
    .terms = 156,
    .params = 58,
    .check = 0xF1EC,
    .safe = safe,
    .row = rows,
    .alternative = alternatives,
    .sum = sums,
    .term = terms,
    .param = params,
    .proof = proofs,
};
