#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--update] - tests of hekictl: KTAP, last line "N passed, N failed"; needs no privilege
#
# HEKICTL names the program under test (default: build/host/hekictl). --update writes the golden
# outputs anew, to be looked at before they are committed.

set -u

cd "$(dirname "$0")" || exit
top=$(cd ../.. && pwd)
update=0
[ "${1:-}" != --update ] || update=1
hekictl=${HEKICTL:-$top/build/host/hekictl}
if [ -z "${HEKICTL:-}" ]; then
	"$top/scripts/mk" -f tools/hekictl/build.mk >&2 || {
		printf 'not ok 1 build\n0 passed, 1 failed\n'
		exit 1
	}
fi
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
number=0
passed=0
failed=0
unset COLUMNS NO_COLOR HEKI_FS TERM
export LC_ALL=C.UTF-8

# result STATUS NAME
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $number - $2"
	else
		failed=$((failed + 1))
		echo "not ok $number - $2"
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

explain() {
	sed 's/^/# /' "$@"
}

# run ARGUMENTS...: leaves $work/out, $work/err, $status
run() {
	"$hekictl" "$@" >"$work/out" 2>"$work/err"
	status=$?
}

# as_user COMMAND...: as a user without privilege, as whom nothing may be read that is not readable.
# The tree may lie where such a user cannot go: $public is a copy of the program where he can.
public=$work/public/hekictl
mkdir "$work/public"
cp "$hekictl" "$public"
as_user() {
	if [ "$(id -u)" = 0 ]; then
		(cd "$work" && setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@")
	else
		"$@"
	fi
}

# exits STATUS NAME ARGUMENTS...: the exit code, and that exactly failures say something on stderr
exits() {
	local expected=$1 name=$2
	shift 2
	run "$@"
	[ "$status" = "$expected" ]
	local verdict=$?
	[ "$expected" = 0 ] || [ -s "$work/err" ] || verdict=1
	[ "$expected" != 0 ] || [ ! -s "$work/err" ] || verdict=1
	[ "$verdict" = 0 ] || {
		echo "# status $status, expected $expected"
		explain "$work/err"
	}
	result "$verdict" "$name"
}

# golden STATUS NAME TREE ARGUMENTS...: output, messages and exit code are those recorded
golden() {
	local expected=$1 name=$2 tree=$3 verdict=0
	shift 3
	export HEKI_FS=trees/$tree
	run "$@"
	unset HEKI_FS
	{
		cat "$work/out"
		sed 's/^/stderr: /' "$work/err"
	} >"$work/all"
	if [ "$update" = 1 ]; then
		cp "$work/all" "golden/$name"
	fi
	[ "$status" = "$expected" ] || {
		echo "# status $status, expected $expected"
		verdict=1
	}
	diff -u "golden/$name" "$work/all" >"$work/diff" || {
		verdict=1
		explain "$work/diff"
	}
	result "$verdict" "golden $name"
}

# parses NAME TREE FILTER ARGUMENTS...: --json is JSON, has its schema, and jq FILTER holds
parses() {
	local name=$1 tree=$2 filter=$3 verdict=0
	shift 3
	export HEKI_FS=trees/$tree
	run "$@" --json
	unset HEKI_FS
	python3 -m json.tool <"$work/out" >/dev/null 2>"$work/why" || verdict=1
	jq -e ".schema_version == 1 and ($filter)" <"$work/out" >/dev/null 2>>"$work/why" || verdict=1
	[ "$verdict" = 0 ] || explain "$work/why" "$work/out"
	result "$verdict" "json $name"
}

echo "KTAP version 1"
# shellcheck source=/dev/null
for part in parts/*.sh; do
	. "$part"
done
echo "1..$number"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
