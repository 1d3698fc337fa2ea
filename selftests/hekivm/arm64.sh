# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Tests of the machine arm64, with guests of some instructions under the hypervisor and without it; read
# by run.sh.

arm64=$top/build/hypervisor-arm64

build_arm64_guests() {
	local name
	"$top/scripts/build-hypervisor-arm64" >&2 &&
		aarch64-linux-gnu-gcc -c -o "$tmp/arm64.o" "$here/arm64.S" || return
	for name in $(sed -n 's/^\tguest //p' "$here/arm64.S"); do
		aarch64-linux-gnu-objcopy -O binary -j "$name" "$tmp/arm64.o" "$tmp/$name" || return
	done
}

# arm64_guest NAME STATUS WORD GUEST ARGUMENT...: under the hypervisor
arm64_guest() {
	local name=$1 status=$2 word=$3 file=$4
	shift 4
	expect "arm64: $name" "$status" "$word" run -M arm64 -t 30 -m 64 -k "$tmp/$file" -c "" \
		--hypervisor "$arm64/hypervisor.elf" "$@"
}

arm64_refused() {
	local under=(-M arm64 --hypervisor "$arm64/hypervisor.elf")
	refused "no such machine" bad-machine warp -k "$guest" -M warp
	refused "address that is no number" bad-address 12z -k "$guest" "${under[@]}" --address 12z
	refused "address 0" bad-address '"0"' -k "$guest" "${under[@]}" --address 0
	refused "address beyond 512 GiB" bad-address 0x8000000000 -k "$guest" "${under[@]}" \
		--address 0x8000000000
	refused "address that wraps" bad-address 0x1 -k "$guest" "${under[@]}" \
		--address 0x10000000048000000
	refused "address on x86" usage "only of the machine arm64" -k "$guest" --address 0x48000000
	refused "address without a hypervisor" usage "without --hypervisor" -k "$guest" -M arm64 \
		--address 0x48000000
	refused "arm64: command line without a hypervisor" usage "without --hypervisor" -k "$guest" \
		-M arm64 --hypervisor-cmdline counters
	refused "arm64: a disk" usage "--disk: not of" -k "$guest" -M arm64 -d "$guest"
	refused "arm64: VTL1" usage "--vtl1: not of" -k "$guest" "${under[@]}" --vtl1 "$guest"
	refused "arm64: log of a hypervisor" usage "--hypervisor-log: not of" -k "$guest" "${under[@]}" \
		--hypervisor-log "$tmp/log"
	refused "arm64 in KVM" bad-accelerator "TCG only" -k "$guest" -M arm64 -a kvm
	refused "arm64: counted instructions of two CPUs" bad-accelerator "one CPU" -k "$guest" -M arm64 \
		-a tcg-icount -p 2
	refused "arm64: no memory" bad-memory 0 -k "$guest" -M arm64 -m 0
	refused "arm64: missing kernel" kernel "$tmp/nothing" -k "$tmp/nothing" "${under[@]}"
	refused "arm64: missing hypervisor" hypervisor "$tmp/nothing" -k "$guest" -M arm64 \
		--hypervisor "$tmp/nothing"
	head -c 2097152 /dev/zero >"$tmp/large"
	refused "arm64: an initramfs as large as the memory" initramfs "no room in 2 MiB" -k "$guest" \
		"${under[@]}" -m 2 -i "$tmp/large"
	refused "arm64: an initramfs that leaves no room" initramfs "no room in 3 MiB" -k "$guest" \
		"${under[@]}" -m 3 -i "$tmp/large"
	refused "arm64: no such processor" engine-start "warp" -k "$guest" -M arm64 --cpu warp
	refused "arm64: missing engine" no-engine "$tmp/engine" -k "$guest" -M arm64 -e "$tmp/engine"
	expect "boot has no input" 2 "does not take" boot -k "$guest" --interactive
}

