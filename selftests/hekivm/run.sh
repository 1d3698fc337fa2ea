#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [PART...] - tests of hekivm on this machine, with a guest of a few hundred bytes.  KTAP; ends
# with "N passed, N failed".  A part is a function of this file or of those that it reads without its "_tests".

set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
hekivm=${HEKIVM:-$top/build/host/hekivm}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HEKIVM_RUNTIME_DIR=$tmp/run
guest=$tmp/guest
passed=0
failed=0

result() {
	local word=ok
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		word="not ok"
	fi
	echo "$word $((passed + failed)) $2"
	[ "$1" = 0 ] || [ -z "${3:-}" ] || sed 's/^/# /' <<<"$3"
}

# Nothing of a VM is there any more: no directory, no process that names it.
clean() {
	local pid
	[ ! -e "$HEKIVM_RUNTIME_DIR" ] || { find "$HEKIVM_RUNTIME_DIR"; return 1; }
	for pid in /proc/[0-9]*; do
		if tr '\0' ' ' 2>/dev/null <"$pid/cmdline" | grep -q "^[^ ]*qemu.*$tmp"; then
			echo "left: $pid"
			return 1
		fi
	done
}

# expect NAME STATUS WORD ARGUMENT...: run hekivm; its status, a word that its messages hold ("" for
# any), and nothing left behind
expect() {
	local name=$1 status=$2 word=$3 got left
	shift 3
	timeout -k 5 60 "$hekivm" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	left=$(clean) || { result 1 "$name" "$left"; return; }
	if [ "$got" != "$status" ]; then
		result 1 "$name" "expected status $status, got $got: $(cat "$tmp/err")"
	elif [ -n "$word" ] && ! grep -qF -- "$word" "$tmp/err"; then
		result 1 "$name" "no \"$word\" in: $(cat "$tmp/err")"
	else
		result 0 "$name"
	fi
}

run_guest() {
	local name=$1 status=$2 word=$3 command=$4
	shift 4
	expect "$name" "$status" "$word" run -k "$guest" -c "$command" -t 20 "$@"
}

# refused NAME ERROR WORD ARGUMENT...: an error by its stable name, in JSON
refused() {
	local name=$1 error=$2 word=$3 status=121
	shift 3
	case $error in no-engine | runtime-directory | engine-start | qmp) status=122 ;; esac
	expect "$name" "$status" "$word" run --json "$@"
	if [ "$(jq -r .error.name "$tmp/out" 2>/dev/null)" = "$error" ]; then
		result 0 "$name: error $error"
	else
		result 1 "$name: error $error" "$(cat "$tmp/out")"
	fi
}

build_engines() {
	printf '#!/bin/sh\necho "fake: out of luck" >&2\nexit 1\n' >"$tmp/qemu-dies"
	printf '#!/bin/sh\nexec sleep 1000\n' >"$tmp/qemu-sleeps"
	printf '#!/bin/sh\nprintf "octets \\377\\n" >&2\nexit 1\n' >"$tmp/qemu-octets"
	printf 'not a program\n' >"$tmp/qemu-garbage"
	printf '#!/bin/sh\nexec qemu-system-x86_64 "$@" -action shutdown=pause\n' >"$tmp/qemu-hangs"
	chmod +x "$tmp"/qemu-*
}

build_guest() {
	gcc -m32 -ffreestanding -nostdlib -static -no-pie -fno-pic -fno-stack-protector \
		-fcf-protection=none -fno-asynchronous-unwind-tables -O1 -Wall -Wextra -Werror \
		-Wl,-T,"$here/guest.ld" -Wl,--build-id=none -Wl,-z,noexecstack \
		-o "$guest" "$here/guest.c" 2>"$tmp/build.log" || {
		cat "$tmp/build.log"
		echo "0 passed, 1 failed"
		exit 1
	}
}

