# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034 # read by other scripts
#
# What the VM tests share: KTAP, and readers of HEKI's securityfs files.  For a POSIX shell with
# busybox.  A test says its plan first; fewer or more results than planned are a failure.

HEKI=/sys/kernel/security/heki
DATA=${HEKI_TESTDATA:-/testdata}
PATH=$PATH:$(dirname "$0")

ktap_planned=0
ktap_done=0
ktap_failed=0

# plan N
plan() {
	ktap_planned=$1
	echo "TAP version 13"
	echo "1..$1"
}

pass() {
	ktap_done=$((ktap_done + 1))
	echo "ok $ktap_done $1"
}

fail() {
	ktap_done=$((ktap_done + 1))
	ktap_failed=$((ktap_failed + 1))
	echo "not ok $ktap_done $1"
	[ -z "${2:-}" ] || echo "$2" | sed 's/^/# /'
}

skip() {
	ktap_done=$((ktap_done + 1))
	echo "ok $ktap_done $1 # SKIP $2"
}

skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

# check NAME COMMAND...: the command must succeed; what it prints is shown when it does not
check() {
	check_name=$1
	shift
	if check_output=$("$@" 2>&1); then
		pass "$check_name"
	else
		fail "$check_name" "status $?: $* $check_output"
	fi
}

# fails NAME STATUS COMMAND...: the command must fail with just this status
fails() {
	fails_name=$1
	fails_status=$2
	shift 2
	fails_output=$("$@" 2>&1)
	fails_got=$?
	if [ "$fails_got" = "$fails_status" ]; then
		pass "$fails_name"
	else
		fail "$fails_name" "expected status $fails_status, got $fails_got: $* $fails_output"
	fi
}

# equal NAME EXPECTED GOT
equal() {
	if [ -n "$2" ] && [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected \"$2\", got \"$3\""
	fi
}

# holds NAME EXPRESSION...: as of test
holds() {
	holds_name=$1
	shift
	if [ "$@" ]; then
		pass "$holds_name"
	else
		fail "$holds_name" "does not hold: $*"
	fi
}

finish() {
	if [ "$ktap_done" != "$ktap_planned" ]; then
		echo "# planned $ktap_planned tests, ran $ktap_done"
		exit 1
	fi
	[ "$ktap_failed" = 0 ]
	exit
}

need_heki() {
	[ -r "$HEKI/status" ] || skip_all "HEKI is not loaded"
}

# status KEY, counter KEY: a value of a file with one KEY=VALUE a line
status() {
	sed -n "s/^$1=//p" "$HEKI/status"
}

counter() {
	sed -n "s/^$1=//p" "$HEKI/counters"
}

# record FILE KEY VALUE WANTED: of the last record with KEY=VALUE the value of WANTED
record() {
	awk -v match_="$2=$3" -v want="$4=" '
		{
			value = ""
			hit = 0
			for (i = 1; i <= NF; i++) {
				if ($i == match_)
					hit = 1
				if (index($i, want) == 1)
					value = substr($i, length(want) + 1)
			}
			if (hit)
				last = value
		}
		END { print last }' "$HEKI/$1"
}

# refusal NAME ERROR [SEQ]: the log names a module's refusal by this error, after record SEQ
refusal() {
	awk -v name="name=$1" -v error="error=$2" -v after="${3:-0}" '
		$0 ~ /(^| )event=refusal( |$)/ {
			hit = 0
			seq = 0
			for (i = 1; i <= NF; i++) {
				if ($i == name || $i == error)
					hit++
				if (index($i, "seq=") == 1)
					seq = substr($i, 5) + 0
			}
			if (hit == 2 && seq > after)
				found = 1
		}
		END { exit !found }' "$HEKI/log"
}

# intercepts ADDRESS SEQ: how often VTL0 was stopped at this physical address ("": anywhere), after
# record SEQ
intercepts() {
	awk -v address="$1" -v after="$2" '
		/(^| )event=intercept( |$)/ {
			hit = address == ""
			for (i = 1; i <= NF; i++) {
				if ($i == "address=" address)
					hit = 1
				if (index($i, "seq=") == 1)
					seq = substr($i, 5) + 0
			}
			n += hit && seq > after
		}
		END { print n + 0 }' "$HEKI/log"
}

# What VTL1 holds for modules: it must come back to what it was when they are gone.
table_use() {
	for table_key in modules frames symbols patches deps; do
		echo "$table_key=$(counter "budget.$table_key.used")"
	done
	for table_key in symbols_module patches_module modules_live pages_module; do
		echo "$table_key=$(status $table_key)"
	done
}

# Init memory is freed by a work item: wait until the tables no longer move.
settle() {
	settle_before=""
	settle_i=0
	while [ $settle_i -lt 10 ]; do
		settle_i=$((settle_i + 1))
		settle_now=$(table_use)
		[ "$settle_now" != "$settle_before" ] || return 0
		settle_before=$settle_now
		sleep 0.2
	done
}

# refused_pokes: what text patching has come to, for a comparison
refused_pokes() {
	echo "$(status patch_refused) $(status poke_refused) $(status poke_unlisted)"
}

# Jump labels of the kernel that VTL1 has patches for
kernel_jump_labels() {
	grep -c 'type=jump_label owner=kernel' "$HEKI/patches"
}

# A module file of the running kernel by its name
module_file() {
	modinfo -n "$1"
}

# audit_clean NAME: nothing that is protected has changed
audit_clean() {
	check "$1" hekictl audit
}
