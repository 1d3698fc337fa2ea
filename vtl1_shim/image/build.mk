# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The bare-metal VTL1: build/hypervisor/vtl1.elf, and vtl1-test.elf with calls that fault on purpose.
# Run from the top folder, after scripts/fetch-mbedtls.
#
#   ANCHORS   a folder with DER certificates to trust from the start: system/*.der for modules,
#             kexec/*.der for kernels

IMAGE_OUT := build/hypervisor
IMAGE_STACK := -Wstack-usage=2048
ANCHORS ?=
image_out := $(IMAGE_OUT)
image_dir := vtl1_shim/image
image_mbedtls := build/mbedtls/src
image_test := $(image_dir)/test_calls.c
image_own := $(filter-out $(image_test),$(sort $(wildcard $(image_dir)/*.c $(image_dir)/*.S)))
image_core := $(sort $(wildcard vtl1_shim/core/*.c))
image_shared := $(addprefix vtl1_shim/user/,crypto_mbedtls.c exp_mod.c sha256_ni.c)
image_library := $(addprefix $(image_mbedtls)/library/,asn1parse.c asn1write.c bignum.c bignum_core.c \
	constant_time.c ecdsa.c ecp.c ecp_curves.c md.c oid.c pk.c pk_ecc.c pk_wrap.c pkparse.c \
	platform_util.c rsa.c rsa_alt_helpers.c sha1.c sha256.c sha512.c)
image_sources := $(image_own) $(image_core) $(image_shared) $(image_library)
image_anchors := $(image_out)/anchors.S
image_objects := $(patsubst %,$(image_out)/objects/%.o,$(basename $(image_sources))) \
	$(image_out)/objects/anchors.S.o
image_test_object := $(patsubst %.c,$(image_out)/objects/%.o,$(image_test))

IMAGE_CPPFLAGS := -Iinclude -Iinclude/uapi -Ivtl1_shim/core -I$(image_dir)
IMAGE_MODE := -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-stack-protector -fPIE \
	-fvisibility=hidden -mcmodel=small -O2 -g -fcf-protection=none \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
IMAGE_CFLAGS := -std=gnu11 $(IMAGE_MODE) -Wall -Wextra -Wmissing-prototypes $(IMAGE_STACK) $(IMAGE_EXTRA)
image_mbedtls_flags := -I$(image_mbedtls)/include -Ivtl1_shim/user \
	'-DMBEDTLS_CONFIG_FILE=<image_mbedtls.h>'
image_ldflags := -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,-z,text -Wl,-z,norelro \
	-Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,max-page-size=0x200000 -Wl,--build-id=none \
	-Wl,-T,$(image_dir)/image.ld

# The image can apply one type of relocation.
define image_link
$(CC) $(image_ldflags) $(filter %.o,$^) -lgcc -o $@
@! readelf -rW $@ | grep R_X86_64 | grep -v R_X86_64_RELATIVE || { rm $@; exit 1; }
endef

.PHONY: image
image: $(image_out)/vtl1.elf $(image_out)/vtl1-test.elf

$(image_out)/vtl1.elf: $(image_objects) $(image_dir)/image.ld
	$(image_link)

$(image_out)/vtl1-test.elf: $(image_objects) $(image_test_object) $(image_dir)/image.ld
	$(image_link)

$(image_out)/objects/$(image_dir)/%.o: $(image_dir)/%.c $(image_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) $(IMAGE_CPPFLAGS) $(image_extra) -MMD -MP -c $< -o $@

$(image_out)/objects/$(image_dir)/%.o: $(image_dir)/%.S $(image_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) $(IMAGE_CPPFLAGS) -MMD -MP -c $< -o $@

# Crypto operations of the userspace host, with its headers.
$(image_out)/objects/$(image_dir)/core_host.o $(image_out)/objects/$(image_dir)/image_crypto.o: \
	image_extra := -Ivtl1_shim/user

$(image_out)/objects/vtl1_shim/core/%.o: vtl1_shim/core/%.c $(image_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) $(IMAGE_CPPFLAGS) -MMD -MP -c $< -o $@

$(image_out)/objects/vtl1_shim/user/%.o: vtl1_shim/user/%.c $(image_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(IMAGE_MODE) -Wall -Wextra $(IMAGE_CPPFLAGS) $(image_mbedtls_flags) \
		$(image_extra) -MMD -MP -c $< -o $@

# SSE belongs to VTL0: the one function that uses it is called by way of one that saves it.
$(image_out)/objects/vtl1_shim/user/crypto_mbedtls.o: image_extra := \
	-Dsha256_ni_blocks=sha256_ni_saved
$(image_out)/objects/vtl1_shim/user/sha256_ni.o: IMAGE_MODE := $(filter-out -mgeneral-regs-only,$(IMAGE_MODE)) \
	-mssse3 -msse4.1 -msha
$(image_out)/objects/vtl1_shim/user/exp_mod.o: image_extra := -I$(image_mbedtls)/library

$(image_out)/objects/$(image_mbedtls)/%.o: $(image_mbedtls)/%.c $(image_dir)/build.mk \
		$(image_dir)/image_mbedtls.h vtl1_shim/user/mbedtls_config.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(IMAGE_MODE) -Wall -I$(image_dir) $(image_mbedtls_flags) $(image_extra) \
		-include $(image_dir)/image_crypto_memory.h -c $< -o $@

$(image_out)/objects/$(image_mbedtls)/library/rsa.o: image_extra := \
	-Dmbedtls_mpi_exp_mod_unsafe=user_exp_mod

# One entry for each certificate: see anchors.c. Made anew each time, written when it differs.
.PHONY: image-anchors
$(image_anchors): image-anchors
	@mkdir -p $(@D)
	@$(image_dir)/anchors.sh '$(ANCHORS)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(image_out)/objects/anchors.S.o: $(image_anchors)
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) -c $< -o $@

-include $(image_objects:.o=.d) $(image_test_object:.o=.d)