usage_tests() {
	expect "no verb" 121 usage
	expect "help" 0 "" --help
	expect "help of run" 0 "" run -h
	expect "no such verb" 121 '"fly"' fly
	expect "no kernel given" 121 "--kernel" run
	expect "no such option" 121 "" run --warp
	expect "an extra word" 121 unexpected run -k "$guest" extra
}

input_tests() {
	refused "missing kernel" kernel "$tmp/nothing" -k "$tmp/nothing"
	refused "kernel is a directory" kernel regular -k "$tmp"
	: >"$tmp/empty"
	refused "empty kernel" kernel empty -k "$tmp/empty"
	refused "missing initramfs" initramfs "$tmp/nothing" -k "$guest" -i "$tmp/nothing"
	refused "no CPU" bad-cpus 0 -k "$guest" -p 0
	refused "too many CPUs" bad-cpus 256 -k "$guest" -p 256
	refused "CPUs not a number" bad-cpus 2x -k "$guest" -p 2x
	refused "too little memory" bad-memory 63 -k "$guest" -m 63
	refused "too much memory" bad-memory 1048577 -k "$guest" -m 1048577
	refused "memory that wraps" bad-memory 4294967808 -k "$guest" -m 4294967808
	refused "negative memory" bad-memory -64 -k "$guest" -m -64
	refused "no time" bad-timeout 0 -k "$guest" -t 0
	refused "too much time" bad-timeout 86401 -k "$guest" -t 86401
	refused "accelerator" bad-accelerator warp -k "$guest" -a warp
	refused "counted instructions of two CPUs" bad-accelerator "one CPU" -k "$guest" -a tcg-icount -p 2
	refused "name with a slash" bad-name ../x -k "$guest" -n ../x
	refused "name with a dot in front" bad-name .x -k "$guest" -n .x
	refused "name too long" bad-name aaaa -k "$guest" -n "$(printf 'a%.0s' {1..64})"
	refused "namespace" bad-name "a b" -k "$guest" -N "a b"
	refused "command line too long" cmdline 2048 -k "$guest" -c "$(printf 'a%.0s' {1..2048})"
	refused "serial log nowhere" serial-log nowhere -k "$guest" -s "$tmp/nowhere/log"
	refused "serial log is a directory" serial-log regular -k "$guest" -s "$tmp"
	refused "missing engine" no-engine "$tmp/engine" -k "$guest" -e "$tmp/engine"
	refused "engine not on the path" no-engine qemu-system-none -k "$guest" -e qemu-system-none
	if [ "$(id -u)" = 0 ]; then
		# Root can read everything; another user cannot.
		chmod 755 "$tmp"
		# The tree may lie where he cannot go.
		cp "$guest" "$tmp/unreadable"
		cp "$hekivm" "$tmp/hekivm"
		chmod 600 "$tmp/unreadable"
		chmod 755 "$guest" "$tmp/hekivm"
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			env HEKIVM_RUNTIME_DIR="$tmp/other" "$tmp/hekivm" run -k "$guest" \
			-i "$tmp/unreadable" >"$tmp/out" 2>"$tmp/err"
		[ $? = 121 ] && grep -q "$tmp/unreadable: Permission denied" "$tmp/err"
	else
		cp "$guest" "$tmp/unreadable"
		chmod 000 "$tmp/unreadable"
		"$hekivm" run -k "$guest" -i "$tmp/unreadable" >"$tmp/out" 2>"$tmp/err"
		[ $? = 121 ] && grep -q "$tmp/unreadable: Permission denied" "$tmp/err"
	fi
	result $? "unreadable initramfs" "$(cat "$tmp/err")"
}

# come_and_go NAME: a VM that is gone at once, many times; each time the last one takes the runtime
# directory with it
come_and_go() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$hekivm" run -n "$1" -k "$guest" -e "$tmp/qemu-dies" 2>&1
	done
}

