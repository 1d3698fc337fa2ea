#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Late load under grade enforce with exec=strict: BPF programs that were there at the lock go on running,
# and going; what is in their memory stays as it is.

. "$(dirname "$0")/lib.sh"
[ "$(cat /etc/heki-mode 2>/dev/null)" = late ] || skip_all "needs a VM with MODE=late"
load=$(modprobe heki_client 2>&1) || skip_all "no client: $load"
[ "$(status grade)" = enforce ] && [ "$(status exec_policy)" = strict ] ||
	skip_all "needs grade enforce and exec=strict"
plan 10

COUNT=100

rm -f /tmp/go
: >/tmp/filters
filters $COUNT /tmp/go >/tmp/filters &
filters=$!
while ! grep -q filters /tmp/filters; do
	kill -0 $filters || break
	sleep 0.1
done
check "a program of two functions loads" bpf_call
check "certificates of the kernel's image" \
	hekictl cert extract "$DATA/vmlinuz" -o /tmp/kernel.der
check "start" hekictl start --cert /tmp/kernel.der
equal "locked" locked "$(status phase)"
kept=$(counter client_pokes_kept)
touch /tmp/go
wait $filters
equal "$COUNT filters pass their messages, then go" 0 $?
sleep 1
holds "what is written over them is left out" "$(counter client_pokes_kept)" -gt "$kept"
equal "a new program is refused" EPERM "$(bpf_call)"
check "a static key flips" sh -c "echo 1 >/proc/sys/kernel/sched_schedstats"
check "and back" sh -c "echo 0 >/proc/sys/kernel/sched_schedstats"
audit_clean "audit"
finish
