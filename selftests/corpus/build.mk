# SPDX-License-Identifier: GPL-2.0-only
#
# The runner of single-byte changes: build/host/mutate.  From the top:
# make -f selftests/corpus/build.mk

include tools/hekictl/build.mk
.DEFAULT_GOAL := corpus-tools

MUTATE_OBJS := $(HEKICTL_OBJ)/selftests/corpus/mutate.o $(HEKICTL_OBJ)/selftests/corpus/regions.o \
	$(HEKICTL_OBJ)/tools/hekictl/checker.o \
	$(addprefix $(HEKICTL_OBJ)/tools/common/,file.o hekifs.o)

# The runner finds the parts of a signature with the core's parser.
$(HEKICTL_OBJ)/selftests/corpus/regions.o: HEKICTL_CFLAGS += -iquote vtl1_shim/core

$(HEKICTL_OUT)/mutate: $(MUTATE_OBJS) $(user_lib)
	$(CC) $(USER_CFLAGS) -pie -o $@ $^ -llzma -lzstd -lz -lpthread

.PHONY: corpus-tools
corpus-tools: $(HEKICTL_OUT)/mutate

-include $(MUTATE_OBJS:.o=.d)
