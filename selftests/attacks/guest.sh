#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh CASE... - in a VM: try attacks, one after the other, and tell what has come of each
#
# What is told, between lines that start with @, is read by scripts/attack, which knows what is
# expected.  An attack is a function try_CASE here, or one of heki_attacks.ko.

HEKI=/sys/kernel/security/heki
ATTACKS=/sys/kernel/debug/heki_attacks
DATA=/testdata
PATH=$PATH:/selftests

written() {
	sed -n 's/^log_written=//p' $HEKI/status 2>/dev/null
}

# Records since number $1 of VTL1's log
records() {
	records_new=$(($(written) - $1))
	[ $records_new -le 0 ] || hekictl log --json -n $records_new
}

# effect ERRNO COMMAND...: an attack is a program that fails with an errno, or has had its way
effect() {
	effect_error=0
	"$@" >/tmp/attack.out 2>&1 || effect_error=$?
	effect_had=0
	[ $effect_error != 0 ] || effect_had=1
	echo "effect=$effect_had error=$effect_error address=0x0"
}

. "$(dirname "$0")/programs.sh"

# What the client tells VTL1 of a module is kept by the attacker, to be told again
keep() {
	echo keep >$ATTACKS/run
	modload finit $DATA/stock.ko
	rmmod nls_cp865
	echo keep-end >$ATTACKS/run
}

start() {
	# The guest's clock runs on while a busy host lets it wait: only what takes a minute is a lockup.
	sysctl -qw kernel.watchdog_thresh=30
	echo 1 >/sys/kernel/rcu_expedited
	modload finit $DATA/other.ko
	insmod $DATA/heki_attacks.ko lookup=0x"$(sed -n 's/ T kallsyms_lookup_name$//p' /proc/kallsyms)"
	[ ! -e $HEKI/status ] || keep
}

# The hypervisor's console shows what it has told between two marks, see counters in hypervisor.md
mark() {
	printf '%b' "\\0$1" | dd of=/dev/port bs=1 seek=760 2>/dev/null
}

# own PREFIX CASE: the name of a function for this case, if there is one
own() {
	own_name=$1_$(echo "$2" | tr - _)
	! type "$own_name" >/dev/null 2>&1 || echo "$own_name"
}

try_by_module() {
	if (echo "$1 $argument" >$ATTACKS/run) 2>/tmp/attack.err; then
		cat $ATTACKS/result
	else
		echo "untried $argument $(cat /tmp/attack.err)"
	fi
}

undo_by_module() {
	echo 1 >$ATTACKS/undo
}

# try CASE: say what has come of it
try() {
	try_function=$(own try "$1")
	if [ -n "$try_function" ]; then
		$try_function
	else
		try_by_module "$1"
	fi
}

# undo CASE
undo() {
	undo_function=$(own undo "$1")
	${undo_function:-undo_by_module}
}

in_audit() {
	grep -q '^grade=audit' $HEKI/status 2>/dev/null
}

audit() {
	audit_last=$(written)
	hekictl audit >/dev/null
	records "$audit_last"
}

attack() {
	prepare_function=$(own prepare "$1")
	${prepare_function:-:}
	argument_function=$(own argument "$1")
	argument=$(${argument_function:-:})
	attack_last=$(written)
	echo "@case $1"
	mark 1
	try "$1" 2>&1
	mark 2
	echo "@records"
	[ -z "$attack_last" ] || records "$attack_last"
	if in_audit; then
		echo "@audit"
		audit
	fi
	echo "@undo"
	undo "$1"
	# What is as it was is reported again when it changes once more.
	! in_audit || audit >/dev/null
	echo "@done"
}

# No oops, warning or lockup was there
not_tainted() {
	cat /proc/sys/kernel/tainted
	[ $(($(cat /proc/sys/kernel/tainted) & (1 << 7 | 1 << 9 | 1 << 14))) = 0 ] ||
		{ dmesg | grep -A 20 'cut here\|BUG\|Oops'; return 1; }
}

# What a system must still be able to do when all is over: effect=1 when it is
well() {
	modload finit $DATA/stock.ko && rmmod nls_cp865 &&
		sysctl -qw kernel.sched_schedstats=1 && sysctl -qw kernel.sched_schedstats=0 &&
		not_tainted
}

start || exit
for name; do
	attack "$name"
done
echo "@case well"
effect well
cat /tmp/attack.out
echo "@done"