arm64_words() {
	printf 'guest' >"$tmp/g,1"
	head -c 5000 /dev/zero >"$tmp/i,1"
	words_of_engine -M arm64 -k "$tmp/g,1" -c "a=1,2 b" -i "$tmp/i,1" -m 96 -p 2 --cpu cortex-a57 \
		--hypervisor "$arm64/hypervisor.elf" --hypervisor-cmdline "counters dump"
	has "arm64: machine of a hypervisor" -machine virt,gic-version=3,its=off,virtualization=on \
		-accel tcg,thread=multi,tb-size=256 -cpu cortex-a57 -smp 2 -m 226
	has "arm64: the guest's files" -kernel "$arm64/hypervisor.elf" -append \
		"load=0x48000000 memory=96 file=0x4e000000 file-size=5 initrd=0x4de00000 initrd-size=5000 counters dump -- a=1,2 b" \
		-device "loader,addr=0x4e000000,force-raw=on,file=$tmp/g,,1" \
		-device "loader,addr=0x4de00000,force-raw=on,file=$tmp/i,,1"
	! grep -qE 'isa-|pvpanic|cpu_reset' "$tmp/words"
	result $? "arm64: no devices of x86" "$(cat "$tmp/words")"
	words_of_engine -M arm64 -k "$tmp/g,1" -m 1 --hypervisor "$arm64/hypervisor.img" --address 1610616832
	has "arm64: an Image has half a GiB at least" -smp 1 -m 516
	has "arm64: another address" -append \
		"load=0x60001000 memory=1 file=0x60200000 file-size=5  -- console=ttyAMA0"
	words_of_engine -M arm64 -k "$tmp/g,1" -i "$tmp/i,1" -a tcg-icount
	has "arm64: machine without a hypervisor" -machine virt,gic-version=3,its=off -accel \
		tcg,thread=single -cpu max -smp 1 -m 512 -icount shift=0,sleep=off
	has "arm64: its kernel" -kernel "$tmp/g,1" -append console=ttyAMA0 -initrd "$tmp/i,1"
}

arm64_ends() {
	arm64_guest "a verdict" 7 "" leave
	arm64_guest "on two CPUs, without FEAT_XNX, elsewhere" 7 "" leave -p 2 --cpu cortex-a72 -m 1 \
		--address 0x60001000
	expect "arm64: the hypervisor as an Image" 7 "" run -M arm64 -t 30 -k "$tmp/leave" \
		--hypervisor "$arm64/hypervisor.img" --address 0x50000000
	arm64_guest "a reset" 64 "" reset
	arm64_guest "an exception without vectors" 88 "" trap --hypervisor-cmdline faults=stop
	arm64_guest "an option that the hypervisor does not know" 81 "" leave --hypervisor-cmdline warp
	arm64_guest "time limit" 124 "timeout: 2 s" spin -t 2
	arm64_guest "a forged verdict" 124 "timeout: 2 s" forge -t 2
	grep -q "^hypervisor: exit 0" "$tmp/out"
	result $? "arm64: it was printed"
	arm64_guest "a panic on the console" 123 "panic: Kernel panic - not syncing: arm" crash
	expect "arm64: power off without a hypervisor" 125 poweroff run -M arm64 -k "$tmp/off" -t 30
	expect "arm64: no verdict without a hypervisor" 125 poweroff run -M arm64 -k "$tmp/forge_off" -t 30
	expect "arm64: reset without a hypervisor" 125 reboot run -M arm64 -k "$tmp/again" -t 30
	arm64_guest "JSON of a verdict" 7 "" leave --json -s "$tmp/arm.log"
	jq -e '.state == "stopped" and .end == "verdict" and .status == 7 and .exit == 7 and
		.hypervisor_log == null' "$tmp/out" >/dev/null
	result $? "arm64: its members" "$(cat "$tmp/out")"
	[ "$(tail -n 1 "$tmp/arm.log" | tr -d '\r')" = "hypervisor: exit 7" ]
	result $? "arm64: its log is whole" "$(cat "$tmp/arm.log")"
}

arm64_counting() {
	local i
	for i in 1 2; do
		arm64_guest "counted instructions" 7 "" leave -a tcg-icount --hypervisor-cmdline counters
		mv "$tmp/out" "$tmp/count$i"
	done
	cmp "$tmp/count1" "$tmp/count2"
	result $? "arm64: both counts are the same"
}

# whole_lines LOG: the hypervisor's line, then many of the guest's, each whole
whole_lines() {
	[ "$(grep -c . "$1")" -gt 100 ] &&
		! tail -n +2 "$1" | head -n -1 | grep -qvx "still here"
}

# arm64_boot NAME GUEST: under the hypervisor
arm64_boot() {
	"$hekivm" boot -n "$1" -M arm64 -m 64 -k "$tmp/$2" -c "" --hypervisor "$arm64/hypervisor.elf" \
		-s "$tmp/$1.log" >"$tmp/out" 2>"$tmp/err"
	result $? "arm64: boot of $1" "$(cat "$tmp/err")"
}

