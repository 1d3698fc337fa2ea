# SPDX-License-Identifier: GPL-2.0-only
#
# The instruction decoder of Zydis as a static library, of build/zydis (scripts/fetch-zydis): no
# formatter, no encoder.  Run or included from the top folder, which its paths are relative to.
#
#   $(zydis_lib)        the library
#   $(ZYDIS_CPPFLAGS)   what users of its headers compile with
#   $(ZYDIS_VARIANT)    freestanding: needs nothing but memcpy and memset, build/hypervisor/libzydis.a;
#                       sanitize: for userspace, with ASan and UBSan, in build/host/hypervisor/

ifeq ($(.DEFAULT_GOAL),)
.DEFAULT_GOAL := zydis-library
endif

ZYDIS_VARIANT ?= freestanding

zydis_src := build/zydis/src
zydis_dir_freestanding := build/hypervisor
zydis_dir_sanitize := build/host/hypervisor
zydis_dir := $(zydis_dir_$(ZYDIS_VARIANT))
ifeq ($(zydis_dir),)
$(error ZYDIS_VARIANT is freestanding or sanitize)
endif
zydis_lib := $(zydis_dir)/libzydis.a

zydis_objects := $(patsubst %,$(zydis_dir)/zydis/%.o,Decoder DecoderData Register SharedData)

# Knights Corner's encodings take those of others; no other processor has them.  In userspace
# Zydis's assertions are alive.
ZYDIS_CPPFLAGS := -isystem $(zydis_src)/include -isystem build/zydis/include \
	-DZYDIS_STATIC_BUILD -DZYDIS_DISABLE_FORMATTER -DZYDIS_DISABLE_ENCODER -DZYDIS_DISABLE_KNC
zydis_cflags_freestanding := -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-pic \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -mcmodel=small
zydis_cflags_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
ifeq ($(ZYDIS_VARIANT),freestanding)
ZYDIS_CPPFLAGS += -DZYAN_NO_LIBC
endif

$(zydis_dir)/zydis/%.o: $(zydis_src)/src/%.c hypervisor/zydis.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -w $(zydis_cflags_$(ZYDIS_VARIANT)) $(ZYDIS_CPPFLAGS) -I$(zydis_src)/src -c $< -o $@

$(zydis_lib): $(zydis_objects)
	@rm -f $@
	$(AR) rcs $@ $^

.PHONY: zydis-library
zydis-library: $(zydis_lib)
