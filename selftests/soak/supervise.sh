#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# supervise.sh SECONDS audit|enforce|off poweroff|reboot - in a VM with Debian: run all jobs together
# for so long, not at all with 0, then look at the kernel, at systemd and at HEKI, and end the machine
#
# Prints "ok NAME" and "not ok NAME" for scripts/soak, which numbers them; "# end" is its last line.

. /soak/lib.sh
. /soak/vm-lib.sh
seconds=$1 mode=$2 end=$3
jobs=$(cd $SOAK/jobs && echo *.sh)
REFUSALS='^(refusals\.|errors\.|client_(calls_failed|modules_vetoed|modules_reported)=)'
REFUSALS="$REFUSALS|^client_(pokes_refused|pokes_unlisted|patches_refused|kexec_refused)="
TROUBLE='BUG|Oops|WARNING:|Call Trace|lockup|LOCKUP|rcu.*stall|blocked for more than'
TROUBLE="$TROUBLE|general protection|Bad page|unchecked MSR|segfault|[Oo]ut of memory|oom-kill"
TROUBLE="$TROUBLE|recovery complete|orphan"

# What no healthy kernel says, nor one whose disk was left in order; with the lines behind it, such as a stack.
trouble() {
	! journalctl -q -k -b -o cat | grep -E -A 40 "$TROUBLE"
}

tainted() {
	[ $(($(cat /proc/sys/kernel/tainted) & (1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14))) = 0 ]
}

modules() {
	cut -d' ' -f1 /proc/modules | sort -u
}

unloaded() {
	modules | diff $RUN/loaded -
}

units() {
	[ -z "$(systemctl list-units --failed --no-legend --plain | tee /dev/stderr)" ]
}

# What HEKI has refused since the boot, by kind: nothing of all this asks for anything wrong.
refusals() {
	! { grep -E "$REFUSALS" "$HEKI/counters"; grep '^violations=' "$HEKI/status"; } | grep -v '=0$' || {
		grep 'event=refusal\|event=violation\|event=fault\|event=intercept' "$HEKI/log" | tail -n 20
		return 1
	}
}

heki() {
	echo "mode $(status mode), grade $(status grade), phase $(status phase), load $(status load)"
	[ "$(status mode) $(status grade)" = "$mode $mode" ] &&
		[ "$(status phase) $(status load)" = "locked early" ]
}

job() {
	rounds=0 units=0
	mkdir -p "/var/tmp/soak/$1"
	cd "/var/tmp/soak/$1" || exit
	while [ ! -e $RUN/stop ]; do
		timeout 900 sh "$SOAK/jobs/$1.sh" $rounds >"$RUN/$1.out" 2>"$RUN/$1.err" || {
			echo "status $? in round $((rounds + 1))" >>"$RUN/$1.err"
			mv "$RUN/$1.err" "$RUN/$1.failed"
			return
		}
		rounds=$((rounds + 1))
		units=$((units + $(tail -n 1 "$RUN/$1.out")))
		echo "$rounds $units" >"$RUN/$1.rounds"
	done
}

# rounds NAME: how many there were, which is a failure when one failed or there was none
rounds() {
	rounds=0 units=0
	[ ! -e "$RUN/$1.rounds" ] || read -r rounds units <"$RUN/$1.rounds"
	unit=$(sed -n 's/^# unit: //p' "$SOAK/jobs/$1.sh")
	line=$(printf '%-12s %6d rounds, %8d %s' "$1" "$rounds" "$units" "$unit")
	if [ -e "$RUN/$1.failed" ] || [ "$rounds" = 0 ]; then
		fail "$line" "$(cat "$RUN/$1.failed" 2>/dev/null)"
	else
		pass "$line"
	fi
}

progress() {
	text=""
	for name in $jobs; do
		name=${name%.sh}
		rounds=0
		[ ! -e "$RUN/$name.rounds" ] || read -r rounds _ <"$RUN/$name.rounds"
		text="$text, $rounds $name"
		[ ! -e "$RUN/$name.failed" ] || text="$text (failed)"
	done
	echo "# $1 s of $seconds: ${text#, }"
}

load() {
	for name in $jobs; do
		job "${name%.sh}" &
	done
	begin=$(cut -d. -f1 /proc/uptime)
	at=0
	while [ $at -lt "$seconds" ]; do
		step=$((seconds / 4 < 60 ? seconds / 4 + 1 : 60))
		sleep $((seconds - at < step ? seconds - at : step))
		at=$(($(cut -d. -f1 /proc/uptime) - begin))
		progress $at
	done
	touch $RUN/stop
	wait
	echo 1 >/sys/devices/system/cpu/cpu1/online
}

mkdir -p $RUN
[ "$seconds" -ge 60 ] || touch $RUN/short
check "the system is up: $(timeout 200 systemctl is-system-running --wait)" units
# Modules go on being loaded for devices that were found.
udevadm settle
echo "# up after $(cut -d. -f1 /proc/uptime) s; $(journalctl -q -k -b -o cat | grep -m 1 'tsc: Detected')"
[ "$mode" = off ] || {
	check "HEKI protects it" heki
	settle
	before=$(table_use)
}
modules >$RUN/loaded
[ "$seconds" = 0 ] || {
	load
	udevadm settle
	unload_new
	for name in $jobs; do
		rounds "${name%.sh}"
	done
}
check "all modules are unloaded" unloaded
check "the kernel's log has no trouble" trouble
check "the kernel is well" tainted
check "no unit failed" units
[ "$mode" = off ] || {
	settle
	equal "VTL1's tables are as before" "$before" "$(table_use)"
	check "nothing was refused" refusals
	check "hekictl status" hekictl status
	check "hekictl audit" hekictl audit
}
echo "# all after $(cut -d. -f1 /proc/uptime) s"
echo "# end"
sync
systemctl "$end"
sleep 100
