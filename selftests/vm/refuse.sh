#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is refused, with which error, and that the log names it.  Expects the certificate "trusted"
# among the system certificates, so that VTL1 judges signatures that the kernel has no key for.

. "$(dirname "$0")/lib.sh"
need_heki
plan 22

ENOEXEC=8 ENODATA=61 EBADMSG=74 ELIBBAD=80 EOPNOTSUPP=95 ENOKEY=126 EKEYREJECTED=129

settle
before=$(table_use)
last=$(status log_written)

fails "unsigned" $ENODATA modload finit "$DATA/unsigned.ko"
check "the log names the unsigned module" refusal nls_cp865 NO_SIGNATURE "$last"
last=$(status log_written)
fails "unknown signer" $ENOKEY modload finit "$DATA/stranger.ko"
check "the log names the module of an unknown signer" refusal nls_cp865 NO_KEY "$last"
last=$(status log_written)
fails "tampered, signed with a key of VTL1's only" $EKEYREJECTED \
	modload finit "$DATA/trusted-tampered.ko"
check "the log names the tampered module" refusal nls_cp865 SIGNATURE "$last"
last=$(status log_written)
fails "wrong kind of container" $ELIBBAD modload finit "$DATA/wrong-kind.ko"
check "the log names the module with the wrong container" refusal nls_cp865 SIGNATURE_FORMAT \
	"$last"

last=$(status log_written)
fails "livepatch module" $EOPNOTSUPP modload finit "$DATA/heki_livepatch.ko"
check "the log names the livepatch module" refusal heki_livepatch MODULE_LIVEPATCH "$last"
check "nothing is patched" sh -c '! grep -q "live patched" /proc/cmdline'

last=$(status log_written)
fails "tampered, signed with the kernel's key" $EKEYREJECTED modload finit "$DATA/tampered.ko"
check "the log names it as well" refusal nls_cp865 SIGNATURE "$last"
# These the kernel's own parsers refuse.
fails "damaged container" $EBADMSG modload finit "$DATA/container.ko"
fails "cut container" $EBADMSG modload finit "$DATA/cut-signature.ko"
fails "truncated" $ENOEXEC modload finit "$DATA/truncated.ko"

check "no refused module is loaded" sh -c '! grep -qE "^(nls_cp865|heki_livepatch)" /proc/modules'
settle
equal "refused modules leave nothing" "$before" "$(table_use)"
check "the stock module loads afterwards" modload finit "$DATA/stock.ko"
rmmod nls_cp865
check "a module signed with the added certificate loads" modload finit "$DATA/trusted.ko"
rmmod nls_cp865
settle
equal "these leave nothing either" "$before" "$(table_use)"
audit_clean "audit"
finish
