# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What bash completes for qlinkctl, qlinkd, qlink-kmesim, qlink-vault and qlink-pki. It is installed as qlinkctl; the other names
# are links to it. tests/check-completion compares its words with those of the programs.

# Words stand in the order of help texts. A value's words follow the name of its option.
_qlink_sources="qkd hybrid pqc static"
_qlink_options="id peer ethertype local remote port source-ports dev dscp ecn ttl fwmark roam parcel parcel-bytes
parcel-interval-us parcel-queue parcel-hold-us accept rekey-ms rekey-frames rekey-bytes hard-seconds grace-ms keys-low
keepalive-ms blocks2-log2"
# The file is read by a function.
declare -gA _qlink_values=(
	[remote]=any [dscp]=inherit [ttl]=inherit [ecn]="on off" [roam]="on off" [parcel]="off pack pad constant"
	[accept]="qkd hybrid pqc static hybrid2 qkd2"
)

# _qlink_reply WORDS…: offers those WORDS, parted by blanks, that begin as the word at the cursor does. A device may be
# called "$(reboot)": "compgen -W" would run that, and so would the line that bash completes, without a quote.
_qlink_reply()
{
	local word words IFS=$' \t\n'

	read -r -d '' -a words <<<"$*"
	for word in "${words[@]}"; do
		printf -v word %q "$word"
		[[ $word != "$cur"* ]] || COMPREPLY+=("$word")
	done
}
_qlink_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); }
_qlink_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); }

# All devices of this host, as names of network devices go.
_qlink_any_device() { _qlink_reply "$(cd /sys/class/net 2>/dev/null && echo *)"; }

# _qlink_said PATTERN: prints what sed finds in the status of the agent that the command line names.
_qlink_said() { qlinkctl ${socket:+-c "$socket"} status 2>/dev/null | sed -n "s/$1/\\1/p" | sort -u; }
_qlink_agent_links() { _qlink_reply "$(_qlink_said '^link \([^ ]*\) to .*')"; }
_qlink_peers() { _qlink_reply "$(_qlink_said '^peer \([^:]*\): .*')"; }
_qlink_kmes() { _qlink_reply "$(_qlink_said '^    kme \([^ ]*\) is .*')"; }

# The devices of the kernel, and those that the agent is configured for.
_qlink_devices()
{
	local n=${#COMPREPLY[@]}

	_qlink_reply "$(ip -br link show type qlink 2>/dev/null | sed 's/[@ ].*//')"
	[ "${#COMPREPLY[@]}" -gt "$n" ] || _qlink_agent_links
}

# _qlink_option MORE WORD…: completes the value of an option of a link, or the name of one that the WORDs do not have yet.
# MORE is an option besides those that ip and qlinkctl share.
_qlink_option()
{
	local option rest=() given=" ${*:2} "

	case $prev in
	dev | link) _qlink_any_device; return ;;
	:) return ;;
	esac
	if [ -n "${_qlink_values[$prev]-}" ]; then
		_qlink_reply "${_qlink_values[$prev]}"
		return
	fi
	# Any other option has a value that nobody can guess.
	[[ " ${_qlink_options//$'\n'/ } " != *" $prev "* ]] || return
	for option in $_qlink_options $1; do
		[[ $given = *" $option "* ]] || rest+=("$option")
	done
	_qlink_reply "${rest[@]}"
}

# _qlink_words FLAGS: reads the command line. FLAGS are the options with a value, with blanks around each.
# Sets cur and prev; args to the words that are no options, up to the cursor.
_qlink_words()
{
	local i word

	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} args=()
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-c | --control) socket=${COMP_WORDS[i + 1]} ;;
		esac
		if [[ $1 = *" $word "* ]]; then
			i=$((i + 1))
		elif [[ $word != -* ]]; then
			args+=("$word")
		fi
	done
}

_qlinkctl_key()
{
	local n=${#args[@]}

	case $n,${args[1]-} in
	1,*) _qlink_reply add del show; return ;;
	2,*) _qlink_devices; return ;;
	3,add) _qlink_reply tx rx batch; return ;;
	3,del) _qlink_reply tx rx; return ;;
	*,show) return ;;
	4,del) _qlink_reply epoch; return ;;
	*,del) return ;;
	esac
	case $prev in
	source) _qlink_reply "$_qlink_sources" ;;
	file | batch) _qlink_files ;;
	epoch | kmes | id | blocks) ;;
	*) [ "${args[3]}" = batch ] || _qlink_reply epoch source kmes id blocks file ;;
	esac
}

# A device, a configuration, or one behind the other.
_qlinkctl_doctor()
{
	if [ "$prev" = config ]; then
		_qlink_files
	elif [[ " ${args[*]} " != *" config "* ]]; then
		_qlink_reply config
		[ "${#args[@]}" -gt 1 ] || _qlink_devices
	fi
}

# The command is known: complete what comes behind it.
_qlinkctl_operand()
{
	local n=${#args[@]}

	case $n,${args[0]} in
	1,show | 1,monitor | 1,rotate | 1,set) _qlink_devices ;;
	1,restart | 1,withdraw) _qlink_agent_links ;;
	1,reconnect) _qlink_peers ;;
	1,apply) _qlink_files ;;
	*,doctor) _qlinkctl_doctor ;;
	1,chain) _qlink_reply accept ;;
	2,chain) _qlink_agent_links ;;
	1,kme) _qlink_reply check ;;
	2,kme) _qlink_kmes ;;
	*,kme) if [ "$prev" = link ]; then _qlink_agent_links; else _qlink_reply link take-key; fi ;;
	1,links) _qlink_reply apply check follow show ;;
	*,links) [ "${args[1]}" = follow ] || _qlink_devices ;;
	1,record) _qlink_reply show ;;
	2,record) _qlink_devices ;;
	3,record) _qlink_reply after ;;
	*,key) _qlinkctl_key ;;
	*,set) _qlink_option link "${args[@]:2}" ;;
	esac
}

