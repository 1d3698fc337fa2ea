# SPDX-License-Identifier: GPL-2.0-only
#
# Builds build/host/hekivm.  Run from the top directory: make -f tools/hekivm/build.mk

CC ?= cc
CFLAGS ?= -O2 -g
hekivm_cflags := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wformat=2 -Itools/common
out := build/host
objs := $(patsubst tools/hekivm/%.c,$(out)/hekivm.o/%.o,$(wildcard tools/hekivm/*.c)) \
	$(out)/hekivm.o/jsontext.o

$(out)/hekivm: $(objs)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson

headers := tools/hekivm/hekivm.h tools/common/jsontext.h

$(out)/hekivm.o/%.o: tools/hekivm/%.c $(headers) tools/hekivm/build.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(hekivm_cflags) $(CFLAGS) -c -o $@ $<

$(out)/hekivm.o/%.o: tools/common/%.c $(headers) tools/hekivm/build.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(hekivm_cflags) $(CFLAGS) -c -o $@ $<
