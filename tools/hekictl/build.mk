# SPDX-License-Identifier: GPL-2.0-only
#
# hekictl: build/host/hekictl, and build/host/hekictl.static for machines without libraries.
# From the top: make -f tools/hekictl/build.mk

HEKICTL_OUT := build/host
HEKICTL_OBJ := $(HEKICTL_OUT)/hekictl.d

HEKICTL_SRC := $(wildcard tools/hekictl/*.c) $(addprefix tools/common/,file.c hekifs.c vmlinuz.c)
HEKICTL_OBJS := $(patsubst %.c,$(HEKICTL_OBJ)/%.o,$(HEKICTL_SRC))
HEKICTL_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Wformat=2 -Wmissing-prototypes \
	-Wstrict-prototypes -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
	-Iinclude/uapi -Itools/common -Itools/hekictl -MMD -MP
HEKICTL_LIBS := -ljansson -llzma -lzstd -lz

.PHONY: hekictl
hekictl: $(HEKICTL_OUT)/hekictl $(HEKICTL_OUT)/hekictl.static

$(HEKICTL_OUT)/hekictl: $(HEKICTL_OBJS)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^ $(HEKICTL_LIBS)

$(HEKICTL_OUT)/hekictl.static: $(HEKICTL_OBJS)
	$(CC) -static-pie -o $@ $^ $(HEKICTL_LIBS) -lpthread

$(HEKICTL_OBJ)/%.o: %.c tools/hekictl/build.mk
	@mkdir -p $(@D)
	$(CC) $(HEKICTL_CFLAGS) -c -o $@ $<

-include $(HEKICTL_OBJS:.o=.d)
