# SPDX-License-Identifier: GPL-2.0-only
#
# The host tests of the core, with ASan and UBSan.  Run from the top folder.

MBEDTLS_VARIANT := sanitize
.DEFAULT_GOAL := host-tests

include vtl1_shim/user/build.mk

host_sources := $(sort $(wildcard selftests/host/*.c))
host_objects := $(host_sources:%.c=$(user_dir)/objects/%.o)
# Tests of arithmetic compare with Mbed TLS's own.
$(user_dir)/objects/selftests/host/crypto.o: user_extra := $(MBEDTLS_CPPFLAGS) -I$(mbedtls_src)/library

$(user_dir)/host-tests: $(host_objects) $(user_lib)
	$(CC) $(USER_CFLAGS) $(host_objects) $(user_lib) -lpthread -o $@

.PHONY: host-tests
host-tests: $(user_dir)/host-tests

-include $(host_objects:.o=.d)
