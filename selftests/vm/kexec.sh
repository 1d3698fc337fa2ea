#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kexec: the stock kernel is accepted, a changed one and the old system call are refused.

. "$(dirname "$0")/lib.sh"
need_heki
plan 13

settle
before=$(counter budget.frames.used)
refused=$(counter refusals.KEXEC_VALIDATE)
check "the stock kernel" kexec_load "$DATA/vmlinuz"
equal "the normal slot is taken" 1 $(($(status kexec_slots) & 1))
holds "its pages are protected" "$(counter budget.frames.used)" -gt "$before"
audit_clean "audit with an image loaded"
check "unload" kexec_load -u
equal "the slot is free" 0 $(($(status kexec_slots) & 1))
equal "its pages are released" "$before" "$(counter budget.frames.used)"
kexec_load "$DATA/vmlinuz-changed" 2>/dev/null
holds "one byte changed" $? -ne 0
equal "VTL1 refused it" $((refused + 1)) "$(counter refusals.KEXEC_VALIDATE)"
equal "nothing is protected for it" "$before" "$(counter budget.frames.used)"
kexec_load -o 2>/dev/null
holds "the old system call" $? -ne 0
equal "nothing is loaded" 0 "$(cat /sys/kernel/kexec_loaded)"
audit_clean "audit"
finish