arm64_verbs() {
	arm64_boot seven ready
	verb "arm64: wait until ready" 0 "ready(10.0.0.7)" wait -t 30 seven
	in_state seven "ready(10.0.0.7)" running
	verb "arm64: pause" 0 paused pause seven
	in_state seven paused paused
	verb "arm64: resume" 0 "ready(10.0.0.7)" resume seven
	verb "arm64: its log" 0 "HEKIVM-READY 10.0.0.7" log seven
	verb "arm64: stop of one that has no ear" 0 stopped stop -g 1 seven --json
	[ "$(jq -r .end "$tmp/out")" = killed ]
	result $? "arm64: it was killed" "$(cat "$tmp/out")"

	arm64_boot spinning spin
	wait_for prints "$tmp/spinning.log"
	verb "arm64: kill" 0 stopped kill spinning
	whole_lines "$tmp/spinning.log"
	result $? "arm64: the log of one that was killed is whole" "$(tail -n 3 "$tmp/spinning.log")"

	arm64_boot leaving leave
	verb "arm64: wait for its end" 0 stopped wait -t 30 leaving --json
	jq -e '.end == "verdict" and .status == 7' "$tmp/out" >/dev/null
	result $? "arm64: how it ended" "$(cat "$tmp/out")"
	verb "arm64: it is freed" 0 stopped stop leaving
	cleaned "arm64: verbs"
}

# arm64_job NAME GUEST [MEMBERS]
arm64_job() {
	printf '{"name": "%s", "machine": "arm64", "kernel": "%s", "hypervisor": "%s", "cmdline": "",
		"memory": 64, "address": "0x50000000", "cpu": "cortex-a57", "serial_log": "%s",
		"timeout": 20%s}' "$1" "$tmp/$2" "$arm64/hypervisor.elf" "$tmp/$1.log" "${3:+, $3}"
}

arm64_jobs() {
	bad_jobs "machine of a job" bad-machine "[$(job a exit=0 '"machine": "warp"')]" 2
	bad_jobs "address of a job" bad-address "[$(arm64_job a leave | sed 's/0x50000000/here/')]" 2
	bad_jobs "address that is a number of JSON" jobs "[$(arm64_job a leave | sed 's/"0x50000000"/3/')]"
	echo "[$(arm64_job one tap), $(job two exit=0), $(arm64_job three leave)]" >"$tmp/jobs"
	verb "jobs of both machines" 1 "2 passed, 2 failed" run --parallel 2 "$tmp/jobs"
	grep -qx '    not ok 2 - b' "$tmp/out" && grep -qx '    not ok 1 - ends in verdict, got status 7' "$tmp/out"
	result $? "their KTAP" "$(cat "$tmp/out")"
	cleaned "arm64: jobs"
}

arm64_input() {
	printf 'abc\1xq' | timeout 60 "$hekivm" run -M arm64 -m 64 -k "$tmp/echo" -c "" -t 30 --interactive \
		--hypervisor "$arm64/hypervisor.elf" -s "$tmp/arm.log" >"$tmp/out" 2>"$tmp/err"
	[ "${PIPESTATUS[1]}" = 5 ]
	result $? "input reaches the guest" "$(cat "$tmp/err" "$tmp/out")"
	grep -q "$(printf '^abc\1xq\r*$')" "$tmp/out" && cmp "$tmp/out" "$tmp/arm.log"
	result $? "as it is, and the log is whole" "$(cat -v "$tmp/out")"
	python3 "$here/typed" "$hekivm" run -M arm64 -m 64 -k "$tmp/echo" -c "" -t 30 --interactive \
		--hypervisor "$arm64/hypervisor.elf" >"$tmp/out" 2>&1
	result $? "a terminal: keys, its escape, and as it was" "$(cat -v "$tmp/out")"
	cleaned "input"
}

arm64_completion() {
	local words
	# shellcheck disable=SC2016 # for that shell
	words=$(bash -c '. "$1" && COMP_WORDS=(hekivm run -M "") COMP_CWORD=3 && _hekivm &&
		echo "${COMPREPLY[*]}"' - "$top/tools/hekivm/hekivm.bash-completion")
	[ "$words" = "pc arm64" ]
	result $? "completion knows the machines" "$words"
}

arm64_tests() {
	arm64_completion
	build_arm64_guests
	result $? "build of the guests for arm64"
	arm64_refused
	arm64_words
	arm64_ends
	arm64_counting
	arm64_verbs
	arm64_jobs
	arm64_input
}
