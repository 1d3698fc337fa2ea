# SPDX-License-Identifier: GPL-2.0-only
#
# bash completion, driven as bash drives it; and the manual page.
# shellcheck shell=bash disable=SC2016,SC2154,SC2181

# completes EXPECTED NAME WORDS...: candidates for the last word
completes() {
	local expected=$1 name=$2
	shift 2
	(
		PATH=$(dirname "$hekictl"):$PATH
		# shellcheck source=/dev/null
		. "$top/tools/hekictl/hekictl.bash-completion"
		COMP_WORDS=(hekictl "$@")
		COMP_CWORD=$#
		_hekictl
		printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
	) >"$work/out"
	[ "$(cat "$work/out")" = "$expected" ] || echo "# $(cat "$work/out")"
	[ "$(cat "$work/out")" = "$expected" ]
	result $? "completion: $name"
}

completes "protections " "a command" prot
completes "module " "an object" mod
completes "check list show " "the commands of an object" module ""
completes "--cert --help --json --offer-modules " "the options of start" start ""
completes "--cert " "an option" module check --c
completes "machines " "directories" doctor --root mach
completes "run.sh " "files" module check run
completes "run.sh " "a certificate file" start --cert run

if command -v man >/dev/null; then
	MANWIDTH=80 man -l --warnings "$top/Documentation/man/hekictl.8" >"$work/out" 2>"$work/err"
	[ $? = 0 ] && [ ! -s "$work/err" ] && [ -s "$work/out" ]
	result $? "manual page: no warnings"
	"$hekictl" --help | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' >"$work/commands"
	missing=0
	while read -r words; do
		grep -q "^ *$words" "$work/out" || {
			missing=1
			echo "# $words"
		}
	done <"$work/commands"
	result $missing "manual page: has every command"
else
	skip "manual page" "man(1) is not installed"
fi
