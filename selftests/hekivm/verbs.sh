# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Tests of the verbs that find a VM by its directory; read by run.sh.

# verb NAME STATUS WORDS ARGUMENT...: run a verb; its status, and what it prints on either output
verb() {
	local name=$1 status=$2 words=$3 got
	shift 3
	timeout -k 5 90 "$hekivm" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	if [ "$got" != "$status" ]; then
		result 1 "$name" "expected status $status, got $got: $(cat "$tmp/out" "$tmp/err")"
	elif [ -n "$words" ] && ! cat "$tmp/out" "$tmp/err" | grep -qF -- "$words"; then
		result 1 "$name" "no \"$words\" in: $(cat "$tmp/out" "$tmp/err")"
	else
		result 0 "$name"
	fi
}

# fails NAME ERROR STATUS ARGUMENT...: an error by its stable name, in JSON
fails() {
	local name=$1 error=$2 status=$3
	shift 3
	verb "$name" "$status" "" "$@" --json
	[ "$(jq -r .error.name "$tmp/out" 2>/dev/null)" = "$error" ]
	result $? "$name: error $error" "$(cat "$tmp/out")"
}

state_is() {
	[ "$("$hekivm" state "$1" 2>/dev/null)" = "$2" ]
}

# in_state VM STATE [STATUS]: what "state" and "list" say, and what QMP does while the VM lives
in_state() {
	local got
	got=$("$hekivm" state "$1" 2>&1)
	[ "$got" = "$2" ]
	result $? "$1 is $2" "$got"
	"$hekivm" list -N default | grep -qxF "default/$1 $2"
	result $? "$1 is listed as $2" "$("$hekivm" list)"
	[ -n "${3:-}" ] || return
	[ "$("$here/qmp" "$HEKIVM_RUNTIME_DIR/default/$1")" = "$3" ]
	result $? "QMP says of $1: $3"
}

# cleaned NAME
cleaned() {
	local left
	left=$(clean)
	result $? "$1: nothing is left" "$left"
}

boot() {
	local name=$1
	shift
	"$hekivm" boot -n "$name" "$@" >"$tmp/out" 2>"$tmp/err"
}

verb_usage_tests() {
	local verb
	for verb in stop kill pause resume state wait log; do
		verb "$verb without a name" 2 "the name of a VM" "$verb"
		fails "$verb of no VM" unknown-name 1 "$verb" nobody
		fails "$verb of a bad name" bad-name 2 "$verb" ../x
		verb "$verb with two names" 2 unexpected "$verb" a b
		verb "help of $verb" 0 usage "$verb" -h
		verb "$verb takes no kernel" 2 "does not take" "$verb" -k "$guest" a
	done
	verb "list of nothing" 0 "" list
	[ ! -s "$tmp/out" ]
	result $? "it is empty"
	verb "list of nothing in JSON" 0 '"vms": []' list --json
	verb "list with a name" 2 unexpected list a
	fails "list of a bad namespace" bad-name 2 list -N a/b
	fails "bad grace period" bad-grace 2 stop -g 3601 a
	fails "bad time limit" bad-timeout 2 wait -t 0 a
	verb "following in JSON" 2 "no JSON" log -f --json a
	verb "pause takes no time limit" 2 "does not take" pause -t 3 a
	verb "run takes no grace period" 121 "does not take" run -k "$guest" -g 3
	fails "boot of a missing kernel" kernel 1 boot -k "$tmp/nothing"
	fails "boot of a missing disk" disk 1 boot -k "$guest" -d "$tmp/nothing"
	fails "boot of no engine" no-engine 3 boot -k "$guest" -e "$tmp/engine"
	fails "boot of an engine that dies" engine-start 1 boot -k "$guest" -e "$tmp/qemu-dies"
	mkdir -p "$tmp/open"
	chmod 777 "$tmp/open"
	HEKIVM_RUNTIME_DIR=$tmp/open fails "boot where others can write" permission 4 boot -k "$guest"
	cleaned "refused verbs"
}