engine_tests() {
	refused "engine that dies" engine-start "out of luck" -k "$guest" -e "$tmp/qemu-dies" \
		-s "$tmp/new.log"
	[ ! -e "$tmp/new.log" ]
	result $? "no serial log is left of it"
	refused "engine that does not answer" qmp "qemu-sleeps" -k "$guest" -e "$tmp/qemu-sleeps"
	refused "engine that cannot be executed" engine-start "qemu-garbage" -k "$guest" \
		-e "$tmp/qemu-garbage"
	come_and_go one >"$tmp/one" &
	come_and_go two >"$tmp/two"
	wait $!
	[ "$(grep -c "out of luck" "$tmp/one") $(grep -c "out of luck" "$tmp/two")" = "300 300" ]
	result $? "two that come and go beside each other" "$(grep -hv "out of luck" "$tmp/one" "$tmp/two")"
	clean
	result $? "two that come and go: nothing is left"
	mkdir -m 777 "$tmp/open"
	HEKIVM_RUNTIME_DIR=$tmp/open "$hekivm" run -k "$guest" -c exit=0 >"$tmp/out" 2>"$tmp/err"
	[ $? = 122 ] && grep -q "others could write" "$tmp/err"
	result $? "runtime directory that is open to others" "$(cat "$tmp/err")"
}

verdict_tests() {
	local status
	for status in 0 1 2 61 119 121 124 125 126 127 128 137 255; do
		run_guest "status $status" "$status" "" "exit=$status"
	done
	run_guest "status by isa-debug-exit alone" 5 "" low=5
	run_guest "a bare 0 is no verdict" 122 "exit status 1" raw=0
	run_guest "halt" 125 halt halt
	run_guest "halt in 64-bit mode, with a CPU that was never started" 125 halt halt64 -p 2
	run_guest "halt of many CPUs" 125 halt halt64 -p 64 -m 256
	expect "a loop in 64-bit mode is no halt" 124 timeout run -k "$guest" -c spin64 -p 2 -t 9
	run_guest "reset" 125 reboot reset
	run_guest "triple fault" 123 triple-fault triple
	run_guest "panic on the console" 123 "panic: Kernel panic - not syncing: a test" panic
	grep -q "the rest" "$tmp/out"
	result $? "what follows the panic is printed"
	run_guest "panic by pvpanic" 123 pvpanic pvpanic
	expect "time limit" 124 "timeout: 2 s" run -k "$guest" -c spin -t 2
	run_guest "several CPUs" 3 "" exit=3 -p 4
	run_guest "one host thread" 3 "" exit=3 -p 2 -a tcg-single
}

# The guest measures a loop by its time-stamp counter and prints that, which firmware adds to.
counting_tests() {
	run_guest "counted instructions" 0 "" count -a tcg-icount
	mv "$tmp/out" "$tmp/first"
	run_guest "counted instructions once more" 0 "" count -a tcg-icount
	[ -s "$tmp/first" ] && cmp "$tmp/first" "$tmp/out"
	result $? "both counts are the same"
}

json_tests() {
	run_guest "JSON of a verdict" 7 "" exit=7 --json -n a-name -N a-space
	jq -e '.schema_version == 1 and .name == "a-name" and .namespace == "a-space" and
		.state == "stopped" and .end == "verdict" and .status == 7 and .exit == 7 and
		.accelerator == "tcg"' "$tmp/out" >/dev/null
	result $? "its members" "$(cat "$tmp/out")"
	run_guest "JSON of a panic" 123 "" panic --json
	jq -e '.state == "failed" and .end == "panic" and .status == -1 and
		.reason == "Kernel panic - not syncing: a test"' "$tmp/out" >/dev/null
	result $? "its members" "$(cat "$tmp/out")"
}