_qlinkctl()
{
	local cur prev args socket='' with_value=" -c --control -f --folder "
	local top="-b --batch -d --delay -n --times -o --sort -c --control -j --json -h --help -V --version"

	local change="--check --config --confirm --if-interrupted --if-protected --pending --prune --replace -c --control -f --folder
		-j --json -h --help -V --version"
	local export="--config --state -c --control -f --folder -j --json -h --help -V --version"
	local monitor="--yang -c --control -f --folder -j --json -s --stats -h --help -V --version"

	[[ " ${COMP_WORDS[*]} " != *" top "* ]] || with_value+=" -d --delay -n --times -o --sort "
	_qlink_words "$with_value --config --confirm --pending "
	case $prev,${args[0]-} in
	-c,* | --control,*) _qlink_files; return ;;
	-f,* | --folder,* | --pending,*) _qlink_folders; return ;;
	--config,*) _qlink_files; return ;;
	--confirm,*) return ;;
	-o,top | --sort,top) _qlink_reply link state source epoch stock refill period rekeys mbit sealed fill peer; return ;;
	-d,top | --delay,top | -n,top | --times,top) return ;;
	esac
	if [[ $cur = -* ]]; then
		case ${args[0]-} in
		top) _qlink_reply "$top" ;;
		apply | confirm | rollback) _qlink_reply "$change" ;;
		export) _qlink_reply "$export" ;;
		monitor) _qlink_reply "$monitor" ;;
		*) _qlink_reply -c --control -f --folder -h --help -j --json -n --dry-run -s --stats -V --version ;;
		esac
	elif [ "${#args[@]}" = 0 ]; then
		_qlink_reply apply chain confirm doctor export help key kme links monitor reconnect record reload restart rollback rotate set \
			show status top withdraw
	else
		_qlinkctl_operand
	fi
}

_qlinkd()
{
	local cur prev args socket=''

	_qlink_words " -a --audit -c --config -f --first -k --certificate "
	case $prev in
	-a | --audit) _qlink_folders ;;
	-c | --config | -k | --certificate) _qlink_files ;;
	-f | --first) ;;
	*) _qlink_reply -a --audit -c --config -f --first -h --help -k --certificate -n --check -V --version ;;
	esac
}

_qlink_kmesim_command()
{
	local n=${#args[@]}

	case $n,${args[0]-} in
	0,*) _qlink_reply status fault clear set stop start restart stock supply ;;
	1,fault | 1,clear | 1,set | 1,stop | 1,start | 1,restart) _qlink_reply a b ;;
	2,fault | 2,clear)
		_qlink_reply http html hang drip truncate cut huge garbage size duplicate-id duplicate-key short extra wrong-id bad-id \
			wrong-key bad-base64 one-side
		;;
	*,fault) [ "$prev" = op ] || _qlink_reply op count ;;
	2,set)
		_qlink_reply key-size min-key-size max-key-size max-key-count max-key-per-request max-sae-id-count stored-key-count \
			over-limit dry not-found peer-down methods ignore-size ignore-query keep-batches keep-ms serve-twice key-ids order \
			json status-numbers error-body connection repeat-keys parallel one-end ms-per-key dialect psk-hash entropy-only \
			status-sae groups suites tls
		;;
	esac
}

_qlink_kmesim()
{
	local cur prev args socket=''

	_qlink_words " -s --socket "
	if [ "$prev" = -s ] || [ "$prev" = --socket ]; then
		_qlink_files
	elif [[ " ${COMP_WORDS[*]:0:COMP_CWORD} " = *\ -s\ * || " ${COMP_WORDS[*]:0:COMP_CWORD} " = *\ --socket\ * ]]; then
		_qlink_kmesim_command
	elif [[ $cur = -* ]]; then
		_qlink_reply -h --help -n --check -s --socket -V --version
	else
		_qlink_files
	fi
}

_qlink_vault()
{
	local cur prev args socket=''

	_qlink_words " -b --bytes -f --from -k --key -l --label -n --keys -s --side -t --to "
	case $prev in
	-f | --from | -k | --key) _qlink_files; return ;;
	-s | --side) _qlink_reply a b; return ;;
	-b | --bytes | -l | --label | -n | --keys | -t | --to) return ;;
	esac
	if [[ $cur = -* ]] || [ "${#args[@]}" -gt 1 ]; then
		_qlink_reply -b --bytes -f --from -h --help -j --json -k --key -l --label -n --keys -s --side -t --to -V --version
	elif [ "${#args[@]}" = 0 ]; then
		_qlink_reply check import make mend show skip
	else
		_qlink_files
	fi
}

_qlink_pki()
{
	local cur prev args socket=''

	_qlink_words " --left --name --suite "
	case $prev in
	--suite) _qlink_reply 1 2; return ;;
	--left | --name) return ;;
	esac
	if [[ $cur = -* ]]; then
		_qlink_reply --left --name --suite
	elif [ "${#args[@]}" = 0 ]; then
		_qlink_reply ca cert crl cross request revoke sign
	elif [ "${#args[@]}" = 1 ]; then
		_qlink_folders
	elif [[ ${args[0]} = sign || ${args[0]} = cross ]] && [ "${#args[@]}" = 3 ]; then
		_qlink_files
	fi
}

complete -F _qlinkctl qlinkctl
complete -F _qlinkd qlinkd
complete -F _qlink_kmesim qlink-kmesim
complete -F _qlink_vault qlink-vault
complete -F _qlink_pki qlink-pki
