# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Tests of "run --parallel"; read by run.sh.

# job NAME COMMAND [MEMBERS]
job() {
	printf '{"name": "%s", "kernel": "%s", "cmdline": "%s", "serial_log": "%s", "timeout": 60%s}' \
		"$1" "$guest" "$2" "$tmp/$1.log" "${3:+, $3}"
}

# bad_jobs NAME ERROR TEXT: a list that is refused, and nothing has run
bad_jobs() {
	printf '%s\n' "$3" >"$tmp/jobs"
	fails "$1" "$2" "${4:-1}" run --parallel 2 "$tmp/jobs"
	cleaned "$1"
}

bad_jobs_tests() {
	verb "no list of jobs" 2 "no list" run --parallel 2
	fails "list that is not there" jobs 1 run --parallel 2 "$tmp/nothing"
	fails "no job at a time" bad-parallel 2 run --parallel 0 "$tmp/jobs"
	fails "too many at a time" bad-parallel 2 run --parallel 65 "$tmp/jobs"
	verb "JUnit without jobs" 121 "without --parallel" run --junit x -k "$guest"
	bad_jobs "list that is no JSON" jobs '[{]'
	bad_jobs "list that is empty" jobs '[]'
	bad_jobs "list that is an object" jobs '{}'
	bad_jobs "job that is no object" jobs '[3]'
	bad_jobs "job without a name" jobs '[{"kernel": "x"}]'
	bad_jobs "job without a log" jobs "[{\"name\": \"a\", \"kernel\": \"$guest\"}]"
	bad_jobs "job with a bad name" bad-name "[$(job a/b exit=0)]" 2
	bad_jobs "unknown member" jobs "[$(job a exit=0 '"colour": "red"')]"
	bad_jobs "member that is no text" jobs "[$(job a exit=0 '"initramfs": 3')]"
	bad_jobs "member twice" jobs "[$(job a exit=0 '"name": "b"')]"
	bad_jobs "too many CPUs of a job" bad-cpus "[$(job a exit=0 '"cpus": 256')]" 2
	bad_jobs "CPUs that are no number" bad-cpus "[$(job a exit=0 '"cpus": "2"')]" 2
	bad_jobs "accelerator of a job" bad-accelerator "[$(job a exit=0 '"accel": "warp"')]" 2
	bad_jobs "an end that is none" jobs "[$(job a exit=0 '"expect": "joy"')]"
	bad_jobs "kernel of a later job" kernel \
		"[$(job a exit=0), {\"name\": \"b\", \"kernel\": \"/nothing\", \"serial_log\": \"$tmp/b\"}]"
	bad_jobs "two jobs of a name" jobs "[$(job a exit=0), $(job a exit=0)]"
}

# A tree with scripts/vm-jobs, whose scripts/vm makes jobs of the small guest, and a suite that judges them
build_suite() {
	mkdir -p "$tmp/suite"/{scripts,build/host,logs}
	ln -sf "$top/scripts/vm-jobs" "$tmp/suite/scripts/vm-jobs"
	ln -sf "$hekivm" "$tmp/suite/build/host/hekivm"
	cat >"$tmp/suite/scripts/vm" <<-END
		#!/bin/sh
		[ "\$CMD" != none ] || exit 1
		name=\${JOB##*/}
		mkdir "\${JOB%.job}.files" && printf '{"name": "%s", "kernel": "$guest", "cmdline": "%s",
			"serial_log": "%s", "timeout": %d}' "\${name%.job}" "\$CMD" "\$LOG" "\${TIMEOUT:-60}" >"\$JOB"
	END
	cat >"$tmp/suite/suite" <<-END
		#!/bin/bash
		set -u
		cd "$tmp/suite" && . scripts/vm-jobs
		begin_jobs few 6.1 logs
		echo "9 passed, 0 failed" >logs/mute.log
		job none none
		job_of_tests tap tap
		job_of_tests mute exit=0
		job_of_tests dead panic
		TIMEOUT=2 job_of_tests slow spin
		run_jobs
		judge 0 "all is quiet"
		end_jobs
	END
	chmod +x "$tmp/suite"/{suite,scripts/vm}
}