# What comes from outside can be any bytes.
text_tests() {
	local bad=$tmp/$'bad\xff' long
	refused "kernel that is not UTF-8" kernel "not UTF-8" -k "$bad"
	[ "$(jq -r .error.what "$tmp/out")" = "$tmp/bad\xff: not UTF-8" ]
	result $? "which is told" "$(cat "$tmp/out")"
	long=$(printf 'ä%.0s' {1..300})
	refused "text that is cut inside a character" kernel "$tmp" -k "$tmp/$long"
	refused "text that is cut one byte further on" kernel "$tmp" -k "$tmp/x$long"
	refused "name that is not UTF-8" bad-name "" -k "$guest" -n $'\xff'
	refused "serial log that is not UTF-8" serial-log "not UTF-8" -k "$guest" -s "$bad"
	[ ! -e "$bad" ]
	result $? "which is not made"
	refused "log of a hypervisor that is not UTF-8" hypervisor-log "not UTF-8" -k "$guest" \
		--hypervisor "$guest" --hypervisor-log "$bad"
	mkdir "$bad"
	ln -s "$bad" "$tmp/link"
	refused "serial log in a directory that is not UTF-8" serial-log "not UTF-8" -k "$guest" -s "$tmp/link/log"
	: >"$bad/log"
	refused "serial log that is there" serial-log "not UTF-8" -k "$guest" -s "$tmp/link/log"
	HEKIVM_RUNTIME_DIR=$bad/run "$hekivm" run --json -k "$guest" >"$tmp/out" 2>"$tmp/err"
	[ $? = 122 ] && [ "$(jq -r .error.name "$tmp/out")" = runtime-directory ] && [ ! -e "$bad/run" ]
	result $? "runtime directory that is not UTF-8" "$(cat "$tmp/err" "$tmp/out")"
	refused "engine that prints other bytes and dies" engine-start "$(printf 'octets \377')" -k "$guest" \
		-e "$tmp/qemu-octets"
}

console_tests() {
	local i
	for ((i = 0; i < 64; i++)); do
		printf '%b' "$(printf '\\x%02x' {0..255})"
	done >"$tmp/bytes"
	run_guest "binary bytes" 0 "" bytes -s "$tmp/a,log=x"
	cmp "$tmp/bytes" "$tmp/out"
	result $? "each is printed"
	cmp "$tmp/bytes" "$tmp/a,log=x"
	result $? "each is in the serial log, whatever its name"
	"$hekivm" run -k "$guest" -c bytes -t 20 2>"$tmp/err" | head -c 1 >"$tmp/out"
	[ "${PIPESTATUS[0]}" = 0 ]
	result $? "a reader that goes away does not end the run" "$(cat "$tmp/err")"
}

# Until the engine of a VM is gone, but not yet who follows it.
wait_behind_end() {
	local engine
	wait_for test -e "$HEKIVM_RUNTIME_DIR/default/$1/handle.json"
	engine=$(handle_pid "$1")
	while [ -d "/proc/$engine" ]; do
		sleep 0.1
	done
}

late_reader() {
	wait_behind_end one
	sleep 1
	cat
}

