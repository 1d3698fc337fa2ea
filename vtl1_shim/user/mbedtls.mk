# SPDX-License-Identifier: GPL-2.0-only
#
# Mbed TLS as a static library for userspace, of build/mbedtls/src (scripts/fetch-mbedtls) with the
# configuration of this folder.  Included by other fragments; paths are relative to the top folder.
#
#   $(mbedtls_lib)        the library
#   $(MBEDTLS_CPPFLAGS)   what users of its headers compile with
#   $(MBEDTLS_VARIANT)    plain, or sanitize: with ASan and UBSan, in build/mbedtls/sanitize/

MBEDTLS_VARIANT ?= plain

mbedtls_src := build/mbedtls/src
mbedtls_dir_plain := build/mbedtls
mbedtls_dir_sanitize := build/mbedtls/sanitize
mbedtls_dir := $(mbedtls_dir_$(MBEDTLS_VARIANT))
ifeq ($(mbedtls_dir),)
$(error MBEDTLS_VARIANT is plain or sanitize)
endif
mbedtls_lib := $(mbedtls_dir)/libmbedcrypto_heki.a
mbedtls_config := vtl1_shim/user/mbedtls_config.h

mbedtls_files := asn1parse asn1write bignum bignum_core constant_time ecdsa ecp ecp_curves md oid \
	pk pk_ecc pk_wrap pkparse platform_util rsa rsa_alt_helpers sha1 sha256 sha512
mbedtls_objects := $(mbedtls_files:%=$(mbedtls_dir)/objects/%.o)

MBEDTLS_CPPFLAGS := -I$(mbedtls_src)/include -Ivtl1_shim/user \
	'-DMBEDTLS_CONFIG_FILE=<mbedtls_config.h>'
mbedtls_cflags_plain := -O2 -g
mbedtls_cflags_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
MBEDTLS_CC ?= $(CC)

$(mbedtls_dir)/objects/%.o: $(mbedtls_src)/library/%.c $(mbedtls_config)
	@mkdir -p $(@D)
	$(MBEDTLS_CC) -std=c99 -Wall $(mbedtls_cflags_$(MBEDTLS_VARIANT)) $(MBEDTLS_CPPFLAGS) \
		$(mbedtls_extra) -c $< -o $@

# RSA's public operation by the exponentiation of exp_mod.c.
$(mbedtls_dir)/objects/rsa.o: mbedtls_extra := -Dmbedtls_mpi_exp_mod_unsafe=user_exp_mod
$(mbedtls_objects): vtl1_shim/user/mbedtls.mk

$(mbedtls_lib): $(mbedtls_objects)
	@rm -f $@
	$(AR) rcs $@ $^