suite_tests() {
	build_suite
	PARALLEL=2 timeout 90 "$tmp/suite/suite" >"$tmp/out" 2>&1
	[ $? = 1 ] && [ "$(tail -n 1 "$tmp/out")" = "4 passed, 7 failed" ]
	result $? "a suite of VMs fails with its bad ones" "$(cat "$tmp/out")"
	[ "$(grep '^not ok - ' "$tmp/out")" = "not ok - none can be made
not ok - mute comes to its totals: see logs/mute.log
not ok - dead comes to its totals: see logs/dead.log
not ok - slow comes to its totals: see logs/slow.log" ]
	result $? "one that dies, is late or says no totals is told by its name" "$(cat "$tmp/out")"
	python3 - "$tmp/suite/logs/junit.xml" <<-'END' >"$tmp/xml" 2>&1
		import sys
		import xml.etree.ElementTree as tree
		suites = list(tree.parse(sys.argv[1]).getroot())
		assert [s.get("name") for s in suites] == ["few-tap", "few-mute", "few-dead", "few-slow", "few-logs"]
		assert [s.get("failures") for s in suites] == ["1", "0", "1", "1", "4"]
		assert sum(int(s.get("tests")) for s in suites) == 11
		assert [len(s.findall("testcase/failure")) for s in suites] == [1, 0, 1, 1, 4]
	END
	result $? "JUnit of it" "$(cat "$tmp/xml" "$tmp/suite/logs/junit.xml")"
	[ ! -e "$tmp/suite/logs/jobs" ]
	result $? "its jobs are gone" "$(ls "$tmp/suite/logs/jobs" 2>&1)"
	ln -sf /bin/false "$tmp/suite/build/host/hekivm"
	timeout 90 "$tmp/suite/suite" >"$tmp/out" 2>&1
	[ $? = 1 ] && grep -qx "not ok - hekivm ends with its totals: status 1" "$tmp/out" &&
		[ "$(tail -n 1 "$tmp/out")" = "1 passed, 6 failed" ] && [ ! -e "$tmp/suite/logs/junit.xml" ]
	result $? "a suite whose hekivm fails" "$(cat "$tmp/out")"
}

parallel_tests() {
	bad_jobs_tests
	echo "[$(job one exit=0), $(job two panic '"expect": "panic"'), $(job three off '"expect": "poweroff"')]" \
		>"$tmp/jobs"
	verb "jobs that all end as they should" 0 "3 passed, 0 failed" run --parallel 2 "$tmp/jobs"
	[ "$(grep -c '^ok [123] - ' "$tmp/out")" = 3 ] && grep -qx '1..3' "$tmp/out" &&
		grep -qx '    ok 1 - ends in panic' "$tmp/out"
	result $? "their KTAP" "$(cat "$tmp/out")"
	grep -q "hekivm: one: started" "$tmp/err"
	result $? "what is going on is told"
	cleaned "jobs"

	echo "[$(job one exit=3), $(job two tap), $(job three reset), $(job four spin '"timeout": 2'),
		$(job five exit=0)]" >"$tmp/jobs"
	sed -i 's/"timeout": 60, "timeout"/"timeout"/' "$tmp/jobs"
	verb "jobs that do not" 1 "3 passed, 4 failed" run --parallel 3 --junit "$tmp/junit.xml" "$tmp/jobs"
	grep -qx '    not ok 1 - ends in verdict, got status 3' "$tmp/out" &&
		grep -qx '    not ok 2 - second <&>' "$tmp/out" && grep -qx '    # the "reason"' "$tmp/out" &&
		grep -qx '    ok 3 - third # SKIP no ? here' "$tmp/out" &&
		grep -qx '    not ok 1 - ends in verdict, got reboot' "$tmp/out" &&
		grep -qx '    not ok 1 - ends in verdict, got timeout: 2 s' "$tmp/out" &&
		grep -qx "# four: see $tmp/four.log" "$tmp/out" && ! grep -q "five: see" "$tmp/out"
	result $? "what is wrong" "$(cat "$tmp/out")"
	python3 - "$tmp/junit.xml" <<-'END' >"$tmp/xml" 2>&1
		import sys
		import xml.etree.ElementTree as tree
		suites = {suite.get("name"): suite for suite in tree.parse(sys.argv[1]).getroot()}
		assert list(suites) == ["one", "two", "three", "four", "five"]
		two = suites["two"]
		assert (two.get("tests"), two.get("failures"), two.get("skipped")) == ("3", "1", "1")
		assert [case.get("name") for case in two] == ["first", "second <&>", "third "]
		assert two[1][0].tag == "failure" and two[1][0].text == 'the "reason"\n'
		assert two[2][0].tag == "skipped"
		assert suites["five"].get("failures") == "0" and float(suites["four"].get("time")) >= 2
	END
	result $? "JUnit of it" "$(cat "$tmp/xml" "$tmp/junit.xml")"
	cleaned "jobs that do not"

	verb "the same in JSON" 1 "" run --parallel 5 --json "$tmp/jobs"
	jq -e '.passed == 3 and .failed == 4 and (.jobs | length) == 5 and .jobs[3].end == "timeout" and
		.jobs[1].failed == 1 and .jobs[4].status == 0' "$tmp/out" >/dev/null
	result $? "its members" "$(cat "$tmp/out")"
	echo "[$(job one exit=0 "\"engine\": \"$tmp/qemu-octets\"")]" >"$tmp/jobs.octets"
	verb "an engine that prints any bytes and dies" 1 "" run --parallel 1 --json "$tmp/jobs.octets"
	jq -e '.failed == 1 and (.jobs | length) == 1 and .jobs[0].reason == "octets \\xff"' "$tmp/out" >/dev/null
	result $? "its members" "$(cat "$tmp/out")"
	fails "JUnit nowhere" junit 1 run --parallel 5 --junit "$tmp/nowhere/x" "$tmp/jobs"

	echo "[$(job one spin), $(job two spin), $(job three exit=0)]" >"$tmp/jobs"
	"$hekivm" run --parallel 2 "$tmp/jobs" >"$tmp/out" 2>"$tmp/err" &
	wait_for prints "$tmp/two.log"
	[ "$("$hekivm" list | grep -c "^jobs-$!/\(one\|two\) running")" = 2 ]
	result $? "jobs can be seen by the other verbs" "$("$hekivm" list)"
	kill -TERM $!
	wait $!
	[ $? = 143 ] && grep -q "0 passed, 3 failed" "$tmp/out" && grep -q "got engine: not begun" "$tmp/out"
	result $? "a signal ends them all" "$(cat "$tmp/out")"
	cleaned "jobs and a signal"
	"$hekivm" run --parallel 2 "$tmp/jobs" >"$tmp/out" 2>"$tmp/err" &
	wait_for prints "$tmp/two.log"
	kill -KILL $!
	wait $! 2>/dev/null
	wait_for clean >/dev/null
	cleaned "jobs whose parent is killed"
	suite_tests
}