# The end of the VM does not depend on who reads its console.
reader_tests() {
	local pid reader begin left
	rm -f "$tmp/one"
	timeout -s KILL 30 "$hekivm" run -k "$guest" -c spin -t 2 -n one -s "$tmp/one" 2>"$tmp/err" | late_reader >"$tmp/out"
	[ "${PIPESTATUS[0]}" = 124 ] && [ "$(stat -c %s "$tmp/one")" -gt 65536 ] && cmp "$tmp/one" "$tmp/out"
	result $? "a reader that is late gets the whole log" "$(cat "$tmp/err")"
	mkfifo "$tmp/pipe"
	# shellcheck disable=SC2217 # it is held open
	sleep 60 <"$tmp/pipe" &
	reader=$!
	begin=$SECONDS
	timeout -s KILL 30 "$hekivm" run -k "$guest" -c spin -t 2 2>"$tmp/err" >"$tmp/pipe"
	[ $? = 124 ] && [ $((SECONDS - begin)) -le 10 ] && grep -q "the end of the console was not read" "$tmp/err"
	result $? "a reader that stands still does not hold up the time limit" \
		"$((SECONDS - begin)) s: $(cat "$tmp/err")"
	rm -f "$tmp/one"
	"$hekivm" run -k "$guest" -c spin -t 60 -n one -s "$tmp/one" 2>"$tmp/err" >"$tmp/pipe" &
	pid=$!
	wait_for prints "$tmp/one"
	begin=$SECONDS
	kill -TERM $pid
	wait $pid
	[ $? = 143 ] && [ $((SECONDS - begin)) -le 10 ]
	result $? "nor a signal" "$((SECONDS - begin)) s: $(cat "$tmp/err")"
	"$hekivm" run -k "$guest" -c bytes -t 60 -n one 2>"$tmp/err" >"$tmp/pipe" &
	pid=$!
	wait_behind_end one
	kill -TERM $pid
	wait $pid
	result $(($? != 143)) "nor one that comes behind the end" "$(cat "$tmp/err")"
	kill $reader
	wait $reader 2>/dev/null
	begin=$SECONDS
	timeout -s KILL 30 python3 -c 'import pty, subprocess, sys; sys.exit(
		subprocess.call(sys.argv[1:], stdout=pty.openpty()[1]))' \
		"$hekivm" run -k "$guest" -c spin -t 2 2>"$tmp/err"
	[ $? = 124 ] && [ $((SECONDS - begin)) -le 10 ]
	result $? "nor a terminal that stands still" "$((SECONDS - begin)) s: $(cat "$tmp/err")"
	left=$(clean)
	result $? "nothing is left" "$left"
}

# wait_for COMMAND...: up to 10 seconds
wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

prints() {
	[ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt 1000 ]
}

handle_pid() {
	jq -r .pid "$HEKIVM_RUNTIME_DIR/default/$1/handle.json"
}

# The VMs of these tests are our own children, ended by their ids.
life_tests() {
	local pid engine size left
	rm -f "$tmp/one"
	"$hekivm" run -k "$guest" -c spin -t 60 -n one -s "$tmp/one" >/dev/null 2>"$tmp/err1" &
	pid=$!
	wait_for prints "$tmp/one"
	result $? "a VM in the background prints"
	engine=$(handle_pid one)
	[ -d "/proc/$engine" ]
	result $? "its handle names the engine"
	"$hekivm" run -k "$guest" -c exit=0 -n one >"$tmp/out" 2>"$tmp/err"
	[ $? = 121 ] && grep -q "default/one" "$tmp/err"
	result $? "its name is in use" "$(cat "$tmp/err")"
	"$hekivm" run -k "$guest" -c exit=4 -n two >"$tmp/out" 2>"$tmp/err"
	result $(($? != 4)) "another VM runs beside it" "$(cat "$tmp/err")"
	"$hekivm" run -k "$guest" -c exit=4 -n one -N other >"$tmp/out" 2>"$tmp/err"
	result $(($? != 4)) "the same name in another namespace" "$(cat "$tmp/err")"
	kill -TERM $pid
	wait $pid
	result $(($? != 143)) "SIGTERM ends it" "$(cat "$tmp/err1")"
	left=$(clean)
	result $? "nothing is left after SIGTERM" "$left"

	rm -f "$tmp/one"
	"$hekivm" run -k "$guest" -c spin -t 60 -n one -s "$tmp/one" >/dev/null 2>&1 &
	pid=$!
	wait_for prints "$tmp/one"
	engine=$(handle_pid one)
	kill -KILL $pid
	wait $pid 2>/dev/null
	wait_for test ! -d "/proc/$engine"
	result $? "the engine dies with a hekivm that is killed"
	size=$(stat -c %s "$tmp/one")
	cmp "$tmp/one" <(yes "still here" | head -c "$size")
	result $? "the serial log is whole"
	expect "its name is free again" 6 "" run -k "$guest" -c exit=6 -n one

	rm -f "$tmp/one"
	"$hekivm" run -k "$guest" -c spin -t 60 -n one -s "$tmp/one" >/dev/null 2>"$tmp/err" &
	pid=$!
	wait_for prints "$tmp/one"
	kill -KILL "$(handle_pid one)"
	wait $pid
	result $(($? != 122)) "an engine that is killed is a failure" "$(cat "$tmp/err")"
	grep -q "signal 9" "$tmp/err"
	result $? "the reason is told" "$(cat "$tmp/err")"
	left=$(clean)
	result $? "nothing is left of it" "$left"
}

