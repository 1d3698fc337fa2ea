#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A certificate joins the secondary set when a trusted one has signed it, and can be revoked.
# Expects the certificate "trusted" among the system certificates.

. "$(dirname "$0")/lib.sh"
need_heki
plan 17

ENOKEY=126 EKEYREJECTED=129

fails "its signer is not known yet" $ENOKEY modload finit "$DATA/secondary.ko"
fails "a certificate of a stranger is refused" 1 hekictl key add "$DATA/unrelated.der"
fails "no certificate at all is refused" 1 hekictl key add "$DATA/stock.ko"
equal "no secondary certificate" 0 "$(status certs_secondary)"
check "add a certificate" hekictl key add "$DATA/secondary.der"
equal "one secondary certificate" 1 "$(status certs_secondary)"
check "a module signed with it loads" modload finit "$DATA/secondary.ko"
rmmod nls_cp865

# The kernel may have to load SHA-512 for it, while the shim judges it.
rmmod sha512_generic 2>/dev/null
equal "SHA-512 is no module that is loaded" 0 "$(grep -c ^sha512_generic /proc/modules)"
check "add one with SHA-512" timeout 20 hekictl key add "$DATA/secondary-sha512.der"
equal "two secondary certificates" 2 "$(status certs_secondary)"
check "modules load after that" timeout 20 modprobe ext4
modprobe -r ext4
check "revoke it" hekictl revoke "$DATA/secondary.der"
holds "it is listed as revoked" "$(status certs_revoked)" -ge 1
fails "a module signed with it is refused" $EKEYREJECTED modload finit "$DATA/secondary-other.ko"
fails "it cannot come back" 1 hekictl key add "$DATA/secondary.der"
check "others are still trusted" modload finit "$DATA/trusted.ko"
rmmod nls_cp865
audit_clean "audit"
finish
