#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What "make run" shows: the pair at work on a stock kernel.  Each step says what it does and what
# came of it; the status is 0 only when all of them went as they should.

. "$(dirname "$0")/lib.sh"

failed=0
# step TEXT COMMAND...
step() {
	step_text=$1
	shift
	if step_output=$("$@" 2>&1); then
		printf '  ok      %s\n' "$step_text"
	else
		printf '  FAILED  %s\n' "$step_text"
		echo "$step_output" | sed 's/^/          /'
		failed=$((failed + 1))
	fi
}

# refuses STATUS COMMAND...
refuses() {
	refuses_status=$1
	shift
	"$@"
	[ $? = "$refuses_status" ]
}

# same WHAT EXPECTED GOT
same() {
	echo "$1: expected $2, got $3"
	[ -n "$2" ] && [ "$2" = "$3" ]
}

validated() {
	modprobe ext4 || return
	for validated_name in crc16 mbcache jbd2 ext4; do
		validated_count=$(record modules name $validated_name relocations)
		echo "$validated_name: $validated_count relocations"
		[ "${validated_count:-0}" -gt 0 ] || return 1
		[ -z "$(record modules name $validated_name flags)" ] || return 1
	done
}

flips() {
	flips_before=$(status patch_allowed)
	sysctl -qw kernel.sched_schedstats=1 && sysctl -qw kernel.sched_schedstats=0 || return
	echo "$(($(status patch_allowed) - flips_before)) patches"
	[ "$(status patch_allowed)" -gt "$flips_before" ] &&
		same "refused patches" 0 "$(status patch_refused)"
}

# blocked TARGET: a write to protected memory fails, changes nothing, and VTL1's log has its address
blocked() {
	blocked_before=$(cat $ATTACK/$1)
	blocked_seq=$(status log_written)
	if sh -c "echo 1 >$ATTACK/$1"; then
		echo "the write was made"
		return 1
	fi
	hekictl log | tail -n 1
	same "byte and address" "$blocked_before" "$(cat $ATTACK/$1)" &&
		same "records" 1 "$(intercepts "${blocked_before#* }" "$blocked_seq")"
}

facts=$(kernel_facts)
fact() {
	echo "$facts" | sed -n "s/^$1=//p"
}

ATTACK=/sys/module/heki_attack/parameters
ENODATA=61 EKEYREJECTED=129
echo
echo "Linux $(uname -r), $(status cpus_online) CPUs"
step "HEKI was loaded early and has locked" same "phase" locked "$(status phase)"
step "VTL1 is $(status host), its grade $(status grade)" same "grade" "$(cat /etc/heki-mode)" \
	"$(status grade)"
step "certificates are trusted: $(status certs_system), of the kernel and of this demonstration" \
	same "certificates" 2 "$(status certs_system)"
step "$(status symbols) + $(status symbols_gpl) symbols, as in kallsyms" same "symbols" \
	"$(fact symbols) $(fact symbols_gpl)" "$(status symbols) $(status symbols_gpl)"
step "$(fact jump_entries) jump labels may be patched, as in the kernel's jump table" \
	same "patches" "$(fact jump_entries)" "$(kernel_jump_labels)"
step "registers of all CPUs are locked" same "CPUs" "$(grep -c ^processor /proc/cpuinfo)" \
	"$(status vps_locked)"
step "ext4 with jbd2, mbcache and crc16 is accepted" validated
step "a static key is flipped" flips
step "a tampered module is refused" refuses $EKEYREJECTED modload finit "$DATA/tampered.ko"
step "the log names it" refusal nls_cp865 SIGNATURE
step "an unsigned module is refused" refuses $ENODATA modload finit "$DATA/unsigned.ko"
step "the log names it" refusal nls_cp865 NO_SIGNATURE
if [ "$(status grade)" = enforce ]; then
	step "an attacker gets into the kernel" modload finit "$DATA/heki_attack.ko"
	step "its write to kernel text is blocked before it lands" blocked text
	step "its write to read-only data is blocked too" blocked rodata
	echo
	hekictl log | tail -n 2 | sed 's/^/          /'
	echo
else
	step "an audit of all that is protected finds nothing" hekictl audit
fi
echo
step_status=0
hekictl status || step_status=$?
echo
[ $step_status = 0 ] || failed=$((failed + 1))
if [ $failed = 0 ]; then
	echo "all went as it should"
else
	echo "$failed steps failed"
	dmesg | grep -i 'heki\|vtl1' | tail -n 40
fi
[ $failed = 0 ]
