#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kexec under an anchor that has not signed the kernel.  Expects the certificate "stranger" as the
# only anchor for kexec.

. "$(dirname "$0")/lib.sh"
need_heki
plan 4

ENOKEY=126

before=$(counter budget.frames.used)
equal "one anchor" 1 "$(status certs_kexec)"
fails "the stock kernel under the wrong anchor" $ENOKEY kexec_load "$DATA/vmlinuz"
equal "nothing is protected for it" "$before" "$(counter budget.frames.used)"
equal "nothing is loaded" 0 "$(cat /sys/kernel/kexec_loaded)"
finish