# With an engine that cannot run a guest by any other accelerator than TCG.
accel_tests() {
	cat >"$tmp/qemu-no-kvm" <<-'END'
		#!/bin/sh
		case " $* " in *" kvm "*) exec sleep 1000 ;; esac
		exec qemu-system-x86_64 "$@"
	END
	chmod +x "$tmp/qemu-no-kvm"
	"$hekivm" run --json -k "$guest" -c exit=9 -a kvm -e "$tmp/qemu-no-kvm" >"$tmp/out" 2>"$tmp/err"
	[ $? = 9 ] && [ "$(jq -r .accelerator "$tmp/out")" = tcg ] && grep -q "using tcg" "$tmp/err"
	result $? "an accelerator in which no guest runs is not used" "$(cat "$tmp/err")"
	"$hekivm" run --json -k "$guest" -c exit=9 -a kvm -e "$tmp/qemu-dies" >"$tmp/out" 2>"$tmp/err"
	grep -q "qemu-no-kvm), using tcg" "$tmp/err"
	result $? "that is remembered, with the reason" "$(cat "$tmp/err")"
	"$hekivm" run --json -k "$guest" -c exit=9 -a hvf >"$tmp/out" 2>"$tmp/err"
	[ $? = 9 ] && grep -q "hvf here (.*invalid accelerator hvf), using tcg" "$tmp/err"
	result $? "an accelerator that the engine does not offer" "$(cat "$tmp/err")"
	rm -rf "$HEKIVM_RUNTIME_DIR"
	accel_signal_tests
}

probe_runs() {
	[ -e "$(echo "$HEKIVM_RUNTIME_DIR"/hekivm-probe/*/handle.json)" ]
}

# With an engine that makes TCG of KVM and notes its words: the guest never comes to the probe's end.
accel_signal_tests() {
	local verb pid left
	cat >"$tmp/qemu-as-kvm" <<-END
		#!/bin/bash
		echo "\$*" >>"$tmp/words"
		exec qemu-system-x86_64 "\${@/#%kvm/tcg}"
	END
	chmod +x "$tmp/qemu-as-kvm"
	: >"$tmp/words"
	for verb in "run --interactive" "boot"; do
		# shellcheck disable=SC2086
		"$hekivm" $verb --json -k "$guest" -c exit=9 -a kvm -e "$tmp/qemu-as-kvm" >"$tmp/out" 2>"$tmp/err" \
			</dev/zero &
		pid=$!
		wait_for probe_runs
		kill -TERM $pid
		wait $pid
		[ $? = 143 ] && [ "$(jq -r .error.name "$tmp/out")" = cancelled ]
		result $? "${verb%% *}: a signal ends the search for an accelerator" "$(cat "$tmp/err" "$tmp/out")"
		left=$(clean)
		result $? "nothing is left of it, nor remembered" "$left"
		rm -rf "$HEKIVM_RUNTIME_DIR"
	done
	[ "$(wc -l <"$tmp/words")" = 2 ] && ! grep -v -e "-accel kvm" "$tmp/words"
	result $? "no VM was started" "$(cat "$tmp/words")"
	! grep "id=console,fd=" "$tmp/words"
	result $? "the input is not read meanwhile" "$(cat "$tmp/words")"
}

