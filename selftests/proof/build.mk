# SPDX-License-Identifier: GPL-2.0-only
#
# Builds what works on records of calls: build/host/heki-replay and build/host/heki-flip.
# Run from the top folder: make -f selftests/proof/build.mk

.DEFAULT_GOAL := all
MBEDTLS_VARIANT := plain

include vtl1_shim/user/build.mk

proof_objects := $(patsubst %.c,$(user_dir)/objects/%.o,$(wildcard selftests/proof/*.c))
proof_common := $(addprefix $(user_dir)/objects/selftests/proof/,record.o replay.o)
$(proof_objects): user_extra := -D_GNU_SOURCE -Wshadow -Wstrict-prototypes -Wmissing-prototypes

.PHONY: all
all: $(user_dir)/heki-replay $(user_dir)/heki-flip

$(user_dir)/heki-replay: $(user_dir)/objects/selftests/proof/heki-replay.o $(proof_common) $(user_lib)
	$(CC) $(USER_CFLAGS) $^ -lpthread -o $@

$(user_dir)/heki-flip: $(addprefix $(user_dir)/objects/selftests/proof/,heki-flip.o judge.o reading.o) \
		$(proof_common) $(user_lib)
	$(CC) $(USER_CFLAGS) $^ -lpthread -o $@

-include $(proof_objects:.o=.d)
