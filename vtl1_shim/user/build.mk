# SPDX-License-Identifier: GPL-2.0-only
#
# The core for userspace: core, guest model and Mbed TLS in one archive.  Run or included from the
# top folder, which its paths are relative to.
#
#   $(user_lib)       build/host/libheki_user.a, or build/host/sanitize/libheki_user.a
#   $(USER_CPPFLAGS)  what users of its headers compile with
#   $(USER_CFLAGS)    of the variant: users link with them too, and with -lpthread
#   MBEDTLS_VARIANT   plain, or sanitize: with ASan and UBSan

ifeq ($(.DEFAULT_GOAL),)
.DEFAULT_GOAL := user-library
endif

include vtl1_shim/user/mbedtls.mk

user_dir_plain := build/host
user_dir_sanitize := build/host/sanitize
user_dir := $(user_dir_$(MBEDTLS_VARIANT))
user_lib := $(user_dir)/libheki_user.a

user_sources := $(sort $(wildcard vtl1_shim/core/*.c)) vtl1_shim/user/crypto_mbedtls.c \
	vtl1_shim/user/exp_mod.c vtl1_shim/user/fiber.c vtl1_shim/user/guest.c \
	vtl1_shim/user/sha256_ni.c
user_objects := $(user_sources:%.c=$(user_dir)/objects/%.o)

USER_CPPFLAGS := -Iinclude/uapi -Ivtl1_shim/core -Ivtl1_shim/user
USER_CFLAGS := -std=gnu11 -Wall -Wextra $(mbedtls_cflags_$(MBEDTLS_VARIANT))

# The core is freestanding here too, so that nothing else slips in.
$(user_dir)/objects/vtl1_shim/core/%.o: user_extra := -ffreestanding
$(user_dir)/objects/vtl1_shim/user/%.o: user_extra := $(MBEDTLS_CPPFLAGS)
# Arithmetic that Mbed TLS keeps to itself.
$(user_dir)/objects/vtl1_shim/user/exp_mod.o: user_extra := $(MBEDTLS_CPPFLAGS) -I$(mbedtls_src)/library
# The only one with vector instructions; whether the processor has them is asked at run time.
$(user_dir)/objects/vtl1_shim/user/sha256_ni.o: user_extra := -ffreestanding -mssse3 -msse4.1 -msha

$(user_dir)/objects/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) $(user_extra) $(USER_CPPFLAGS) -MMD -MP -c $< -o $@

$(user_lib): $(user_objects) $(mbedtls_objects)
	@rm -f $@
	$(AR) rcs $@ $^

.PHONY: user-library
user-library: $(user_lib)

-include $(user_objects:.o=.d)