hypervisor_input_tests() {
	refused "missing hypervisor" hypervisor "$tmp/nothing" -k "$guest" --hypervisor "$tmp/nothing"
	refused "hypervisor is a directory" hypervisor regular -k "$guest" --hypervisor "$tmp"
	refused "missing image of VTL1" vtl1 "$tmp/nothing" -k "$guest" --hypervisor "$guest" \
		--vtl1 "$tmp/nothing"
	refused "missing kernel under a hypervisor" kernel "$tmp/nothing" -k "$tmp/nothing" \
		--hypervisor "$guest"
	expect "image of VTL1 without a hypervisor" 121 "--vtl1 without --hypervisor" \
		run -k "$guest" --vtl1 "$guest"
	expect "command line without a hypervisor" 121 "--hypervisor-cmdline without --hypervisor" \
		run -k "$guest" --hypervisor-cmdline x
	expect "log without a hypervisor" 121 "--hypervisor-log without --hypervisor" \
		run -k "$guest" --hypervisor-log "$tmp/log"
	[ ! -e "$tmp/log" ]
	result $? "which is not made"
	refused "hypervisor in KVM" bad-accelerator "TCG only" -k "$guest" --hypervisor "$guest" -a kvm
	refused "log of the hypervisor nowhere" hypervisor-log nowhere -k "$guest" \
		--hypervisor "$guest" --hypervisor-log "$tmp/nowhere/log"
	cp "$guest" "$tmp/a blank"
	refused "blank in a kernel's name" kernel "no blank" -k "$tmp/a blank" --hypervisor "$guest"
	refused "blank in VTL1's name" vtl1 "no blank" -k "$guest" --hypervisor "$guest" \
		--vtl1 "$tmp/a blank"
	refused "blank in an initramfs's name" initramfs "no blank" -k "$guest" \
		--hypervisor "$guest" -i "$tmp/a blank"
	refused "blank in a hypervisor's name" hypervisor "no blank" -k "$guest" \
		--hypervisor "$tmp/a blank"
	expect "a kernel's name can have one otherwise" 3 "" run -k "$tmp/a blank" -c exit=3 -t 20
}

# words_of_engine ARGUMENT...: with what the engine is started, a word a line in $tmp/words
words_of_engine() {
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s/words"\nexit 1\n' "$tmp" >"$tmp/qemu-words"
	chmod +x "$tmp/qemu-words"
	: >"$tmp/words"
	"$hekivm" run -e "$tmp/qemu-words" "$@" >"$tmp/out" 2>"$tmp/err"
}

# has NAME WORD...: the engine's words hold these in a row
has() {
	local name=$1 words
	shift
	words=$(printf '\n%s' "$@")
	[[ $'\n'$(cat "$tmp/words")$'\n' == *"$words"$'\n'* ]]
	result $? "$name" "$(cat "$tmp/words")"
}

hypervisor_engine_tests() {
	printf 'kernel' >"$tmp/k,1"
	printf 'the image' >"$tmp/v"
	printf 'initial ramfs' >"$tmp/i"
	words_of_engine -k "$tmp/k,1" -c "a=1,2 b,,c" -i "$tmp/i" --vtl1 "$tmp/v" --hypervisor "$guest" \
		--hypervisor-cmdline "d=3,4 e" --hypervisor-log "$tmp/log,id=x"
	has "machine of a hypervisor" -machine pc,smm=off
	has "one thread for all its CPUs" -accel tcg,thread=single,tb-size=256
	has "it cannot sleep" -global PIIX4_PM.disable_s3=1
	has "nothing patches its accesses" -global apic-common.vapic=off
	has "modules of a hypervisor" -kernel "$guest" -append "d=3,4 e" -initrd \
		"$tmp/k,,1 vtl0 a=1,,2 b,,,,c,$tmp/v vtl1,$tmp/i initrd"
	has "serial ports of a hypervisor" -serial chardev:console -chardev \
		"file,id=hypervisor,path=$tmp/log,,id=x" -serial chardev:hypervisor
	[ ! -e "$tmp/log,id=x" ]
	result $? "no log of a hypervisor is left of an engine that dies"
	words_of_engine -k "$guest" -c "" --hypervisor "$guest" -a tcg
	has "a thread for each CPU, when that is asked for" -accel tcg,thread=multi,tb-size=256
	has "modules that are absent are left out" -append "" -initrd "$guest vtl0"
	words_of_engine -k "$guest"
	has "machine without a hypervisor" -machine pc -accel
	has "the processor by default" -cpu max -smp
	[ "$(grep -c -e '^-serial$' "$tmp/words")" = 1 ]
	result $? "serial port without a hypervisor" "$(cat "$tmp/words")"
	words_of_engine -k "$guest" --cpu EPYC,-svm
	has "another processor" -cpu EPYC,-svm -smp
	words_of_engine -k "$guest" -c "" -i "$tmp/i" -d "$tmp/v" --vtl1 "$tmp/v" --hypervisor "$guest" \
		--hypervisor-cmdline "" --hypervisor-log "$tmp/log" -s "$tmp/serial" -a tcg-icount -n all -N all
	has "all options at once" -icount shift=0,sleep=off
	has "and their disk" -drive "if=virtio,format=raw,file=$tmp/v"
	[ "$(tail -n 1 "$tmp/words")" = -S ]
	result $? "down to the last word" "$(cat "$tmp/err")"
}

