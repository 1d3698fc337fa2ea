#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kexec: the stock kernel is accepted under its signer's certificate, a changed one and the old
# system call are refused.  Expects two anchors for kexec, the stock kernel's signer and "trusted".  Most
# loads are of an image cut short: under emulation, hashing a whole one takes seconds.

. "$(dirname "$0")/lib.sh"
need_heki
plan 22

ENODATA=61 EKEYREJECTED=129

settle
before=$(counter budget.frames.used)
refused=$(counter refusals.KEXEC_VALIDATE)
equal "two anchors" 2 "$(status certs_kexec)"
check "the stock kernel" kexec_load "$DATA/vmlinuz"
equal "the normal slot is taken" 1 $(($(status kexec_slots) & 1))
holds "its pages are protected" "$(counter budget.frames.used)" -gt "$before"
audit_clean "audit with an image loaded"
check "another in its place" kexec_load "$DATA/vmlinuz-cut"
check "unload" kexec_load -u
equal "the slot is free" 0 $(($(status kexec_slots) & 1))
equal "its pages are released" "$before" "$(counter budget.frames.used)"
equal "nothing was refused so far" "$refused" "$(counter refusals.KEXEC_VALIDATE)"
check "load it once more" kexec_load "$DATA/vmlinuz-cut"
fails "the stock kernel with one byte changed" $EKEYREJECTED kexec_load "$DATA/vmlinuz-changed"
equal "VTL1 refused it" $((refused + 1)) "$(counter refusals.KEXEC_VALIDATE)"
equal "nothing is protected for it" "$before" "$(counter budget.frames.used)"
equal "the kernel keeps the good one" 1 "$(cat /sys/kernel/kexec_loaded)"
fails "which is not run, for VTL1 has let it go" 1 kexec_load -e
check "that is told" sh -c "dmesg | grep -q 'heki_client: kexec execute'"
check "load it again" kexec_load "$DATA/vmlinuz-cut"
equal "the slot is taken again" 1 $(($(status kexec_slots) & 1))
kexec_load -u
fails "the old system call" $ENODATA kexec_load -o
equal "nothing is loaded" 0 "$(cat /sys/kernel/kexec_loaded)"
audit_clean "audit"
finish