# Every verb in every state that a VM of the tiny guest can be in.
transition_tests() {
	boot one -k "$guest" -c deaf -s "$tmp/one.log"
	result $? "boot" "$(cat "$tmp/err")"
	fails "its name is in use" name-in-use 1 boot -n one -k "$guest"
	verb "wait until ready" 0 "ready(fe80::5054:ff:fe12:3456)" wait one
	in_state one "ready(fe80::5054:ff:fe12:3456)" running
	verb "its log" 0 "HEKIVM-READY fe80::5054:ff:fe12:3456" log one
	verb "its log in JSON" 0 'HEKIVM-READY fe80' log one --json
	[ "$(jq -r .serial_log "$tmp/out")" = "$tmp/one.log" ]
	result $? "where it is"
	fails "resume of a ready VM" not-paused 1 resume one
	verb "pause" 0 paused pause one
	in_state one paused paused
	fails "pause of a paused VM" not-running 1 pause one
	fails "a paused VM is waited for" timed-out 1 wait -t 1 one
	verb "resume: ready as before" 0 "ready(fe80::5054:ff:fe12:3456)" resume one
	"$here/qmp" "$HEKIVM_RUNTIME_DIR/default/one" stop >/dev/null
	in_state one paused paused
	verb "stop of a paused VM that has no ear" 0 stopped stop -g 1 one
	[ -s "$tmp/one.log" ]
	result $? "its log stays"
	fails "it is unknown then" unknown-name 1 state one
	cleaned "stop"

	boot two -k "$guest" -c spin
	verb "wait in vain" 1 neither wait -t 1 two
	in_state two running running
	verb "state in JSON" 0 "" state two --json
	jq -e '.schema_version == 1 and .name == "two" and .namespace == "default" and .end == null and
		.state == "running" and .address == null and .accelerator == "tcg" and .pid > 1' \
		"$tmp/out" >/dev/null
	result $? "its members" "$(cat "$tmp/out")"
	verb "pause of a running VM" 0 paused pause two
	verb "resume: running as before" 0 running resume two
	verb "kill" 0 stopped kill two --json
	[ "$(jq -r .end "$tmp/out")" = killed ]
	result $? "its end" "$(cat "$tmp/out")"
	cleaned "kill"

	boot three -k "$guest" -c button
	verb "wait until ready for its button" 0 "ready(10.0.2.15)" wait three
	verb "stop by the power button" 0 stopped stop three --json
	[ "$(jq -r .end "$tmp/out")" = poweroff ]
	result $? "its end" "$(cat "$tmp/out")"
	cleaned "stop by the power button"
}

# end NAME WORD STATE END: a guest that ends by itself keeps its state until it is freed
end() {
	boot end -k "$guest" -c "$2"
	verb "$1: wait" "$5" "$3" wait -t 60 end
	in_state end "$3"
	"$hekivm" state --json end | jq -e ".end == \"$4\" and .pid == null" >/dev/null
	result $? "$1: its end" "$("$hekivm" state --json end)"
	fails "$1: pause" not-running 1 pause end
	fails "$1: resume" not-running 1 resume end
	verb "$1: its log can still be read" 0 "" log end
	verb "$1: following its log ends" 0 "" log -f end
	verb "$1: $6" 0 "$3" "$6" end
	cleaned "$1"
}

end_tests() {
	end "power off" off stopped poweroff 0 stop
	end "halt with interrupts off" halt stopped halt 0 kill
	end "reboot" reset stopped reboot 0 stop
	end "verdict" exit=5 stopped verdict 0 kill
	end "triple fault" triple "failed(triple-fault)" triple-fault 1 stop
	end "panic" panic "failed(panic: Kernel panic - not syncing: a test)" panic 1 kill
	end "pvpanic" pvpanic "failed(panic: pvpanic)" panic 1 stop
	# An engine that does not end behind its guest.
	boot hangs -k "$guest" -c off -e "$tmp/qemu-hangs"
	verb "an engine that hangs behind its guest" 0 stopped wait -t 60 hangs --json
	[ "$(jq -r .end "$tmp/out")" = poweroff ]
	result $? "is ended, and the guest's end is told" "$(cat "$tmp/out")"
	verb "and is freed" 0 stopped stop hangs
	cleaned "an engine that hangs"
	boot again -k "$guest" -c exit=1
	verb "a VM that has ended" 0 stopped wait again
	verb "leaves its name to the next" 0 "" boot -n again -k "$guest" -c spin -t 2
	verb "which has a time limit" 1 "failed(timeout: 2 s)" wait again
	verb "and is freed" 0 failed kill again
	cleaned "the next of a name"
}

# by_hand NAME WORD BEFORE VERB...: the engine is killed by hand in a state
by_hand() {
	boot hand -k "$guest" -c "$2" -s "$tmp/hand.log"
	wait_for state_is hand "$3"
	[ "$4" != pause ] || "$hekivm" pause hand >/dev/null
	in_state hand "$5"
	kill -KILL "$(handle_pid hand)"
	wait_for state_is hand "failed(engine: signal 9)"
	in_state hand "failed(engine: signal 9)"
	fails "$1: pause" not-running 1 pause hand
	fails "$1: resume" not-running 1 resume hand
	verb "$1: wait" 1 "failed(engine: signal 9)" wait hand
	cmp -s "$tmp/hand.log" <("$hekivm" log hand)
	result $? "$1: the log is whole"
	verb "$1: freed" 0 failed stop hand
	cleaned "$1"
}