hypervisor_tests() {
	local i
	hypervisor_input_tests
	hypervisor_engine_tests
	expect "modules reach the hypervisor" 0 "" run -k "$tmp/k,1" -c "a=1,2 b,,c" -i "$tmp/i" -t 20 \
		--vtl1 "$tmp/v" --hypervisor "$guest" --hypervisor-cmdline "d=3,4 modules" \
		--hypervisor-log "$tmp/log,id=x"
	printf '%s\n' "$guest d=3,4 modules" "6 $tmp/k,1 vtl0 a=1,2 b,,c" "9 $tmp/v vtl1" \
		"13 $tmp/i initrd" | cmp - "$tmp/log,id=x"
	result $? "its console is kept" "$(cat "$tmp/log,id=x")"
	[ ! -s "$tmp/out" ]
	result $? "and is not the guest's" "$(cat "$tmp/out")"
	expect "a hypervisor's verdict tells enough" 7 "" run -k "$guest" --hypervisor "$guest" -t 20 \
		--hypervisor-cmdline exit=7
	[ ! -s "$tmp/err" ]
	result $? "and nothing else is said" "$(cat "$tmp/err")"
	expect "a hypervisor that falls" 123 triple-fault run -k "$guest" --hypervisor "$guest" -t 20 \
		--hypervisor-cmdline fall -n a-name
	for ((i = 11; i <= 20; i++)); do
		echo "hekivm: a-name: hypervisor: line ? $i"
	done | sed '$!s/$/ /' | cmp - <(tail -n +2 "$tmp/err")
	result $? "the end of its console is shown" "$(cat -v "$tmp/err")"
	expect "JSON of a hypervisor's log" 0 "" run --json -k "$guest" --hypervisor "$guest" -t 20 \
		--hypervisor-cmdline modules --hypervisor-log "$tmp/log"
	[ "$(jq -r .hypervisor_log "$tmp/out")" = "$tmp/log" ]
	result $? "its member" "$(cat "$tmp/out")"
}

# shellcheck source=selftests/hekivm/verbs.sh
. "$here/verbs.sh"
# shellcheck source=selftests/hekivm/faults.sh
. "$here/faults.sh"
# shellcheck source=selftests/hekivm/parallel.sh
. "$here/parallel.sh"
# shellcheck source=selftests/hekivm/arm64.sh
. "$here/arm64.sh"
# shellcheck source=selftests/hekivm/kernel.sh
. "$here/kernel.sh"

echo "TAP version 13"
build_guest
build_engines
[ $# -gt 0 ] || set -- usage input engine verdict counting json text console reader life accel hypervisor verb arm64 kernel parallel fault
for part; do
	"${part}_tests"
done
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
