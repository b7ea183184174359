# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Adds the words of "type qlink" to what bash completes for ip. Every interactive shell reads this file, so it only
# says who completes ip; what others complete for it is loaded when it is needed, and stays.

# bash-completion has had another name for it before 2.12.
_qlink_load() { if declare -F _comp_load >/dev/null; then _comp_load -- "$1"; else _completion_loader "$1"; fi; }

# _qlink_ip_other WORD…: what is completed for ip without qlink.
_qlink_ip_other()
{
	if [ -z "${_qlink_ip_function-}" ]; then
		complete -r ip
		_qlink_load ip
		_qlink_ip_function=$(complete -p ip 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
		: "${_qlink_ip_function:=:}"
		complete -F _qlink_ip ip
	fi
	"$_qlink_ip_function" "$@"
}

_qlink_ip()
{
	local cur prev i at=0

	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	for ((i = 1; i < COMP_CWORD - 1; i++)); do
		if [ "${COMP_WORDS[i]} ${COMP_WORDS[i + 1]}" = "type qlink" ]; then at=$((i + 2)); fi
	done
	if [ "$at" -gt 0 ] && [[ " ${COMP_WORDS[*]:1:at} " =~ \ (add|set|change|replace)\  ]]; then
		declare -F _qlink_option >/dev/null || _qlink_load qlinkctl
		COMPREPLY=()
		_qlink_option '' "${COMP_WORDS[@]:at:COMP_CWORD - at}"
		[ "$at" -lt "$COMP_CWORD" ] || _qlink_reply help
		return
	fi
	_qlink_ip_other "$@"
	[ "$prev" != type ] || [[ qlink != "$cur"* ]] || COMPREPLY+=(qlink)
}

complete -F _qlink_ip ip
