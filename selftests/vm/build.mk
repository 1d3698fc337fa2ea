# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the static programs that run in the VMs, in build/guest/.
# Run from the top directory: make -f selftests/vm/build.mk

CC ?= cc
guest_cflags := -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes
programs := $(patsubst selftests/vm/guest/%.c,build/guest/%,$(wildcard selftests/vm/guest/*.c))

all: $(programs)
.PHONY: all

build/guest/%: selftests/vm/guest/%.c selftests/vm/build.mk
	@mkdir -p $(@D)
	$(CC) $(guest_cflags) -static -o $@ $<
