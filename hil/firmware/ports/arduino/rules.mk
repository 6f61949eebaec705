# All sources in one flat folder, as the Arduino IDE wants a sketch, and the firmware built from that folder.
# The IDE knows no options of a sketch: they go into il_build.h, which every source includes first. Those of
# the compiler, without which it does not fit, go into platform.local.txt.
ARDUINO ?= /usr/share/arduino/hardware/arduino/avr
ifeq ($(wildcard $(ARDUINO)/cores/arduino/Arduino.h),)
$(error $(ARDUINO)/cores/arduino is not here; install arduino-core-avr (make boards), or name it: ARDUINO=)
endif

SKETCH := $(OUT)/interlock
BUILD_OPTIONS := $(DEFINES) -DIL_ONE_TABLE=1 -DIL_BUILD_ID="$(BUILD_ID)"
HEADERS := $(foreach folder,core ports/common ports/atmega328p,$(wildcard $(folder)/*.h)) \
    $(GENERATED)/il_config.h generated/il_wire.h

$(OUT)/sketch.done: $(SOURCES) $(HEADERS) ports/arduino/interlock.ino $(OUT)/options
	rm -rf $(SKETCH)
	mkdir -p $(SKETCH)
	cp $(HEADERS) ports/arduino/interlock.ino $(SKETCH)
	printf '%s\n' '$(filter-out -DF_CPU%,$(BUILD_OPTIONS))' | tr ' ' '\n' | \
	    sed 's/^-D/#define /; s/=/ /' >$(SKETCH)/il_build.h
	for source in $(SOURCES); do \
	    { echo '#include "il_build.h"'; cat $$source; } >$(SKETCH)/$$(basename $$source) || exit 1; \
	done
	printf 'compiler.c.extra_flags=%s\ncompiler.c.elf.extra_flags=%s\n' '$(OPTIMISE)' '$(OPTIMISE)' \
	    >$(SKETCH)/platform.local.txt
	touch $@

SKETCH_FLAGS := $(filter-out $(DEFINES) -DIL_ONE_TABLE,$(CFLAGS)) -I$(SKETCH)
$(addprefix $(SKETCH)/,$(notdir $(SOURCES))): $(OUT)/sketch.done ;
$(OBJECTS): $(OUT)/%.o: $(SKETCH)/%.c
	$(TOOL)gcc $(SKETCH_FLAGS) -c $< -o $@

# Of Arduino's own files those that this sketch reaches: main(), the start of the timers, empty hooks. The
# IDE links the others too if anything calls them; WString.cpp needs a newer compiler than Debian's.
ARDUINO_FLAGS := $(CPU) -Os $(OPTIMISE) -w -ffunction-sections -fdata-sections -fstack-usage -DF_CPU=16000000L \
    -DARDUINO=10819 -DARDUINO_AVR_UNO -DARDUINO_ARCH_AVR -I$(ARDUINO)/cores/arduino -I$(ARDUINO)/variants/standard
ARDUINO_CXX := $(TOOL)g++ $(ARDUINO_FLAGS) -std=gnu++11 -fno-exceptions -fno-threadsafe-statics
MORE_OBJECTS := $(OUT)/sketch.o $(addprefix $(OUT)/arduino_,main.cpp.o wiring.c.o hooks.c.o)

$(OUT)/arduino_%.c.o: $(ARDUINO)/cores/arduino/%.c $(OUT)/options
	$(TOOL)gcc $(ARDUINO_FLAGS) -std=gnu11 -c $< -o $@

$(OUT)/arduino_%.cpp.o: $(ARDUINO)/cores/arduino/%.cpp $(OUT)/options
	$(ARDUINO_CXX) -c $< -o $@

$(OUT)/sketch.o: $(OUT)/sketch.done
	$(ARDUINO_CXX) -x c++ -include Arduino.h -I$(SKETCH) -c $(SKETCH)/interlock.ino -o $@

$(OUT)/firmware.elf: $(MORE_OBJECTS)
