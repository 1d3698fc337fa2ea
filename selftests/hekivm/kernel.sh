# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Tests of hekivm with a stock kernel and an initramfs of busybox; read by run.sh.  They are what says
# that the states are those of a real guest; verbs.sh says the same of many more cases, and faster.

kernel=$top/build/kernel/6.1
# A kernel whose CPU gets no time while it counts timer interrupts believes that there are none.
words="console=ttyS0 loglevel=4 panic=-1 no_timer_check"

build_initramfs() {
	local tree=$tmp/tree
	mkdir -p "$tree"/{bin,proc,sys,dev}
	cp "$(command -v busybox)" "$tree/bin/" &&
		cp "$kernel"/modules/kernel/drivers/{acpi/button.ko,input/evdev.ko} "$tree/" || return
	cat >"$tree/init" <<-'END'
		#!/bin/busybox sh
		busybox mount -t proc proc /proc
		busybox mount -t devtmpfs dev /dev
		busybox insmod /button.ko
		busybox insmod /evdev.ko
		for word in $(busybox cat /proc/cmdline); do
			case $word in do=*) end=${word#do=} ;; esac
		done
		busybox echo "HEKIVM-READY 10.0.2.15"
		case $end in
		button)
			for event in /dev/input/event*; do
				(busybox head -c 1 "$event" >/dev/null; busybox poweroff -f) &
			done
			;;
		panic) echo c >/proc/sysrq-trigger ;;
		deaf) ;;
		*) busybox $end -f ;;
		esac
		while :; do busybox sleep 1000; done
	END
	chmod +x "$tree/init"
	(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$tmp/initramfs"
}

# stock NAME END [WORDS]: boot the stock kernel, which is to end in this way
stock() {
	boot "$1" -k "$kernel/vmlinuz" -i "$tmp/initramfs" -m 128 -s "$tmp/$1.log" \
		-c "$words do=$2 ${3:-}"
	result $? "stock kernel: boot of $1" "$(cat "$tmp/err")"
}

# stock_end NAME STATE END
stock_end() {
	local status=0
	"$hekivm" wait -t 600 "$1" >/dev/null 2>&1
	# Ready comes before its end.
	wait_for state_is "$1" "$2"
	in_state "$1" "$2"
	[ "$("$hekivm" state --json "$1" | jq -r .end)" = "$3" ]
	result $? "stock kernel: $1 ends in $3" "$(tail -n 5 "$tmp/$1.log")"
	case $2 in failed*) status=1 ;; esac
	verb "stock kernel: $1 is waited for" $status "$2" wait "$1"
	verb "stock kernel: $1 is freed" 0 "$2" stop "$1"
}

stock_transitions() {
	in_state button running running
	fails "stock kernel: resume of a running one" not-paused 1 resume button
	verb "stock kernel: pause" 0 paused pause button
	in_state button paused paused
	fails "stock kernel: pause of a paused one" not-running 1 pause button
	verb "stock kernel: resume" 0 running resume button
	in_state button running running
	"$hekivm" wait -t 600 button >/dev/null
	in_state button "ready(10.0.2.15)" running
	fails "stock kernel: resume of a ready one" not-paused 1 resume button
	fails "stock kernel: its name is in use" name-in-use 1 boot -n button -k "$guest"
	verb "stock kernel: pause of a ready one" 0 paused pause button
	in_state button paused paused
	verb "stock kernel: ready as before" 0 "ready(10.0.2.15)" resume button
	in_state button "ready(10.0.2.15)" running
	verb "stock kernel: stop by its power button" 0 stopped stop -g 60 button --json
	[ "$(jq -r .end "$tmp/out")" = poweroff ]
	result $? "stock kernel: it has powered off" "$(cat "$tmp/out")"
	"$hekivm" wait -t 600 deaf >/dev/null
	verb "stock kernel: one that has no ear is ended" 0 stopped stop -g 2 deaf --json
	[ "$(jq -r .end "$tmp/out")" = killed ]
	result $? "stock kernel: it was killed" "$(cat "$tmp/out")"
	grep -q "HEKIVM-READY" "$tmp/deaf.log"
	result $? "stock kernel: its log stays"
}

kernel_tests() {
	if [ ! -e "$kernel/complete" ] || ! build_initramfs; then
		result 0 "stock kernel # SKIP none in $kernel"
		return
	fi
	stock button button
	stock deaf deaf
	stock_transitions
	stock off poweroff
	stock again reboot
	stock third reboot reboot=t
	stock halted halt
	stock crash panic
	stock_end off stopped poweroff
	stock_end again stopped reboot
	stock_end third "failed(triple-fault)" triple-fault
	stock_end halted stopped halt
	stock_end crash "failed(panic: Kernel panic - not syncing: sysrq triggered crash)" panic
	cleaned "stock kernel"
}

# Not in the suite: eight stock kernels at once, three rounds.
rounds_tests() {
	local round
	build_initramfs || return
	for round in 1 2 3; do
		echo "# round $round"
		many 8 -k "$kernel/vmlinuz" -i "$tmp/initramfs" -c "$words do=button"
	done
}
