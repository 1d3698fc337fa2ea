# SPDX-License-Identifier: GPL-2.0-only
#
# What every listing shows, for trees of all kinds.
# shellcheck shell=bash disable=SC2016,SC2154,SC2181

golden 0 status-watched watched status
golden 0 status-enforced enforced status
golden 0 status-waiting waiting status
golden 0 status-off off status
golden 1 status-violated violated status
golden 1 status-failed failed status
golden 1 status-unmet unmet status
golden 0 status-sparse sparse status
golden 0 status-hostile hostile status
golden 3 status-future future status
golden 3 status-malformed malformed status

for tree in watched sparse malformed; do
	expected=0
	[ "$tree" != malformed ] || expected=3
	golden $expected "module-list-$tree" "$tree" module list
	golden $expected "cert-list-$tree" "$tree" cert list
	golden $expected "protections-$tree" "$tree" protections
	golden $expected "patch-list-$tree" "$tree" patch list
	golden $expected "registers-$tree" "$tree" registers
	golden $expected "counters-$tree" "$tree" counters
	golden $expected "log-$tree" "$tree" log
done
golden 0 log-last watched log -n 2
golden 0 log-omitted violated log
golden 0 log-none watched log -n 0
golden 0 module-list-hostile hostile module list
golden 0 module-list-unverified violated module list
golden 0 module-list-empty waiting module list
golden 0 module-show-watched watched module show ext4
golden 0 module-show-sparse sparse module show ext4
golden 3 module-show-malformed malformed module show crc16
golden 3 status-not-loaded nowhere status

# Columns fit what is in them: no line of the screen is wider than 80.
HEKI_FS=trees/violated run status
[ "$(awk 'length > 80' "$work/out" | wc -l)" = 0 ]
result $? "status fits 80 columns"
HEKI_FS=trees/violated COLUMNS=60 run status
[ "$(awk 'length > 60' "$work/out" | wc -l)" = 0 ]
result $? "status fits 60 columns"
HEKI_FS=trees/violated COLUMNS=1 run status
[ "$status" = 1 ] && [ -s "$work/out" ]
result $? "status survives one column"

# Colours only on a terminal, and not where NO_COLOR is set.
escape=$(printf '\033')
on_terminal() {
	HEKI_FS=trees/watched script -qec "$1" /dev/null </dev/null 2>/dev/null
}
if command -v script >/dev/null; then
	on_terminal "TERM=xterm $hekictl status" | grep -q "$escape\["
	result $? "colours on a terminal"
	! on_terminal "NO_COLOR=1 TERM=xterm $hekictl status" | grep -q "$escape"
	result $? "no colours with NO_COLOR"
	! on_terminal "TERM=dumb $hekictl status" | grep -q "$escape"
	result $? "no colours on a dumb terminal"
else
	skip "colours" "script(1) is not installed"
fi
for command in status "module list" log "cert list"; do
	# shellcheck disable=SC2086
	HEKI_FS=trees/hostile run $command
	! LC_ALL=C grep -q '[[:cntrl:]]' <(LC_ALL=C tr -d '\n' <"$work/out")
	result $? "$command: no control characters from names"
done