follower() {
	jq -r .follower "$HEKIVM_RUNTIME_DIR/default/$1/handle.json"
}

lost_tests() {
	local engine
	by_hand "killed when running" spin running - running
	by_hand "killed when ready" button "ready(10.0.2.15)" - "ready(10.0.2.15)"
	by_hand "killed when paused" button "ready(10.0.2.15)" pause paused

	boot lost -k "$guest" -c spin
	engine=$(handle_pid lost)
	kill -KILL "$(follower lost)"
	wait_for state_is lost "failed(lost: its follower was killed)"
	in_state lost "failed(lost: its follower was killed)"
	wait_for test ! -d "/proc/$engine"
	result $? "the engine dies with its follower"
	verb "a lost VM leaves its name to the next" 0 running boot -n lost -k "$guest" -c spin
	kill -KILL "$(follower lost)"
	wait_for state_is lost "failed(lost: its follower was killed)"
	# As a start of the host leaves it: another boot id, and no socket.
	jq -c '.boot_id = "0"' "$HEKIVM_RUNTIME_DIR/default/lost/handle.json" >"$tmp/handle"
	cp "$tmp/handle" "$HEKIVM_RUNTIME_DIR/default/lost/handle.json"
	in_state lost "failed(lost: the host was restarted)"
	verb "it is freed" 0 "host was restarted" kill lost
	cleaned "lost"

	boot cancelled -k "$guest" -c spin
	kill -TERM "$(follower cancelled)"
	wait_for state_is cancelled "failed(cancelled: Terminated)"
	in_state cancelled "failed(cancelled: Terminated)"
	verb "it is freed" 0 cancelled stop cancelled
	cleaned "cancelled"
}

run_verb_tests() {
	local pid
	"$hekivm" run -k "$guest" -c button -t 60 -n one >/dev/null 2>"$tmp/err1" &
	pid=$!
	wait_for state_is one "ready(10.0.2.15)"
	in_state one "ready(10.0.2.15)" running
	verb "pause of a VM of run" 0 paused pause one
	verb "stop of a VM of run" 0 stopped stop one
	wait $pid
	result $(($? != 125)) "run is told" "$(cat "$tmp/err1")"
	cleaned "run and stop"
	"$hekivm" run -k "$guest" -c spin -t 60 -n one >/dev/null 2>"$tmp/err1" &
	pid=$!
	wait_for state_is one running
	verb "kill of a VM of run" 0 stopped kill one
	wait $pid
	result $(($? != 125)) "run is told" "$(cat "$tmp/err1")"
	grep -q killed "$tmp/err1"
	result $? "by what it ended" "$(cat "$tmp/err1")"
	cleaned "run and kill"
}

# Callers in pairs: each says what is true, one of two does what only one can do.
pair() {
	"$hekivm" "$@" >"$tmp/out1" 2>&1 &
	local first=$! status1 status2
	"$hekivm" "$@" >"$tmp/out2" 2>&1
	status2=$?
	wait $first
	status1=$?
	echo $((status1 + status2))
}

caller_tests() {
	local i
	result $(($(pair boot -n one -k "$guest" -c button) != 1)) "one of two boots of a name" \
		"$(cat "$tmp"/out[12])"
	"$hekivm" wait one >/dev/null
	result $(($(pair pause one) != 1)) "one of two pauses" "$(cat "$tmp"/out[12])"
	result $(($(pair resume one) != 1)) "one of two resumes" "$(cat "$tmp"/out[12])"
	result "$(pair state one)" "two states" "$(cat "$tmp"/out[12])"
	for ((i = 0; i < 20; i++)); do
		"$hekivm" state one >"$tmp/state.$i" 2>&1 &
	done
	wait
	[ "$(cat "$tmp"/state.* | sort | uniq -c | tr -s ' ')" = " 20 ready(10.0.2.15)" ]
	result $? "twenty callers at once" "$(cat "$tmp"/state.*)"
	"$hekivm" stop -g 60 one >/dev/null 2>&1 &
	"$hekivm" kill one >/dev/null 2>&1
	wait
	cleaned "stop and kill at once"
	"$hekivm" boot -n one -k "$guest" -c spin >/dev/null
	pair kill one >/dev/null
	cleaned "two kills"
	# A name that is freed and taken at the same time is never taken twice, nor freed under its VM.
	for ((i = 0; i < 5; i++)); do
		"$hekivm" boot -n one -k "$guest" -c exit=0 >/dev/null 2>&1 &
		"$hekivm" kill one >/dev/null 2>&1
		"$hekivm" stop -g 0 one >/dev/null 2>&1
		wait
	done
	"$hekivm" kill one >/dev/null 2>&1
	cleaned "boots and kills"
	# The caller that is gone: no terminal, no pipe and no lock of it is held.
	[ "$(timeout 20 bash -c "exec 9>$tmp/lock; flock 9; $hekivm boot -n one -k $guest -c spin | cat")" ] &&
		flock -n "$tmp/lock" true
	result $? "nothing of a caller's is held"
	"$hekivm" kill one >/dev/null
	cleaned "a caller that is gone"
}

