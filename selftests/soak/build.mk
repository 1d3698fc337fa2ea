# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the static programs of the load, in build/soak/load/.
# Run from the top directory: make -f selftests/soak/build.mk

CC ?= cc
soak_cflags := -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes
soak_programs := $(patsubst selftests/soak/load/%.c,build/soak/load/%,$(wildcard selftests/soak/load/*.c))

all: $(soak_programs)
.PHONY: all

build/soak/load/%: selftests/soak/load/%.c selftests/soak/build.mk
	@mkdir -p $(@D)
	$(CC) $(soak_cflags) -static -pthread -o $@ $<
