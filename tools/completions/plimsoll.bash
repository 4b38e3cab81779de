# bash completion of plimsoll. Made from its tables of commands and options: change those, not this.
# shellcheck shell=bash disable=SC2207

_plimsoll()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' command='' commands='' second='' schemes='' options='' kind='' values=''
	local head='' i word
@bash-commands@
	((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}
	# --name=value comes as three words.
	if [[ $cur == = ]]; then
		cur=''
	elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi

	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W "$commands --help --version" -- "$cur"))
		return
	fi
	command=${COMP_WORDS[1]}
	case $command in
@bash-second@
	esac
	if [[ -n $second ]]; then
		if ((COMP_CWORD == 2)); then
			COMPREPLY=($(compgen -W "$second" -- "$cur"))
			return
		fi
		command+=" ${COMP_WORDS[2]}"
	fi

	case $command in
@bash-options@
	*) return ;;
	esac
	case "$command $prev" in
@bash-values@
	esac
	# Words behind -- are no options.
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && options='' kind=''
	done

	case $kind in
	one) COMPREPLY=($(compgen -W "$values" -- "$cur")) ;;
	list)
		[[ $cur == *,* ]] && head=${cur%,*},
		for word in $values; do
			[[ $word == "${cur##*,}"* ]] && COMPREPLY+=("$head$word")
		done
		;;
	file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	any) COMPREPLY=() ;;
	*)
		case "$command $cur" in
		*' '-*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
		'help '*) COMPREPLY=($(compgen -W "$commands" -- "$cur")) ;;
		'db compare '*) COMPREPLY=($(compgen -W "$schemes" -- "$cur")) ;;
		'fs '*) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac
		;;
	esac
}
complete -o filenames -F _plimsoll plimsoll