marks_tests() {
	boot marks -k "$guest" -c marks -s "$tmp/marks.log"
	verb "a MiB of bytes, markers that are none, text behind the address" 0 "ready(192.168.1.7)" \
		wait -t 90 marks
	wait_for grep -qa 192.168.1.8 "$tmp/marks.log"
	in_state marks "ready(192.168.1.7)" running
	"$hekivm" log -f marks >"$tmp/followed" &
	verb "pause" 0 paused pause marks
	verb "killed when paused" 0 stopped kill marks
	wait $!
	cmp "$tmp/followed" "$tmp/marks.log"
	result $? "a log that is followed is whole"
	{
		python3 -c 'import sys; sys.stdout.buffer.write(
			bytes(0 if i % 251 == 10 else i % 251 for i in range(1 << 20)))'
		printf '%s\n' HEKIVM-READY "HEKIVM-READY now" "HEKIVM-READY 10.0.2.256" \
			"HEKIVM-HEKIVM-READY 192.168.1.7/24 on eth0" "HEKIVM-READY 192.168.1.8"
	} | cmp - "$tmp/marks.log"
	result $? "each byte is in it"
	gcc -Wall -Wextra -Werror -fsanitize=address,undefined -I"$top/tools/hekivm" -o "$tmp/ready" \
		"$here/ready.c" "$top/tools/hekivm/ready.c" && "$tmp/ready" >"$tmp/out"
	result $? "the marker in pieces" "$(cat "$tmp/out")"
}

# many COUNT OPTION...: that many VMs at once boot, get ready, pause, resume and stop
many() {
	local count=$1 i bad=0 what
	shift
	for ((i = 0; i < count; i++)); do
		"$hekivm" boot -n "many$i" -m 128 "$@" >"$tmp/many.$i" 2>&1 &
	done
	wait
	for what in "wait -t 900" pause resume "stop -g 120"; do
		for ((i = 0; i < count; i++)); do
			# shellcheck disable=SC2086
			"$hekivm" $what "many$i" >"$tmp/many.$i" 2>&1 || echo "$what $i" >>"$tmp/many.bad" &
		done
		wait
		case $what in pause) what=paused ;; stop*) what=stopped ;; *) what="ready(10.0.2.15)" ;; esac
		bad=$((bad + $(cat "$tmp"/many.[0-9]* | grep -cvxF "$what")))
	done
	[ "$bad" = 0 ] && [ ! -e "$tmp/many.bad" ]
	result $? "$count VMs at once" "$(cat "$tmp"/many.*)"
	cleaned "$count VMs at once"
}

many_tests() {
	local round
	for round in 1 2 3; do
		echo "# round $round"
		many 8 -k "$guest" -c button
	done
}

# What the tool itself takes, with the process that follows the VM; the engine is not its child then.
cost_tests() {
	local before after used follower fields
	boot cost -k "$guest" -c button
	follower=$(follower cost)
	"$hekivm" wait cost >/dev/null
	read -r -a fields <<<"$(sed 's/.*) //' "/proc/$follower/stat")"
	used=$(((fields[11] + fields[12]) * 1000 / $(getconf CLK_TCK)))
	"$hekivm" stop cost >/dev/null
	before=$(TIMEFORMAT="%U %S"; { time {
		"$hekivm" boot -n cost -k "$guest" -c button
		"$hekivm" wait cost
		"$hekivm" stop cost
	} >/dev/null; } 2>&1)
	after=$(awk -v used="$used" '{ print int(($1 + $2) * 1000) + used }' <<<"$before")
	echo "# CPU time of boot, wait, stop and the follower: $after ms"
	[ "$after" -lt 150 ]
	result $? "the tool takes less than 150 ms of CPU time"
	cleaned "cost"
}

verb_tests() {
	verb_usage_tests
	transition_tests
	end_tests
	lost_tests
	run_verb_tests
	caller_tests
	marks_tests
	many_tests
	cost_tests
}
