# SPDX-License-Identifier: GPL-2.0-only
#
# hekictl: build/host/hekictl, and build/host/hekictl.static for machines without libraries.
# From the top: make -f tools/hekictl/build.mk

include vtl1_shim/user/build.mk
.DEFAULT_GOAL := hekictl

HEKICTL_OUT := $(user_dir)
HEKICTL_OBJ := $(HEKICTL_OUT)/hekictl.d

HEKICTL_SRC := $(wildcard tools/hekictl/*.c) \
	$(addprefix tools/common/,file.c hekifs.c jsontext.c vmlinuz.c)
HEKICTL_OBJS := $(patsubst %.c,$(HEKICTL_OBJ)/%.o,$(HEKICTL_SRC))
HEKICTL_HARDENING_plain := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
HEKICTL_CFLAGS := $(USER_CFLAGS) $(HEKICTL_HARDENING_$(MBEDTLS_VARIANT)) -fPIE -Wformat=2 \
	-Wmissing-prototypes -Wstrict-prototypes -D_GNU_SOURCE \
	-Iinclude/uapi -Itools/common -Itools/hekictl -MMD -MP
HEKICTL_LIBS := -ljansson -llzma -lzstd -lz

.PHONY: hekictl
hekictl: $(HEKICTL_OUT)/hekictl
ifeq ($(MBEDTLS_VARIANT),plain)
hekictl: $(HEKICTL_OUT)/hekictl.static
endif

$(HEKICTL_OUT)/hekictl: $(HEKICTL_OBJS) $(user_lib)
	$(CC) $(USER_CFLAGS) -pie -Wl,-z,relro,-z,now -o $@ $^ $(HEKICTL_LIBS) -lpthread

$(HEKICTL_OUT)/hekictl.static: $(HEKICTL_OBJS) $(user_lib)
	$(CC) $(USER_CFLAGS) -static -o $@ $^ $(HEKICTL_LIBS) -lpthread

# The version of the whole project, which packaging reads too.
$(HEKICTL_OBJ)/tools/hekictl/version.o: dkms.conf
$(HEKICTL_OBJ)/tools/hekictl/version.o: HEKICTL_CFLAGS += \
	-DHEKICTL_VERSION='"$(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"$$/\1/p' dkms.conf)"'

# Only the checker sees the core; by -iquote, so that its elf.h is not taken for the system's.
$(HEKICTL_OBJ)/tools/hekictl/checker.o: HEKICTL_CFLAGS += -iquote vtl1_shim/core \
	-iquote vtl1_shim/user

$(HEKICTL_OBJ)/%.o: %.c tools/hekictl/build.mk
	@mkdir -p $(@D)
	$(CC) $(HEKICTL_CFLAGS) -c -o $@ $<

-include $(HEKICTL_OBJS:.o=.d)
