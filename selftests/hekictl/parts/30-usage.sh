# SPDX-License-Identifier: GPL-2.0-only
#
# Usage, exit codes, permissions, output that cannot be written.
# shellcheck shell=bash disable=SC2016,SC2154,SC2181

commands=("status" "module list" "module show" "module check" "protections" "patch list" "registers" "log"
	"audit" "counters" "cert list" "cert extract" "key add" "revoke" "start" "doctor" "version")
for command in "${commands[@]}"; do
	# shellcheck disable=SC2086
	for help in -h --help; do
		run $command $help
		[ "$status" = 0 ] && [ "$(sed -n 1p "$work/out" | cut -d ' ' -f 1-2)" = "usage: hekictl" ]
		result $? "$command $help"
	done
done
run --help
listed=$(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' "$work/out" | sort)
[ "$listed" = "$(printf '%s\n' "${commands[@]}" | sort)" ]
result $? "--help lists every command"

exits 2 "no command"
exits 2 "an unknown command" nonsense
exits 2 "an object without a command" module
exits 2 "an object with an unknown command" module nonsense
exits 2 "a command and a surplus word" status surplus
for command in "module list" protections "patch list" registers "cert list" counters audit version; do
	# shellcheck disable=SC2086
	exits 2 "$command with a surplus word" $command surplus
done
exits 2 "module show without a module" module show
exits 2 "module show with two modules" module show a b
HEKI_FS=trees/watched exits 1 "module show of a module that is not there" module show nonsense
exits 2 "log with an unknown option" log -x
exits 2 "log -n without a number" log -n
exits 2 "log -n with a negative number" log -n -1
exits 2 "log -n with a word" log -n many
exits 2 "key add without a file" key add
exits 2 "key add with two files" key add a b
exits 2 "revoke without a file" revoke
exits 2 "start with an unknown option" start --now
exits 2 "start --cert without a file" start --cert
exits 2 "doctor with an unknown option" doctor --fix
exits 2 "doctor --root without a directory" doctor --root
exits 2 "module check without files" module check
exits 2 "module check --cert without a file" module check --cert
exits 2 "module check with an unknown option" module check --force
exits 2 "module check --secondary without a file" module check --secondary
exits 2 "module check --revoked without a file" module check --revoked
exits 2 "module check --blocklist without a file" module check --blocklist
exits 2 "module check --jobs without a number" module check run.sh --jobs
for jobs in 0 -1 257 two 2x "" " 2"; do
	exits 2 "module check --jobs '$jobs'" module check run.sh --jobs "$jobs"
done
exits 2 "cert extract without an image" cert extract
exits 2 "cert extract with two images" cert extract a b
exits 2 "cert extract -o without a file" cert extract a -o
exits 0 "--version" --version
exits 0 "version with nothing loaded" version

if [ -e /dev/heki ]; then
	skip "commands without the device" "HEKI is loaded here"
else
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test \
		-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
	exits 3 "audit, not loaded" audit
	exits 3 "key add, not loaded" key add "$work/cert.pem"
	exits 3 "revoke, not loaded" revoke "$work/cert.pem"
	HEKI_FS=trees/nowhere exits 3 "start, not loaded" start
	HEKI_FS=trees/waiting exits 3 "start, no device" start --cert "$work/cert.pem"
fi
HEKI_FS=trees/watched exits 1 "start when it is locked already" start
exits 1 "key add of a file that is not there" key add "$work/none"
exits 1 "key add of a file that is no certificate" key add run.sh
HEKI_FS=run.sh exits 3 "a root that is a file" log

# Files for root only: 4, and status shows the rest.
cp -r trees/watched "$work/private"
chmod 000 "$work/private/log" "$work/private/registers"
chmod -R a+X "$work/private"
as_user env HEKI_FS="$work/private" "$public" log >"$work/out" 2>"$work/err"
[ $? = 4 ] && [ -s "$work/err" ] && [ ! -s "$work/out" ]
result $? "log without permission"
as_user env HEKI_FS="$work/private" "$public" status >"$work/out" 2>"$work/err"
[ $? = 0 ] && [ ! -s "$work/err" ] &&
	[ "$(grep -A 1 '^Last refusals' "$work/out" | tail -n 1)" = "  the log can only be read by root" ]
result $? "status without permission to read the log"
as_user env HEKI_FS="$work/private" "$public" status --json |
	jq -e '.last_refusals == null and .registers == null and (.certificates | length) == 1' >/dev/null
result $? "status --json without permission to read the log"

HEKI_FS=trees/watched "$hekictl" status >/dev/full 2>"$work/err"
[ $? = 1 ] && [ -s "$work/err" ]
result $? "a full disk is an error"

# log -f shows what comes, once.
cp -r trees/watched "$work/follow"
HEKI_FS=$work/follow timeout 20 "$hekictl" log -f --json >"$work/out" 2>"$work/err" &
follower=$!
for _ in $(seq 40); do
	[ "$(wc -l <"$work/out")" -lt 6 ] || break
	sleep 0.1
done
sed 's/^seq=7 /seq=9 /;t;s/^seq=1 .*/seq=10 time_ns=1 event=key name= text=/' trees/watched/log \
	>"$work/follow/log.new"
sed -n '/^seq=10 /d;p' "$work/follow/log.new" >"$work/log.sorted"
grep '^seq=10 ' "$work/follow/log.new" >>"$work/log.sorted"
mv "$work/log.sorted" "$work/follow/log"
for _ in $(seq 40); do
	[ "$(wc -l <"$work/out")" -lt 8 ] || break
	sleep 0.1
done
kill $follower
wait $follower 2>/dev/null
[ "$(jq -r .record.seq "$work/out" | tr '\n' ' ')" = "1 2 3 4 5 7 9 10 " ]
result $? "log -f shows each record once"
